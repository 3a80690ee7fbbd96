#include "daemon/mqtt/paho_tunnel.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef int connect_call(int fd, const struct sockaddr *address, socklen_t size);
typedef int resolve_call(const char *host, const char *service, const struct addrinfo *hints,
                         struct addrinfo **ret_addresses);

/* Of RFC 5737: documents have it, networks do not. Nothing is sent there. */
#define STAND_IN "192.0.2.1"

/* A host that is asked for to see whether the question comes to us. */
static const char probe_host[] = "fluxaws.invalid";

/* Nobody hands a context to connect(), so what is offered lies here. */
static struct {
    pthread_mutex_t lock;
    bool is_kept, is_offered;
    pthread_t giver;
    int fd; /* -1: taken */
    uint16_t port;
    char host[256];
} offer = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1};

static atomic_bool was_asked; /* to connect, by can_be_reached() */

static bool is_probe(const char *host)
{
    return strcmp(host, probe_host) == 0;
}

const char *paho_tunnel_stand_in(const char *host)
{
    if (!host)
        return NULL;
    (void)pthread_mutex_lock(&offer.lock);
    const bool is_meant = offer.is_offered && !pthread_equal(offer.giver, pthread_self()) &&
                          strcmp(host, offer.host) == 0;
    const bool is_kept = offer.is_kept;
    (void)pthread_mutex_unlock(&offer.lock);
    return is_meant || (is_kept && is_probe(host)) ? STAND_IN : NULL;
}

static bool is_stand_in(const struct sockaddr *address, socklen_t size)
{
    struct sockaddr_in v4;
    if (!address || size < (socklen_t)sizeof(v4) || address->sa_family != AF_INET)
        return false;
    memcpy(&v4, address, sizeof(v4));
    return v4.sin_addr.s_addr == inet_addr(STAND_IN) && ntohs(v4.sin_port) == offer.port;
}

/* Put what is offered in place of the caller's own socket. Returns 0, or an errno; -1: it is not
 * meant. */
static int take_offer(int fd, const struct sockaddr *address, socklen_t size)
{
    if (!offer.is_offered || pthread_equal(offer.giver, pthread_self()) ||
        !is_stand_in(address, size))
        return -1;
    if (offer.fd < 0)
        return ECONNREFUSED;
    const int error = dup3(offer.fd, fd, O_CLOEXEC) < 0 ? errno : 0;
    (void)close(offer.fd);
    offer.fd = -1;
    return error;
}

/* In place of the C library's function of this name: what a program exports comes first. Weak, so
 * that a test may have its own. */
__attribute__((visibility("default"), weak)) int connect(int fd, const struct sockaddr *address,
                                                         socklen_t size)
{
    if (fd < 0)
        atomic_store(&was_asked, true);
    (void)pthread_mutex_lock(&offer.lock);
    const int error = take_offer(fd, address, size);
    (void)pthread_mutex_unlock(&offer.lock);
    if (error >= 0) {
        /* As a connection that is still being made, which is what Paho is used to. */
        errno = error == 0 ? EINPROGRESS : error;
        return -1;
    }
    /* ISO C has no cast from an object to a function. */
    union {
        void *symbol;
        connect_call *call;
    } next = {.symbol = dlsym(RTLD_NEXT, "connect")};
    if (!next.symbol) {
        errno = ENOSYS;
        return -1;
    }
    return next.call(fd, address, size);
}

void paho_tunnel_keep(void)
{
    (void)pthread_mutex_lock(&offer.lock);
    offer.is_kept = true;
    (void)pthread_mutex_unlock(&offer.lock);
}

/* Tell whether a library that calls these two comes here: else it would dial the endpoint itself,
 * past the proxy. */
static bool can_be_reached(void)
{
    union {
        void *symbol;
        connect_call *call;
    } connecting = {.symbol = dlsym(RTLD_DEFAULT, "connect")};
    union {
        void *symbol;
        resolve_call *call;
    } resolving = {.symbol = dlsym(RTLD_DEFAULT, "getaddrinfo")};
    if (!connecting.symbol || !resolving.symbol)
        return false;
    atomic_store(&was_asked, false);
    (void)connecting.call(-1, NULL, 0);
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST};
    struct addrinfo *addresses = NULL;
    if (resolving.call(probe_host, NULL, &hints, &addresses) != 0)
        return false;
    freeaddrinfo(addresses);
    return atomic_load(&was_asked);
}

int paho_tunnel_offer(const char *host, uint16_t port, int fd)
{
    paho_tunnel_withdraw();
    const int r = strlen(host) >= sizeof(offer.host) ? -ENAMETOOLONG
                  : !can_be_reached()                ? -ENOSYS
                                                     : 0;
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    (void)pthread_mutex_lock(&offer.lock);
    (void)snprintf(offer.host, sizeof(offer.host), "%s", host);
    offer.port = port;
    offer.fd = fd;
    offer.giver = pthread_self();
    offer.is_offered = true;
    (void)pthread_mutex_unlock(&offer.lock);
    return 0;
}

void paho_tunnel_withdraw(void)
{
    (void)pthread_mutex_lock(&offer.lock);
    if (offer.fd >= 0)
        (void)close(offer.fd);
    offer.fd = -1;
    offer.is_offered = false;
    (void)pthread_mutex_unlock(&offer.lock);
}
