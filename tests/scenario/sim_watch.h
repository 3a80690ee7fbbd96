/* Programs that watch what is desired: they take the engine's news, some of them slowly, and judge
 * each one. Part of the simulator; knows no reports. */
#ifndef FLUX_TESTS_SCENARIO_SIM_WATCH_H
#define FLUX_TESTS_SCENARIO_SIM_WATCH_H

#include "tests/scenario/sim.h"

struct sim_watcher {
    struct sim_watcher *next;
    char path[64];
    struct shadow_wish_cursor cursor;
    json_t *told;    /* path: value, of what differs as far as it knows */
    json_t *told_at; /* path: [place in the history, in ops] at the time */
    int64_t version; /* the highest told */
    unsigned era;    /* of that */
    unsigned slow;   /* percent of the turns in which it does not listen */
    uint64_t serial; /* when it had heard everything */
    bool heard_all;
    size_t news;
    size_t stale_news; /* of them, unconfirmed by the connection */
};

/* Begin to watch a path (empty: everything). Owned by the world. */
struct sim_watcher *sim_watch(struct sim *sim, const char *path, unsigned slow);
void sim_unwatch(struct sim *sim, struct sim_watcher *watcher);

/* Let every watcher of a shadow listen. */
void sim_watch_turn(struct sim *sim);
/* The daemon is new: all watch again from the start. */
void sim_watch_start(struct sim *sim);
void sim_watch_clear(struct sim *sim);
/* All is quiet: what each one knows must be what is true. Writes what is wrong to `ret_text`. */
void sim_watch_end(struct sim *sim, char *ret_text, size_t size);

#endif
