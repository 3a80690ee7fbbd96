#include "daemon/storage/state_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int copy_bytes(int from, int to)
{
    char bytes[16384];
    ssize_t size;
    while ((size = read(from, bytes, sizeof(bytes))) > 0)
        for (ssize_t done = 0; done < size;) {
            const ssize_t count = write(to, bytes + done, (size_t)(size - done));
            if (count < 0)
                return -errno;
            done += count;
        }
    return size < 0 ? -errno : 0;
}

static int copy_file(const char *from, const char *directory, const char *name)
{
    char path[STORE_PATH_MAX];
    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    const int source = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (source < 0)
        return -errno;
    const int target = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NONBLOCK, 0600);
    const int r = target < 0 ? -errno : copy_bytes(source, target);
    if (target >= 0)
        close(target);
    close(source);
    return r;
}

static int make_directory(char *ret_directory, size_t size)
{
    static const char *const bases[] = {"/run", "/dev/shm", "/tmp"};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++)
        if (snprintf(ret_directory, size, "%s/fluxaws-XXXXXX", bases[i]) < (int)size &&
            mkdtemp(ret_directory))
            return 0;
    return -EROFS;
}

int state_copy_make(const struct state_place *place, uint64_t max_bytes, char *ret_directory,
                    size_t size)
{
    if (state_file_size(place->database) + state_file_size(place->log) > max_bytes)
        return -EFBIG;
    int r = make_directory(ret_directory, size);
    if (r < 0)
        return r;
    r = copy_file(place->database, ret_directory, STATE_FILE_NAME);
    if (r == 0 && state_file_exists(place->log))
        r = copy_file(place->log, ret_directory, STATE_FILE_NAME "-wal");
    if (r == 0)
        return 0;
    state_copy_remove(ret_directory);
    return r;
}

void state_copy_remove(const char *directory)
{
    static const char *const names[] = {STATE_FILE_NAME, STATE_FILE_NAME "-wal",
                                        STATE_FILE_NAME "-journal"};
    char path[STORE_PATH_MAX];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(directory);
}
