/* disk_record: preloaded into a daemon, writes down all that it does to the files of its state, in
 * order, into the file named by DISK_RECORD: what was written where, what was synced, created, cut
 * and removed. power_cut.py makes of it what a disk may hold when the power goes. A record is the
 * struct below, the path, the data. */
#undef _FILE_OFFSET_BITS /* both pwrite() and pwrite64() are to be replaced */
#undef _TIME_BITS
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REPLACES __attribute__((visibility("default")))

struct record {
    uint8_t kind; /* 'w' write, 's' sync, 'd' sync of the directory, 'c' created, 't' cut to offset,
                     'u' removed, '!' something that is not understood */
    uint8_t unused[3];
    uint32_t path_size, size;
    uint32_t also_unused;
    uint64_t offset, now_us;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

static void note(uint8_t kind, const char *path, uint64_t offset, const void *data, size_t size)
{
    const char *name = getenv("DISK_RECORD");
    const int fd = name != NULL ? open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        return;
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    struct record record = {
        .kind = kind,
        .path_size = (uint32_t)strlen(path),
        .size = (uint32_t)size,
        .offset = offset,
        .now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
    };
    union {
        const void *from;
        void *to;
    } path_of = {.from = path}, data_of = {.from = data};
    const struct iovec parts[] = {
        {&record, sizeof(record)}, {path_of.to, record.path_size}, {data_of.to, size}};
    (void)pthread_mutex_lock(&lock);
    if (writev(fd, parts, 3) < 0)
        abort();
    (void)pthread_mutex_unlock(&lock);
    (void)close(fd);
}

static bool is_state_path(const char *path)
{
    return strstr(path, "/state-") != NULL;
}

/* Where a descriptor leads: "" for nothing that has a path. */
static void path_of(int fd, char ret_path[static 4096])
{
    char link[64];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, ret_path, 4095);
    ret_path[size > 0 ? size : 0] = '\0';
}

static bool is_state(int fd, char ret_path[static 4096])
{
    path_of(fd, ret_path);
    return is_state_path(ret_path);
}

static void note_sync(int fd)
{
    char path[4096];
    const char *directory = getenv("DISK_RECORD_OF");
    if (is_state(fd, path))
        note('s', path, 0, NULL, 0);
    else if (directory != NULL && strcmp(path, directory) == 0)
        note('d', path, 0, NULL, 0);
}

REPLACES int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))next("open64");
    const bool is_new = (flags & O_CREAT) != 0 && is_state_path(path) && access(path, F_OK) != 0;
    const int fd = real(path, flags, mode);
    char full[4096];
    if (fd >= 0 && is_new && is_state(fd, full))
        note('c', full, 0, NULL, 0);
    if (fd >= 0 && (flags & O_TRUNC) != 0 && is_state(fd, full))
        note('t', full, 0, NULL, 0);
    return fd;
}

REPLACES int open64(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return open(path, flags, mode);
}

REPLACES int fsync(int fd)
{
    const int r = ((int (*)(int))next("fsync"))(fd);
    if (r == 0)
        note_sync(fd);
    return r;
}

REPLACES int fdatasync(int fd)
{
    const int r = ((int (*)(int))next("fdatasync"))(fd);
    if (r == 0)
        note_sync(fd);
    return r;
}

REPLACES ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    typedef ssize_t function(int, const void *, size_t, off64_t);
    char path[4096];
    /* Written down before it is done: a cut may come in between. */
    if (is_state(fd, path))
        note('w', path, (uint64_t)offset, data, size);
    return ((function *)next("pwrite64"))(fd, data, size, offset);
}

REPLACES ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    return pwrite64(fd, data, size, offset);
}

REPLACES ssize_t write(int fd, const void *data, size_t size)
{
    typedef ssize_t function(int, const void *, size_t);
    char path[4096];
    if (is_state(fd, path))
        note('!', path, 0, NULL, 0);
    return ((function *)next("write"))(fd, data, size);
}

REPLACES int ftruncate64(int fd, off64_t size)
{
    char path[4096];
    if (is_state(fd, path))
        note('t', path, (uint64_t)size, NULL, 0);
    return ((int (*)(int, off64_t))next("ftruncate64"))(fd, size);
}

REPLACES int ftruncate(int fd, off_t size)
{
    return ftruncate64(fd, size);
}

REPLACES int unlink(const char *path)
{
    if (is_state_path(path))
        note('u', path, 0, NULL, 0);
    return ((int (*)(const char *))next("unlink"))(path);
}

REPLACES int rename(const char *from, const char *to)
{
    if (is_state_path(from) || is_state_path(to))
        note('!', from, 0, NULL, 0);
    return ((int (*)(const char *, const char *))next("rename"))(from, to);
}
