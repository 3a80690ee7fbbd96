#include "tests/unit/storage_world.h"

#include "daemon/message_ids.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_all_unsaved_rows_go_into_one_commit(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_turn();
    assert_int_equal(fake.commits, 0);
    storage_world_want_save(3);
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.batch, 3);
    storage_world_turn(); /* one at a time */
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.stored, 0);
    storage_world_want_save(0);
    storage_world_commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_int_equal(fake.commits, 1);
}

static void test_what_the_disk_holds_already_is_stored_without_a_commit(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(1);
    fake.unsaved_rows = 0;
    storage_world_turn();
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.stored, 1);
}

static void test_trouble_is_told_once_and_tried_again_until_it_is_over(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(2);
    storage_world_turn();
    storage_world_commit_ends(-EIO);
    assert_int_equal(fake.not_stored, 1);
    assert_true(fake.in_trouble);
    assert_int_equal(storage_world.storage.trouble, COMMIT_FAILED);
    assert_string_equal(storage_world.storage.trouble_text, "no disk");
    for (int i = 0; i < 5; i++) {
        storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL,
                                                       storage_world.stop, storage_world.now_ms);
        storage_world_turn();
        storage_world_commit_ends(-EIO);
    }
    assert_int_equal(fake.commits, 6);
    assert_in_range(storage_world.now_ms, 1000 + 31000, 1000 + 32000);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 1);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_WELL), 0);

    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    storage_world_turn();
    storage_world_want_save(0);
    storage_world_commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_false(fake.in_trouble);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 1);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_WELL), 1);
}

static void test_another_trouble_is_one_to_tell_the_status_of(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(2);
    storage_world_turn();
    storage_world_commit_ends(-EIO);
    const uint64_t changes = storage_world.storage.changes;
    storage_world_turn();
    assert_int_equal(storage_world.storage.changes, changes);
    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    storage_world_turn();
    assert_true(fake.is_busy);
    storage_world.now_ms += COMMIT_SLOW_MS;
    storage_world_turn();
    assert_int_equal(storage_world.storage.trouble, COMMIT_SLOW);
    assert_true(storage_world.storage.changes > changes);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 1);
}

static void test_a_commit_that_does_not_come_back_is_trouble_until_it_does(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(1);
    storage_world_turn();
    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    assert_int_equal(storage_world.now_ms, 1000 + COMMIT_SLOW_MS);
    storage_world_turn();
    assert_int_equal(storage_world.storage.trouble, COMMIT_SLOW);
    assert_true(fake.in_trouble);
    assert_int_equal(fake.not_stored, 0);
    storage_world.now_ms += 5000;
    storage_world_want_save(0);
    storage_world_commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_false(fake.in_trouble);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_WELL), 1);
}

static void test_without_memory_for_a_batch_nothing_is_claimed(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(2);
    fake.add_result = -ENOMEM;
    storage_world_turn();
    storage_world_turn();
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.stored, 0);
    assert_int_equal(fake.not_stored, 1);
    assert_true(fake.in_trouble);
    fake.add_result = 0;
    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
}

static void test_half_of_a_save_is_not_written(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(2);
    fake.is_torn = true;
    storage_world_turn();
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.not_stored, 1);
    fake.is_torn = false;
    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.batch, 2);
}

static void test_loaded_rows_go_to_the_engine_and_what_it_cannot_use_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        fake.rows[i] = (struct saved_row){.kind = SAVED_PROPERTY, .thing = "t", .shadow = ""};
    fake.row_count = 4;
    fake.restore_results[1] = THING_ORPHANED;
    fake.restore_results[2] = -EINVAL;
    storage_world_open("durable");
    assert_int_equal(fake.loads, 1);
    storage_world_turn();
    assert_int_equal(fake.restored, 4);
    assert_true(fake.is_restored);
    assert_int_equal(fake.kept, 1);
    assert_int_equal(fake_count_said(MESSAGE_ORPHANED), 1);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 0);
    assert_false(fake.saves_all);
}

static void test_rows_that_make_no_sense_are_told_once_wherever_that_was_seen(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++)
        fake.rows[i] = (struct saved_row){.kind = SAVED_PROPERTY, .thing = "t", .shadow = ""};
    fake.row_count = 2;
    fake.restore_results[1] = -EINVAL; /* the engine */
    fake.left_out = 3;                 /* the storage */
    storage_world_open("durable");
    storage_world_turn();
    assert_int_equal(fake_count_said(MESSAGE_ROWS_LEFT_OUT), 1);
    assert_string_equal(fake.rows_said, "4");
}

static void test_a_disk_that_cannot_be_read_is_tried_again_before_anything_is_written(void **state)
{
    (void)state;
    fake.load_result = -EACCES;
    storage_world_open("durable");
    storage_world_want_save(1);
    storage_world_turn();
    assert_true(fake.in_trouble);
    assert_false(fake.is_restored);
    assert_int_equal(fake.loads, 1);
    fake.load_result = -EINPROGRESS;
    storage_world.now_ms = daemon_storage_deadline(&storage_world.storage, NULL, storage_world.stop,
                                                   storage_world.now_ms);
    storage_world_turn();
    assert_int_equal(fake.loads, 2);
    fake.needs_load = false;
    fake.results[fake.result_count++] = (struct store_result){STORE_LOAD, 0, "", true, "", "", 0};
    storage_world.storage.has_results = true;
    storage_world_turn();
    assert_true(fake.is_restored);
    assert_true(fake.saves_all);
    assert_false(fake.in_trouble);
    assert_int_equal(fake.commits, 1);
}

static void test_a_damaged_database_is_told_and_everything_saved_anew(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(1);
    storage_world_turn();
    fake.is_busy = false;
    fake.results[fake.result_count++] =
        (struct store_result){STORE_COMMIT, -EIO, "damaged", true, "/old", "", 0};
    storage_world.storage.has_results = true;
    storage_world_turn();
    assert_int_equal(fake.not_stored, 1);
    assert_true(fake.saves_all);
    assert_int_equal(fake_count_said(MESSAGE_STATE_LOST), 1);
}

static void test_a_fresh_database_gets_everything_at_once(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(1);
    storage_world_turn();
    fake.is_busy = false;
    fake.results[fake.result_count++] =
        (struct store_result){STORE_COMMIT, 0, "", true, "/old", "", 0};
    fake.wants_save = false; /* nobody waits for what was called stored before */
    fake.unsaved_rows = 5;
    storage_world.storage.has_results = true;
    storage_world_turn();
    assert_true(fake.saves_all);
    assert_int_equal(fake.commits, 2);
    storage_world_commit_ends(0);
    storage_world_turn();
    assert_int_equal(fake.commits, 2);
}

static void test_a_stop_writes_reports_first_and_what_rides_along_at_the_end(void **state)
{
    (void)state;
    storage_world_open_good();
    fake.unsaved_rows = 1;
    fake.has_unsaved = fake.has_reports = true;
    storage_world_turn();
    assert_int_equal(fake.commits, 0);
    storage_world.stop = STORAGE_HURRIES;
    storage_world_turn();
    assert_int_equal(fake.commits, 1);
    fake.has_reports = false; /* but marks are left */
    storage_world_commit_ends(0);
    assert_int_equal(fake.commits, 1);
    storage_world.stop = STORAGE_ENDS;
    assert_false(daemon_storage_is_through(&storage_world.storage, NULL));
    storage_world_turn();
    assert_int_equal(fake.commits, 2);
    assert_false(daemon_storage_is_through(&storage_world.storage, NULL));
    storage_world_commit_ends(0); /* something came meanwhile */
    assert_int_equal(fake.commits, 3);
    fake.has_unsaved = false;
    storage_world_commit_ends(0);
    assert_true(daemon_storage_is_through(&storage_world.storage, NULL));
}

static void test_a_stop_tries_a_sick_disk_once_more_and_no_longer(void **state)
{
    (void)state;
    storage_world_open_good();
    storage_world_want_save(1);
    storage_world_turn();
    storage_world_commit_ends(-EIO);
    storage_world.stop = STORAGE_ENDS;
    storage_world_turn();
    assert_int_equal(fake.commits, 2);
    storage_world_commit_ends(-EIO);
    assert_true(daemon_storage_is_through(&storage_world.storage, NULL));
}

static void test_a_stop_lets_updates_go_without_a_commit_that_takes_long(void **state)
{
    (void)state;
    storage_world_open_good();
    assert_int_equal(daemon_storage_patience_end(&storage_world.storage, 500), INT64_MAX);
    storage_world_want_save(1);
    storage_world_turn();
    assert_int_equal(daemon_storage_patience_end(&storage_world.storage, 500), 1500);
    daemon_storage_leave_behind(&storage_world.storage, NULL, 500, 1499);
    assert_false(fake.in_trouble);
    daemon_storage_leave_behind(&storage_world.storage, NULL, 500, 1500);
    assert_true(fake.in_trouble);
    assert_int_equal(daemon_storage_patience_end(&storage_world.storage, 500), INT64_MAX);
}

static void test_a_volatile_start_sets_a_database_aside_and_writes_nothing(void **state)
{
    (void)state;
    fake.set_aside_result = 1;
    storage_world_open("volatile");
    assert_int_equal(fake_count_said(MESSAGE_STATE_SET_ASIDE), 1);
    storage_world_want_save(1);
    storage_world_turn();
    assert_int_equal(fake.loads + fake.commits, 0);
    assert_int_equal(daemon_storage_deadline(&storage_world.storage, NULL, STORAGE_ENDS, 0),
                     INT64_MAX);
    assert_true(daemon_storage_is_through(&storage_world.storage, NULL));
    assert_non_null(
        strstr(daemon_storage_volatile_reason(&storage_world.storage), "Mode=volatile"));
}

static void test_a_directory_in_memory_is_the_reason_why_nothing_is_stored(void **state)
{
    (void)state;
    storage_world_open_good();
    assert_null(daemon_storage_volatile_reason(&storage_world.storage));
    fake.is_in_memory = true;
    assert_non_null(strstr(daemon_storage_volatile_reason(&storage_world.storage), "memory"));
}

static void test_a_start_that_ended_before_the_disk_was_opened_leaves_nothing_to_wait_for(
    void **state)
{
    (void)state;
    fake.is_busy = true; /* of somebody else's store */
    assert_false(daemon_storage_is_busy(&storage_world.storage));
    (void)daemon_storage_close(&storage_world.storage);
    storage_world_open("durable");
    assert_true(daemon_storage_is_busy(&storage_world.storage));
}

#define TEST(name) cmocka_unit_test_setup(name, storage_world_setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all_unsaved_rows_go_into_one_commit),
        TEST(test_what_the_disk_holds_already_is_stored_without_a_commit),
        TEST(test_trouble_is_told_once_and_tried_again_until_it_is_over),
        TEST(test_another_trouble_is_one_to_tell_the_status_of),
        TEST(test_a_commit_that_does_not_come_back_is_trouble_until_it_does),
        TEST(test_without_memory_for_a_batch_nothing_is_claimed),
        TEST(test_half_of_a_save_is_not_written),
        TEST(test_loaded_rows_go_to_the_engine_and_what_it_cannot_use_is_kept),
        TEST(test_rows_that_make_no_sense_are_told_once_wherever_that_was_seen),
        TEST(test_a_disk_that_cannot_be_read_is_tried_again_before_anything_is_written),
        TEST(test_a_damaged_database_is_told_and_everything_saved_anew),
        TEST(test_a_fresh_database_gets_everything_at_once),
        TEST(test_a_stop_writes_reports_first_and_what_rides_along_at_the_end),
        TEST(test_a_stop_tries_a_sick_disk_once_more_and_no_longer),
        TEST(test_a_stop_lets_updates_go_without_a_commit_that_takes_long),
        TEST(test_a_volatile_start_sets_a_database_aside_and_writes_nothing),
        TEST(test_a_directory_in_memory_is_the_reason_why_nothing_is_stored),
        TEST(test_a_start_that_ended_before_the_disk_was_opened_leaves_nothing_to_wait_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
