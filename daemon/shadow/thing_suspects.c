#include "daemon/shadow/thing_private.h"
#include <stdio.h>

/* Walks over everything that can be suspect: the kinds of requests of each shadow, then the
 * channels. */
struct walk {
    struct thing *thing;
    size_t place;
    enum shadow_request kind;
    struct shadow *shadow;   /* whose it is, or NULL */
    struct channel *channel; /* whose it is, or NULL */
};

static struct suspicion *next_suspicion(struct walk *walk)
{
    struct thing *thing = walk->thing;
    while (walk->place < thing->places) {
        walk->shadow = thing->shadows[walk->place];
        walk->kind++;
        if (walk->shadow && walk->kind < SHADOW_REQUEST_COUNT)
            return &walk->shadow->suspicions[walk->kind];
        walk->place++;
        walk->kind = SHADOW_REQUEST_NONE;
    }
    walk->shadow = NULL;
    walk->channel = walk->channel ? walk->channel->next : thing->subscriptions.first;
    return walk->channel ? &walk->channel->suspicion : NULL;
}

/* --- one at a time --- */

struct thing_air thing_look_at_air(struct thing *thing, int64_t now_ms)
{
    struct thing_air air = {0};
    struct walk walk = {.thing = thing};
    struct suspicion *s;
    if (!thing->has_suspects)
        return air;
    thing->has_suspects = false;
    while ((s = next_suspicion(&walk))) {
        suspicion_ease(s, now_ms);
        thing->has_suspects = thing->has_suspects || s->is_suspect;
        if (!suspicion_is_in_the_air(s, now_ms))
            continue;
        int64_t until_ms = s->sent_ms + SUSPICION_DROP_MS + 1;
        air.all_until_ms = until_ms > air.all_until_ms ? until_ms : air.all_until_ms;
        if (s->is_suspect && until_ms > air.trial_until_ms)
            air.trial_until_ms = until_ms;
    }
    return air;
}

int64_t thing_alone_ms(const struct thing_air *air, const struct suspicion *suspicion)
{
    return suspicion->is_suspect ? air->all_until_ms : air->trial_until_ms;
}

/* --- acknowledged --- */

void thing_note_survivor(struct thing *thing, struct shadow *shadow, enum shadow_request kind)
{
    if (kind == SHADOW_REQUEST_NONE || !shadow->suspicions[kind].is_open)
        return;
    thing->survivors++;
    if (suspicion_survived(&shadow->suspicions[kind]))
        shadow_notify(shadow, THING_NOTICE_RELEASED, NULL, 0, 0, NULL);
}

void thing_note_channel_survivor(struct thing *thing, struct channel *channel)
{
    thing->survivors++;
    if (suspicion_survived(&channel->suspicion))
        notices_add(&thing->connection.notices, THING_NOTICE_RELEASED, channel->thing,
                    channel->shadow, NULL, 0, 0, NULL);
}

/* --- dropped --- */

static void tell_quarantine(struct thing *thing, const struct walk *walk, int64_t delay_ms)
{
    char text[96];
    (void)snprintf(text, sizeof(text), "its %s drops the link and others do not",
                   walk->channel                         ? "subscription"
                   : walk->kind == SHADOW_REQUEST_UPDATE ? "update"
                                                         : "get");
    const char *thing_name = walk->channel ? walk->channel->thing : walk->shadow->thing;
    const char *shadow_name = walk->channel ? walk->channel->shadow : walk->shadow->name;
    notices_add(&thing->connection.notices, THING_NOTICE_QUARANTINED, thing_name, shadow_name, NULL,
                0, delay_ms, text);
}

void thing_judge_drop(struct thing *thing, int64_t now_ms)
{
    size_t count = 0;
    struct walk walk = {.thing = thing};
    struct suspicion *s;
    while ((s = next_suspicion(&walk)))
        count += suspicion_is_in_the_air(s, now_ms);
    walk = (struct walk){.thing = thing};
    while ((s = next_suspicion(&walk))) {
        if (suspicion_dropped(s, count == 1, thing->survivors, now_ms))
            tell_quarantine(thing, &walk, s->delay_ms);
        thing->has_suspects = thing->has_suspects || s->is_suspect;
    }
}

size_t thing_count_quarantined(const struct thing *thing)
{
    size_t count = 0;
    for (size_t i = 0; i < thing->places; i++)
        count += thing->shadows[i] && shadow_quarantine_ms(thing->shadows[i]) > thing->now_ms;
    return count;
}
