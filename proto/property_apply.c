#include "proto/limits.h"
#include "proto/property_set.h"
#include <errno.h>
#include <string.h>

/* What an operation is going to do, found out before anything is touched. */
struct plan {
    enum flux_operation operation;
    const struct flux_value *value; /* NULL for an unset */
    bool replaces;                  /* all below the path goes */
    bool leaves_value;
    bool leaves_cut; /* on the path itself */
    bool cuts_anew;  /* the cut is of this operation */
};

static bool has_value(const struct flux_property *property)
{
    return property->value.type != FLUX_VALUE_NONE;
}

static size_t entry_count(const struct flux_property *property)
{
    return (has_value(property) ? 1u : 0u) + (property->cut ? 1u : 0u);
}

static size_t entries_below(const struct flux_property *top)
{
    size_t count = 0;
    const struct flux_property *property = top;
    while ((property = flux_property_next(top, property)) != NULL)
        count += entry_count(property);
    return count;
}

/* `known` is the path's node, or NULL. */
static struct plan plan_operation(enum flux_operation operation, const struct flux_value *value,
                                  const struct flux_property *known)
{
    struct plan plan = {.operation = operation, .value = value};
    if (operation == FLUX_UNSET) {
        plan.replaces = true;
        plan.leaves_cut = true;
        plan.cuts_anew = true;
        return plan;
    }
    plan.leaves_value = true;
    plan.replaces = value->type != FLUX_VALUE_EMPTY_OBJECT;
    if (!plan.replaces && known != NULL) {
        plan.cuts_anew = flux_property_is_leaf(known);
        plan.leaves_cut = plan.cuts_anew || known->cut;
    }
    return plan;
}

/* An ancestor's conversion trades a value for a cut, so it does not count. */
static bool has_room(const struct flux_property_set *set, const struct plan *plan,
                     const struct flux_property *known)
{
    size_t total = set->value_count + set->cut_count;
    size_t added = (plan->leaves_value ? 1u : 0u) + (plan->leaves_cut ? 1u : 0u);
    if (total + added <= FLUX_PROPERTIES_MAX)
        return true;
    size_t dropped = known != NULL ? entry_count(known) : 0;
    if (known != NULL && plan->replaces)
        dropped += entries_below(known);
    return total - dropped + added <= FLUX_PROPERTIES_MAX;
}

bool flux_property_set_has_room(const struct flux_property_set *set, enum flux_operation operation,
                                const char *path, size_t path_size, const struct flux_value *value)
{
    const struct flux_property *known = flux_property_set_find(set, path, path_size);
    struct plan plan = plan_operation(operation, value, known);
    return has_room(set, &plan, known);
}

/* Free the nodes that this operation had created on its way to `property`. */
static void undo_nodes(struct flux_property_set *set, struct flux_property *property,
                       size_t node_count)
{
    while (set->node_count > node_count) {
        struct flux_property *parent = property->parent;
        if (!flux_property_set_prune(set, property))
            return;
        property = parent;
    }
}

/* The only step that writes a value; nothing that can fail comes after it. */
static int store_value(struct flux_property_set *set, struct flux_property *property,
                       const struct flux_value *value, bool *ret_changed)
{
    bool is_new = !has_value(property);
    bool changed = !flux_value_equal(&property->value, value);
    bool is_text = value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
    if (changed || !is_text) {
        int r = flux_value_assign(&property->value, value);
        if (r < 0)
            return r;
    }
    if (is_new)
        set->value_count++;
    *ret_changed = changed;
    return 0;
}

static void make_cut(struct flux_property_set *set, struct flux_property *property,
                     uint64_t revision, bool replaced)
{
    if (!property->cut)
        set->cut_count++;
    property->cut = true;
    property->replaced = replaced;
    property->cut_revision = revision;
}

/* Turn the one ancestor that may hold a scalar or array into a cut. */
static struct flux_property *convert_ancestor(struct flux_property_set *set,
                                              struct flux_property *property, uint64_t revision,
                                              int64_t set_us)
{
    struct flux_property *ancestor = property->parent;
    while (ancestor != NULL && !flux_property_is_leaf(ancestor))
        ancestor = ancestor->parent;
    if (ancestor == NULL)
        return NULL;
    flux_property_set_drop_value(set, ancestor);
    make_cut(set, ancestor, revision, true);
    ancestor->replaced_us = set_us;
    return ancestor;
}

static void clear_below(struct flux_property_set *set, struct flux_property *top,
                        struct flux_applied *applied)
{
    struct flux_property *property = top;
    while ((property = flux_property_next(top, property)) != NULL) {
        applied->walked++;
        if (entry_count(property) == 0)
            continue;
        flux_property_set_drop_value(set, property);
        flux_property_set_drop_cut(set, property);
        applied->cleared = true;
    }
}

static void commit_entry(struct flux_property_set *set, const struct plan *plan,
                         struct flux_property *property, uint64_t revision, int64_t set_us)
{
    if (!plan->leaves_value)
        flux_property_set_drop_value(set, property);
    if (!plan->leaves_cut)
        flux_property_set_drop_cut(set, property);
    else if (plan->cuts_anew)
        make_cut(set, property, revision, false);
    property->revision = revision;
    property->set_us = set_us;
    if (plan->replaces)
        property->cleared_us = set_us;
}

int flux_property_set_apply(struct flux_property_set *set, enum flux_operation operation,
                            const char *path, size_t path_size, const struct flux_value *value,
                            uint64_t revision, int64_t set_us, struct flux_applied *ret_applied)
{
    if (path_size == 0 && operation != FLUX_UNSET)
        return -EINVAL;
    struct flux_property *property = flux_property_set_find(set, path, path_size);
    struct plan plan = plan_operation(operation, value, property);
    if (!has_room(set, &plan, property))
        return -ENOSPC;
    size_t node_count = set->node_count;
    if (property == NULL) {
        int r = flux_property_set_touch(set, path, path_size, &property);
        if (r < 0)
            return r;
    }
    /* No entry has a leaf above it, and no leaf an entry below it: a path that held an entry needs
     * no look above, one that held a leaf none below. */
    bool was_leaf = flux_property_is_leaf(property);
    bool was_entry = entry_count(property) > 0;
    struct flux_applied applied = {.property = property};
    if (operation == FLUX_SET) {
        int r = store_value(set, property, value, &applied.value_changed);
        if (r < 0) {
            undo_nodes(set, property, node_count);
            return r;
        }
    } else {
        applied.value_changed = has_value(property) || !property->cut;
    }
    if (!was_entry)
        applied.converted = convert_ancestor(set, property, revision, set_us);
    if (plan.replaces && !was_leaf)
        clear_below(set, property, &applied);
    commit_entry(set, &plan, property, revision, set_us);
    *ret_applied = applied;
    return 0;
}

static bool is_newer_below(const struct flux_property *top, int64_t set_us)
{
    const struct flux_property *property = top;
    while ((property = flux_property_next(top, property)) != NULL)
        if (property->set_us > set_us)
            return true;
    return false;
}

bool flux_property_set_is_superseded(const struct flux_property_set *set, const char *path,
                                     size_t path_size, int64_t set_us)
{
    const struct flux_property *property = flux_property_set_find(set, path, path_size);
    if (property != NULL) {
        if (property->set_us > set_us || property->replaced_us > set_us)
            return true;
        if (is_newer_below(property, set_us))
            return true;
    }
    /* The path may be unknown below an ancestor that was set or unset. */
    for (size_t size = path_size; size > 0;) {
        while (size > 0 && path[size - 1] != '/')
            size--;
        if (size > 0)
            size--;
        const struct flux_property *ancestor = flux_property_set_find(set, path, size);
        if (ancestor != NULL && ancestor->cleared_us > set_us)
            return true;
    }
    return false;
}
