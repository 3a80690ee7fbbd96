/* JSON documents for the oracle of the scenarios: paths, the shadow service's merge rules, and
 * comparing by value, written as plainly as possible and apart from both the engine's and the
 * service's code. Knows no escapes in paths and no limits. */
#ifndef FLUX_TESTS_SCENARIO_DOC_H
#define FLUX_TESTS_SCENARIO_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define DOC_PATH_MAX 512u

/* Find what lies at a path ("/a/b"; "" is the root). Borrowed; NULL where nothing is. */
json_t *doc_at(const json_t *root, const char *path);

/* Wrap `value` (stolen) in objects so that it lies at `path`. */
json_t *doc_nest(const char *path, json_t *value);

/* Apply a patch to an object by the service's rules: null removes, objects merge, all else
 * replaces. */
void doc_merge(json_t *target, const json_t *patch);

/* Copy a patch with every leaf but null and {} replaced by the integer `mark`. */
json_t *doc_mark(const json_t *patch, json_int_t mark);

/* Compare by value: 1 equals 1.0; order of keys is nothing; `hollow` objects count as absent if
 * asked for. */
bool doc_equal(const json_t *a, const json_t *b, bool ignore_hollow);

/* Tell whether there is nothing here but empty objects; NULL and null are hollow. */
bool doc_is_hollow(const json_t *node);

/* Tell whether `above` is `path` or an ancestor of it. */
bool doc_covers(const char *above, const char *path);

/* Tell whether one of both covers the other. */
bool doc_overlaps(const char *a, const char *b);

/* Visit every leaf (scalars, arrays, null, {}) with its path. */
typedef void (*doc_visit)(void *data, const char *path, const json_t *leaf);
void doc_each_leaf(const json_t *root, doc_visit visit, void *data);

/* Parse text that the test's author wrote; dies on a mistake. */
json_t *doc_parse(const char *text);

#endif
