#include "daemon/storage/state_store_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CACHE_KIBIBYTES 64
#define LOG_BYTES       (STATE_CHECKPOINT_FRAMES * (STATE_PAGE_BYTES + 24))
#define ROW_BYTES_MAX   (4 * 1024 * 1024)

/* --- errors --- */

static bool is_disk_full(const struct state_store *state)
{
    struct statfs file_system;
    return statfs(state->place.directory, &file_system) == 0 &&
           (uint64_t)file_system.f_bavail * (uint64_t)file_system.f_bsize < 1024 * 1024;
}

static int system_error(const struct state_store *state, int otherwise)
{
    if (access(state->place.database, W_OK) < 0 && errno == EROFS)
        return -EROFS;
    const int error = state->db ? sqlite3_system_errno(state->db) : 0;
    return error > 0 ? -error : otherwise;
}

void state_say(struct state_outcome *outcome, int error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(outcome->text, sizeof(outcome->text), format, arguments);
    va_end(arguments);
    outcome->error = error;
}

/* -EBADMSG means a database that cannot be used and is set aside: damage, or tables on which our
 * own statements fail, as this program would not have made them. What else SQLite may refuse says
 * nothing against what is on the disk. */
static int translate(const struct state_store *state, int rc)
{
    switch (rc & 0xff) {
    case SQLITE_OK:
        return 0;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_FULL:
        return state->is_adding && !is_disk_full(state) ? -EFBIG : -ENOSPC;
    case SQLITE_IOERR:
        return rc == SQLITE_IOERR_NOMEM ? -ENOMEM : system_error(state, -EIO);
    case SQLITE_CANTOPEN:
        return system_error(state, -EACCES);
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
        return -EBUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT:
    case SQLITE_ERROR:
    case SQLITE_SCHEMA:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return -EBADMSG;
    case SQLITE_TOOBIG:
        return state->is_adding ? -EINVAL : -EBADMSG; /* there it would not be ours */
    default:
        return -EINVAL;
    }
}

int state_fail(struct state_store *state, struct state_outcome *outcome, int rc, const char *doing)
{
    const int error = translate(state, rc);
    const char *path = state->place.database;
    if (error == -EFBIG)
        state_say(outcome, error,
                  "%s %s: no room: it would need more than MaxBytes=%llu, or than the file system "
                  "gives",
                  doing, path, (unsigned long long)state->max_bytes);
    else if (error == -EBUSY)
        state_say(outcome, error, "%s %s: another process uses it (a second fluxawsd, or sqlite3?)",
                  doing, path);
    else
        state_say(outcome, error, "%s %s: %s (%s)", doing, path, strerror(-error),
                  sqlite3_errstr(rc));
    return error;
}

/* --- opening --- */

void state_close(struct state_store *state)
{
    state_schema_finalize(state);
    (void)sqlite3_close(state->db);
    state->db = NULL;
    state->log_frames = 0;
    state->log_inode = 0;
}

static int note_frames(void *context, sqlite3 *db, const char *name, int frames)
{
    struct state_store *state = context;
    (void)db;
    (void)name;
    state->log_frames = frames;
    return SQLITE_OK;
}

static void restrict_connection(sqlite3 *db)
{
    (void)sqlite3_extended_result_codes(db, 1);
    /* The schema in the file is not to be trusted with anything that runs. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
    /* Stopping is quick: the log stays, and is read at the next start. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, ROW_BYTES_MAX);
    (void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

/* Returns the first column of the first row as text compared with `wanted`. */
static int expect_text(sqlite3 *db, const char *sql, const char *wanted, bool *ret_is_equal)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(statement);
    const char *text = rc == SQLITE_ROW ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    *ret_is_equal = text && strcmp(text, wanted) == 0;
    const int end = sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? end : rc;
}

/* A page costs at most itself in the database and once more in the log. */
static int limit_size(struct state_store *state)
{
    char sql[96];
    const uint64_t bytes = state->max_bytes > 4 * LOG_BYTES ? state->max_bytes : 4 * LOG_BYTES;
    (void)snprintf(sql, sizeof(sql), "PRAGMA max_page_count=%llu",
                   (unsigned long long)((bytes - LOG_BYTES) / 2 / STATE_PAGE_BYTES));
    return sqlite3_exec(state->db, sql, NULL, NULL, NULL);
}

static int configure(struct state_store *state)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA locking_mode=EXCLUSIVE; PRAGMA page_size=%d; PRAGMA cell_size_check=ON;"
                   "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-%d;"
                   "PRAGMA synchronous=FULL; PRAGMA journal_size_limit=%d",
                   STATE_PAGE_BYTES, CACHE_KIBIBYTES, LOG_BYTES);
    int rc = sqlite3_exec(state->db, sql, NULL, NULL, NULL);
    bool is_wal = false;
    if (rc == SQLITE_OK)
        rc = expect_text(state->db, "PRAGMA journal_mode=WAL", "wal", &is_wal);
    if (rc == SQLITE_OK && !is_wal)
        rc = SQLITE_IOERR;
    if (rc == SQLITE_OK)
        rc = sqlite3_wal_autocheckpoint(state->db, 0);
    if (rc == SQLITE_OK)
        (void)sqlite3_wal_hook(state->db, note_frames, state);
    return rc == SQLITE_OK ? limit_size(state) : rc;
}

/* Read the database or its log from end to end, and write each piece over itself where told to. */
static int go_through(sqlite3 *db, int which, bool is_rewriting)
{
    sqlite3_file *file = NULL;
    int rc = sqlite3_file_control(db, "main", which, &file);
    sqlite3_int64 size = 0;
    if (rc != SQLITE_OK || !file || !file->pMethods)
        return rc;
    rc = file->pMethods->xFileSize(file, &size);
    char bytes[4096];
    for (sqlite3_int64 offset = 0; rc == SQLITE_OK && offset < size;) {
        const sqlite3_int64 left = size - offset;
        const int count = left < (int)sizeof(bytes) ? (int)left : (int)sizeof(bytes);
        rc = file->pMethods->xRead(file, bytes, count, offset);
        if (rc == SQLITE_OK && is_rewriting)
            rc = file->pMethods->xWrite(file, bytes, count, offset);
        offset += count;
    }
    const bool must_sync = rc == SQLITE_OK && is_rewriting && size > 0;
    return must_sync ? file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) : rc;
}

/* What cannot be read now may be well: to the check it is the same as damage. */
static int check_content(sqlite3 *db)
{
    bool is_good = false;
    int rc = expect_text(db, "PRAGMA quick_check(1)", "ok", &is_good);
    if (rc != SQLITE_OK || is_good)
        return rc;
    rc = go_through(db, SQLITE_FCNTL_FILE_POINTER, false);
    if (rc == SQLITE_OK)
        rc = go_through(db, SQLITE_FCNTL_JOURNAL_POINTER, false);
    if (rc == SQLITE_OK)
        rc = expect_text(db, "PRAGMA quick_check(1)", "ok", &is_good);
    return rc == SQLITE_OK && !is_good ? SQLITE_CORRUPT : rc;
}

/* A name that was not known when the rows were written is theirs once it is. */
static bool is_open(sqlite3_stmt *statement, int column)
{
    const char *then = (const char *)sqlite3_column_text(statement, column);
    return then && *then == '\0';
}

static bool is_said_otherwise(sqlite3_stmt *statement, int column, const char *now)
{
    const char *then = (const char *)sqlite3_column_text(statement, column);
    return now[0] != '\0' && (!then || strcmp(then, now) != 0);
}

/* Behind a number that no daemon has written comes one that no row has. */
int64_t state_next_era(int64_t era)
{
    return era > 0 && era < INT64_MAX ? era + 1 : INT64_C(1) << 40;
}

/* Whose the rows were, if that was ever said. */
static void note_whose(struct state_store *state, sqlite3_stmt *statement)
{
    const char *endpoint = (const char *)sqlite3_column_text(statement, 2);
    const char *thing_name = (const char *)sqlite3_column_text(statement, 3);
    if (endpoint && thing_name && *thing_name)
        (void)snprintf(state->moved_from, sizeof(state->moved_from), "%.128s at %.255s", thing_name,
                       endpoint);
}

static void compare_eras(struct state_store *state, sqlite3_stmt *statement)
{
    struct state_eras *eras = &state->eras;
    const char *boot_id = (const char *)sqlite3_column_text(statement, 0);
    eras->boot = sqlite3_column_int64(statement, 1);
    eras->endpoint_origin = sqlite3_column_int64(statement, 4);
    eras->own_origin = sqlite3_column_int64(statement, 5);
    state->eras_are_written = true;
    if (!boot_id || state->boot_id[0] == '\0' || strcmp(boot_id, state->boot_id) != 0) {
        eras->boot = state_next_era(eras->boot);
        state->eras_are_written = false;
    }
    const bool is_elsewhere = is_said_otherwise(statement, 2, state->endpoint);
    if (is_elsewhere)
        eras->endpoint_origin = state_next_era(eras->endpoint_origin);
    const bool is_unnamed = is_open(statement, 3);
    if (is_unnamed)
        state->eras_are_written = false;
    if (is_elsewhere || (!is_unnamed && is_said_otherwise(statement, 3, state->thing_name))) {
        note_whose(state, statement);
        eras->own_origin = state_next_era(eras->own_origin);
        state->eras_are_written = false;
    }
}

static int read_eras(struct state_store *state)
{
    state->eras = (struct state_eras){1, 1, 1};
    state->eras_are_written = false;
    state->moved_from[0] = '\0';
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(state->db,
                                "SELECT boot_id,boot,endpoint,thing_name,endpoint_origin,own_origin"
                                " FROM era WHERE one=1",
                                -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        compare_eras(state, statement);
    const int end = sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? end : rc;
}

/* The log is written over itself and synced first: what a failed sync has left in memory only, for
 * clean, would else be believed, copied into the database in part, and be gone after a power cut.
 */
int state_copy_log_back(struct state_store *state)
{
    int rc = go_through(state->db, SQLITE_FCNTL_JOURNAL_POINTER, true);
    if (rc == SQLITE_OK)
        rc = sqlite3_wal_checkpoint_v2(state->db, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL);
    state->must_checkpoint = rc != SQLITE_OK;
    if (rc == SQLITE_OK)
        state->log_frames = 0;
    return rc;
}

static int open_connection(struct state_store *state)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                      SQLITE_OPEN_NOFOLLOW;
    int rc = sqlite3_open_v2(state->place.database, &state->db, flags, state->vfs);
    if (rc != SQLITE_OK)
        return rc;
    restrict_connection(state->db);
    rc = configure(state);
    if (rc == SQLITE_OK && !state->place.is_new)
        rc = check_content(state->db);
    if (rc == SQLITE_OK)
        rc = state_schema_make(state->db);
    if (rc == SQLITE_OK)
        rc = read_eras(state);
    /* What was read can be used even where this fails; the next commit tries it again. */
    if (rc == SQLITE_OK)
        (void)state_copy_log_back(state);
    return rc == SQLITE_OK ? state_schema_prepare(state) : rc;
}

static int open_once(struct state_store *state, struct state_outcome *outcome)
{
    outcome->error = state_file_prepare(&state->place, state->directory, outcome->text);
    if (state->place.is_new)
        state->known_inode = 0; /* the number may be that of the one which was there before */
    if (outcome->error < 0)
        return outcome->error;
    const int rc = open_connection(state);
    if (rc == SQLITE_OK)
        return 0;
    (void)state_fail(state, outcome, rc, "opening");
    state_close(state);
    return outcome->error;
}

int state_set_aside(struct state_store *state, struct state_outcome *outcome)
{
    state_close(state);
    const int r = state_file_set_aside(state->place.directory, outcome->set_aside,
                                       sizeof(outcome->set_aside));
    if (r < 0) {
        outcome->set_aside[0] = '\0';
        state_say(outcome, r, "%s cannot be read, nor set aside: %s", state->place.database,
                  strerror(-r));
    }
    return r < 0 ? r : 0;
}

/* Open the database; one that cannot be read makes way for a new one, once. */
int state_open(struct state_store *state, struct state_outcome *outcome)
{
    state->is_adding = false;
    int r = open_once(state, outcome);
    if (r == -EBADMSG) {
        r = state_set_aside(state, outcome);
        if (r == 0)
            r = open_once(state, outcome);
    }
    if (r < 0)
        return r;
    outcome->error = 0;
    outcome->text[0] = '\0';
    outcome->is_fresh = state->place.is_new;
    return 0;
}
