#include "daemon/shadow/ledger.h"

#include <float.h>

static double magnitude(double a, double b)
{
    a = a < 0 ? -a : a;
    b = b < 0 ? -b : b;
    return a > b ? a : b;
}

static double real_of(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_INT64 ? (double)value->int64 : value->real;
}

static bool is_number(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_INT64 || value->type == FLUX_VALUE_DOUBLE;
}

/* Large integers differ exactly; in what is left, 20.6 and 20.5 differ by 0.1, whatever the last
 * bits of a double say. */
static bool is_within(const struct flux_value *a, const struct flux_value *b, double deadband)
{
    if (a->type == FLUX_VALUE_INT64 && b->type == FLUX_VALUE_INT64) {
        uint64_t distance = a->int64 > b->int64 ? (uint64_t)a->int64 - (uint64_t)b->int64
                                                : (uint64_t)b->int64 - (uint64_t)a->int64;
        return (double)distance <= deadband;
    }
    double distance = real_of(a) - real_of(b);
    double slack = 2 * DBL_EPSILON * magnitude(real_of(a), real_of(b));
    return (distance < 0 ? -distance : distance) <= deadband + slack;
}

bool ledger_is_within_deadband(const struct flux_property *property, const struct flux_value *a,
                               const struct flux_value *b)
{
    const struct policy *policy = slot_of(property)->policy;
    return policy && policy->deadband > 0 && is_number(a) && is_number(b) &&
           is_within(a, b, policy->deadband);
}

static bool is_within_deadband(const struct flux_property *property)
{
    return ledger_is_within_deadband(property, &property->value, &slot_of(property)->cloud);
}

static bool is_as_sent(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    return flux_value_equal(&property->value, &slot->cloud) ||
           (slot->form.type != FLUX_VALUE_NONE && flux_value_equal(&slot->form, &slot->cloud));
}

bool ledger_value_is_close(const struct flux_property *property)
{
    return is_within_deadband(property) && !is_as_sent(property);
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
    return is_as_sent(property) || is_within_deadband(property);
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
        bool is_null = p->parent && !is_absent && !is_our_leaf && !ledger_has_value_below(p);
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

bool ledger_is_part_of_cut(const struct flux_property *property)
{
    while (property && !property->cut)
        property = property->parent;
    return property != NULL;
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
