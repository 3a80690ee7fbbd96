#include "daemon/shadow/desired.h"

#include "daemon/shadow/path_glob.h"
#include "daemon/shadow/property_json.h"
#include "proto/path.h"
#include <errno.h>

int desired_init(struct desired *desired, uint64_t hash_seed)
{
    *desired = (struct desired){0};
    return flux_property_set_init(&desired->set, sizeof(struct desire), hash_seed);
}

void desired_clear(struct desired *desired)
{
    if (desired->set.root)
        flux_property_set_clear(&desired->set);
}

bool desired_is_leaf(const struct flux_property *node)
{
    if (node->value.type == FLUX_VALUE_EMPTY_OBJECT)
        return !node->first_child;
    return node->value.type != FLUX_VALUE_NONE;
}

static void prune(struct desired *desired)
{
    struct flux_property *root = desired->set.root;
    struct flux_property *p = flux_property_next(root, root);
    while (p) {
        struct flux_property *next = flux_property_next(root, p);
        while (p && p->parent) {
            struct flux_property *parent = p->parent;
            if (!flux_property_set_prune(&desired->set, p))
                break;
            p = parent;
        }
        p = next;
    }
}

/* --- merging --- */

struct merge {
    struct desired *desired;
    struct flux_property *at; /* the object that the walk is in */
    const json_t *metadata;
    int64_t now_ms;
    bool from_get; /* nulls count as absent, equal values as unchanged */
};

static int apply(struct merge *merge, struct flux_property *node, const struct flux_value *value)
{
    struct flux_property_set *set = &merge->desired->set;
    struct flux_applied applied;
    enum flux_operation kind = value ? FLUX_SET : FLUX_UNSET;
    int r = flux_property_set_apply(set, kind, node->path, node->path_size, value, 1, 0, &applied);
    if (r < 0)
        return r;
    merge->desired->change_count++;
    if (node->cut)
        flux_property_set_drop_cut(set, node);
    if (applied.converted)
        flux_property_set_drop_cut(set, applied.converted);
    return 0;
}

static void note_change(struct merge *merge, struct flux_property *node)
{
    merge->desired->change_count++;
    desire_of(node)->serial = merge->desired->serial;
    desire_of(node)->changed_ms = merge->now_ms;
}

/* When a value was wished, as the service says; 0 where it does not. An array has the time in each
 * of its elements. */
static int64_t find_timestamp(const json_t *metadata, const struct flux_property *node)
{
    char key[FLUX_PATH_BYTES_MAX + 1];
    size_t size;
    const char *cursor = node->path;
    const json_t *at = metadata;
    while (at && flux_path_next_key(&cursor, node->path + node->path_size, key, &size)) {
        key[size] = '\0';
        at = json_object_get(at, key);
    }
    if (json_is_array(at))
        at = json_array_get(at, 0);
    return json_integer_value(json_object_get(at, "timestamp"));
}

/* A get shows the value that was known, but somebody may have wished it again. */
static void read_timestamp(struct merge *merge, struct flux_property *node)
{
    struct desire *desire = desire_of(node);
    int64_t timestamp = find_timestamp(merge->metadata, node);
    if (desire->timestamp > 0 && timestamp > desire->timestamp)
        note_change(merge, node);
    merge->desired->change_count += desire->timestamp != timestamp;
    desire->timestamp = timestamp;
}

static int merge_leaf(struct merge *merge, struct flux_property *node,
                      const struct flux_value *value)
{
    bool is_equal = node->value.type != FLUX_VALUE_NONE && flux_value_equal(&node->value, value);
    int r = is_equal && merge->from_get ? 0 : apply(merge, node, value);
    if (r < 0)
        return r;
    if (!is_equal || !merge->from_get)
        note_change(merge, node);
    desire_of(node)->left_over = false;
    read_timestamp(merge, node);
    return 0;
}

static int merge_object(struct merge *merge, struct flux_property *node)
{
    struct flux_value object = flux_value_empty_object();
    bool was_object = node->value.type == FLUX_VALUE_EMPTY_OBJECT;
    merge->at = node;
    if (was_object && merge->from_get)
        return 0;
    desire_of(node)->left_over = false;
    note_change(merge, node);
    return was_object ? 0 : apply(merge, node, &object);
}

static int merge_item(struct merge *merge, const struct cloud_item *item)
{
    struct flux_property *node;
    if (item->step == CLOUD_LEAVE) {
        merge->at = merge->at->parent;
        return 0;
    }
    if (item->step == CLOUD_NULL && merge->from_get)
        return 0;
    int r =
        flux_property_set_child(&merge->desired->set, merge->at, item->key, item->key_size, &node);
    if (r < 0)
        return r;
    desire_of(node)->round = merge->desired->round;
    if (item->step == CLOUD_LEAF)
        return merge_leaf(merge, node, &item->value);
    if (item->step == CLOUD_ENTER)
        return merge_object(merge, node);
    desire_of(merge->at)->left_over = true; /* if nothing else is left in it */
    return apply(merge, node, NULL);
}

static int merge_all(struct merge *merge, const json_t *object)
{
    struct cloud_walk walk;
    struct cloud_item item = {.step = CLOUD_LEAVE};
    int r = 0;
    merge->at = merge->desired->set.root;
    merge->desired->serial++;
    merge->desired->round++;
    cloud_walk_begin(&walk, object);
    while (r == 0) {
        r = cloud_walk_next(&walk, &item);
        if (r < 0 || item.step == CLOUD_END)
            break;
        r = merge_item(merge, &item);
    }
    cloud_walk_end(&walk);
    return r;
}

int desired_merge(struct desired *desired, const json_t *object, const json_t *metadata,
                  int64_t now_ms)
{
    struct merge merge = {.desired = desired, .metadata = metadata, .now_ms = now_ms};
    int r = merge_all(&merge, object);
    prune(desired);
    return r;
}

int desired_replace(struct desired *desired, const json_t *object, const json_t *metadata,
                    int64_t now_ms)
{
    struct merge merge = {
        .desired = desired, .metadata = metadata, .now_ms = now_ms, .from_get = true};
    int r = merge_all(&merge, object);
    if (r == -ENOSPC) { /* the old and the new have no room side by side */
        desired_empty(desired);
        r = merge_all(&merge, object);
    }
    struct flux_property *root = desired->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        if (!p->parent || desire_of(p)->round == desired->round)
            continue;
        desired->change_count += p->value.type != FLUX_VALUE_NONE;
        flux_property_set_drop_value(&desired->set, p);
        if (p->parent->value.type == FLUX_VALUE_EMPTY_OBJECT)
            desire_of(p->parent)->left_over = true; /* if nothing else is left in it */
    }
    prune(desired);
    return r;
}

void desired_empty(struct desired *desired)
{
    struct flux_property *root = desired->set.root;
    desired->change_count += desired->set.value_count > 0;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        flux_property_set_drop_value(&desired->set, p);
    prune(desired);
}

/* --- writing --- */

enum showing { SHOW_ALL, SHOW_NULLS, SHOW_DIFFERING, SHOW_TIMES, SHOW_REST };

static bool is_shown(const struct flux_property *node, enum showing showing)
{
    const struct desire *desire = desire_of(node);
    switch (showing) {
    case SHOW_ALL:
        return true;
    case SHOW_NULLS:
        return desire->emit_null || desire->emit_below;
    case SHOW_DIFFERING:
    case SHOW_TIMES:
        return desire->differs || desire->emit_below;
    case SHOW_REST:
        return !desire->emit_null;
    }
    return true;
}

static const struct flux_property *next_shown(const struct flux_property *node,
                                              enum showing showing)
{
    while (node && !is_shown(node, showing))
        node = node->next;
    return node;
}

static void write_time(const struct flux_property *node, struct flux_json_writer *writer)
{
    flux_json_begin_object(writer);
    flux_json_key_text(writer, "timestamp");
    flux_json_int64(writer, desire_of(node)->timestamp);
    flux_json_end_object(writer);
}

/* Write one node; returns whether it began an object. */
static bool write_one(const struct flux_property *node, enum showing showing,
                      struct flux_json_writer *writer)
{
    bool is_null = showing == SHOW_NULLS && desire_of(node)->emit_null;
    bool is_time = showing == SHOW_TIMES && node->parent && desired_is_leaf(node);
    bool is_object = (!node->parent || node->value.type == FLUX_VALUE_EMPTY_OBJECT) && !is_time;
    if (is_time)
        write_time(node, writer);
    else if (is_null)
        flux_json_null(writer);
    else if (is_object)
        flux_json_begin_object(writer);
    else
        flux_json_value(writer, &node->value);
    return is_object && !is_null;
}

static void write_tree(const struct flux_property *top, enum showing showing,
                       struct flux_json_writer *writer)
{
    const struct flux_property *p = top;
    bool open = write_one(p, showing, writer);
    while (true) {
        const struct flux_property *next = open ? next_shown(p->first_child, showing) : NULL;
        while (!next) { /* leave as many objects as end here */
            if (open)
                flux_json_end_object(writer);
            if (p == top)
                return;
            next = next_shown(p->next, showing);
            p = p->parent;
            open = true;
        }
        p = next;
        property_write_key(writer, p);
        open = write_one(p, showing, writer);
    }
}

/* Mark the objects around the nodes that are to be shown. */
static void mark_around(struct desired *desired, enum showing showing)
{
    struct flux_property *root = desired->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->emit_below = false;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        bool is_marked = showing == SHOW_NULLS ? desire_of(p)->emit_null : desire_of(p)->differs;
        for (struct flux_property *a = p->parent; is_marked && a && !desire_of(a)->emit_below;
             a = a->parent)
            desire_of(a)->emit_below = true;
    }
}

int desired_write(const struct desired *desired, const char *path, size_t path_size,
                  struct flux_json_writer *writer)
{
    const struct flux_property *top = flux_property_set_find(&desired->set, path, path_size);
    if (!top || (!top->first_child && top->value.type == FLUX_VALUE_NONE))
        return -ENOENT;
    write_tree(top, SHOW_ALL, writer);
    return writer->error;
}

int desired_write_nulls(struct desired *desired, struct flux_json_writer *writer)
{
    mark_around(desired, SHOW_NULLS);
    write_tree(desired->set.root, SHOW_NULLS, writer);
    return writer->error;
}

int desired_write_differing(struct desired *desired, const char *path, size_t path_size,
                            struct flux_json_writer *writer)
{
    mark_around(desired, SHOW_DIFFERING);
    const struct flux_property *top = flux_property_set_find(&desired->set, path, path_size);
    if (!top || !is_shown(top, SHOW_DIFFERING))
        return -ENOENT;
    write_tree(top, SHOW_DIFFERING, writer);
    return writer->error;
}

int desired_write_shown(struct desired *desired, const char *path, size_t path_size,
                        const struct path_filter *filter, struct flux_json_writer *writer)
{
    const struct flux_property *root = desired->set.root;
    for (const struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->differs =
            desired_is_leaf(p) && path_filter_has(filter, p->path, p->path_size);
    return desired_write_differing(desired, path, path_size, writer);
}

int desired_write_known(struct desired *desired, const char *path, size_t path_size,
                        uint64_t known_serial, struct flux_json_writer *writer)
{
    struct flux_property *root = desired->set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->differs = false;
    struct flux_property *top = flux_property_set_find(&desired->set, path, path_size);
    for (struct flux_property *p = top; p; p = flux_property_next(top, p))
        desire_of(p)->differs = desired_is_leaf(p) && desire_of(p)->serial <= known_serial;
    mark_around(desired, SHOW_DIFFERING);
    flux_json_begin_object(writer);
    flux_json_key_text(writer, "state");
    flux_json_begin_object(writer);
    flux_json_key_text(writer, "desired");
    write_tree(root, SHOW_DIFFERING, writer);
    flux_json_end_object(writer);
    flux_json_key_text(writer, "metadata");
    flux_json_begin_object(writer);
    flux_json_key_text(writer, "desired");
    write_tree(root, SHOW_TIMES, writer);
    flux_json_end_object(writer);
    flux_json_end_object(writer);
    return writer->error;
}

static size_t measure(const struct desired *desired, enum showing showing)
{
    const struct flux_property *root = desired->set.root;
    struct flux_json_writer writer;
    if (!is_shown(root, showing) || !next_shown(root->first_child, showing))
        return 0;
    flux_json_writer_init(&writer, 0);
    write_tree(root, showing, &writer);
    size_t bytes = writer.size;
    flux_json_writer_clear(&writer);
    return bytes;
}

size_t desired_measure(const struct desired *desired)
{
    return measure(desired, SHOW_ALL);
}

size_t desired_measure_rest(const struct desired *desired)
{
    return measure(desired, SHOW_REST);
}
