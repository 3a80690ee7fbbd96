/* Numbers as JSON text, in both directions, whatever locale the program has chosen. Does not know
 * what a number belongs to. */
#ifndef FLUX_PROTO_NUMBER_H
#define FLUX_PROTO_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest text that flux_number_format() and flux_number_format_int64() write, NUL included. */
#define FLUX_NUMBER_TEXT_MAX 32u
/* Longest text of a number with a fraction or an exponent, or beyond int64, that is read. */
#define FLUX_NUMBER_INPUT_MAX 512u

enum flux_number_kind {
    FLUX_NUMBER_INVALID = 0, /* not JSON's grammar, not finite, or longer than is read */
    FLUX_NUMBER_INT64 = 1,
    FLUX_NUMBER_DOUBLE = 2,
};

/* Write the shortest decimal text that reads back as the same double ("81.5", "0.1", "1e+300"); an
 * integral double below 10^15 gets neither fraction nor exponent ("5"), and -0.0 is written as "0",
 * since the two are equal. `real` must be finite. Returns the length without the NUL. */
size_t flux_number_format(char ret_text[static FLUX_NUMBER_TEXT_MAX], double real);

/* Write an integer. Returns the length without the NUL. */
size_t flux_number_format_int64(char ret_text[static FLUX_NUMBER_TEXT_MAX], int64_t number);
size_t flux_number_format_uint64(char ret_text[static FLUX_NUMBER_TEXT_MAX], uint64_t number);

/* Read a JSON number that fills all of `size` bytes (no NUL needed). A text without fraction and
 * exponent that fits int64 gives FLUX_NUMBER_INT64 and *ret_int64; any other finite number gives
 * FLUX_NUMBER_DOUBLE and *ret_real. */
enum flux_number_kind flux_number_parse(const char *text, size_t size, int64_t *ret_int64,
                                        double *ret_real);

/* Tell whether an integer and a double are the same number, exactly. */
bool flux_number_equal(int64_t int64, double real);

#endif
