/* Programs that come and go, and what the daemon does in their stead: wills, OnExit, ExpireSec.
 * What it has to report by itself is noted with the oracle at the moment it is due. Part of the
 * simulator; keeps to paths of its own, so that it is always clear what is due. */
#ifndef FLUX_TESTS_SCENARIO_SIM_PROGRAMS_H
#define FLUX_TESTS_SCENARIO_SIM_PROGRAMS_H

#include "tests/scenario/sim.h"

#define SIM_PROGRAMS    3u
#define SIM_WILLS       2u
#define SIM_EXPIRE_MS   (20 * SIM_SECOND)
#define SIM_INTERVAL_MS (15 * SIM_SECOND)

struct sim_will {
    struct sim *sim; /* NULL: none */
    char path[16], json[16];
};

struct sim_program {
    struct writer *writer; /* NULL: no connection */
    unsigned connections;
    bool is_away;
    int64_t away_ms;
    uint64_t away_serial;             /* the order in which they went */
    struct sim_will wills[SIM_WILLS]; /* one a shadow */
};

/* Put the policies into force: below /u OnExit=unset, below /t ExpireSec, below /m MinIntervalMs,
 * below /q Urgent. */
void sim_programs_begin(struct sim *sim);

/* Put the same policies into force in a daemon that begins; one that ended has lost its programs:
 * they come back or they are gone, and their wills are forgotten. */
void sim_programs_start(struct sim *sim);
void sim_programs_stop(struct sim *sim);

/* One more connection of a program, or one less; `clean`: it says so. */
void sim_program_connect(struct sim *sim, size_t program);
void sim_program_end(struct sim *sim, size_t program, bool clean);
/* Report as a program, or as nobody in particular where it has no connection. */
void sim_program_report(struct sim *sim, size_t program, const char *path, const char *json);
/* Keep a will of one value for the shadow; NULL drops it. */
void sim_program_will(struct sim *sim, size_t program, const char *path, const char *json);

/* Note what the daemon has to do by now. */
void sim_programs_turn(struct sim *sim);

#endif
