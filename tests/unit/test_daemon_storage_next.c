/* While a commit runs, the next one is handed over. */
#include "tests/unit/storage_world.h"

#include "daemon/storage/commit_schedule.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void begin_first(void)
{
    storage_world_open_good();
    storage_world_want_save(2);
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    storage_world_want_save(0);
}

static void test_the_next_commit_is_handed_over_while_one_runs(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(1);
    storage_world_turn();
    assert_int_equal(fake.commits, 2);
    assert_int_equal(fake.saves, 2);
    fake.room = STORE_ROOM_IN_LAST;
    storage_world_turn();
    assert_int_equal(fake.extended, 1);
    assert_int_equal(fake.saves, 2);
    storage_world_want_save(0);
    fake.room = STORE_NO_ROOM;
    storage_world_commit_ends(0);
    storage_world_commit_ends(0);
    assert_int_equal(fake.stored, 2);
    assert_int_equal(fake.saves, 0);
}

static void test_nobody_in_a_hurry_means_one_commit_at_a_time(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    fake.unsaved_rows = 1;
    fake.has_reports = fake.has_unsaved = true;
    storage_world_turn();
    storage_world.stop = STORAGE_HURRIES;
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
}

static void test_without_room_the_next_commit_waits(void **state)
{
    (void)state;
    begin_first();
    storage_world_want_save(1);
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.saves, 1);
}

static void test_nothing_new_is_no_next_commit(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(1);
    fake.unsaved_rows = 0;
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.saves, 1);
}

static void test_nothing_more_gives_the_next_commit_back(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(1);
    storage_world_turn();
    fake.room = STORE_ROOM_IN_LAST;
    fake.unsaved_rows = 0;
    storage_world_turn();
    assert_int_equal(fake.commits, 3); /* else the thread would wait for ever */
    assert_int_equal(fake.saves, 2);
}

static void test_without_memory_the_next_commit_is_dropped_and_the_first_goes_on(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(2);
    fake.add_result = -ENOMEM;
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.saves, 1);
    fake.add_result = 0;
    fake.is_torn = true; /* half of a report */
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.saves, 1);
    assert_int_equal(fake.batch, 0);
    fake.is_torn = false;
    storage_world_want_save(0);
    storage_world_commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_false(fake.in_trouble);
}

static void test_with_one_commit_the_one_behind_it_fails(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(1);
    storage_world_turn();
    storage_world_commit_ends(-EIO);
    assert_int_equal(fake.not_stored, 2);
    assert_int_equal(fake.saves, 0);
    assert_true(fake.in_trouble);
}

static void test_in_trouble_there_is_one_commit_at_a_time(void **state)
{
    (void)state;
    begin_first();
    storage_world_want_save(1);
    storage_world_commit_ends(-EIO);
    fake.room = STORE_ROOM;
    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    storage_world_turn();
    assert_int_equal(fake.commits, 2);
    storage_world_turn();
    assert_int_equal(fake.commits, 2);
}

static void test_a_fresh_database_gets_everything_after_both(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(1);
    storage_world_turn();
    fake.is_busy = false;
    fake.results[fake.result_count++] = (struct store_result){STORE_COMMIT, 0, "", true, "", "", 0};
    storage_world.storage.has_results = true;
    storage_world_turn();
    assert_true(fake.saves_all);
    assert_int_equal(fake.stored, 1);
    assert_int_equal(fake.not_stored, 1);
}

static void test_the_next_commit_has_its_own_time_until_it_is_slow(void **state)
{
    (void)state;
    begin_first();
    fake.room = STORE_ROOM;
    storage_world_want_save(1);
    storage_world_turn();
    storage_world_want_save(0);
    storage_world.now_ms += COMMIT_SLOW_MS - 1;
    storage_world_commit_ends(0);
    assert_false(fake.in_trouble);
    storage_world.now_ms += COMMIT_SLOW_MS - 1;
    storage_world_turn();
    assert_false(fake.in_trouble);
    storage_world.now_ms += 1;
    storage_world_turn();
    assert_true(fake.in_trouble);
}

#define TEST(name) cmocka_unit_test_setup(name, storage_world_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_next_commit_is_handed_over_while_one_runs),
        TEST(test_nobody_in_a_hurry_means_one_commit_at_a_time),
        TEST(test_without_room_the_next_commit_waits),
        TEST(test_nothing_new_is_no_next_commit),
        TEST(test_nothing_more_gives_the_next_commit_back),
        TEST(test_without_memory_the_next_commit_is_dropped_and_the_first_goes_on),
        TEST(test_with_one_commit_the_one_behind_it_fails),
        TEST(test_in_trouble_there_is_one_commit_at_a_time),
        TEST(test_a_fresh_database_gets_everything_after_both),
        TEST(test_the_next_commit_has_its_own_time_until_it_is_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
