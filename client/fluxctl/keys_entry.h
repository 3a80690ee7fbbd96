/* What the daemon knows of one property, as it stands in the answer. Knows the names of the fields,
 * and judges nothing. */
#ifndef FLUXCTL_KEYS_ENTRY_H
#define FLUXCTL_KEYS_ENTRY_H

#include "client/fluxctl/json_walk.h"
#include <stdbool.h>
#include <stddef.h>

struct keys_slice {
    const char *text; /* of JSON, without the quotes of a string; NULL: not there */
    size_t size;
};

/* The names are the contract (fluxctl(1)). */
enum keys_field {
    KEYS_FIELD_PATH,
    KEYS_FIELD_VALUE,
    KEYS_FIELD_STATE,
    KEYS_FIELD_VERSION,
    KEYS_FIELD_ACCEPTED,
    KEYS_FIELD_DEADBAND,
    KEYS_FIELD_CLOUD,
    KEYS_FIELD_CODE,
    KEYS_FIELD_TEXT,
    KEYS_FIELD_HELD_BY,
    KEYS_FIELD_HELD_UNTIL,
    KEYS_FIELD_SETTLING,
    KEYS_FIELD_AGE,
    KEYS_FIELD_WRITER_NAME,
    KEYS_FIELD_WRITER_UNIT,
    KEYS_FIELD_WRITER_UID,
    KEYS_FIELDS
};

/* Read the object that has just begun. Values are JSON; other strings come without their quotes. */
void keys_entry_read(struct json_walk *walk, struct keys_slice ret_fields[static KEYS_FIELDS]);

/* Tell whether a field is there and reads like this. */
bool keys_slice_is(struct keys_slice slice, const char *text);

#endif
