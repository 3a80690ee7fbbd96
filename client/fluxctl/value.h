/* Reads PATH=VALUE as people write it. Reports nothing and prints nothing. */
#ifndef FLUXCTL_VALUE_H
#define FLUXCTL_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fluxctl_value_kind {
    FLUXCTL_VALUE_BOOL,
    FLUXCTL_VALUE_INT64,
    FLUXCTL_VALUE_DOUBLE,
    FLUXCTL_VALUE_STRING,
    FLUXCTL_VALUE_JSON,
};

struct fluxctl_value {
    size_t path_size; /* the path is the first so many bytes of the argument */
    enum fluxctl_value_kind kind;
    const char *text; /* what follows the `=`, borrowed */
    bool boolean;
    int64_t int64;
    double real;
};

/* Read `argument`; `string`: take the value as text whatever it looks like. Returns 0; -EINVAL
 * (no `=`, or no path before it); -ERANGE for a bare number that would not survive: it is not what
 * the shadow would show (1.10, 1e5, 20 digits). */
int fluxctl_value_parse(const char *argument, bool string, struct fluxctl_value *ret_value);

#define FLUXCTL_NUMBER_SIZE 64u

/* Write the JSON number that was probably meant by a bare number that would not survive: 01 is 1,
 * 20 digits are rounded to a double. Returns false if no JSON number can stand for it. */
bool fluxctl_value_number(const char *text, char ret_number[static FLUXCTL_NUMBER_SIZE]);

#endif
