/* What is due when in which place: measured anew only after something happened to a shadow. */
#include "daemon/shadow/thing_private.h"

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void count_flight(struct thing *thing, const struct shadow *shadow,
                         enum shadow_request flying)
{
    struct thing_turn *turn = &thing->turns[shadow->place];
    if (turn->flying == flying)
        return;
    shadow->group->in_flight += (flying != SHADOW_REQUEST_NONE);
    shadow->group->in_flight -= (turn->flying != SHADOW_REQUEST_NONE);
    thing->gets_in_flight += (flying == SHADOW_REQUEST_GET);
    thing->gets_in_flight -= (turn->flying == SHADOW_REQUEST_GET);
    turn->flying = flying;
}

/* A prepared update has its place among those in flight: once on the disk it is not to get old. */
static void count_prepared(struct thing *thing, const struct shadow *shadow, bool is_prepared)
{
    struct thing_turn *turn = &thing->turns[shadow->place];
    shadow->group->prepared += is_prepared && !turn->is_prepared;
    shadow->group->prepared -= !is_prepared && turn->is_prepared;
    turn->is_prepared = is_prepared;
}

/* Keep the first of all times right, or note that it has to be looked for again. */
static void note_change(struct thing *thing, const struct thing_turn *before,
                        const struct thing_turn *after)
{
    struct thing_first *first = &thing->first;
    bool was_first = before->tick_ms == first->tick_ms || before->request_ms == first->request_ms;
    bool is_later = after->tick_ms > before->tick_ms || after->request_ms > before->request_ms;
    thing->is_first_stale = thing->is_first_stale || (was_first && is_later);
    first->tick_ms = earlier(first->tick_ms, after->tick_ms);
    first->request_ms = earlier(first->request_ms, after->request_ms);
}

struct thing_first thing_first_ms(struct thing *thing)
{
    if (!thing->is_first_stale)
        return thing->first;
    struct thing_first first = {.tick_ms = INT64_MAX, .request_ms = INT64_MAX};
    for (size_t i = 0; i < thing->places; i++) { /* free places have none */
        first.tick_ms = earlier(first.tick_ms, thing->turns[i].tick_ms);
        first.request_ms = earlier(first.request_ms, thing->turns[i].request_ms);
    }
    thing->first = first;
    thing->is_first_stale = false;
    return first;
}

void thing_measure(struct thing *thing, struct shadow *shadow, int64_t now_ms)
{
    struct thing_turn *turn = &thing->turns[shadow->place];
    const struct thing_turn before = *turn;
    bool was_got = turn->flying == SHADOW_REQUEST_GET && shadow->request == SHADOW_REQUEST_NONE;
    count_flight(thing, shadow, shadow->request);
    count_prepared(thing, shadow, shadow->prepared.is_there);
    turn->tick_ms = shadow_tick_ms(shadow);
    turn->request_ms = shadow_request_ms(shadow, now_ms, &turn->wants_get);
    int64_t flies_ms = shadow_flies_until_ms(shadow); /* then it may make way */
    if (flies_ms > now_ms)
        turn->tick_ms = earlier(turn->tick_ms, flies_ms);
    bool is_update =
        !turn->wants_get && shadow->link == SHADOW_ONLINE && shadow->request == SHADOW_REQUEST_NONE;
    turn->is_owed = is_update && (was_got || turn->is_owed);
    int64_t blocked_ms = shadow_blocked_ms(shadow); /* who has work then wants to be heard again */
    if (shadow->link == SHADOW_UNHEARD && blocked_ms > now_ms)
        turn->tick_ms = earlier(turn->tick_ms, blocked_ms);
    note_change(thing, &before, turn);
}

void thing_forget_turn(struct thing *thing, const struct shadow *shadow)
{
    count_flight(thing, shadow, SHADOW_REQUEST_NONE);
    count_prepared(thing, shadow, false);
    thing->turns[shadow->place] =
        (struct thing_turn){.tick_ms = INT64_MAX, .request_ms = INT64_MAX};
    thing->is_first_stale = true;
}

/* Let every shadow that is due, or was changed from outside, do what it has to. */
void thing_tick(struct thing *thing, int64_t now_ms)
{
    thing->now_ms = now_ms;
    thing_end_writers(thing, now_ms);
    bool is_due = thing_first_ms(thing).tick_ms <= now_ms;
    for (size_t i = 0; is_due && i < thing->places; i++) {
        if (thing->shadows[i] && thing->turns[i].tick_ms <= now_ms)
            shadow_touch(thing->shadows[i]);
    }
    struct shadow *shadow = thing->connection.touched_first;
    thing->connection.touched_first = NULL;
    while (shadow) {
        struct shadow *next = shadow->touched_next;
        (void)thing_tell_heard(shadow, now_ms); /* a new one, on a channel that is there */
        shadow_tick(shadow, now_ms);
        thing_measure(thing, shadow, now_ms);
        thing_tell_channels(thing, shadow, now_ms);
        shadow->is_touched = false;
        shadow = next;
    }
}
