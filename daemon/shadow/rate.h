/* Counts events a minute: exactly in the minute under way, from the one before for its first part.
 * Costs a comparison an event; knows no clock. */
#ifndef FLUXAWS_SHADOW_RATE_H
#define FLUXAWS_SHADOW_RATE_H

#include <stdint.h>

#define RATE_MINUTE_MS 60000

struct rate {
    int64_t begin_ms; /* of the minute under way */
    uint32_t count, before;
};

static inline void rate_note(struct rate *rate, int64_t now_ms)
{
    int64_t passed_ms = now_ms - rate->begin_ms;
    if (passed_ms >= RATE_MINUTE_MS) {
        rate->before = passed_ms < INT64_C(2) * RATE_MINUTE_MS ? rate->count : 0;
        rate->count = 0;
        rate->begin_ms =
            passed_ms < INT64_C(2) * RATE_MINUTE_MS ? rate->begin_ms + RATE_MINUTE_MS : now_ms;
    }
    if (rate->count < UINT32_MAX)
        rate->count++;
}

/* Estimate the events of the last minute. */
static inline uint32_t rate_per_minute(const struct rate *rate, int64_t now_ms)
{
    int64_t passed_ms = now_ms - rate->begin_ms;
    if (passed_ms >= INT64_C(2) * RATE_MINUTE_MS)
        return 0;
    if (passed_ms >= RATE_MINUTE_MS)
        return (uint32_t)((uint64_t)rate->count * (uint64_t)(2 * RATE_MINUTE_MS - passed_ms) /
                          RATE_MINUTE_MS);
    uint64_t rest_ms = passed_ms < 0 ? 0 : (uint64_t)(RATE_MINUTE_MS - passed_ms);
    return rate->count + (uint32_t)((uint64_t)rate->before * rest_ms / RATE_MINUTE_MS);
}

#endif
