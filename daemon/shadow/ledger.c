#include "daemon/shadow/ledger.h"

#include "daemon/shadow/ledger_queue.h"
#include "daemon/shadow/writers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *slot_state_name(enum slot_state state)
{
    switch (state) {
    case SLOT_EMPTY:
        return "empty";
    case SLOT_PENDING:
        return "pending";
    case SLOT_SETTLED:
        return "accepted";
    case SLOT_CONTESTED:
        return "contested";
    case SLOT_REFUSED:
        return "refused";
    }
    return "unknown";
}

int ledger_init(struct ledger *ledger, uint64_t hash_seed)
{
    *ledger = (struct ledger){0};
    return flux_property_set_init(&ledger->set, sizeof(struct slot), hash_seed);
}

static void slot_clear(struct slot *slot)
{
    flux_value_clear(&slot->cloud);
    flux_value_clear(&slot->form);
    free(slot->refused_text);
    slot->refused_text = NULL;
    free(slot->rivalry);
    slot->rivalry = NULL;
    writer_release(slot->writer);
    slot->writer = NULL;
}

void ledger_clear(struct ledger *ledger)
{
    if (!ledger->set.root)
        return;
    struct flux_property *root = ledger->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        slot_clear(slot_of(p));
    timers_clear(&ledger->timers);
    flux_property_set_clear(&ledger->set);
}

uint64_t ledger_newest(const struct flux_property *property)
{
    if (property->cut && property->cut_revision > property->revision)
        return property->cut_revision;
    return property->revision;
}

bool ledger_has_value(const struct flux_property *property)
{
    return property->value.type != FLUX_VALUE_NONE && slot_of(property)->state != SLOT_REFUSED;
}

bool ledger_has_value_below(const struct flux_property *property)
{
    for (const struct flux_property *p = property; p; p = flux_property_next(property, p)) {
        if (ledger_has_value(p))
            return true;
    }
    return false;
}

void ledger_drop_cut(struct ledger *ledger, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    ledger_mark(ledger, property);
    if (slot->cut_cause) {
        flux_property_unpin(slot->cut_cause);
        slot->cut_cause = NULL;
    }
    slot->cuts_scalar_only = false;
    flux_property_set_drop_cut(&ledger->set, property);
}

void ledger_set_held(struct ledger *ledger, struct flux_property *property, bool held)
{
    struct slot *slot = slot_of(property);
    if (slot->held == held)
        return;
    slot->held = held;
    if (held)
        ledger->held_count++;
    else
        ledger->held_count--;
}

void ledger_set_writer(struct flux_property *property, struct writer *writer)
{
    struct slot *slot = slot_of(property);
    writer_hold(writer);
    writer_release(slot->writer);
    slot->writer = writer;
}

static void leave_pending(struct ledger *ledger, struct flux_property *property)
{
    ledger->fate_serial++; /* so the settled revision may rise */
    ledger_queue_remove(&ledger->pending, property);
    ledger_set_held(ledger, property, false);
    slot_of(property)->resend = false;
}

/* Nothing of a program's is here any more. */
static void enter_empty(struct ledger *ledger, struct flux_property *property)
{
    timers_remove(&ledger->timers, property);
    ledger_set_writer(property, NULL);
}

void ledger_set_state(struct ledger *ledger, struct flux_property *property, enum slot_state state)
{
    struct slot *slot = slot_of(property);
    if (slot->state == state)
        return;
    ledger_mark(ledger, property);
    if (slot->state == SLOT_PENDING || state == SLOT_PENDING)
        ledger->settled_known = false;
    if (slot->state == SLOT_PENDING)
        leave_pending(ledger, property);
    if (slot->state == SLOT_CONTESTED)
        ledger_queue_remove(&ledger->contested, property);
    if (slot->state == SLOT_REFUSED)
        ledger->refused_count--;
    slot->state = state;
    if (state == SLOT_PENDING)
        ledger_queue_append(&ledger->pending, property);
    if (state == SLOT_CONTESTED)
        ledger_queue_append(&ledger->contested, property);
    if (state == SLOT_REFUSED)
        ledger->refused_count++;
    if (state == SLOT_EMPTY)
        enter_empty(ledger, property);
    if (state == SLOT_EMPTY || state == SLOT_SETTLED)
        slot->suspect = false;
}

static void set_going(struct ledger *ledger, struct flux_property *property, bool going)
{
    struct slot *slot = slot_of(property);
    if (slot->going == going)
        return;
    slot->going = going;
    ledger->going_count = going ? ledger->going_count + 1 : ledger->going_count - 1;
}

static void make_pending(struct ledger *ledger, struct flux_property *property, bool was_unsettled,
                         uint64_t revision)
{
    struct slot *slot = slot_of(property);
    if (!was_unsettled)
        slot->oldest_revision = revision;
    flux_value_clear(&slot->form);
    slot->from_disk = false;
    set_going(ledger, property, false);
    ledger_mark(ledger, property);
    ledger_set_state(ledger, property, SLOT_PENDING);
    ledger_look_again(ledger, property);
}

void ledger_look_again(struct ledger *ledger, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    if (slot->fresh || slot->state != SLOT_PENDING)
        return;
    slot->fresh = true;
    slot->fresh_next = ledger->fresh_first;
    ledger->fresh_first = property;
}

struct flux_property *ledger_next_fresh(struct ledger *ledger)
{
    struct flux_property *property = ledger->fresh_first;
    if (!property)
        return NULL;
    struct slot *slot = slot_of(property);
    ledger->fresh_first = slot->fresh_next;
    slot->fresh_next = NULL;
    slot->fresh = false;
    return property;
}

/* The operation on `top` dropped the entries below it: what waited there now waits for `top`. */
static void take_over_below(struct ledger *ledger, struct flux_property *top)
{
    for (struct flux_property *p = flux_property_next(top, top); p;
         p = flux_property_next(top, p)) {
        struct slot *slot = slot_of(p);
        if (slot->state == SLOT_EMPTY)
            continue;
        bool waiting = slot->state == SLOT_PENDING;
        if (waiting && slot->oldest_revision < slot_of(top)->oldest_revision)
            slot_of(top)->oldest_revision = slot->oldest_revision;
        if (slot->cut_cause) {
            flux_property_unpin(slot->cut_cause);
            slot->cut_cause = NULL;
        }
        ledger_set_state(ledger, p, SLOT_EMPTY);
        ledger->fate_serial++; /* what an older removal above had ended shows now */
    }
}

static bool is_waiting(const struct flux_property *property)
{
    return property && slot_of(property)->state == SLOT_PENDING &&
           ledger_newest(property) > slot_of(property)->settled_revision;
}

/* An operation below a scalar of ours made it a cut. A scalar that the cloud has accepted takes
 * only itself away: an object that another writer has put there since counts as earlier than the
 * operation, and stays. A refused scalar was never to be in the cloud. */
static void take_conversion(struct ledger *ledger, struct flux_property *ancestor,
                            struct flux_property *cause)
{
    struct slot *slot = slot_of(ancestor);
    if (slot->state == SLOT_REFUSED) {
        ledger_set_state(ledger, ancestor, SLOT_EMPTY);
        ledger_drop_cut(ledger, ancestor);
        return;
    }
    bool was_waiting = slot->state == SLOT_PENDING && ancestor->revision > slot->settled_revision;
    slot->removed_revision = ancestor->cut_revision;
    slot->cuts_scalar_only = !was_waiting;
    slot->cut_cause = cause;
    flux_property_pin(cause);
    make_pending(ledger, ancestor, was_waiting, ancestor->cut_revision);
}

int ledger_apply(struct ledger *ledger, enum flux_operation kind, const char *path,
                 size_t path_size, const struct flux_value *value, int64_t set_us,
                 struct flux_property **ret_property)
{
    struct flux_property *known = flux_property_set_find(&ledger->set, path, path_size);
    bool was_waiting = is_waiting(known);
    uint64_t revision = ledger->newest_revision + 1;
    struct flux_applied applied;

    int r = flux_property_set_apply(&ledger->set, kind, path, path_size, value, revision, set_us,
                                    &applied);
    if (r < 0)
        return r;
    ledger->newest_revision = revision;
    ledger->effort += applied.walked;
    struct flux_property *property = applied.property;
    struct slot *slot = slot_of(property);
    if (slot->cut_cause) { /* this operation stands where the conversion was */
        flux_property_unpin(slot->cut_cause);
        slot->cut_cause = NULL;
    }
    if (!was_waiting && kind == FLUX_SET && property->cut && property->cut_revision == revision)
        ledger_drop_cut(ledger,
                        property); /* `{}` itself takes the scalar away, see take_conversion() */
    slot->cuts_scalar_only = slot->cuts_scalar_only && property->cut && kind == FLUX_SET;
    make_pending(ledger, property, was_waiting, revision);
    if (kind == FLUX_UNSET || flux_property_is_leaf(property))
        slot->clearing_revision = revision;
    if (kind == FLUX_UNSET)
        slot->removed_revision = revision;
    if (applied.cleared)
        take_over_below(ledger, property);
    if (applied.converted)
        take_conversion(ledger, applied.converted, property);
    *ret_property = property;
    return 0;
}

bool ledger_is_unsettled(const struct flux_property *property)
{
    if (slot_of(property)->unsettled_below > 0)
        return true;
    for (const struct flux_property *p = property; p; p = p->parent) {
        if (slot_of(p)->unsettled_count > 0)
            return true;
    }
    return false;
}

void ledger_hold(struct flux_property *property)
{
    flux_property_pin(property);
    slot_of(property)->unsettled_count++;
    for (struct flux_property *p = property->parent; p; p = p->parent)
        slot_of(p)->unsettled_below++;
}

void ledger_unhold(struct flux_property *property)
{
    slot_of(property)->unsettled_count--;
    for (struct flux_property *p = property->parent; p; p = p->parent)
        slot_of(p)->unsettled_below--;
    flux_property_unpin(property);
}

/* --- what is freed, and when --- */

/* An empty property that a program once touched remembers when, so that a resent report cannot
 * bring an older value back; such memory is given up when there is much of it. */
static bool is_memory(const struct ledger *ledger, const struct flux_property *property)
{
    return property->revision > ledger->forgotten_revision &&
           ledger->set.node_count - ledger->going_count <= LEDGER_NODES_KEPT;
}

static bool is_idle(const struct ledger *ledger, const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    return property->parent && !property->first_child && property->pin_count == 0 &&
           slot->state == SLOT_EMPTY && slot->cloud.type == FLUX_VALUE_NONE && !slot->fresh &&
           slot->unsettled_count == 0 && (slot->going || !is_memory(ledger, property));
}

/* The disk has a row of a node that is to be freed: that has to go first. */
static void let_row_go(struct ledger *ledger, struct flux_property *property)
{
    set_going(ledger, property, true);
    flux_property_forget_times(property);
    ledger_mark(ledger, property);
}

void ledger_row_is_gone(struct ledger *ledger, struct flux_property *property)
{
    slot_of(property)->save.hash = SAVE_HASH_NONE;
    ledger_prune_one(ledger, property);
}

void ledger_prune_one(struct ledger *ledger, struct flux_property *property)
{
    while (is_idle(ledger, property)) {
        struct flux_property *parent = property->parent;
        struct slot *slot = slot_of(property);
        if (slot->save.hash != SAVE_HASH_NONE) {
            if (!slot->going)
                let_row_go(ledger, property);
            return;
        }
        set_going(ledger, property, false);
        saves_forget(ledger->saves, &slot->save);
        slot_clear(slot);
        (void)flux_property_set_prune(&ledger->set, property);
        property = parent;
    }
}

void ledger_prune(struct ledger *ledger)
{
    struct flux_property *root = ledger->set.root;
    struct flux_property *p = flux_property_next(root, root);
    while (p) {
        struct flux_property *next = flux_property_next(root, p);
        if (is_idle(ledger, p))
            ledger_prune_one(ledger, p);
        p = next;
    }
    ledger->crowded_above = 2 * ledger->set.node_count;
}

bool ledger_is_crowded(const struct ledger *ledger)
{
    return ledger->set.node_count > 2 * (size_t)LEDGER_NODES_KEPT &&
           ledger->set.node_count > ledger->crowded_above;
}
