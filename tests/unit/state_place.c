#include "tests/unit/state_place.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

int place_setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    const char *base = getenv("TMPDIR");
    (void)snprintf(place->directory, sizeof(place->directory), "%.40s/flux-state-XXXXXX",
                   base ? base : "/tmp");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->database, sizeof(place->database), "%s/state-1.db", place->directory);
    (void)snprintf(place->log, sizeof(place->log), "%s-wal", place->database);
    place->options = (struct state_options){.directory = place->directory,
                                            .max_bytes = MAX_BYTES,
                                            .endpoint = "endpoint",
                                            .thing_name = "thing",
                                            .boot_id = "boot"};
    batch_init(&place->batch);
    *state = place;
    return 0;
}

/* Everything in the directory, one level. */
void place_remove_all(const char *directory)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    while (stream && (entry = readdir(stream))) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        (void)unlink(path);
    }
    if (stream)
        closedir(stream);
    (void)rmdir(directory);
}

void place_close(struct place *place)
{
    place->state = state_store_free(place->state);
}

int place_teardown(void **state)
{
    struct place *place = *state;
    place_close(place);
    batch_clear(&place->batch);
    place_remove_all(place->directory);
    free(place);
    return 0;
}

int place_load(struct place *place)
{
    if (!place->state)
        assert_int_equal(state_store_new(&place->state, &place->options), 0);
    state_store_load(place->state, &place->batch, NOW_US, &place->outcome);
    batch_rewind(&place->batch);
    return place->outcome.error;
}

int place_load_anew(struct place *place)
{
    place_close(place);
    return place_load(place);
}

int place_commit(struct place *place, const struct saved_row *rows, size_t count)
{
    batch_empty(&place->batch);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(batch_add(&place->batch, &rows[i]), 0);
    state_store_commit(place->state, &place->batch, &place->outcome);
    batch_empty(&place->batch);
    const int error = place->outcome.error;
    state_store_tidy(place->state);
    return error;
}

struct saved_row property_row(const char *path, struct flux_value value)
{
    return (struct saved_row){
        .kind = SAVED_PROPERTY,
        .thing = "",
        .shadow = "",
        .path = path,
        .path_size = strlen(path),
        .of_property = {.state = SAVED_PENDING, .value = value, .revision = 1}};
}

struct saved_row full_row(const char *thing)
{
    return (struct saved_row){
        .kind = SAVED_PROPERTY,
        .thing = thing,
        .shadow = "door",
        .path = "/a/b",
        .path_size = 4,
        .of_property = {.state = SAVED_ACCEPTED,
                        .value = flux_value_string("on", 2),
                        .cut_replaced = true,
                        .cut_cause = "/a/b/c",
                        .cut_cause_size = 6,
                        .revision = 7,
                        .cut_revision = 6,
                        .set_us = 11,
                        .cleared_us = 12,
                        .replaced_us = 13,
                        .accepted_version = 14,
                        .refused_code = 413,
                        .refused_text = "too large",
                        .refused_lacking = 15,
                        .refused_total = 16,
                        .writer_name = "app",
                        .writer_unit = "app.service",
                        .writer_uid = 1000,
                        .cloud = flux_value_array("[1,2]", 5),
                        .form = flux_value_int64(3)},
    };
}

struct saved_row shadow_row(const char *thing, const char *shadow)
{
    return (struct saved_row){.kind = SAVED_SHADOW,
                              .thing = thing,
                              .shadow = shadow,
                              .path = "",
                              .of_shadow = {.version = 5,
                                            .held = true,
                                            .followed_ms = 77,
                                            .newest_revision = 8,
                                            .reset_revision = 2,
                                            .last_accepted_version = 4}};
}

struct saved_row desired_row(const char *thing)
{
    return (struct saved_row){
        .kind = SAVED_DESIRED,
        .thing = thing,
        .shadow = "door",
        .path = "",
        .of_desired = {
            .version = 9, .changed_ms = 10, .document = "{\"a\":1}", .document_size = 7}};
}

struct saved_row settle_row(const char *thing)
{
    return (struct saved_row){
        .kind = SAVED_SETTLE,
        .thing = thing,
        .shadow = "door",
        .path = "/w",
        .path_size = 2,
        .of_settle = {
            .revision = 3, .report_first = 2, .report_last = 4, .wishes = "{}", .wishes_size = 2}};
}

const struct saved_row *place_find(struct place *place, enum saved_kind kind, const char *thing,
                                   const char *path)
{
    const struct saved_row *row;
    batch_rewind(&place->batch);
    while ((row = batch_next(&place->batch)))
        if (row->kind == kind && strcmp(row->thing, thing) == 0 && row->path_size == strlen(path) &&
            memcmp(row->path, path, row->path_size) == 0)
            return row;
    return NULL;
}

/* Run SQL on a database that is not open elsewhere. */
void place_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK)
        fail_msg("%s: %s", sql, error);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int64_t place_query(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    const int64_t number = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}
