#include "daemon/shadow/ledger.h"

#include "daemon/shadow/ledger_queue.h"
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
}

void ledger_clear(struct ledger *ledger)
{
    if (!ledger->set.root)
        return;
    struct flux_property *root = ledger->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        slot_clear(slot_of(p));
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

static void drop_cut(struct ledger *ledger, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    if (slot->cut_cause) {
        flux_property_unpin(slot->cut_cause);
        slot->cut_cause = NULL;
    }
    slot->cuts_scalar_only = false;
    flux_property_set_drop_cut(&ledger->set, property);
}

void ledger_set_state(struct ledger *ledger, struct flux_property *property, enum slot_state state)
{
    struct slot *slot = slot_of(property);
    if (slot->state == state)
        return;
    if (slot->state == SLOT_PENDING)
        ledger_queue_remove(&ledger->pending, property);
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
    if (state == SLOT_EMPTY || state == SLOT_SETTLED)
        slot->suspect = false;
}

static void make_pending(struct ledger *ledger, struct flux_property *property, bool was_unsettled,
                         uint64_t revision)
{
    struct slot *slot = slot_of(property);
    if (!was_unsettled)
        slot->oldest_revision = revision;
    flux_value_clear(&slot->form);
    ledger_set_state(ledger, property, SLOT_PENDING);
    if (slot->fresh)
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
        drop_cut(ledger, ancestor);
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
    struct flux_property *property = applied.property;
    struct slot *slot = slot_of(property);
    if (slot->cut_cause) { /* this operation stands where the conversion was */
        flux_property_unpin(slot->cut_cause);
        slot->cut_cause = NULL;
    }
    if (!was_waiting && kind == FLUX_SET && property->cut && property->cut_revision == revision)
        drop_cut(ledger, property); /* `{}` itself takes the scalar away, see take_conversion() */
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

bool ledger_value_is_in_cloud(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    switch (property->value.type) {
    case FLUX_VALUE_NONE:
        return true;
    case FLUX_VALUE_EMPTY_OBJECT:
        return slot->cloud.type == FLUX_VALUE_EMPTY_OBJECT;
    case FLUX_VALUE_BOOL:
    case FLUX_VALUE_INT64:
    case FLUX_VALUE_DOUBLE:
    case FLUX_VALUE_STRING:
    case FLUX_VALUE_ARRAY:
        break;
    }
    if (flux_value_equal(&property->value, &slot->cloud))
        return true;
    return slot->form.type != FLUX_VALUE_NONE && flux_value_equal(&slot->form, &slot->cloud);
}

/* Tell whether the update being marked makes an end of what stands here. */
static bool ends_with_update(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    return slot->emit_null || slot->emit_value || slot->emit_below;
}

size_t ledger_mark_cut(struct flux_property *property, enum ledger_cut_mode mode)
{
    size_t left = 0;
    struct flux_property *p = property;
    bool is_object = slot_of(p)->cloud.type == FLUX_VALUE_EMPTY_OBJECT;
    if (is_object && !ledger_is_cut(p))
        return 0; /* the scalar that was to go is not there any more */
    while (p) {
        struct slot *slot = slot_of(p);
        bool ends = mode == LEDGER_CUT_AFTER_UPDATE && ends_with_update(p);
        bool is_absent = slot->cloud.type == FLUX_VALUE_NONE;
        bool is_our_leaf = p != property && ledger_has_value(p) && flux_property_is_leaf(p);
        bool is_null = !is_absent && !is_our_leaf && !ledger_has_value_below(p);
        if (is_our_leaf && !is_absent && !ledger_value_is_in_cloud(p))
            left += !ends; /* ours replaces whatever is there, once it arrives */
        if (is_null) {
            left += !ends;
            slot->emit_null = slot->emit_null || mode == LEDGER_CUT_MARK;
        }
        if (is_absent || is_our_leaf || is_null) {
            p = flux_property_skip(property, p);
            continue;
        }
        if (slot->cloud.type != FLUX_VALUE_EMPTY_OBJECT)
            left += !ends; /* a scalar that goes when ours below it arrives */
        p = flux_property_next(property, p);
    }
    return left;
}

bool ledger_is_cut(const struct flux_property *property)
{
    if (flux_property_is_leaf(property))
        return false;
    for (const struct flux_property *p = property; p; p = p->parent) {
        if (p->cut && !slot_of(p)->cuts_scalar_only)
            return true;
    }
    return false;
}

/* The scalar of ours above that this property's operation turned into a cut, or NULL. */
static struct flux_property *find_conversion(const struct flux_property *cause)
{
    struct flux_property *p = cause->parent;
    while (p && !(p->cut && slot_of(p)->cut_cause == cause))
        p = p->parent;
    return p;
}

bool ledger_is_cut_done(const struct flux_property *property, enum ledger_cut_mode mode)
{
    bool is_cut = property->cut || ledger_is_cut(property);
    if (is_cut && ledger_mark_cut((struct flux_property *)property, mode) > 0)
        return false;
    struct flux_property *conversion = find_conversion(property);
    return !conversion || ledger_mark_cut(conversion, mode) == 0;
}

bool ledger_is_in_cloud(const struct flux_property *property)
{
    const struct flux_property *cause = slot_of(property)->cut_cause;
    if (cause && !ledger_value_is_in_cloud(cause))
        return false; /* what replaced our scalar here is not there yet */
    return ledger_value_is_in_cloud(property) && ledger_is_cut_done(property, LEDGER_CUT_COUNT);
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

void ledger_accept(struct ledger *ledger, struct flux_property *property, uint64_t revision,
                   int64_t version)
{
    struct slot *slot = slot_of(property);
    ledger->fate_serial++;
    if (revision > slot->settled_revision) {
        slot->earlier_revision = slot->settled_revision;
        slot->earlier_version = slot->accepted_version;
        slot->settled_revision = revision;
        slot->accepted_version = version > 0 ? version : 0;
    }
    if (property->cut && property->cut_revision <= revision)
        drop_cut(ledger, property);
    if (slot->state != SLOT_PENDING)
        return;
    if (slot->cut_cause && property->revision <= revision)
        slot->cuts_scalar_only = true; /* the scalar made it to the cloud after all */
    if (ledger_newest(property) > revision) {
        if (slot->oldest_revision <= revision)
            slot->oldest_revision = revision + 1;
        return;
    }
    bool has_value = property->value.type != FLUX_VALUE_NONE;
    ledger_set_state(ledger, property, has_value ? SLOT_SETTLED : SLOT_EMPTY);
}

/* End the revisions of a property as refused; those above what had ended before. */
static void end_refused(struct ledger *ledger, struct flux_property *property, uint64_t revision,
                        int code)
{
    struct slot *slot = slot_of(property);
    ledger->fate_serial++;
    slot->refused_code = code;
    if (revision > slot->settled_revision) {
        slot->refused_above = slot->settled_revision;
        slot->refused_revision = revision;
        slot->settled_revision = revision;
    }
    if (property->cut && property->cut_revision <= revision)
        drop_cut(ledger, property);
}

/* The refused set had turned a scalar of ours above it into a cut: that goes with it. */
static void refuse_conversions(struct ledger *ledger, struct flux_property *cause, int code)
{
    for (struct flux_property *p = cause->parent; p; p = p->parent) {
        struct slot *slot = slot_of(p);
        if (!p->cut || slot->cut_cause != cause)
            continue;
        end_refused(ledger, p, p->cut_revision, code);
        if (p->value.type == FLUX_VALUE_NONE)
            ledger_set_state(ledger, p, SLOT_EMPTY);
    }
}

void ledger_refuse(struct ledger *ledger, struct flux_property *property, uint64_t revision,
                   int code, const char *text)
{
    struct slot *slot = slot_of(property);
    end_refused(ledger, property, revision, code);
    free(slot->refused_text);
    slot->refused_text = strdup(text);
    refuse_conversions(ledger, property, code);
    slot->suspect = false;
    if (slot->state != SLOT_PENDING)
        return;
    if (ledger_newest(property) > revision) {
        if (slot->oldest_revision <= revision)
            slot->oldest_revision = revision + 1;
        return;
    }
    slot->refused_lacking = 0;
    bool has_value = property->value.type != FLUX_VALUE_NONE;
    ledger_set_state(ledger, property, has_value ? SLOT_REFUSED : SLOT_EMPTY);
}

static bool was_removed_after(const struct flux_property *property, uint64_t revision)
{
    if (slot_of(property)->state != SLOT_EMPTY)
        return false;
    bool removed = slot_of(property)->removed_revision > revision;
    for (const struct flux_property *p = property->parent; p; p = p->parent) {
        if (flux_property_is_leaf(p) || p->cut)
            return false; /* what stands above takes it away again */
        removed = removed || slot_of(p)->clearing_revision > revision;
    }
    return removed;
}

int ledger_reassert(struct ledger *ledger, struct flux_property *property, uint64_t revision)
{
    enum flux_value_type held = slot_of(property)->cloud.type;
    bool came_back = held != FLUX_VALUE_NONE && held != FLUX_VALUE_EMPTY_OBJECT;
    if (!came_back || !was_removed_after(property, revision) || ledger_has_value_below(property))
        return 0;
    struct flux_property *same;
    return ledger_apply(ledger, FLUX_UNSET, property->path, property->path_size, NULL,
                        property->set_us, &same);
}

void ledger_retry(struct ledger *ledger, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    slot->oldest_revision = ledger_newest(property);
    ledger_set_state(ledger, property, SLOT_PENDING);
}

/* How `revision` ended at the property, as far as it was decided there; `newest` is the property's
 * newest revision that had a say about it. Returns false where the property does not decide. */
static bool decide_fate(const struct flux_property *property, uint64_t revision, uint64_t newest,
                        enum ledger_fate *ret_fate)
{
    const struct slot *slot = slot_of(property);
    if (revision > slot->refused_above && revision <= slot->refused_revision)
        *ret_fate = LEDGER_REFUSED;
    else if (revision <= slot->settled_revision)
        *ret_fate = LEDGER_ACCEPTED;
    else if (slot->state == SLOT_PENDING && newest >= revision)
        *ret_fate = LEDGER_WAITING;
    else
        return false;
    return true;
}

static int64_t accepted_version(const struct flux_property *property, uint64_t revision)
{
    const struct slot *slot = slot_of(property);
    return revision <= slot->earlier_revision ? slot->earlier_version : slot->accepted_version;
}

enum ledger_fate ledger_fate(const struct flux_property *property, uint64_t revision,
                             const struct flux_property **ret_decider, int64_t *ret_version)
{
    enum ledger_fate fate;
    *ret_decider = property;
    *ret_version = accepted_version(property, revision);
    if (decide_fate(property, revision, ledger_newest(property), &fate))
        return fate;
    /* Its entry went with an operation above: the end of that one is its end. */
    for (const struct flux_property *p = property->parent; p; p = p->parent) {
        uint64_t clearing = slot_of(p)->clearing_revision;
        *ret_decider = p;
        *ret_version = accepted_version(p, clearing);
        if (clearing > revision && decide_fate(p, clearing, clearing, &fate))
            return fate;
    }
    *ret_decider = property;
    return LEDGER_ACCEPTED;
}

uint64_t ledger_settled_revision(const struct ledger *ledger)
{
    uint64_t settled = ledger->newest_revision;
    for (const struct flux_property *p = ledger->pending.first; p; p = slot_of(p)->queue_next) {
        const struct slot *slot = slot_of(p);
        if (ledger_newest(p) > slot->settled_revision && slot->oldest_revision <= settled)
            settled = slot->oldest_revision - 1;
    }
    return settled;
}

/* An empty property that a program once touched remembers when, so that a resent report cannot
 * bring an older value back; such memory is given up when there is much of it. */
static bool is_memory(const struct ledger *ledger, const struct flux_property *property)
{
    return property->revision > 0 && ledger->set.node_count <= LEDGER_NODES_KEPT;
}

static bool is_idle(const struct ledger *ledger, const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    return property->parent && !property->first_child && property->pin_count == 0 &&
           slot->state == SLOT_EMPTY && slot->cloud.type == FLUX_VALUE_NONE && !slot->fresh &&
           slot->unsettled_count == 0 && !is_memory(ledger, property);
}

void ledger_prune_one(struct ledger *ledger, struct flux_property *property)
{
    while (is_idle(ledger, property)) {
        struct flux_property *parent = property->parent;
        slot_clear(slot_of(property));
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
}
