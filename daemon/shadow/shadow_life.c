#include "daemon/shadow/shadow_private.h"
#include "daemon/shadow/writers.h"
#include <stdio.h>
#include <stdlib.h>

/* When to look again at a removal that found no memory. */
#define RETRY_MS 1000

/* --- programs --- */

static void tell_rivalry(struct shadow *shadow, const struct flux_property *property,
                         const struct writer *before, const struct writer *writer)
{
    char text[256];
    (void)snprintf(text, sizeof(text), "%s (uid %u) and %s (uid %u) both report it",
                   before->name[0] ? before->name : "a program", before->uid,
                   writer->name[0] ? writer->name : "a program", writer->uid);
    shadow_notify(shadow, THING_NOTICE_RIVALRY, property->path, 0, 0, text);
}

static void change_writer(struct shadow *shadow, struct flux_property *property,
                          struct writer *writer, int64_t now_ms)
{
    struct slot *slot = slot_of(property);
    const struct writer *before = slot->writer;
    if (before && writer) {
        if (!slot->rivalry)
            slot->rivalry = calloc(1, sizeof(*slot->rivalry));
        if (slot->rivalry && rivalry_note(slot->rivalry, now_ms)) /* without memory: unnoticed */
            tell_rivalry(shadow, property, before, writer);
    }
    ledger_set_writer(property, writer);
}

/* --- policies --- */

static void find_policy(struct shadow *shadow, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    struct policies *policies = shadow->connection->policies;
    if (policies) /* each section is looked at */
        shadow->ledger.effort += policies_count(policies);
    slot->policy = NULL;
    slot->policy_known =
        policies && policies_find(policies, shadow->thing, shadow->name, property->path,
                                  property->path_size, &slot->policy) == 0;
}

/* When the property expires, as it has been reported so far; INT64_MAX: never. What was reported
 * before this boot counts from its return. */
static int64_t expire_ms(const struct shadow *shadow, const struct flux_property *property)
{
    const struct policy *policy = slot_of(property)->policy;
    if (!policy || policy->expire_ms == 0 || property->value.type == FLUX_VALUE_NONE)
        return INT64_MAX;
    int64_t reported_ms = property->set_us > 0 ? property->set_us / 1000 : shadow->restored_ms;
    return reported_ms + policy->expire_ms;
}

static void schedule(struct shadow *shadow, struct flux_property *property, int64_t at_ms)
{
    if (at_ms < INT64_MAX) /* without memory it is for the next report to try again */
        (void)timers_set(&shadow->ledger.timers, property, at_ms);
}

void shadow_life_reported(struct shadow *shadow, struct flux_property *property,
                          struct writer *writer, int64_t now_ms)
{
    struct slot *slot = slot_of(property);
    rate_note(&slot->reports, now_ms);
    if (slot->writer != writer)
        change_writer(shadow, property, writer, now_ms);
    if (!shadow->connection->policies)
        return;
    if (!slot->policy_known)
        find_policy(shadow, property);
    if (slot->policy && slot->policy->expire_ms > 0 && slot->timer_place == 0)
        schedule(shadow, property, expire_ms(shadow, property));
}

/* Only a plain value can wait: a cut, and what stands for one, goes with what it belongs to. */
static int64_t held_until_ms(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    if (!slot->policy || slot->policy->min_interval_ms == 0 || slot->sent_ms == 0 ||
        property->value.type == FLUX_VALUE_NONE || ledger_is_part_of_cut(property))
        return 0;
    return slot->sent_ms + slot->policy->min_interval_ms;
}

static void hold(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    int64_t until_ms = held_until_ms(property);
    bool held = until_ms > now_ms && timers_set(&shadow->ledger.timers, property, until_ms) == 0;
    ledger_set_held(&shadow->ledger, property, held);
}

void shadow_life_pending(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    const struct slot *slot = slot_of(property);
    if (!slot->policy)
        return;
    hold(shadow, property, now_ms);
    if (slot->policy->urgent && !slot->held && slot->unsettled_count == 0)
        shadow->pacing.early_wanted = true;
}

bool shadow_life_wants_resend(const struct flux_property *property, int64_t now_ms)
{
    struct slot *slot = slot_of(property);
    const struct policy *policy = slot->policy;
    slot->resend = policy && policy->refresh_ms > 0 && slot->confirmed_ms > 0 &&
                   property->value.type != FLUX_VALUE_NONE &&
                   now_ms - slot->confirmed_ms >= policy->refresh_ms;
    return slot->resend;
}

void shadow_life_sent(struct update *update, int64_t now_ms)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        struct slot *slot = slot_of(update->entries[i].property);
        if (update->entries[i].rides_along)
            continue;
        update->entries[i].sent_before_ms = slot->sent_ms;
        slot->sent_ms = now_ms;
    }
}

void shadow_life_not_taken(struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        if (!update->entries[i].rides_along)
            slot_of(update->entries[i].property)->sent_ms = update->entries[i].sent_before_ms;
    }
}

void shadow_life_taken_late(const struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        struct slot *slot = slot_of(update->entries[i].property);
        if (!update->entries[i].rides_along && slot->sent_ms < update->sent_ms)
            slot->sent_ms = update->sent_ms;
    }
}

/* --- the end of a value --- */

/* An empty object that something stands in, of ours or in the cloud. */
static bool is_in_use(const struct flux_property *property)
{
    const struct flux_property *p = property;
    while ((p = flux_property_next(property, p))) {
        if (p->value.type != FLUX_VALUE_NONE || slot_of(p)->cloud.type != FLUX_VALUE_NONE)
            return true;
    }
    return false;
}

/* Remove a value for its program. The time stays that of the value: what was reported later and
 * only arrives now is newer. Returns 0, 1 where it stays because it is in use, or -ENOMEM. */
static int end_value(struct shadow *shadow, struct flux_property *property)
{
    struct flux_property *same;
    if (is_in_use(property))
        return 1;
    return ledger_apply(&shadow->ledger, FLUX_UNSET, property->path, property->path_size, NULL,
                        property->set_us, &same);
}

static void fire(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    const struct slot *slot = slot_of(property);
    if (slot->state == SLOT_PENDING)
        shadow_life_pending(shadow, property, now_ms);
    int64_t at_ms = expire_ms(shadow, property);
    if (at_ms <= now_ms) {
        int r = end_value(shadow, property);
        shadow->status.expired += r == 0;
        at_ms = r == 0 ? INT64_MAX : now_ms + (r > 0 ? slot->policy->expire_ms : RETRY_MS);
    }
    schedule(shadow, property, at_ms);
}

void shadow_life_tick(struct shadow *shadow, int64_t now_ms)
{
    struct flux_property *property;
    while ((property = timers_next(&shadow->ledger.timers, now_ms)))
        fire(shadow, property, now_ms);
}

bool shadow_life_exit(struct shadow *shadow)
{
    struct flux_property *root = shadow->ledger.set.root;
    bool any = false, is_whole = true;
    for (struct flux_property *p = flux_property_next(root, root); p;
         p = flux_property_next(root, p)) {
        const struct slot *slot = slot_of(p);
        bool ends = slot->writer && slot->writer->is_ending && slot->policy &&
                    slot->policy->unset_on_exit && p->value.type != FLUX_VALUE_NONE;
        int r = ends ? end_value(shadow, p) : 1;
        is_whole = is_whole && r >= 0;
        if (r != 0)
            continue;
        slot->writer->removed_count++;
        shadow->status.exited++;
        any = true;
    }
    if (any)
        shadow_touch(shadow);
    return is_whole;
}

/* --- new policies --- */

static void apply_policy(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    struct slot *slot = slot_of(property);
    bool was_close = ledger_value_is_close(property);
    slot->policy = NULL;
    slot->policy_known = false;
    timers_remove(&shadow->ledger.timers, property);
    if (slot->state == SLOT_EMPTY)
        return;
    find_policy(shadow, property);
    if (slot->state == SLOT_SETTLED && was_close && !ledger_value_is_in_cloud(property))
        ledger_set_state(&shadow->ledger, property, SLOT_PENDING); /* not close enough any more */
    if (slot->state == SLOT_PENDING)
        hold(shadow, property, now_ms);
    schedule(shadow, property, expire_ms(shadow, property));
}

void shadow_life_restored(struct shadow *shadow, int64_t now_ms)
{
    struct flux_property *root = shadow->ledger.set.root;
    if (!shadow->connection->policies)
        return;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        if (slot_of(p)->from_disk)
            apply_policy(shadow, p, now_ms);
    }
}

void shadow_life_set_policies(struct shadow *shadow, int64_t now_ms)
{
    struct flux_property *root = shadow->ledger.set.root;
    shadow_drop_prepared(shadow);
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        apply_policy(shadow, p, now_ms);
    shadow_review(shadow, now_ms, false);
    shadow_touch(shadow);
}
