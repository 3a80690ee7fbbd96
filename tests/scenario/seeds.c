#include "tests/scenario/seeds.h"

#include <stdlib.h>
#include <time.h>

#define SEEDS_TRACE_TAIL 160u
#define SEEDS_LOOK_EVERY 16u

static uint64_t seeds_number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* Run a seed again and print the last lines of what happened. */
static void seeds_show(seeds_function run, uint64_t seed)
{
    char *text = NULL, failure[2048] = "";
    size_t size = 0;
    FILE *trace = open_memstream(&text, &size);
    if (trace == NULL)
        abort();
    (void)run(seed, trace, failure, sizeof(failure));
    (void)fclose(trace);
    size_t lines = 0, start = size;
    while (start > 0 && lines <= SEEDS_TRACE_TAIL)
        lines += text[--start] == '\n';
    fprintf(stderr, "%s\nseed %llu fails %s\nrun it with FLUXAWS_SEED=%llu\n", text + start,
            (unsigned long long)seed, failure, (unsigned long long)seed);
    free(text);
}

static uint64_t seeds_run_one(seeds_function run, uint64_t seed)
{
    char failure[2048] = "";
    bool good = run(seed, stderr, failure, sizeof(failure));
    if (!good)
        fprintf(stderr, "seed %llu: %s\n", (unsigned long long)seed, failure);
    return !good;
}

static uint64_t seeds_now_sec(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec;
}

uint64_t seeds_run(seeds_function run, uint64_t otherwise)
{
    if (getenv("FLUXAWS_SEED") != NULL)
        return seeds_run_one(run, seeds_number("FLUXAWS_SEED", 1));
    uint64_t first = seeds_number("FLUXAWS_SEED_FROM", 1);
    uint64_t count = seeds_number("FLUXAWS_SEEDS", otherwise);
    uint64_t for_sec = seeds_number("FLUXAWS_FOR_SEC", 0);
    uint64_t until_sec = seeds_now_sec() + for_sec;
    bool go_on = getenv("FLUXAWS_GO_ON") != NULL;
    uint64_t done = 0, failed = 0;
    while (for_sec > 0 ? done % SEEDS_LOOK_EVERY != 0 || seeds_now_sec() < until_sec
                       : done < count) {
        char failure[2048] = "";
        uint64_t seed = first + done++;
        if (run(seed, NULL, failure, sizeof(failure)))
            continue;
        failed++;
        fprintf(stderr, "seed %llu: %.300s\n", (unsigned long long)seed, failure);
        if (go_on)
            continue;
        seeds_show(run, seed);
        break;
    }
    printf("%llu seeds from %llu, %llu failed\n", (unsigned long long)done,
           (unsigned long long)first, (unsigned long long)failed);
    return failed;
}
