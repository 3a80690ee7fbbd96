#include "daemon/base/backoff.h"

/* Beyond that many doublings every sensible floor has passed every sensible ceiling. */
#define DOUBLINGS_MAX 30u

static void set_bounds(struct backoff *backoff, int64_t min_ms, int64_t max_ms)
{
    backoff->min_ms = min_ms < 1 ? 1 : min_ms;
    backoff->max_ms = max_ms < 0 ? 0 : max_ms;
}

void backoff_init(struct backoff *backoff, int64_t min_ms, int64_t max_ms)
{
    set_bounds(backoff, min_ms, max_ms);
    backoff->attempts = 0;
}

void backoff_set_bounds(struct backoff *backoff, int64_t min_ms, int64_t max_ms)
{
    set_bounds(backoff, min_ms, max_ms);
}

static int64_t spread_ms(const struct backoff *backoff)
{
    int64_t spread = backoff->min_ms;
    for (unsigned i = 0; i < backoff->attempts; i++) {
        if (spread >= backoff->max_ms || spread > INT64_MAX / 4)
            break;
        spread *= 2;
    }
    return spread < backoff->max_ms ? spread : backoff->max_ms;
}

int64_t backoff_next(struct backoff *backoff, struct random_source *random)
{
    int64_t spread = spread_ms(backoff);
    if (backoff->attempts < DOUBLINGS_MAX)
        backoff->attempts++;
    int64_t extra = random_up_to(random, spread);
    return backoff->min_ms > INT64_MAX - extra ? INT64_MAX : backoff->min_ms + extra;
}

void backoff_reset(struct backoff *backoff)
{
    backoff->attempts = 0;
}
