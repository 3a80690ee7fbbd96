#include "daemon/shadow/daily.h"

#include <string.h>

void daily_init(struct daily *daily, uint64_t limit, int64_t now_ms)
{
    *daily = (struct daily){.limit = limit, .hour = now_ms / DAILY_HOUR_MS, .last_ms = INT64_MIN};
}

void daily_set_limit(struct daily *daily, uint64_t limit)
{
    daily->limit = limit;
}

static uint32_t *bucket_of(struct daily *daily, int64_t hour)
{
    int64_t place = hour % (int64_t)DAILY_HOURS; /* below 0 before the clock's first day is over */
    return &daily->hours[place < 0 ? place + (int64_t)DAILY_HOURS : place];
}

static void advance(struct daily *daily, int64_t now_ms)
{
    int64_t hour = now_ms / DAILY_HOUR_MS;
    if (hour - daily->hour >= (int64_t)DAILY_HOURS) {
        memset(daily->hours, 0, sizeof(daily->hours));
        daily->used = 0;
        daily->hour = hour;
    }
    while (daily->hour < hour) {
        uint32_t *bucket = bucket_of(daily, ++daily->hour);
        daily->used -= *bucket;
        *bucket = 0;
    }
}

void daily_count(struct daily *daily, int64_t now_ms)
{
    advance(daily, now_ms);
    (*bucket_of(daily, daily->hour))++;
    daily->used++;
    daily->last_ms = now_ms;
}

uint64_t daily_used(struct daily *daily, int64_t now_ms)
{
    advance(daily, now_ms);
    return daily->used;
}

/* When the operations of an hour are a day old. */
static int64_t end_of(int64_t hour)
{
    return (hour + (int64_t)DAILY_HOURS) * DAILY_HOUR_MS;
}

int64_t daily_spacing_ms(struct daily *daily, int64_t now_ms)
{
    advance(daily, now_ms);
    if (daily->limit == 0 || daily->used < (daily->limit + 1) / 2)
        return 0;
    /* Until the end of each hour that still counts, what is left then has to last. */
    uint64_t counting = daily->used;
    int64_t spacing = 0;
    for (int64_t hour = daily->hour - (int64_t)DAILY_HOURS + 1; hour <= daily->hour; hour++) {
        uint32_t here = *bucket_of(daily, hour);
        if (here == 0)
            continue;
        if (counting >= daily->limit)
            return INT64_MAX;
        int64_t rest = (int64_t)(daily->limit - counting);
        int64_t needed = (end_of(hour) - now_ms + rest - 1) / rest;
        spacing = needed > spacing ? needed : spacing;
        counting -= here;
    }
    return spacing;
}

/* When the first of those that count is a day old. */
static int64_t first_end_ms(struct daily *daily)
{
    int64_t hour = daily->hour - (int64_t)DAILY_HOURS + 1;
    while (hour < daily->hour && *bucket_of(daily, hour) == 0)
        hour++;
    return end_of(hour);
}

int64_t daily_next_ms(struct daily *daily, int64_t now_ms)
{
    int64_t spacing = daily_spacing_ms(daily, now_ms);
    if (spacing == 0 || daily->last_ms == INT64_MIN)
        return now_ms;
    int64_t first_end = first_end_ms(daily);
    if (spacing == INT64_MAX || spacing > first_end - daily->last_ms)
        return first_end;
    return daily->last_ms + spacing;
}
