/* The world of one seed of the randomised test, and what may happen in it. Decides what happens,
 * not whether it is right: that is the oracle's. */
#ifndef FLUX_TESTS_SCENARIO_RANDOM_WORLD_H
#define FLUX_TESTS_SCENARIO_RANDOM_WORLD_H

#include "tests/scenario/sim.h"

#define RANDOM_SHADOWS_MAX  24u
#define RANDOM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A report of a client that lost its connection and has not sent it again yet. */
struct random_late {
    struct sim *shadow;
    char path[64], json[64];
    bool unset;
    int64_t set_us;
};

/* What may happen to the disk and to the daemon on it, in percent of the steps. */
struct random_disk {
    unsigned ends;    /* the daemon, in one way or another */
    unsigned trouble; /* commits fail or hang for a while */
    unsigned audits;  /* all is written, and compared with what the engine would write */
    bool levels;      /* programs do not always wait for ACCEPTED */
};

struct random_world {
    struct sim *sim; /* the first shadow */
    struct sim *shadows[RANDOM_SHADOWS_MAX];
    size_t shadow_count;
    struct random_late late[8];
    size_t late_count;
    bool poison;   /* a key that the service refuses */
    bool hangs_up; /* a value at which the broker hangs up */
    bool restarts;
    bool wishes;   /* cloud applications wish, programs settle */
    bool watches;  /* programs watch: not where subscriptions are short, for a watched shadow
                      never makes way */
    bool programs; /* programs come and go, leave wills, and there are policies */
    bool replaces; /* programs replace whole trees */
    struct random_disk disk;
    unsigned unrest; /* percent of steps in which the world, not a program, does something */
    int foreign_number;
};

/* Make the world of a seed; `durable`: the same on a disk, with a daemon that crashes. */
void random_begin(struct random_world *world, uint64_t seed, bool durable, FILE *trace);

/* Let something happen. */
void random_step(struct random_world *world);
/* Clients that lost their connection are back. */
void random_send_late(struct random_world *world);

/* --- random_disk.c --- */
struct sim_options;
void random_disk_options(struct sim_options *options, uint64_t seed);
/* Throw the dice for the disk; they are others than those for the rest of the world. */
void random_disk_begin(struct random_world *world, uint64_t seed);
/* Let something happen to it, or to the daemon. */
void random_disk_step(struct random_world *world);
void random_disk_heal(struct random_world *world);

/* From here on all is well: every shadow must come to equal what was reported, and then the link
 * must be quiet. */
void random_heal(struct random_world *world);

#endif
