#include "daemon/storage/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* One line of /proc/locks: "3: FLOCK  ADVISORY  WRITE 4711 fe:00:131 0 EOF". Who waits for a lock
 * has a line with an arrow, which does not fit. */
static pid_t holder_in(const char *line, const struct stat *status)
{
    int pid;
    unsigned major_number, minor_number;
    unsigned long long inode;
    if (sscanf(line, "%*d: FLOCK ADVISORY WRITE %d %x:%x:%llu", &pid, &major_number, &minor_number,
               &inode) != 4)
        return 0;
    const bool is_it = inode == status->st_ino && major_number == major(status->st_dev) &&
                       minor_number == minor(status->st_dev);
    return is_it && pid > 0 ? (pid_t)pid : 0;
}

static pid_t find_holder(int fd)
{
    struct stat status;
    FILE *stream = fopen("/proc/locks", "re");
    pid_t holder = 0;
    char line[160];
    if (stream && fstat(fd, &status) == 0) {
        while (holder == 0 && fgets(line, sizeof(line), stream))
            holder = holder_in(line, &status);
    }
    if (stream)
        (void)fclose(stream);
    return holder;
}

int state_lock_take(const char *directory, pid_t *ret_holder)
{
    *ret_holder = 0;
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    /* Nobody writes there, and whoever holds it open keeps it from being unmounted. */
    struct statvfs file_system;
    if (fstatvfs(fd, &file_system) == 0 && (file_system.f_flag & ST_RDONLY)) {
        (void)close(fd);
        return -EROFS;
    }
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    const int error = errno;
    if (error == EWOULDBLOCK)
        *ret_holder = find_holder(fd);
    (void)close(fd);
    return -error;
}
