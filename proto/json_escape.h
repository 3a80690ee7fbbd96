/* How JSON strings are escaped here: the two quotes of JSON, and controls; all else stays UTF-8.
 * Sizes and text come from one table, so that what is counted is what is written. */
#ifndef FLUX_PROTO_JSON_ESCAPE_H
#define FLUX_PROTO_JSON_ESCAPE_H

#include <stddef.h>

/* Longest escape of one byte. */
#define FLUX_JSON_ESCAPE_MAX 6u

/* Write how one byte stands in a JSON string. Returns the number of bytes written, 1 to 6; no NUL.
 */
size_t flux_json_escape(unsigned char byte, char ret_text[static FLUX_JSON_ESCAPE_MAX]);

/* Count the bytes at the beginning of `text` that stand for themselves. */
size_t flux_json_plain_size(const char *text, size_t size);

/* Count the bytes of `text` as a JSON string, quotes included. */
size_t flux_json_string_size(const char *text, size_t size);

#endif
