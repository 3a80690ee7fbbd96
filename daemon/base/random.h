/* A small seeded generator for jitter and spreading, the same on every machine for the same seed.
 * Not for secrets. Pure: the seed comes from outside. */
#ifndef FLUXAWS_BASE_RANDOM_H
#define FLUXAWS_BASE_RANDOM_H

#include <stdint.h>

/* SplitMix64: every seed is good, zero too. */
struct random_source {
    uint64_t state;
};

void random_init(struct random_source *source, uint64_t seed);
uint64_t random_u64(struct random_source *source);

/* Draw evenly from 0 to `limit`, both included. A limit below 0 counts as 0. */
int64_t random_up_to(struct random_source *source, int64_t limit);

#endif
