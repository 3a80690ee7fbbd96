#include "tests/scenario/seeds.h"

#include <stdlib.h>
#include <string.h>
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

void seeds_arguments(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--for") == 0 && setenv("FLUXAWS_FOR_SEC", argv[2], 1) == 0)
        return;
    if (argc == 1)
        return;
    fprintf(stderr, "usage: %s [--for SECONDS]\n", argv[0]);
    exit(2);
}

struct seeds_plan {
    uint64_t first, count, for_sec, until_sec, shard, shards;
};

static struct seeds_plan seeds_make_plan(uint64_t otherwise)
{
    struct seeds_plan plan = {
        .first = seeds_number("FLUXAWS_SEED_FROM", 1),
        .count = seeds_number("FLUXAWS_SEEDS", otherwise),
        .for_sec = seeds_number("FLUXAWS_FOR_SEC", 0),
        .shards = 1,
    };
    plan.until_sec = seeds_now_sec() + plan.for_sec;
    unsigned shard, shards;
    const char *text = getenv("FLUXAWS_SHARD");
    if (text != NULL && sscanf(text, "%u/%u", &shard, &shards) == 2 && shard < shards) {
        plan.shard = shard;
        plan.shards = shards;
    }
    return plan;
}

static bool seeds_is_over(const struct seeds_plan *plan, uint64_t seed)
{
    if (plan->for_sec == 0)
        return seed >= plan->first + plan->count;
    return (seed / plan->shards) % SEEDS_LOOK_EVERY == 0 && seeds_now_sec() >= plan->until_sec;
}

uint64_t seeds_run(seeds_function run, uint64_t otherwise)
{
    if (getenv("FLUXAWS_SEED") != NULL)
        return seeds_run_one(run, seeds_number("FLUXAWS_SEED", 1));
    struct seeds_plan plan = seeds_make_plan(otherwise);
    bool go_on = getenv("FLUXAWS_GO_ON") != NULL;
    uint64_t done = 0, failed = 0, first_failed = 0;
    for (uint64_t seed = plan.first + plan.shard; !seeds_is_over(&plan, seed);
         seed += plan.shards) {
        char failure[2048] = "";
        done++;
        if (run(seed, NULL, failure, sizeof(failure)))
            continue;
        first_failed = failed++ == 0 ? seed : first_failed;
        fprintf(stderr, "seed %llu: %.300s\n", (unsigned long long)seed, failure);
        if (go_on)
            continue;
        seeds_show(run, seed);
        break;
    }
    printf("%llu seeds from %llu, %llu failed\n", (unsigned long long)done,
           (unsigned long long)plan.first, (unsigned long long)failed);
    if (failed > 0)
        printf("the first that failed: %llu\n", (unsigned long long)first_failed);
    return failed;
}
