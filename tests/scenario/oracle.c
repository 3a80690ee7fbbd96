/* What was reported and what the cloud held, version by version. */
#include "tests/scenario/oracle.h"

#include "tests/scenario/oracle_store.h"
#include "tests/scenario/sim_events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *oracle_grow(void *array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    *capacity = *capacity * 2 + 64;
    array = realloc(array, *capacity * size);
    if (array == NULL)
        abort();
    return array;
}

static struct sim_version *oracle_add_version(struct sim *sim, int64_t version)
{
    sim->history = oracle_grow(sim->history, sim->history_count, &sim->history_capacity,
                               sizeof(*sim->history));
    struct sim_version *entry = &sim->history[sim->history_count++];
    *entry = (struct sim_version){.version = version, .at_ms = sim->net->now_ms, .era = sim->era};
    return entry;
}

void oracle_init(struct sim *sim)
{
    sim->model = json_object();
    sim->stored_model = json_object();
    sim->tokens = json_object();
    oracle_deleted(sim, 0);
}

void oracle_clear(struct sim *sim)
{
    for (size_t i = 0; i < sim->history_count; i++) {
        json_decref(sim->history[i].reported);
        json_decref(sim->history[i].marks);
        json_decref(sim->history[i].desired);
        json_decref(sim->history[i].desired_marks);
        json_decref(sim->history[i].phantom);
        json_decref(sim->history[i].phantom_desired);
    }
    for (size_t i = 0; i < sim->op_count; i++) {
        free(sim->ops[i].path);
        json_decref(sim->ops[i].value);
    }
    for (size_t i = 0; i < sim->vague_count; i++)
        free(sim->vague[i]);
    for (size_t i = 0; i < sim->settle_count; i++)
        free(sim->settles[i].path);
    free(sim->settles);
    free(sim->history);
    free(sim->ops);
    free(sim->vague);
    free(sim->waiting);
    free(sim->kept);
    json_decref(sim->model);
    json_decref(sim->commit.model);
    json_decref(sim->next_commit.model);
    json_decref(sim->stored_model);
    oracle_clear_moments(sim);
    json_decref(sim->tokens);
    json_decref(sim->last_update);
    free(sim->last_text);
}

/* ---- what is vague ---- */

void oracle_vague(struct sim *sim, const char *path)
{
    for (size_t i = 0; i < sim->vague_count; i++)
        if (strcmp(sim->vague[i], path) == 0)
            return;
    sim_trace(sim, "  from here on vague: %s", path);
    sim->vague = realloc(sim->vague, (sim->vague_count + 1) * sizeof(*sim->vague));
    if (sim->vague == NULL)
        abort();
    sim->vague[sim->vague_count] = strdup(path);
    if (sim->vague[sim->vague_count++] == NULL)
        abort();
}

bool oracle_is_vague(const struct sim *sim, const char *path)
{
    for (size_t i = 0; i < sim->vague_count; i++)
        if (doc_overlaps(sim->vague[i], path))
            return true;
    return false;
}

/* ---- the device's side ---- */

static bool oracle_is_object_op(const struct sim_op *op)
{
    return op->kind == FLUX_SET && json_is_object(op->value);
}

/* Tell whether an operation sent again was overtaken: by one on its path, one above that replaced
 * or removed it, or one that set something below it. Where a later `{}` above or a later unset
 * below is all there is, design leaves open what holds: that becomes vague. */
static bool oracle_is_overtaken(struct sim *sim, const char *path, int64_t set_us, bool known)
{
    bool overtaken = false, open = false;
    for (size_t i = 0; i < sim->op_count; i++) {
        const struct sim_op *newer = &sim->ops[i];
        if (newer->lost || newer->set_us <= set_us || newer->superseded)
            continue;
        if (strcmp(newer->path, path) == 0)
            overtaken = true;
        else if (doc_covers(newer->path, path)) {
            overtaken = overtaken || !oracle_is_object_op(newer);
            open = open || (oracle_is_object_op(newer) && !known);
        } else if (doc_covers(path, newer->path)) {
            overtaken = overtaken || newer->kind == FLUX_SET;
            open = open || newer->kind == FLUX_UNSET;
        }
    }
    if (open && !overtaken)
        oracle_vague(sim, path);
    return overtaken;
}

/* Tell whether the very operation has been received before. */
static bool oracle_is_known(const struct sim *sim, const char *path, int64_t set_us)
{
    for (size_t i = 0; i < sim->op_count; i++)
        if (!sim->ops[i].lost && sim->ops[i].set_us == set_us &&
            strcmp(sim->ops[i].path, path) == 0)
            return true;
    return false;
}

/* An operation that comes late and clears more than what overtook it leaves the rest open. */
static bool oracle_overtaken_from_below(const struct sim *sim, const struct sim_op *op)
{
    for (size_t i = 0; i < sim->op_count; i++) {
        const struct sim_op *newer = &sim->ops[i];
        if (!newer->lost && newer->set_us > op->set_us && !newer->superseded &&
            strcmp(newer->path, op->path) != 0 && doc_covers(op->path, newer->path))
            return true;
    }
    return false;
}

bool oracle_ends(const struct sim_op *newer, const struct sim_op *older)
{
    if (newer->superseded || newer->lost)
        return false;
    bool same = strcmp(older->path, newer->path) == 0;
    bool above = !same && doc_covers(newer->path, older->path) && !oracle_is_object_op(newer);
    bool below = !same && doc_covers(older->path, newer->path) && newer->kind == FLUX_SET &&
                 !oracle_is_object_op(older);
    return same || above || below;
}

/* Note for earlier operations that this one replaced or removed their value. */
static void oracle_end_older(struct sim *sim, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        struct sim_op *older = &sim->ops[i];
        if (older->ended_by == SIZE_MAX && older->kind != FLUX_UNSET &&
            oracle_ends(&sim->ops[index], older))
            older->ended_by = index;
    }
}

size_t oracle_take(struct sim *sim, enum flux_operation kind, const char *path, const json_t *value,
                   int64_t set_us, bool resent)
{
    bool known = resent && oracle_is_known(sim, path, set_us);
    bool overtaken = resent && oracle_is_overtaken(sim, path, set_us, known);
    sim->ops = oracle_grow(sim->ops, sim->op_count, &sim->op_capacity, sizeof(*sim->ops));
    size_t index = sim->op_count++;
    struct sim_op *op = &sim->ops[index];
    *op = (struct sim_op){
        .kind = kind,
        .path = strdup(path),
        .value = value != NULL ? json_deep_copy(value) : NULL,
        .set_us = set_us,
        .report = sim->report_count,
        .resent = resent,
        .superseded = overtaken,
        .waiting = true,
        .instance = sim->net->instance,
        .program = sim->net->program,
        .level = sim->net->level,
        .life_us = set_us,
        .ended_by = SIZE_MAX,
        .born = sim->history_count - 1,
    };
    sim->waiting = oracle_grow(sim->waiting, sim->waiting_count, &sim->waiting_capacity,
                               sizeof(*sim->waiting));
    sim->waiting[sim->waiting_count++] = index;
    if (overtaken) {
        sim_trace(sim, "  overtaken: %s", path);
        if (!known && oracle_overtaken_from_below(sim, op))
            oracle_vague(sim, path);
        return index;
    }
    oracle_end_older(sim, index);
    json_t *patch = doc_nest(path, value != NULL ? json_deep_copy(value) : json_null());
    if (json_is_null(patch))
        json_object_clear(sim->model); /* the root was unset */
    else
        doc_merge(sim->model, patch);
    json_decref(patch);
    oracle_note_moment(sim);
    return index;
}

/* ---- the cloud's side ---- */

static bool oracle_clears(const json_t *state, const char *section)
{
    return json_is_null(state) || (json_object_get(state, section) != NULL &&
                                   json_is_null(json_object_get(state, section)));
}

struct oracle_kill {
    struct sim *sim;
    const struct sim_version *after;
    size_t index;   /* of the version that the update makes */
    bool is_former; /* it is of a daemon that has ended since */
};

/* Tell whether an operation of the reports allows an update to overwrite what a foreign writer had
 * put at `path` with version number `foreign` of the history. */
static bool oracle_allows(const struct sim *sim, const struct sim_op *op, const char *path,
                          size_t foreign, bool is_former)
{
    bool names = strcmp(op->path, path) == 0;
    bool above = !names && doc_covers(op->path, path) && !oracle_is_object_op(op);
    bool below = !names && doc_covers(path, op->path); /* an unset makes it an object, too */
    if (!names && !above && !below)
        return false;
    if (op->fate != SHADOW_ACCEPTED || op->index >= foreign)
        return true;
    if (op->pending)
        return true; /* the daemon that heard that it was accepted is no more */
    if (op->kind == FLUX_UNSET)
        return false;
    if (op->ended_by == SIZE_MAX)
        return !op->restored || is_former; /* owned: set back */
    const struct sim_op *end = &sim->ops[op->ended_by];
    if (end->fate != SHADOW_ACCEPTED || end->index >= foreign)
        return true;
    /* set below and removed again: answered as removed, but the scalar still has to go */
    const json_t *then = doc_at(sim->history[end->index].reported, op->path);
    return strcmp(end->path, op->path) != 0 && doc_covers(op->path, end->path) && then != NULL &&
           !json_is_object(then);
}

static void oracle_judge_overwritten(void *data, const char *path, const json_t *leaf)
{
    struct oracle_kill *kill = data;
    struct sim *sim = kill->sim;
    if (!json_is_integer(leaf) || oracle_is_vague(sim, path))
        return;
    size_t foreign = (size_t)json_integer_value(leaf);
    const json_t *after = doc_at(kill->after->marks, path);
    if (sim->history[foreign].ours || (json_is_integer(after) && json_equal(after, leaf)))
        return;
    for (size_t i = sim->op_count; i-- > 0;)
        if (oracle_allows(sim, &sim->ops[i], path, foreign, kill->is_former))
            return;
    sim_fail(sim,
             "foreign things stay: the update that made version %lld overwrites %s, which "
             "another writer set at version %lld and no report names",
             (long long)kill->after->version, path, (long long)sim->history[foreign].version);
}

/* Both must merge alike. Whether nulls alone leave an empty object is not documented and a switch
 * of the service: there it is taken as the service has it. */
static void oracle_check_service(struct sim *sim, const struct sim_version *entry, json_t **section,
                                 const char *name)
{
    const json_t *document =
        shadow_service_document(sim->net->cloud, sim->thing_name, sim_service_name(sim));
    const json_t *held = document != NULL ? json_object_get(document, name) : NULL;
    bool same = held != NULL ? doc_equal(*section, held, true) : doc_is_hollow(*section);
    if (!same)
        sim_fail(sim, "the oracle and the shadow service merge %s of version %lld differently",
                 name, (long long)entry->version);
    if (!sim->net->options.cloud.null_only_makes_nothing || held == NULL)
        return;
    json_decref(*section);
    *section = json_deep_copy(held);
}

/* Make a section and its marks of the ones before and a request's state. */
static void oracle_merge_section(const json_t *state, const char *name, json_t **section,
                                 json_t **marks, size_t index)
{
    bool clears = oracle_clears(state, name);
    const json_t *patch = json_object_get(state, name);
    *section = clears ? json_object() : json_deep_copy(*section);
    *marks = clears ? json_object() : json_deep_copy(*marks);
    if (!json_is_object(patch))
        return;
    doc_merge(*section, patch);
    json_t *marked = doc_mark(patch, (json_int_t)index);
    doc_merge(*marks, marked);
    json_decref(marked);
}

static void oracle_make_vague(void *data, const char *path, const json_t *leaf)
{
    (void)leaf;
    oracle_vague(data, path);
}

/* An update without version that comes late, or a second time, is the one that nothing stops
 * (design: none after a 404); whether the engine hears of it in time is luck. */
static bool oracle_is_late(struct sim *sim, const json_t *request)
{
    const char *token = json_string_value(json_object_get(request, "clientToken"));
    if (token == NULL)
        return false;
    bool again = json_is_false(json_object_get(sim->tokens, token));
    json_object_set_new(sim->tokens, token, json_false());
    return again || strcmp(token, sim->flight_token) != 0;
}

/* Tokens begin with the number of the daemon's start. */
static bool oracle_is_former(const struct sim *sim, const json_t *request)
{
    char instance[24];
    const char *token = json_string_value(json_object_get(request, "clientToken"));
    (void)snprintf(instance, sizeof(instance), "%016llx",
                   (unsigned long long)sim->net->options.thing.instance_id);
    return token == NULL || strncmp(token, instance, 16) != 0;
}

void oracle_update_accepted(struct sim *sim, const char *payload, size_t size, bool ours,
                            int64_t version)
{
    json_t *request = json_loadb(payload, size, 0, NULL);
    const json_t *state = json_object_get(request, "state");
    size_t index = sim->history_count;
    struct sim_version *entry = oracle_add_version(sim, version);
    const struct sim_version *before = &sim->history[index - 1];
    entry->reported = before->reported;
    entry->marks = before->marks;
    entry->desired = before->desired;
    entry->desired_marks = before->desired_marks;
    entry->exists = true;
    entry->ours = ours;
    entry->versionless = ours && json_object_get(request, "version") == NULL;
    oracle_merge_section(state, "reported", &entry->reported, &entry->marks, index);
    oracle_merge_section(state, "desired", &entry->desired, &entry->desired_marks, index);
    oracle_phantom_update(sim, state);
    bool late = entry->versionless && oracle_is_late(sim, request);
    if (late)
        doc_each_leaf(json_object_get(state, "reported"), oracle_make_vague, sim);
    oracle_check_service(sim, entry, &entry->reported, "reported");
    oracle_check_service(sim, entry, &entry->desired, "desired");
    if (ours)
        oracle_judge_settled(sim, before, json_object_get(state, "desired"));
    struct oracle_kill kill = {
        .sim = sim, .after = entry, .index = index, .is_former = oracle_is_former(sim, request)};
    json_decref(request);
    if (!ours || late || sim->net->careless)
        return;
    doc_each_leaf(before->marks, oracle_judge_overwritten, &kill);
}

static json_t *oracle_copy(const json_t *object)
{
    return object != NULL ? json_deep_copy(object) : json_object();
}

static size_t oracle_measure(const json_t *section)
{
    return section != NULL ? json_dumpb(section, NULL, 0, JSON_COMPACT) : 0;
}

static void oracle_count_value(void *data, const char *path, const json_t *leaf)
{
    (void)path;
    *(size_t *)data += !json_is_null(leaf);
}

/* A value for which the shadow has no room: be it ours from before, the cloud may end without it.
 */
void oracle_too_large(struct sim *sim, const char *payload, size_t size)
{
    const json_t *document =
        shadow_service_document(sim->net->cloud, sim->thing_name, sim_service_name(sim));
    json_t *request = json_loadb(payload, size, 0, NULL);
    const json_t *patch = json_object_get(json_object_get(request, "state"), "reported");
    json_t *reported = oracle_copy(json_object_get(document, "reported"));
    size_t values = 0;
    if (json_is_object(patch)) {
        doc_merge(reported, patch);
        doc_each_leaf(patch, oracle_count_value, &values);
    }
    size_t bytes = oracle_measure(reported) + oracle_measure(json_object_get(document, "desired"));
    if (values == 1 && bytes > sim->net->options.cloud.max_bytes)
        doc_each_leaf(patch, oracle_make_vague, sim);
    json_decref(reported);
    json_decref(request);
}

static struct sim_version *oracle_begin_anew(struct sim *sim, const json_t *document,
                                             int64_t version)
{
    size_t index = sim->history_count;
    sim->era++;
    struct sim_version *entry = oracle_add_version(sim, version);
    entry->reported = oracle_copy(json_object_get(document, "reported"));
    entry->marks = doc_mark(entry->reported, (json_int_t)index);
    entry->desired = oracle_copy(json_object_get(document, "desired"));
    entry->desired_marks = doc_mark(entry->desired, (json_int_t)index);
    return entry;
}

void oracle_deleted(struct sim *sim, int64_t version)
{
    (void)oracle_begin_anew(sim, NULL, version);
    oracle_phantom_deleted(sim);
}

void oracle_seeded(struct sim *sim, const json_t *document, int64_t version)
{
    oracle_begin_anew(sim, document, version)->exists = true;
}
