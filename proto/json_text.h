/* Questions about compact JSON text that is known to be well-formed: are two the same value, how
 * deep does it go. Does not check, build or flatten; never reads past the end of a malformed one.
 */
#ifndef FLUX_PROTO_JSON_TEXT_H
#define FLUX_PROTO_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Containers inside each other that flux_json_text_equal() follows. */
#define FLUX_JSON_TEXT_NESTING_MAX 64u

/* Tell whether two texts are the same value: numbers by value (1 equals 1.0), strings by their
 * characters (escapes do not matter), arrays in order, objects whatever the order of their keys.
 * Answers false when it would have to look deeper than FLUX_JSON_TEXT_NESTING_MAX, or search longer
 * than a fixed bound for keys that changed places: for the caller, one update too many. */
bool flux_json_text_equal(const char *a, size_t a_size, const char *b, size_t b_size);

/* Count the levels of keys: 0 for [1,2], 1 for [{"a":1}], 2 for [{"a":{"b":1}}]. */
unsigned flux_json_text_depth(const char *text, size_t size);

#endif
