#include "proto/property_set.h"
#include "proto/limits.h"
#include "proto/siphash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INITIAL_BUCKETS 16u /* always a power of two */

static uint64_t path_hash(const struct flux_property_set *set, const char *path, size_t path_size)
{
    return flux_siphash(path, path_size, set->hash_seed);
}

static struct flux_property **bucket_of(const struct flux_property_set *set, uint64_t hash)
{
    return &set->buckets[hash & (set->bucket_count - 1)];
}

/* One allocation holds the node, its extension and its path. */
static struct flux_property *property_new(const struct flux_property_set *set, const char *path,
                                          size_t path_size)
{
    struct flux_property *property =
        calloc(1, sizeof(*property) + set->extension_size + path_size + 1);
    if (property == NULL)
        return NULL;
    char *own_path = (char *)property->extension + set->extension_size;
    if (path_size > 0)
        memcpy(own_path, path, path_size);
    property->path = own_path;
    property->path_size = (uint32_t)path_size;
    return property;
}

static void property_free(struct flux_property *property)
{
    flux_value_clear(&property->value);
    free(property);
}

int flux_property_set_init(struct flux_property_set *set, size_t extension_size, uint64_t hash_seed)
{
    struct flux_property_set fresh = {
        .bucket_count = INITIAL_BUCKETS,
        .extension_size = extension_size,
        .hash_seed = hash_seed,
    };
    fresh.buckets = calloc(INITIAL_BUCKETS, sizeof(struct flux_property *));
    if (fresh.buckets == NULL)
        return -ENOMEM;
    fresh.root = property_new(&fresh, "", 0);
    if (fresh.root == NULL) {
        free(fresh.buckets);
        return -ENOMEM;
    }
    fresh.node_count = 1;
    *set = fresh;
    return 0;
}

void flux_property_set_clear(struct flux_property_set *set)
{
    /* Every node but the root is in a bucket. */
    for (size_t i = 0; i < set->bucket_count; i++) {
        struct flux_property *property = set->buckets[i];
        while (property != NULL) {
            struct flux_property *next = property->hash_next;
            property_free(property);
            property = next;
        }
    }
    if (set->root != NULL)
        property_free(set->root);
    free(set->buckets);
    *set = (struct flux_property_set){0};
}

static struct flux_property *find_hashed(const struct flux_property_set *set, const char *path,
                                         size_t path_size, uint64_t hash)
{
    struct flux_property *property = *bucket_of(set, hash);
    while (property != NULL) {
        if (property->hash == hash && property->path_size == path_size &&
            memcmp(property->path, path, path_size) == 0)
            return property;
        property = property->hash_next;
    }
    return NULL;
}

struct flux_property *flux_property_set_find(const struct flux_property_set *set, const char *path,
                                             size_t path_size)
{
    if (path_size == 0)
        return set->root;
    return find_hashed(set, path, path_size, path_hash(set, path, path_size));
}

/* Without memory for more buckets the chains just get longer. */
static void grow_buckets(struct flux_property_set *set)
{
    size_t bucket_count = set->bucket_count * 2;
    struct flux_property **buckets = calloc(bucket_count, sizeof(struct flux_property *));
    if (buckets == NULL)
        return;
    struct flux_property **old = set->buckets;
    size_t old_count = set->bucket_count;
    set->buckets = buckets;
    set->bucket_count = bucket_count;
    for (size_t i = 0; i < old_count; i++) {
        struct flux_property *property = old[i];
        while (property != NULL) {
            struct flux_property *next = property->hash_next;
            struct flux_property **bucket = bucket_of(set, property->hash);
            property->hash_next = *bucket;
            *bucket = property;
            property = next;
        }
    }
    free(old);
}

static void link_property(struct flux_property_set *set, struct flux_property *parent,
                          struct flux_property *property)
{
    property->parent = parent;
    property->key_offset = parent->path_size + 1;
    property->depth = (uint16_t)(parent->depth + 1);
    property->previous = parent->last_child;
    if (parent->last_child != NULL)
        parent->last_child->next = property;
    else
        parent->first_child = property;
    parent->last_child = property;
    if (set->node_count >= set->bucket_count)
        grow_buckets(set);
    struct flux_property **bucket = bucket_of(set, property->hash);
    property->hash_next = *bucket;
    *bucket = property;
    set->node_count++;
}

static void unlink_property(struct flux_property_set *set, struct flux_property *property)
{
    struct flux_property **link = bucket_of(set, property->hash);
    while (*link != property)
        link = &(*link)->hash_next;
    *link = property->hash_next;
    struct flux_property *parent = property->parent;
    if (property->previous != NULL)
        property->previous->next = property->next;
    else
        parent->first_child = property->next;
    if (property->next != NULL)
        property->next->previous = property->previous;
    else
        parent->last_child = property->previous;
    set->node_count--;
}

/* Where the path of the parent ends: at the last slash. */
static size_t parent_path_size(const char *path, size_t path_size)
{
    while (path_size > 0 && path[path_size - 1] != '/')
        path_size--;
    return path_size > 0 ? path_size - 1 : 0;
}

/* Free what was created below `top` on the way to `property`. */
static void undo_touch(struct flux_property_set *set, const struct flux_property *top,
                       struct flux_property *property)
{
    while (property != top) {
        struct flux_property *parent = property->parent;
        unlink_property(set, property);
        property_free(property);
        property = parent;
    }
}

int flux_property_set_touch(struct flux_property_set *set, const char *path, size_t path_size,
                            struct flux_property **ret_property)
{
    size_t known_size = path_size;
    struct flux_property *top = flux_property_set_find(set, path, known_size);
    while (top == NULL) {
        known_size = parent_path_size(path, known_size);
        top = flux_property_set_find(set, path, known_size);
    }
    struct flux_property *property = top;
    while (known_size < path_size) {
        size_t size = known_size + 1;
        while (size < path_size && path[size] != '/')
            size++;
        struct flux_property *child = property_new(set, path, size);
        if (child == NULL) {
            undo_touch(set, top, property);
            return -ENOMEM;
        }
        child->hash = path_hash(set, path, size);
        link_property(set, property, child);
        property = child;
        known_size = size;
    }
    *ret_property = property;
    return 0;
}

int flux_property_set_child(struct flux_property_set *set, struct flux_property *parent,
                            const char *key, size_t key_size, struct flux_property **ret_property)
{
    char path[FLUX_PATH_BYTES_MAX + 2]; /* an escape may overshoot by one byte */
    size_t size = parent->path_size;
    if (size >= FLUX_PATH_BYTES_MAX)
        return -ENAMETOOLONG;
    memcpy(path, parent->path, size);
    path[size++] = '/';
    for (size_t i = 0; i < key_size; i++) {
        if (size >= FLUX_PATH_BYTES_MAX)
            return -ENAMETOOLONG;
        if (key[i] == '~' || key[i] == '/') {
            path[size++] = '~';
            path[size++] = key[i] == '~' ? '0' : '1';
        } else {
            path[size++] = key[i];
        }
    }
    if (size > FLUX_PATH_BYTES_MAX)
        return -ENAMETOOLONG;
    return flux_property_set_touch(set, path, size, ret_property);
}

void flux_property_set_drop_value(struct flux_property_set *set, struct flux_property *property)
{
    if (property->value.type == FLUX_VALUE_NONE)
        return;
    flux_value_clear(&property->value);
    set->value_count--;
}

void flux_property_set_drop_cut(struct flux_property_set *set, struct flux_property *property)
{
    if (!property->cut)
        return;
    property->cut = false;
    property->replaced = false;
    set->cut_count--;
}

int flux_property_set_restore(struct flux_property_set *set, struct flux_property *property,
                              const struct flux_property_memory *memory)
{
    bool has_value = memory->value.type != FLUX_VALUE_NONE;
    size_t added = (has_value ? 1u : 0u) + (memory->cut ? 1u : 0u);
    if (set->value_count + set->cut_count + added > FLUX_PROPERTIES_MAX)
        return -ENOSPC;
    int r = has_value ? flux_value_copy(&property->value, &memory->value) : 0;
    if (r < 0)
        return r;
    set->value_count += has_value;
    set->cut_count += memory->cut;
    property->cut = memory->cut;
    property->replaced = memory->replaced;
    property->revision = memory->revision;
    property->cut_revision = memory->cut_revision;
    property->set_us = memory->set_us;
    property->cleared_us = memory->cleared_us;
    property->replaced_us = memory->replaced_us;
    return 0;
}

void flux_property_set_cut_value(struct flux_property_set *set, struct flux_property *property)
{
    flux_property_set_drop_value(set, property);
    set->cut_count += !property->cut;
    property->cut = true;
    property->replaced = false;
    property->cut_revision = property->revision;
}

void flux_property_forget_times(struct flux_property *property)
{
    property->revision = 0;
    property->set_us = 0;
    property->cleared_us = 0;
    property->replaced_us = 0;
}

void flux_property_pin(struct flux_property *property)
{
    property->pin_count++;
}

void flux_property_unpin(struct flux_property *property)
{
    property->pin_count--;
}

bool flux_property_set_prune(struct flux_property_set *set, struct flux_property *property)
{
    if (property == set->root || property->first_child != NULL || property->pin_count > 0 ||
        property->cut || property->value.type != FLUX_VALUE_NONE)
        return false;
    unlink_property(set, property);
    property_free(property);
    return true;
}

struct flux_property *flux_property_skip(const struct flux_property *top,
                                         const struct flux_property *property)
{
    while (property != top) {
        if (property->next != NULL)
            return property->next;
        property = property->parent;
    }
    return NULL;
}

struct flux_property *flux_property_next(const struct flux_property *top,
                                         const struct flux_property *property)
{
    if (property->first_child != NULL)
        return property->first_child;
    return flux_property_skip(top, property);
}

bool flux_property_is_leaf(const struct flux_property *property)
{
    return property->value.type != FLUX_VALUE_NONE &&
           property->value.type != FLUX_VALUE_EMPTY_OBJECT;
}
