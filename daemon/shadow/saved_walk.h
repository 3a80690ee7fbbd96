/* Walks over everything of a thing that makes a row, for tests that hold it against what is on a
 * disk. Changes nothing; the daemon does not need it. */
#ifndef FLUXAWS_SHADOW_SAVED_WALK_H
#define FLUXAWS_SHADOW_SAVED_WALK_H

#include "daemon/shadow/saved.h"
#include "proto/json_writer.h"
#include "proto/property_set.h"

struct thing;

struct saved_walk {
    size_t place;
    enum saved_kind kind;
    const struct flux_property *at; /* of a property or a settle */
    struct flux_json_writer text;
};

void saved_walk_begin(struct saved_walk *walk);
void saved_walk_end(struct saved_walk *walk);

/* Take the next row as it would be written now; borrowed until the next call. `ret_is_clean`: the
 * disk holds just this row (is_gone: none), as far as the thing knows; else it is unsaved, or being
 * saved. Rows of shadows that were given up, and those that were left on the disk, are not among
 * them. Nothing else may come in between. Returns false at the end. */
bool saved_walk_next(struct saved_walk *walk, struct thing *thing, struct saved_row *ret_row,
                     bool *ret_is_clean);

#endif
