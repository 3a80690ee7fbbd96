#include "daemon/shadow/ledger.h"

#include <stdlib.h>
#include <string.h>

void ledger_accept(struct ledger *ledger, struct flux_property *property, uint64_t revision,
                   int64_t version)
{
    struct slot *slot = slot_of(property);
    ledger->fate_serial++;
    ledger->settled_known = false;
    ledger_mark(ledger, property);
    if (revision > slot->settled_revision) {
        slot->earlier_revision = slot->settled_revision;
        slot->earlier_version = slot->accepted_version;
        slot->settled_revision = revision;
        slot->accepted_version = version > 0 ? version : 0;
    }
    if (property->cut && property->cut_revision <= revision)
        ledger_drop_cut(ledger, property);
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
    ledger->settled_known = false;
    ledger_mark(ledger, property);
    slot->refused_code = code;
    if (revision > slot->settled_revision) {
        if (slot->refused_revision != slot->settled_revision) /* else one refusal follows another */
            slot->refused_above = slot->settled_revision;
        slot->refused_revision = revision;
        slot->settled_revision = revision;
    }
    if (property->cut && property->cut_revision <= revision)
        ledger_drop_cut(ledger, property);
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

void ledger_forget(struct ledger *ledger, struct flux_property *property, int code,
                   const char *text)
{
    if (slot_of(property)->state == SLOT_PENDING)
        ledger_refuse(ledger, property, ledger_newest(property), code, text);
    if (property->cut)
        ledger_drop_cut(ledger, property);
    ledger_mark(ledger, property);
    flux_property_set_drop_value(&ledger->set, property);
    flux_value_clear(&slot_of(property)->form);
    ledger_set_state(ledger, property, SLOT_EMPTY);
    ledger->fate_serial++; /* what is reported there is the cloud's from now on */
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
    else if (slot->state == SLOT_PENDING && newest >= revision && slot->oldest_revision <= revision)
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

uint64_t ledger_settled_revision(struct ledger *ledger)
{
    if (ledger->pending.count == 0)
        return ledger->newest_revision;
    /* A report that only joins the pending, or replaces a value there, lies above what has settled.
     */
    if (ledger->settled_known)
        return ledger->settled_revision;
    uint64_t settled = ledger->newest_revision;
    for (const struct flux_property *p = ledger->pending.first; p; p = slot_of(p)->queue_next) {
        const struct slot *slot = slot_of(p);
        if (ledger_newest(p) > slot->settled_revision && slot->oldest_revision <= settled)
            settled = slot->oldest_revision - 1;
    }
    ledger->settled_revision = settled;
    ledger->settled_known = true;
    return settled;
}
