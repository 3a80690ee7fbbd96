#include "daemon/mqtt/tcp_tune.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

uint16_t tcp_tune_port(int fd)
{
    int type;
    socklen_t size = sizeof(type);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_STREAM)
        return 0;
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } peer = {0};
    size = sizeof(peer);
    if (getpeername(fd, &peer.any, &size) < 0)
        return 0;
    if (peer.any.sa_family == AF_INET)
        return ntohs(peer.v4.sin_port);
    return peer.any.sa_family == AF_INET6 ? ntohs(peer.v6.sin6_port) : 0;
}

int tcp_tune(uint16_t port, unsigned unacknowledged_ms)
{
    if (port == 0)
        return -1;
    DIR *directory = opendir("/proc/self/fd");
    if (!directory)
        return -1;
    int own_fd = -1;
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        char *end;
        long fd = strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '\0' || tcp_tune_port((int)fd) != port)
            continue;
        int on = 1;
        (void)setsockopt((int)fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        (void)setsockopt((int)fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
                         sizeof(unacknowledged_ms));
        if (own_fd < 0)
            own_fd = fcntl((int)fd, F_DUPFD_CLOEXEC, 0);
    }
    closedir(directory);
    return own_fd;
}
