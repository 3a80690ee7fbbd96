/* A disk that fails as it is told, preloaded into the daemon: what is written to the files of the
 * state, and synced, fails with an error or takes long. The file that DISK_FAULT names says how,
 * looked at each time: "EIO", "ENOSPC", "EROFS", "slow MILLISECONDS" (of each sync, ended early
 * when something else is told); else it works.
 */
#undef _FILE_OFFSET_BITS /* both pwrite() and pwrite64() are to be replaced */
#undef _TIME_BITS
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REPLACES __attribute__((visibility("default")))

static bool is_state(int fd)
{
    char link[64], path[4096];
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(link, path, sizeof(path) - 1);
    if (size <= 0)
        return false;
    path[size] = '\0';
    return strstr(path, "/state-") != NULL;
}

/* Read what is to happen. Returns the errno to fail with, 0: none. */
static int told(long *ret_delay_ms)
{
    *ret_delay_ms = 0;
    const char *name = getenv("DISK_FAULT");
    const int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    char text[64] = "";
    const ssize_t size = read(fd, text, sizeof(text) - 1);
    (void)close(fd);
    if (size <= 0)
        return 0;
    if (sscanf(text, "slow %ld", ret_delay_ms) == 1)
        return 0;
    if (strncmp(text, "ENOSPC", 6) == 0)
        return ENOSPC;
    if (strncmp(text, "EROFS", 5) == 0)
        return EROFS;
    return strncmp(text, "EIO", 3) == 0 ? EIO : 0;
}

static long now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Take as long as is told now. */
static void take_long(long delay_ms)
{
    const long end_ms = now_ms() + delay_ms;
    const long asked_ms = delay_ms;
    while (delay_ms == asked_ms && now_ms() < end_ms) {
        const struct timespec moment = {0, 20 * 1000000};
        (void)nanosleep(&moment, NULL);
        (void)told(&delay_ms);
    }
}

static bool fails(int fd, bool is_sync)
{
    long delay_ms = 0;
    if (!is_state(fd))
        return false;
    const int error = told(&delay_ms);
    if (is_sync && delay_ms > 0)
        take_long(delay_ms);
    errno = error;
    return error != 0;
}

static void *next(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

REPLACES int fsync(int fd)
{
    int (*real)(int) = (int (*)(int))next("fsync");
    return fails(fd, true) ? -1 : real(fd);
}

REPLACES int fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))next("fdatasync");
    return fails(fd, true) ? -1 : real(fd);
}

REPLACES ssize_t pwrite(int fd, const void *data, size_t size, off_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))next("pwrite");
    return fails(fd, false) ? -1 : real(fd, data, size, offset);
}

REPLACES ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t(*)(int, const void *, size_t, off64_t))next("pwrite64");
    return fails(fd, false) ? -1 : real(fd, data, size, offset);
}

REPLACES ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t (*real)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))next("write");
    return fails(fd, false) ? -1 : real(fd, data, size);
}

REPLACES int ftruncate64(int fd, off64_t size)
{
    int (*real)(int, off64_t) = (int (*)(int, off64_t))next("ftruncate64");
    return fails(fd, false) ? -1 : real(fd, size);
}
