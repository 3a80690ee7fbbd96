#include "daemon/base/random.h"

void random_init(struct random_source *source, uint64_t seed)
{
    source->state = seed;
}

/* SplitMix64, by Sebastiano Vigna, public domain. */
uint64_t random_u64(struct random_source *source)
{
    source->state += 0x9e3779b97f4a7c15u;
    uint64_t z = source->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

int64_t random_up_to(struct random_source *source, int64_t limit)
{
    if (limit <= 0)
        return 0;
    uint64_t count = (uint64_t)limit + 1;
    /* The lowest values of the generator would make some results likelier than others. */
    uint64_t skip = (0 - count) % count;
    uint64_t drawn;
    do {
        drawn = random_u64(source);
    } while (drawn < skip);
    return (int64_t)(drawn % count);
}
