/* A token bucket: up to `capacity` tokens, one more every `interval_us`. Pure: time is an argument
 * and may stand still, but what runs backwards counts as standing still. */
#ifndef FLUXAWS_BASE_TOKEN_BUCKET_H
#define FLUXAWS_BASE_TOKEN_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct token_bucket {
    uint32_t capacity;
    uint32_t tokens;
    int64_t interval_us;
    int64_t filled_us; /* when the newest token was added, on the grid of intervals */
};

/* Begin full. `capacity` 0 counts as 1; an interval of 0 or less never runs dry. The interval is in
 * microseconds so that rates (80 a second) fit as well as intervals of milliseconds. */
void token_bucket_init(struct token_bucket *bucket, uint32_t capacity, int64_t interval_us,
                       int64_t now_ms);

/* Change capacity and interval; tokens beyond the new capacity are lost. */
void token_bucket_set(struct token_bucket *bucket, uint32_t capacity, int64_t interval_us,
                      int64_t now_ms);

/* Take `count` tokens, all or none. Returns whether they were taken. */
bool token_bucket_take(struct token_bucket *bucket, uint32_t count, int64_t now_ms);

/* Tell how many tokens there are now. */
uint32_t token_bucket_count(struct token_bucket *bucket, int64_t now_ms);

/* The time at which `count` tokens (at most the capacity) will be there: `now_ms` if they are
 * there already. */
int64_t token_bucket_next_ms(struct token_bucket *bucket, uint32_t count, int64_t now_ms);

#endif
