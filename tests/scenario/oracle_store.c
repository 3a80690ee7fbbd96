#include "tests/scenario/oracle_store.h"

#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_store.h"
#include <stdlib.h>
#include <string.h>

/* ---- commits ---- */

static void oracle_note_commit(struct sim *sim, struct sim_commit *commit)
{
    json_decref(commit->model);
    *commit = (struct sim_commit){
        .model = json_deep_copy(sim->model),
        .revision = shadow_newest_revision(sim->shadow),
        .ops = sim->op_count,
        .settles = sim->settle_count,
    };
}

void oracle_commit_begins(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next)
        oracle_note_commit(each, &each->commit);
}

void oracle_next_commit_begins(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next)
        oracle_note_commit(each, &each->next_commit);
}

void oracle_commit_ends(struct sim *sim, bool is_stored)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next) {
        struct sim_commit *commit = &each->commit;
        if (is_stored && commit->model != NULL) { /* else it was opened since */
            json_decref(each->stored_model);
            each->stored_model = json_incref(commit->model);
            each->stored_revision = commit->revision;
            each->stored_ops = commit->ops;
            each->stored_settles = commit->settles;
        }
        json_decref(commit->model);
        if (!is_stored) {
            json_decref(each->next_commit.model);
            each->next_commit = (struct sim_commit){0};
        }
        *commit = each->next_commit;
        each->next_commit = (struct sim_commit){0};
    }
}

void oracle_disk_lost(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next) {
        json_object_clear(each->stored_model);
        each->stored_revision = 0;
        each->stored_ops = each->stored_settles = 0;
    }
}

/* ---- moments ---- */

void oracle_clear_moments(struct sim *sim)
{
    for (size_t i = 0; i < sim->moment_count; i++)
        json_decref(sim->moments[i].model);
    free(sim->moments);
    sim->moments = NULL;
    sim->moment_count = sim->moment_capacity = 0;
}

void oracle_note_moment(struct sim *sim)
{
    if (!sim->net->options.thing.durable)
        return;
    sim->moments =
        oracle_grow(sim->moments, sim->moment_count, &sim->moment_capacity, sizeof(*sim->moments));
    sim->moments[sim->moment_count++] =
        (struct sim_moment){.model = json_deep_copy(sim->model), .ops = sim->op_count};
}

void oracle_drop_moments(struct sim *sim)
{
    size_t first = sim->moment_count;
    while (first > 0 && sim->moments[first - 1].ops > sim->stored_ops)
        first--;
    first = first > 0 ? first - 1 : 0; /* the last one that is stored */
    for (size_t i = 0; i < first; i++)
        json_decref(sim->moments[i].model);
    sim->moment_count -= first;
    for (size_t i = 0; i < sim->moment_count; i++)
        sim->moments[i] = sim->moments[i + first];
}

bool oracle_was_newest(const struct sim *sim, const char *path, const json_t *leaf)
{
    bool any = sim->net->store->was_in_trouble;
    for (size_t i = 0; i < sim->moment_count; i++)
        if ((any || sim->moments[i].ops <= sim->stored_ops) &&
            oracle_makes(sim->moments[i].model, path, leaf))
            return true;
    return oracle_makes(sim->stored_model, path, leaf);
}

/* ---- the disk ---- */

/* Find the newest one of the first `count` operations that counts on just this path. */
static struct sim_op *oracle_newest_op(const struct sim *sim, const char *path, size_t count)
{
    for (size_t i = count; i-- > 0;) {
        struct sim_op *op = &sim->ops[i];
        if (!op->lost && !op->superseded && strcmp(op->path, path) == 0)
            return op;
    }
    return NULL;
}

/* Tell whether another writer has changed what is not defended since the cloud had it. */
static bool oracle_is_given_up(const struct sim *sim, const struct sim_op *op)
{
    bool held = false;
    if (op == NULL || !op->restored || op->kind != FLUX_SET)
        return false;
    for (size_t i = op->pending ? sim->restored_at : 0; i < sim->history_count; i++) {
        const json_t *there = doc_at(sim->history[i].reported, op->path);
        bool holds = json_is_object(op->value)
                         ? json_is_object(there)
                         : there != NULL && doc_equal(there, op->value, false);
        if (held && !holds && !sim->history[i].ours)
            return true;
        held = held || holds;
    }
    return sim->heard_gone && (held || !op->pending);
}

struct oracle_disk {
    struct sim *sim;
    json_t *held;     /* path: value, as on the disk */
    json_t *given_up; /* paths that the cloud has taken over */
};

static void oracle_collect(void *data, const char *path, const struct saved_property *property)
{
    struct oracle_disk *disk = data;
    json_t *value = sim_rows_value(&property->value);
    if (value != NULL && property->state != SAVED_REFUSED)
        json_object_set(disk->held, path, value);
    json_decref(value);
}

static void oracle_disk_fails(struct oracle_disk *disk, const char *what, const char *path,
                              const json_t *value)
{
    char *text = value != NULL ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    sim_fail(disk->sim, "the disk %s: %s%s %s = %s", what, disk->sim->thing_name,
             disk->sim->shadow_name, path, text != NULL ? text : "nothing");
    free(text);
}

static void oracle_judge_kept(void *data, const char *path, const json_t *leaf)
{
    struct oracle_disk *disk = data;
    const json_t *held = json_object_get(disk->held, path);
    if (json_is_object(leaf) || oracle_is_vague(disk->sim, path) ||
        (held != NULL && doc_equal(held, leaf, false)))
        return;
    const struct sim_op *op = oracle_newest_op(disk->sim, path, disk->sim->stored_ops);
    if (held == NULL && oracle_is_given_up(disk->sim, op))
        json_object_set_new(disk->given_up, path, json_true());
    else
        oracle_disk_fails(disk, "does not hold what was committed", path, leaf);
}

static void oracle_judge_row(struct oracle_disk *disk, const char *path, const json_t *value)
{
    const json_t *newest = doc_at(disk->sim->stored_model, path);
    if (oracle_is_vague(disk->sim, path))
        return;
    if (json_is_object(value) ? !json_is_object(newest)
                              : newest == NULL || !doc_equal(newest, value, false))
        oracle_disk_fails(disk, "holds what was replaced or removed", path, value);
}

/* What is not defended, and the cloud has changed, counts as never reported from here on. */
static void oracle_give_up(struct sim *sim, const char *path)
{
    json_t *patch = doc_nest(path, json_null());
    const json_t *now = doc_at(sim->model, path);
    if (now != NULL && !json_is_object(now) && oracle_is_undefended(sim, path))
        doc_merge(sim->model, patch);
    doc_merge(sim->stored_model, patch);
    json_decref(patch);
}

static void oracle_judge_disk_of(struct sim *sim)
{
    struct oracle_disk disk = {.sim = sim, .held = json_object(), .given_up = json_object()};
    const char *path;
    json_t *value;
    sim_store_each_value(sim, oracle_collect, &disk);
    doc_each_leaf(sim->stored_model, oracle_judge_kept, &disk);
    json_object_foreach(disk.held, path, value)
    {
        oracle_judge_row(&disk, path, value);
    }
    json_object_foreach(disk.given_up, path, value)
    {
        oracle_give_up(sim, path);
    }
    json_decref(disk.held);
    json_decref(disk.given_up);
}

void oracle_judge_disk(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL && !sim_is_broken(sim); each = each->next)
        oracle_judge_disk_of(each);
}

/* ---- answers ---- */

/* Tell whether the disk makes of a path what an operation does. */
static bool oracle_disk_makes(const struct sim *sim, const char *path, const struct sim_op *op)
{
    bool is_below = strcmp(op->path, path) != 0 && doc_covers(path, op->path);
    bool is_above = strcmp(op->path, path) != 0 && doc_covers(op->path, path);
    json_t *value = is_below                        ? json_object()
                    : op->value == NULL || is_above ? json_null()
                                                    : json_incref(op->value);
    bool makes = oracle_makes(sim->stored_model, path, value) ||
                 (is_below && oracle_makes(sim->stored_model, path, json_null()));
    json_decref(value);
    return makes;
}

void oracle_judge_is_stored(struct sim *sim, size_t index)
{
    const struct sim_op *op = &sim->ops[index];
    if (!sim->net->options.thing.durable || sim->net->store->was_in_trouble || op->superseded ||
        oracle_is_vague(sim, op->path) || index < sim->stored_ops)
        return;
    for (size_t i = index; i < sim->op_count; i++) { /* a newer one may have been accepted for it */
        const struct sim_op *newer = &sim->ops[i];
        if (!newer->superseded && doc_overlaps(newer->path, op->path) &&
            oracle_disk_makes(sim, op->path, newer))
            return;
    }
    sim_fail(sim, "ACCEPTED implies STORED: %s is ACCEPTED, but a crash would lose it", op->path);
}

void oracle_stored_answers(struct sim *sim)
{
    uint64_t stored = shadow_stored_revision(sim->shadow);
    if (stored > sim->stored_revision && sim->net->options.thing.durable)
        sim_fail(sim, "STORED is claimed up to %llu, the disk has all up to %llu",
                 (unsigned long long)stored, (unsigned long long)sim->stored_revision);
    if (stored > 0 && !sim->net->options.thing.durable)
        sim_fail(sim, "STORED is claimed where nothing is");
    for (size_t i = 0; i < sim->waiting_count; i++) {
        struct sim_op *op = &sim->ops[sim->waiting[i]];
        if (!op->stored && stored >= op->wait.revision && sim->net->options.thing.durable)
            op->stored = true;
    }
}

/* ---- a crash ---- */

/* What was lost had replaced nothing. */
static void oracle_end_again(struct sim *sim)
{
    for (size_t i = 0; i < sim->op_count; i++) {
        struct sim_op *op = &sim->ops[i];
        if (op->ended_by == SIZE_MAX || !sim->ops[op->ended_by].lost)
            continue;
        op->ended_by = SIZE_MAX;
        for (size_t j = i + 1; j < sim->op_count && op->ended_by == SIZE_MAX; j++)
            if (oracle_ends(&sim->ops[j], op))
                op->ended_by = j;
    }
}

static void oracle_lose(struct sim *sim)
{
    bool durable = sim->net->options.thing.durable;
    size_t kept = durable ? sim->stored_ops : 0;
    for (size_t i = 0; i < sim->op_count; i++) {
        struct sim_op *op = &sim->ops[i];
        bool is_new = !op->lost && i >= kept;
        op->lost = op->lost || is_new;
        op->restored = !op->lost;
        op->pending = false;
        if (is_new && durable && sim->net->store->was_in_trouble)
            oracle_vague(sim, op->path); /* it may have gone out all the same */
    }
    for (size_t i = 0; i < sim->settle_count; i++) {
        struct sim_settle *settle = &sim->settles[i];
        settle->lost = settle->lost || i >= (durable ? sim->stored_settles : 0);
        settle->restored = !settle->lost;
    }
}

static void oracle_note_pending(void *data, const char *path, const struct saved_property *property)
{
    struct sim *sim = data;
    for (size_t i = 0; i < sim->op_count && property->state == SAVED_PENDING; i++)
        sim->ops[i].pending =
            sim->ops[i].pending || (!sim->ops[i].lost && strcmp(sim->ops[i].path, path) == 0);
}

void oracle_crashed(struct sim *sim, bool reboot)
{
    bool durable = sim->net->options.thing.durable;
    oracle_lose(sim);
    oracle_end_again(sim);
    json_decref(sim->model);
    sim->model = durable ? json_deep_copy(sim->stored_model) : json_object();
    sim->restored_at = sim->history_count - 1;
    sim->heard_gone = false;
    oracle_clear_moments(sim);
    oracle_note_moment(sim);
    if (!durable)
        return;
    sim->stored_ops = sim->op_count; /* of what is left */
    sim->stored_settles = sim->settle_count;
    sim_store_each_value(sim, oracle_note_pending, sim);
    for (size_t i = 0; i < sim->op_count && reboot; i++)
        sim->ops[i].set_us = 0; /* before this boot */
    for (size_t i = 0; i < sim->op_count; i++)
        if (sim->ops[i].set_us == 0)
            sim->ops[i].life_us = sim->net->now_ms * 1000;
}

void oracle_refused_notice(struct sim *sim, const char *path)
{
    oracle_vague(sim, path);
    for (size_t i = 0; i < sim->op_count; i++) {
        const struct sim_op *op = &sim->ops[i];
        if (op->restored && op->ended_by != SIZE_MAX &&
            strcmp(sim->ops[op->ended_by].path, path) == 0)
            oracle_vague(sim, op->path);
    }
}

/* A scalar on the disk was not there yet to be taken away when something below it was unset. */
void oracle_loaded_late(struct sim *sim)
{
    if (sim->stored_ops == sim->op_count)
        sim->stored_revision = shadow_newest_revision(sim->shadow);
    for (size_t i = sim->stored_ops; i < sim->op_count; i++) {
        for (size_t j = 0; sim->ops[i].kind == FLUX_UNSET && j < sim->stored_ops; j++) {
            const struct sim_op *above = &sim->ops[j];
            if (above->kind == FLUX_SET && !above->lost &&
                doc_covers(above->path, sim->ops[i].path) &&
                strcmp(above->path, sim->ops[i].path) != 0)
                oracle_vague(sim, above->path);
        }
    }
}

/* ---- what is not defended ---- */

bool oracle_is_undefended(const struct sim *sim, const char *path)
{
    const struct sim_op *op = oracle_newest_op(sim, path, sim->op_count);
    return op != NULL && op->restored;
}

bool oracle_was_given_up(const struct sim *sim, const char *path)
{
    return oracle_is_given_up(sim, oracle_newest_op(sim, path, sim->op_count));
}

/* ---- the end ---- */

void oracle_end_store(struct sim *sim, char *ret_text, size_t size)
{
    if (!sim->net->options.thing.durable || sim->net->store->in_trouble)
        return;
    if (shadow_stored_revision(sim->shadow) < shadow_newest_revision(sim->shadow))
        (void)snprintf(ret_text, size, "not all is stored: %s %s", sim->thing_name,
                       sim->shadow_name);
}
