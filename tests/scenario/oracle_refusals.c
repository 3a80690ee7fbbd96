/* Judges refusals of whole reports by the daemon's own checks. */
#include "tests/scenario/oracle.h"

#include <string.h>

static bool oracle_exclude(const struct sim_operation *operations, size_t i, size_t j)
{
    const struct sim_operation *a = &operations[i], *b = &operations[j];
    bool a_above = doc_covers(a->path, b->path) && strcmp(a->path, "") != 0;
    bool b_above = doc_covers(b->path, a->path) && strcmp(b->path, "") != 0;
    if (a->json == NULL || b->json == NULL || a_above == b_above || a->json == SIM_SETTLE ||
        b->json == SIM_SETTLE)
        return false;
    if (strcmp(a_above ? a->json : b->json, "{}") == 0)
        return false;
    for (size_t k = i + 1; k < j; k++) {
        if (operations[k].json == NULL && doc_covers(operations[k].path, a->path))
            return false;
    }
    return true;
}

bool oracle_contradicts(const struct sim_operation *operations, size_t count)
{
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i < j; i++) {
            if (oracle_exclude(operations, i, j))
                return true;
        }
    }
    return false;
}

/* One from before a restart has nobody who waits for its end: the notice said it. */
static bool refusals_is_refused(const struct sim *sim, const struct sim_op *op)
{
    return op->fate == SHADOW_REFUSED ||
           (op->restored && !op->waiting && oracle_is_vague(sim, op->path));
}

bool oracle_may_refuse(const struct sim *sim, const struct sim_operation *operations, size_t count,
                       const struct shadow_refusal *refusal)
{
    if (refusal->code == 413)
        return true;
    if (refusal->code == 400 && oracle_contradicts(operations, count))
        return true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(operations[i].path, refusal->path) != 0 || operations[i].json == NULL ||
            operations[i].json == SIM_SETTLE)
            continue;
        json_t *value = doc_parse(operations[i].json);
        bool before = false;
        for (size_t j = 0; j < sim->op_count; j++)
            before = before || (refusals_is_refused(sim, &sim->ops[j]) &&
                                strcmp(sim->ops[j].path, refusal->path) == 0 &&
                                doc_equal(sim->ops[j].value, value, false));
        json_decref(value);
        if (before)
            return true;
    }
    return false;
}
