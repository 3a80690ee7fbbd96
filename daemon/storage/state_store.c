#include "daemon/storage/state_store_private.h"

#include "daemon/storage/state_copy.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Memory has seen all that is in this database from now on. */
static void know(struct state_store *state)
{
    state->is_known = true;
    state->known_device = state->place.device;
    state->known_inode = state->place.inode;
}

static bool is_known(const struct state_store *state)
{
    return state->is_known && state->known_device == state->place.device &&
           state->known_inode == state->place.inode;
}

/* --- loading --- */

static void load(struct state_store *state, struct batch *rows, int64_t now_us,
                 struct state_outcome *ret_outcome)
{
    *ret_outcome = (struct state_outcome){.error = 0};
    state_close(state);
    batch_empty(rows);
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if (state_open(state, ret_outcome) < 0)
            return;
        const int rc = state_rows_read(state, rows, now_us);
        if (rc == SQLITE_OK) {
            /* Another database than the one that memory was written to. */
            ret_outcome->is_fresh |= state->is_known;
            know(state);
            return;
        }
        batch_empty(rows);
        if (state_fail(state, ret_outcome, rc, "reading") != -EBADMSG ||
            state_set_aside(state, ret_outcome) < 0)
            break;
    }
    state_close(state);
}

static bool load_copy(struct state_store *state, const char *directory, struct batch *rows,
                      int64_t now_us)
{
    const struct state_options options = {.directory = directory,
                                          .max_bytes = state->max_bytes,
                                          .endpoint = state->endpoint,
                                          .thing_name = state->thing_name,
                                          .boot_id = state->boot_id};
    struct state_store *copy;
    struct state_outcome outcome;
    if (state_store_new(&copy, &options) < 0)
        return false;
    load(copy, rows, now_us, &outcome);
    (void)state_store_free(copy);
    if (outcome.set_aside[0])
        (void)unlink(outcome.set_aside);
    const bool is_good = outcome.error == 0 && !outcome.is_fresh && !outcome.set_aside[0];
    if (!is_good)
        batch_empty(rows);
    return is_good;
}

/* A file system that is read-only is in trouble with the next commit; what it holds is known. */
static bool load_read_only(struct state_store *state, struct batch *rows, int64_t now_us)
{
    char directory[64];
    if (state_copy_make(&state->place, state->max_bytes, directory, sizeof(directory)) < 0)
        return false;
    const bool is_good = load_copy(state, directory, rows, now_us);
    state_copy_remove(directory);
    return is_good;
}

void state_store_load(struct state_store *state, struct batch *rows, int64_t now_us,
                      struct state_outcome *ret_outcome)
{
    load(state, rows, now_us, ret_outcome);
    if (ret_outcome->error == 0)
        memcpy(ret_outcome->moved_from, state->moved_from, sizeof(state->moved_from));
    if (ret_outcome->error != -EROFS || !load_read_only(state, rows, now_us))
        return;
    *ret_outcome = (struct state_outcome){.is_fresh = state->is_known};
    know(state);
}

/* --- writing --- */

void state_store_move(struct state_store *state, char *endpoint)
{
    free(state->endpoint);
    state->endpoint = endpoint;
    state->eras.endpoint_origin = state_next_era(state->eras.endpoint_origin);
    state->eras.own_origin = state_next_era(state->eras.own_origin);
    state->eras_are_written = false;
}

static int write_eras(struct state_store *state)
{
    sqlite3_stmt *statement = state->write_eras;
    const struct state_eras *eras = &state->eras;
    int rc = sqlite3_bind_text(statement, 1, state->boot_id, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 2, eras->boot);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 3, state->endpoint, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 4, state->thing_name, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 5, eras->endpoint_origin);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 6, eras->own_origin);
    if (rc == SQLITE_OK)
        rc = state_run(statement);
    if (rc != SQLITE_OK)
        return rc;
    statement = state->remove_empty;
    rc = sqlite3_bind_int64(statement, 1, eras->boot);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 2, eras->endpoint_origin);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(statement, 3, eras->own_origin);
    return rc == SQLITE_OK ? state_run(statement) : rc;
}

static int write_rows(struct state_store *state, struct batch *rows)
{
    int rc = state->eras_are_written ? SQLITE_OK : write_eras(state);
    batch_rewind(rows);
    const struct saved_row *row;
    while (rc == SQLITE_OK && (row = batch_next(rows)))
        rc = state_row_write(state, row);
    return rc;
}

static void count_log_bytes(struct state_store *state)
{
    int pages = 0, highest = 0;
    if (sqlite3_db_status(state->db, SQLITE_DBSTATUS_CACHE_WRITE, &pages, &highest, 1) ==
            SQLITE_OK &&
        pages > 0)
        state->log_bytes += (uint64_t)pages * (STATE_PAGE_BYTES + 24);
}

static int write_batch(struct state_store *state, struct batch *rows)
{
    state->is_adding = false;
    int rc = state->must_checkpoint ? state_copy_log_back(state) : SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = state_run(state->begin);
    if (rc != SQLITE_OK)
        return rc;
    rc = write_rows(state, rows);
    state->is_adding = rc != SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = state_run(state->end);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(state->db))
        (void)state_run(state->rollback);
    if (rc == SQLITE_OK)
        state->eras_are_written = true;
    count_log_bytes(state);
    return rc;
}

/* Somebody took the log away: all of it is still open, and goes into the database. */
static bool is_log_gone(struct state_store *state)
{
    struct stat status;
    const bool is_there = lstat(state->place.log, &status) == 0;
    if (is_there && (state->log_inode == 0 || state->log_inode == status.st_ino)) {
        state->log_inode = status.st_ino;
        return false;
    }
    return is_there || state->log_inode != 0;
}

static void close_if_moved(struct state_store *state)
{
    if (!state->db)
        return;
    if (!state_file_is_same(&state->place))
        state_close(state);
    else if (is_log_gone(state)) {
        (void)state_copy_log_back(state);
        state_close(state);
    }
}

static int open_for_commit(struct state_store *state, struct state_outcome *outcome)
{
    close_if_moved(state);
    if (state->db)
        return 0;
    int r = state_open(state, outcome);
    if (r < 0)
        return r;
    if (outcome->is_fresh) {
        know(state);
        return 0;
    }
    if (is_known(state))
        return 0;
    state_close(state);
    outcome->needs_load = true;
    state_say(outcome, -ESTALE, "%s is another one than before", state->place.database);
    return -ESTALE;
}

void state_store_commit(struct state_store *state, struct batch *rows,
                        struct state_outcome *ret_outcome)
{
    *ret_outcome = (struct state_outcome){.error = 0};
    for (unsigned attempt = 0; attempt < 2; attempt++) {
        if (open_for_commit(state, ret_outcome) < 0)
            return;
        const int rc = write_batch(state, rows);
        if (rc == SQLITE_OK) {
            ret_outcome->error = 0;
            ret_outcome->text[0] = '\0';
            return;
        }
        if (state_fail(state, ret_outcome, rc, "writing") != -EBADMSG ||
            state_set_aside(state, ret_outcome) < 0)
            break;
    }
    /* After an error of the disk nobody knows what is where; the next attempt reads it again. Where
     * only room is lacking the rollback was enough. */
    if (ret_outcome->error != -ENOSPC && ret_outcome->error != -EFBIG)
        state_close(state);
}

void state_store_tidy(struct state_store *state)
{
    if (!state->db)
        return;
    struct stat status;
    if (state->log_inode == 0 && lstat(state->place.log, &status) == 0)
        state->log_inode = status.st_ino;
    if (state->log_frames < STATE_CHECKPOINT_FRAMES)
        return;
    const int rc =
        sqlite3_wal_checkpoint_v2(state->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    if (rc == SQLITE_OK)
        state->log_frames = 0;
    else
        state->must_checkpoint = true;
}

/* --- making and ending --- */

int state_store_new(struct state_store **ret_state, const struct state_options *options)
{
    struct state_store *state = calloc(1, sizeof(*state));
    if (!state)
        return -ENOMEM;
    /* Nobody asks how much memory SQLite has, and counting takes a lock for each piece. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    state->max_bytes = options->max_bytes;
    state->directory = strdup(options->directory);
    state->endpoint = strdup(options->endpoint ? options->endpoint : "");
    state->thing_name = strdup(options->thing_name ? options->thing_name : "");
    state->boot_id = strdup(options->boot_id ? options->boot_id : "");
    state->vfs = options->vfs ? strdup(options->vfs) : NULL;
    if (!state->directory || !state->endpoint || !state->thing_name || !state->boot_id ||
        (options->vfs && !state->vfs)) {
        (void)state_store_free(state);
        return -ENOMEM;
    }
    *ret_state = state;
    return 0;
}

struct state_store *state_store_free(struct state_store *state)
{
    if (!state)
        return NULL;
    state_close(state);
    free(state->directory);
    free(state->endpoint);
    free(state->thing_name);
    free(state->boot_id);
    free(state->vfs);
    free(state);
    return NULL;
}

uint64_t state_store_file_bytes(const struct state_store *state)
{
    return state_file_size(state->place.database) + state_file_size(state->place.log);
}

bool state_store_is_in_memory(const struct state_store *state)
{
    return state->place.is_in_memory;
}

uint64_t state_store_log_bytes(const struct state_store *state)
{
    return state->log_bytes;
}
