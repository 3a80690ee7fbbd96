/* The `reported` section as it will be once all that waits has been accepted: the programs' values
 * over what the cloud holds, without what cuts remove. Measures it and writes it; changes nothing
 * but scratch fields. */
#ifndef FLUXAWS_SHADOW_PROJECTION_H
#define FLUXAWS_SHADOW_PROJECTION_H

#include "daemon/shadow/ledger.h"
#include "proto/json_writer.h"

struct path_filter;

/* Count the bytes of its compact JSON; 0 where the section would be absent. */
size_t projection_measure(struct ledger *ledger);

/* Write what stands at and below a path (empty: all), of that what the filter has (NULL: all).
 * Returns 0, -ENOENT, or the writer's error. */
int projection_write(struct ledger *ledger, const char *path, size_t path_size,
                     const struct path_filter *filter, struct flux_json_writer *writer);

/* Tell what will stand at a path: a value, `{}` for any object, NONE. Borrowed until the next
 * change of the ledger. */
struct flux_value projection_at(struct ledger *ledger, const char *path, size_t path_size);

#endif
