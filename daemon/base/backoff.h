/* The waiting time between attempts: exponential with full jitter above a floor. Pure: time and
 * randomness are arguments; keeps no timer. */
#ifndef FLUXAWS_BASE_BACKOFF_H
#define FLUXAWS_BASE_BACKOFF_H

#include "daemon/base/random.h"
#include <stdint.h>

struct backoff {
    int64_t min_ms, max_ms;
    unsigned attempts; /* since the last backoff_reset() */
};

/* Begin with no attempts. `min_ms` below 1 counts as 1, `max_ms` below 0 as 0. */
void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms);

/* Change the bounds and keep the count. */
void backoff_set_bounds(struct backoff *backoff, int64_t min_ms, int64_t max_ms);

/* Returns the next delay, min_ms + random(0, min(max_ms, min_ms * 2^attempts)), and counts the
 * attempt. */
int64_t backoff_next(struct backoff *backoff, struct random_source *random);

/* What was attempted has held: begin again at the shortest delay. */
void backoff_reset(struct backoff *backoff);

#endif
