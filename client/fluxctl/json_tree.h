/* The JSON text of an answer as a tree to look things up in. The text comes from the daemon and is
 * well-formed; of anything else as much is read as makes sense. Copies no text. */
#ifndef FLUXCTL_JSON_TREE_H
#define FLUXCTL_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum json_kind { JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_OTHER };

struct json_node {
    enum json_kind kind;
    const char
        *key; /* borrowed from the text, escapes as they are; NULL: an element, or the root */
    size_t key_size;
    const char *text; /* of a string without its quotes, escapes as they are */
    size_t size;

    /* ---- private ---- */
    size_t parent, end; /* its index; the index after all that is below */
};

struct json_tree {
    struct json_node *nodes; /* owned; the first is the root */
    size_t count;
};

/* Read `json`, which must outlive the tree. Returns 0; -EINVAL: there is nothing in it; -ENOMEM. */
int json_tree_read(struct json_tree *ret_tree, const char *json);
void json_tree_clear(struct json_tree *tree);

/* Look up keys with dots between them ("link.state") below `from`, NULL: the root. Returns NULL
 * where there is no such member. */
const struct json_node *json_find(const struct json_tree *tree, const struct json_node *from,
                                  const char *path);

/* Walk over the members or elements of `parent`; NULL begins and ends, and no parent has none. */
const struct json_node *json_next(const struct json_tree *tree, const struct json_node *parent,
                                  const struct json_node *previous);

/* What a node says; `node` may be NULL, for one that was not found. */
bool json_is_null(const struct json_node *node); /* or not there */
bool json_is_true(const struct json_node *node);
/* A number, cut to an integer; `otherwise` where it is none. */
int64_t json_number(const struct json_node *node, int64_t otherwise);
/* Tell whether it is a string that reads like this. */
bool json_is(const struct json_node *node, const char *text);
/* Tell whether two are strings and the same. */
bool json_equals(const struct json_node *node, const struct json_node *other);

#endif
