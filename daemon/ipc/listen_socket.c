#include "daemon/ipc/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 128

struct complaint {
    char *text;
    size_t size;
};

static int complain(struct complaint *complaint, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int complain(struct complaint *complaint, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(complaint->text, complaint->size, format, arguments);
    va_end(arguments);
    return error;
}

static int make_directory(const char *path, struct complaint *complaint)
{
    char directory[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');
    if (!slash || slash == path)
        return 0;
    (void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
    if (mkdir(directory, 0755) < 0 && errno != EEXIST)
        return complain(complaint, -errno, "cannot make the directory %s: %s", directory,
                        strerror(errno));
    return 0;
}

/* Hold the lock that says whose path this is. Returns the fd. */
static int take_lock(const char *path, struct complaint *complaint)
{
    char lock[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];
    (void)snprintf(lock, sizeof(lock), "%s.lock", path);
    const int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    const int error = errno;
    if (fd < 0 && error == EACCES && access(lock, F_OK) == 0)
        return complain(complaint, -EACCES,
                        "%s belongs to another user's fluxawsd: run as that user, or remove it",
                        lock);
    if (fd < 0)
        return complain(complaint, -error, "cannot open %s: %s", lock, strerror(error));
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        const int lock_error = errno;
        (void)close(fd);
        if (lock_error == EWOULDBLOCK)
            return complain(complaint, -EADDRINUSE,
                            "another fluxawsd serves %s: stop it, or set [Socket] Path", path);
        return complain(complaint, -lock_error, "cannot lock %s: %s", lock, strerror(lock_error));
    }
    return fd;
}

/* Remove the socket of a daemon that is gone. */
static int remove_stale(const struct sockaddr_un *address, struct complaint *complaint)
{
    struct stat status;
    if (lstat(address->sun_path, &status) < 0) {
        if (errno == ENOENT)
            return 0;
        return complain(complaint, -errno, "%s: %s", address->sun_path, strerror(errno));
    }
    if (!S_ISSOCK(status.st_mode))
        return complain(complaint, -ENOTSOCK, "%s is there and is no socket: remove it",
                        address->sun_path);

    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return complain(complaint, -errno, "socket: %s", strerror(errno));
    const int r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    const int error = r < 0 ? errno : 0;
    (void)close(fd);
    if (error != ECONNREFUSED && error != ENOENT)
        return complain(complaint, -EADDRINUSE,
                        "something else listens at %s: stop it, or set [Socket] Path",
                        address->sun_path);
    if (unlink(address->sun_path) < 0 && errno != ENOENT)
        return complain(complaint, -errno, "cannot remove the stale socket %s: %s",
                        address->sun_path, strerror(errno));
    return 0;
}

static int set_group(const char *path, const char *group, struct complaint *complaint)
{
    if (*group == '\0')
        return 0;
    const struct group *entry = getgrnam(group);
    if (!entry) {
        (void)complain(complaint, 0, "the group %s does not exist; the socket keeps its own",
                       group);
        return 0;
    }
    if (lchown(path, (uid_t)-1, entry->gr_gid) < 0)
        (void)complain(complaint, 0, "cannot give %s to the group %s: %s", path, group,
                       strerror(errno));
    return 0;
}

/* Bind, set who may connect, and only then listen: before that nobody can connect. */
static int open_at(const struct sockaddr_un *address, mode_t mode, const char *group,
                   struct complaint *complaint)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return complain(complaint, -errno, "socket: %s", strerror(errno));
    const char *path = address->sun_path;
    int r = 0;
    if (fchmod(fd, 0600) < 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
        r = complain(complaint, -errno, "cannot bind to %s: %s", path, strerror(errno));
    if (r == 0)
        r = set_group(path, group, complaint);
    if (r == 0 && (chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0)) {
        r = complain(complaint, -errno, "cannot listen at %s: %s", path, strerror(errno));
        (void)unlink(path);
    }
    if (r == 0)
        return fd;
    (void)close(fd);
    return r;
}

int listen_socket_open(struct listen_socket *ret_socket, const char *path, mode_t mode,
                       const char *group, char *ret_text, size_t text_size)
{
    struct complaint complaint = {ret_text, text_size};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    *ret_text = '\0';
    const size_t size = strlen(path);
    if (size >= sizeof(address.sun_path))
        return complain(&complaint, -ENAMETOOLONG,
                        "[Socket] Path is longer than the %zu bytes that a socket's may have",
                        sizeof(address.sun_path) - 1);
    if (*path != '/')
        return complain(&complaint, -EINVAL, "[Socket] Path must begin with a '/'");
    memcpy(address.sun_path, path, size + 1);

    int r = make_directory(path, &complaint);
    if (r < 0)
        return r;
    const int lock_fd = take_lock(path, &complaint);
    if (lock_fd < 0)
        return lock_fd;
    r = remove_stale(&address, &complaint);
    const int fd = r < 0 ? r : open_at(&address, mode, group, &complaint);
    char *copy = fd < 0 ? NULL : strdup(path);
    if (fd >= 0 && copy) {
        *ret_socket = (struct listen_socket){.fd = fd, .lock_fd = lock_fd, .path = copy};
        return 0;
    }
    if (fd >= 0) {
        (void)unlink(path);
        (void)close(fd);
    }
    (void)close(lock_fd);
    return fd < 0 ? fd : -ENOMEM;
}

void listen_socket_close(struct listen_socket *socket)
{
    if (socket->path)
        (void)unlink(socket->path);
    if (socket->fd >= 0)
        (void)close(socket->fd);
    if (socket->lock_fd >= 0)
        (void)close(socket->lock_fd);
    free(socket->path);
    *socket = (struct listen_socket){.fd = -1, .lock_fd = -1};
}
