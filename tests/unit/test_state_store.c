#include "tests/unit/state_place.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* --- what is written is read again --- */

static void assert_value(const struct flux_value *value, const struct flux_value *wanted)
{
    assert_int_equal(value->type, wanted->type);
    assert_true(flux_value_equal(value, wanted));
}

static void test_every_kind_of_row_comes_back_whole(void **state)
{
    struct place *place = *state;
    const struct saved_row rows[] = {shadow_row("", "door"), full_row(""), desired_row(""),
                                     settle_row("")};
    assert_int_equal(place_load(place), 0);
    assert_true(place->outcome.is_fresh);
    assert_int_equal(place->batch.count, 0);
    assert_int_equal(place_commit(place, rows, 4), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_false(place->outcome.is_fresh);
    assert_int_equal(place->batch.count, 4);
    for (size_t i = 0; i < 4; i++) {
        const struct saved_row *row = batch_next(&place->batch);
        assert_true(saved_row_is_same(row, &rows[i]));
        assert_true(saved_row_is_equal(row, &rows[i]));
    }
    const struct saved_row *row = place_find(place, SAVED_PROPERTY, "", "/a/b");
    assert_string_equal(row->of_property.writer_unit, "app.service");
    assert_int_equal(row->of_property.replaced_us, 13);
    assert_int_equal(row->of_property.cut_cause_size, 6);
    row = place_find(place, SAVED_SHADOW, "", "");
    assert_int_equal(row->of_shadow.followed_ms, 77);
    assert_int_equal(row->of_shadow.newest_revision, 8);
    row = place_find(place, SAVED_DESIRED, "", "");
    assert_int_equal(row->of_desired.changed_ms, 10);
}

static void test_values_keep_their_type_and_every_bit(void **state)
{
    struct place *place = *state;
    const struct flux_value values[] = {
        flux_value_bool(true),        flux_value_bool(false),     flux_value_int64(INT64_MIN),
        flux_value_int64(INT64_MAX),  flux_value_double(1.0),     flux_value_double(0.1),
        flux_value_double(-0.0),      flux_value_double(1e308),   flux_value_double(5e-324),
        flux_value_string("", 0),     flux_value_string("ä€", 5), flux_value_string("1", 1),
        flux_value_array("[1.0]", 5), flux_value_array("[]", 2),  flux_value_empty_object(),
    };
    enum { COUNT = sizeof(values) / sizeof(values[0]) };
    char paths[COUNT][8];
    struct saved_row rows[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/p%zu", i);
        rows[i] = property_row(paths[i], values[i]);
    }
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, COUNT), 0);
    assert_int_equal(place_load_anew(place), 0);
    for (size_t i = 0; i < COUNT; i++) {
        const struct saved_row *row = place_find(place, SAVED_PROPERTY, "", paths[i]);
        assert_non_null(row);
        assert_value(&row->of_property.value, &values[i]);
        if (values[i].type == FLUX_VALUE_DOUBLE)
            assert_memory_equal(&row->of_property.value.real, &values[i].real, sizeof(double));
    }
}

static void test_the_last_row_of_a_key_counts(void **state)
{
    struct place *place = *state;
    struct saved_row gone = property_row("/b", flux_value_bool(true));
    gone.is_gone = true;
    struct saved_row forgotten = shadow_row("", "door");
    forgotten.is_gone = true;
    const struct saved_row rows[] = {property_row("/a", flux_value_int64(1)),
                                     property_row("/b", flux_value_int64(1)),
                                     property_row("/a", flux_value_int64(2)),
                                     gone,
                                     full_row(""),
                                     settle_row(""),
                                     forgotten,
                                     desired_row("")};
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 8), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 2);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a")->of_property.value.int64, 2);
    assert_non_null(place_find(place, SAVED_DESIRED, "", ""));
}

static void test_paths_of_the_cloud_come_back(void **state)
{
    struct place *place = *state;
    struct saved_row rows[] = {property_row("", flux_value_bool(true)),
                               property_row("/a//\x01", flux_value_bool(true))};
    for (size_t i = 0; i < 2; i++) {
        rows[i].of_property = (struct saved_property){.cloud = flux_value_int64(3)};
    }
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 2), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_non_null(place_find(place, SAVED_PROPERTY, "", ""));
    assert_non_null(place_find(place, SAVED_PROPERTY, "", "/a//\x01"));
}

/* --- boots and clouds --- */

static void test_times_of_another_boot_are_no_times(void **state)
{
    struct place *place = *state;
    struct saved_row removal = property_row("/gone", flux_value_bool(true));
    removal.of_property = (struct saved_property){.cleared_us = 5};
    const struct saved_row rows[] = {shadow_row("", "door"), full_row(""), desired_row(""),
                                     removal};
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 4), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/gone")->of_property.cleared_us, 5);

    place->options.boot_id = "another";
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(place_load_anew(place), 0);
        assert_null(place_find(place, SAVED_PROPERTY, "", "/gone"));
        const struct saved_property *property =
            &place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property;
        assert_int_equal(property->set_us + property->cleared_us + property->replaced_us, 0);
        assert_int_equal(property->state, SAVED_ACCEPTED);
        assert_int_equal(place_find(place, SAVED_SHADOW, "", "")->of_shadow.followed_ms, 0);
        assert_int_equal(place_find(place, SAVED_DESIRED, "", "")->of_desired.changed_ms, 0);
        const struct saved_row other = property_row("/other", flux_value_int64(i));
        if (i > 0)
            assert_int_equal(place_commit(place, &other, 1), 0);
    }
    place_close(place);
    assert_int_equal(
        place_query(place->database, "SELECT count(*) FROM property WHERE path='/gone'"), 0);
}

static void test_a_time_that_has_not_come_is_no_time(void **state)
{
    struct place *place = *state;
    struct saved_row row = property_row("/a", flux_value_bool(true));
    row.of_property.set_us = NOW_US + 1;
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a")->of_property.set_us, 0);
}

static void save_two_things(struct place *place)
{
    const struct saved_row rows[] = {
        shadow_row("", "door"),      full_row(""),      desired_row(""),      settle_row(""),
        shadow_row("other", "door"), full_row("other"), desired_row("other"), settle_row("other")};
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 8), 0);
}

static void assert_cloud_unknown(struct place *place, const char *thing)
{
    const struct saved_property *property =
        &place_find(place, SAVED_PROPERTY, thing, "/a/b")->of_property;
    assert_int_equal(property->state, SAVED_PENDING);
    assert_int_equal(property->cloud.type, FLUX_VALUE_NONE);
    assert_int_equal(property->form.type, FLUX_VALUE_NONE);
    assert_int_equal(property->accepted_version, 0);
    assert_int_equal(property->refused_code, 0);
    assert_int_equal(property->value.type, FLUX_VALUE_STRING);
    assert_int_equal(place_find(place, SAVED_SHADOW, thing, "")->of_shadow.version, -1);
    assert_false(place_find(place, SAVED_SHADOW, thing, "")->of_shadow.held);
    assert_null(place_find(place, SAVED_DESIRED, thing, ""));
    assert_null(place_find(place, SAVED_SETTLE, thing, "/w"));
}

static void assert_cloud_known(struct place *place, const char *thing)
{
    assert_int_equal(place_find(place, SAVED_PROPERTY, thing, "/a/b")->of_property.state,
                     SAVED_ACCEPTED);
    assert_int_equal(place_find(place, SAVED_SHADOW, thing, "")->of_shadow.version, 5);
    assert_non_null(place_find(place, SAVED_DESIRED, thing, ""));
    assert_non_null(place_find(place, SAVED_SETTLE, thing, "/w"));
}

static void test_another_name_makes_own_rows_pending_and_leaves_those_of_others(void **state)
{
    struct place *place = *state;
    save_two_things(place);
    place->options.thing_name = "renamed";
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(place_load_anew(place), 0);
        assert_string_equal(place->outcome.moved_from, i == 0 ? "thing at endpoint" : "");
        assert_cloud_unknown(place, "");
        assert_cloud_known(place, "other");
        const struct saved_row row = property_row("/new", flux_value_int64(i));
        assert_int_equal(place_commit(place, &row, 1), 0);
    }
}

/* The certificate that has it comes later. */
static void test_a_name_not_known_at_first_is_that_of_the_rows(void **state)
{
    struct place *place = *state;
    place->options.thing_name = "";
    save_two_things(place);
    place->options.thing_name = "thing";
    for (int64_t i = 0; i < 2; i++) {
        assert_int_equal(place_load_anew(place), 0);
        assert_string_equal(place->outcome.moved_from, "");
        assert_cloud_known(place, "");
        const struct saved_row row = property_row("/new", flux_value_int64(i));
        assert_int_equal(place_commit(place, &row, 1), 0);
    }
    place->options.thing_name = "renamed"; /* and from then on it counts */
    assert_int_equal(place_load_anew(place), 0);
    assert_string_equal(place->outcome.moved_from, "thing at endpoint");
    assert_cloud_unknown(place, "");
    assert_cloud_known(place, "other");
}

static void test_another_endpoint_makes_all_rows_pending(void **state)
{
    struct place *place = *state;
    save_two_things(place);
    place->options.endpoint = "elsewhere";
    assert_int_equal(place_load_anew(place), 0);
    assert_cloud_unknown(place, "");
    assert_cloud_unknown(place, "other");
    const struct saved_row row = full_row("");
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property.state,
                     SAVED_ACCEPTED);
    assert_cloud_unknown(place, "other");
    /* And back: what was known once is not known again. */
    place->options.endpoint = "endpoint";
    assert_int_equal(place_load_anew(place), 0);
    assert_cloud_unknown(place, "");
    assert_cloud_unknown(place, "other");
}

/* A reload with another endpoint, and a crash or a start with whichever afterwards. */
static void test_another_endpoint_while_it_runs_makes_old_rows_pending(void **state)
{
    struct place *place = *state;
    save_two_things(place);
    state_store_move(place->state, strdup("elsewhere"));
    struct saved_row row = property_row("/new", flux_value_int64(1));
    assert_int_equal(place_commit(place, &row, 1), 0);
    place->options.endpoint = "elsewhere";
    assert_int_equal(place_load_anew(place), 0);
    assert_string_equal(place->outcome.moved_from, "");
    assert_cloud_unknown(place, "");
    assert_cloud_unknown(place, "other");
    row = full_row("");
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property.state,
                     SAVED_ACCEPTED);
    place->options.endpoint = "endpoint"; /* what was known of the other is not of this one */
    assert_int_equal(place_load_anew(place), 0);
    assert_cloud_unknown(place, "");
    assert_cloud_unknown(place, "other");
}

static void test_an_endpoint_not_known_yet_is_no_other_one(void **state)
{
    struct place *place = *state;
    save_two_things(place);
    place->options.endpoint = place->options.thing_name = "";
    place->options.boot_id = "another"; /* so that something is noted */
    assert_int_equal(place_load_anew(place), 0);
    assert_cloud_known(place, "");
    const struct saved_row row = property_row("/new", flux_value_int64(1));
    assert_int_equal(place_commit(place, &row, 1), 0);
    place->options.endpoint = "endpoint";
    place->options.thing_name = "thing";
    assert_int_equal(place_load_anew(place), 0);
    assert_cloud_known(place, "");
}

/* --- what is not damage --- */

static void test_a_row_that_cannot_be_written_sets_nothing_aside(void **state)
{
    struct place *place = *state;
    const struct saved_row small = full_row("");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &small, 1), 0);
    const size_t size = 5 * 1024 * 1024; /* SQLite is told to take 4 */
    char *text = malloc(size);
    assert_non_null(text);
    memset(text, ' ', size);
    struct saved_row huge = settle_row("");
    huge.of_settle.wishes = text;
    huge.of_settle.wishes_size = size;
    assert_int_equal(place_commit(place, &huge, 1), -EINVAL);
    free(text);
    assert_string_equal(place->outcome.set_aside, "");
    const struct saved_row next = property_row("/next", flux_value_int64(1));
    assert_int_equal(place_commit(place, &next, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_non_null(place_find(place, SAVED_PROPERTY, "", "/a/b"));
    assert_non_null(place_find(place, SAVED_PROPERTY, "", "/next"));
}

/* --- sizes --- */

static void test_a_row_that_says_the_same_is_not_written(void **state)
{
    struct place *place = *state;
    const struct saved_row row = full_row("");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    const uint64_t before = state_store_log_bytes(place->state);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(state_store_log_bytes(place->state), before);
}

static void test_one_property_costs_one_page_and_the_log_stays_small(void **state)
{
    struct place *place = *state;
    assert_int_equal(place_load(place), 0);
    char path[16];
    for (int64_t i = 0; i < 100; i++) {
        (void)snprintf(path, sizeof(path), "/sensor%02d", (int)i);
        const struct saved_row row = property_row(path, flux_value_int64(i));
        assert_int_equal(place_commit(place, &row, 1), 0);
    }
    const uint64_t before = state_store_log_bytes(place->state);
    for (int64_t i = 0; i < 1000; i++) {
        const struct saved_row row = property_row("/sensor50", flux_value_int64(i));
        assert_int_equal(place_commit(place, &row, 1), 0);
    }
    assert_true(state_store_log_bytes(place->state) - before <= 1000 * 1048);
    struct stat log, database;
    assert_int_equal(stat(place->log, &log), 0);
    assert_int_equal(stat(place->database, &database), 0);
    assert_true(log.st_size <= 300 * 1024);
    assert_true(database.st_size <= 64 * 1024);
    assert_int_equal(state_store_file_bytes(place->state), log.st_size + database.st_size);
}

static void test_max_bytes_holds_and_what_fits_is_written_again(void **state)
{
    struct place *place = *state;
    place->options.max_bytes = 1024 * 1024;
    assert_int_equal(place_load(place), 0);
    static char text[4000];
    memset(text, 'x', sizeof(text));
    char path[16];
    unsigned stored = 0;
    for (; stored < 1000; stored++) {
        (void)snprintf(path, sizeof(path), "/p%u", stored);
        const struct saved_row row = property_row(path, flux_value_string(text, sizeof(text)));
        const int r = place_commit(place, &row, 1);
        if (r != 0) {
            assert_int_equal(r, -EFBIG);
            assert_non_null(strstr(place->outcome.text, "MaxBytes=1048576"));
            break;
        }
        assert_true(state_store_file_bytes(place->state) <= 1024 * 1024);
    }
    assert_true(stored > 50 && stored < 250);
    struct saved_row gone = property_row("/p0", flux_value_bool(true));
    gone.is_gone = true;
    const struct saved_row rows[] = {gone,
                                     property_row(path, flux_value_string(text, sizeof(text)))};
    assert_int_equal(place_commit(place, rows, 2), 0);
    assert_true(state_store_file_bytes(place->state) <= 1024 * 1024);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, stored);
}

/* --- the place --- */

static void test_files_belong_to_the_daemon_alone(void **state)
{
    struct place *place = *state;
    char deeper[96];
    (void)snprintf(deeper, sizeof(deeper), "%s/made", place->directory);
    place->options.directory = deeper;
    const struct saved_row row = property_row("/a", flux_value_int64(1));
    const mode_t mask = umask(0);
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    (void)umask(mask);
    struct stat status;
    assert_int_equal(stat(deeper, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0700);
    (void)snprintf(place->database, sizeof(place->database), "%s/state-1.db", deeper);
    assert_int_equal(stat(place->database, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    (void)snprintf(place->log, sizeof(place->log), "%s/state-1.db-wal", deeper);
    assert_int_equal(stat(place->log, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    place_close(place);
    place_remove_all(deeper);
}

static void test_a_directory_that_cannot_be_made_is_trouble(void **state)
{
    struct place *place = *state;
    char deeper[96];
    (void)snprintf(deeper, sizeof(deeper), "%s/missing/state", place->directory);
    place->options.directory = deeper;
    assert_int_equal(place_load(place), -ENOENT);
    assert_non_null(strstr(place->outcome.text, "missing/state"));
    (void)snprintf(deeper, sizeof(deeper), "%s/missing", place->directory);
    assert_int_equal(mkdir(deeper, 0700), 0);
    assert_int_equal(place_load(place), 0);
    place_close(place);
    (void)snprintf(deeper, sizeof(deeper), "%s/missing/state", place->directory);
    place_remove_all(deeper);
    (void)snprintf(deeper, sizeof(deeper), "%s/missing", place->directory);
    place_remove_all(deeper);
}

static void test_a_directory_of_somebody_else_is_refused(void **state)
{
    struct place *place = *state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(place->directory, 12345, 12345), 0);
    assert_int_equal(place_load(place), -EPERM);
    assert_non_null(strstr(place->outcome.text, "belongs to user 12345"));
    assert_int_equal(access(place->database, F_OK), -1);
    assert_int_equal(chown(place->directory, 0, 0), 0);
    assert_int_equal(place_load(place), 0);
}

static void test_a_directory_open_to_everybody_is_refused(void **state)
{
    struct place *place = *state;
    assert_int_equal(chmod(place->directory, 01777), 0);
    assert_int_equal(place_load(place), -EPERM);
    assert_int_equal(access(place->database, F_OK), -1);
}

static void test_a_link_in_place_of_the_file_is_refused(void **state)
{
    struct place *place = *state;
    char target[96];
    (void)snprintf(target, sizeof(target), "%s/target", place->directory);
    const int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(symlink(target, place->database), 0);
    assert_int_equal(place_load(place), -EPERM);
    assert_int_equal(unlink(place->database), 0);
    assert_int_equal(link(target, place->database), 0);
    assert_int_equal(place_load(place), -EPERM);
    struct stat status;
    assert_int_equal(stat(target, &status), 0);
    assert_int_equal(status.st_size, 0);
}

static void test_a_second_process_keeps_off(void **state)
{
    struct place *place = *state;
    const struct saved_row row = property_row("/a", flux_value_int64(1));
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct state_store *other;
        struct batch batch;
        struct state_outcome outcome;
        batch_init(&batch);
        if (state_store_new(&other, &place->options) < 0)
            _exit(1);
        state_store_load(other, &batch, NOW_US, &outcome);
        _exit(outcome.error == -EBUSY ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
}

/* --- older and newer daemons --- */

static void test_an_older_minor_gets_the_columns_it_lacks(void **state)
{
    struct place *place = *state;
    const struct saved_row row = full_row("");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    place_close(place);
    place_sql(place->database, "ALTER TABLE property DROP COLUMN cut_cause; PRAGMA user_version=0;"
                               "ALTER TABLE shadow DROP COLUMN held");
    assert_int_equal(place_load(place), 0);
    assert_false(place->outcome.is_fresh);
    const struct saved_property *property =
        &place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property;
    assert_null(property->cut_cause);
    assert_string_equal(property->writer_name, "app");
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    property = &place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property;
    assert_int_equal(property->cut_cause_size, 6);
}

static void test_a_newer_minor_is_used_and_what_it_added_stays(void **state)
{
    struct place *place = *state;
    const struct saved_row rows[] = {full_row(""), shadow_row("", "door")};
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 2), 0);
    place_close(place);
    place_sql(place->database, "ALTER TABLE property ADD COLUMN later INTEGER NOT NULL DEFAULT 1;"
                               "ALTER TABLE era ADD COLUMN later INTEGER NOT NULL DEFAULT 2;"
                               "UPDATE property SET later=42; UPDATE era SET later=43;"
                               "CREATE TABLE later(a); PRAGMA user_version=99");
    place->options.boot_id = "another";
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place->batch.count, 2);
    struct saved_row row = full_row("");
    row.of_property.revision = 100;
    assert_int_equal(place_commit(place, &row, 1), 0);
    place_close(place);
    assert_int_equal(place_query(place->database, "SELECT later FROM property"), 42);
    assert_int_equal(place_query(place->database, "SELECT later FROM era"), 43);
    assert_int_equal(place_query(place->database, "PRAGMA user_version"), 99);
}

static void test_another_major_is_left_alone(void **state)
{
    struct place *place = *state;
    char newer[128];
    (void)snprintf(newer, sizeof(newer), "%s/state-2.db", place->directory);
    place_sql(newer, "CREATE TABLE property(something); INSERT INTO property VALUES(7)");
    const struct saved_row row = full_row("");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 1);
    assert_int_equal(place_query(newer, "SELECT something FROM property"), 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_every_kind_of_row_comes_back_whole),
        TEST(test_values_keep_their_type_and_every_bit),
        TEST(test_the_last_row_of_a_key_counts),
        TEST(test_paths_of_the_cloud_come_back),
        TEST(test_times_of_another_boot_are_no_times),
        TEST(test_a_time_that_has_not_come_is_no_time),
        TEST(test_another_name_makes_own_rows_pending_and_leaves_those_of_others),
        TEST(test_a_name_not_known_at_first_is_that_of_the_rows),
        TEST(test_another_endpoint_makes_all_rows_pending),
        TEST(test_an_endpoint_not_known_yet_is_no_other_one),
        TEST(test_another_endpoint_while_it_runs_makes_old_rows_pending),
        TEST(test_a_row_that_cannot_be_written_sets_nothing_aside),
        TEST(test_a_row_that_says_the_same_is_not_written),
        TEST(test_one_property_costs_one_page_and_the_log_stays_small),
        TEST(test_max_bytes_holds_and_what_fits_is_written_again),
        TEST(test_files_belong_to_the_daemon_alone),
        TEST(test_a_directory_that_cannot_be_made_is_trouble),
        TEST(test_a_directory_of_somebody_else_is_refused),
        TEST(test_a_directory_open_to_everybody_is_refused),
        TEST(test_a_link_in_place_of_the_file_is_refused),
        TEST(test_a_second_process_keeps_off),
        TEST(test_an_older_minor_gets_the_columns_it_lacks),
        TEST(test_a_newer_minor_is_used_and_what_it_added_stays),
        TEST(test_another_major_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
