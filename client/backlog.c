#include "client/backlog.h"
#include "proto/limits.h"
#include <errno.h>
#include <stdlib.h>

static size_t text_bytes(const struct flux_value *value)
{
    return changes_value_has_text(value) ? value->size + (size_t)1 : 0;
}

static size_t node_bytes(size_t path_size)
{
    return sizeof(struct flux_property) + path_size + 1;
}

int backlog_init(struct backlog *backlog, size_t bytes_max, uint64_t hash_seed)
{
    *backlog = (struct backlog){.bytes_max = bytes_max};
    return flux_property_set_init(&backlog->set, 0, hash_seed);
}

void backlog_clear(struct backlog *backlog)
{
    flux_property_set_clear(&backlog->set);
    *backlog = (struct backlog){0};
}

bool backlog_is_empty(const struct backlog *backlog)
{
    return backlog->set.value_count + backlog->set.cut_count == 0;
}

static size_t count_bytes(const struct flux_property_set *set)
{
    size_t bytes = 0;
    const struct flux_property *property = set->root;
    while ((property = flux_property_next(set->root, property)) != NULL)
        bytes += node_bytes(property->path_size) + text_bytes(&property->value);
    return bytes;
}

/* Bytes of the nodes on the way to a path that is not there yet. */
static size_t missing_bytes(const struct flux_property_set *set, const char *path, size_t size)
{
    size_t bytes = 0;
    while (size > 0 && flux_property_set_find(set, path, size) == NULL) {
        bytes += node_bytes(size);
        while (size > 0 && path[size - 1] != '/')
            size--;
        if (size > 0)
            size--;
    }
    return bytes;
}

/* What an operation may add at most: it is told before anything is touched, so a report is kept as
 * a whole or not at all. */
static void count_growth(const struct flux_property_set *set, const struct flux_change *change,
                         size_t *bytes, size_t *entries)
{
    const struct flux_property *known =
        flux_property_set_find(set, change->path, change->path_size);
    if (known == NULL) {
        *bytes += missing_bytes(set, change->path, change->path_size) + text_bytes(&change->value);
        *entries += 1;
        return;
    }
    size_t old = text_bytes(&known->value), new = text_bytes(&change->value);
    *bytes += new > old ? new - old : 0;
    bool has_value = known->value.type != FLUX_VALUE_NONE;
    if (change->kind == FLUX_UNSET)
        *entries += known->cut ? 0 : 1;
    else
        *entries += has_value && change->value.type != FLUX_VALUE_EMPTY_OBJECT ? 0 : 1;
}

static bool has_room(const struct backlog *backlog, const struct changes *changes)
{
    const struct flux_property_set *set = &backlog->set;
    size_t bytes = backlog->bytes, entries = set->value_count + set->cut_count;
    for (size_t i = 0; i < changes->count; i++) {
        struct flux_change change = changes_get(changes, i);
        count_growth(set, &change, &bytes, &entries);
    }
    return bytes <= backlog->bytes_max && entries <= FLUX_PROPERTIES_MAX;
}

/* Free the node and those above it that hold nothing any more. */
static void prune(struct flux_property_set *set, struct flux_property *property)
{
    while (property != set->root) {
        struct flux_property *parent = property->parent;
        if (!flux_property_set_prune(set, property))
            return;
        property = parent;
    }
}

/* Free the nodes below `top` that an operation on it emptied. */
static void prune_below(struct flux_property_set *set, struct flux_property *top)
{
    flux_property_pin(top);
    struct flux_property *property = flux_property_next(top, top);
    while (property != NULL) {
        struct flux_property *next = flux_property_next(top, property);
        prune(set, property);
        property = next;
    }
    flux_property_unpin(top);
}

static int apply_one(struct backlog *backlog, const struct flux_change *change, uint64_t id,
                     int64_t set_us)
{
    struct flux_property_set *set = &backlog->set;
    const struct flux_property *known =
        flux_property_set_find(set, change->path, change->path_size);
    size_t old = known != NULL ? text_bytes(&known->value) : 0;
    struct flux_applied applied;
    int r = flux_property_set_apply(set, change->kind, change->path, change->path_size,
                                    change->kind == FLUX_SET ? &change->value : NULL, id, set_us,
                                    &applied);
    if (r < 0)
        return r == -ENOSPC ? -ENOBUFS : r;
    if (applied.cleared)
        prune_below(set, applied.property);
    if (known == NULL || applied.cleared || applied.converted != NULL)
        backlog->bytes = count_bytes(set);
    else
        backlog->bytes += text_bytes(&applied.property->value) - old;
    return 0;
}

int backlog_apply(struct backlog *backlog, const struct changes *changes, uint64_t id,
                  int64_t set_us)
{
    if (!has_room(backlog, changes))
        return -ENOBUFS;
    for (size_t i = 0; i < changes->count; i++) {
        struct flux_change change = changes_get(changes, i);
        int r = apply_one(backlog, &change, id, set_us);
        if (r < 0)
            return r;
    }
    return 0;
}

static void drop_range(struct backlog *backlog, uint64_t first_id, uint64_t last_id)
{
    struct flux_property_set *set = &backlog->set;
    if (backlog_is_empty(backlog))
        return;
    struct flux_property *property = flux_property_next(set->root, set->root);
    while (property != NULL) {
        struct flux_property *next = flux_property_next(set->root, property);
        if (property->revision >= first_id && property->revision <= last_id)
            flux_property_set_drop_value(set, property);
        if (property->cut_revision >= first_id && property->cut_revision <= last_id)
            flux_property_set_drop_cut(set, property);
        prune(set, property);
        property = next;
    }
    backlog->bytes = count_bytes(set);
}

void backlog_drop(struct backlog *backlog, uint64_t id)
{
    drop_range(backlog, 0, id);
}

void backlog_drop_one(struct backlog *backlog, uint64_t id)
{
    drop_range(backlog, id, id);
}

/* When a cut was made is kept in one of three places (property_set.h). Where a later `{}` on the
 * same path has moved it, an earlier time than the true one is told: the careful side. */
static int64_t cut_us(const struct flux_property *property)
{
    if (property->replaced)
        return property->replaced_us;
    if (property->cut_revision == property->revision)
        return property->set_us;
    return property->cleared_us;
}

static int compare_items(const void *a, const void *b)
{
    const struct backlog_item *left = a, *right = b;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    if (left->property->depth != right->property->depth)
        return left->property->depth < right->property->depth ? -1 : 1;
    return (int)right->is_cut - (int)left->is_cut;
}

int backlog_list(const struct backlog *backlog, uint64_t id, struct backlog_item **ret_items,
                 size_t *ret_count)
{
    const struct flux_property_set *set = &backlog->set;
    size_t room = set->value_count + set->cut_count, count = 0;
    *ret_items = NULL;
    *ret_count = 0;
    if (room == 0)
        return 0;
    struct backlog_item *items = malloc(room * sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    const struct flux_property *property = set->root;
    while ((property = flux_property_next(set->root, property)) != NULL) {
        if (property->cut && property->cut_revision > id)
            items[count++] =
                (struct backlog_item){property->cut_revision, cut_us(property), property, true};
        if (property->value.type != FLUX_VALUE_NONE && property->revision > id)
            items[count++] =
                (struct backlog_item){property->revision, property->set_us, property, false};
    }
    qsort(items, count, sizeof(*items), compare_items);
    *ret_items = items;
    *ret_count = count;
    return 0;
}
