/* Writes JSON text, compact, correctly escaped, with the shortest numbers, into a growing buffer of
 * its own. Nesting is the caller's; commas are the writer's. Does not read JSON. */
#ifndef FLUX_PROTO_JSON_WRITER_H
#define FLUX_PROTO_JSON_WRITER_H

#include "proto/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Errors stick: after the first one every call does nothing until flux_json_writer_reset() or
 * _clear(), and flux_json_writer_error() says so. */
struct flux_json_writer {
    char *text; /* owned; NUL-terminated when not NULL */
    size_t size, capacity;
    size_t limit; /* at most so many bytes of text */
    int error;    /* 0, -ENOMEM, -E2BIG, -EDOM (a double that is not finite) */
    bool need_comma;
};

/* Begin; at most `limit` bytes will be written (0: no limit). */
void flux_json_writer_init(struct flux_json_writer *writer, size_t limit);
/* Free its buffer; the limit stays. */
void flux_json_writer_clear(struct flux_json_writer *writer);
/* Return what went wrong since init, reset or clear: 0, -ENOMEM, -E2BIG or -EDOM. */
int flux_json_writer_error(const struct flux_json_writer *writer);
/* Empty it and keep its buffer. */
void flux_json_writer_reset(struct flux_json_writer *writer);
/* Hand over the NUL-terminated text (free() it); the writer is empty then. `ret_size` may be NULL.
 * Returns NULL after an error, which then stays. */
char *flux_json_writer_steal(struct flux_json_writer *writer, size_t *ret_size);

void flux_json_begin_object(struct flux_json_writer *writer);
void flux_json_end_object(struct flux_json_writer *writer);
void flux_json_begin_array(struct flux_json_writer *writer);
void flux_json_end_array(struct flux_json_writer *writer);
/* Write a key from raw bytes (escaped here). */
void flux_json_key(struct flux_json_writer *writer, const char *key, size_t size);
void flux_json_key_text(struct flux_json_writer *writer, const char *key);
void flux_json_null(struct flux_json_writer *writer);
void flux_json_bool(struct flux_json_writer *writer, bool boolean);
void flux_json_int64(struct flux_json_writer *writer, int64_t number);
void flux_json_uint64(struct flux_json_writer *writer, uint64_t number);
void flux_json_double(struct flux_json_writer *writer, double real);
void flux_json_string(struct flux_json_writer *writer, const char *text, size_t size);
void flux_json_string_text(struct flux_json_writer *writer, const char *text);
/* Write a property's value; FLUX_VALUE_NONE writes null. */
void flux_json_value(struct flux_json_writer *writer, const struct flux_value *value);
/* Write text that is one JSON value already. */
void flux_json_raw(struct flux_json_writer *writer, const char *json, size_t size);

#endif
