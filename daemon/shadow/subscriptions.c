#include "daemon/shadow/subscriptions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *channel_state_name(enum channel_state state)
{
    static const char *const names[] = {
        [CHANNEL_OFF] = "off",         [CHANNEL_SUBSCRIBING] = "subscribing",
        [CHANNEL_ON] = "on",           [CHANNEL_LEAVING] = "leaving",
        [CHANNEL_REFUSED] = "refused", [CHANNEL_UNSUBSCRIBING] = "unsubscribing",
    };
    return names[state];
}

void subscriptions_init(struct subscriptions *subscriptions, unsigned filters_max,
                        int64_t timeout_ms)
{
    *subscriptions = (struct subscriptions){.due_ms = INT64_MAX};
    subscriptions_set(subscriptions, filters_max, timeout_ms);
}

void subscriptions_clear(struct subscriptions *subscriptions)
{
    while (subscriptions->first) {
        struct channel *next = subscriptions->first->next;
        free(subscriptions->first);
        subscriptions->first = next;
    }
}

void subscriptions_set(struct subscriptions *subscriptions, unsigned filters_max,
                       int64_t timeout_ms)
{
    subscriptions->filters_max = filters_max;
    subscriptions->timeout_ms = timeout_ms;
    subscriptions->changed = true;
}

/* --- who listens --- */

static struct channel *find_channel(struct subscriptions *subscriptions, const char *thing,
                                    const char *shadow)
{
    struct channel *channel = subscriptions->first;
    while (channel && (strcmp(channel->shadow, shadow) != 0 || strcmp(channel->thing, thing) != 0))
        channel = channel->next;
    return channel;
}

/* Find or make; new ones go to the end, so that their turn comes last. */
static struct channel *open_channel(struct subscriptions *subscriptions, const char *thing,
                                    const char *shadow)
{
    struct channel *channel = find_channel(subscriptions, thing, shadow);
    if (channel)
        return channel;
    channel = calloc(1, sizeof(*channel));
    if (!channel)
        return NULL;
    memcpy(channel->thing, thing, strlen(thing) + 1);
    memcpy(channel->shadow, shadow, strlen(shadow) + 1);
    channel->waiting_ms = INT64_MAX;
    backoff_init(&channel->backoff, CHANNEL_RETRY_MIN_MS, CHANNEL_RETRY_MAX_MS);
    struct channel **link = &subscriptions->first;
    while (*link)
        link = &(*link)->next;
    *link = channel;
    return channel;
}

/* A channel that nobody listens to stays until it is off. */
static void prune(struct subscriptions *subscriptions)
{
    struct channel **link = &subscriptions->first;
    while (*link) {
        struct channel *channel = *link;
        bool is_off = channel->state == CHANNEL_OFF || channel->state == CHANNEL_REFUSED;
        if (channel->listener_count > 0 || !is_off || channel->in_force > 0) {
            link = &channel->next;
            continue;
        }
        *link = channel->next;
        free(channel);
    }
}

int subscriptions_join(struct subscriptions *subscriptions, struct listener *listener,
                       const char *thing, const char *shadow)
{
    *listener = (struct listener){0};
    listener->own = open_channel(subscriptions, thing, shadow);
    if (listener->own && *shadow)
        listener->shared = open_channel(subscriptions, thing, CHANNEL_ALL_NAMES);
    if (!listener->own || (*shadow && !listener->shared)) {
        *listener = (struct listener){0};
        prune(subscriptions);
        return -ENOMEM;
    }
    listener->own->first = listener;
    listener->own->listener_count = 1;
    if (listener->shared) {
        listener->shared_next = listener->shared->first;
        listener->shared->first = listener;
        listener->shared->listener_count++;
    }
    subscriptions->changed = true;
    return 0;
}

void subscriptions_leave(struct subscriptions *subscriptions, struct listener *listener)
{
    if (!listener->own)
        return;
    listener->own->first = NULL;
    listener->own->listener_count = 0;
    if (listener->shared) {
        struct listener **link = &listener->shared->first;
        while (*link != listener)
            link = &(*link)->shared_next;
        *link = listener->shared_next;
        listener->shared->listener_count--;
    }
    *listener = (struct listener){0};
    subscriptions->changed = true;
    prune(subscriptions);
}

void subscriptions_tell(struct subscriptions *subscriptions, struct listener *listener,
                        bool is_busy, bool is_flying, int64_t want_ms)
{
    if (listener->is_busy == is_busy && listener->is_flying == is_flying &&
        listener->want_ms == want_ms)
        return;
    listener->is_busy = is_busy;
    listener->is_flying = is_flying;
    listener->want_ms = want_ms;
    subscriptions->changed = true;
}

bool subscriptions_is_heard(const struct listener *listener)
{
    return listener->own->state == CHANNEL_ON ||
           (listener->shared && listener->shared->state == CHANNEL_ON);
}

bool subscriptions_is_refused(const struct listener *listener)
{
    return !subscriptions_is_heard(listener) && listener->own->state == CHANNEL_REFUSED;
}

void subscriptions_note_use(struct listener *listener, int64_t now_ms)
{
    listener->own->useful_ms = now_ms;
    if (listener->shared)
        listener->shared->useful_ms = now_ms;
}

void subscriptions_link_down(struct subscriptions *subscriptions)
{
    for (struct channel *channel = subscriptions->first; channel; channel = channel->next) {
        channel->state = CHANNEL_OFF;
        channel->in_force = 0;
        channel->retry_ms = 0;
        channel->waiting_ms = INT64_MAX;
        channel->told = false;
        channel->is_promised = false;
    }
    subscriptions->changed = true;
    prune(subscriptions);
}

unsigned subscriptions_count(const struct subscriptions *subscriptions)
{
    unsigned count = 0;
    for (const struct channel *c = subscriptions->first; c; c = c->next)
        count += c->in_force;
    return count;
}

void subscriptions_sent(struct subscriptions *subscriptions, struct channel *channel,
                        enum subscriptions_action action, uint32_t request_id, int64_t now_ms)
{
    bool on = action == SUBSCRIPTIONS_SUBSCRIBE;
    channel->state = on ? CHANNEL_SUBSCRIBING : CHANNEL_UNSUBSCRIBING;
    channel->request_id = request_id;
    channel->due_ms = now_ms + subscriptions->timeout_ms;
    if (on) {
        channel->was_in_force = channel->in_force;
        channel->in_force = CHANNEL_FILTERS;
        channel->useful_ms = now_ms;
        channel->is_promised = false;
    }
    subscriptions->changed = true;
}

/* --- answers --- */

bool subscriptions_is_essential(enum topic_kind kind)
{
    return kind != TOPIC_UPDATE_DELTA && kind != TOPIC_DELETE_ACCEPTED;
}

static struct channel *find_request(struct subscriptions *subscriptions, uint32_t request_id,
                                    enum channel_state state)
{
    struct channel *channel = subscriptions->first;
    while (channel && (channel->state != state || channel->request_id != request_id))
        channel = channel->next;
    return channel;
}

struct channel *subscriptions_subscribed(struct subscriptions *subscriptions, uint32_t request_id,
                                         const int *codes, size_t count,
                                         struct random_source *random, int64_t now_ms)
{
    struct channel *channel = find_request(subscriptions, request_id, CHANNEL_SUBSCRIBING);
    if (!channel)
        return NULL;
    bool is_usable = codes && count == CHANNEL_FILTERS;
    unsigned refused = 0;
    for (size_t i = 0; codes && i < count && i < CHANNEL_FILTERS; i++) {
        bool is_refused = codes[i] < 0 || codes[i] >= 0x80;
        refused += is_refused;
        if (is_refused && subscriptions_is_essential((enum topic_kind)i))
            is_usable = false;
    }
    /* what is refused now may have been granted before, and is in force still */
    channel->in_force -= refused > channel->was_in_force ? refused - channel->was_in_force : 0;
    subscriptions->changed = true;
    channel->state = is_usable ? CHANNEL_ON : CHANNEL_REFUSED;
    channel->retry_ms = is_usable ? 0 : now_ms + backoff_next(&channel->backoff, random);
    if (is_usable)
        backoff_reset(&channel->backoff);
    return channel;
}

struct channel *subscriptions_unsubscribed(struct subscriptions *subscriptions, uint32_t request_id)
{
    struct channel *channel = find_request(subscriptions, request_id, CHANNEL_UNSUBSCRIBING);
    if (!channel)
        return NULL;
    channel->state = channel->retry_ms > 0 ? CHANNEL_REFUSED : CHANNEL_OFF;
    channel->in_force = 0;
    subscriptions->changed = true;
    return channel;
}
