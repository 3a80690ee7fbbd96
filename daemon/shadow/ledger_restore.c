/* What an earlier run has kept of the properties, put back into the books. */
#include "daemon/shadow/ledger.h"
#include "daemon/shadow/ledger_queue.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than any document of the cloud makes. */
#define NODES_MAX 65536u

/* --- one row --- */

/* A report of this run has decided what stands here. */
static bool is_overtaken(const struct flux_property *property)
{
    if (!slot_of(property)->from_disk && slot_of(property)->state != SLOT_EMPTY)
        return true;
    if (property->revision > 0)
        return true;
    for (const struct flux_property *p = property->parent; p; p = p->parent) {
        if (slot_of(p)->clearing_revision > 0)
            return true;
    }
    return false;
}

static int64_t past_us(int64_t time_us, int64_t now_ms)
{
    return time_us / 1000 <= now_ms ? time_us : 0; /* of another clock */
}

static int put_entry(struct ledger *ledger, struct flux_property *property,
                     const struct saved_property *saved, uint64_t shift, int64_t now_ms)
{
    const struct flux_property_memory memory = {
        .value = saved->value,
        .cut = saved->cut,
        .replaced = saved->cut_replaced,
        .revision = saved->revision > 0 ? saved->revision + shift : 0,
        .cut_revision = saved->cut ? saved->cut_revision + shift : 0,
        .set_us = past_us(saved->set_us, now_ms),
        .cleared_us = past_us(saved->cleared_us, now_ms),
        .replaced_us = past_us(saved->replaced_us, now_ms),
    };
    return flux_property_set_restore(&ledger->set, property, &memory);
}

/* Without memory for it the cut stands alone. */
static void put_cause(struct ledger *ledger, struct flux_property *property,
                      const struct saved_property *saved)
{
    struct flux_property *cause;
    slot_of(property)->cuts_scalar_only = saved->cut_scalar_only;
    if (!saved->cut_cause ||
        flux_property_set_touch(&ledger->set, saved->cut_cause, saved->cut_cause_size, &cause) < 0)
        return;
    flux_property_pin(cause);
    slot_of(property)->cut_cause = cause;
}

static void put_state(struct ledger *ledger, struct flux_property *property,
                      const struct saved_property *saved)
{
    struct slot *slot = slot_of(property);
    uint64_t revision = ledger_newest(property);
    switch (saved->state) {
    case SAVED_NOTHING:
        slot->settled_revision = revision; /* of a removal, for who sends again what it overtook */
        slot->accepted_version = saved->accepted_version;
        return;
    case SAVED_PENDING:
        slot->oldest_revision = revision;
        if (property->revision > 0 && property->revision < revision)
            slot->oldest_revision = property->revision;
        ledger_set_state(ledger, property, SLOT_PENDING);
        ledger_queue_sink(&ledger->pending, property);
        break;
    case SAVED_ACCEPTED:
        slot->oldest_revision = revision; /* it may have to go again */
        slot->settled_revision = revision;
        slot->accepted_version = saved->accepted_version;
        ledger_set_state(ledger, property, SLOT_SETTLED);
        break;
    case SAVED_REFUSED:
        slot->settled_revision = revision;
        slot->refused_revision = revision;
        slot->refused_code = saved->refused_code;
        slot->refused_lacking = saved->refused_lacking;
        slot->refused_total = saved->refused_total;
        slot->refused_text = saved->refused_text ? strdup(saved->refused_text) : NULL;
        ledger_set_state(ledger, property, SLOT_REFUSED);
        break;
    }
    slot->from_disk = true;
}

static int put_row(struct ledger *ledger, struct flux_property *property,
                   const struct saved_property *saved, const struct ledger_restore *restore)
{
    struct slot *slot = slot_of(property);
    ledger_forget_row(property);
    int r = restore->with_cloud ? flux_value_assign(&slot->cloud, &saved->cloud) : 0;
    if (r < 0 || is_overtaken(property))
        return r;
    r = flux_value_assign(&slot->form, &saved->form);
    if (r == 0)
        r = put_entry(ledger, property, saved, restore->shift, restore->now_ms);
    if (r < 0)
        return r == -ENOSPC ? -EINVAL : r;
    if (saved->cut)
        put_cause(ledger, property, saved);
    put_state(ledger, property, saved);
    ledger_note_stored_row(ledger, property);
    return 0;
}

int ledger_restore(struct ledger *ledger, const struct saved_row *row,
                   const struct ledger_restore *restore, struct flux_property **ret_property)
{
    struct flux_property *property;
    if (ledger->set.node_count >= NODES_MAX)
        return -EINVAL;
    int r = flux_property_set_touch(&ledger->set, row->path, row->path_size, &property);
    if (r < 0)
        return r;
    struct save_mark *mark = &slot_of(property)->save;
    if (mark->hash != SAVE_HASH_NONE)
        return -EINVAL; /* the same path twice */
    /* Whatever is put back only in part: the disk keeps its row until something new is said. */
    r = put_row(ledger, property, &row->of_property, restore);
    if (r < 0) {
        flux_value_clear(&slot_of(property)->cloud);
        flux_value_clear(&slot_of(property)->form);
        return r;
    }
    saves_note_row(mark, SAVED_PROPERTY, saved_row_hash(row, ledger->set.hash_seed));
    *ret_property = property;
    return 0;
}

/* --- all rows --- */

static bool has_entry(const struct flux_property *property)
{
    return property->cut || property->value.type != FLUX_VALUE_NONE;
}

/* Drop an entry that cannot stand beside the others. */
static void drop_entry(struct ledger *ledger, struct flux_property *property)
{
    ledger_forget_row(property);
    if (property->cut)
        ledger_drop_cut(ledger, property);
    flux_property_set_drop_value(&ledger->set, property);
    flux_value_clear(&slot_of(property)->form);
    ledger_set_state(ledger, property, SLOT_EMPTY);
}

/* The newest operation below, 0: there is none. */
static uint64_t newest_below(const struct flux_property *top)
{
    uint64_t newest = 0;
    for (const struct flux_property *p = top; (p = flux_property_next(top, p));) {
        if (!has_entry(p))
            continue;
        if (!slot_of(p)->from_disk)
            return UINT64_MAX; /* of this run */
        newest = ledger_newest(p) > newest ? ledger_newest(p) : newest;
    }
    return newest;
}

static void drop_below(struct ledger *ledger, struct flux_property *top)
{
    for (struct flux_property *p = top; (p = flux_property_next(top, p));) {
        if (has_entry(p))
            drop_entry(ledger, p);
    }
}

static void cut_value(struct ledger *ledger, struct flux_property *property)
{
    ledger_forget_row(property);
    flux_property_set_cut_value(&ledger->set, property);
}

/* A scalar and what stands below it exclude each other: the newer one counts, as if both had been
 * reported in their order. */
static void separate(struct ledger *ledger, struct flux_property *property)
{
    uint64_t below = newest_below(property);
    if (below == 0)
        return;
    if (ledger_newest(property) > below)
        drop_below(ledger, property);
    else if (slot_of(property)->state == SLOT_PENDING)
        cut_value(ledger, property);
    else
        drop_entry(ledger, property);
}

static bool is_cloud_sound(const struct flux_property *property)
{
    enum flux_value_type held = slot_of(property)->cloud.type;
    if (held == FLUX_VALUE_NONE)
        return true;
    if (!property->parent)
        return held == FLUX_VALUE_EMPTY_OBJECT;
    return slot_of(property->parent)->cloud.type == FLUX_VALUE_EMPTY_OBJECT;
}

/* What an operation above took away has not ended here, but as that one ends. */
static bool is_cleared_from_above(const struct flux_property *property)
{
    for (const struct flux_property *p = property->parent; p; p = p->parent) {
        if (slot_of(p)->clearing_revision > ledger_newest(property))
            return true;
    }
    return false;
}

bool ledger_restored(struct ledger *ledger)
{
    struct flux_property *root = ledger->set.root;
    bool is_sound = true;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        if (flux_property_is_leaf(p))
            separate(ledger, p);
        if (p->cleared_us > 0 && slot_of(p)->clearing_revision == 0)
            slot_of(p)->clearing_revision = ledger_newest(p);
        if (slot_of(p)->state == SLOT_EMPTY && is_cleared_from_above(p))
            slot_of(p)->settled_revision = 0;
        if (is_cloud_sound(p))
            continue;
        is_sound = false;
        flux_value_clear(&slot_of(p)->cloud);
    }
    ledger->settled_known = false;
    ledger->fate_serial++;
    return is_sound;
}
