/* One operation of a report: set or remove one property, or settle a wish. The form in which
 * reports travel between decoder, flattener and engine. Does not apply anything. */
#ifndef FLUX_PROTO_OPERATION_H
#define FLUX_PROTO_OPERATION_H

#include "proto/value.h"
#include <stddef.h>

enum flux_operation {
    FLUX_SET = 1,    /* set the path to a value; `{}` merges into an object */
    FLUX_UNSET = 2,  /* remove the path and all below it; the empty path: everything reported */
    FLUX_SETTLE = 3, /* remove the desired value known now at the path (empty: all) and below it */
};

/* An operation with all that belongs to it. Text is borrowed; who hands it out says for how long.
 */
struct flux_change {
    enum flux_operation kind;
    const char *path; /* JSON Pointer; not necessarily NUL-terminated */
    size_t path_size;
    struct flux_value value; /* FLUX_VALUE_NONE but for FLUX_SET */
};

#endif
