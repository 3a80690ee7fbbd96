#include "daemon/ipc/peer_facts.h"

#include "daemon/ipc/peer_unit.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Linux 6.5; the C library of today's distributions does not name it. */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/* Linux gives a process no more supplementary groups. */
#define GROUPS_MAX 65536u

_Static_assert(sizeof(gid_t) == sizeof(uint32_t), "groups are handed over as they come");

static int read_groups(int fd, struct peer_facts *facts)
{
    socklen_t size = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0 || errno != ERANGE)
        return 0; /* none; or they cannot be told, and grant nothing */
    if (size > GROUPS_MAX * sizeof(*facts->groups))
        return 0;
    facts->groups = malloc(size);
    if (!facts->groups)
        return -ENOMEM;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, facts->groups, &size) == 0)
        facts->group_count = size / sizeof(*facts->groups);
    return 0;
}

/* A handle of the process that connected. Where the kernel does not keep one for us, one of the
 * process that has its number now. */
static int open_process(int fd, pid_t pid)
{
    int process = -1;
    socklen_t size = sizeof(process);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &process, &size) == 0)
        return process;
    return errno == ENOPROTOOPT ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

/* While it lives nobody else has its number: what was read of the number was its own. */
static bool is_alive(int process)
{
    struct pollfd poll_fd = {.fd = process, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 0;
}

/* Another user's process cannot be the one that connected. */
static bool is_of_user(pid_t pid, uid_t uid)
{
    char path[32];
    struct stat status;
    (void)snprintf(path, sizeof(path), "/proc/%ld", (long)pid);
    return stat(path, &status) == 0 && (status.st_uid == uid || status.st_uid == 0);
}

static ssize_t read_cgroup(pid_t pid, char *buffer, size_t size)
{
    char path[32];
    (void)snprintf(path, sizeof(path), "/proc/%ld/cgroup", (long)pid);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -1;
    const ssize_t got = read(fd, buffer, size);
    (void)close(fd);
    return got;
}

static void read_units(int fd, const struct ucred *peer, struct peer_facts *facts)
{
    char text[4096];
    const int process = open_process(fd, peer->pid);
    const ssize_t size = read_cgroup(peer->pid, text, sizeof(text));
    if (size > 0)
        peer_unit_parse(text, (size_t)size, facts->unit, sizeof(facts->unit));
    const bool is_whole = size > 0 && (size_t)size < sizeof(text);
    if (is_whole && process >= 0 && is_of_user(peer->pid, peer->uid) && is_alive(process))
        peer_unit_parse_outer(text, (size_t)size, facts->outer_unit, sizeof(facts->outer_unit));
    if (process >= 0)
        (void)close(process);
}

int peer_facts_read(int fd, const struct ucred *peer, struct peer_facts *ret_facts)
{
    *ret_facts = (struct peer_facts){0};
    const int r = read_groups(fd, ret_facts);
    if (r == 0)
        read_units(fd, peer, ret_facts);
    return r;
}

void peer_facts_clear(struct peer_facts *facts)
{
    free(facts->groups);
    facts->groups = NULL;
}
