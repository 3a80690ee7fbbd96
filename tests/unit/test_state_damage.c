/* The state file is outside input: what is broken is set aside, what makes no sense is left away,
 * and what is taken away or exchanged under the daemon is noticed. */
#include "tests/unit/cut_vfs.h"
#include "tests/unit/state_place.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

static void save_some(struct place *place)
{
    struct saved_row rows[40];
    static char paths[40][16];
    for (size_t i = 0; i < 40; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/property%zu", i);
        rows[i] = property_row(paths[i], flux_value_int64((int64_t)i));
    }
    const struct saved_row others[] = {shadow_row("", "door"), full_row(""), desired_row(""),
                                       settle_row("")};
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 40), 0);
    assert_int_equal(place_commit(place, others, 4), 0);
    place_close(place);
    /* The log back into the database, so that damage there is seen. */
    place_sql(place->database, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static size_t read_file(const char *path, char *bytes, size_t size)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    const ssize_t count = read(fd, bytes, size);
    assert_true(count >= 0);
    close(fd);
    return (size_t)count;
}

static void write_file(const char *path, const char *bytes, size_t size)
{
    (void)unlink(path);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static void expect_fresh(struct place *place)
{
    assert_int_equal(place_load(place), 0);
    assert_true(place->outcome.is_fresh);
    assert_true(place->outcome.set_aside[0] != '\0');
    assert_int_equal(access(place->outcome.set_aside, F_OK), 0);
    assert_int_equal(place->batch.count, 0);
    const struct saved_row row = full_row("");
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 1);
    assert_string_equal(place->outcome.set_aside, "");
}

static void test_what_is_no_database_is_set_aside(void **state)
{
    struct place *place = *state;
    static char garbage[5000];
    memset(garbage, 'g', sizeof(garbage));
    write_file(place->database, garbage, sizeof(garbage));
    expect_fresh(place);
}

static void test_another_programs_database_is_set_aside(void **state)
{
    struct place *place = *state;
    place_sql(place->database, "CREATE TABLE property(x); INSERT INTO property VALUES(1)");
    expect_fresh(place);
    place_close(place);
    (void)unlink(place->database);
    (void)unlink(place->log);
    place_sql(place->database, "PRAGMA application_id=1; PRAGMA user_version=1");
    expect_fresh(place);
}

static void test_a_database_without_our_tables_is_set_aside(void **state)
{
    struct place *place = *state;
    save_some(place);
    place_sql(place->database, "DROP TABLE property");
    expect_fresh(place);
    place_close(place);
    place_sql(place->database, "DROP TABLE property; CREATE VIEW property AS SELECT * FROM shadow");
    expect_fresh(place);
}

static void test_an_empty_file_is_begun_and_a_half_made_one_too(void **state)
{
    struct place *place = *state;
    write_file(place->database, "", 0);
    assert_int_equal(place_load(place), 0);
    assert_string_equal(place->outcome.set_aside, "");
    place_close(place);
    (void)unlink(place->database);
    place_sql(place->database, "PRAGMA journal_mode=WAL");
    assert_int_equal(place_load(place), 0);
    assert_string_equal(place->outcome.set_aside, "");
    const struct saved_row row = full_row("");
    assert_int_equal(place_commit(place, &row, 1), 0);
}

static void test_a_file_that_was_cut_off_is_set_aside(void **state)
{
    struct place *place = *state;
    static char bytes[1 << 20];
    save_some(place);
    const size_t size = read_file(place->database, bytes, sizeof(bytes));
    assert_true(size > 10 * 1024);
    write_file(place->database, bytes, size - 3 * 1024);
    expect_fresh(place);
}

/* Rows of a bit-flipped database may differ; memory may not. */
static void test_no_damage_brings_the_daemon_down(void **state)
{
    struct place *place = *state;
    static char bytes[1 << 20], damaged[1 << 20];
    save_some(place);
    const size_t size = read_file(place->database, bytes, sizeof(bytes));
    unsigned seed = 1, set_aside = 0, loaded = 0;
    cut_vfs_install(); /* syncs would take long */
    place->options.vfs = CUT_VFS_NAME;
    for (unsigned i = 0; i < 400; i++) {
        memcpy(damaged, bytes, size);
        const unsigned count = 1 + (unsigned)rand_r(&seed) % 8;
        const size_t span = i % 2 ? size : 3 * 1024;
        for (unsigned j = 0; j < count; j++)
            damaged[(size_t)rand_r(&seed) % span] = (char)rand_r(&seed);
        (void)unlink(place->log);
        write_file(place->database, damaged, size);
        const int r = place_load(place);
        assert_true(r == 0 || r == -EFBIG || r == -ENOMEM);
        set_aside += place->outcome.set_aside[0] != '\0';
        loaded += r == 0 && place->batch.count > 0;
        const struct saved_row row = full_row("");
        (void)place_commit(place, &row, 1);
        place_close(place);
        if (place->outcome.set_aside[0] != '\0')
            (void)unlink(place->outcome.set_aside);
    }
    cut_vfs_remove();
    assert_true(set_aside > 50);
    assert_true(loaded > 20);
}

static void test_rows_that_make_no_sense_are_left_away(void **state)
{
    struct place *place = *state;
    static const char *const damages[] = {
        "type=1,value='text'",
        "type=2,value=1.5",
        "type=3,value=x'00'",
        "type=4,value=5",
        "type=4,value=CAST(x'ff41' AS TEXT)",
        "type=5,value=zeroblob(10)",
        "type=6,value='{}'",
        "type=7",
        "type=-1",
        "type='string'",
        "type=4,value=NULL",
        "type=4,value=replace(hex(zeroblob(40000)),'0','x')",
        "cloud_type=9",
        "form_type=4,form=1",
        "state=9",
        "state=-1",
        "state=9223372036854775807",
        "revision=-1",
        "revision=9223372036854775807",
        "cut_revision=-5",
        "thing=replace(hex(zeroblob(100)),'0','t')",
        "shadow=replace(hex(zeroblob(100)),'0','t')",
        "path=replace(hex(zeroblob(1000)),'0','t')",
        "path=x'2f61'",
        "thing=x'00'",
        "thing=CAST(x'610062' AS TEXT)",
    };
    save_some(place);
    for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
        char sql[256];
        (void)snprintf(sql, sizeof(sql), "UPDATE property SET %s WHERE path='/property%zu'",
                       damages[i], i);
        place_sql(place->database, sql);
    }
    assert_int_equal(place_load(place), 0);
    assert_string_equal(place->outcome.set_aside, "");
    size_t count = 0;
    const struct saved_row *row;
    while ((row = batch_next(&place->batch)))
        count += row->kind == SAVED_PROPERTY;
    assert_int_equal(count, 41 - sizeof(damages) / sizeof(damages[0]));
    assert_int_equal(place->batch.left_out, sizeof(damages) / sizeof(damages[0]));
}

static void test_rows_of_each_kind_that_make_no_sense_are_counted(void **state)
{
    struct place *place = *state;
    save_some(place);
    place_sql(place->database, "UPDATE shadow SET newest_revision=-1;"
                               "UPDATE desired SET document=x'7b7d';"
                               "UPDATE settle SET wishes=NULL;"
                               "UPDATE property SET state=9 WHERE path='/a/b'");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place->batch.left_out, 4);
    assert_int_equal(place->batch.count, 40);
    assert_int_equal(place_load_anew(place), 0); /* and not added up */
    assert_int_equal(place->batch.left_out, 4);
}

/* What was true of another cloud only is let go of, and is no damage. */
static void test_rows_that_say_nothing_any_more_are_not_counted(void **state)
{
    struct place *place = *state;
    save_some(place);
    place->options.endpoint = "elsewhere";
    assert_int_equal(place_load(place), 0);
    assert_true(place->batch.count < 44);
    assert_int_equal(place->batch.left_out, 0);
}

/* A database may be any size: what is held of it has to do with MaxBytes. */
static void test_more_rows_than_could_be_ours_do_not_fill_memory(void **state)
{
    struct place *place = *state;
    enum { ROWS = 100, VALUE_BYTES = 40000, FEW_BYTES = 256 * 1024 };
    char *text = calloc(1, VALUE_BYTES);
    assert_non_null(text);
    memset(text, 'x', VALUE_BYTES);
    assert_int_equal(place_load(place), 0);
    for (size_t i = 0; i < ROWS; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/property%zu", i);
        const struct saved_row row = property_row(path, flux_value_string(text, VALUE_BYTES));
        assert_int_equal(place_commit(place, &row, 1), 0);
    }
    free(text);
    place_close(place);
    place->options.max_bytes = FEW_BYTES;
    assert_int_equal(place_load(place), 0);
    assert_string_equal(place->outcome.set_aside, "");
    assert_in_range(place->batch.bytes, 1, 8 * FEW_BYTES + 2 * VALUE_BYTES);
    assert_in_range(place->batch.left_out, 1, ROWS - 1);
    assert_int_equal(place->batch.count + place->batch.left_out, ROWS);
    place->options.max_bytes = MAX_BYTES;
    assert_int_equal(place_load_anew(place), 0); /* they are still there */
    assert_int_equal(place->batch.count, ROWS);
    assert_int_equal(place->batch.left_out, 0);
}

static void test_texts_too_long_are_none_and_numbers_too_large_zero(void **state)
{
    struct place *place = *state;
    save_some(place);
    place_sql(place->database,
              "UPDATE property SET writer_name=replace(hex(zeroblob(100)),'0','n'),"
              "refused_text=replace(hex(zeroblob(1000)),'0','n'),refused_lacking=-1,"
              "refused_total=1<<60,refused_code=1<<40,set_us=-1,writer_uid=-1 WHERE path='/a/b'");
    assert_int_equal(place_load(place), 0);
    const struct saved_property *property =
        &place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property;
    assert_null(property->writer_name);
    assert_null(property->writer_unit);
    assert_null(property->refused_text);
    assert_int_equal(property->refused_lacking + property->refused_total, 0);
    assert_int_equal(property->refused_code, 0);
    assert_int_equal(property->set_us, 0);
}

static void test_eras_beyond_the_last_number_begin_anew(void **state)
{
    struct place *place = *state;
    const struct saved_row row = full_row("");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    place_close(place);
    place_sql(place->database, "UPDATE era SET boot=9223372036854775807,boot_id='another',"
                               "endpoint='elsewhere',endpoint_origin=9223372036854775807,"
                               "own_origin=-9223372036854775807");
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(place_load_anew(place), 0);
        const struct saved_property *property =
            &place_find(place, SAVED_PROPERTY, "", "/a/b")->of_property;
        assert_int_equal(property->cloud.type, FLUX_VALUE_NONE);
        assert_int_equal(place_commit(place, NULL, 0), 0);
    }
    place_close(place);
    assert_true(place_query(place->database, "SELECT boot FROM era") > 0);
}

static void test_nothing_in_the_file_runs(void **state)
{
    struct place *place = *state;
    save_some(place);
    place_sql(place->database, "CREATE TRIGGER t AFTER UPDATE ON property BEGIN"
                               " DELETE FROM property; END;"
                               "CREATE TRIGGER i AFTER INSERT ON property BEGIN"
                               " DELETE FROM property; END");
    assert_int_equal(place_load(place), 0);
    const struct saved_row row = property_row("/property1", flux_value_int64(77));
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 44);
}

static void test_another_encoding_is_read(void **state)
{
    struct place *place = *state;
    save_some(place);
    place_sql(place->database, "ATTACH ':memory:' AS m; DETACH m");
    char sql[512], other[160];
    (void)snprintf(other, sizeof(other), "%s.16", place->database);
    (void)snprintf(sql, sizeof(sql),
                   "PRAGMA encoding='UTF-16le'; PRAGMA application_id=1718384737;"
                   "CREATE TABLE x(y); DROP TABLE x");
    place_sql(other, sql);
    assert_int_equal(rename(other, place->database), 0);
    expect_fresh(place);
}

/* --- under the running daemon --- */

static void test_a_database_that_vanishes_is_begun_anew_and_said_so(void **state)
{
    struct place *place = *state;
    const struct saved_row row = full_row("");
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(unlink(place->database), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_true(place->outcome.is_fresh);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_false(place->outcome.is_fresh);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 1);
}

static void test_a_log_that_vanishes_takes_nothing_along(void **state)
{
    struct place *place = *state;
    const struct saved_row first = full_row("");
    const struct saved_row second = property_row("/second", flux_value_int64(2));
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &first, 1), 0);
    assert_int_equal(unlink(place->log), 0);
    assert_int_equal(place_commit(place, &second, 1), 0);
    assert_false(place->outcome.is_fresh);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 2);
}

static void test_another_database_in_its_place_is_loaded_before_anything_is_written(void **state)
{
    struct place *place = *state;
    static char bytes[1 << 20];
    save_some(place);
    const size_t size = read_file(place->database, bytes, sizeof(bytes));
    assert_int_equal(unlink(place->database), 0);
    (void)unlink(place->log);
    const struct saved_row row = property_row("/mine", flux_value_int64(1));
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    char other[160];
    (void)snprintf(other, sizeof(other), "%s.other", place->database);
    write_file(other, bytes, size);
    (void)unlink(place->log);
    assert_int_equal(rename(other, place->database), 0);
    assert_int_equal(place_commit(place, &row, 1), -ESTALE);
    assert_true(place->outcome.needs_load);
    assert_int_equal(place_load(place), 0);
    assert_true(place->outcome.is_fresh); /* all of memory has to be written into it */
    assert_int_equal(place->batch.count, 44);
    assert_int_equal(place_commit(place, &row, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 45);
}

static void test_damage_found_by_a_commit_begins_a_new_database(void **state)
{
    struct place *place = *state;
    static char text[3000], paths[80][16], garbage[512 * 1024];
    struct saved_row rows[80];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < 80; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/p%zu", i);
        rows[i] = property_row(paths[i], flux_value_string(text, sizeof(text)));
    }
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, 80), 0);
    assert_int_equal(place_load_anew(place), 0);
    /* Behind its back: all pages but the first ones, more than it keeps in memory. Not closed
     * before the end: that would give up the lock of this process. */
    const int fd = open(place->database, O_WRONLY | O_CLOEXEC);
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    assert_in_range(status.st_size, 200 * 1024, sizeof(garbage));
    memset(garbage, 0xa5, sizeof(garbage));
    const ssize_t size = (ssize_t)status.st_size - 8192;
    assert_int_equal(pwrite(fd, garbage, (size_t)size, 8192), size);
    text[0] = 'y';
    assert_int_equal(place_commit(place, rows, 80), 0);
    assert_true(place->outcome.is_fresh);
    assert_true(place->outcome.set_aside[0] != '\0');
    close(fd);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place->batch.count, 80);
}

static void test_after_an_error_of_the_disk_commits_go_on(void **state)
{
    struct place *place = *state;
    cut_vfs_install();
    place->options.vfs = CUT_VFS_NAME;
    assert_int_equal(place_load(place), 0);
    for (int i = 0; i < 30; i++) {
        struct saved_row row = property_row("/a", flux_value_int64(i));
        cut_vfs_fail_writes(i % 3 == 0 ? SQLITE_OK : SQLITE_IOERR_WRITE, i % 2);
        const int r = place_commit(place, &row, 1);
        assert_int_equal(r == 0, i % 3 == 0);
        assert_false(place->outcome.is_fresh);
        assert_true(r == 0 || place->outcome.text[0] != '\0');
    }
    cut_vfs_fail_writes(SQLITE_OK, 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a")->of_property.value.int64, 27);
    place_close(place);
    cut_vfs_remove();
}

static void test_a_full_disk_is_named_and_nothing_is_lost(void **state)
{
    struct place *place = *state;
    cut_vfs_install();
    place->options.vfs = CUT_VFS_NAME;
    const struct saved_row first = property_row("/a", flux_value_int64(1));
    const struct saved_row second = property_row("/a", flux_value_int64(2));
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &first, 1), 0);
    cut_vfs_fail_writes(SQLITE_FULL, 0);
    assert_int_equal(place_commit(place, &second, 1), -ENOSPC);
    assert_non_null(strstr(place->outcome.text, "No space left"));
    place_close(place);
    cut_vfs_fail_writes(SQLITE_FULL, 0); /* a start on a full disk reads what is there */
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a")->of_property.value.int64, 1);
    assert_int_equal(place_commit(place, &second, 1), -ENOSPC);
    cut_vfs_fail_writes(SQLITE_OK, 0);
    assert_int_equal(place_commit(place, &second, 1), 0);
    assert_int_equal(place_load_anew(place), 0);
    assert_int_equal(place_find(place, SAVED_PROPERTY, "", "/a")->of_property.value.int64, 2);
    place_close(place);
    cut_vfs_remove();
}

/* Make the directory read-only for this process alone. */
static bool make_read_only(const char *directory)
{
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount(directory, directory, NULL, MS_BIND, NULL) == 0 &&
           mount(NULL, directory, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0;
}

enum { READ_ONLY_IMPOSSIBLE = 77 };

static int act_read_only(struct place *place)
{
    if (!make_read_only(place->directory))
        return READ_ONLY_IMPOSSIBLE;
    if (place_load(place) != 0 || place->outcome.is_fresh || place->batch.count != 45)
        return 1;
    const struct saved_row row = full_row("");
    for (unsigned i = 0; i < 2; i++)
        if (place_commit(place, &row, 1) != -EROFS || !strstr(place->outcome.text, "ead-only"))
            return 2;
    if (umount(place->directory) < 0)
        return 3;
    if (place_commit(place, &row, 1) != 0 || place->outcome.is_fresh)
        return 4;
    return 0;
}

static void test_what_is_on_a_read_only_file_system_is_read(void **state)
{
    struct place *place = *state;
    save_some(place);
    assert_int_equal(place_load(place), 0); /* and something that is in the log alone */
    const struct saved_row row = property_row("/in/the/log", flux_value_int64(1));
    assert_int_equal(place_commit(place, &row, 1), 0);
    place_close(place);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(act_read_only(place));
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == READ_ONLY_IMPOSSIBLE)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_setup, place_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_is_no_database_is_set_aside),
        TEST(test_another_programs_database_is_set_aside),
        TEST(test_a_database_without_our_tables_is_set_aside),
        TEST(test_an_empty_file_is_begun_and_a_half_made_one_too),
        TEST(test_a_file_that_was_cut_off_is_set_aside),
        TEST(test_no_damage_brings_the_daemon_down),
        TEST(test_rows_that_make_no_sense_are_left_away),
        TEST(test_rows_of_each_kind_that_make_no_sense_are_counted),
        TEST(test_rows_that_say_nothing_any_more_are_not_counted),
        TEST(test_more_rows_than_could_be_ours_do_not_fill_memory),
        TEST(test_texts_too_long_are_none_and_numbers_too_large_zero),
        TEST(test_eras_beyond_the_last_number_begin_anew),
        TEST(test_nothing_in_the_file_runs),
        TEST(test_another_encoding_is_read),
        TEST(test_a_database_that_vanishes_is_begun_anew_and_said_so),
        TEST(test_a_log_that_vanishes_takes_nothing_along),
        TEST(test_another_database_in_its_place_is_loaded_before_anything_is_written),
        TEST(test_damage_found_by_a_commit_begins_a_new_database),
        TEST(test_after_an_error_of_the_disk_commits_go_on),
        TEST(test_a_full_disk_is_named_and_nothing_is_lost),
        TEST(test_what_is_on_a_read_only_file_system_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
