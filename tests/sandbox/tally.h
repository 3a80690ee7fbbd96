/* How much was asked of each shadow. It judges nothing. */
#ifndef FLUX_TESTS_SANDBOX_TALLY_H
#define FLUX_TESTS_SANDBOX_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/shadow_service.h"

#define TALLY_MAX 16384 /* shadows; others are not counted apart */

struct tally_entry {
    char *key; /* THING/NAME, as `things` has it */
    uint64_t
        operations[SHADOW_SERVICE_OPERATIONS]; /* requests of devices, whatever became of them */
    uint64_t rejected;                         /* of those */
    uint64_t by_cloud;                         /* requests of the operator */
};

/* A zeroed one has counted nothing. */
struct tally {
    struct tally_entry *entries; /* sorted by key */
    size_t count;
    size_t capacity;
};

/* Find or add a shadow; name empty: the classic one. Borrowed until the next call. NULL: there is
 * no room, or no memory. */
struct tally_entry *tally_entry(struct tally *tally, const char *thing, const char *name);

/* Forget all. */
void tally_clear(struct tally *tally);

#endif
