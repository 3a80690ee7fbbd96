/* A disk under the engine: keeps the rows that it saves, by key, and gives them back. Commits are
 * done, fail, or take their time. Judges the rows. */
#ifndef FLUX_TESTS_FUZZ_DISK_H
#define FLUX_TESTS_FUZZ_DISK_H

#include "daemon/shadow/thing.h"
#include "daemon/storage/batch.h"

struct fuzz_disk {
    struct batch rows;   /* committed */
    struct batch saving; /* on their way */
    bool is_saving;
};

void fuzz_disk_begin(struct fuzz_disk *disk);
void fuzz_disk_end(struct fuzz_disk *disk);

/* Begin a commit of all that is unsaved. Nothing while one runs. */
void fuzz_disk_save(struct fuzz_disk *disk, struct thing *thing);
/* The commit that runs, if any, is through. */
void fuzz_disk_saved(struct fuzz_disk *disk, struct thing *thing, bool is_stored);

/* Give all rows to a thing that has just begun. */
void fuzz_disk_restore(struct fuzz_disk *disk, struct thing *thing, int64_t now_ms);

#endif
