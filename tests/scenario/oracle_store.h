/* The oracle's part about the disk: what a commit holds, what a crash takes, and that STORED and
 * ACCEPTED are promises that survive it. Part of the oracle; knows rows only to judge them. */
#ifndef FLUX_TESTS_SCENARIO_ORACLE_STORE_H
#define FLUX_TESTS_SCENARIO_ORACLE_STORE_H

#include "tests/scenario/sim.h"

/* A commit begins: it will hold what was reported by now. */
void oracle_commit_begins(struct sim *sim);
/* So will the one behind it, which begins or grows. */
void oracle_next_commit_begins(struct sim *sim);
/* The first has ended, and the one behind it follows; or it has not ended well: there is none. */
void oracle_commit_ends(struct sim *sim, bool is_stored);

/* The disk holds nothing any more. */
void oracle_disk_lost(struct sim *sim);

/* The disk must hold what the reports of the last commit make, no more and no less. */
void oracle_judge_disk(struct sim *sim);

/* An operation has been accepted: durable, it has to be on the disk. */
void oracle_judge_is_stored(struct sim *sim, size_t index);
/* Look which reports count as STORED now. */
void oracle_stored_answers(struct sim *sim);

/* The daemon ended: forget what it took with it (volatile: all). `reboot`: the whole machine. */
void oracle_crashed(struct sim *sim, bool reboot);

/* --- what an update may say: that of the newest commit, or of a moment since the last update ---
 */
/* The reports make something else now. */
void oracle_note_moment(struct sim *sim);
/* An update has gone out: the next one is not older than what is stored now. */
void oracle_drop_moments(struct sim *sim);
void oracle_clear_moments(struct sim *sim);
/* Tell whether the reports of such a moment make this of a path. */
bool oracle_was_newest(const struct sim *sim, const char *path, const json_t *leaf);
/* Tell whether a model makes this of a path; null: nothing is there. */
bool oracle_makes(const json_t *model, const char *path, const json_t *leaf);

/* A value was refused, be it when it was set back, long after. With it goes what it had replaced,
 * though nobody waits to hear of it any more. */
void oracle_refused_notice(struct sim *sim, const char *path);

/* The rows came only now: what was reported before that wins. */
void oracle_loaded_late(struct sim *sim);

/* Tell whether the newest value at a path is from before this daemon's start: not defended. */
bool oracle_is_undefended(const struct sim *sim, const char *path);
/* The same where the cloud holds something else meanwhile, for a good reason. */
bool oracle_was_given_up(const struct sim *sim, const char *path);

/* Judge at the end what a disk costs. */
void oracle_end_store(struct sim *sim, char *ret_text, size_t size);

#endif
