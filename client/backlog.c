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
    *backlog = (struct backlog){.bytes_max = bytes_max, .hash_seed = hash_seed};
    return flux_property_set_init(&backlog->set, 0, hash_seed);
}

void backlog_clear(struct backlog *backlog)
{
    if (backlog->set.root != NULL)
        flux_property_set_clear(&backlog->set);
    if (backlog->settles.root != NULL)
        flux_property_set_clear(&backlog->settles);
    *backlog = (struct backlog){0};
}

bool backlog_is_empty(const struct backlog *backlog)
{
    return backlog->set.value_count + backlog->set.cut_count == 0 &&
           backlog->settles.cut_count == 0 && backlog->unset.id == 0 && backlog->settle.id == 0;
}

static size_t count_bytes(const struct flux_property_set *set)
{
    size_t bytes = 0;
    const struct flux_property *property = set->root;
    while (property != NULL && (property = flux_property_next(set->root, property)) != NULL)
        bytes += node_bytes(property->path_size) + text_bytes(&property->value);
    return bytes;
}

static void count_again(struct backlog *backlog)
{
    backlog->bytes = count_bytes(&backlog->set) + count_bytes(&backlog->settles);
}

/* Bytes of the nodes on the way to a path that is not there yet. Without a set, none is. */
static size_t missing_bytes(const struct flux_property_set *set, const char *path, size_t size)
{
    size_t bytes = 0;
    while (size > 0 && (set == NULL || flux_property_set_find(set, path, size) == NULL)) {
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
        set != NULL ? flux_property_set_find(set, change->path, change->path_size) : NULL;
    if (known == NULL) {
        *bytes += missing_bytes(set, change->path, change->path_size) + text_bytes(&change->value);
        *entries += 1;
        return;
    }
    size_t old = text_bytes(&known->value), new = text_bytes(&change->value);
    *bytes += new > old ? new - old : 0;
    bool has_value = known->value.type != FLUX_VALUE_NONE;
    if (change->kind != FLUX_SET)
        *entries += known->cut ? 0 : 1;
    else
        *entries += has_value && change->value.type != FLUX_VALUE_EMPTY_OBJECT ? 0 : 1;
}

static const struct flux_property_set *settles_or_none(const struct backlog *backlog)
{
    return backlog->settles.root != NULL ? &backlog->settles : NULL;
}

static bool has_room(const struct backlog *backlog, const struct changes *changes)
{
    const struct flux_property_set *set = &backlog->set;
    size_t bytes = backlog->bytes, entries = set->value_count + set->cut_count;
    size_t settle_entries = backlog->settles.cut_count;
    for (size_t i = 0; i < changes->count; i++) {
        struct flux_change change = changes_get(changes, i);
        if (change.kind == FLUX_SETTLE) {
            count_growth(settles_or_none(backlog), &change, &bytes, &settle_entries);
        } else if (change.path_size > 0) {
            count_growth(set, &change, &bytes, &entries);
        } else if (set != NULL) { /* all that was there goes */
            bytes -= count_bytes(set);
            entries = 0;
            set = NULL;
        }
    }
    return bytes <= backlog->bytes_max && entries <= FLUX_PROPERTIES_MAX &&
           settle_entries <= FLUX_PROPERTIES_MAX;
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

/* Forget what reports from `first_id` to `last_id` left on this node. */
static void drop_entries(struct flux_property_set *set, struct flux_property *property,
                         uint64_t first_id, uint64_t last_id)
{
    if (property->revision >= first_id && property->revision <= last_id)
        flux_property_set_drop_value(set, property);
    if (property->cut_revision >= first_id && property->cut_revision <= last_id)
        flux_property_set_drop_cut(set, property);
}

/* The same for all below `top`, which stays. */
static void drop_below(struct flux_property_set *set, struct flux_property *top, uint64_t first_id,
                       uint64_t last_id)
{
    struct flux_property *property = flux_property_next(top, top);
    while (property != NULL) {
        struct flux_property *next = flux_property_next(top, property);
        drop_entries(set, property, first_id, last_id);
        prune(set, property);
        property = next;
    }
}

/* An operation on the root leaves nothing of what was there. */
static void apply_root(struct flux_property_set *set, struct backlog_root *root, uint64_t id,
                       int64_t set_us)
{
    *root = (struct backlog_root){id, set_us};
    if (set->root != NULL)
        drop_below(set, set->root, 0, UINT64_MAX);
}

static int apply_path(struct backlog *backlog, struct flux_property_set *set,
                      const struct flux_change *change, uint64_t id, int64_t set_us)
{
    const struct flux_property *known =
        flux_property_set_find(set, change->path, change->path_size);
    size_t old = known != NULL ? text_bytes(&known->value) : 0;
    struct flux_applied applied;
    int r = flux_property_set_apply(
        set, change->kind == FLUX_SET ? FLUX_SET : FLUX_UNSET, change->path, change->path_size,
        change->kind == FLUX_SET ? &change->value : NULL, id, set_us, &applied);
    if (r < 0)
        return r == -ENOSPC ? -ENOBUFS : r;
    if (applied.cleared)
        prune_below(set, applied.property);
    if (known == NULL || applied.cleared || applied.converted != NULL)
        count_again(backlog);
    else
        backlog->bytes += text_bytes(&applied.property->value) - old;
    return 0;
}

static int apply_one(struct backlog *backlog, const struct flux_change *change, uint64_t id,
                     int64_t set_us)
{
    bool is_settle = change->kind == FLUX_SETTLE;
    struct flux_property_set *set = is_settle ? &backlog->settles : &backlog->set;
    if (change->path_size == 0) {
        apply_root(set, is_settle ? &backlog->settle : &backlog->unset, id, set_us);
        count_again(backlog);
        return 0;
    }
    int r = 0;
    if (set->root == NULL)
        r = flux_property_set_init(set, 0, backlog->hash_seed);
    return r < 0 ? r : apply_path(backlog, set, change, id, set_us);
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
    if (backlog_is_empty(backlog))
        return;
    drop_below(&backlog->set, backlog->set.root, first_id, last_id);
    if (backlog->settles.root != NULL)
        drop_below(&backlog->settles, backlog->settles.root, first_id, last_id);
    if (backlog->unset.id >= first_id && backlog->unset.id <= last_id)
        backlog->unset.id = 0;
    if (backlog->settle.id >= first_id && backlog->settle.id <= last_id)
        backlog->settle.id = 0;
    count_again(backlog);
}

void backlog_drop(struct backlog *backlog, uint64_t id)
{
    drop_range(backlog, 0, id);
}

void backlog_drop_one(struct backlog *backlog, uint64_t id)
{
    drop_range(backlog, id, id);
}

void backlog_forget(struct backlog *backlog, const char *path, size_t path_size, uint64_t id)
{
    struct flux_property_set *set = &backlog->set;
    struct flux_property *top = flux_property_set_find(set, path, path_size);
    if (top == NULL)
        return;
    flux_property_pin(top);
    drop_below(set, top, 0, id);
    flux_property_unpin(top);
    drop_entries(set, top, 0, id);
    prune(set, top);
    if (path_size == 0 && backlog->unset.id <= id)
        backlog->unset.id = 0;
    count_again(backlog);
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

/* Settles last; else by depth, and at the same path what removes before what sets. */
static int compare_items(const void *a, const void *b)
{
    const struct backlog_item *left = a, *right = b;
    if (left->id != right->id)
        return left->id < right->id ? -1 : 1;
    bool left_settles = left->kind == FLUX_SETTLE, right_settles = right->kind == FLUX_SETTLE;
    if (left_settles != right_settles)
        return left_settles ? 1 : -1;
    if (left->depth != right->depth)
        return left->depth < right->depth ? -1 : 1;
    return (int)right->kind - (int)left->kind;
}

static size_t list_root(const struct backlog_root *root, enum flux_operation kind, uint64_t id,
                        struct backlog_item *ret_item)
{
    if (root->id <= id)
        return 0;
    *ret_item =
        (struct backlog_item){.id = root->id, .set_us = root->set_us, .kind = kind, .path = ""};
    return 1;
}

static struct backlog_item make_item(const struct flux_property *property, enum flux_operation kind)
{
    bool is_set = kind == FLUX_SET;
    return (struct backlog_item){
        .id = is_set ? property->revision : property->cut_revision,
        .set_us = is_set ? property->set_us : cut_us(property),
        .kind = kind,
        .path = property->path,
        .path_size = property->path_size,
        .depth = property->depth,
        .value = is_set ? &property->value : NULL,
    };
}

static size_t list_set(const struct flux_property_set *set, enum flux_operation cut_kind,
                       uint64_t id, struct backlog_item *ret_items)
{
    size_t count = 0;
    const struct flux_property *property = set->root;
    while (property != NULL && (property = flux_property_next(set->root, property)) != NULL) {
        if (property->cut && property->cut_revision > id)
            ret_items[count++] = make_item(property, cut_kind);
        if (property->value.type != FLUX_VALUE_NONE && property->revision > id)
            ret_items[count++] = make_item(property, FLUX_SET);
    }
    return count;
}

int backlog_list(const struct backlog *backlog, uint64_t id, struct backlog_item **ret_items,
                 size_t *ret_count)
{
    *ret_items = NULL;
    *ret_count = 0;
    if (backlog_is_empty(backlog))
        return 0;
    size_t room =
        backlog->set.value_count + backlog->set.cut_count + backlog->settles.cut_count + 2;
    struct backlog_item *items = malloc(room * sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    size_t count = list_root(&backlog->unset, FLUX_UNSET, id, items);
    count += list_set(&backlog->set, FLUX_UNSET, id, items + count);
    count += list_root(&backlog->settle, FLUX_SETTLE, id, items + count);
    count += list_set(&backlog->settles, FLUX_SETTLE, id, items + count);
    qsort(items, count, sizeof(*items), compare_items);
    *ret_items = items;
    *ret_count = count;
    return 0;
}
