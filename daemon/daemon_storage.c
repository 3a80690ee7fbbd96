#include "daemon/daemon_storage.h"

#include "daemon/storage_log.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* How long the start waits for the disk; then programs are served without what is on it. */
#define LOAD_WAIT_MS 10000

/* ---- opening ---- */

static int open_volatile(struct daemon_storage *storage, const char *directory)
{
    char path[STORE_PATH_MAX] = "";
    const int r = store_set_aside(directory, path, sizeof(path));
    if (r != 0)
        storage_log_volatile(directory, path, r > 0 ? 0 : r);
    return null_store_new(&storage->store, r > 0 ? path : "");
}

int daemon_storage_open(struct daemon_storage *storage, const struct config *config,
                        const char *directory, const char *thing_name, int64_t now_ms)
{
    commit_schedule_init(&storage->schedule, config_number(config, CONFIG_SYNC_INTERVAL_MS));
    storage->directory = directory;
    storage->is_volatile = strcmp(config_text(config, CONFIG_STORAGE_MODE), "volatile") == 0;
    if (storage->is_volatile)
        return open_volatile(storage, directory);
    const struct store_options options = {
        .directory = directory,
        .max_bytes = (size_t)config_number(config, CONFIG_STORAGE_MAX_BYTES),
        .endpoint = config_text(config, CONFIG_ENDPOINT),
        .thing_name = thing_name,
    };
    const int r = store_new(&storage->store, &options);
    if (r < 0)
        return r;
    const struct commit_needs needs = {.load = true};
    commit_schedule_begin(&storage->schedule, &needs, now_ms);
    (void)store_load(storage->store, LOAD_WAIT_MS); /* its result says how it went */
    storage->has_results = true;
    return 0;
}

const char *daemon_storage_volatile_reason(const struct daemon_storage *storage)
{
    if (storage->is_volatile)
        return "nothing is ever stored: the daemon's storage is volatile (Mode=volatile); ask for "
               "queued or accepted";
    if (!store_is_durable(storage->store))
        return "nothing is ever stored: the daemon's storage is volatile, as [Storage] Directory "
               "lies in memory (tmpfs); ask for queued or accepted";
    return NULL;
}

bool daemon_storage_is_busy(const struct daemon_storage *storage)
{
    /* There is no store where the start has failed before it was opened. */
    return storage->store && !storage->is_volatile && store_is_busy(storage->store);
}

bool daemon_storage_close(struct daemon_storage *storage)
{
    storage->store = store_free(storage->store);
    return storage->store == NULL;
}

/* ---- what the disk tells ---- */

static void restore_row(struct daemon_storage *storage, struct thing *thing,
                        const struct saved_row *row, struct storage_restored *restored,
                        int64_t now_ms)
{
    const int r = thing_restore(thing, row, now_ms);
    if (r == 0) {
        restored->rows++;
        restored->properties +=
            row->kind == SAVED_PROPERTY && row->of_property.state != SAVED_NOTHING;
        return;
    }
    if (r == -EINVAL) {
        restored->bad++;
        return;
    }
    store_keep(storage->store);
    if (restored->orphans++ == 0)
        (void)snprintf(restored->orphan_thing, sizeof(restored->orphan_thing), "%s",
                       *row->thing ? row->thing : "this thing");
}

/* The disk holds nothing of what was on it, and nobody will ask for that again. */
static void save_all(struct daemon_storage *storage, struct thing *thing)
{
    thing_save_all(thing);
    storage->is_behind = true;
}

static void take_load(struct daemon_storage *storage, struct thing *thing,
                      const struct store_result *result, int64_t now_ms)
{
    if (*result->set_aside)
        storage_log_set_aside(result->set_aside);
    if (result->error < 0)
        return;
    struct storage_restored restored = {.bad = result->left_out,
                                        .is_begun = result->is_fresh && !*result->set_aside};
    struct saved_row row;
    while (store_next_loaded(storage->store, &row))
        restore_row(storage, thing, &row, &restored, now_ms);
    thing_restored(thing, now_ms);
    if (result->is_fresh)
        save_all(storage, thing);
    if (*result->moved_from)
        storage_log_moved(result->moved_from);
    storage_log_restored(&restored, storage->directory);
}

static void take_commit(struct daemon_storage *storage, struct thing *thing,
                        const struct store_result *result)
{
    if (*result->set_aside)
        storage_log_set_aside(result->set_aside);
    else if (result->is_fresh && result->error == 0)
        storage_log_gone(storage->directory);
    thing_end_save(thing, result->error == 0);
    if (!result->is_fresh)
        return;
    thing_end_save(thing, false); /* what was to follow is given up */
    save_all(storage, thing);
}

static void note_text(struct daemon_storage *storage, const char *text)
{
    if (strncmp(storage->trouble_text, text, sizeof(storage->trouble_text) - 1) == 0)
        return;
    (void)snprintf(storage->trouble_text, sizeof(storage->trouble_text), "%s", text);
    storage->changes++;
}

static void update_trouble(struct daemon_storage *storage, struct thing *thing, int64_t now_ms)
{
    const enum commit_trouble trouble = commit_schedule_trouble(&storage->schedule, now_ms);
    if (trouble == COMMIT_FAILED) {
        struct store_status status;
        store_get_status(storage->store, &status);
        note_text(storage, *status.text ? status.text : "the daemon is out of memory");
    } else if (trouble == COMMIT_SLOW) {
        char text[STORE_TEXT_MAX];
        (void)snprintf(text, sizeof(text), "the disk in %s has not answered for %d s",
                       storage->directory, COMMIT_SLOW_MS / 1000);
        note_text(storage, text);
    }
    if ((trouble == COMMIT_GOOD) == (storage->trouble == COMMIT_GOOD)) {
        storage->trouble = trouble;
        return;
    }
    storage->trouble = trouble;
    storage->changes++;
    thing_set_storage_trouble(thing, trouble != COMMIT_GOOD, now_ms);
    if (trouble != COMMIT_GOOD)
        storage_log_trouble(storage->log, storage->directory, storage->trouble_text, now_ms);
    else
        storage_log_recovery(storage->log, storage->directory, now_ms - storage->since_ms, now_ms);
    storage->since_ms = now_ms;
}

void daemon_storage_receive(struct daemon_storage *storage, struct thing *thing, int64_t now_ms)
{
    if (storage->is_volatile)
        return;
    struct store_result result;
    while (storage->has_results && store_next_result(storage->store, &result)) {
        commit_schedule_end(&storage->schedule, result.error == 0, now_ms);
        if (store_is_busy(storage->store)) /* the next one has begun */
            commit_schedule_begin(&storage->schedule, &(struct commit_needs){0}, now_ms);
        if (result.error < 0)
            log_debug("%s", result.text);
        if (result.job == STORE_LOAD)
            take_load(storage, thing, &result, now_ms);
        else
            take_commit(storage, thing, &result);
    }
    storage->has_results = false;
    update_trouble(storage, thing, now_ms);
}

/* ---- what the disk is told ---- */

static struct commit_needs find_needs(const struct daemon_storage *storage,
                                      const struct thing *thing, enum storage_stop stop)
{
    const bool has_reports = thing_has_unsaved_reports(thing);
    const bool has_any = thing_has_unsaved(thing);
    return (struct commit_needs){
        .load = store_needs_load(storage->store),
        .now = thing_wants_save(thing) || (stop != STORAGE_RUNS && has_reports) ||
               (storage->is_behind && has_any),
        .reports = has_reports,
        .any = has_any,
        .stop = stop == STORAGE_ENDS,
    };
}

/* Give the rows of the newest save to the store. Returns how many there were, or -ENOMEM: then they
 * are dropped. */
static int fill_batch(struct daemon_storage *storage, struct thing *thing)
{
    int rows = 0;
    struct saved_row row;
    while (thing_next_unsaved(thing, &row)) {
        const int r = store_add(storage->store, &row);
        if (r < 0)
            return r;
        rows++;
    }
    if (thing_save_is_whole(thing))
        return rows;
    store_drop(storage->store);
    return -ENOMEM;
}

/* Hand all that is unsaved to the store. Returns how many rows: 0 where the disk holds all of it;
 * or -ENOMEM. */
static int begin_commit(struct daemon_storage *storage, struct thing *thing)
{
    storage->is_behind = false; /* should this fail, it is tried again */
    thing_begin_save(thing);
    const int rows = fill_batch(storage, thing);
    if (rows > 0)
        store_commit(storage->store);
    return rows;
}

/* A commit runs, and somebody waits for the next one: it is handed over now, and grows until the
 * disk is free for it. */
static void fill_next_commit(struct daemon_storage *storage, struct thing *thing)
{
    if (storage->schedule.failures > 0 || storage->trouble != COMMIT_GOOD ||
        !thing_wants_save(thing))
        return;
    const enum store_room room = store_find_room(storage->store);
    if (room == STORE_NO_ROOM)
        return;
    if (room == STORE_ROOM_IN_LAST)
        thing_extend_save(thing);
    else
        thing_begin_save(thing);
    const int rows = fill_batch(storage, thing);
    if (rows > 0 || (rows == 0 && room == STORE_ROOM_IN_LAST)) {
        store_commit(storage->store);
        return;
    }
    store_drop(storage->store);
    thing_drop_save(thing);
}

void daemon_storage_turn(struct daemon_storage *storage, struct thing *thing,
                         enum storage_stop stop, int64_t now_ms)
{
    if (storage->is_volatile || storage->has_results)
        return;
    if (store_is_busy(storage->store)) {
        fill_next_commit(storage, thing);
        return;
    }
    const struct commit_needs needs = find_needs(storage, thing, stop);
    if (!commit_schedule_is_due(&storage->schedule, &needs, now_ms))
        return;
    commit_schedule_begin(&storage->schedule, &needs, now_ms);
    if (needs.load) {
        storage->has_results = store_load(storage->store, 0) != -EINPROGRESS;
        return;
    }
    const int rows = begin_commit(storage, thing);
    if (rows > 0)
        return;
    thing_end_save(thing, rows == 0);
    commit_schedule_end(&storage->schedule, rows == 0, now_ms);
}

int64_t daemon_storage_deadline(struct daemon_storage *storage, struct thing *thing,
                                enum storage_stop stop, int64_t now_ms)
{
    if (storage->is_volatile)
        return INT64_MAX;
    if (storage->has_results)
        return now_ms;
    const struct commit_needs needs = find_needs(storage, thing, stop);
    return commit_schedule_deadline_ms(&storage->schedule, &needs, now_ms);
}

bool daemon_storage_is_through(const struct daemon_storage *storage, const struct thing *thing)
{
    if (storage->is_volatile)
        return true;
    if (store_is_busy(storage->store) || storage->has_results)
        return false;
    const bool has_given_up = storage->schedule.failures > 0 && storage->schedule.tried_at_stop;
    return !thing_has_unsaved(thing) || has_given_up || store_needs_load(storage->store);
}

int64_t daemon_storage_patience_end(const struct daemon_storage *storage, int64_t patience_ms)
{
    const bool is_waited_for = storage->schedule.is_running && !storage->is_left_behind;
    return is_waited_for ? storage->schedule.running_since_ms + patience_ms : INT64_MAX;
}

void daemon_storage_leave_behind(struct daemon_storage *storage, struct thing *thing,
                                 int64_t patience_ms, int64_t now_ms)
{
    if (now_ms < daemon_storage_patience_end(storage, patience_ms))
        return;
    storage->is_left_behind = true;
    thing_set_storage_trouble(thing, true, now_ms);
    log_warning("the disk in %s is slow: what is left is sent without waiting for it",
                storage->directory);
}

void daemon_storage_change_cloud(struct daemon_storage *storage, struct thing *thing,
                                 const char *endpoint)
{
    if (storage->is_volatile)
        return;
    /* Without memory for it the next start sees that the endpoint is another one. */
    if (store_move(storage->store, endpoint) == 0)
        save_all(storage, thing);
}
