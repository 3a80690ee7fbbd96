#include "daemon/storage/state_store_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Within a major, columns are only ever added, at the end, with a default that means what their
 * absence meant; an older daemon leaves them as they are. So each daemon opens the other's file,
 * and what one writes must make sense to the other that does not know the new column. */
#define MINOR          1
#define APPLICATION_ID 0x666c7861 /* "flxa" */

struct column {
    const char *name, *declaration;
};

struct table {
    const char *name;
    unsigned key_count; /* the first columns are the primary key */
    unsigned count;
    struct column columns[32];
};

#define KEY     "TEXT NOT NULL"
#define NUMBER  "INTEGER NOT NULL DEFAULT 0"
#define VERSION "INTEGER NOT NULL DEFAULT -1"

static const struct table tables[STATE_KINDS] = {
    [SAVED_SHADOW] = {"shadow",
                      2,
                      SHADOW_ORIGIN + 1,
                      {[SHADOW_THING] = {"thing", KEY},
                       [SHADOW_NAME] = {"shadow", KEY},
                       [SHADOW_VERSION] = {"version", VERSION},
                       [SHADOW_HELD] = {"held", NUMBER},
                       [SHADOW_FOLLOWED_MS] = {"followed_ms", NUMBER},
                       [SHADOW_NEWEST_REVISION] = {"newest_revision", NUMBER},
                       [SHADOW_RESET_REVISION] = {"reset_revision", NUMBER},
                       [SHADOW_LAST_ACCEPTED_VERSION] = {"last_accepted_version", VERSION},
                       [SHADOW_BOOT] = {"boot", NUMBER},
                       [SHADOW_ORIGIN] = {"origin", NUMBER}}},
    [SAVED_PROPERTY] = {"property",
                        3,
                        PROPERTY_ORIGIN + 1,
                        {[PROPERTY_THING] = {"thing", KEY},
                         [PROPERTY_SHADOW] = {"shadow", KEY},
                         [PROPERTY_PATH] = {"path", KEY},
                         [PROPERTY_STATE] = {"state", NUMBER},
                         [PROPERTY_TYPE] = {"type", NUMBER},
                         [PROPERTY_VALUE] = {"value", ""},
                         [PROPERTY_CUT] = {"cut", NUMBER},
                         [PROPERTY_CUT_REPLACED] = {"cut_replaced", NUMBER},
                         [PROPERTY_CUT_SCALAR_ONLY] = {"cut_scalar_only", NUMBER},
                         [PROPERTY_REVISION] = {"revision", NUMBER},
                         [PROPERTY_CUT_REVISION] = {"cut_revision", NUMBER},
                         [PROPERTY_SET_US] = {"set_us", NUMBER},
                         [PROPERTY_CLEARED_US] = {"cleared_us", NUMBER},
                         [PROPERTY_REPLACED_US] = {"replaced_us", NUMBER},
                         [PROPERTY_ACCEPTED_VERSION] = {"accepted_version", NUMBER},
                         [PROPERTY_REFUSED_CODE] = {"refused_code", NUMBER},
                         [PROPERTY_REFUSED_TEXT] = {"refused_text", "TEXT"},
                         [PROPERTY_REFUSED_LACKING] = {"refused_lacking", NUMBER},
                         [PROPERTY_REFUSED_TOTAL] = {"refused_total", NUMBER},
                         [PROPERTY_WRITER_NAME] = {"writer_name", "TEXT"},
                         [PROPERTY_WRITER_UNIT] = {"writer_unit", "TEXT"},
                         [PROPERTY_WRITER_UID] = {"writer_uid", NUMBER},
                         [PROPERTY_CLOUD_TYPE] = {"cloud_type", NUMBER},
                         [PROPERTY_CLOUD] = {"cloud", ""},
                         [PROPERTY_FORM_TYPE] = {"form_type", NUMBER},
                         [PROPERTY_FORM] = {"form", ""},
                         [PROPERTY_CUT_CAUSE] = {"cut_cause", "TEXT"},
                         [PROPERTY_BOOT] = {"boot", NUMBER},
                         [PROPERTY_ORIGIN] = {"origin", NUMBER}}},
    [SAVED_DESIRED] = {"desired",
                       2,
                       DESIRED_ORIGIN + 1,
                       {[DESIRED_THING] = {"thing", KEY},
                        [DESIRED_SHADOW] = {"shadow", KEY},
                        [DESIRED_VERSION] = {"version", VERSION},
                        [DESIRED_DOCUMENT] = {"document", "TEXT"},
                        [DESIRED_CHANGED_MS] = {"changed_ms", NUMBER},
                        [DESIRED_BOOT] = {"boot", NUMBER},
                        [DESIRED_ORIGIN] = {"origin", NUMBER}}},
    [SAVED_SETTLE] = {"settle",
                      3,
                      SETTLE_ORIGIN + 1,
                      {[SETTLE_THING] = {"thing", KEY},
                       [SETTLE_SHADOW] = {"shadow", KEY},
                       [SETTLE_PATH] = {"path", KEY},
                       [SETTLE_REVISION] = {"revision", NUMBER},
                       [SETTLE_REPORT_FIRST] = {"report_first", NUMBER},
                       [SETTLE_REPORT_LAST] = {"report_last", NUMBER},
                       [SETTLE_WISHES] = {"wishes", "TEXT"},
                       [SETTLE_ORIGIN] = {"origin", NUMBER}}},
};

/* One row: for what boot and cloud its numbers stand. */
static const char make_eras[] =
    "CREATE TABLE IF NOT EXISTS era(one INTEGER PRIMARY KEY CHECK(one = 1), boot_id TEXT,"
    " boot INTEGER NOT NULL DEFAULT 0, endpoint TEXT, thing_name TEXT,"
    " endpoint_origin INTEGER NOT NULL DEFAULT 0, own_origin INTEGER NOT NULL DEFAULT 0)";

/* A statement in the making. */
struct text {
    size_t size;
    char bytes[4096];
};

static void put(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int size =
        vsnprintf(text->bytes + text->size, sizeof(text->bytes) - text->size, format, arguments);
    va_end(arguments);
    if (size > 0)
        text->size += (size_t)size;
    if (text->size >= sizeof(text->bytes))
        text->size = sizeof(text->bytes) - 1;
}

static void put_columns(struct text *text, const struct table *table, unsigned first,
                        unsigned count, const char *prefix)
{
    for (unsigned i = first; i < count; i++)
        put(text, "%s%s%s", i > first ? "," : "", prefix, table->columns[i].name);
}

static int make_table(sqlite3 *db, const struct table *table)
{
    struct text text = {.size = 0};
    put(&text, "CREATE TABLE IF NOT EXISTS %s(", table->name);
    for (unsigned i = 0; i < table->count; i++)
        put(&text, "%s %s,", table->columns[i].name, table->columns[i].declaration);
    put(&text, "PRIMARY KEY(");
    put_columns(&text, table, 0, table->key_count, "");
    put(&text, ")) WITHOUT ROWID");
    return sqlite3_exec(db, text.bytes, NULL, NULL, NULL);
}

static int find_column(sqlite3 *db, const char *table, const char *column, bool *ret_found)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2", -1,
                                &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 1, table, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_text(statement, 2, column, -1, SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    *ret_found = rc == SQLITE_ROW;
    const int end = sqlite3_finalize(statement);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? end : rc;
}

static int add_missing_columns(sqlite3 *db, const struct table *table)
{
    for (unsigned i = table->key_count; i < table->count; i++) {
        const struct column *column = &table->columns[i];
        bool found;
        int rc = find_column(db, table->name, column->name, &found);
        if (rc != SQLITE_OK)
            return rc;
        if (found)
            continue;
        struct text text = {.size = 0};
        put(&text, "ALTER TABLE %s ADD COLUMN %s %s", table->name, column->name,
            column->declaration);
        rc = sqlite3_exec(db, text.bytes, NULL, NULL, NULL);
        if (rc != SQLITE_OK)
            return rc;
    }
    return SQLITE_OK;
}

static int read_number(sqlite3 *db, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(statement, 0);
    const int end = sqlite3_finalize(statement);
    return rc == SQLITE_ROW ? end : rc == SQLITE_DONE ? SQLITE_CORRUPT : rc;
}

static int make_tables(sqlite3 *db, bool is_empty)
{
    int rc = SQLITE_OK;
    struct text text = {.size = 0};
    put(&text, "PRAGMA application_id=%d; PRAGMA user_version=%d; %s", APPLICATION_ID, MINOR,
        make_eras);
    if (is_empty)
        for (unsigned i = 0; i < STATE_KINDS && rc == SQLITE_OK; i++)
            rc = make_table(db, &tables[i]);
    for (unsigned i = 0; i < STATE_KINDS && rc == SQLITE_OK && !is_empty; i++)
        rc = add_missing_columns(db, &tables[i]);
    return rc == SQLITE_OK ? sqlite3_exec(db, text.bytes, NULL, NULL, NULL) : rc;
}

int state_schema_make(sqlite3 *db)
{
    int64_t application, minor, objects;
    int rc = read_number(db, "PRAGMA application_id", &application);
    if (rc == SQLITE_OK)
        rc = read_number(db, "PRAGMA user_version", &minor);
    if (rc == SQLITE_OK)
        rc = read_number(db, "SELECT count(*) FROM sqlite_schema", &objects);
    if (rc != SQLITE_OK)
        return rc;
    const bool is_empty = application == 0 && objects == 0;
    if (!is_empty && application != APPLICATION_ID)
        return SQLITE_NOTADB;
    if (!is_empty && minor >= MINOR)
        return SQLITE_OK;
    rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = make_tables(db, is_empty);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(db))
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

/* --- statements --- */

/* A name that is not known now takes nothing from what was. */
static const char write_eras[] =
    "INSERT INTO era(one,boot_id,boot,endpoint,thing_name,endpoint_origin,own_origin)"
    " VALUES(1,?1,?2,?3,?4,?5,?6) ON CONFLICT(one) DO UPDATE SET boot_id=?1,boot=?2,"
    "endpoint=coalesce(nullif(?3,''),endpoint),thing_name=coalesce(nullif(?4,''),thing_name),"
    "endpoint_origin=?5,own_origin=?6";

/* Rows whose times or cloud values were all that they said, now that these are of the past. */
static const char remove_empty[] =
    "DELETE FROM property WHERE state=0 AND cut=0 AND boot<>?1 AND (cloud_type=0 OR"
    " origin<>CASE thing WHEN '' THEN ?3 ELSE ?2 END)";

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement)
{
    return sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
}

/* A row that is there already and says the same costs nothing: SQLite compares the bytes. */
static int prepare_upsert(sqlite3 *db, const struct table *table, sqlite3_stmt **ret_statement)
{
    struct text text = {.size = 0};
    put(&text, "INSERT INTO %s(", table->name);
    put_columns(&text, table, 0, table->count, "");
    put(&text, ") VALUES(?");
    for (unsigned i = 1; i < table->count; i++)
        put(&text, ",?");
    put(&text, ") ON CONFLICT(");
    put_columns(&text, table, 0, table->key_count, "");
    put(&text, ") DO UPDATE SET (");
    put_columns(&text, table, table->key_count, table->count, "");
    put(&text, ")=(");
    put_columns(&text, table, table->key_count, table->count, "excluded.");
    put(&text, ")");
    return prepare(db, text.bytes, ret_statement);
}

/* The parameters are those of the upsert. */
static int prepare_update(sqlite3 *db, const struct table *table, sqlite3_stmt **ret_statement)
{
    struct text text = {.size = 0};
    put(&text, "UPDATE %s SET ", table->name);
    for (unsigned i = table->key_count; i < table->count; i++)
        put(&text, "%s%s=?%u", i > table->key_count ? "," : "", table->columns[i].name, i + 1);
    for (unsigned i = 0; i < table->key_count; i++)
        put(&text, " %s %s=?%u", i > 0 ? "AND" : "WHERE", table->columns[i].name, i + 1);
    return prepare(db, text.bytes, ret_statement);
}

static int prepare_remove(sqlite3 *db, const struct table *table, unsigned key_count,
                          sqlite3_stmt **ret_statement)
{
    struct text text = {.size = 0};
    put(&text, "DELETE FROM %s WHERE ", table->name);
    for (unsigned i = 0; i < key_count; i++)
        put(&text, "%s%s=?", i > 0 ? " AND " : "", table->columns[i].name);
    return prepare(db, text.bytes, ret_statement);
}

int state_schema_prepare_select(struct state_store *state, enum saved_kind kind,
                                sqlite3_stmt **ret_statement)
{
    const struct table *table = &tables[kind];
    struct text text = {.size = 0};
    put(&text, "SELECT ");
    put_columns(&text, table, 0, table->count, "");
    put(&text, " FROM %s ORDER BY ", table->name);
    put_columns(&text, table, 0, table->key_count, "");
    return sqlite3_prepare_v2(state->db, text.bytes, -1, ret_statement, NULL);
}

int state_schema_prepare(struct state_store *state)
{
    sqlite3 *db = state->db;
    int rc = prepare(db, "BEGIN IMMEDIATE", &state->begin);
    if (rc == SQLITE_OK)
        rc = prepare(db, "COMMIT", &state->end);
    if (rc == SQLITE_OK)
        rc = prepare(db, "ROLLBACK", &state->rollback);
    if (rc == SQLITE_OK)
        rc = prepare(db, write_eras, &state->write_eras);
    if (rc == SQLITE_OK)
        rc = prepare(db, remove_empty, &state->remove_empty);
    if (rc == SQLITE_OK)
        rc = prepare_update(db, &tables[SAVED_PROPERTY], &state->update_property);
    for (unsigned i = 0; i < STATE_KINDS && rc == SQLITE_OK; i++) {
        rc = prepare_upsert(db, &tables[i], &state->upsert[i]);
        if (rc == SQLITE_OK)
            rc = prepare_remove(db, &tables[i], tables[i].key_count, &state->remove[i]);
        if (rc == SQLITE_OK)
            rc = prepare_remove(db, &tables[i], 2, &state->remove_all[i]);
    }
    return rc;
}

static void finalize(sqlite3_stmt **statement)
{
    (void)sqlite3_finalize(*statement);
    *statement = NULL;
}

void state_schema_finalize(struct state_store *state)
{
    finalize(&state->begin);
    finalize(&state->end);
    finalize(&state->rollback);
    finalize(&state->write_eras);
    finalize(&state->remove_empty);
    finalize(&state->update_property);
    for (unsigned i = 0; i < STATE_KINDS; i++) {
        finalize(&state->upsert[i]);
        finalize(&state->remove[i]);
        finalize(&state->remove_all[i]);
    }
}
