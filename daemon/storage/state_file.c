#include "daemon/storage/state_file.h"

#include "daemon/base/clock.h"
#include "daemon/storage/file_system.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ASIDE_PREFIX STATE_FILE_NAME ".aside-"
#define LOG_SUFFIX   "-wal"

static int fail(char *ret_text, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static int fail(char *ret_text, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(ret_text, STORE_TEXT_MAX, format, arguments);
    va_end(arguments);
    return error;
}

static int sync_directory(const char *directory)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    const int r = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return r;
}

static int sync_parent(const char *path)
{
    char parent[STORE_PATH_MAX];
    if (snprintf(parent, sizeof(parent), "%s/..", path) >= (int)sizeof(parent))
        return -ENAMETOOLONG;
    return sync_directory(parent);
}

static int make_directory(const char *directory, char *ret_text)
{
    if (mkdir(directory, 0700) == 0) {
        /* A parent that may not be read cannot be synced either. */
        const int r = sync_parent(directory);
        return r == 0 || r == -EACCES ? 0 : fail(ret_text, r, "%s/..: %s", directory, strerror(-r));
    }
    if (errno == EEXIST)
        return 0;
    const int error = errno;
    return fail(ret_text, -error, "the directory %s cannot be made: %s", directory,
                error == ENOENT ? "the one above it does not exist" : strerror(error));
}

static int check_directory(struct state_place *place, char *ret_text)
{
    struct stat status;
    if (stat(place->directory, &status) < 0) {
        const int error = errno;
        return fail(ret_text, -error, "%s: %s", place->directory, strerror(error));
    }
    if (!S_ISDIR(status.st_mode))
        return fail(ret_text, -ENOTDIR, "%s is not a directory", place->directory);
    if (status.st_uid != geteuid() && status.st_uid != 0)
        return fail(ret_text, -EPERM, "the directory %s belongs to user %u, not to the daemon's %u",
                    place->directory, (unsigned)status.st_uid, (unsigned)geteuid());
    if (status.st_mode & S_IWOTH)
        return fail(ret_text, -EPERM, "everybody may write into the directory %s (mode %04o)",
                    place->directory, (unsigned)status.st_mode & 07777);
    place->is_in_memory = file_system_is_memory(place->directory);
    return 0;
}

static int find_directory(struct state_place *place, const char *directory, char *ret_text)
{
    int r = make_directory(directory, ret_text);
    if (r < 0)
        return r;
    char *resolved = realpath(directory, NULL);
    if (!resolved) {
        const int error = errno;
        return fail(ret_text, -error, "%s: %s", directory, strerror(error));
    }
    const int size = snprintf(place->directory, sizeof(place->directory), "%s", resolved);
    free(resolved);
    /* Room for the longest name that is put below it. */
    if (size < 0 || (size_t)size + 64 > sizeof(place->directory))
        return fail(ret_text, -ENAMETOOLONG, "the name of the directory %s is too long", directory);
    (void)snprintf(place->database, sizeof(place->database), "%.*s/%s", size, place->directory,
                   STATE_FILE_NAME);
    (void)snprintf(place->log, sizeof(place->log), "%.*s/%s", size, place->directory,
                   STATE_FILE_NAME LOG_SUFFIX);
    return check_directory(place, ret_text);
}

/* A log without its database is of no use, and must not be taken for the new one's. */
static void remove_old_logs(const struct state_place *place)
{
    char journal[STORE_PATH_MAX + 16];
    (void)snprintf(journal, sizeof(journal), "%s-journal", place->database);
    (void)unlink(place->log);
    (void)unlink(journal);
}

static int make_file(struct state_place *place, char *ret_text)
{
    const int fd = open(place->database,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    int r = fd < 0 ? -errno : 0;
    place->is_new = fd >= 0;
    if (fd >= 0) {
        close(fd);
        remove_old_logs(place); /* not before: another daemon may have begun it meanwhile */
        r = sync_directory(place->directory);
    }
    if (r < 0)
        return fail(ret_text, r, "%s cannot be made: %s", place->database, strerror(-r));
    return 0;
}

static int check_file(struct state_place *place, const struct stat *status, char *ret_text)
{
    if (!S_ISREG(status->st_mode) || status->st_nlink != 1)
        return fail(ret_text, -EPERM, "%s is not a plain file", place->database);
    if (status->st_uid != geteuid())
        return fail(ret_text, -EPERM, "%s belongs to user %u, not to the daemon's %u",
                    place->database, (unsigned)status->st_uid, (unsigned)geteuid());
    place->device = status->st_dev;
    place->inode = status->st_ino;
    return 0;
}

int state_file_prepare(struct state_place *place, const char *directory,
                       char ret_text[static STORE_TEXT_MAX])
{
    /* Where the directory lies is what was seen last. */
    *place = (struct state_place){.is_in_memory = place->is_in_memory};
    int r = find_directory(place, directory, ret_text);
    if (r < 0)
        return r;
    struct stat status;
    if (lstat(place->database, &status) < 0 && errno == ENOENT) {
        r = make_file(place, ret_text);
        if (r < 0)
            return r;
    }
    if (lstat(place->database, &status) < 0) {
        const int error = errno;
        return fail(ret_text, -error, "%s: %s", place->database, strerror(error));
    }
    r = check_file(place, &status, ret_text);
    if (r == 0 && access(place->database, R_OK | W_OK) < 0) { /* SQLite would not say why */
        const int error = errno;
        return fail(ret_text, -error, "%s: %s", place->database, strerror(error));
    }
    return r;
}

bool state_file_is_same(const struct state_place *place)
{
    struct stat status;
    return lstat(place->database, &status) == 0 && status.st_dev == place->device &&
           status.st_ino == place->inode;
}

bool state_file_exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

uint64_t state_file_size(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && status.st_size > 0 ? (uint64_t)status.st_size : 0;
}

/* --- setting aside --- */

/* Copy the oldest name into `ret_name` (by its date, which is its order); returns how many. */
static size_t find_oldest_aside(const char *directory, char *ret_name, size_t size)
{
    DIR *stream = opendir(directory);
    if (!stream)
        return 0;
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(stream))) {
        const size_t length = strlen(entry->d_name);
        const size_t suffix = strlen(LOG_SUFFIX);
        if (strncmp(entry->d_name, ASIDE_PREFIX, strlen(ASIDE_PREFIX)) != 0 || length >= size ||
            strcmp(entry->d_name + length - suffix, LOG_SUFFIX) == 0)
            continue;
        if (count++ == 0 || strcmp(entry->d_name, ret_name) < 0)
            memcpy(ret_name, entry->d_name, length + 1);
    }
    closedir(stream);
    return count;
}

/* Make room for one more. */
static void remove_old_asides(const char *directory)
{
    char name[96], path[STORE_PATH_MAX + 128];
    while (find_oldest_aside(directory, name, sizeof(name)) >= STATE_FILE_ASIDE_MAX) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
        if (unlink(path) < 0)
            return;
        (void)snprintf(path, sizeof(path), "%s/%s%s", directory, name, LOG_SUFFIX);
        (void)unlink(path);
    }
}

static int choose_aside_name(const char *directory, char *ret_path, size_t size)
{
    const time_t now_sec = (time_t)clock_wall_sec();
    struct tm date;
    char text[32];
    if (!gmtime_r(&now_sec, &date) || strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &date) == 0)
        return -ERANGE;
    for (unsigned i = 0; i < 100; i++) {
        char number[16] = "";
        if (i > 0)
            (void)snprintf(number, sizeof(number), ".%u", i);
        const int length =
            snprintf(ret_path, size, "%s/%s%s%s", directory, ASIDE_PREFIX, text, number);
        if (length < 0 || (size_t)length >= size)
            return -ENAMETOOLONG;
        if (!state_file_exists(ret_path))
            return 0;
    }
    return -EEXIST;
}

int state_file_set_aside(const char *directory, char *ret_path, size_t size)
{
    char database[STORE_PATH_MAX], log[STORE_PATH_MAX], log_aside[STORE_PATH_MAX + 16];
    if (snprintf(database, sizeof(database), "%s/%s", directory, STATE_FILE_NAME) >=
            (int)sizeof(database) ||
        snprintf(log, sizeof(log), "%s%s", database, LOG_SUFFIX) >= (int)sizeof(log))
        return -ENAMETOOLONG;
    struct stat status;
    if (lstat(database, &status) < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
    if (!S_ISREG(status.st_mode) || status.st_uid != geteuid())
        return -EPERM;
    remove_old_asides(directory);
    int r = choose_aside_name(directory, ret_path, size);
    if (r < 0)
        return r;
    /* The database first: without its log it would look like an older one that is well. */
    if (rename(database, ret_path) < 0)
        return -errno;
    (void)snprintf(log_aside, sizeof(log_aside), "%s%s", ret_path, LOG_SUFFIX);
    if (rename(log, log_aside) < 0 && errno != ENOENT)
        return -errno;
    r = sync_directory(directory);
    return r < 0 ? r : 1;
}

void state_file_read_boot_id(char *ret_id, size_t size)
{
    ret_id[0] = '\0';
    const int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    const ssize_t length = read(fd, ret_id, size - 1);
    close(fd);
    ret_id[length > 0 ? length : 0] = '\0';
    ret_id[strcspn(ret_id, "\n")] = '\0';
}
