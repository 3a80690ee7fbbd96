/* What an operation would set and remove, held against the paths that its program may report. */
#include "daemon/shadow/path_glob.h"
#include "daemon/shadow/shadow_private.h"
#include <string.h>

/* Tell whether removing the node would remove something of the programs' or of the cloud's. An
 * object that holds more counts by what it holds. */
static bool holds_something(const struct flux_property *node)
{
    const struct slot *slot = slot_of(node);
    const bool is_object = slot->cloud.type == FLUX_VALUE_EMPTY_OBJECT;
    return ledger_has_value(node) ||
           (slot->cloud.type != FLUX_VALUE_NONE && (!is_object || !node->first_child));
}

/* A value, or an array, that something put below it takes away. */
static bool is_replaced_below(const struct flux_property *node)
{
    const struct slot *slot = slot_of(node);
    return (ledger_has_value(node) && flux_property_is_leaf(node)) ||
           (slot->cloud.type != FLUX_VALUE_NONE && slot->cloud.type != FLUX_VALUE_EMPTY_OBJECT);
}

/* The node that the filter lacks; NULL: none of these. */
struct denied {
    const char *path; /* borrowed; NULL: nothing is denied */
    size_t size;
};

static struct denied denied_node(const struct flux_property *node)
{
    return (struct denied){node->path, node->path_size};
}

static bool lacks(const struct path_filter *filter, const struct flux_property *node)
{
    return !path_filter_has(filter, node->path, node->path_size);
}

/* What stands below goes where a value, an array or a removal takes its place. */
static struct denied find_below(struct shadow *shadow, const char *path, size_t path_size,
                                const struct path_filter *filter)
{
    const struct flux_property *top = flux_property_set_find(&shadow->ledger.set, path, path_size);
    for (const struct flux_property *p = top ? flux_property_next(top, top) : NULL; p;
         p = flux_property_next(top, p)) {
        shadow->size.effort++;
        if (holds_something(p) && lacks(filter, p))
            return denied_node(p);
    }
    return (struct denied){0};
}

/* A value above goes where something is put below it, or removed there. */
static struct denied find_above(const struct shadow *shadow, const char *path, size_t path_size,
                                const struct path_filter *filter)
{
    const struct flux_property *p = NULL;
    while (!p && path_size > 0) {
        do
            path_size--;
        while (path_size > 0 && path[path_size] != '/');
        p = flux_property_set_find(&shadow->ledger.set, path, path_size);
    }
    for (; p; p = p->parent) {
        if (is_replaced_below(p) && lacks(filter, p))
            return denied_node(p);
    }
    return (struct denied){0};
}

static struct denied find_wish(struct shadow *shadow, const char *path, size_t path_size,
                               const struct path_filter *filter)
{
    const struct flux_property *top =
        flux_property_set_find(&shadow->view.desired.set, path, path_size);
    for (const struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        shadow->size.effort++;
        if (desired_is_leaf(p) && lacks(filter, p))
            return denied_node(p);
    }
    return (struct denied){0};
}

static struct denied find_denied(struct shadow *shadow, const struct shadow_operation *operation,
                                 const struct path_filter *filter)
{
    const char *path = operation->path;
    const size_t size = operation->path_size;
    if (!path_filter_has(filter, path, size))
        return (struct denied){path ? path : "", size};
    if (operation->kind == FLUX_SETTLE)
        return find_wish(shadow, path, size, filter);
    const struct denied above = find_above(shadow, path, size, filter);
    const bool merges =
        operation->kind == FLUX_SET && operation->value.type == FLUX_VALUE_EMPTY_OBJECT;
    return above.path || merges ? above : find_below(shadow, path, size, filter);
}

static bool tell(const struct denied *denied, char ret_path[static FLUX_PATH_BYTES_MAX + 1])
{
    const size_t size = denied->size < FLUX_PATH_BYTES_MAX ? denied->size : FLUX_PATH_BYTES_MAX;
    if (!denied->path)
        return false;
    memcpy(ret_path, denied->path, size);
    ret_path[size] = '\0';
    return true;
}

bool shadow_find_denied(struct shadow *shadow, const struct shadow_operation *operation,
                        const struct path_filter *filter,
                        char ret_path[static FLUX_PATH_BYTES_MAX + 1])
{
    const struct denied denied = find_denied(shadow, operation, filter);
    return tell(&denied, ret_path);
}

/* Who forgets a path gives up the wishes, too, that are waiting there to be settled. */
static struct denied find_settle(struct shadow *shadow, const char *path, size_t path_size,
                                 const struct path_filter *filter)
{
    const struct flux_property *top = flux_property_set_find(&shadow->settles.set, path, path_size);
    for (const struct flux_property *p = top; p; p = flux_property_next(top, p)) {
        shadow->size.effort++;
        if (settle_of(p)->waits && lacks(filter, p))
            return denied_node(p);
    }
    return (struct denied){0};
}

bool shadow_find_denied_held(struct shadow *shadow, const char *path, size_t path_size,
                             const struct path_filter *filter,
                             char ret_path[static FLUX_PATH_BYTES_MAX + 1])
{
    const struct flux_property *top = flux_property_set_find(&shadow->ledger.set, path, path_size);
    struct denied denied = {0};
    for (const struct flux_property *p = top; p && !denied.path; p = flux_property_next(top, p)) {
        shadow->size.effort++;
        if (slot_of(p)->state != SLOT_EMPTY && lacks(filter, p))
            denied = denied_node(p);
    }
    if (!denied.path)
        denied = find_settle(shadow, path, path_size, filter);
    return tell(&denied, ret_path);
}
