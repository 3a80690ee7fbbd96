/* Runs a randomised test over many seeds, by the environment variables FLUXAWS_SEEDS (how many),
 * FLUXAWS_SEED_FROM (the first), FLUXAWS_SEED (just this one, with all that happens), FLUXAWS_SHARD
 * ("0/2": every second one, to run on two cores), FLUXAWS_FOR_SEC (as many as fit into so many
 * seconds) and FLUXAWS_GO_ON (do not stop at the first that fails). Knows nothing of what a seed
 * does. */
#ifndef FLUX_TESTS_SCENARIO_SEEDS_H
#define FLUX_TESTS_SCENARIO_SEEDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Run one seed; what happens goes to `trace` where that is not NULL. Returns whether it went well;
 * else the failure in words. */
typedef bool (*seeds_function)(uint64_t seed, FILE *trace, char *ret_failure, size_t size);

/* Read the command line: `--for SECONDS` is the same as FLUXAWS_FOR_SEC. Dies of anything else. */
void seeds_arguments(int argc, char **argv);

/* Run seeds, `otherwise` of them where the environment does not say. A failing one is printed with
 * the end of its story. Returns how many failed. */
uint64_t seeds_run(seeds_function run, uint64_t otherwise);

#endif
