/* Reports of the simulated programs. */
#include "tests/scenario/oracle.h"
#include "tests/scenario/sim.h"
#include "tests/scenario/sim_store.h"
#include <stdlib.h>
#include <string.h>

#define SIM_OPERATIONS_MAX 256u

int64_t sim_take_us(struct sim *sim)
{
    int64_t us = sim->net->now_ms * 1000;
    sim->net->last_us = us > sim->net->last_us ? us : sim->net->last_us + 1;
    return sim->net->last_us;
}

/* Make the engine's value of a JSON one; `text` is what it was read from. */
static struct flux_value sim_value(const json_t *json, const char *text)
{
    switch (json_typeof(json)) {
    case JSON_TRUE:
    case JSON_FALSE:
        return flux_value_bool(json_is_true(json));
    case JSON_INTEGER:
        return flux_value_int64(json_integer_value(json));
    case JSON_REAL:
        return flux_value_double(json_real_value(json));
    case JSON_STRING:
        return flux_value_string(json_string_value(json), json_string_length(json));
    case JSON_ARRAY:
        return flux_value_array(text, strlen(text));
    case JSON_OBJECT:
        if (json_object_size(json) == 0)
            return flux_value_empty_object();
        break;
    case JSON_NULL:
        break;
    }
    abort(); /* a mistake of the test's author */
}

const char sim_settle_mark[] = "(settled)";

struct sim_batch {
    struct shadow_operation operations[SIM_OPERATIONS_MAX];
    json_t *values[SIM_OPERATIONS_MAX];
    struct shadow_wait waits[SIM_OPERATIONS_MAX];
    size_t count;
};

static void sim_batch_fill(struct sim_batch *batch, const struct sim_operation *operations,
                           size_t count)
{
    if (count > SIM_OPERATIONS_MAX)
        abort();
    batch->count = count;
    for (size_t i = 0; i < count; i++) {
        struct shadow_operation *operation = &batch->operations[i];
        *operation = (struct shadow_operation){
            .kind = operations[i].json == SIM_SETTLE ? FLUX_SETTLE
                    : operations[i].json != NULL     ? FLUX_SET
                                                     : FLUX_UNSET,
            .path = operations[i].path,
            .path_size = strlen(operations[i].path),
        };
        batch->values[i] = NULL;
        if (operation->kind != FLUX_SET)
            continue;
        batch->values[i] = doc_parse(operations[i].json);
        operation->value = sim_value(batch->values[i], operations[i].json);
    }
}

static void sim_batch_clear(struct sim_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++)
        json_decref(batch->values[i]);
}

static void sim_note_report(struct sim *sim, struct sim_batch *batch, int64_t set_us, bool resent)
{
    sim->report_count++;
    for (size_t i = 0; i < batch->count; i++) {
        const struct shadow_operation *operation = &batch->operations[i];
        if (operation->kind == FLUX_SETTLE) {
            oracle_take_settle(sim, operation->path, set_us, resent, &batch->waits[i]);
            continue;
        }
        size_t index =
            oracle_take(sim, operation->kind, operation->path, batch->values[i], set_us, resent);
        sim->ops[index].wait = batch->waits[i];
    }
}

static size_t sim_send(struct sim *sim, const struct sim_operation *operations, size_t count,
                       int64_t set_us, bool resent)
{
    struct sim_batch batch;
    sim_batch_fill(&batch, operations, count);
    struct shadow_report report = {
        .operations = batch.operations,
        .operation_count = count,
        .set_us = set_us,
        .resent = resent,
        .writer = sim->net->writer,
    };
    struct shadow_refusal refusal = {0};
    size_t first = sim->op_count;
    for (size_t i = 0; i < count; i++)
        sim_trace(sim, "%s%s report %zu%s %s = %s", sim->thing_name, sim->shadow_name,
                  sim->report_count, resent ? " (again)" : "", operations[i].path,
                  operations[i].json != NULL ? operations[i].json : "(unset)");
    int rc = shadow_report(sim->shadow, &report, sim->net->now_ms,
                           sim->net->careless ? NULL : batch.waits, &refusal);
    if (rc < 0)
        sim_fail(sim, "shadow_report() returns %d", rc);
    if (rc == SHADOW_REPORT_REFUSED) {
        first = SIZE_MAX;
        sim_trace(sim, "  refused: %d %s %s", refusal.code, refusal.path, refusal.text);
        if ((!sim->net->allow_refusals && !oracle_contradicts(operations, count)) ||
            !oracle_may_refuse(sim, operations, count, &refusal))
            sim_fail(sim, "a report of %s is refused: %d %s", operations[0].path, refusal.code,
                     refusal.text);
    }
    if (rc == SHADOW_REPORT_QUEUED && oracle_contradicts(operations, count))
        sim_fail(sim, "a report that contradicts itself is taken");
    if (rc == SHADOW_REPORT_QUEUED && !sim->net->careless)
        sim_note_report(sim, &batch, set_us, resent);
    if (rc == SHADOW_REPORT_QUEUED)
        sim_store_ask(sim);
    sim_batch_clear(&batch);
    sim_turn(sim);
    return first;
}

size_t sim_report(struct sim *sim, const struct sim_operation *operations, size_t count)
{
    return sim_send(sim, operations, count, sim_take_us(sim), false);
}

size_t sim_set(struct sim *sim, const char *path, const char *json)
{
    return sim_report(sim, &(struct sim_operation){path, json}, 1);
}

size_t sim_unset(struct sim *sim, const char *path)
{
    return sim_report(sim, &(struct sim_operation){path, NULL}, 1);
}

size_t sim_settle(struct sim *sim, const char *path, const char *json)
{
    struct sim_operation operations[] = {{path, SIM_SETTLE}, {path, json}};
    size_t settle = sim->settle_count;
    size_t r = sim_report(sim, operations, json != NULL ? 2 : 1);
    return r == SIZE_MAX ? SIZE_MAX : settle;
}

size_t sim_resend(struct sim *sim, const char *path, const char *json, int64_t set_us)
{
    return sim_send(sim, &(struct sim_operation){path, json}, 1, set_us, true);
}

size_t sim_resend_all(struct sim *sim, const struct sim_operation *operations, size_t count,
                      int64_t set_us)
{
    return sim_send(sim, operations, count, set_us, true);
}

void sim_resend_report(struct sim *sim, size_t report)
{
    struct sim_operation operations[SIM_OPERATIONS_MAX] = {{0}};
    size_t count = 0;
    int64_t set_us = 0;
    enum sim_level level = sim->net->level;
    for (size_t i = 0; i < sim->op_count; i++) {
        const struct sim_op *op = &sim->ops[i];
        if (op->report != report || count == SIM_OPERATIONS_MAX)
            continue;
        set_us = op->set_us;
        sim->net->level = op->level;
        operations[count].path = op->path;
        operations[count++].json =
            op->value != NULL ? json_dumps(op->value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    }
    if (count > 0)
        (void)sim_send(sim, operations, count, set_us, true);
    sim->net->level = level;
    for (size_t i = 0; i < count; i++)
        free((char *)operations[i].json);
}

int sim_report_raw(struct sim *sim, const struct shadow_operation *operations, size_t count,
                   struct shadow_refusal *ret_refusal)
{
    struct shadow_report report = {
        .operations = operations,
        .operation_count = count,
        .set_us = sim_take_us(sim),
    };
    int rc = shadow_report(sim->shadow, &report, sim->net->now_ms, NULL, ret_refusal);
    sim_turn(sim);
    return rc;
}
