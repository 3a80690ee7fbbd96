#include "tests/unit/cut_vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum cut_kind { CUT_WRITE, CUT_TRUNCATE, CUT_SYNC, CUT_DELETE };
enum { CUT_DATABASE, CUT_LOG, CUT_JOURNAL, CUT_FILES };

struct cut_op {
    enum cut_kind kind;
    int file;
    bool is_doubtful;  /* a sync has failed over it: no later one covers it */
    bool is_directory; /* a sync of the directory too */
    size_t offset, size;
    char *bytes;
};

struct cut_file {
    sqlite3_file base;
    int file;
    bool is_new;        /* its first sync is one of the directory, too */
    sqlite3_file *real; /* behind this struct */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct cut_op *ops;
    size_t count, room;
    bool is_recording;
    int syncs_until_failure; /* -1: none */
    int read_failure, reads_until_failure;
    int write_failure, writes_until_failure;
} cut;

/* --- remembering --- */

static struct cut_op *remember(enum cut_kind kind, int file)
{
    if (cut.count == cut.room) {
        cut.room = cut.room > 0 ? cut.room * 2 : 1024;
        cut.ops = reallocarray(cut.ops, cut.room, sizeof(*cut.ops));
        assert(cut.ops);
    }
    struct cut_op *op = &cut.ops[cut.count++];
    *op = (struct cut_op){.kind = kind, .file = file};
    return op;
}

static void doubt(int file)
{
    for (size_t i = cut.count; i > 0; i--) {
        struct cut_op *op = &cut.ops[i - 1];
        if (op->file == file && op->kind == CUT_SYNC)
            return;
        if (op->file == file)
            op->is_doubtful = true;
    }
}

static int which_file(const char *name)
{
    const size_t size = strlen(name);
    if (size > 4 && strcmp(name + size - 4, "-wal") == 0)
        return CUT_LOG;
    return size > 8 && strcmp(name + size - 8, "-journal") == 0 ? CUT_JOURNAL : CUT_DATABASE;
}

/* --- the file system --- */

static struct cut_file *as_cut(sqlite3_file *file)
{
    return (struct cut_file *)file;
}

static int cut_close(sqlite3_file *file)
{
    sqlite3_file *real = as_cut(file)->real;
    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int cut_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = as_cut(file)->real;
    if (cut.read_failure != SQLITE_OK && cut.reads_until_failure-- <= 0)
        return cut.read_failure;
    return real->pMethods->xRead(real, bytes, size, offset);
}

static int cut_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = as_cut(file)->real;
    if (cut.write_failure != SQLITE_OK && cut.writes_until_failure-- <= 0)
        return cut.write_failure;
    if (cut.is_recording) {
        struct cut_op *op = remember(CUT_WRITE, as_cut(file)->file);
        op->offset = (size_t)offset;
        op->size = (size_t)size;
        op->bytes = malloc((size_t)size);
        assert(op->bytes);
        memcpy(op->bytes, bytes, (size_t)size);
    }
    return real->pMethods->xWrite(real, bytes, size, offset);
}

static int cut_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = as_cut(file)->real;
    if (cut.is_recording)
        remember(CUT_TRUNCATE, as_cut(file)->file)->size = (size_t)size;
    return real->pMethods->xTruncate(real, size);
}

static int cut_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (cut.syncs_until_failure >= 0 && cut.syncs_until_failure-- == 0) {
        doubt(as_cut(file)->file);
        return SQLITE_IOERR_FSYNC;
    }
    if (cut.is_recording)
        remember(CUT_SYNC, as_cut(file)->file)->is_directory = as_cut(file)->is_new;
    as_cut(file)->is_new = false;
    return SQLITE_OK;
}

static int cut_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
    sqlite3_file *real = as_cut(file)->real;
    return real->pMethods->xFileSize(real, ret_size);
}

static int cut_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = as_cut(file)->real;
    return real->pMethods->xLock(real, level);
}

static int cut_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = as_cut(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static int cut_check_lock(sqlite3_file *file, int *ret_is_locked)
{
    sqlite3_file *real = as_cut(file)->real;
    return real->pMethods->xCheckReservedLock(real, ret_is_locked);
}

static int cut_control(sqlite3_file *file, int op, void *argument)
{
    sqlite3_file *real = as_cut(file)->real;
    return real->pMethods->xFileControl(real, op, argument);
}

static int cut_sector_size(sqlite3_file *file)
{
    (void)file;
    return CUT_SECTOR_SIZE;
}

static int cut_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE; /* as SQLite takes it to be everywhere */
}

static const sqlite3_io_methods cut_methods = {
    .iVersion = 1,
    .xClose = cut_close,
    .xRead = cut_read,
    .xWrite = cut_write,
    .xTruncate = cut_truncate,
    .xSync = cut_sync,
    .xFileSize = cut_file_size,
    .xLock = cut_lock,
    .xUnlock = cut_unlock,
    .xCheckReservedLock = cut_check_lock,
    .xFileControl = cut_control,
    .xSectorSize = cut_sector_size,
    .xDeviceCharacteristics = cut_characteristics,
};

static int cut_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *ret_flags)
{
    (void)vfs;
    struct cut_file *opened = as_cut(file);
    opened->real = (sqlite3_file *)(opened + 1);
    opened->base.pMethods = NULL;
    opened->is_new = name && which_file(name) != CUT_DATABASE && access(name, F_OK) < 0;
    const int rc = cut.real->xOpen(cut.real, name, opened->real, flags, ret_flags);
    if (rc != SQLITE_OK)
        return rc;
    opened->file = name ? which_file(name) : CUT_JOURNAL;
    opened->base.pMethods = &cut_methods;
    return SQLITE_OK;
}

static int cut_delete(sqlite3_vfs *vfs, const char *name, int is_synced)
{
    (void)vfs;
    const int rc = cut.real->xDelete(cut.real, name, 0);
    if (cut.is_recording && rc == SQLITE_OK) {
        (void)remember(CUT_DELETE, which_file(name));
        if (is_synced)
            remember(CUT_SYNC, which_file(name))->is_directory = true;
    }
    return rc;
}

void cut_vfs_install(void)
{
    cut_vfs_remove();
    cut.real = sqlite3_vfs_find(NULL);
    assert(cut.real);
    cut.vfs = *cut.real;
    cut.vfs.zName = CUT_VFS_NAME;
    cut.vfs.pNext = NULL;
    cut.vfs.szOsFile = (int)sizeof(struct cut_file) + cut.real->szOsFile;
    cut.vfs.xOpen = cut_open;
    cut.vfs.xDelete = cut_delete;
    cut.syncs_until_failure = -1;
    (void)sqlite3_vfs_register(&cut.vfs, 0);
}

void cut_vfs_remove(void)
{
    if (cut.real)
        (void)sqlite3_vfs_unregister(&cut.vfs);
    for (size_t i = 0; i < cut.count; i++)
        free(cut.ops[i].bytes);
    free(cut.ops);
    memset(&cut, 0, sizeof(cut));
    cut.syncs_until_failure = -1;
}

void cut_vfs_record(bool is_on)
{
    cut.is_recording = is_on;
}

size_t cut_vfs_count(void)
{
    return cut.count;
}

bool cut_vfs_is_sync(size_t i)
{
    return cut.ops[i].kind == CUT_SYNC;
}

void cut_vfs_fail_sync(int after)
{
    cut.syncs_until_failure = after;
}

void cut_vfs_fail_reads(int rc, int after)
{
    cut.read_failure = rc;
    cut.reads_until_failure = after;
}

void cut_vfs_fail_writes(int rc, int after)
{
    cut.write_failure = rc;
    cut.writes_until_failure = after;
}

/* --- what the disk holds --- */

struct image {
    char *bytes;
    size_t size, room;
    bool exists;
};

static void make_room(struct image *image, size_t size)
{
    if (size > image->room) {
        image->bytes = realloc(image->bytes, size * 2);
        assert(image->bytes);
        memset(image->bytes + image->room, 0, size * 2 - image->room);
        image->room = size * 2;
    }
}

static void set_size(struct image *image, size_t size)
{
    make_room(image, size);
    if (size < image->size)
        memset(image->bytes + size, 0, image->size - size);
    image->size = size;
}

static void write_part(struct image *image, const struct cut_op *op, size_t begin, size_t end)
{
    make_room(image, op->offset + end);
    memcpy(image->bytes + op->offset + begin, op->bytes + begin, end - begin);
    if (op->offset + end > image->size)
        image->size = op->offset + end;
}

/* Apply the sectors of a write for which the dice say so, or its first half. */
static void write_sectors(struct image *image, const struct cut_op *op, bool is_torn,
                          unsigned *seed)
{
    size_t begin = 0;
    while (begin < op->size) {
        size_t end = begin + CUT_SECTOR_SIZE - (op->offset + begin) % CUT_SECTOR_SIZE;
        end = end < op->size ? end : op->size;
        const bool is_there = is_torn ? begin < op->size / 2 : rand_r(seed) % 2 == 0;
        if (is_there)
            write_part(image, op, begin, end);
        begin = end;
    }
}

static void apply(struct image *image, const struct cut_op *op, bool is_torn, unsigned *seed)
{
    image->exists |= op->kind != CUT_DELETE;
    switch (op->kind) {
    case CUT_WRITE:
        if (seed)
            write_sectors(image, op, is_torn, seed);
        else
            write_part(image, op, 0, op->size);
        break;
    case CUT_TRUNCATE:
        if (!seed || rand_r(seed) % 2 == 0)
            set_size(image, op->size);
        break;
    case CUT_DELETE:
        if (!seed || rand_r(seed) % 2 == 0) {
            set_size(image, 0);
            image->exists = false;
        }
        break;
    case CUT_SYNC:
        break;
    }
}

static void apply_unsynced(struct image *image, const struct cut_op *op, bool is_last,
                           enum cut_mode mode, unsigned *seed)
{
    if (op->is_doubtful || mode == CUT_ANY_SECTORS)
        apply(image, op, false, seed);
    else if (mode == CUT_EVERYTHING || (mode == CUT_LAST_TORN && !is_last))
        apply(image, op, false, NULL);
    else if (mode == CUT_LAST_TORN)
        apply(image, op, true, seed);
}

static void save(const char *path, const struct image *image)
{
    if (!image->exists) {
        (void)unlink(path);
        return;
    }
    (void)unlink(path); /* quicker than cutting it off */
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert(fd >= 0);
    size_t done = 0;
    while (done < image->size) {
        const ssize_t size = write(fd, image->bytes + done, image->size - done);
        assert(size > 0);
        done += (size_t)size;
    }
    (void)close(fd);
}

void cut_vfs_replay(const char *path, size_t count, enum cut_mode mode, unsigned seed)
{
    static const char *const suffixes[CUT_FILES] = {"", "-wal", "-journal"};
    struct image images[CUT_FILES] = {[CUT_DATABASE] = {.exists = true}};
    size_t synced[CUT_FILES] = {0}, names_synced = 0;
    for (size_t i = 0; i < count; i++) {
        if (cut.ops[i].kind == CUT_SYNC)
            synced[cut.ops[i].file] = i;
        if (cut.ops[i].is_directory)
            names_synced = i;
    }
    for (size_t i = 0; i < count; i++) {
        const struct cut_op *op = &cut.ops[i];
        const size_t until = op->kind == CUT_DELETE ? names_synced : synced[op->file];
        if (i < until && !op->is_doubtful)
            apply(&images[op->file], op, false, NULL);
        else
            apply_unsynced(&images[op->file], op, i + 1 == count, mode, &seed);
    }
    for (int i = 0; i < CUT_FILES; i++) {
        char name[512];
        (void)snprintf(name, sizeof(name), "%s%s", path, suffixes[i]);
        save(name, &images[i]);
        free(images[i].bytes);
    }
}
