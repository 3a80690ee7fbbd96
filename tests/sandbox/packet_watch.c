#include "tests/sandbox/packet_watch.h"

#include <dlfcn.h>
#include <stddef.h>

#define PLUGIN_EXPORT __attribute__((visibility("default")))

/* The broker has one thread. It reads each packet with calls of its own, and reads nothing while it
 * handles one, so that the number of reads names the packet. */
static uint64_t reads;

/* OpenSSL's SSL_read, seen by the broker in its place. */
PLUGIN_EXPORT int SSL_read(void *ssl, void *buffer, int size);

PLUGIN_EXPORT int SSL_read(void *ssl, void *buffer, int size)
{
    static int (*real)(void *ssl, void *buffer, int size);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "SSL_read");
    reads++;
    return real ? real(ssl, buffer, size) : -1;
}

uint64_t packet_watch_serial(void)
{
    return reads;
}
