/* The operations of one report while it is being collected, with copies of all their text. Checks
 * and sends nothing. */
#ifndef CLIENT_CHANGES_H
#define CLIENT_CHANGES_H

#include "client/buffer.h"
#include "proto/operation.h"
#include <stdbool.h>
#include <stddef.h>

struct changes_item;

struct changes {
    struct changes_item *items; /* owned */
    size_t count, capacity;
    struct buffer text;
    size_t frame_bytes; /* at least what the report needs as a frame */
};

/* Free all; it can be used again. */
void changes_clear(struct changes *changes);

/* Empty it and keep its memory. */
void changes_reset(struct changes *changes);

/* Append a copy of `change`. Returns 0, or -ENOMEM with nothing changed. */
int changes_add(struct changes *changes, const struct flux_change *change);

/* The operation at `index`; its text is borrowed until the next change. */
struct flux_change changes_get(const struct changes *changes, size_t index);

/* Look for two values that exclude each other: one at a path, another below it, and no unset of
 * this report between them. `ret_pair` gets their indexes, the upper one first. Returns 1, 0 or
 * -ENOMEM.
 */
int changes_find_contradiction(const struct changes *changes, size_t ret_pair[static 2]);

/* Tell whether a value has text. */
bool changes_value_has_text(const struct flux_value *value);

#endif
