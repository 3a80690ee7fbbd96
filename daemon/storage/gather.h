/* How long a commit waits for company. Whoever waited for a commit is answered when it ends, and
 * often comes again at once: begun with the first of them, the next commit would pay a whole sync
 * for a few rows, and the others would wait for it. Pure; time is an argument. */
#ifndef FLUXAWS_STORAGE_GATHER_H
#define FLUXAWS_STORAGE_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* On a slow disk, too, they are back within this time, or do not come. */
#define GATHER_MAX_US 2000

/* All zero waits for nobody. */
struct gather {
    size_t rows;      /* of the commit before; half of them are enough */
    int64_t until_us; /* then it begins with what there is */
};

/* A commit of so many rows has ended, 0: it has failed. The next one waits for half as many, not
 * longer than that one took. */
void gather_begin(struct gather *gather, size_t rows, int64_t took_us, int64_t now_us);

/* Tell whether a commit of so many rows may begin. */
bool gather_is_enough(const struct gather *gather, size_t rows, int64_t now_us);

#endif
