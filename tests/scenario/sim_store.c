#include "tests/scenario/sim_store.h"

#include "daemon/shadow/saved_walk.h"
#include "tests/scenario/oracle.h"
#include "tests/scenario/oracle_store.h"
#include "tests/scenario/sim_events.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STORE_JUDGE_EVERY 4u /* commits */

/* ---- the daemon's side ---- */

void sim_store_init(struct sim *sim)
{
    sim->store = calloc(1, sizeof(*sim->store));
    if (sim->store == NULL)
        abort();
    commit_schedule_init(&sim->store->schedule, sim->options.sync_interval_ms);
}

void sim_store_clear(struct sim *sim)
{
    if (sim->store == NULL)
        return;
    sim_rows_clear(&sim->store->disk);
    sim_rows_clear(&sim->store->batch);
    sim_rows_clear(&sim->store->next);
    free(sim->store);
    sim->store = NULL;
}

static void store_apply(struct sim_store *store)
{
    sim_rows_apply(&store->disk, &store->batch);
    store->rows_written += store->batch.count;
}

static void store_set_trouble(struct sim *sim, bool in_trouble)
{
    struct sim_store *store = sim->net->store;
    if (store->in_trouble == in_trouble)
        return;
    sim_trace(sim, "storage is %s", in_trouble ? "in trouble" : "well again");
    store->in_trouble = in_trouble;
    store->was_in_trouble = store->was_in_trouble || in_trouble;
    thing_set_storage_trouble(sim->net->thing, in_trouble, sim->net->now_ms);
}

/* Take the rows of a save. A report's rows and what was before it are in one batch: there are no
 * two of the same key. */
static void store_fill(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    struct saved_row row;
    sim_rows_clear(&store->batch);
    thing_begin_save(sim->net->thing);
    while (thing_next_unsaved(sim->net->thing, &row)) {
        if (sim_rows_index(&store->batch, &row, sim_rows_hash(&row)) < store->batch.count)
            sim_fail(sim, "storage: the row of %.*s comes twice in a save", (int)row.path_size,
                     row.path);
        size_t at = sim_rows_index(&store->disk, &row, sim_rows_hash(&row));
        if (at < store->disk.count && saved_row_is_equal(&store->disk.rows[at].row, &row))
            store->idle_rows++;
        sim_rows_push(&store->batch, &row);
    }
}

/* The commit behind the one under way begins, or grows: there a row may come again. */
static void store_follow(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    struct saved_row row;
    if (store->following)
        thing_extend_save(sim->net->thing);
    else
        thing_begin_save(sim->net->thing);
    size_t before = store->next.count;
    while (thing_next_unsaved(sim->net->thing, &row))
        sim_rows_push(&store->next, &row);
    if (!store->following && store->next.count == 0) {
        thing_drop_save(sim->net->thing);
        return;
    }
    store->extended += store->following;
    store->overlapping += !store->following;
    store->following = true;
    oracle_next_commit_begins(sim);
    sim_trace(sim, "%zu rows go behind the commit under way", store->next.count - before);
}

static void store_push_end(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    store->committing = true;
    store->commits++;
    struct sim_event event = {
        .kind = SIM_COMMITTED,
        .connection = sim->net->instance,
        .request_id = (uint32_t)++store->serial,
        .at_ms = sim->net->now_ms + sim->net->options.commit_ms,
    };
    sim_trace(sim, "commit %zu of %zu rows begins", store->commits, store->batch.count);
    sim_event_push(sim, &event);
}

static void store_begin(struct sim *sim, const struct commit_needs *needs)
{
    struct sim_store *store = sim->net->store;
    store_fill(sim);
    commit_schedule_begin(&store->schedule, needs, sim->net->now_ms);
    oracle_commit_begins(sim);
    store_push_end(sim);
}

static void store_drop_next(struct sim_store *store)
{
    sim_rows_clear(&store->next);
    store->following = false;
}

/* The commit under way is on the disk: the one behind it is next. Returns whether there is one. */
static bool store_shift(struct sim_store *store)
{
    bool follows = store->following;
    sim_rows_clear(&store->batch);
    store->batch = store->next;
    store->next = (struct sim_rows){0};
    store->following = false;
    return follows;
}

static struct commit_needs store_needs(const struct sim *sim)
{
    return (struct commit_needs){
        .load = sim->store->unloaded,
        .now = thing_wants_save(sim->thing),
        .reports = thing_has_unsaved_reports(sim->thing),
        .any = thing_has_unsaved(sim->thing),
    };
}

void sim_store_ask(struct sim *sim)
{
    if (!sim->net->options.thing.durable || sim->net->level != SIM_STORED)
        return;
    sim->net->store->asks++;
    shadow_ask_stored(sim->shadow, shadow_newest_revision(sim->shadow));
}

/* The rows that could not be read at the start can be, now. */
static void store_load_late(struct sim *sim, const struct commit_needs *needs)
{
    struct sim_store *store = sim->net->store;
    commit_schedule_begin(&store->schedule, needs, sim->net->now_ms);
    commit_schedule_end(&store->schedule, !store->fails, sim->net->now_ms);
    if (!store->fails)
        sim_store_load(sim);
}

void sim_store_turn(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    if (!sim->net->options.thing.durable)
        return;
    struct commit_needs needs = store_needs(sim->net);
    if (commit_schedule_is_due(&store->schedule, &needs, sim->net->now_ms)) {
        if (needs.load)
            store_load_late(sim, &needs);
        else
            store_begin(sim, &needs);
    } else if (store->committing && needs.now && !store->in_trouble &&
               store->schedule.failures == 0)
        store_follow(sim);
    store_set_trouble(sim, store->unloaded ||
                               commit_schedule_trouble(&store->schedule, sim->net->now_ms) !=
                                   COMMIT_GOOD);
}

int64_t sim_store_deadline(const struct sim *sim)
{
    if (!sim->net->options.thing.durable)
        return INT64_MAX;
    struct commit_needs needs = store_needs(sim->net);
    return commit_schedule_deadline_ms(&sim->net->store->schedule, &needs, sim->net->now_ms);
}

/* Nobody is told whether what failed is on the disk after all. */
static void store_failed(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    bool is_there = sim_chance(sim, 30);
    store->failures++;
    if (is_there)
        store_apply(store);
    oracle_commit_ends(sim, is_there);
    if (is_there) /* and what was behind it is not */
        oracle_commit_ends(sim, false);
    store_drop_next(store);
    thing_end_save(sim->net->thing, false);
}

/* A shadow of which there is nothing to say needs no row. */
static bool store_is_nothing(const struct saved_row *row)
{
    return row->is_gone || (row->kind == SAVED_SHADOW && row->of_shadow.version < 0 &&
                            !row->of_shadow.held && row->of_shadow.reset_revision == 0);
}

/* What the engine takes for saved must be on the disk as it would be written now. (A change of
 * desired reaches the settles when the next save begins.) */
static void store_judge_clean(struct sim *sim)
{
    const struct sim_rows *disk = &sim->net->store->disk;
    struct saved_walk walk;
    struct saved_row row;
    bool is_clean;
    saved_walk_begin(&walk);
    while (!sim_is_broken(sim) && saved_walk_next(&walk, sim->net->thing, &row, &is_clean)) {
        size_t at = sim_rows_index(disk, &row, sim_rows_hash(&row));
        bool is_there = at < disk->count;
        bool is_right =
            row.is_gone ? !is_there : is_there && saved_row_is_equal(&disk->rows[at].row, &row);
        if (is_clean && !is_right && row.kind != SAVED_SETTLE &&
            (is_there || !store_is_nothing(&row)))
            sim_fail(sim, "storage: row %d '%.*s' of %s/%s is not marked unsaved, but it %s",
                     (int)row.kind, (int)row.path_size, row.path, row.thing, row.shadow,
                     is_there ? "differs" : "is missing");
    }
    saved_walk_end(&walk);
}

/* Whatever went out without its commit is on the disk now. */
static bool store_has_all(const struct sim *sim)
{
    for (const struct sim *each = sim->net; each != NULL; each = each->next)
        if (each->stored_ops < each->op_count)
            return false;
    return true;
}

static void store_done(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    store_apply(store);
    oracle_commit_ends(sim, true);
    thing_end_save(sim->net->thing, true);
    if (!sim->net->careless)
        oracle_judge_disk(sim);
    if (store->commits % STORE_JUDGE_EVERY == 0)
        store_judge_clean(sim);
    if (store_has_all(sim))
        store->was_in_trouble = store->in_trouble;
}

void sim_store_event(struct sim *sim, const struct sim_event *event)
{
    struct sim_store *store = sim->net->store;
    if (event->connection != sim->net->instance || event->request_id != (uint32_t)store->serial)
        return;
    if (store->hangs) {
        struct sim_event again = *event;
        again.at_ms = sim->net->now_ms + SIM_SECOND;
        sim_event_push(sim, &again);
        return;
    }
    store->committing = false;
    commit_schedule_end(&store->schedule, !store->fails, sim->net->now_ms);
    sim_trace(sim, "commit %zu %s", store->commits, store->fails ? "fails" : "is on the disk");
    if (store->fails) {
        store_failed(sim);
        return;
    }
    store_done(sim);
    if (!store_shift(store))
        return;
    commit_schedule_begin(&store->schedule, &(struct commit_needs){0}, sim->net->now_ms);
    store_push_end(sim);
}

/* ---- the end of a daemon, and the start of the next ---- */

static void store_forget_times(struct sim_store *store)
{
    for (size_t i = 0; i < store->disk.count; i++) {
        struct saved_row *row = &store->disk.rows[i].row;
        if (row->kind == SAVED_SHADOW)
            row->of_shadow.followed_ms = 0;
        if (row->kind == SAVED_DESIRED)
            row->of_desired.changed_ms = 0;
        if (row->kind != SAVED_PROPERTY)
            continue;
        row->of_property.set_us = 0;
        row->of_property.cleared_us = 0;
        row->of_property.replaced_us = 0;
    }
}

void sim_store_crash(struct sim *sim, bool reboot)
{
    struct sim_store *store = sim->net->store;
    if (store->committing) {
        bool is_stored = sim_chance(sim, 50);
        sim_trace(sim, "the commit under way is%s on the disk", is_stored ? "" : " not");
        if (is_stored)
            store_apply(store);
        oracle_commit_ends(sim, is_stored);
        oracle_commit_ends(sim, false);
    }
    store_drop_next(store);
    store->committing = false;
    store->serial++;
    commit_schedule_init(&store->schedule, sim->net->options.sync_interval_ms);
    store->in_trouble = false;
    if (reboot)
        store_forget_times(store);
}

void sim_store_load(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    store->orphaned = 0;
    for (size_t i = 0; i < store->disk.count; i++) {
        int r = thing_restore(sim->net->thing, &store->disk.rows[i].row, sim->net->now_ms);
        store->orphaned += r == THING_ORPHANED;
        if (r < 0)
            sim_fail(sim, "storage: the row of %s is not taken back: %d",
                     store->disk.rows[i].row.path, r);
    }
    thing_restored(sim->net->thing, sim->net->now_ms);
    store->unloaded = false;
    for (struct sim *each = sim->net; each != NULL; each = each->next)
        if (each->shadow != NULL)
            oracle_loaded_late(each);
}

void sim_store_finish(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    if (store->committing) {
        store->serial++;
        store->committing = false;
        commit_schedule_end(&store->schedule, true, sim->net->now_ms);
        store_done(sim);
        if (store_shift(store))
            store_done(sim);
    }
    if (!thing_has_unsaved(sim->net->thing))
        return;
    store_fill(sim);
    oracle_commit_begins(sim);
    store->commits++;
    store_done(sim);
}

void sim_store_begin_anew(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    if (store->committing || store->unloaded)
        return;
    sim_trace(sim, "the database is damaged: a fresh one begins");
    sim_rows_clear(&store->disk);
    store->orphaned = 0;
    store->was_in_trouble = true; /* a crash would lose what it held */
    oracle_disk_lost(sim);
    thing_save_all(sim->net->thing);
}

/* ---- asking ---- */

static bool store_is_of(const struct sim *sim, const struct saved_row *row)
{
    const char *thing = strcmp(sim->thing_name, SIM_THING) == 0 ? "" : sim->thing_name;
    return strcmp(row->thing, thing) == 0 && strcmp(row->shadow, sim->shadow_name) == 0;
}

const struct saved_row *sim_store_find(struct sim *sim, enum saved_kind kind, const char *path)
{
    const struct sim_rows *disk = &sim->net->store->disk;
    for (size_t i = 0; i < disk->count; i++) {
        const struct saved_row *row = &disk->rows[i].row;
        if (row->kind == kind && store_is_of(sim, row) && strcmp(row->path, path) == 0)
            return row;
    }
    return NULL;
}

void sim_store_each_value(struct sim *sim, sim_store_visit visit, void *data)
{
    const struct sim_rows *disk = &sim->net->store->disk;
    for (size_t i = 0; i < disk->count; i++) {
        const struct saved_row *row = &disk->rows[i].row;
        if (row->kind == SAVED_PROPERTY && store_is_of(sim, row))
            visit(data, row->path, &row->of_property);
    }
}

void sim_store_audit(struct sim *sim)
{
    struct sim_store *store = sim->net->store;
    if (!sim->net->options.thing.durable || store->committing || store->unloaded)
        return;
    sim_store_finish(sim);
    thing_save_all(sim->net->thing);
    store_fill(sim);
    oracle_commit_begins(sim);
    size_t found = 0;
    for (size_t i = 0; i < store->batch.count; i++) {
        const struct saved_row *row = &store->batch.rows[i].row;
        size_t at = sim_rows_index(&store->disk, row, store->batch.rows[i].hash);
        bool is_there = at < store->disk.count;
        found += is_there;
        if (!(is_there && saved_row_is_equal(&store->disk.rows[at].row, row)) &&
            (is_there || !store_is_nothing(row)))
            sim_fail(sim, "storage: the engine says that row %d '%s' of %s/%s is saved, but it %s",
                     (int)row->kind, row->path, row->thing, row->shadow,
                     is_there ? "differs" : "is missing");
    }
    if (found != store->disk.count - store->orphaned && !sim_is_broken(sim))
        sim_fail(sim, "storage: %zu rows are on the disk, the engine has %zu", store->disk.count,
                 found);
    oracle_commit_ends(sim, true);
    thing_end_save(sim->net->thing, true);
}
