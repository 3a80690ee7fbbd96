/* The one timer of the loop: wakes it at a time of clock_now_ms().
 * Not libevent's: its timers take a struct timeval, and a library built for times of 32 bits, as
 * Debian 12 has it on 32-bit ARM, reads another one than a program for times of 64 bits writes. */
#ifndef FLUXAWS_DAEMON_TIMER_H
#define FLUXAWS_DAEMON_TIMER_H

#include <stdint.h>

struct event;
struct event_base;

struct daemon_timer {
    int fd;
    int64_t deadline_ms; /* what it is set to; INT64_MAX: it is not */
    struct event *event;
};

/* A timer that daemon_timer_clear() may be called for. */
#define DAEMON_TIMER_NONE ((struct daemon_timer){.fd = -1, .deadline_ms = INT64_MAX})

/* Begin with it, set to no time. The base is borrowed until daemon_timer_clear(). Returns 0 or a
 * negative errno; then it is as DAEMON_TIMER_NONE. */
int daemon_timer_init(struct daemon_timer *timer, struct event_base *base);

/* Have it wake the loop once at `deadline_ms`, at once if that is over; INT64_MAX: never. It
 * replaces what was set before. Returns 0 or a negative errno. */
int daemon_timer_set(struct daemon_timer *timer, int64_t deadline_ms, int64_t now_ms);

void daemon_timer_clear(struct daemon_timer *timer);

#endif
