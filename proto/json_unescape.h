/* Turns the inside of a JSON string token into its bytes. Refuses what a shadow must not hold: NUL
 * and lone surrogates. Does not find the token's end. */
#ifndef FLUX_PROTO_JSON_UNESCAPE_H
#define FLUX_PROTO_JSON_UNESCAPE_H

#include <stddef.h>

/* The error for a result that does not fit, to compare with. */
extern const char flux_json_unescape_too_long[];

/* Unescape `size` bytes between two quotes, valid UTF-8 without raw controls, into `buffer`,
 * without a NUL. Returns NULL with *ret_size, or a static text that says what is wrong at
 * *ret_fault. */
const char *flux_json_unescape(const char *text, size_t size, char *buffer, size_t buffer_size,
                               size_t *ret_size, size_t *ret_fault);

#endif
