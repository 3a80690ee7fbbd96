/* slow_resolver: preloaded into a daemon, makes every name look-up fail after five seconds while
 * the file named by SLOW_RESOLVER exists, or after as many as are written in it. Stands for a
 * network whose name server does not answer, or says that it cannot. */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*getaddrinfo_function)(const char *, const char *, const struct addrinfo *,
                                    struct addrinfo **);

/* Returns whether look-ups are to fail, and after how many seconds. */
static int is_in_trouble(unsigned *ret_seconds)
{
    const char *name = getenv("SLOW_RESOLVER");
    int fd = name != NULL ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return 0;
    char digits[16] = "";
    ssize_t size = read(fd, digits, sizeof(digits) - 1);
    close(fd);
    *ret_seconds = size > 0 ? (unsigned)strtoul(digits, NULL, 10) : 5;
    return 1;
}

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **res)
{
    unsigned seconds;
    if (is_in_trouble(&seconds)) {
        sleep(seconds);
        return EAI_AGAIN;
    }
    union {
        void *symbol;
        getaddrinfo_function call;
    } real = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
    return real.call != NULL ? real.call(node, service, hints, res) : EAI_FAIL;
}
