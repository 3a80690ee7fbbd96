/* slow_resolver: preloaded into a daemon, makes every name look-up take five seconds while the file
 * named by SLOW_RESOLVER exists. Stands for a network whose name server does not answer. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*getaddrinfo_function)(const char *, const char *, const struct addrinfo *,
                                    struct addrinfo **);

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **res)
{
    const char *file = getenv("SLOW_RESOLVER");
    if (file != NULL && access(file, F_OK) == 0) {
        sleep(5);
        return EAI_AGAIN;
    }
    union {
        void *symbol;
        getaddrinfo_function call;
    } real = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
    return real.call != NULL ? real.call(node, service, hints, res) : EAI_FAIL;
}
