/* The clocks of the daemon, read in the shell and passed into the core as numbers. Sets no timers.
 */
#ifndef FLUXAWS_BASE_CLOCK_H
#define FLUXAWS_BASE_CLOCK_H

#include <stdint.h>

/* CLOCK_BOOTTIME: runs on through suspend, never jumps, and is the same for every program of the
 * device. */
int64_t clock_now_ms(void);
int64_t clock_now_us(void);

/* Seconds since 1970 as the device believes; may be wrong by decades until the time is set. */
int64_t clock_wall_sec(void);

#endif
