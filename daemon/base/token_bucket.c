#include "daemon/base/token_bucket.h"

static void refill(struct token_bucket *bucket, int64_t now_us)
{
    int64_t passed_us = now_us - bucket->filled_us;
    if (passed_us < 0)
        return;
    if (bucket->tokens >= bucket->capacity || bucket->interval_us <= 0) {
        /* A full bucket gathers nothing towards the next token. */
        bucket->tokens = bucket->capacity;
        bucket->filled_us = now_us;
        return;
    }
    int64_t fresh = passed_us / bucket->interval_us;
    if (fresh >= (int64_t)(bucket->capacity - bucket->tokens)) {
        bucket->tokens = bucket->capacity;
        bucket->filled_us = now_us;
        return;
    }
    bucket->tokens += (uint32_t)fresh;
    bucket->filled_us += fresh * bucket->interval_us;
}

void token_bucket_init(struct token_bucket *bucket, uint32_t capacity, int64_t interval_us,
                       int64_t now_ms)
{
    *bucket = (struct token_bucket){
        .capacity = capacity ? capacity : 1,
        .tokens = capacity ? capacity : 1,
        .interval_us = interval_us,
        .filled_us = now_ms * 1000,
    };
}

void token_bucket_set(struct token_bucket *bucket, uint32_t capacity, int64_t interval_us,
                      int64_t now_ms)
{
    refill(bucket, now_ms * 1000);
    bucket->capacity = capacity ? capacity : 1;
    if (bucket->tokens > bucket->capacity)
        bucket->tokens = bucket->capacity;
    bucket->interval_us = interval_us;
}

uint32_t token_bucket_count(struct token_bucket *bucket, int64_t now_ms)
{
    refill(bucket, now_ms * 1000);
    return bucket->tokens;
}

bool token_bucket_take(struct token_bucket *bucket, uint32_t count, int64_t now_ms)
{
    refill(bucket, now_ms * 1000);
    if (bucket->interval_us <= 0)
        return true;
    if (bucket->tokens < count)
        return false;
    bucket->tokens -= count;
    return true;
}

int64_t token_bucket_next_ms(struct token_bucket *bucket, uint32_t count, int64_t now_ms)
{
    refill(bucket, now_ms * 1000);
    if (count > bucket->capacity)
        count = bucket->capacity;
    if (bucket->interval_us <= 0 || bucket->tokens >= count)
        return now_ms;
    int64_t lacking = (int64_t)(count - bucket->tokens);
    int64_t due_us = bucket->filled_us + lacking * bucket->interval_us;
    /* Rounded up: at the time returned the token is there. */
    return (due_us + 999) / 1000;
}
