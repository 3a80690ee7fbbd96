/* How many shadow operations the last day has seen, and how far apart further ones have to be so
 * that DailyOperations are never exceeded in any 24 hours. Half of them may go as fast as they
 * like; the rest is spread over what is left of the day. Pure. */
#ifndef FLUXAWS_SHADOW_DAILY_H
#define FLUXAWS_SHADOW_DAILY_H

#include <stdbool.h>
#include <stdint.h>

#define DAILY_HOUR_MS INT64_C(3600000)
/* The hour that runs, and as many before it as a day has. */
#define DAILY_HOURS 25u

struct daily {
    uint64_t limit;              /* 0: none */
    uint32_t hours[DAILY_HOURS]; /* by number of the hour */
    int64_t hour;                /* the newest one */
    uint64_t used;               /* sum of all */
    int64_t last_ms;             /* the last operation */
};

void daily_init(struct daily *daily, uint64_t limit, int64_t now_ms);
void daily_set_limit(struct daily *daily, uint64_t limit);

/* An operation goes out now. */
void daily_count(struct daily *daily, int64_t now_ms);

/* Operations of the last 24 hours, those of one more hour perhaps included. */
uint64_t daily_used(struct daily *daily, int64_t now_ms);

/* The time between two operations that the rest allows; 0: any. INT64_MAX: nothing is left. */
int64_t daily_spacing_ms(struct daily *daily, int64_t now_ms);

/* The time at which the next operation may go out; `now_ms` or earlier: now. */
int64_t daily_next_ms(struct daily *daily, int64_t now_ms);

#endif
