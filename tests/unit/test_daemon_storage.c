#include "tests/unit/fake_storage.h"

#include "daemon/message_ids.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a daemon's turns ---- */

struct world {
    struct daemon_storage storage;
    int64_t now_ms;
    enum storage_stop stop;
};

static struct world world;

static int setup(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    world = (struct world){.now_ms = 1000};
    return 0;
}

static void open_storage(const char *mode)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    assert_int_equal(config_set(&config, "Storage", "Mode", mode, "f", 1), 0);
    assert_int_equal(
        daemon_storage_open(&world.storage, &config, "/somewhere", "thing", world.now_ms), 0);
    config_clear(&config);
}

static void turn(void)
{
    daemon_storage_receive(&world.storage, NULL, world.now_ms);
    daemon_storage_turn(&world.storage, NULL, world.stop, world.now_ms);
}

static void commit_ends(int error)
{
    assert_true(fake.is_busy);
    fake.is_busy = false;
    fake.results[fake.result_count++] =
        (struct store_result){STORE_COMMIT, error, error ? "no disk" : "", false, "", "", 0};
    world.storage.has_results = true;
    turn();
}

/* Something to be written at once. */
static void want_save(size_t rows)
{
    fake.unsaved_rows = rows;
    fake.wants_save = fake.has_reports = fake.has_unsaved = rows > 0;
}

static void open_good(void)
{
    open_storage("durable");
    turn();
    assert_true(fake.is_restored);
}

static void test_all_unsaved_rows_go_into_one_commit(void **state)
{
    (void)state;
    open_good();
    turn();
    assert_int_equal(fake.commits, 0);
    want_save(3);
    turn();
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.batch, 3);
    turn(); /* one at a time */
    assert_int_equal(fake.commits, 1);
    assert_int_equal(fake.stored, 0);
    want_save(0);
    commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_int_equal(fake.commits, 1);
}

static void test_what_the_disk_holds_already_is_stored_without_a_commit(void **state)
{
    (void)state;
    open_good();
    want_save(1);
    fake.unsaved_rows = 0;
    turn();
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.stored, 1);
}

static void test_trouble_is_told_once_and_tried_again_until_it_is_over(void **state)
{
    (void)state;
    open_good();
    want_save(2);
    turn();
    commit_ends(-EIO);
    assert_int_equal(fake.not_stored, 1);
    assert_true(fake.in_trouble);
    assert_int_equal(world.storage.trouble, COMMIT_FAILED);
    assert_string_equal(world.storage.trouble_text, "no disk");
    for (int i = 0; i < 5; i++) {
        world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
        turn();
        commit_ends(-EIO);
    }
    assert_int_equal(fake.commits, 6);
    assert_in_range(world.now_ms, 1000 + 31000, 1000 + 32000);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 1);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_WELL), 0);

    world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
    turn();
    want_save(0);
    commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_false(fake.in_trouble);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 1);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_WELL), 1);
}

static void test_another_trouble_is_one_to_tell_the_status_of(void **state)
{
    (void)state;
    open_good();
    want_save(2);
    turn();
    commit_ends(-EIO);
    const uint64_t changes = world.storage.changes;
    turn();
    assert_int_equal(world.storage.changes, changes);
    world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
    turn();
    assert_true(fake.is_busy);
    world.now_ms += COMMIT_SLOW_MS;
    turn();
    assert_int_equal(world.storage.trouble, COMMIT_SLOW);
    assert_true(world.storage.changes > changes);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_TROUBLE), 1);
}

static void test_a_commit_that_does_not_come_back_is_trouble_until_it_does(void **state)
{
    (void)state;
    open_good();
    want_save(1);
    turn();
    world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
    assert_int_equal(world.now_ms, 1000 + COMMIT_SLOW_MS);
    turn();
    assert_int_equal(world.storage.trouble, COMMIT_SLOW);
    assert_true(fake.in_trouble);
    assert_int_equal(fake.not_stored, 0);
    world.now_ms += 5000;
    want_save(0);
    commit_ends(0);
    assert_int_equal(fake.stored, 1);
    assert_false(fake.in_trouble);
    assert_int_equal(fake_count_said(MESSAGE_STORAGE_WELL), 1);
}

static void test_without_memory_for_a_batch_nothing_is_claimed(void **state)
{
    (void)state;
    open_good();
    want_save(2);
    fake.add_result = -ENOMEM;
    turn();
    turn();
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.stored, 0);
    assert_int_equal(fake.not_stored, 1);
    assert_true(fake.in_trouble);
    fake.add_result = 0;
    world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
    turn();
    assert_int_equal(fake.commits, 1);
}

static void test_half_of_a_save_is_not_written(void **state)
{
    (void)state;
    open_good();
    want_save(2);
    fake.is_torn = true;
    turn();
    assert_int_equal(fake.commits, 0);
    assert_int_equal(fake.not_stored, 1);
    fake.is_torn = false;
    world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
    turn();
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
    open_storage("durable");
    assert_int_equal(fake.loads, 1);
    turn();
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
    open_storage("durable");
    turn();
    assert_int_equal(fake_count_said(MESSAGE_ROWS_LEFT_OUT), 1);
    assert_string_equal(fake.rows_said, "4");
}

static void test_a_disk_that_cannot_be_read_is_tried_again_before_anything_is_written(void **state)
{
    (void)state;
    fake.load_result = -EACCES;
    open_storage("durable");
    want_save(1);
    turn();
    assert_true(fake.in_trouble);
    assert_false(fake.is_restored);
    assert_int_equal(fake.loads, 1);
    fake.load_result = -EINPROGRESS;
    world.now_ms = daemon_storage_deadline(&world.storage, NULL, world.stop, world.now_ms);
    turn();
    assert_int_equal(fake.loads, 2);
    fake.needs_load = false;
    fake.results[fake.result_count++] = (struct store_result){STORE_LOAD, 0, "", true, "", "", 0};
    world.storage.has_results = true;
    turn();
    assert_true(fake.is_restored);
    assert_true(fake.saves_all);
    assert_false(fake.in_trouble);
    assert_int_equal(fake.commits, 1);
}

static void test_a_damaged_database_is_told_and_everything_saved_anew(void **state)
{
    (void)state;
    open_good();
    want_save(1);
    turn();
    fake.is_busy = false;
    fake.results[fake.result_count++] =
        (struct store_result){STORE_COMMIT, -EIO, "damaged", true, "/old", "", 0};
    world.storage.has_results = true;
    turn();
    assert_int_equal(fake.not_stored, 1);
    assert_true(fake.saves_all);
    assert_int_equal(fake_count_said(MESSAGE_STATE_LOST), 1);
}

static void test_a_fresh_database_gets_everything_at_once(void **state)
{
    (void)state;
    open_good();
    want_save(1);
    turn();
    fake.is_busy = false;
    fake.results[fake.result_count++] =
        (struct store_result){STORE_COMMIT, 0, "", true, "/old", "", 0};
    fake.wants_save = false; /* nobody waits for what was called stored before */
    fake.unsaved_rows = 5;
    world.storage.has_results = true;
    turn();
    assert_true(fake.saves_all);
    assert_int_equal(fake.commits, 2);
    commit_ends(0);
    turn();
    assert_int_equal(fake.commits, 2);
}

static void test_a_stop_writes_reports_first_and_what_rides_along_at_the_end(void **state)
{
    (void)state;
    open_good();
    fake.unsaved_rows = 1;
    fake.has_unsaved = fake.has_reports = true;
    turn();
    assert_int_equal(fake.commits, 0);
    world.stop = STORAGE_HURRIES;
    turn();
    assert_int_equal(fake.commits, 1);
    fake.has_reports = false; /* but marks are left */
    commit_ends(0);
    assert_int_equal(fake.commits, 1);
    world.stop = STORAGE_ENDS;
    assert_false(daemon_storage_is_through(&world.storage, NULL));
    turn();
    assert_int_equal(fake.commits, 2);
    assert_false(daemon_storage_is_through(&world.storage, NULL));
    commit_ends(0); /* something came meanwhile */
    assert_int_equal(fake.commits, 3);
    fake.has_unsaved = false;
    commit_ends(0);
    assert_true(daemon_storage_is_through(&world.storage, NULL));
}

static void test_a_stop_tries_a_sick_disk_once_more_and_no_longer(void **state)
{
    (void)state;
    open_good();
    want_save(1);
    turn();
    commit_ends(-EIO);
    world.stop = STORAGE_ENDS;
    turn();
    assert_int_equal(fake.commits, 2);
    commit_ends(-EIO);
    assert_true(daemon_storage_is_through(&world.storage, NULL));
}

static void test_a_stop_lets_updates_go_without_a_commit_that_takes_long(void **state)
{
    (void)state;
    open_good();
    assert_int_equal(daemon_storage_patience_end(&world.storage, 500), INT64_MAX);
    want_save(1);
    turn();
    assert_int_equal(daemon_storage_patience_end(&world.storage, 500), 1500);
    daemon_storage_leave_behind(&world.storage, NULL, 500, 1499);
    assert_false(fake.in_trouble);
    daemon_storage_leave_behind(&world.storage, NULL, 500, 1500);
    assert_true(fake.in_trouble);
    assert_int_equal(daemon_storage_patience_end(&world.storage, 500), INT64_MAX);
}

static void test_a_volatile_start_sets_a_database_aside_and_writes_nothing(void **state)
{
    (void)state;
    fake.set_aside_result = 1;
    open_storage("volatile");
    assert_int_equal(fake_count_said(MESSAGE_STATE_SET_ASIDE), 1);
    want_save(1);
    turn();
    assert_int_equal(fake.loads + fake.commits, 0);
    assert_int_equal(daemon_storage_deadline(&world.storage, NULL, STORAGE_ENDS, 0), INT64_MAX);
    assert_true(daemon_storage_is_through(&world.storage, NULL));
    assert_non_null(strstr(daemon_storage_volatile_reason(&world.storage), "Mode=volatile"));
}

static void test_a_directory_in_memory_is_the_reason_why_nothing_is_stored(void **state)
{
    (void)state;
    open_good();
    assert_null(daemon_storage_volatile_reason(&world.storage));
    fake.is_in_memory = true;
    assert_non_null(strstr(daemon_storage_volatile_reason(&world.storage), "memory"));
}

static void test_a_start_that_ended_before_the_disk_was_opened_leaves_nothing_to_wait_for(
    void **state)
{
    (void)state;
    fake.is_busy = true; /* of somebody else's store */
    assert_false(daemon_storage_is_busy(&world.storage));
    (void)daemon_storage_close(&world.storage);
    open_storage("durable");
    assert_true(daemon_storage_is_busy(&world.storage));
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

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
