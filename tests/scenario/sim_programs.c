#include "tests/scenario/sim_programs.h"

#include "daemon/shadow/policies.h"
#include "tests/scenario/oracle.h"
#include <stdlib.h>
#include <string.h>

/* ---- policies ---- */

static void programs_add(struct policies *policies, const char *glob, unsigned keys,
                         struct policy policy)
{
    const struct policy_rule rule = {.glob = glob, .keys = keys, .policy = policy};
    if (policies_add(policies, &rule) < 0)
        abort();
}

void sim_programs_start(struct sim *sim)
{
    struct policies *policies;
    if (policies_new(&policies) < 0)
        abort();
    programs_add(policies, "u.**", POLICY_ON_EXIT, (struct policy){.unset_on_exit = true});
    programs_add(policies, "t.**", POLICY_EXPIRE, (struct policy){.expire_ms = SIM_EXPIRE_MS});
    programs_add(policies, "m.**", POLICY_MIN_INTERVAL,
                 (struct policy){.min_interval_ms = SIM_INTERVAL_MS});
    programs_add(policies, "q.**", POLICY_URGENT, (struct policy){.urgent = true});
    if (thing_set_policies(sim->net->thing, policies, sim->net->now_ms) < 0)
        abort();
}

void sim_programs_stop(struct sim *sim)
{
    for (size_t i = 0; i < SIM_PROGRAMS && sim->net->programs != NULL; i++)
        sim->net->programs[i] = (struct sim_program){.is_away = true, .away_ms = sim->net->now_ms};
}

void sim_programs_begin(struct sim *sim)
{
    sim_programs_start(sim);
    sim->net->programs = calloc(SIM_PROGRAMS, sizeof(*sim->net->programs));
    if (sim->net->programs == NULL)
        abort();
}

/* ---- coming and going ---- */

void sim_program_connect(struct sim *sim, size_t program)
{
    static const char *const names[SIM_PROGRAMS] = {"meter", "panel", "updater"};
    const struct writer_identity identity = {.name = names[program], .uid = 1000, .unit = ""};
    struct sim_program *each = &sim->net->programs[program];
    if (thing_writer_open(sim->net->thing, &identity, sim->net->now_ms, &each->writer) < 0)
        abort();
    sim_trace(sim, "program %zu connects", program);
    each->connections++;
    each->is_away = false;
    sim_turn(sim);
}

void sim_program_end(struct sim *sim, size_t program, bool clean)
{
    struct sim_program *each = &sim->net->programs[program];
    if (each->connections == 0)
        return;
    sim_trace(sim, "program %zu ends%s", program, clean ? "" : " without a word");
    thing_writer_close(sim->net->thing, each->writer, clean, sim->net->now_ms);
    if (--each->connections == 0) {
        each->writer = NULL;
        each->is_away = true;
        each->away_ms = sim->net->now_ms;
        each->away_serial = ++sim->net->away_serial;
        if (clean)
            memset(each->wills, 0, sizeof(each->wills));
    }
    sim_turn(sim);
}

void sim_program_report(struct sim *sim, size_t program, const char *path, const char *json)
{
    sim->net->writer = sim->net->programs[program].writer;
    sim->net->program = sim->net->writer != NULL ? (int)program + 1 : 0;
    (void)sim_report(sim, &(struct sim_operation){path, json}, 1);
    sim->net->writer = NULL;
    sim->net->program = 0;
}

static struct sim_will *programs_find_will(struct sim *sim, struct sim_program *program)
{
    struct sim_will *free_one = NULL;
    for (size_t i = 0; i < SIM_WILLS; i++) {
        if (program->wills[i].sim == sim)
            return &program->wills[i];
        if (program->wills[i].sim == NULL)
            free_one = &program->wills[i];
    }
    return free_one;
}

void sim_program_will(struct sim *sim, size_t program, const char *path, const char *json)
{
    struct sim_program *each = &sim->net->programs[program];
    struct sim_will *will = programs_find_will(sim, each);
    if (each->writer == NULL || will == NULL)
        return;
    struct shadow_operation operation = {
        .kind = FLUX_SET,
        .path = path,
        .path_size = strlen(path),
        .value = flux_value_int64(json != NULL ? strtoll(json, NULL, 10) : 0),
    };
    struct shadow_refusal refusal;
    sim_trace(sim, "program %zu wills %s %s = %s", program, sim->shadow_name, path,
              json != NULL ? json : "(nothing)");
    int r = thing_writer_will(sim->net->thing, each->writer, sim->shadow, &operation,
                              json != NULL ? 1 : 0, &refusal);
    const struct sim_operation wanted = {path, json};
    bool may_be = r == SHADOW_REPORT_REFUSED && sim->net->allow_refusals &&
                  oracle_may_refuse(sim, &wanted, 1, &refusal);
    if (may_be)
        return; /* the one before stands */
    if (r != SHADOW_REPORT_QUEUED)
        sim_fail(sim, "thing_writer_will() returns %d", r);
    *will = (struct sim_will){.sim = json != NULL ? sim : NULL};
    (void)snprintf(will->path, sizeof(will->path), "%s", path);
    (void)snprintf(will->json, sizeof(will->json), "%s", json != NULL ? json : "");
}

/* ---- what is due ---- */

static void programs_do(struct sim *sim, const char *path, const char *json)
{
    json_t *value = json != NULL ? doc_parse(json) : NULL;
    sim_trace(sim, "due: %s%s %s = %s", sim->thing_name, sim->shadow_name, path,
              json != NULL ? json : "(unset)");
    sim->report_count++;
    size_t index = oracle_take(sim, json != NULL ? FLUX_SET : FLUX_UNSET, path, value,
                               sim_take_us(sim), false);
    sim->ops[index].waiting = false;
    sim->waiting_count--; /* nobody waits for an answer */
    json_decref(value);
}

/* Find the operation that set what the programs' model holds at a path. */
static const struct sim_op *programs_find_op(const struct sim *sim, const char *path)
{
    for (size_t i = sim->op_count; i-- > 0;)
        if (strcmp(sim->ops[i].path, path) == 0 && !sim->ops[i].superseded && !sim->ops[i].lost)
            return &sim->ops[i];
    return NULL;
}

static void programs_each(struct sim *sim, const char *top,
                          bool (*is_due)(const struct sim *sim, const struct sim_op *op,
                                         int program),
                          int program)
{
    for (int i = 0; i < 3; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "%s/%d", top, i);
        if (doc_at(sim->model, path) == NULL)
            continue;
        const struct sim_op *op = programs_find_op(sim, path);
        if (op != NULL && is_due(sim, op, program))
            programs_do(sim, path, NULL);
    }
}

static bool programs_is_of(const struct sim *sim, const struct sim_op *op, int program)
{
    (void)sim;
    return op->program == program;
}

static bool programs_has_expired(const struct sim *sim, const struct sim_op *op, int program)
{
    (void)program;
    return op->life_us / 1000 + SIM_EXPIRE_MS <= sim->net->now_ms;
}

static void programs_end(struct sim *sim, size_t program)
{
    struct sim_program *each = &sim->programs[program];
    each->is_away = false;
    for (struct sim *shadow = sim; shadow != NULL; shadow = shadow->next)
        programs_each(shadow, "/u", programs_is_of, (int)program + 1);
    sim->program = (int)program + 1; /* its will is its report */
    for (size_t i = 0; i < SIM_WILLS; i++)
        if (each->wills[i].sim != NULL)
            programs_do(each->wills[i].sim, each->wills[i].path, each->wills[i].json);
    sim->program = 0;
    memset(each->wills, 0, sizeof(each->wills));
}

/* The program that is due and went before all others that are, SIM_PROGRAMS: none. */
static size_t programs_first_gone(const struct sim *sim)
{
    size_t first = SIM_PROGRAMS;
    for (size_t i = 0; i < SIM_PROGRAMS; i++) {
        const struct sim_program *each = &sim->programs[i];
        if (each->is_away && sim->now_ms - each->away_ms >= sim->options.thing.gone_after_ms &&
            (first == SIM_PROGRAMS || each->away_serial < sim->programs[first].away_serial))
            first = i;
    }
    return first;
}

void sim_programs_turn(struct sim *sim)
{
    sim = sim->net;
    if (sim->programs == NULL)
        return;
    for (size_t i = programs_first_gone(sim); i < SIM_PROGRAMS; i = programs_first_gone(sim))
        programs_end(sim, i);
    for (struct sim *shadow = sim; shadow != NULL; shadow = shadow->next)
        programs_each(shadow, "/t", programs_has_expired, 0);
}
