#include "daemon/mqtt/paho_resolver.h"

#include "daemon/mqtt/endpoint_way.h"
#include "daemon/mqtt/paho_tunnel.h"
#include <dlfcn.h>
#include <netdb.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

typedef int resolve(const char *host, const char *service, const struct addrinfo *hints,
                    struct addrinfo **ret_addresses);

static atomic_bool is_kept;

void paho_resolver_keep(void)
{
    atomic_store(&is_kept, true);
}

/* The best way to an address of this family. */
static enum endpoint_way way_of(const struct addrinfo *addresses, int family)
{
    enum endpoint_way best = ENDPOINT_UNKNOWN;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next) {
        if (a->ai_family != family)
            continue;
        struct addrinfo alone = *a;
        alone.ai_next = NULL;
        const enum endpoint_way way = endpoint_way_to(&alone);
        best = way > best ? way : best;
    }
    return best;
}

struct addrinfo *paho_resolver_prune(struct addrinfo *addresses)
{
    if (way_of(addresses, AF_INET) != ENDPOINT_NO_ROUTE ||
        way_of(addresses, AF_INET6) < ENDPOINT_ROUTED)
        return addresses;
    struct addrinfo **link = &addresses;
    while (*link) {
        struct addrinfo *address = *link;
        if (address->ai_family != AF_INET) {
            link = &address->ai_next;
            continue;
        }
        *link = address->ai_next;
        address->ai_next = NULL;
        freeaddrinfo(address);
    }
    return addresses;
}

/* In place of the C library's function of this name: what a program exports comes first. Weak, so
 * that a test may have its own. */
__attribute__((visibility("default"), weak)) int getaddrinfo(const char *host, const char *service,
                                                             const struct addrinfo *hints,
                                                             struct addrinfo **ret_addresses)
{
    /* ISO C has no cast from an object to a function. */
    union {
        void *symbol;
        resolve *call;
    } next = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
    if (!next.symbol)
        return EAI_FAIL;
    const char *stand_in = paho_tunnel_stand_in(host);
    if (stand_in)
        return next.call(stand_in, service, hints, ret_addresses);
    const int rc = next.call(host, service, hints, ret_addresses);
    if (rc == 0 && atomic_load(&is_kept))
        *ret_addresses = paho_resolver_prune(*ret_addresses);
    return rc;
}
