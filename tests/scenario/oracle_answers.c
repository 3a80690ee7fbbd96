/* Judges what the engine answers, and the end. */
#include "tests/scenario/oracle.h"

#include "tests/scenario/oracle_store.h"
#include "tests/scenario/sim_watch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- is an ACCEPTED true? ---- */

/* What the reports make of one path, one operation after the other. */
enum oracle_what {
    ORACLE_ABSENT,
    ORACLE_LEAF,
    ORACLE_OBJECT,  /* reported as {} */
    ORACLE_PARENT,  /* an object only because something was set below */
    ORACLE_EMPTIED, /* the same, and something below was removed since */
};
struct oracle_place {
    enum oracle_what what;
    const json_t *leaf;
};

static void oracle_place_set(struct oracle_place *place, const struct sim_op *op)
{
    if (op->kind == FLUX_UNSET)
        *place = (struct oracle_place){.what = ORACLE_ABSENT};
    else if (json_is_object(op->value))
        *place = (struct oracle_place){.what = ORACLE_OBJECT};
    else
        *place = (struct oracle_place){.what = ORACLE_LEAF, .leaf = op->value};
}

static void oracle_place_step(struct oracle_place *place, const char *path, const struct sim_op *op)
{
    if (op->superseded)
        return;
    if (strcmp(op->path, path) == 0) {
        oracle_place_set(place, op);
    } else if (doc_covers(op->path, path)) {
        if (op->kind == FLUX_UNSET || !json_is_object(op->value))
            *place = (struct oracle_place){.what = ORACLE_ABSENT};
    } else if (doc_covers(path, op->path)) {
        if (place->what == ORACLE_OBJECT)
            return;
        if (op->kind == FLUX_SET)
            *place = (struct oracle_place){.what = ORACLE_PARENT};
        else if (place->what != ORACLE_ABSENT)
            *place = (struct oracle_place){.what = ORACLE_EMPTIED};
    }
}

static bool oracle_place_matches(const struct oracle_place *place, const json_t *held)
{
    switch (place->what) {
    case ORACLE_ABSENT:
        return doc_is_hollow(held);
    case ORACLE_LEAF:
        return held != NULL && doc_equal(place->leaf, held, false);
    case ORACLE_OBJECT:
        return json_is_object(held);
    case ORACLE_PARENT: /* as a property it is removed: what was set below are others */
    case ORACLE_EMPTIED:
        return held == NULL || json_is_object(held);
    }
    return false;
}

/* Tell whether one operation is a copy of another, sent again or received the first time. */
static bool oracle_is_copy(const struct sim_op *a, const struct sim_op *b)
{
    return a->set_us == b->set_us && a->kind == b->kind && strcmp(a->path, b->path) == 0 &&
           (a->value == NULL || doc_equal(a->value, b->value, false));
}

/* Tell whether a version holds this operation's value, or a newer one of the same property. For one
 * that was overtaken only the newer ones count, and itself where it was received before. */
static bool oracle_holds_in(const struct sim *sim, size_t index, const json_t *reported)
{
    const struct sim_op *op = &sim->ops[index];
    const json_t *held = doc_at(reported, op->path);
    struct oracle_place place = {.what = ORACLE_ABSENT};
    for (size_t i = op->superseded ? 0 : index; i < sim->op_count; i++) {
        const struct sim_op *step = &sim->ops[i];
        if (step->lost || !doc_overlaps(step->path, op->path))
            continue;
        oracle_place_step(&place, op->path, step);
        bool newer = op->superseded ? step->set_us > op->set_us : i > index;
        bool counts = i == index || newer || (op->superseded && oracle_is_copy(step, op));
        if (counts && oracle_place_matches(&place, held))
            return true;
    }
    return false;
}

static bool oracle_holds(const struct sim *sim, size_t index, const struct sim_version *version)
{
    return oracle_holds_in(sim, index, version->reported) ||
           (version->phantom != NULL && oracle_holds_in(sim, index, version->phantom));
}

struct oracle_search {
    const struct sim *sim;
    const struct sim_version *version;
    size_t index;     /* of the operation */
    const char *path; /* strictly below this */
    const char *found;
    char buffer[DOC_PATH_MAX];
};

/* Tell whether the reports since `index` set a path to just what the version holds there, or made
 * something between it and the operation's path an object, which takes what others put there. */
static bool oracle_was_set_since(const struct oracle_search *search, const char *path)
{
    const json_t *held = doc_at(search->version->reported, path);
    for (size_t i = search->index; i < search->sim->op_count; i++) {
        const struct sim_op *op = &search->sim->ops[i];
        if (op->kind != FLUX_SET || op->superseded || !doc_covers(search->path, op->path))
            continue;
        if (strcmp(op->path, path) == 0 && held != NULL && doc_equal(op->value, held, false))
            return true;
        if (json_is_object(op->value) && doc_covers(op->path, path))
            return true;
    }
    return false;
}

static void oracle_find_foreign(void *data, const char *path, const json_t *leaf)
{
    struct oracle_search *search = data;
    if (!json_is_integer(leaf) || search->found != NULL || strcmp(path, search->path) == 0 ||
        !doc_covers(search->path, path) || search->sim->history[json_integer_value(leaf)].ours ||
        oracle_was_set_since(search, path))
        return;
    (void)snprintf(search->buffer, sizeof(search->buffer), "%s", path);
    search->found = search->buffer;
}

/* Find the version an answer names, from place `from` of the history downwards; none at all (0 or
 * less) is a shadow that is not there. A deletion is told with the version it ended. */
static size_t oracle_find_version(const struct sim *sim, int64_t version, size_t from)
{
    for (size_t i = from; i-- > 0;)
        if (version > 0 ? sim->history[i].version == version : !sim->history[i].exists)
            return i;
    return SIZE_MAX;
}

/* Find the version that makes an answer true: the one it names, or an earlier one since the report,
 * if another writer changed the property in between. SIZE_MAX: the named version never was. */
static size_t oracle_find_holding(const struct sim *sim, size_t index, int64_t version,
                                  bool *ret_holds)
{
    size_t newest = oracle_find_version(sim, version, sim->history_count);
    *ret_holds = true;
    for (size_t at = newest; at != SIZE_MAX; at = oracle_find_version(sim, version, at))
        if (oracle_holds(sim, index, &sim->history[at]))
            return at;
    for (size_t at = newest; newest != SIZE_MAX && at-- > sim->ops[index].born;)
        if (oracle_holds(sim, index, &sim->history[at]))
            return newest;
    *ret_holds = false;
    return newest;
}

static const char *oracle_value_text(const struct sim_op *op, char *buffer, size_t size)
{
    char *text = op->value != NULL ? json_dumps(op->value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    (void)snprintf(buffer, size, "%s", text != NULL ? text : "(unset)");
    free(text);
    return buffer;
}

static void oracle_judge_accepted(struct sim *sim, size_t index)
{
    struct sim_op *op = &sim->ops[index];
    char text[128];
    (void)oracle_value_text(op, text, sizeof(text));
    bool holds;
    op->index = oracle_find_holding(sim, index, op->version, &holds);
    if (op->index == SIZE_MAX) {
        sim_fail(sim, "answers: %s = %s is ACCEPTED at version %lld, which never was", op->path,
                 text, (long long)op->version);
        return;
    }
    const struct sim_version *version = &sim->history[op->index];
    if (oracle_is_vague(sim, op->path))
        return;
    /* An update without version cannot see what another writer just put below a cut. */
    const json_t *mark = doc_at(version->marks, op->path);
    bool blind = version->versionless &&
                 (json_is_object(mark) ||
                  (json_is_integer(mark) && !sim->history[json_integer_value(mark)].ours));
    if (!blind && !holds) {
        sim_fail(sim,
                 "answers: %s = %s is ACCEPTED at version %lld, but that holds neither it nor a "
                 "newer value",
                 op->path, text, (long long)op->version);
        return;
    }
    bool clears = op->kind == FLUX_UNSET || !json_is_object(op->value);
    struct oracle_search search = {
        .sim = sim, .version = version, .index = index, .path = op->path};
    if (clears && !op->superseded && !version->versionless)
        doc_each_leaf(version->marks, oracle_find_foreign, &search);
    if (search.found != NULL && !oracle_is_vague(sim, search.found))
        sim_fail(sim, "cuts: %s = %s is ACCEPTED at version %lld, but that still holds %s",
                 op->path, text, (long long)op->version, search.found);
}

static void oracle_judge_refused(struct sim *sim, struct sim_op *op, const struct shadow_fate *fate)
{
    op->code = fate->code;
    (void)snprintf(op->refused_path, sizeof(op->refused_path), "%s",
                   fate->property != NULL ? fate->property->path : "");
    if (fate->property == NULL || !doc_overlaps(fate->property->path, op->path))
        sim_fail(sim, "answers: %s is REJECTED for %s", op->path, op->refused_path);
    if (fate->code != 413 && shadow_service_rejected_with(sim->net->cloud, fate->code) == 0)
        sim_fail(sim, "answers: %s is REJECTED with %d, which the cloud never said", op->path,
                 fate->code);
    oracle_vague(sim, op->path);
    if (fate->property != NULL)
        oracle_vague(sim, op->refused_path);
}

/* Some waits are held on to after their answer: what they pin must stay askable, whatever happens
 * to the property. How it stands may change with newer operations; the answer has been given. */
static void oracle_end_wait(struct sim *sim, size_t index)
{
    struct sim_op *op = &sim->ops[index];
    if (op->fate != SHADOW_ACCEPTED || !sim_chance(sim, sim->net->keep_waits)) {
        shadow_release(sim->shadow, &op->wait);
        return;
    }
    if (sim->kept_count == sim->kept_capacity) {
        sim->kept_capacity = sim->kept_capacity * 2 + 16;
        sim->kept = realloc(sim->kept, sim->kept_capacity * sizeof(*sim->kept));
        if (sim->kept == NULL)
            abort();
    }
    sim->kept[sim->kept_count++] = index;
}

static void oracle_ask_kept(struct sim *sim)
{
    for (size_t i = 0; i < sim->kept_count; i++) {
        struct sim_op *op = &sim->ops[sim->kept[i]];
        (void)shadow_fate(sim->shadow, &op->wait);
        if (!sim_chance(sim, 10))
            continue;
        shadow_release(sim->shadow, &op->wait);
        sim->kept[i--] = sim->kept[--sim->kept_count];
    }
}

void oracle_answers(struct sim *sim)
{
    uint64_t serial = shadow_fate_serial(sim->shadow);
    oracle_ask_kept(sim);
    oracle_settle_answers(sim);
    size_t kept = 0;
    for (size_t i = 0; i < sim->waiting_count && !sim_is_broken(sim); i++) {
        size_t index = sim->waiting[i];
        struct sim_op *op = &sim->ops[index];
        struct shadow_fate fate = shadow_fate(sim->shadow, &op->wait);
        if (fate.state == SHADOW_WAITING) {
            sim->waiting[kept++] = index;
            continue;
        }
        if (sim->serial_known && serial == sim->serial && op->seen)
            sim_fail(sim, "shadow_fate_serial() stands still while %s is answered (%d, %lld)",
                     op->path, (int)fate.state, (long long)fate.version);
        op->waiting = false;
        op->fate = fate.state;
        op->version = fate.version;
        sim_trace(sim, "%s%s answer: report %zu %s %s at version %lld code %d", sim->thing_name,
                  sim->shadow_name, op->report, op->path,
                  fate.state == SHADOW_ACCEPTED ? "ACCEPTED" : "REJECTED", (long long)fate.version,
                  fate.code);
        if (fate.state == SHADOW_ACCEPTED)
            oracle_judge_is_stored(sim, index);
        if (fate.state == SHADOW_ACCEPTED)
            oracle_judge_accepted(sim, index);
        else
            oracle_judge_refused(sim, op, &fate);
        oracle_end_wait(sim, index);
    }
    sim->waiting_count = sim_is_broken(sim) ? sim->waiting_count : kept;
    for (size_t i = 0; i < sim->waiting_count; i++)
        sim->ops[sim->waiting[i]].seen = true;
    sim->serial = serial;
    sim->serial_known = true;
}

/* ---- the end ---- */

struct oracle_end {
    struct sim *sim;
    const struct sim_version *cloud;
    char text[512];
};

static void oracle_end_note(struct oracle_end *end, const char *what, const char *path)
{
    if (end->text[0] == '\0')
        (void)snprintf(end->text, sizeof(end->text), "%s: %s", what, path);
}

/* Everything the reports left must be there. */
static void oracle_end_ours(void *data, const char *path, const json_t *leaf)
{
    struct oracle_end *end = data;
    if (json_is_object(leaf) || oracle_is_vague(end->sim, path))
        return;
    const json_t *held = doc_at(end->cloud->reported, path);
    if ((held == NULL || !doc_equal(leaf, held, false)) && !oracle_was_given_up(end->sim, path))
        oracle_end_note(end, "the cloud does not hold what was reported last", path);
}

/* Tell whether the reports left at a path just what the version holds there. */
static bool oracle_is_in_model(const struct sim *sim, const struct sim_version *version,
                               const char *path)
{
    const json_t *newest = doc_at(sim->model, path);
    return newest != NULL && doc_equal(newest, doc_at(version->reported, path), false);
}

/* Nothing may be there that the reports had replaced or removed. */
static void oracle_end_theirs(void *data, const char *path, const json_t *leaf)
{
    struct oracle_end *end = data;
    struct sim *sim = end->sim;
    if (!json_is_integer(leaf) || oracle_is_vague(sim, path))
        return;
    size_t writer = (size_t)json_integer_value(leaf);
    if (sim->history[writer].ours) {
        bool knows_all = sim->net->instance == 0 || sim->net->options.thing.durable;
        if (knows_all && !oracle_is_in_model(sim, end->cloud, path))
            oracle_end_note(end, "the cloud holds a value of ours that was replaced or removed",
                            path);
        return;
    }
    for (size_t i = 0; i < sim->op_count; i++) {
        const struct sim_op *op = &sim->ops[i];
        bool clears = op->kind == FLUX_UNSET || !json_is_object(op->value);
        struct oracle_search search = {
            .sim = sim, .version = end->cloud, .index = i, .path = op->path};
        if (clears && !op->superseded && op->fate == SHADOW_ACCEPTED && op->index >= writer &&
            doc_covers(op->path, path) && !sim->history[op->index].versionless &&
            !oracle_was_set_since(&search, path))
            oracle_end_note(end, "a foreign value survived a later report that removed it", path);
    }
}

static void oracle_end_objects(struct oracle_end *end)
{
    struct sim *sim = end->sim;
    for (size_t i = 0; i < sim->op_count; i++) {
        const struct sim_op *op = &sim->ops[i];
        if (op->kind != FLUX_SET || !json_is_object(op->value) || op->superseded || op->lost ||
            op->ended_by != SIZE_MAX || oracle_is_vague(sim, op->path) ||
            oracle_was_given_up(sim, op->path))
            continue;
        if (!json_is_object(doc_at(end->cloud->reported, op->path)))
            oracle_end_note(end, "an object that was reported is not in the cloud", op->path);
    }
}

/* The thing waits for something: say for what. */
static void oracle_end_unsettled(struct oracle_end *end)
{
    for (struct sim *each = end->sim->net; each != NULL; each = each->next) {
        struct shadow_status status;
        char text[320];
        if (shadow_is_settled(each->shadow))
            continue;
        shadow_get_status(each->shadow, &status);
        (void)snprintf(text, sizeof(text), "%s %s: %zu pending, %zu in flight, view %s, code %d",
                       each->thing_name, each->shadow_name, status.pending, status.in_flight,
                       shadow_view_name(status.view), status.last_code);
        oracle_end_note(end, "all is done, but this is not settled", text);
    }
    oracle_end_note(end, "all is done, but the thing says it is not settled", "");
}

bool oracle_end(struct sim *sim, bool final)
{
    struct oracle_end end = {.sim = sim, .cloud = &sim->history[sim->history_count - 1]};
    doc_each_leaf(sim->model, oracle_end_ours, &end);
    doc_each_leaf(end.cloud->marks, oracle_end_theirs, &end);
    oracle_end_objects(&end);
    if (end.text[0] == '\0' && sim->waiting_count > 0)
        oracle_end_note(&end, "a report was never answered", sim->ops[sim->waiting[0]].path);
    for (size_t i = 0; i < sim->settle_count; i++)
        if (sim->settles[i].waiting)
            oracle_end_note(&end, "a settling was never answered", sim->settles[i].path);
    if (end.text[0] == '\0')
        oracle_end_store(sim, end.text, sizeof(end.text));
    if (end.text[0] == '\0')
        sim_watch_end(sim, end.text, sizeof(end.text));
    if (end.text[0] == '\0' && !thing_is_settled(sim->net->thing))
        oracle_end_unsettled(&end);
    if (end.text[0] == '\0')
        return true;
    if (final) {
        char *cloud = json_dumps(end.cloud->reported, JSON_COMPACT);
        char *model = json_dumps(sim->model, JSON_COMPACT);
        sim_fail(sim, "the end: %s\n  cloud  %.600s\n  device %.600s", end.text, cloud, model);
        free(cloud);
        free(model);
    }
    return false;
}
