/* JSON as the emulated cloud reads and writes it: checked before Jansson sees it, numbers kept
 * short. It shares nothing with the daemon's own JSON code on purpose: one would hide the other's
 * mistakes. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_JSON_H
#define FLUX_TESTS_SANDBOX_CLOUD_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* No text nested deeper than this reaches Jansson or any function below; so deep they may recurse.
 */
#define CLOUD_JSON_MAX_NESTING 64

/* Positive outcomes of cloud_json_parse(). */
enum {
    CLOUD_JSON_INVALID = 1,
    CLOUD_JSON_NOT_UTF8 = 2,
    CLOUD_JSON_TOO_DEEP = 3,
};

/* Text that grows; a zeroed one is empty. Once `failed`, later additions do nothing. */
struct cloud_text {
    char *data; /* owned; NUL-terminated as soon as something was added */
    size_t size;
    size_t capacity;
    bool failed;
};

/* Read one JSON value. Integers beyond 64 bits become reals. refuse_duplicates: a key that occurs
 * twice makes the text invalid, else the last one wins. *ret_value is owned by the caller. Returns
 * 0, an outcome above, or -ENOMEM. */
int cloud_json_parse(const char *text, size_t size, bool refuse_duplicates, json_t **ret_value);

/* Append a value as compact JSON: reals with the fewest digits that read back equal. */
void cloud_json_write(struct cloud_text *text, const json_t *value);

/* Append a value as cloud_json_write() does, but indented for people. */
void cloud_json_write_pretty(struct cloud_text *text, const json_t *value);

/* Append a string as it is. */
void cloud_text_add(struct cloud_text *text, const char *string);

/* Return the length in bytes of what cloud_json_write() would append; NULL counts as nothing. */
size_t cloud_json_size(const json_t *value);

/* Whether two values are equal; numbers by value (1 equals 1.0) unless `exact`. */
bool cloud_json_equal(const json_t *a, const json_t *b, bool exact);

/* Replace every real below `value` that is a whole number by an integer. Returns 0 or -ENOMEM. */
int cloud_json_normalise(json_t *value);

/* Whether `key` names a member at any depth. */
bool cloud_json_has_key(const json_t *value, const char *key);

#endif
