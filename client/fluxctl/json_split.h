/* Cuts a stream of JSON objects, one after another, into single ones. Finds their ends and leaves
 * the judgement to the library. */
#ifndef FLUXCTL_JSON_SPLIT_H
#define FLUXCTL_JSON_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest object: no daemon takes a longer report. */
#define JSON_SPLIT_BYTES_MAX ((size_t)1024 * 1024)

struct json_split {
    char *data; /* owned */
    size_t start, end, capacity;
    size_t scanned; /* bytes behind `start` that were looked at */
    unsigned depth;
    bool in_string, after_backslash;
    bool is_cut; /* `saved` stood where the NUL behind the last object stands */
    char saved;
    uint64_t document_count; /* objects handed out */
};

void json_split_clear(struct json_split *split);

/* Room for at least a few KiB of input, or NULL without memory; then json_split_fed() tells how
 * much was put there. */
char *json_split_room(struct json_split *split, size_t *ret_size);
void json_split_fed(struct json_split *split, size_t size);

/* Take the next complete object, NUL-terminated, borrowed until the next call. Returns 1; 0 when
 * more input is needed (or, at the end, when nothing is left over: json_split_is_empty()); -EINVAL
 * for something that is not an object; -E2BIG for one that is too long. */
int json_split_next(struct json_split *split, char **ret_document);

/* Tell whether nothing but whitespace is left. */
bool json_split_is_empty(const struct json_split *split);

#endif
