#include "daemon/shadow/thing_private.h"
#include <stdio.h>
#include <string.h>

/* DailyOperations count as holding back until nothing was held for so long. */
#define SPREAD_MS INT64_C(60000)
#define DAY_MS    (24 * DAILY_HOUR_MS)

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- the books of the turns --- */

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

void thing_measure(struct thing *thing, struct shadow *shadow, int64_t now_ms)
{
    struct thing_turn *turn = &thing->turns[shadow->place];
    bool was_got = turn->flying == SHADOW_REQUEST_GET && shadow->request == SHADOW_REQUEST_NONE;
    count_flight(thing, shadow, shadow->request);
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
}

void thing_forget_turn(struct thing *thing, const struct shadow *shadow)
{
    count_flight(thing, shadow, SHADOW_REQUEST_NONE);
    thing->turns[shadow->place] =
        (struct thing_turn){.tick_ms = INT64_MAX, .request_ms = INT64_MAX};
}

/* Let every shadow that is due, or was changed from outside, do what it has to. */
void thing_tick(struct thing *thing, int64_t now_ms)
{
    thing->now_ms = now_ms;
    thing_end_writers(thing, now_ms);
    for (size_t i = 0; i < thing->places; i++) {
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

/* --- budgets --- */

int64_t thing_messages_ms(struct thing *thing, unsigned count, int64_t now_ms)
{
    return token_bucket_next_ms(&thing->messages, count, now_ms);
}

/* Something is due, and DailyOperations do not let it go: say so once a day. */
static void note_held(struct thing *thing, int64_t now_ms)
{
    thing->held_ms = now_ms;
    if (thing->budget_told_ms != INT64_MIN && now_ms - thing->budget_told_ms < DAY_MS)
        return;
    thing->budget_told_ms = now_ms;
    char text[160];
    int64_t spacing_ms = daily_next_ms(&thing->daily, now_ms) - thing->daily.last_ms;
    (void)snprintf(text, sizeof(text),
                   "%llu of DailyOperations=%llu are used within a day; the rest is spread, the "
                   "newest state is sent all the same",
                   (unsigned long long)daily_used(&thing->daily, now_ms),
                   (unsigned long long)thing->daily.limit);
    notices_add(&thing->connection.notices, THING_NOTICE_BUDGET, "", "", NULL, 0, spacing_ms, text);
}

bool thing_is_spread(const struct thing *thing, int64_t now_ms)
{
    return thing->held_ms != INT64_MIN && now_ms - thing->held_ms <= SPREAD_MS;
}

/* Tell whether answers have to come before this place may send. */
static bool has_too_many_in_flight(const struct thing *thing, size_t place)
{
    const struct shadow *shadow = thing->shadows[place];
    return shadow->group->in_flight >= THING_IN_FLIGHT_MAX ||
           (thing->turns[place].wants_get && thing->gets_in_flight >= THING_GETS_MAX);
}

static const struct suspicion *suspicion_of(const struct thing *thing, size_t place)
{
    enum shadow_request kind =
        thing->turns[place].wants_get ? SHADOW_REQUEST_GET : SHADOW_REQUEST_UPDATE;
    return &thing->shadows[place]->suspicions[kind];
}

/* --- requests --- */

static int take_request(struct thing *thing, struct shadow *shadow, int64_t now_ms,
                        struct thing_request *ret_request)
{
    struct thing_request request = {0};
    int r = shadow_next_request(shadow, now_ms, &request);
    thing_measure(thing, shadow, now_ms);
    if (r <= 0)
        return r;
    request.id = thing_make_id(thing, shadow->place);
    shadow->request_id = request.id;
    shadow->sent_kind = shadow->request;
    suspicion_sent(&shadow->suspicions[shadow->request], now_ms);
    thing_count(thing, shadow->sent_cause, strlen(request.topic) + request.payload_size);
    bool is_get = shadow->request == SHADOW_REQUEST_GET;
    (void)token_bucket_take(&thing->messages, is_get ? GET_MESSAGES : UPDATE_MESSAGES, now_ms);
    daily_count(&thing->daily, now_ms);
    subscriptions_note_use(&shadow->listener, now_ms);
    thing_tell_channels(thing, shadow, now_ms);
    *ret_request = request;
    return 1;
}

/* Ask the shadow in this place for a request, if it is its time. */
static int try_place(struct thing *thing, size_t place, int64_t now_ms,
                     struct thing_request *ret_request)
{
    struct shadow *shadow = thing->shadows[place];
    for (int i = 0; i < 2; i++) { /* nothing to update: then a get */
        if (thing->turns[place].request_ms > now_ms || has_too_many_in_flight(thing, place))
            return 0;
        int r = take_request(thing, shadow, now_ms, ret_request);
        if (r != 0)
            return r;
    }
    return 0;
}

static bool is_ready(const struct thing *thing, size_t place, int64_t now_ms)
{
    return thing->shadows[place] && thing->turns[place].request_ms <= now_ms &&
           !has_too_many_in_flight(thing, place);
}

/* The place whose turn it is: first whoever was got for an update, or a link that is cut time and
 * again sees many gets and no update; then one after the other. */
static bool find_turn(const struct thing *thing, bool owed, int64_t now_ms, size_t *from,
                      size_t *ret_place)
{
    while (*from < thing->places) {
        size_t place = (thing->turn + (*from)++) % thing->places;
        if (thing->turns[place].is_owed == owed && is_ready(thing, place, now_ms)) {
            *ret_place = place;
            return true;
        }
    }
    return false;
}

static int next_shadow_request(struct thing *thing, int64_t now_ms,
                               struct thing_request *ret_request)
{
    struct thing_air air = thing_look_at_air(thing, now_ms);
    for (int owed = 1; owed >= 0; owed--) {
        size_t from = 0, place;
        while (find_turn(thing, owed == 1, now_ms, &from, &place)) {
            if (daily_next_ms(&thing->daily, now_ms) > now_ms) {
                note_held(thing, now_ms);
                return 0;
            }
            if (thing_alone_ms(&air, suspicion_of(thing, place)) > now_ms)
                return 0; /* others wait too, or a suspect would never be alone */
            int r = try_place(thing, place, now_ms, ret_request);
            if (r == 0)
                continue;
            if (!owed)
                thing->turn = place + 1;
            return r;
        }
    }
    return 0;
}

int thing_next_request(struct thing *thing, int64_t now_ms, struct thing_request *ret_request)
{
    thing_tick(thing, now_ms);
    if (!thing->link_up)
        return 0;
    if (thing_next_channel_request(thing, now_ms, ret_request) > 0)
        return 1;
    if (thing_messages_ms(thing, UPDATE_MESSAGES, now_ms) > now_ms)
        return 0;
    return next_shadow_request(thing, now_ms, ret_request);
}

/* --- time --- */

static int64_t first_request_ms(struct thing *thing, int64_t now_ms)
{
    int64_t first = INT64_MAX, held_ms = 0;
    struct thing_air air = thing_look_at_air(thing, now_ms);
    for (size_t i = 0; i < 2 * thing->places; i++) { /* in the order of next_shadow_request() */
        size_t place = (thing->turn + i) % thing->places;
        const struct thing_turn *turn = &thing->turns[place];
        bool is_pass = turn->is_owed == (i < thing->places);
        if (!is_pass || !thing->shadows[place] || turn->request_ms >= first ||
            has_too_many_in_flight(thing, place))
            continue;
        int64_t alone_ms = thing_alone_ms(&air, suspicion_of(thing, place));
        if (turn->request_ms <= now_ms && alone_ms > now_ms)
            held_ms = later(held_ms, alone_ms); /* who comes after it waits as well */
        first = earlier(first, later(turn->request_ms, later(alone_ms, held_ms)));
    }
    if (first == INT64_MAX)
        return first;
    first = later(first, thing_messages_ms(thing, UPDATE_MESSAGES, now_ms));
    return later(first, daily_next_ms(&thing->daily, now_ms));
}

int64_t thing_deadline(struct thing *thing, int64_t now_ms)
{
    thing->now_ms = now_ms;
    for (struct shadow *s = thing->connection.touched_first; s; s = s->touched_next)
        thing_measure(thing, s, now_ms);
    int64_t first = thing_writers_deadline(thing);
    for (size_t i = 0; i < thing->places; i++) {
        if (thing->shadows[i])
            first = earlier(first, thing->turns[i].tick_ms);
    }
    if (!thing->link_up)
        return first;
    thing->connection.budget_ms = later(thing_messages_ms(thing, UPDATE_MESSAGES, now_ms),
                                        daily_next_ms(&thing->daily, now_ms));
    first = earlier(first, first_request_ms(thing, now_ms));
    return earlier(first, thing_channel_deadline(thing, now_ms));
}
