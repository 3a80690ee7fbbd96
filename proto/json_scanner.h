/* A strict pull scanner for JSON (RFC 8259): one event per call, without recursion and without
 * memory of its own, over whole texts and over streams of concatenated documents. Builds no tree,
 * keeps no keys, does not notice duplicate keys. */
#ifndef FLUX_PROTO_JSON_SCANNER_H
#define FLUX_PROTO_JSON_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Deepest nesting of objects and arrays together that any scanner can be asked for. */
#define FLUX_JSON_NESTING_MAX 256u

enum flux_json_event {
    FLUX_JSON_END_INPUT = 0, /* all text is consumed and no document is open */
    FLUX_JSON_BEGIN_OBJECT,
    FLUX_JSON_END_OBJECT,
    FLUX_JSON_BEGIN_ARRAY,
    FLUX_JSON_END_ARRAY,
    FLUX_JSON_KEY,    /* `text`, `size` */
    FLUX_JSON_STRING, /* `text`, `size` */
    FLUX_JSON_INT64,  /* `int64`: a number without fraction and exponent that fits ("-0" is 0) */
    FLUX_JSON_DOUBLE, /* `real`: every other number; `is_overflow` for an integer beyond 64 bits */
    FLUX_JSON_BOOL,   /* `boolean` */
    FLUX_JSON_NULL,
    FLUX_JSON_END_DOCUMENT, /* a document is complete; `position` is just behind it */
    FLUX_JSON_MORE,         /* the text ends within a document or token: feed more */
    FLUX_JSON_ERROR,        /* malformed; sticks. `error_offset` and `error_text` say why */
};

/* Fields above the line are for reading after an event. */
struct flux_json_scanner {
    const char *text; /* KEY, STRING: unescaped bytes, borrowed until the next call: they lie in
                         the fed text, or in the buffer if there were escapes */
    size_t size;
    int64_t int64;
    double real;
    bool boolean;
    bool is_overflow;
    unsigned depth;         /* open objects and arrays */
    size_t position;        /* bytes of the fed text consumed so far */
    uint64_t token_offset;  /* where the event's text begins, in all text fed since the init */
    int error;              /* after ERROR: -EINVAL malformed, -E2BIG too deep or too long */
    uint64_t error_offset;  /* in all text fed since flux_json_scanner_init() */
    const char *error_text; /* static */

    /* ---- private ---- */
    const char *input;
    size_t input_size;
    uint64_t input_offset; /* bytes consumed before `input` */
    bool is_last;
    char *buffer;
    size_t buffer_size;
    unsigned nesting_max;
    unsigned state;
    unsigned char in_object[FLUX_JSON_NESTING_MAX / 8];
};

/* Begin a scan. Strings with escapes are unescaped into `buffer` (borrowed; a longer one is an
 * error). `nesting_max` counts objects and arrays together, at most FLUX_JSON_NESTING_MAX. */
void flux_json_scanner_init(struct flux_json_scanner *scanner, char *buffer, size_t buffer_size,
                            unsigned nesting_max);

/* Give text to scan, borrowed until the next feed. It begins with the first byte not consumed yet
 * (text + position of the text before), that is: a token cut off at the end is fed again, whole.
 * `is_last`: nothing follows, so a cut-off document is an error and not FLUX_JSON_MORE. */
void flux_json_scanner_feed(struct flux_json_scanner *scanner, const char *text, size_t size,
                            bool is_last);

/* Take one event. Documents may follow each other with any or no whitespace between them; numbers
 * and literals at top level need a separator. */
enum flux_json_event flux_json_scanner_next(struct flux_json_scanner *scanner);

/* Check, without scanning values, that objects and arrays nest at most `nesting_max` deep: cheap,
 * for guarding a recursive parser. Says nothing about validity. Returns 0, or -E2BIG. */
int flux_json_depth_check(const char *text, size_t size, unsigned nesting_max);

#endif
