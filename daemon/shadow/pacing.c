#include "daemon/shadow/pacing.h"

#define TIMEOUT_MIN_MS   2000
#define FORBIDDEN_MIN_MS 60000
#define FORBIDDEN_MAX_MS 3600000

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

struct pacing_rate pacing_split_rate(unsigned per_sec)
{
    unsigned capacity = per_sec / 4 > 0 ? per_sec / 4 : 1;
    unsigned steady = per_sec > capacity ? per_sec - capacity : 1;
    return (struct pacing_rate){.capacity = capacity, .interval_us = 1000000 / (int64_t)steady};
}

void pacing_init(struct pacing *pacing, const struct thing_options *options, int64_t now_ms)
{
    *pacing = (struct pacing){.early_ms = INT64_MIN};
    token_bucket_init(&pacing->updates, options->burst, options->interval_ms * 1000, now_ms);
    struct pacing_rate rate = pacing_split_rate(options->requests_per_sec);
    token_bucket_init(&pacing->requests, rate.capacity, rate.interval_us, now_ms);
    backoff_init(&pacing->backoff, options->backoff_min_ms, options->backoff_max_ms);
    backoff_init(&pacing->forbidden, FORBIDDEN_MIN_MS, FORBIDDEN_MAX_MS);
    pacing->interval_ms = options->interval_ms;
    pacing->timeout_max_ms = options->response_timeout_ms;
}

void pacing_set_options(struct pacing *pacing, const struct thing_options *options, int64_t now_ms)
{
    token_bucket_set(&pacing->updates, options->burst, options->interval_ms * 1000, now_ms);
    struct pacing_rate rate = pacing_split_rate(options->requests_per_sec);
    token_bucket_set(&pacing->requests, rate.capacity, rate.interval_us, now_ms);
    backoff_set_bounds(&pacing->backoff, options->backoff_min_ms, options->backoff_max_ms);
    pacing->interval_ms = options->interval_ms;
    pacing->timeout_max_ms = options->response_timeout_ms;
}

static int64_t early_ms(const struct pacing *pacing)
{
    if (!pacing->early_wanted)
        return INT64_MAX;
    if (pacing->early_ms == INT64_MIN)
        return 0;
    return pacing->early_ms + pacing->interval_ms / 4;
}

int64_t pacing_next_update_ms(struct pacing *pacing, int64_t now_ms)
{
    int64_t due = token_bucket_next_ms(&pacing->updates, 1, now_ms);
    int64_t early = early_ms(pacing);
    if (early < due)
        due = later(early, now_ms);
    return later(due, pacing_next_get_ms(pacing, now_ms));
}

int64_t pacing_next_get_ms(struct pacing *pacing, int64_t now_ms)
{
    int64_t due = token_bucket_next_ms(&pacing->requests, 1, now_ms);
    return later(due, pacing->blocked_until_ms);
}

void pacing_charge_update(struct pacing *pacing, int64_t now_ms)
{
    if (!token_bucket_take(&pacing->updates, 1, now_ms))
        pacing->early_ms = now_ms;
    pacing->early_wanted = false;
    (void)token_bucket_take(&pacing->requests, 1, now_ms);
}

void pacing_charge_get(struct pacing *pacing, int64_t now_ms)
{
    (void)token_bucket_take(&pacing->requests, 1, now_ms);
}

int64_t pacing_smooth(int64_t answer_ms, int64_t took_ms)
{
    if (took_ms < 1)
        took_ms = 1;
    /* Rise at once, fall slowly: one slow answer must not make the next wait too short. */
    return took_ms > answer_ms ? took_ms : answer_ms - (answer_ms - took_ms + 3) / 4;
}

void pacing_answered(struct pacing *pacing, int64_t took_ms)
{
    pacing->answer_ms = pacing_smooth(pacing->answer_ms, took_ms);
}

void pacing_expect(struct pacing *pacing, int64_t answer_ms)
{
    if (pacing->answer_ms == 0)
        pacing->answer_ms = answer_ms;
}

void pacing_unanswered(struct pacing *pacing)
{
    pacing_answered(pacing, pacing_timeout_ms(pacing) / 2); /* the next wait is twice as long */
}

int64_t pacing_back_off(struct pacing *pacing, struct random_source *random, int64_t now_ms)
{
    int64_t delay = backoff_next(&pacing->backoff, random);
    pacing->blocked_until_ms = now_ms + delay;
    return delay;
}

int64_t pacing_forbid(struct pacing *pacing, struct random_source *random, int64_t now_ms)
{
    int64_t delay = backoff_next(&pacing->forbidden, random);
    pacing->blocked_until_ms = now_ms + delay;
    return delay;
}

void pacing_relax(struct pacing *pacing)
{
    backoff_reset(&pacing->backoff);
    backoff_reset(&pacing->forbidden);
    pacing->blocked_until_ms = 0;
}

int64_t pacing_timeout_ms(const struct pacing *pacing)
{
    if (pacing->answer_ms == 0)
        return pacing->timeout_max_ms;
    int64_t timeout = later(4 * pacing->answer_ms, TIMEOUT_MIN_MS);
    return timeout < pacing->timeout_max_ms ? timeout : pacing->timeout_max_ms;
}
