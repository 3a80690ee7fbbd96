/* A copy of a database that cannot be written where it is: SQLite needs to write in order to read
 * what is in the log. Made in memory, or where programs may write, and removed after it was read.
 */
#ifndef FLUXAWS_STORAGE_STATE_COPY_H
#define FLUXAWS_STORAGE_STATE_COPY_H

#include "daemon/storage/state_file.h"

/* Copy database and log, at most `max_bytes`, into a new directory of the daemon's own. Returns 0,
 * or a negative errno with nothing left behind. */
int state_copy_make(const struct state_place *place, uint64_t max_bytes, char *ret_directory,
                    size_t size);
void state_copy_remove(const char *directory);

#endif
