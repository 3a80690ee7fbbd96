/* Which packet a broker is working on, since its plugin interface does not say where a SUBSCRIBE
 * begins and ends. It works only if the plugin is also preloaded into the broker (LD_PRELOAD). */
#ifndef FLUX_TESTS_SANDBOX_PACKET_WATCH_H
#define FLUX_TESTS_SANDBOX_PACKET_WATCH_H

#include <stdint.h>

/* A number that stays the same while one packet is handled and is another for the next one.
 * 0: not known. */
uint64_t packet_watch_serial(void);

#endif
