#include "daemon/mqtt/endpoint_way.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    struct sockaddr_storage room;
};

/* Tell whether it is this device's own, or no further than its wire. */
static bool is_local(const union address *to, const union address *from)
{
    if (to->any.sa_family == AF_INET) {
        const uint32_t address = ntohl(to->v4.sin_addr.s_addr);
        return address >> 24 == 127 || address >> 16 == 0xa9fe ||
               to->v4.sin_addr.s_addr == from->v4.sin_addr.s_addr;
    }
    const struct in6_addr *address = &to->v6.sin6_addr;
    return IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_LINKLOCAL(address) ||
           memcmp(address, &from->v6.sin6_addr, sizeof(*address)) == 0;
}

/* What connect() says where there is no way. */
static bool is_no_route(int error)
{
    return error == ENETUNREACH || error == EHOSTUNREACH || error == ENETDOWN ||
           error == EADDRNOTAVAIL || error == EAFNOSUPPORT || error == EACCES || error == EINVAL;
}

/* Where a socket of this type would be connected to. */
static enum endpoint_way try_way(const struct addrinfo *address, int type)
{
    const int fd = socket(address->ai_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno == EAFNOSUPPORT ? ENDPOINT_NO_ROUTE : ENDPOINT_UNKNOWN;
    union address to = {0}, from = {0};
    memcpy(&to, address->ai_addr, address->ai_addrlen);
    enum endpoint_way way = ENDPOINT_ROUTED;
    socklen_t size = sizeof(from);
    if (connect(fd, &to.any, address->ai_addrlen) < 0 && errno != EINPROGRESS)
        way = is_no_route(errno) ? ENDPOINT_NO_ROUTE : ENDPOINT_UNKNOWN;
    else if (getsockname(fd, &from.any, &size) == 0 && is_local(&to, &from))
        way = ENDPOINT_LOCAL;
    (void)close(fd);
    return way;
}

/* A datagram socket is connected by choosing a route; nothing is sent. Rules may know a route for
 * TCP alone: that there is none, TCP has to say. */
static enum endpoint_way way_to(const struct addrinfo *address)
{
    if (address->ai_addrlen > sizeof(union address) ||
        (address->ai_family != AF_INET && address->ai_family != AF_INET6))
        return ENDPOINT_UNKNOWN;
    const enum endpoint_way way = try_way(address, SOCK_DGRAM);
    return way == ENDPOINT_NO_ROUTE ? try_way(address, SOCK_STREAM) : way;
}

enum endpoint_way endpoint_way_to(const struct addrinfo *addresses)
{
    enum endpoint_way best = ENDPOINT_UNKNOWN;
    bool has_doubt = false;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        const enum endpoint_way way = way_to(a);
        has_doubt |= way == ENDPOINT_UNKNOWN;
        best = way > best ? way : best;
    }
    return best == ENDPOINT_NO_ROUTE && has_doubt ? ENDPOINT_UNKNOWN : best;
}

enum endpoint_way endpoint_way_find(const char *host, uint16_t port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[8];
    (void)snprintf(service, sizeof(service), "%u", (unsigned)port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        return ENDPOINT_UNKNOWN;
    const enum endpoint_way way = endpoint_way_to(addresses);
    freeaddrinfo(addresses);
    return way;
}
