#include "daemon/shadow/update.h"

#include "daemon/shadow/property_json.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Estimated bytes of a path's keys in a document of its own. */
static size_t path_cost(const struct flux_property *property)
{
    return property->path_size + 4u * property->depth;
}

/* Mark the nulls of a cut. `forced`: an update without an answer may still change what looks done;
 * a null that changes nothing raises the version, and with that the late update is dead. */
static size_t mark_nulls(struct flux_property *property, bool forced)
{
    size_t left = ledger_mark_cut(property, LEDGER_CUT_MARK);
    if (left == 0 && forced && !property->parent)
        return 2; /* the section itself is not removed: an empty one raises the version as well */
    bool is_absent = slot_of(property)->cloud.type == FLUX_VALUE_NONE;
    if (left == 0 && forced && is_absent && !ledger_has_value_below(property))
        slot_of(property)->emit_null = true;
    else if (left == 0)
        return 0;
    size_t bytes = 0;
    for (struct flux_property *p = property; p; p = flux_property_next(property, p)) {
        if (slot_of(p)->emit_null)
            bytes += path_cost(p) + 4;
    }
    return bytes;
}

static void unmark(struct flux_property *property)
{
    for (struct flux_property *p = property; p; p = flux_property_next(property, p)) {
        slot_of(p)->emit_null = false;
        slot_of(p)->emit_value = false;
        slot_of(p)->emit_below = false;
    }
}

/* Mark what the property contributes. Returns its estimated bytes, 0: nothing. */
static size_t mark_property(struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    bool forced = ledger_is_unsettled(property);
    size_t bytes = property->cut ? mark_nulls(property, forced) : 0;
    if (!ledger_has_value(property))
        return bytes;
    if (ledger_value_is_in_cloud(property) && !forced && !slot->resend)
        return bytes;
    slot->emit_value = true;
    return bytes + path_cost(property) + flux_value_json_size(&property->value);
}

static bool is_chosen(const struct flux_property *property, const struct update_choice *choice)
{
    if (slot_of(property)->held)
        return false;
    return !choice->suspects_only || slot_of(property)->suspect;
}

/* A cut without a null of its own is done when what ours replaces arrives: it rides along with
 * that. */
static bool rides_along(const struct flux_property *property, const struct update_choice *choice)
{
    return property->cut && !choice->suspects_only && !ledger_is_in_cloud(property);
}

struct chosen {
    struct update_entry *entries;
    size_t count;
    size_t reported_count; /* those that put something into the document */
    struct update_settle *settles;
    size_t settle_count;
    bool has_cut;
};

static size_t sent_count(const struct chosen *chosen)
{
    return chosen->reported_count + chosen->settle_count;
}

static bool is_full(const struct chosen *chosen, const struct update_choice *choice)
{
    return choice->entries_max > 0 && sent_count(chosen) == choice->entries_max;
}

static void choose(struct ledger *ledger, const struct update_choice *choice, struct chosen *chosen)
{
    size_t bytes = 0;
    for (struct flux_property *p = ledger->pending.first; p; p = slot_of(p)->queue_next) {
        if (!is_chosen(p, choice))
            continue;
        if (is_full(chosen, choice) || bytes >= choice->bytes_max)
            break;
        size_t cost = mark_property(p);
        if (cost == 0 && !rides_along(p, choice))
            continue;
        bytes += cost;
        chosen->entries[chosen->count].property = p;
        chosen->entries[chosen->count].rides_along = cost == 0;
        chosen->entries[chosen->count++].revision = ledger_newest(p);
        chosen->reported_count += cost > 0;
        chosen->has_cut = chosen->has_cut || (p->cut && cost > 0);
    }
}

/* --- wishes that are settled --- */

/* Tell whether something of a report that came with a settle, or before it, still has to reach the
 * cloud and does not go with this update. */
static bool is_left_behind(const struct flux_property *property, uint64_t revision)
{
    const struct slot *slot = slot_of(property);
    return slot->state == SLOT_PENDING && slot->oldest_revision <= revision && !slot->emit_value &&
           !slot->emit_null && !ledger_is_in_cloud(property);
}

bool update_waits_for_values(const struct ledger *ledger, const struct flux_property *node)
{
    uint64_t revision = settle_of(node)->report_last;
    for (const struct flux_property *p = node; p; p = p->parent) {
        const struct flux_property *known =
            flux_property_set_find(&ledger->set, p->path, p->path_size);
        if (known && is_left_behind(known, revision))
            return true;
    }
    const struct flux_property *top =
        flux_property_set_find(&ledger->set, node->path, node->path_size);
    for (const struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        if (is_left_behind(p, revision))
            return true;
    }
    return false;
}

static void choose_settles(struct ledger *ledger, const struct update_choice *choice,
                           struct chosen *chosen)
{
    for (struct flux_property *p = choice->settles->first; p; p = settle_of(p)->next) {
        const struct settle *settle = settle_of(p);
        bool may_go = !choice->suspects_only || settle->suspect;
        if (!may_go || update_waits_for_values(ledger, p))
            continue;
        if (is_full(chosen, choice))
            return;
        if (!settles_mark(choice->desired, p->path, p->path_size, settle->known_serial))
            continue;
        chosen->settles[chosen->settle_count].node = p;
        chosen->settles[chosen->settle_count++].revision = settle->revision;
    }
}

/* --- the document --- */

/* Where an object of ours is new to the cloud there is nothing below it to remove, and nulls alone
 * below it might leave no object at all: whether they do is not documented. */
static void drop_needless_nulls(const struct chosen *chosen)
{
    for (size_t i = 0; i < chosen->count; i++) {
        struct flux_property *top = chosen->entries[i].property;
        bool is_new_object = slot_of(top)->emit_value &&
                             top->value.type == FLUX_VALUE_EMPTY_OBJECT &&
                             slot_of(top)->cloud.type != FLUX_VALUE_EMPTY_OBJECT;
        if (!is_new_object)
            continue;
        for (struct flux_property *p = top; p; p = flux_property_next(top, p))
            slot_of(p)->emit_null = false;
    }
}

static void mark_paths(struct ledger *ledger)
{
    struct flux_property *root = ledger->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        if (!slot_of(p)->emit_value && !slot_of(p)->emit_null)
            continue;
        for (struct flux_property *a = p->parent; a && !slot_of(a)->emit_below; a = a->parent)
            slot_of(a)->emit_below = true;
    }
}

static bool is_partial(const struct flux_property *property)
{
    const struct flux_property *cause = slot_of(property)->cut_cause;
    bool cause_arrives = !cause || slot_of(cause)->emit_value || ledger_value_is_in_cloud(cause);
    return !cause_arrives || !ledger_is_cut_done(property, LEDGER_CUT_AFTER_UPDATE);
}

/* See what the marked update makes an end of; what only rode along and is not done by it gets off.
 */
static void finish_entries(struct chosen *chosen)
{
    size_t kept = 0;
    for (size_t i = 0; i < chosen->count; i++) {
        struct update_entry entry = chosen->entries[i];
        entry.is_partial = is_partial(entry.property);
        if (!entry.rides_along || !entry.is_partial)
            chosen->entries[kept++] = entry;
    }
    chosen->count = kept;
}

static bool is_emitted(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    return slot->emit_value || slot->emit_null || slot->emit_below;
}

static const struct flux_property *next_emitted(const struct flux_property *property)
{
    while (property && !is_emitted(property))
        property = property->next;
    return property;
}

/* Write one property; returns whether it began an object. */
static bool emit(const struct flux_property *property, struct flux_json_writer *writer)
{
    const struct slot *slot = slot_of(property);
    if (slot->emit_null) {
        flux_json_null(writer);
        return false;
    }
    if (slot->emit_value && flux_property_is_leaf(property)) {
        flux_json_value(writer, &property->value);
        return false;
    }
    flux_json_begin_object(writer);
    return true;
}

static void write_reported(const struct flux_property *root, struct flux_json_writer *writer)
{
    const struct flux_property *p = root;
    bool open = emit(p, writer);
    while (true) {
        const struct flux_property *next = open ? next_emitted(p->first_child) : NULL;
        while (!next) {
            if (open)
                flux_json_end_object(writer);
            if (p == root)
                return;
            next = next_emitted(p->next);
            p = p->parent;
            open = true;
        }
        p = next;
        property_write_key(writer, p);
        open = emit(p, writer);
    }
}

/* Put together what is said and what it is built on. Returns 0 or -ENOMEM with the update as it
 * was. */
static int finish_payload(struct update *update, const char *state, size_t state_size)
{
    char version[32] = "", *payload;
    if (update->base_version >= 0)
        (void)snprintf(version, sizeof(version), ",\"version\":%lld",
                       (long long)update->base_version);
    int size = asprintf(&payload, "%.*s%s,\"clientToken\":\"%s\"}", (int)state_size, state, version,
                        update->token);
    if (size < 0)
        return -ENOMEM;
    free(update->payload);
    update->payload = payload;
    update->payload_size = (size_t)size;
    update->state_size = state_size;
    return 0;
}

static int write_payload(struct ledger *ledger, const struct update_choice *choice,
                         const struct chosen *chosen, struct update *update)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_begin_object(&writer);
    flux_json_key_text(&writer, "state");
    flux_json_begin_object(&writer);
    if (chosen->reported_count > 0) {
        flux_json_key_text(&writer, "reported");
        write_reported(ledger->set.root, &writer);
    }
    if (chosen->settle_count > 0) {
        flux_json_key_text(&writer, "desired");
        (void)desired_write_nulls(choice->desired, &writer);
    }
    flux_json_end_object(&writer);
    int r = writer.error;
    if (r == 0)
        r = finish_payload(update, writer.text, writer.size);
    flux_json_writer_clear(&writer);
    return r;
}

static int make_room(const struct ledger *ledger, const struct settles *settles,
                     struct chosen *ret_chosen)
{
    size_t settle_room = settles ? settles->count : 0;
    *ret_chosen = (struct chosen){
        .entries = calloc(ledger->pending.count + 1, sizeof(*ret_chosen->entries)),
        .settles = calloc(settle_room + 1, sizeof(*ret_chosen->settles)),
    };
    return ret_chosen->entries && ret_chosen->settles ? 0 : -ENOMEM;
}

static void take_chosen(struct update *update, struct chosen *chosen)
{
    for (size_t i = 0; i < chosen->count; i++)
        ledger_hold(chosen->entries[i].property);
    for (size_t i = 0; i < chosen->settle_count; i++)
        flux_property_pin(chosen->settles[i].node);
    update->has_cut = chosen->has_cut;
    update->entries = chosen->entries;
    update->entry_count = chosen->count;
    update->settles = chosen->settles;
    update->settle_count = chosen->settle_count;
}

int update_build(struct ledger *ledger, const struct update_choice *choice, struct update *update)
{
    bool may_settle = choice->settles && choice->settles->count > 0 && choice->base_version >= 0;
    if (ledger->pending.count == 0 && !may_settle)
        return 0;
    struct chosen chosen;
    int r = make_room(ledger, may_settle ? choice->settles : NULL, &chosen);
    if (r == 0)
        choose(ledger, choice, &chosen);
    if (r == 0 && may_settle) {
        settles_unmark(choice->desired);
        choose_settles(ledger, choice, &chosen);
    }
    size_t count = sent_count(&chosen);
    if (count > 0) {
        drop_needless_nulls(&chosen);
        mark_paths(ledger);
        finish_entries(&chosen);
        update->base_version = choice->base_version;
        r = write_payload(ledger, choice, &chosen, update);
    }
    unmark(ledger->set.root);
    if (count == 0 || r < 0) {
        free(chosen.entries);
        free(chosen.settles);
        return r;
    }
    take_chosen(update, &chosen);
    return 1;
}

uint64_t update_newest_revision(const struct update *update)
{
    uint64_t newest = 0;
    for (size_t i = 0; i < update->entry_count; i++)
        newest = update->entries[i].revision > newest ? update->entries[i].revision : newest;
    for (size_t i = 0; i < update->settle_count; i++)
        newest = update->settles[i].revision > newest ? update->settles[i].revision : newest;
    return newest;
}

bool update_is_plain(const struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        if (update->entries[i].rides_along || update->entries[i].is_partial)
            return false;
    }
    return !update->has_cut && update->settle_count == 0;
}

int update_rebase(struct update *update, int64_t version)
{
    int64_t before = update->base_version;
    if (before < 0)
        return 0;
    update->base_version = version;
    int r = finish_payload(update, update->payload, update->state_size);
    if (r < 0)
        update->base_version = before;
    return r;
}

void update_clear(struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++)
        ledger_unhold(update->entries[i].property);
    for (size_t i = 0; i < update->settle_count; i++)
        flux_property_unpin(update->settles[i].node);
    free(update->entries);
    free(update->settles);
    free(update->payload);
    *update = (struct update){.base_version = -1};
}
