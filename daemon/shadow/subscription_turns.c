/* Whose turn it is to be subscribed, and who makes way. */
#include "daemon/shadow/subscriptions.h"

#include <stddef.h>

static bool is_shared(const struct channel *channel)
{
    return channel->shadow[0] == CHANNEL_ALL_NAMES[0];
}

static bool is_off(const struct channel *channel)
{
    return channel->state == CHANNEL_OFF || channel->state == CHANNEL_REFUSED;
}

/* A shared channel once it is on stays while anybody is left: changing back would cost and gain
 * nothing. */
static bool is_shared_wanted(const struct channel *channel)
{
    if (channel->state == CHANNEL_ON || channel->state == CHANNEL_SUBSCRIBING)
        return channel->listener_count > 0;
    return channel->listener_count >= CHANNEL_SHARED_FROM;
}

static bool is_wanted(const struct channel *channel)
{
    if (is_shared(channel))
        return is_shared_wanted(channel);
    const struct channel *shared = channel->first ? channel->first->shared : NULL;
    if (channel->listener_count == 0 || (shared && shared->state == CHANNEL_ON))
        return false;
    bool is_hopeless = shared && (shared->retry_ms > 0 || shared->suspicion.until_ms > 0);
    bool waits_for_shared = shared && !is_hopeless && is_shared_wanted(shared);
    return !waits_for_shared || channel->state == CHANNEL_ON;
}

struct facts {
    bool is_busy, is_flying;
    int64_t want_ms;
};

static struct facts gather(const struct channel *channel)
{
    struct facts facts = {.want_ms = INT64_MAX};
    bool shared = is_shared(channel);
    for (const struct listener *l = channel->first; l; l = shared ? l->shared_next : NULL) {
        facts.is_busy = facts.is_busy || l->is_busy;
        facts.is_flying = facts.is_flying || l->is_flying;
        facts.want_ms = l->want_ms < facts.want_ms ? l->want_ms : facts.want_ms;
    }
    return facts;
}

/* --- whose turn it is --- */

static bool replaces_any(const struct channel *channel)
{
    for (const struct listener *l = is_shared(channel) ? channel->first : NULL; l;
         l = l->shared_next) {
        if (l->own->state == CHANNEL_ON)
            return true;
    }
    return false;
}

static void note_due(struct subscriptions *subscriptions, int64_t due_ms)
{
    if (due_ms < subscriptions->due_ms)
        subscriptions->due_ms = due_ms;
}

static bool can_begin(struct subscriptions *subscriptions, const struct channel *channel,
                      int64_t now_ms)
{
    if (!is_off(channel) || !is_wanted(channel))
        return false;
    int64_t from_ms = channel->retry_ms;
    if (channel->suspicion.until_ms > from_ms)
        from_ms = channel->suspicion.until_ms;
    if (from_ms <= now_ms)
        return true;
    note_due(subscriptions, from_ms);
    return false;
}

/* Tell whether `a` goes before `b`: who has work first, then who has wanted it longest. What
 * replaces others that are on takes only their room, and before somebody else takes it. */
static bool goes_before(const struct channel *a, const struct facts *a_facts,
                        const struct channel *b, const struct facts *b_facts)
{
    bool a_replaces = a->is_promised || replaces_any(a);
    bool b_replaces = b->is_promised || replaces_any(b);
    if (a_replaces != b_replaces)
        return a_replaces;
    if (a_facts->is_busy != b_facts->is_busy)
        return a_facts->is_busy;
    return a_facts->is_busy ? a->waiting_ms < b->waiting_ms : a_facts->want_ms < b_facts->want_ms;
}

static struct channel *best_waiting(struct subscriptions *subscriptions, int64_t now_ms,
                                    struct facts *ret_facts)
{
    struct channel *best = NULL;
    for (struct channel *c = subscriptions->first; c; c = c->next) {
        if (!can_begin(subscriptions, c, now_ms))
            continue;
        struct facts facts = gather(c);
        if (best && !goes_before(c, &facts, best, ret_facts))
            continue;
        best = c;
        *ret_facts = facts;
    }
    return best;
}

/* What a shared channel replaces may go before it is there, unless something is on its way. */
static bool is_replaced(const struct channel *channel, const struct channel *by)
{
    return by && channel->first && channel->first->shared == by && !is_shared(channel);
}

static bool may_make_way(const struct channel *channel, const struct channel *for_channel)
{
    struct facts facts = gather(channel);
    return !facts.is_flying && (!facts.is_busy || is_replaced(channel, for_channel));
}

/* Send the least recently useful one away that may go; `for_channel` may be NULL. Returns whether
 * one goes. */
static bool make_way(struct subscriptions *subscriptions, struct channel *for_channel)
{
    struct channel *victim = NULL;
    for (struct channel *c = subscriptions->first; c; c = c->next) {
        if (c->state == CHANNEL_LEAVING || c->state == CHANNEL_UNSUBSCRIBING)
            return true; /* one goes already */
        bool is_remainder = is_off(c) && c->in_force > 0 && c != for_channel;
        bool may_go = c->state == CHANNEL_ON && may_make_way(c, for_channel);
        if (!is_remainder && !may_go)
            continue;
        bool wins =
            !victim || (!is_off(victim) && (is_remainder || c->useful_ms < victim->useful_ms));
        victim = wins ? c : victim;
    }
    if (!victim)
        return false;
    if (is_replaced(victim, for_channel))
        for_channel->is_promised = true;
    victim->state = CHANNEL_LEAVING;
    return true;
}

static void settle_overdue(struct subscriptions *subscriptions, int64_t now_ms)
{
    for (struct channel *c = subscriptions->first; c; c = c->next) {
        bool is_waiting = c->state == CHANNEL_SUBSCRIBING || c->state == CHANNEL_UNSUBSCRIBING;
        if (is_waiting && c->due_ms > now_ms)
            note_due(subscriptions, c->due_ms);
        if (!is_waiting || c->due_ms > now_ms)
            continue;
        subscriptions->overdue++; /* ask again; who knows what is in force meanwhile */
        c->state = c->state == CHANNEL_SUBSCRIBING ? CHANNEL_OFF : CHANNEL_LEAVING;
    }
}

static struct channel *find_leaving(struct subscriptions *subscriptions)
{
    struct channel *found = NULL;
    for (struct channel *c = subscriptions->first; c; c = c->next) {
        bool is_there = c->state == CHANNEL_ON || (is_off(c) && c->in_force > 0);
        if (is_there && !is_wanted(c))
            c->state = CHANNEL_LEAVING;
        if (c->state == CHANNEL_LEAVING && !found)
            found = c;
    }
    return found;
}

/* Note since when channels with something to do wait for their turn. */
static void note_waiting(struct subscriptions *subscriptions, int64_t now_ms)
{
    for (struct channel *c = subscriptions->first; c; c = c->next) {
        bool waits = c->state == CHANNEL_OFF && is_wanted(c) && gather(c).is_busy;
        if (!waits) {
            c->waiting_ms = INT64_MAX;
            c->told = c->told && c->state == CHANNEL_OFF;
            continue;
        }
        if (c->waiting_ms == INT64_MAX)
            c->waiting_ms = now_ms;
        if (!c->told)
            note_due(subscriptions, c->waiting_ms + CHANNEL_CROWDED_MS);
    }
}

static enum subscriptions_action choose(struct subscriptions *subscriptions, int64_t now_ms,
                                        struct channel **ret_channel)
{
    subscriptions->due_ms = INT64_MAX;
    settle_overdue(subscriptions, now_ms);
    struct channel *leaving = find_leaving(subscriptions);
    note_waiting(subscriptions, now_ms);
    struct facts facts = {0};
    struct channel *next = best_waiting(subscriptions, now_ms, &facts);
    unsigned used = subscriptions_count(subscriptions);
    unsigned more = next ? CHANNEL_FILTERS - next->in_force : 0;
    if (next && used + more <= subscriptions->filters_max) {
        *ret_channel = next;
        return SUBSCRIPTIONS_SUBSCRIBE;
    }
    bool is_owed = next && (facts.is_busy || facts.want_ms <= now_ms);
    bool is_over = used > subscriptions->filters_max; /* fewer are allowed than before */
    if ((is_owed || is_over) && !leaving && make_way(subscriptions, next))
        leaving = find_leaving(subscriptions);
    else if (next && !is_owed)
        note_due(subscriptions, facts.want_ms);
    *ret_channel = leaving;
    return leaving ? SUBSCRIPTIONS_UNSUBSCRIBE : SUBSCRIPTIONS_NOTHING;
}

enum subscriptions_action subscriptions_next(struct subscriptions *subscriptions, int64_t now_ms,
                                             struct channel **ret_channel)
{
    if (!subscriptions->changed && subscriptions->due_ms > now_ms)
        return SUBSCRIPTIONS_NOTHING;
    enum subscriptions_action action = choose(subscriptions, now_ms, ret_channel);
    subscriptions->changed = action != SUBSCRIPTIONS_NOTHING;
    return action;
}

int64_t subscriptions_deadline(const struct subscriptions *subscriptions)
{
    return subscriptions->changed ? 0 : subscriptions->due_ms;
}

struct channel *subscriptions_next_crowded(struct subscriptions *subscriptions, int64_t now_ms)
{
    for (struct channel *c = subscriptions->first; c; c = c->next) {
        bool is_long = c->waiting_ms != INT64_MAX && now_ms - c->waiting_ms >= CHANNEL_CROWDED_MS;
        if (!is_long || c->told)
            continue;
        c->told = true;
        return c;
    }
    return NULL;
}
