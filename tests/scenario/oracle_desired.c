/* Judges how the engine touches `desired`: only to remove what a program settled, never a wish that
 * came later. */
#include "tests/scenario/oracle.h"

#include <stdlib.h>
#include <string.h>

/* The newest version at a time. */
static size_t oracle_version_at(const struct sim *sim, int64_t us)
{
    size_t index = sim->history_count - 1;
    while (index > 0 && sim->history[index].at_ms * 1000 > us)
        index--;
    return index;
}

void oracle_take_settle(struct sim *sim, const char *path, int64_t set_us, bool resent,
                        const struct shadow_wait *wait)
{
    const struct sim_version *newest = &sim->history[sim->history_count - 1];
    sim->settles =
        oracle_grow(sim->settles, sim->settle_count, &sim->settle_capacity, sizeof(*sim->settles));
    sim->settles[sim->settle_count++] = (struct sim_settle){
        .path = strdup(path),
        .report = sim->report_count,
        .set_us = set_us,
        .born = resent ? oracle_version_at(sim, set_us) : sim->history_count - 1,
        .informed = !resent && sim->net->up && sim->heard_version == newest->version,
        .waiting = true,
        .instance = sim->net->instance,
        .wait = *wait,
    };
}

/* ---- as it leaves ---- */

static void oracle_judge_wish_gone(void *data, const char *path, const json_t *leaf)
{
    struct sim *sim = data;
    if (!json_is_null(leaf)) {
        sim_fail(sim, "the daemon wishes something itself: %s", path);
        return;
    }
    for (size_t i = 0; i < sim->settle_count; i++)
        if (!sim->settles[i].lost && (sim->settles[i].waiting || sim->settles[i].restored) &&
            doc_covers(sim->settles[i].path, path))
            return;
    if (!sim->net->careless)
        sim_fail(sim, "an update removes the wish %s, which nobody settles", path);
}

void oracle_judge_desired(struct sim *sim, const json_t *request)
{
    const json_t *desired = json_object_get(json_object_get(request, "state"), "desired");
    if (json_object_get(request, "version") == NULL)
        sim_fail(sim, "settling: an update without version touches `desired`");
    if (json_is_null(desired))
        oracle_judge_wish_gone(sim, "", desired);
    else if (json_object_size(desired) == 0)
        sim_fail(sim, "settling: an update says nothing of `desired`");
    else
        doc_each_leaf(desired, oracle_judge_wish_gone, sim);
}

/* ---- as it is accepted ---- */

struct oracle_gone {
    struct sim *sim;
    const struct sim_version *before;
    const json_t *desired; /* of the update */
};

/* A wish that was taken back and made again while nobody heard of it cannot be told from the first.
 */
static bool oracle_is_same_wish(const struct oracle_gone *gone, const struct sim_settle *settle,
                                const char *path)
{
    const json_t *now = doc_at(gone->before->desired, path);
    for (size_t i = 0; i <= settle->born; i++) {
        const json_t *then = doc_at(gone->sim->history[i].desired, path);
        if (then != NULL && now != NULL && doc_equal(then, now, false))
            return true;
    }
    return false;
}

static bool oracle_removes(const json_t *desired, const char *path)
{
    const json_t *node = desired;
    while (node != NULL && !json_is_null(node) && *path == '/') {
        size_t size = strcspn(path + 1, "/");
        node = json_object_getn(node, path + 1, size);
        path += 1 + size;
    }
    return json_is_null(node);
}

static void oracle_judge_newer_wins(void *data, const char *path, const json_t *leaf)
{
    const struct oracle_gone *gone = data;
    struct sim *sim = gone->sim;
    if (!json_is_integer(leaf) || !oracle_removes(gone->desired, path))
        return;
    size_t made = (size_t)json_integer_value(leaf);
    for (size_t i = 0; i < sim->settle_count; i++)
        if (doc_covers(sim->settles[i].path, path) &&
            (sim->settles[i].born >= made || oracle_is_same_wish(gone, &sim->settles[i], path)))
            return;
    sim_fail(sim, "settling: a newer wish wins, but %s of version %lld is removed", path,
             (long long)sim->history[made].version);
}

void oracle_judge_settled(struct sim *sim, const struct sim_version *before, const json_t *desired)
{
    struct oracle_gone gone = {.sim = sim, .before = before, .desired = desired};
    if (desired != NULL && !sim->net->careless)
        doc_each_leaf(before->desired_marks, oracle_judge_newer_wins, &gone);
}

/* ---- as it is answered ---- */

struct oracle_left {
    struct sim *sim;
    const struct sim_settle *settle;
};

static void oracle_judge_left(void *data, const char *path, const json_t *leaf)
{
    const struct oracle_left *left = data;
    if (json_is_integer(leaf) && doc_covers(left->settle->path, path) &&
        (size_t)json_integer_value(leaf) <= left->settle->born)
        sim_fail(left->sim, "settling: %s is ACCEPTED, but the wish %s is still there",
                 left->settle->path, path);
}

static void oracle_judge_settle(struct sim *sim, const struct sim_settle *settle, int64_t version)
{
    struct oracle_left left = {.sim = sim, .settle = settle};
    for (size_t i = sim->history_count; i-- > settle->born && settle->informed;) {
        if (sim->history[i].version != version)
            continue;
        doc_each_leaf(sim->history[i].desired_marks, oracle_judge_left, &left);
        return;
    }
}

void oracle_settle_answers(struct sim *sim)
{
    for (size_t i = 0; i < sim->settle_count && !sim_is_broken(sim); i++) {
        struct sim_settle *settle = &sim->settles[i];
        if (!settle->waiting)
            continue;
        struct shadow_fate fate = shadow_fate(sim->shadow, &settle->wait);
        if (fate.state == SHADOW_WAITING)
            continue;
        settle->waiting = false;
        settle->fate = fate.state;
        sim_trace(sim, "%s%s answer: settling %s %s at version %lld code %d", sim->thing_name,
                  sim->shadow_name, settle->path,
                  fate.state == SHADOW_ACCEPTED ? "ACCEPTED" : "REJECTED", (long long)fate.version,
                  fate.code);
        if (fate.state == SHADOW_ACCEPTED)
            oracle_judge_settle(sim, settle, fate.version);
        shadow_release(sim->shadow, &settle->wait);
    }
}
