/* Paths of properties: the JSON Pointer (RFC 6901) is the canonical form, dotted keys are for
 * people. Checks and converts; does not know what a path leads to. */
#ifndef FLUX_PROTO_PATH_H
#define FLUX_PROTO_PATH_H

#include "proto/limits.h"
#include <stdbool.h>
#include <stddef.h>

/* Why a path was refused; flux_path_strerror() says it in words. */
enum flux_path_error {
    FLUX_PATH_OK = 0,
    FLUX_PATH_EMPTY,      /* the path names nothing */
    FLUX_PATH_EMPTY_KEY,  /* a key in it is empty */
    FLUX_PATH_TOO_LONG,   /* over FLUX_PATH_BYTES_MAX */
    FLUX_PATH_TOO_DEEP,   /* over FLUX_PATH_DEPTH_MAX keys */
    FLUX_PATH_NOT_UTF8,   /* invalid UTF-8 */
    FLUX_PATH_CONTROL,    /* a control character (below 0x20, or 0x7f) in a key */
    FLUX_PATH_BAD_ESCAPE, /* `~` not followed by 0 or 1 */
    FLUX_PATH_NO_SLASH,   /* a pointer that does not begin with `/` */
};

const char *flux_path_strerror(enum flux_path_error error);

/* Check a canonical JSON Pointer of `size` bytes. `ret_depth` (may be NULL) gets the number of
 * keys. */
enum flux_path_error flux_path_check(const char *pointer, size_t size, unsigned *ret_depth);

/* Convert what a person or a program wrote into the canonical pointer: dotted keys
 * ("battery.level"), or with a leading "/", a JSON Pointer. Writes at most FLUX_PATH_BYTES_MAX
 * bytes and a NUL. */
enum flux_path_error flux_path_canonical(const char *text,
                                         char ret_pointer[static FLUX_PATH_BYTES_MAX + 1]);

/* Append one raw (unescaped) key to a pointer of length *size in a buffer of FLUX_PATH_BYTES_MAX +
 * 1 bytes. */
enum flux_path_error flux_path_append(char *pointer, size_t *size, const char *key,
                                      size_t key_size);

/* Step over the next key of a pointer: *cursor moves behind it, ret_key gets the unescaped bytes.
 * Start with *cursor at the pointer's first byte. Returns false at the end. */
bool flux_path_next_key(const char **cursor, const char *end,
                        char ret_key[static FLUX_PATH_BYTES_MAX + 1], size_t *ret_size);

/* Tell whether `ancestor` is a proper prefix of `pointer` at a key boundary. */
bool flux_path_is_below(const char *pointer, size_t size, const char *ancestor,
                        size_t ancestor_size);

#endif
