#include "daemon/storage/commit_schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define INTERVAL_MS 30000

static const struct commit_needs nothing = {.any = false};
static const struct commit_needs marks = {.any = true};
static const struct commit_needs reports = {.any = true, .reports = true};
static const struct commit_needs urgent = {.any = true, .reports = true, .now = true};
static const struct commit_needs load = {.load = true};

static struct commit_schedule make(void)
{
    struct commit_schedule schedule;
    commit_schedule_init(&schedule, INTERVAL_MS);
    return schedule;
}

static void begin(struct commit_schedule *schedule, const struct commit_needs *needs,
                  int64_t now_ms)
{
    assert_true(commit_schedule_is_due(schedule, needs, now_ms));
    commit_schedule_begin(schedule, needs, now_ms);
}

/* Ask at every deadline, as the loop does; returns when it is due first, INT64_MAX: never. */
static int64_t due_at(struct commit_schedule *schedule, const struct commit_needs *needs,
                      int64_t now_ms)
{
    for (unsigned i = 0; i < 100; i++) {
        if (commit_schedule_is_due(schedule, needs, now_ms))
            return now_ms;
        const int64_t next_ms = commit_schedule_deadline_ms(schedule, needs, now_ms);
        if (next_ms == INT64_MAX)
            return next_ms;
        assert_true(next_ms > now_ms); /* no deadline that spins */
        now_ms = next_ms;
    }
    fail();
    return 0;
}

static void test_an_update_or_a_report_that_waits_is_saved_at_once(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    assert_int_equal(due_at(&schedule, &urgent, 7), 7);
}

static void test_other_reports_wait_for_the_interval_from_the_first_one(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    assert_false(commit_schedule_is_due(&schedule, &reports, 1000));
    assert_int_equal(due_at(&schedule, &reports, 20000), 1000 + INTERVAL_MS);
}

static void test_marks_alone_never_cause_a_commit(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    assert_int_equal(due_at(&schedule, &marks, 0), INT64_MAX);
    assert_int_equal(due_at(&schedule, &nothing, 0), INT64_MAX);
}

static void test_chatter_costs_one_commit_an_interval(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    unsigned commits = 0;
    for (int64_t now_ms = 0; now_ms < 3600 * 1000; now_ms += 10) {
        if (!commit_schedule_is_due(&schedule, &reports, now_ms))
            continue;
        commit_schedule_begin(&schedule, &reports, now_ms);
        commit_schedule_end(&schedule, true, now_ms);
        commits++;
    }
    assert_in_range(commits, 3600 / 30 - 2, 3600 / 30);
}

static void test_what_an_update_saved_begins_the_interval_anew(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    assert_false(commit_schedule_is_due(&schedule, &reports, 0));
    begin(&schedule, &urgent, 29000);
    commit_schedule_end(&schedule, true, 29010);
    assert_false(commit_schedule_is_due(&schedule, &nothing, 29010));
    assert_false(commit_schedule_is_due(&schedule, &reports, 29500));
    assert_int_equal(due_at(&schedule, &reports, 30001), 29500 + INTERVAL_MS);
}

static void test_one_job_at_a_time(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    begin(&schedule, &urgent, 0);
    assert_false(commit_schedule_is_due(&schedule, &urgent, 1));
    assert_false(commit_schedule_is_due(&schedule, &load, 1));
    commit_schedule_end(&schedule, true, 5);
    assert_true(commit_schedule_is_due(&schedule, &urgent, 5));
}

static void test_a_commit_of_ten_seconds_is_trouble_until_it_ends(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    begin(&schedule, &urgent, 100);
    assert_int_equal(commit_schedule_trouble(&schedule, 100 + COMMIT_SLOW_MS - 1), COMMIT_GOOD);
    assert_int_equal(commit_schedule_deadline_ms(&schedule, &urgent, 200), 100 + COMMIT_SLOW_MS);
    assert_int_equal(commit_schedule_trouble(&schedule, 100 + COMMIT_SLOW_MS), COMMIT_SLOW);
    assert_int_equal(commit_schedule_deadline_ms(&schedule, &urgent, 100 + COMMIT_SLOW_MS),
                     INT64_MAX);
    commit_schedule_end(&schedule, true, 20000);
    assert_int_equal(commit_schedule_trouble(&schedule, 20000), COMMIT_GOOD);
}

static void test_after_a_failure_it_is_tried_again_ever_more_rarely(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    int64_t now_ms = 0;
    int64_t pause_ms = COMMIT_RETRY_MIN_MS;
    for (unsigned i = 0; i < 12; i++) {
        begin(&schedule, i == 0 ? &urgent : &marks, now_ms);
        commit_schedule_end(&schedule, false, now_ms);
        assert_int_equal(commit_schedule_trouble(&schedule, now_ms), COMMIT_FAILED);
        const int64_t next_ms = due_at(&schedule, i % 2 ? &urgent : &marks, now_ms);
        assert_int_equal(next_ms - now_ms, pause_ms);
        pause_ms = pause_ms * 2 < COMMIT_RETRY_MAX_MS ? pause_ms * 2 : COMMIT_RETRY_MAX_MS;
        now_ms = next_ms;
    }
    begin(&schedule, &marks, now_ms);
    assert_int_equal(commit_schedule_trouble(&schedule, now_ms), COMMIT_FAILED);
    commit_schedule_end(&schedule, true, now_ms);
    assert_int_equal(commit_schedule_trouble(&schedule, now_ms), COMMIT_GOOD);
    assert_int_equal(due_at(&schedule, &marks, now_ms), INT64_MAX);
    begin(&schedule, &urgent, now_ms);
    commit_schedule_end(&schedule, false, now_ms);
    assert_int_equal(due_at(&schedule, &urgent, now_ms), now_ms + COMMIT_RETRY_MIN_MS);
}

static void test_a_load_comes_first_and_is_tried_again(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    begin(&schedule, &load, 0);
    commit_schedule_end(&schedule, false, 0);
    assert_int_equal(due_at(&schedule, &load, 0), COMMIT_RETRY_MIN_MS);
    begin(&schedule, &load, COMMIT_RETRY_MIN_MS);
    commit_schedule_end(&schedule, true, COMMIT_RETRY_MIN_MS);
    assert_int_equal(due_at(&schedule, &nothing, COMMIT_RETRY_MIN_MS), INT64_MAX);
}

static void test_the_end_of_the_daemon_saves_marks_too_and_does_not_wait_once(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    const struct commit_needs stop = {.any = true, .stop = true};
    assert_true(commit_schedule_is_due(&schedule, &stop, 0));
    begin(&schedule, &urgent, 0);
    commit_schedule_end(&schedule, false, 0);
    begin(&schedule, &stop, 10);
    commit_schedule_end(&schedule, false, 20);
    assert_int_equal(due_at(&schedule, &stop, 20), 20 + 2 * COMMIT_RETRY_MIN_MS);
    const struct commit_needs done = {.stop = true};
    assert_int_equal(due_at(&schedule, &done, 20), INT64_MAX);
}

static void test_an_interval_that_changes_counts_for_what_waits(void **state)
{
    (void)state;
    struct commit_schedule schedule = make();
    assert_false(commit_schedule_is_due(&schedule, &reports, 0));
    commit_schedule_set_interval(&schedule, 100);
    assert_int_equal(due_at(&schedule, &reports, 1), 100);
    commit_schedule_set_interval(&schedule, 0);
    assert_int_equal(due_at(&schedule, &reports, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_update_or_a_report_that_waits_is_saved_at_once),
        cmocka_unit_test(test_other_reports_wait_for_the_interval_from_the_first_one),
        cmocka_unit_test(test_marks_alone_never_cause_a_commit),
        cmocka_unit_test(test_chatter_costs_one_commit_an_interval),
        cmocka_unit_test(test_what_an_update_saved_begins_the_interval_anew),
        cmocka_unit_test(test_one_job_at_a_time),
        cmocka_unit_test(test_a_commit_of_ten_seconds_is_trouble_until_it_ends),
        cmocka_unit_test(test_after_a_failure_it_is_tried_again_ever_more_rarely),
        cmocka_unit_test(test_a_load_comes_first_and_is_tried_again),
        cmocka_unit_test(test_the_end_of_the_daemon_saves_marks_too_and_does_not_wait_once),
        cmocka_unit_test(test_an_interval_that_changes_counts_for_what_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
