/* The oracle: knows every report and every write in the order they happened and judges what the
 * engine sends, what it answers and where the cloud ends up, by design section 2. Part of the
 * simulator; never asks the engine what is right. */
#ifndef FLUX_TESTS_SCENARIO_ORACLE_H
#define FLUX_TESTS_SCENARIO_ORACLE_H

#include "tests/scenario/sim.h"

void oracle_init(struct sim *sim);
void oracle_clear(struct sim *sim);

/* Note an operation the engine took; returns its index. */
size_t oracle_take(struct sim *sim, enum flux_operation kind, const char *path, const json_t *value,
                   int64_t set_us, bool resent);

/* Tell whether an operation replaces or removes what the older one set. */
bool oracle_ends(const struct sim_op *newer, const struct sim_op *older);

/* Judge a publish of the engine to `update` or `get`, at the moment it leaves. */
void oracle_publish(struct sim *sim, const char *topic, const char *payload, size_t size);

/* --- oracle_desired.c: wishes and settling them --- */
/* Note that an operation settles what is desired at a path; one sent again, what was then. */
void oracle_take_settle(struct sim *sim, const char *path, int64_t set_us, bool resent,
                        const struct shadow_wait *wait);
/* Judge the `desired` of an update of the engine as it leaves. */
void oracle_judge_desired(struct sim *sim, const json_t *request);
/* The cloud took an update of the engine with that `desired`: no newer wish may have gone. */
void oracle_judge_settled(struct sim *sim, const struct sim_version *before, const json_t *desired);
void oracle_settle_answers(struct sim *sim);

/* --- oracle_phantom.c: deletions that nothing told of --- */
/* The newest version of the history is a deletion, or an update with that state. */
void oracle_phantom_deleted(struct sim *sim);
void oracle_phantom_update(struct sim *sim, const json_t *state);
/* The engine hears of a version, by `answer`; `is_awaited`: the answer to a get that it takes. */
void oracle_phantom_heard(struct sim *sim, const char *answer, int64_t version, bool is_awaited);
/* The engine was answered that there is no shadow. */
void oracle_phantom_gone(struct sim *sim);

/* --- oracle_connection.c: the budgets that all shadows share --- */
/* Judge any request of the engine at the moment it leaves. `sim` is the shadow that it is for, the
 * first one for (UN)SUBSCRIBE. */
void oracle_request(struct sim *sim, const struct thing_request *request);
/* Shadows are not followed any more from this UNSUBSCRIBE on. */
void oracle_unheard(struct sim *sim, const struct thing_request *request);
/* The request was answered: by a message with its token, or by the broker's refusal. */
void oracle_answered(struct sim *sim, const char *token);
void oracle_refused(struct sim *sim, uint32_t request_id);
/* Something that nobody can read came in the place of a get's answer. */
void oracle_answered_unreadably(struct sim *sim);
/* The connection is gone, and with it what was under way. */
void oracle_disconnected(struct sim *sim);
/* Judge what the engine keeps in memory. */
void oracle_memory(struct sim *sim);

/* Note what an accepted update or delete made of the shadow. */
void oracle_update_accepted(struct sim *sim, const char *payload, size_t size, bool ours,
                            int64_t version);
void oracle_deleted(struct sim *sim, int64_t version);
void oracle_seeded(struct sim *sim, const json_t *document, int64_t version);

/* Note a message as the engine gets to hear it. */
void oracle_heard(struct sim *sim, const char *topic, const char *payload, size_t size);
void oracle_link_down(struct sim *sim);

/* Look at the answers of the engine and judge the new ones. */
void oracle_answers(struct sim *sim);

/* The cloud refused an update of the engine with 413. */
void oracle_too_large(struct sim *sim, const char *payload, size_t size);

/* Judge the end: everything answered, the cloud as the reports say. Returns whether it is so; notes
 * a failure only with `final`. */
bool oracle_end(struct sim *sim, bool final);

/* Tell whether two values of a report exclude each other, so that it has to be refused. */
bool oracle_contradicts(const struct sim_operation *operations, size_t count);

/* Tell whether a report may be refused whole: for its size, or because the service refused that
 * very value before. */
bool oracle_may_refuse(const struct sim *sim, const struct sim_operation *operations, size_t count,
                       const struct shadow_refusal *refusal);

/* Tell whether more than one end is right for a path. */
bool oracle_is_vague(const struct sim *sim, const char *path);
void oracle_vague(struct sim *sim, const char *path);

/* Make room for one more element; dies when out of memory. Returns the array. */
void *oracle_grow(void *array, size_t count, size_t *capacity, size_t size);

/* Tell whether every number in JSON text is written as short as it reads back equal. */
bool oracle_numbers_are_short(const char *json, size_t size);

#endif
