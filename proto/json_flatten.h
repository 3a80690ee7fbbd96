/* Turns a JSON document into the operations of a report, in document order: leaves and arrays are
 * set, null is an unset, `{}` sets the empty object. Applies nothing, checks no merged sizes. */
#ifndef FLUX_PROTO_JSON_FLATTEN_H
#define FLUX_PROTO_JSON_FLATTEN_H

#include "proto/json_scanner.h"
#include "proto/json_writer.h"
#include "proto/limits.h"
#include "proto/operation.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct flux_json_flatten {
    uint64_t error_offset;              /* byte of the document, after an error */
    const char *error_text;             /* static, after an error; NULL before */
    char path[FLUX_PATH_BYTES_MAX + 1]; /* where it stands; after an error, the property at fault */
    size_t path_size;

    /* ---- private ---- */
    struct flux_json_scanner scanner;
    struct flux_json_writer array;
    char *buffer; /* owned; for strings with escapes */
    unsigned max_depth;
    unsigned depth;                                 /* keys in `path` */
    uint16_t parent_sizes[FLUX_PATH_DEPTH_MAX + 1]; /* length of `path` above each key */
    unsigned base_depth;                            /* keys of the prefix */
    bool is_fresh;                                  /* the innermost object has had no key yet */
    bool is_done;
    int error;
};

/* Begin to flatten one document of `size` bytes, borrowed until flux_json_flatten_clear(). `prefix`
 * (canonical pointer, copied, may be empty) goes before every path. Without a prefix the document
 * must be an object, and `{}` yields nothing; with one it may be any value. `max_depth`: most keys
 * from the root, prefix and keys inside arrays included. Returns 0, -ENOMEM, or -EINVAL for a bad
 * prefix. */
int flux_json_flatten_init(struct flux_json_flatten *flatten, const char *text, size_t size,
                           const char *prefix, size_t prefix_size, unsigned max_depth);

/* Free what it holds; safe after a failed init and twice. */
void flux_json_flatten_clear(struct flux_json_flatten *flatten);

/* Take one operation; its text is borrowed until the next call. Arrays come as canonical JSON (no
 * whitespace, shortest numbers). Returns 1 with an operation; 0 at the end, which nothing but
 * whitespace may follow; -EINVAL (malformed; null in an array; empty key; an integer beyond 64
 * bits), -E2BIG (too deep, or longer than a path or value may be), -ENOMEM. Errors stick.
 * Operations taken before an error are void: take all of them before applying the first. */
int flux_json_flatten_next(struct flux_json_flatten *flatten, struct flux_change *ret_change);

#endif
