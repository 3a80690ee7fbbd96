/* Short words for the scenarios on durable storage. Part of the tests only. */
#ifndef FLUX_TESTS_SCENARIO_DURABLE_H
#define FLUX_TESTS_SCENARIO_DURABLE_H

#include "tests/scenario/scenario.h"
#include "tests/scenario/sim_store.h"

/* The defaults, with a disk. */
void durable_options(struct sim_options *ret_options);
/* Make a world with a disk whose cloud holds `document` at version 7 (NULL: no shadow), the link
 * down; or up, with the view proven. */
struct sim *durable_new(const char *document);
struct sim *durable_up(const char *document);

/* Connect and give it time. */
void durable_connect(struct sim *sim);
/* Let what was reported get to the disk without a link. */
void durable_commit(struct sim *sim);
/* The daemon ends; another writer changes the cloud before the next one connects. */
void durable_restart_beside(struct sim *sim, enum sim_end end, const char *payload);

/* Compare the state of a property on the disk. SAVED_NOTHING: nothing of ours, or no row. */
#define assert_on_disk(sim, path, state) durable_assert(sim, path, state, __FILE__, __LINE__)
void durable_assert(struct sim *sim, const char *path, enum saved_state state, const char *file,
                    int line);

/* scenario_end(), and what the engine says is saved is on the disk. */
void durable_end(struct sim *sim);

#endif
