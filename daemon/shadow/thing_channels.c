#include "daemon/shadow/thing_private.h"
#include <stdio.h>
#include <string.h>

/* A shadow that can send nothing for so long need not be heard. */
#define BLOCKED_MS 10000
/* A request that is due within this is worth to be heard for. */
#define SOON_MS 5000

static bool is_blocked(const struct shadow *shadow, int64_t now_ms)
{
    return shadow_blocked_ms(shadow) > now_ms + BLOCKED_MS;
}

/* Heard, but not known yet as it is: the get is on its way or about to be. */
static bool waits_for_get(const struct thing *thing, const struct shadow *shadow, int64_t now_ms)
{
    return shadow->link == SHADOW_ONLINE && shadow->view.state != SHADOW_VIEW_PROVEN &&
           thing->turns[shadow->place].request_ms <= now_ms + SOON_MS;
}

static int64_t want_ms(const struct shadow *shadow)
{
    int64_t refresh_ms = shadow->connection->options.refresh_ms;
    if (shadow->last_get_ms == INT64_MIN)
        return 0; /* nothing is known of it */
    return refresh_ms > 0 ? shadow->last_heard_ms + refresh_ms : INT64_MAX;
}

void thing_tell_channels(struct thing *thing, struct shadow *shadow, int64_t now_ms)
{
    bool may_work = !is_blocked(shadow, now_ms);
    int64_t flies_ms = shadow_flies_until_ms(shadow);
    bool is_flying = flies_ms == INT64_MAX || (flies_ms > now_ms && may_work);
    bool has_work = !shadow_is_settled(shadow) && may_work;
    bool is_busy =
        shadow->watcher_count > 0 || is_flying || has_work || waits_for_get(thing, shadow, now_ms);
    subscriptions_tell(&thing->subscriptions, &shadow->listener, is_busy, is_flying,
                       want_ms(shadow));
}

bool thing_tell_heard(struct shadow *shadow, int64_t now_ms)
{
    bool is_heard = subscriptions_is_heard(&shadow->listener);
    if (is_heard && shadow->link == SHADOW_UNHEARD)
        shadow_hear(shadow);
    else if (!is_heard && shadow->link == SHADOW_ONLINE)
        shadow_unhear(shadow, now_ms);
    else
        return false;
    return true;
}

/* The channels have changed: who is heard, and who is not any more? */
static void tell_shadows(struct thing *thing, int64_t now_ms)
{
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        if (thing_tell_heard(shadow, now_ms))
            shadow_touch(shadow);
    }
}

/* --- requests --- */

static size_t write_filters(struct thing *thing, const struct channel *channel,
                            struct thing_request *request)
{
    size_t bytes = 0;
    request->filter_count = CHANNEL_FILTERS;
    for (size_t i = 0; i < CHANNEL_FILTERS; i++) {
        topic_write_answer(thing->topic[i], channel->thing, channel->shadow, (enum topic_kind)i);
        request->filters[i] = thing->topic[i];
        request->filter_qos[i] = topic_qos((enum topic_kind)i);
        bytes += strlen(thing->topic[i]);
    }
    return bytes;
}

static void tell_crowded(struct thing *thing, int64_t now_ms)
{
    const struct channel *channel;
    while ((channel = subscriptions_next_crowded(&thing->subscriptions, now_ms))) {
        char text[128];
        (void)snprintf(text, sizeof(text),
                       "MaxSubscriptions=%u are in use by shadows with work or watchers; it waits",
                       thing->connection.options.max_subscriptions);
        notices_add(&thing->connection.notices, THING_NOTICE_CROWDED, channel->thing,
                    channel->shadow, NULL, 0, 0, text);
    }
}

/* What is to be sent now; held back where a suspect is on trial. */
static enum subscriptions_action next_action(struct thing *thing, int64_t now_ms,
                                             struct channel **ret_channel, int64_t *ret_from_ms)
{
    enum subscriptions_action action =
        subscriptions_next(&thing->subscriptions, now_ms, ret_channel);
    thing->connection.unanswered += thing->subscriptions.overdue;
    thing->subscriptions.overdue = 0;
    *ret_from_ms = now_ms;
    if (action != SUBSCRIPTIONS_SUBSCRIBE)
        return action;
    struct thing_air air = thing_look_at_air(thing, now_ms);
    *ret_from_ms = thing_alone_ms(&air, &(*ret_channel)->suspicion);
    return action;
}

/* All filters but the first, which has been counted. */
static void count_single_filters(struct thing *thing, size_t filter_count, int64_t now_ms)
{
    for (size_t i = 1; i < filter_count; i++) {
        thing_count(thing, THING_CAUSE_SUBSCRIBE, 0);
        (void)token_bucket_take(&thing->messages, 1, now_ms);
    }
}

int thing_next_channel_request(struct thing *thing, int64_t now_ms,
                               struct thing_request *ret_request)
{
    struct channel *channel;
    int64_t from_ms;
    if (thing_messages_ms(thing, 1, now_ms) > now_ms)
        return 0;
    enum subscriptions_action action = next_action(thing, now_ms, &channel, &from_ms);
    tell_crowded(thing, now_ms);
    if (action == SUBSCRIPTIONS_NOTHING)
        return 0;
    tell_shadows(thing, now_ms); /* who makes way is heard no more */
    if (from_ms > now_ms)
        return 0;
    bool on = action == SUBSCRIPTIONS_SUBSCRIBE;
    *ret_request = (struct thing_request){.kind = on ? THING_SUBSCRIBE : THING_UNSUBSCRIBE};
    ret_request->id = thing_make_id(thing, THING_PLACE_MASK);
    thing_count(thing, THING_CAUSE_SUBSCRIBE, write_filters(thing, channel, ret_request));
    (void)token_bucket_take(&thing->messages, 1, now_ms);
    if (on && thing->connection.options.subscribes_singly)
        count_single_filters(thing, ret_request->filter_count, now_ms);
    subscriptions_sent(&thing->subscriptions, channel, action, ret_request->id, now_ms);
    if (on)
        suspicion_sent(&channel->suspicion, now_ms);
    return 1;
}

int64_t thing_channel_deadline(struct thing *thing, int64_t now_ms)
{
    int64_t deadline = subscriptions_deadline(&thing->subscriptions);
    if (deadline == INT64_MAX)
        return deadline;
    int64_t budget = thing_messages_ms(thing, 1, now_ms);
    deadline = budget > deadline ? budget : deadline;
    if (deadline > now_ms)
        return deadline;
    struct channel *channel;
    int64_t from_ms;
    return next_action(thing, now_ms, &channel, &from_ms) != SUBSCRIPTIONS_NOTHING
               ? from_ms
               : subscriptions_deadline(&thing->subscriptions);
}

/* --- answers --- */

static void tell_refused(struct thing *thing, const struct channel *channel, const int *codes,
                         size_t count)
{
    for (size_t i = 0; codes && i < count && i < CHANNEL_FILTERS; i++) {
        char filter[TOPIC_BYTES_MAX];
        if (codes[i] >= 0 && codes[i] < 0x80)
            continue;
        topic_write_answer(filter, channel->thing, channel->shadow, (enum topic_kind)i);
        notices_add(&thing->connection.notices, THING_NOTICE_FILTER_REFUSED, channel->thing,
                    channel->shadow, NULL, codes[i], 0, filter);
    }
}

void thing_subscribed(struct thing *thing, uint32_t request_id, const int *codes, size_t count,
                      int64_t now_ms)
{
    if (codes)
        thing_note_life(thing, now_ms);
    struct channel *channel = subscriptions_subscribed(&thing->subscriptions, request_id, codes,
                                                       count, &thing->connection.random, now_ms);
    if (!channel)
        return;
    if (codes)
        thing_note_channel_survivor(thing, channel);
    tell_refused(thing, channel, codes, count);
    if (channel->state == CHANNEL_ON)
        notices_add(&thing->connection.notices, THING_NOTICE_SUBSCRIBED, channel->thing,
                    channel->shadow, NULL, 0, 0, NULL);
    tell_shadows(thing, now_ms);
}

void thing_unsubscribed(struct thing *thing, uint32_t request_id, int64_t now_ms)
{
    thing_note_life(thing, now_ms);
    (void)subscriptions_unsubscribed(&thing->subscriptions, request_id);
}
