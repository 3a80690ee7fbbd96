#include "daemon/mqtt/clock_doubt.h"

static void compare_again(struct clock_doubt *doubt, int64_t wall_sec, int64_t now_ms)
{
    doubt->ahead_sec = wall_sec - now_ms / 1000;
    doubt->next_look_ms = now_ms + CLOCK_DOUBT_LOOK_MS;
}

void clock_doubt_begin(struct clock_doubt *doubt, int64_t wall_sec, int64_t now_ms)
{
    doubt->is_open = false;
    compare_again(doubt, wall_sec, now_ms);
}

void clock_doubt_judge(struct clock_doubt *doubt, bool clock_may_be_why)
{
    doubt->is_open = clock_may_be_why;
}

int64_t clock_doubt_deadline(const struct clock_doubt *doubt)
{
    return doubt->is_open ? doubt->next_look_ms : INT64_MAX;
}

bool clock_doubt_look(struct clock_doubt *doubt, int64_t wall_sec, int64_t now_ms)
{
    if (now_ms < clock_doubt_deadline(doubt))
        return false;
    const int64_t before_sec = doubt->ahead_sec;
    compare_again(doubt, wall_sec, now_ms);
    const int64_t step_sec = doubt->ahead_sec - before_sec;
    return step_sec > CLOCK_DOUBT_STEP_SEC || step_sec < -CLOCK_DOUBT_STEP_SEC;
}
