/* A list of rows with all they point to, copied into memory of its own that is used again. Carries
 * rows between the loop and the storage thread; at any time it is the one's or the other's. Pure.
 */
#ifndef FLUXAWS_STORAGE_BATCH_H
#define FLUXAWS_STORAGE_BATCH_H

#include "daemon/shadow/saved.h"

struct batch_chunk;
struct batch_item;

struct batch {
    struct batch_chunk *chunks; /* the newest first */
    struct batch_item *first, *last;
    const struct batch_item *cursor;
    size_t count;    /* rows */
    size_t bytes;    /* of all chunks */
    size_t left_out; /* rows of a load that made no sense, or for which there was no room */
};

void batch_init(struct batch *batch);
/* Free all. */
void batch_clear(struct batch *batch);
/* Forget the rows, keep a little memory for the next ones. */
void batch_empty(struct batch *batch);

/* Copy a row. Returns 0, or -ENOMEM with the batch as it was. */
int batch_add(struct batch *batch, const struct saved_row *row);

/* Go through the rows in the order they came in. They are the batch's, until it is emptied. */
void batch_rewind(struct batch *batch);
const struct saved_row *batch_next(struct batch *batch);

#endif
