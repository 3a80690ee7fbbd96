#include "client/fluxctl/json_tree.h"
#include "client/fluxctl/json_walk.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NODES_FIRST 64u

struct builder {
    struct json_tree tree;
    size_t capacity;
    size_t open; /* the object or array that is being read; the root's is itself */
    bool is_open;
    const char *key;
    size_t key_size;
};

static int add(struct builder *builder, enum json_kind kind, const struct json_walk *walk)
{
    struct json_tree *tree = &builder->tree;
    if (tree->count == builder->capacity) {
        size_t capacity = builder->capacity > 0 ? builder->capacity * 2 : NODES_FIRST;
        struct json_node *nodes = reallocarray(tree->nodes, capacity, sizeof(*nodes));
        if (nodes == NULL)
            return -ENOMEM;
        tree->nodes = nodes;
        builder->capacity = capacity;
    }
    tree->nodes[tree->count] = (struct json_node){
        .kind = kind,
        .key = builder->key,
        .key_size = builder->key_size,
        .text = walk->text,
        .size = walk->size,
        .parent = builder->open,
        .end = tree->count + 1,
    };
    builder->key = NULL;
    builder->key_size = 0;
    tree->count++;
    return 0;
}

static int begin(struct builder *builder, enum json_kind kind, const struct json_walk *walk)
{
    int r = add(builder, kind, walk);
    if (r < 0)
        return r;
    builder->open = builder->tree.count - 1;
    builder->is_open = true;
    return 0;
}

static void end(struct builder *builder)
{
    if (!builder->is_open)
        return;
    struct json_node *node = &builder->tree.nodes[builder->open];
    node->end = builder->tree.count;
    builder->is_open = builder->open != 0;
    builder->open = node->parent;
}

static int take(struct builder *builder, enum json_walk_event event, const struct json_walk *walk)
{
    switch (event) {
    case JSON_WALK_BEGIN_OBJECT:
        return begin(builder, JSON_OBJECT, walk);
    case JSON_WALK_BEGIN_ARRAY:
        return begin(builder, JSON_ARRAY, walk);
    case JSON_WALK_END_OBJECT:
    case JSON_WALK_END_ARRAY:
        end(builder);
        return 0;
    case JSON_WALK_KEY:
        builder->key = walk->text;
        builder->key_size = walk->size;
        return 0;
    case JSON_WALK_STRING:
        return add(builder, JSON_STRING, walk);
    case JSON_WALK_OTHER:
        return add(builder, JSON_OTHER, walk);
    case JSON_WALK_END:
        break;
    }
    return 0;
}

int json_tree_read(struct json_tree *ret_tree, const char *json)
{
    struct builder builder = {0};
    struct json_walk walk;
    json_walk_init(&walk, json);
    enum json_walk_event event;
    int r = 0;
    /* What follows the first value is no part of it. */
    while (r == 0 && (builder.tree.count == 0 || builder.is_open) &&
           (event = json_walk_next(&walk)) != JSON_WALK_END)
        r = take(&builder, event, &walk);
    while (builder.is_open)
        end(&builder);
    if (r == 0 && builder.tree.count == 0)
        r = -EINVAL;
    if (r < 0) {
        free(builder.tree.nodes);
        return r;
    }
    *ret_tree = builder.tree;
    return 0;
}

void json_tree_clear(struct json_tree *tree)
{
    free(tree->nodes);
    *tree = (struct json_tree){0};
}

const struct json_node *json_next(const struct json_tree *tree, const struct json_node *parent,
                                  const struct json_node *previous)
{
    if (parent == NULL || (parent->kind != JSON_OBJECT && parent->kind != JSON_ARRAY))
        return NULL;
    size_t index = previous != NULL ? previous->end : (size_t)(parent - tree->nodes) + 1;
    return index < parent->end ? &tree->nodes[index] : NULL;
}

static const struct json_node *find_member(const struct json_tree *tree,
                                           const struct json_node *object, const char *key,
                                           size_t size)
{
    const struct json_node *node = NULL;
    while ((node = json_next(tree, object, node)) != NULL)
        if (node->key != NULL && node->key_size == size && memcmp(node->key, key, size) == 0)
            return node;
    return NULL;
}

const struct json_node *json_find(const struct json_tree *tree, const struct json_node *from,
                                  const char *path)
{
    const struct json_node *node = from != NULL ? from : tree->nodes;
    while (node != NULL && *path != '\0') {
        size_t size = strcspn(path, ".");
        node = find_member(tree, node, path, size);
        path += size;
        path += *path == '.';
    }
    return node;
}

bool json_is_null(const struct json_node *node)
{
    return node == NULL ||
           (node->kind == JSON_OTHER && node->size == 4 && memcmp(node->text, "null", 4) == 0);
}

bool json_is_true(const struct json_node *node)
{
    return node != NULL && node->kind == JSON_OTHER && node->size == 4 &&
           memcmp(node->text, "true", 4) == 0;
}

int64_t json_number(const struct json_node *node, int64_t otherwise)
{
    if (node == NULL || node->kind != JSON_OTHER || node->size == 0)
        return otherwise;
    /* What ends a number ends strtoll too. */
    char *end = NULL;
    long long number = strtoll(node->text, &end, 10);
    return end > node->text ? number : otherwise;
}

bool json_is(const struct json_node *node, const char *text)
{
    return node != NULL && node->kind == JSON_STRING && node->size == strlen(text) &&
           memcmp(node->text, text, node->size) == 0;
}

bool json_equals(const struct json_node *node, const struct json_node *other)
{
    return node != NULL && other != NULL && node->kind == JSON_STRING &&
           other->kind == JSON_STRING && node->size == other->size &&
           memcmp(node->text, other->text, node->size) == 0;
}
