#include "daemon/shadow/projection.h"

#include "daemon/shadow/path_glob.h"
#include "daemon/shadow/property_json.h"
#include <errno.h>

static bool holds_leaf(const struct flux_property *property)
{
    return ledger_has_value(property) && flux_property_is_leaf(property);
}

/* Tell whether a cut here takes away what the cloud holds at and below. */
static bool covers(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    bool spares_object = slot->cuts_scalar_only && slot->cloud.type == FLUX_VALUE_EMPTY_OBJECT;
    return property->cut && !spares_object;
}

/* Returns whether the walk has to look below. */
static bool enter(struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    bool above = property->parent && slot_of(property->parent)->covered;
    slot->covered = above || covers(property);
    slot->present = false;
    slot->walk_bytes = 0;
    slot->walk_children = 0;
    return !holds_leaf(property);
}

static void measure_own(const struct flux_property *property, struct slot *slot)
{
    bool cloud_counts = !slot->covered;
    slot->present = true;
    if (holds_leaf(property))
        slot->walk_bytes = flux_value_json_size(&property->value);
    else if (slot->walk_children > 0)
        slot->walk_bytes += 2 + slot->walk_children - 1; /* braces and commas */
    else if (ledger_has_value(property))
        slot->walk_bytes = 2;
    else if (cloud_counts && slot->cloud.type == FLUX_VALUE_EMPTY_OBJECT && property->parent)
        slot->walk_bytes = 2;
    else if (cloud_counts && slot->cloud.type != FLUX_VALUE_NONE && property->parent)
        slot->walk_bytes = flux_value_json_size(&slot->cloud);
    else
        slot->present = false;
}

/* An object is shown for what is shown of it, everything else where its own path may be. */
static void leave(struct flux_property *property, const struct path_filter *filter)
{
    struct slot *slot = slot_of(property);
    measure_own(property, slot);
    if (filter && slot->present && slot->walk_children == 0)
        slot->present = path_filter_has(filter, property->path, property->path_size);
    if (!slot->present || !property->parent)
        return;
    struct slot *parent = slot_of(property->parent);
    parent->walk_bytes += property_key_bytes(property) + 1 + slot->walk_bytes;
    parent->walk_children++;
}

static void measure(struct ledger *ledger, const struct path_filter *filter)
{
    struct flux_property *p = ledger->set.root;
    bool below = enter(p);
    while (true) {
        if (below && p->first_child) {
            p = p->first_child;
            below = enter(p);
            continue;
        }
        leave(p, filter);
        while (p->parent && !p->next) {
            p = p->parent;
            leave(p, filter);
        }
        if (!p->parent)
            break;
        p = p->next;
        below = enter(p);
    }
}

size_t projection_measure(struct ledger *ledger)
{
    measure(ledger, NULL);
    const struct slot *root = slot_of(ledger->set.root);
    return root->present ? root->walk_bytes : 0;
}

/* Write a present property's value, or begin its object. Returns whether an object was begun. */
static bool write_one(const struct flux_property *property, struct flux_json_writer *writer)
{
    const struct slot *slot = slot_of(property);
    if (holds_leaf(property)) {
        flux_json_value(writer, &property->value);
        return false;
    }
    bool is_object = slot->walk_children > 0 || ledger_has_value(property) ||
                     slot->cloud.type == FLUX_VALUE_EMPTY_OBJECT;
    if (is_object)
        flux_json_begin_object(writer);
    else
        flux_json_value(writer, &slot->cloud);
    return is_object;
}

static const struct flux_property *next_present(const struct flux_property *property)
{
    while (property && !slot_of(property)->present)
        property = property->next;
    return property;
}

static void write_below(const struct flux_property *top, struct flux_json_writer *writer)
{
    const struct flux_property *p = top;
    bool open = write_one(p, writer);
    while (true) {
        const struct flux_property *next = open ? next_present(p->first_child) : NULL;
        while (!next) {
            if (open)
                flux_json_end_object(writer);
            if (p == top)
                return;
            next = next_present(p->next);
            p = p->parent;
            open = true;
        }
        p = next;
        property_write_key(writer, p);
        open = write_one(p, writer);
    }
}

int projection_write(struct ledger *ledger, const char *path, size_t path_size,
                     const struct path_filter *filter, struct flux_json_writer *writer)
{
    measure(ledger, filter);
    const struct flux_property *top = flux_property_set_find(&ledger->set, path, path_size);
    if (!top)
        return -ENOENT;
    for (const struct flux_property *p = top; p; p = p->parent) {
        if (!slot_of(p)->present || (p != top && holds_leaf(p)))
            return -ENOENT;
    }
    write_below(top, writer);
    return writer->error;
}

/* Tell whether anything will stand below; the property's own `covered` is set. */
static bool has_below(const struct flux_property *top)
{
    for (struct flux_property *p = flux_property_next(top, top); p;
         p = flux_property_next(top, p)) {
        struct slot *slot = slot_of(p);
        slot->covered = slot_of(p->parent)->covered || covers(p);
        if (ledger_has_value(p) || (!slot->covered && slot->cloud.type != FLUX_VALUE_NONE))
            return true;
    }
    return false;
}

struct flux_value projection_at(struct ledger *ledger, const char *path, size_t path_size)
{
    struct flux_value none = {.type = FLUX_VALUE_NONE};
    const struct flux_property *top = flux_property_set_find(&ledger->set, path, path_size);
    if (!top)
        return none;
    struct slot *slot = slot_of(top);
    slot->covered = false;
    for (const struct flux_property *p = top; p; p = p->parent) {
        if (p != top && holds_leaf(p))
            return none;
        slot->covered = slot->covered || covers(p);
    }
    if (holds_leaf(top))
        return top->value;
    if (has_below(top))
        return flux_value_empty_object();
    if (ledger_has_value(top))
        return top->value;
    return slot->covered ? none : slot->cloud;
}
