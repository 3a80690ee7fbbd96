/* Deletions that nothing told of. Whether a deleted version N lives on as N or as N + 1 is not
 * documented; where it is N, the next document has the version that would have followed. Who was
 * not told of the deletion then takes the new document for the old one with a change: there is
 * nothing to see it by. What the engine says may be true for that phantom, from the deletion until
 * it gets the shadow or is told of the deletion before it is told of anything newer. */
#include "tests/scenario/oracle.h"

#include <string.h>

static json_t *phantom_merge(const json_t *before, const json_t *state, const char *section)
{
    const json_t *patch = json_object_get(state, section);
    bool clears = json_is_null(state) || json_is_null(patch);
    json_t *merged = clears ? json_object() : json_deep_copy(before);
    if (json_is_object(patch))
        doc_merge(merged, patch);
    return merged;
}

void oracle_phantom_deleted(struct sim *sim)
{
    size_t index = sim->history_count - 1;
    struct sim_version *entry = &sim->history[index];
    bool again = sim->unseen.version != 0;
    sim->unseen = (struct sim_unseen){0};
    if (index == 0 || entry->version <= 0 || sim->net->options.cloud.tombstone_bumps)
        return;
    const struct sim_version *before = &sim->history[index - 1];
    entry->phantom = json_deep_copy(again ? before->phantom : before->reported);
    entry->phantom_desired = json_deep_copy(again ? before->phantom_desired : before->desired);
    sim->unseen =
        (struct sim_unseen){.version = entry->version, .at_ms = sim->net->now_ms, .index = index};
}

void oracle_phantom_update(struct sim *sim, const json_t *state)
{
    struct sim_version *entry = &sim->history[sim->history_count - 1];
    const struct sim_version *before = entry - 1;
    if (sim->unseen.version == 0)
        return;
    entry->phantom = phantom_merge(before->phantom, state, "reported");
    entry->phantom_desired = phantom_merge(before->phantom_desired, state, "desired");
}

/* The engine learnt of the deletion before it could be misled. */
static void phantom_drop(struct sim *sim)
{
    for (size_t i = sim->unseen.index; i < sim->history_count; i++) {
        json_decref(sim->history[i].phantom);
        json_decref(sim->history[i].phantom_desired);
        sim->history[i].phantom = sim->history[i].phantom_desired = NULL;
    }
    sim->unseen = (struct sim_unseen){0};
}

void oracle_phantom_heard(struct sim *sim, const char *answer, int64_t version, bool is_awaited)
{
    struct sim_unseen *unseen = &sim->unseen;
    if (unseen->version == 0)
        return;
    if (strcmp(answer, "delete/accepted") == 0 && version == unseen->version && unseen->told == 0)
        phantom_drop(sim);
    else if (strcmp(answer, "update/accepted") == 0 && version > unseen->version &&
             version > unseen->told)
        unseen->told = version;
    else if (is_awaited && version > unseen->version && version >= unseen->told)
        *unseen = (struct sim_unseen){0};
}

void oracle_phantom_gone(struct sim *sim)
{
    if (sim->get_at_ms >= sim->unseen.at_ms)
        sim->unseen = (struct sim_unseen){0};
}
