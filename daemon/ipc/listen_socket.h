/* Makes the daemon's own listening socket: one daemon per path, leftovers of a dead one removed, no
 * moment at which its permissions are wider than asked for. Accepts nobody. */
#ifndef FLUXAWS_IPC_LISTEN_SOCKET_H
#define FLUXAWS_IPC_LISTEN_SOCKET_H

#include <stddef.h>
#include <sys/types.h>

struct listen_socket {
    int fd;
    int lock_fd; /* held as long as the socket is ours; -1 where it came from elsewhere */
    char *path;  /* owned; NULL where it came from elsewhere */
};

/* Make the socket at `path`, with this file mode, and group if one is named. A missing directory is
 * made where its parent exists. Returns 0, or a negative errno with `ret_text` saying in words what
 * is wrong and what to try: -EADDRINUSE (another daemon serves it), -ENAMETOOLONG, -ENOTSOCK (a
 * file of another kind is there), others of the system. A group that does not exist is no error but
 * `ret_text` says so; it is empty otherwise. */
int listen_socket_open(struct listen_socket *ret_socket, const char *path, mode_t mode,
                       const char *group, char *ret_text, size_t text_size);

/* Close it, and remove its file if we made it. */
void listen_socket_close(struct listen_socket *socket);

#endif
