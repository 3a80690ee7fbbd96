/* The disk of the simulated daemon: holds what the engine had written row by row, writes a batch at
 * a time and takes virtual time for it, fails, hangs, and loses at a crash what was not committed.
 * Decides when a commit begins as the daemon does. Part of the simulator; knows nothing of files.
 */
#ifndef FLUX_TESTS_SCENARIO_SIM_STORE_H
#define FLUX_TESTS_SCENARIO_SIM_STORE_H

#include "daemon/storage/commit_schedule.h"
#include "tests/scenario/sim.h"
#include "tests/scenario/sim_rows.h"

struct sim_event;

struct sim_store {
    struct sim_rows disk, batch, next;
    bool committing;
    bool following; /* `next` was handed over behind the commit under way */
    struct commit_schedule schedule;
    uint64_t serial; /* of the commit under way */
    bool in_trouble;
    bool was_in_trouble; /* and what went out then need not be on the disk yet */

    /* what is wrong with the disk */
    bool fails;    /* commits end with an error */
    bool hangs;    /* commits do not end */
    bool unloaded; /* the rows cannot be read: the daemon has started without them */

    /* what it did */
    size_t commits, failures, rows_written, asks;
    size_t overlapping,
        extended;     /* commits handed over behind another one, and made bigger there */
    size_t idle_rows; /* written although the disk held just that */
    size_t orphaned;  /* rows that the engine did not take at the last start */
};

void sim_store_init(struct sim *sim);
void sim_store_clear(struct sim *sim);

/* The turn's last part: begin a commit if it is time. */
void sim_store_turn(struct sim *sim);
int64_t sim_store_deadline(const struct sim *sim);
/* A report was taken: its program may want to hear that it is stored. */
void sim_store_ask(struct sim *sim);
/* A commit has ended as far as time goes. */
void sim_store_event(struct sim *sim, const struct sim_event *event);

/* Give the engine, which has just started, all rows. */
void sim_store_load(struct sim *sim);
/* The daemon is gone: the commit under way is on the disk, or it is not. `reboot`: the times of the
 * rows mean nothing any more. */
void sim_store_crash(struct sim *sim, bool reboot);
/* Write all that is unsaved now: a daemon that stops in good order. */
void sim_store_finish(struct sim *sim);

/* The database was damaged and is set aside: a fresh one holds nothing. Not while a commit runs:
 * then nothing happens. */
void sim_store_begin_anew(struct sim *sim);

/* Find a row of a shadow on the disk, or NULL. */
const struct saved_row *sim_store_find(struct sim *sim, enum saved_kind kind, const char *path);
/* Visit every property of a shadow on the disk. */
typedef void (*sim_store_visit)(void *data, const char *path,
                                const struct saved_property *property);
void sim_store_each_value(struct sim *sim, sim_store_visit visit, void *data);

/* All is quiet: what the engine would write is what is on the disk. */
void sim_store_audit(struct sim *sim);

#endif
