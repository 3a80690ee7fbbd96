/* One deadline per property, in a heap: the first is there at once, changing one costs the
 * logarithm of their number, and nothing else is looked at. Does not know what a deadline is for,
 * nor the time. */
#ifndef FLUXAWS_SHADOW_TIMERS_H
#define FLUXAWS_SHADOW_TIMERS_H

#include <stddef.h>
#include <stdint.h>

struct flux_property;

struct timer {
    int64_t at_ms;
    struct flux_property *property; /* its slot knows the place */
};

struct timers {
    struct timer *heap; /* owned; the first is due first */
    size_t count, capacity;
};

void timers_clear(struct timers *timers);

/* Have the property's deadline at `at_ms`, unless it has an earlier one. Who sets it removes it
 * before the property goes. Returns 0 or -ENOMEM. */
int timers_set(struct timers *timers, struct flux_property *property, int64_t at_ms);

/* Forget the property's deadline, if it has one. */
void timers_remove(struct timers *timers, struct flux_property *property);

/* The first deadline, INT64_MAX: none. */
int64_t timers_first_ms(const struct timers *timers);

/* Take a property whose deadline has come; it has none any more. NULL: there is none. */
struct flux_property *timers_next(struct timers *timers, int64_t now_ms);

#endif
