/* A disk that fails for a while takes nothing from a database that is well. */
#include "tests/unit/cut_vfs.h"
#include "tests/unit/state_place.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#define ROWS 60u

/* Enough for more pages than are kept in memory, and one value that needs pages of its own. */
static void save_some(struct place *place)
{
    static char paths[ROWS][16], text[4000];
    struct saved_row rows[ROWS];
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < ROWS; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/property%zu", i);
        const size_t size = i == 0 ? sizeof(text) : 200;
        rows[i] = property_row(paths[i], flux_value_string(text, size));
    }
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, rows, ROWS), 0);
    assert_int_equal(place_load_anew(place), 0); /* the log is copied back: reads go there */
    place_close(place);
}

static void expect_nothing_lost(struct place *place, int failure)
{
    int after = 0;
    for (bool has_failed = true; has_failed; after++) {
        cut_vfs_fail_reads(failure, after);
        const int r = place_load(place);
        has_failed = r < 0;
        assert_string_equal(place->outcome.set_aside, "");
        cut_vfs_fail_reads(SQLITE_OK, 0);
        assert_int_equal(place_load_anew(place), 0);
        assert_int_equal(place->batch.count, ROWS);
        place_close(place);
    }
    assert_in_range(after, 20, 10000);
}

static void test_a_read_that_fails_sets_nothing_aside(void **state)
{
    struct place *place = *state;
    cut_vfs_install();
    place->options.vfs = CUT_VFS_NAME;
    save_some(place);
    expect_nothing_lost(place, SQLITE_IOERR_READ);
    cut_vfs_remove();
}

static void test_want_of_memory_sets_nothing_aside(void **state)
{
    struct place *place = *state;
    cut_vfs_install();
    place->options.vfs = CUT_VFS_NAME;
    save_some(place);
    expect_nothing_lost(place, SQLITE_IOERR_NOMEM);
    cut_vfs_remove();
}

static void test_a_database_begun_in_vain_is_not_taken_for_the_one_before(void **state)
{
    struct place *place = *state;
    cut_vfs_install();
    place->options.vfs = CUT_VFS_NAME;
    const struct saved_row first = property_row("/a", flux_value_int64(1));
    const struct saved_row second = property_row("/b", flux_value_int64(2));
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &first, 1), 0);
    /* It is closed before the new one is made, which may get its inode. */
    assert_int_equal(unlink(place->database), 0);
    cut_vfs_fail_writes(SQLITE_FULL, 0);
    assert_int_equal(place_commit(place, &second, 1), -ENOSPC);
    cut_vfs_fail_writes(SQLITE_OK, 0);
    bool is_fresh = place->outcome.is_fresh;
    if (place_commit(place, &second, 1) < 0) {
        assert_true(place->outcome.needs_load);
        assert_int_equal(place_load(place), 0);
    }
    is_fresh |= place->outcome.is_fresh;
    assert_true(is_fresh); /* else "/a" would never be written again */
    place_close(place);
    cut_vfs_remove();
}

/* Else what was committed there would be called stored as long as the directory cannot be seen. */
static void test_a_directory_in_memory_stays_one_while_it_is_in_trouble(void **state)
{
    struct place *place = *state;
    char directory[] = "/dev/shm/flux-state-XXXXXX", database[64];
    if (!mkdtemp(directory))
        skip();
    (void)snprintf(database, sizeof(database), "%s/state-1.db", directory);
    place->options.directory = directory;
    const struct saved_row row = property_row("/a", flux_value_int64(1));
    assert_int_equal(place_load(place), 0);
    assert_int_equal(place_commit(place, &row, 1), 0);
    const bool was_in_memory = state_store_is_in_memory(place->state);
    assert_int_equal(unlink(database), 0);
    assert_int_equal(chmod(directory, 0777), 0);
    assert_int_equal(place_commit(place, &row, 1), -EPERM);
    assert_int_equal(state_store_is_in_memory(place->state), was_in_memory);
    place_close(place);
    place_remove_all(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_read_that_fails_sets_nothing_aside, place_setup,
                                        place_teardown),
        cmocka_unit_test_setup_teardown(test_want_of_memory_sets_nothing_aside, place_setup,
                                        place_teardown),
        cmocka_unit_test_setup_teardown(
            test_a_database_begun_in_vain_is_not_taken_for_the_one_before, place_setup,
            place_teardown),
        cmocka_unit_test_setup_teardown(test_a_directory_in_memory_stays_one_while_it_is_in_trouble,
                                        place_setup, place_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
