/* The value of one property: bool, int64, double, string, array (as compact JSON text) or the empty
 * object. Knows comparing, copying and its compact JSON form; knows nothing of paths or documents.
 */
#ifndef FLUX_PROTO_VALUE_H
#define FLUX_PROTO_VALUE_H

#include "proto/number.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum flux_value_type {
    FLUX_VALUE_NONE = 0, /* no value: the property is absent */
    FLUX_VALUE_BOOL = 1,
    FLUX_VALUE_INT64 = 2,
    FLUX_VALUE_DOUBLE = 3,
    FLUX_VALUE_STRING = 4,
    FLUX_VALUE_ARRAY = 5,
    FLUX_VALUE_EMPTY_OBJECT = 6,
};

/* A value. `text` is a string's UTF-8 bytes or an array's compact JSON; it holds `size` bytes, is
 * not necessarily NUL-terminated when borrowed, and is owned only after flux_value_copy(). */
struct flux_value {
    enum flux_value_type type;
    uint32_t size;
    union {
        bool boolean;
        int64_t int64;
        double real;
        const char *text;
    };
};

struct flux_value flux_value_bool(bool boolean);
struct flux_value flux_value_int64(int64_t int64);
struct flux_value flux_value_double(double real);
/* Borrow `text` of `size` bytes; the caller keeps it alive as long as the value is used. */
struct flux_value flux_value_string(const char *text, size_t size);
struct flux_value flux_value_array(const char *json, size_t size);
struct flux_value flux_value_empty_object(void);

/* Copy `source` into `ret_value`, which then owns its text (NUL-terminated); free with
 * flux_value_clear(). Returns 0, or -ENOMEM with `ret_value` untouched. */
int flux_value_copy(struct flux_value *ret_value, const struct flux_value *source);

/* Replace an owned (or NONE) value by a copy of `source`, which may be the very same value; a text
 * of about the same size is written into the memory held. Returns 0, or -ENOMEM with `value`
 * unchanged. */
int flux_value_assign(struct flux_value *value, const struct flux_value *source);

/* Free what a copied value owns and make it FLUX_VALUE_NONE. Never call it on a borrowed value. */
void flux_value_clear(struct flux_value *value);

/* Tell whether both stand for the same JSON value: numbers compare by value across int64 and double
 * (1 equals 1.0), arrays element by element with the same rule. NONE equals NONE. */
bool flux_value_equal(const struct flux_value *a, const struct flux_value *b);

/* Tell whether the value may be stored in a shadow: finite, valid UTF-8 without NUL, a well-formed
 * and compact array without null, empty key or integer beyond 64 bits inside, at most
 * FLUX_JSON_TEXT_NESTING_MAX containers deep, within FLUX_VALUE_BYTES_MAX. Returns 0, -EINVAL
 * (malformed), -EILSEQ (not UTF-8), -EDOM (not finite), -E2BIG (too long), or -ENOMEM. */
int flux_value_check(const struct flux_value *value);

/* Count the bytes of the value's compact JSON text as flux_value_write_json would write it. */
size_t flux_value_json_size(const struct flux_value *value);

/* Count key levels inside an array value: 0 for [1,2], 1 for [{"a":1}] (depth counts toward
 * MaxDepth). */
unsigned flux_value_depth(const struct flux_value *value);

#endif
