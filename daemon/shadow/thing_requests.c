#include "daemon/shadow/thing_private.h"
#include <stdio.h>
#include <string.h>

/* DailyOperations count as holding back for so long after what they held may go. */
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

/* --- budgets --- */

int64_t thing_messages_ms(struct thing *thing, unsigned count, int64_t now_ms)
{
    return token_bucket_next_ms(&thing->messages, count, now_ms);
}

/* Something is due, and DailyOperations do not let it go: say so once a day. */
static void note_held(struct thing *thing, int64_t now_ms)
{
    thing->held_until_ms = daily_next_ms(&thing->daily, now_ms) + SPREAD_MS;
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
    return now_ms <= thing->held_until_ms;
}

/* What is ready cannot go for long: by then newer values will be there to be sent. */
static void drop_prepared(struct thing *thing, int64_t now_ms)
{
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        shadow_drop_prepared(shadow);
        thing_measure(thing, shadow, now_ms);
    }
}

/* Tell whether answers have to come before this place may send. */
static bool has_too_many_in_flight(const struct thing *thing, size_t place)
{
    const struct thing_turn *turn = &thing->turns[place];
    const struct thing_group *group = thing->shadows[place]->group;
    bool is_new = !turn->wants_get && !turn->is_prepared; /* an update that is not built yet */
    return group->in_flight + (is_new ? group->prepared : 0) >= THING_IN_FLIGHT_MAX ||
           (turn->wants_get && thing->gets_in_flight >= THING_GETS_MAX);
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
    if (thing_first_ms(thing).request_ms > now_ms)
        return 0;
    struct thing_air air = thing_look_at_air(thing, now_ms);
    for (int owed = 1; owed >= 0; owed--) {
        size_t from = 0, place;
        while (find_turn(thing, owed == 1, now_ms, &from, &place)) {
            if (daily_next_ms(&thing->daily, now_ms) > now_ms) {
                note_held(thing, now_ms);
                drop_prepared(thing, now_ms);
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

/* So long after a request that found no memory the next one is tried: what is due stays due, and
 * would keep the loop spinning. */
#define STARVED_MS INT64_C(250)

static int next_request(struct thing *thing, int64_t now_ms, struct thing_request *ret_request)
{
    int r = thing_next_channel_request(thing, now_ms, ret_request);
    if (r != 0)
        return r;
    if (thing_messages_ms(thing, UPDATE_MESSAGES, now_ms) > now_ms)
        return 0;
    return next_shadow_request(thing, now_ms, ret_request);
}

int thing_next_request(struct thing *thing, int64_t now_ms, struct thing_request *ret_request)
{
    thing_tick(thing, now_ms);
    if (!thing->link_up || thing->starved_until_ms > now_ms)
        return 0;
    int r = next_request(thing, now_ms, ret_request);
    if (r < 0)
        thing->starved_until_ms = now_ms + STARVED_MS;
    return r;
}

/* --- time --- */

static int64_t first_request_ms(struct thing *thing, int64_t now_ms)
{
    int64_t first = INT64_MAX, held_ms = 0;
    struct thing_air air = thing_look_at_air(thing, now_ms);
    int64_t request_ms = thing_first_ms(thing).request_ms;
    bool is_due = request_ms <= now_ms; /* else look who may send when it is time */
    for (size_t i = 0; is_due && i < 2 * thing->places; i++) { /* as next_shadow_request() */
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
    if (!is_due)
        first = request_ms;
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
    int64_t first = earlier(thing_writers_deadline(thing), thing_first_ms(thing).tick_ms);
    if (!thing->link_up)
        return first;
    thing->connection.budget_ms = later(thing_messages_ms(thing, UPDATE_MESSAGES, now_ms),
                                        daily_next_ms(&thing->daily, now_ms));
    int64_t request_ms =
        earlier(first_request_ms(thing, now_ms), thing_channel_deadline(thing, now_ms));
    if (request_ms != INT64_MAX)
        request_ms = later(request_ms, thing->starved_until_ms);
    return earlier(first, request_ms);
}
