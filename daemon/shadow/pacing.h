/* When a shadow may send: its bucket of updates, the service's request rate, backing off, and how
 * long an answer is waited for. Knows times, not contents. */
#ifndef FLUXAWS_SHADOW_PACING_H
#define FLUXAWS_SHADOW_PACING_H

#include "daemon/base/backoff.h"
#include "daemon/base/token_bucket.h"
#include "daemon/shadow/thing.h"

struct pacing {
    struct token_bucket updates;  /* Burst, one more per IntervalMs */
    struct token_bucket requests; /* RequestsPerSec: updates and gets */
    struct backoff backoff;       /* after 429, 500, 503, silence */
    struct backoff forbidden;     /* after 401, 403 */
    int64_t blocked_until_ms;
    int64_t early_ms;    /* when the last early update went out, INT64_MIN: never */
    int64_t interval_ms; /* IntervalMs */
    int64_t timeout_max_ms,
        answer_ms; /* ResponseTimeoutMs; smoothed answer time, 0: not measured */
    bool early_wanted;
};

/* A bucket that never lets more than a rate's number through in any second: a quarter of it at
 * once, the rest evenly. */
struct pacing_rate {
    unsigned capacity;
    int64_t interval_us;
};
struct pacing_rate pacing_split_rate(unsigned per_sec);

void pacing_init(struct pacing *pacing, const struct thing_options *options, int64_t now_ms);
void pacing_set_options(struct pacing *pacing, const struct thing_options *options, int64_t now_ms);

/* The earliest time at which an update, or a get, may go out. */
int64_t pacing_next_update_ms(struct pacing *pacing, int64_t now_ms);
int64_t pacing_next_get_ms(struct pacing *pacing, int64_t now_ms);

/* Charge an update or a get that goes out now. */
void pacing_charge_update(struct pacing *pacing, int64_t now_ms);
void pacing_charge_get(struct pacing *pacing, int64_t now_ms);

/* An answer came after `took_ms`. */
void pacing_answered(struct pacing *pacing, int64_t took_ms);
/* Answers of others on the connection take `answer_ms` (0: not known): what there is to go by until
 * one of our own has come. */
void pacing_expect(struct pacing *pacing, int64_t answer_ms);
/* Bring one more answer into a smoothed time. */
int64_t pacing_smooth(int64_t answer_ms, int64_t took_ms);

/* No answer came in time: the next one is waited for twice as long. */
void pacing_unanswered(struct pacing *pacing);

/* The service said no for reasons of its own: nothing goes out for a while. Returns the delay. */
int64_t pacing_back_off(struct pacing *pacing, struct random_source *random, int64_t now_ms);
int64_t pacing_forbid(struct pacing *pacing, struct random_source *random, int64_t now_ms);
/* The service accepts again. */
void pacing_relax(struct pacing *pacing);

/* How long to wait for an answer: 4 times the measured time, at least 2 s, at most
 * ResponseTimeoutMs. */
int64_t pacing_timeout_ms(const struct pacing *pacing);

#endif
