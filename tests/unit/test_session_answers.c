#include "tests/unit/talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_queued_is_answered_once_per_batch(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 3; id++)
        say_report(talk, id, FLUX_LEVEL_QUEUED, "/a", (int64_t)id);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-3 @0\n");
    assert_string_equal(fake_last_report(), "resent=0 us=1000000 set /a=3");
}

static void test_accepted_comes_when_all_of_a_report_is(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_report report = {.request_id = 4, .level = FLUX_LEVEL_ACCEPTED};
    struct flux_report_encoder encoder;
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    const struct flux_value value = flux_value_bool(true);
    assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &value), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/b", 2), 0);
    flux_report_end(&encoder);
    talk_on(talk, SIZE_MAX);
    assert_string_equal(fake_last_report(), "resent=0 us=1000000 set /a unset /b");
    assert_heard(talk, "queued 4-4 @0\n");
    fake_accept("/a", 7);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    fake_accept("/b", 6);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 4-4 @7\n");
    assert_int_equal(fake_pins(), 0);
}

static void test_answers_at_one_version_are_told_together(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 5; id++)
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, id == 3 ? "/slow" : "/fast", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-5 @0\n");
    fake_accept("/fast", 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 1-2 @2\naccepted 4-5 @2\n");
    fake_accept("/slow", 3);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 3-3 @3\n");
}

static void test_value_known_to_the_cloud_is_accepted_at_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_accept_ahead("/a", 5);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    say_report(talk, 3, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-3 @0\naccepted 1-1 @5\n");
    assert_int_equal(fake_pins(), 1);
}

static void test_refusal_names_the_property(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    fake_refuse("/b", 413, "too large");
    fake_accept("/a", 2);
    talk_on(talk, SIZE_MAX);
    /* Each frame is sent once, whatever the order of the decisions. */
    assert_non_null(strstr(talk->heard, "accepted 1-1 @2\n"));
    assert_non_null(strstr(talk->heard, "rejected 2-2 413 /b too large\n"));
    assert_int_equal(fake_pins(), 0);
}

static void test_refusal_reaches_a_report_that_asked_for_queued(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 100; id++)
        say_report(talk, id, FLUX_LEVEL_QUEUED, id % 2 ? "/odd" : "/even", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-100 @0\n");
    assert_int_equal(fake_pins(), 2); /* one per property, not one per report */
    fake_refuse("/odd", 400, "no");
    fake_accept("/even", 3);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 99-99 400 /odd no\n");
    assert_int_equal(fake_pins(), 0);
}

static void test_refusals_among_many_properties_name_the_right_reports(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    char path[16];
    for (uint64_t id = 1; id <= 1000; id++) { /* each property twice */
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)(id % 500));
        say_report(talk, id, FLUX_LEVEL_QUEUED, path, 1);
    }
    talk_on(talk, SIZE_MAX);
    assert_int_equal(fake_pins(), 500);
    for (unsigned i = 0; i < 500; i += 2) {
        (void)snprintf(path, sizeof(path), "/p%u", i);
        fake_accept(path, 3);
    }
    talk_on(talk, SIZE_MAX);
    assert_int_equal(fake_pins(), 250);
    say_report(talk, 1001, FLUX_LEVEL_QUEUED, "/p7", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    fake_refuse("/p7", 400, "no");
    fake_refuse("/p9", 400, "no");
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "rejected 1001-1001 400 /p7 no\n"));
    assert_non_null(strstr(talk->heard, "rejected 509-509 400 /p9 no\n"));
    assert_int_equal(fake_pins(), 248);
}

static void test_local_refusal_is_told_at_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    fake_refuse_next(400, "/a/b", "too deep");
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/a/b", 1);
    say_report(talk, 3, FLUX_LEVEL_ACCEPTED, "/c", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 2-2 400 /a/b too deep\nqueued 3-3 @0\n");
}

static void test_value_refused_before_is_refused_again(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_refuse_ahead("/a", 400, "no");
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\nrejected 1-1 400 /a no\n");
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 2-2 @0\nrejected 2-2 400 /a no\n");
}

static void test_stored_is_refused_where_nothing_is_stored(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "rejected 1-1 95 "));
    assert_non_null(strstr(talk->heard, "volatile"));
    assert_string_equal(fake_last_report(), "");
}

static void test_stored_comes_with_the_disk(void **state)
{
    struct talk *talk = *state;
    talk->host.durable = true;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    say_report(talk, 2, FLUX_LEVEL_STORED, "/a", 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\nqueued 2-2 @0\n");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 1-1 @0\nsafe 1\n");
    fake_settle(2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 2-2 @0\nsafe 2\n");
}

static void test_the_reason_why_nothing_is_stored_is_given(void **state)
{
    struct talk *talk = *state;
    talk->host.volatile_reason = "the directory forgets";
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 1-1 95  the directory forgets\n");
}

static void test_only_who_waits_for_the_disk_asks_for_a_commit(void **state)
{
    struct talk *talk = *state;
    talk->host.durable = true;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(fake_asked(), 0);
    say_report(talk, 3, FLUX_LEVEL_STORED, "/c", 1);
    say_report(talk, 4, FLUX_LEVEL_QUEUED, "/d", 1);
    talk_on(talk, SIZE_MAX);
    assert_in_range(fake_asked(), 3, 4);
    say_report(talk, 5, FLUX_LEVEL_QUEUED, "/e", 1);
    talk_on(talk, SIZE_MAX);
    assert_in_range(fake_asked(), 3, 4);
    fake_settle(5);
    talk_on(talk, SIZE_MAX); /* nothing is left to be pinned */
}

static void test_what_waits_for_the_disk_asks_again_when_marks_run_out(void **state)
{
    struct talk *talk = *state;
    talk->host.durable = true;
    greet(talk);
    for (uint64_t id = 1; id <= 100; id++) {
        say_report(talk, id, id == 70 ? FLUX_LEVEL_STORED : FLUX_LEVEL_QUEUED, "/a", 1);
        talk_on(talk, SIZE_MAX);
    }
    assert_int_equal(fake_asked(), 100);
    talk->heard[0] = '\0';
    fake_settle(99);
    talk_on(talk, SIZE_MAX);
    unsigned long long stored = 0;
    assert_int_equal(sscanf(talk->heard, "stored 1-%llu", &stored), 1);
    assert_in_range(stored, 60, 69); /* 70 may be said with 100 only */
    talk->heard[0] = '\0';
    fake_settle(100);
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "-100 @0\nsafe 100\n"));
}

static void test_safe_follows_the_settled_revision(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    say_report(talk, 5, FLUX_LEVEL_QUEUED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 1\n");
    fake_settle(2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 5\n");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
}

static void test_safe_is_never_early_when_marks_run_out(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 200; id++) {
        say_report(talk, id, FLUX_LEVEL_QUEUED, "/a", 1);
        talk_on(talk, SIZE_MAX);
    }
    talk->heard[0] = '\0';
    fake_settle(150);
    talk_on(talk, SIZE_MAX);
    unsigned long long safe = 0;
    assert_int_equal(sscanf(talk->heard, "safe %llu", &safe), 1);
    assert_in_range(safe, 60, 150);
    talk->heard[0] = '\0';
    fake_settle(200);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 200\n");
}

static void test_resent_carries_its_time_but_never_one_ahead(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    static const struct {
        int64_t set_us;
        const char *line;
    } cases[] = {{400, "resent=1 us=400 set /a=1"}, {NOW_US * 2, "resent=1 us=1000000 set /a=1"}};
    for (uint64_t i = 0; i < 2; i++) {
        const struct flux_report report = {.request_id = i + 1,
                                           .level = FLUX_LEVEL_QUEUED,
                                           .resent = true,
                                           .set_us = cases[i].set_us};
        struct flux_report_encoder encoder;
        assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
        const struct flux_value value = flux_value_int64(1);
        assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &value), 0);
        flux_report_end(&encoder);
        talk_on(talk, SIZE_MAX);
        assert_string_equal(fake_last_report(), cases[i].line);
    }
}

static void test_waiting_is_bounded_and_neighbours_share(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    char path[16];
    for (uint64_t id = 1; id <= 3000; id++) {
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)(id % 1500));
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, path, 1);
        talk_on(talk, SIZE_MAX);
    }
    talk->heard[0] = '\0';
    struct session_info info;
    session_get_info(talk->session, &info);
    assert_int_equal(info.waiting, WAITS_ENTRIES_MAX);
    assert_in_range(fake_pins(), 1, 3000);

    /* What shares an entry is answered when all of it is accepted, not before. */
    for (unsigned i = 0; i < 1499; i++) {
        (void)snprintf(path, sizeof(path), "/p%u", i);
        fake_accept(path, 5);
    }
    talk_on(talk, SIZE_MAX);
    assert_string_equal(talk->heard, "accepted 1-1023 @5\n");
    talk->heard[0] = '\0';
    fake_accept("/p1499", 6);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 1024-3000 @6\n");
    assert_int_equal(fake_pins(), 0);
}

static void test_refusal_in_a_shared_entry_covers_the_range(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    char path[16];
    for (uint64_t id = 1; id <= 1030; id++) {
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)id);
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, path, 1);
        talk_on(talk, SIZE_MAX);
    }
    talk->heard[0] = '\0';
    fake_refuse("/p1027", 413, "too large");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 1024-1030 413 /p1027 too large\n");
}

static void test_too_many_values_to_wait_for_are_refused(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    uint64_t id = 0;
    for (unsigned i = 0; i < 9; i++) {
        const struct flux_report report = {.request_id = ++id, .level = FLUX_LEVEL_ACCEPTED};
        struct flux_report_encoder encoder;
        assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
        const struct flux_value value = flux_value_bool(true);
        for (unsigned j = 0; j < 1000; j++) {
            char path[16];
            (void)snprintf(path, sizeof(path), "/p%u", j);
            assert_int_equal(flux_report_add_set(&encoder, path, strlen(path), &value), 0);
        }
        flux_report_end(&encoder);
        talk_on(talk, SIZE_MAX);
    }
    assert_non_null(strstr(talk->heard, "rejected 9-9 105 "));
    assert_int_equal(fake_pins(), 8000);
}

static void test_others_leave_everyone_some_room_to_wait(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    talk->host.waits.pair_count += WAITS_PAIRS_TOTAL_MAX; /* as if others held all there is */
    char path[16];
    for (uint64_t id = 1; id <= WAITS_PAIRS_ASSURED + 1; id++) {
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)id);
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, path, 1);
    }
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "rejected 257-257 105 "));
    assert_non_null(strstr(talk->heard, "queued 1-256 @0\n"));
    talk->host.waits.pair_count -= WAITS_PAIRS_TOTAL_MAX;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_queued_is_answered_once_per_batch),
        SESSION_TEST(test_accepted_comes_when_all_of_a_report_is),
        SESSION_TEST(test_answers_at_one_version_are_told_together),
        SESSION_TEST(test_value_known_to_the_cloud_is_accepted_at_once),
        SESSION_TEST(test_refusal_names_the_property),
        SESSION_TEST(test_refusal_reaches_a_report_that_asked_for_queued),
        SESSION_TEST(test_refusals_among_many_properties_name_the_right_reports),
        SESSION_TEST(test_local_refusal_is_told_at_once),
        SESSION_TEST(test_value_refused_before_is_refused_again),
        SESSION_TEST(test_stored_is_refused_where_nothing_is_stored),
        SESSION_TEST(test_stored_comes_with_the_disk),
        SESSION_TEST(test_the_reason_why_nothing_is_stored_is_given),
        SESSION_TEST(test_only_who_waits_for_the_disk_asks_for_a_commit),
        SESSION_TEST(test_what_waits_for_the_disk_asks_again_when_marks_run_out),
        SESSION_TEST(test_safe_follows_the_settled_revision),
        SESSION_TEST(test_safe_is_never_early_when_marks_run_out),
        SESSION_TEST(test_resent_carries_its_time_but_never_one_ahead),
        SESSION_TEST(test_waiting_is_bounded_and_neighbours_share),
        SESSION_TEST(test_refusal_in_a_shared_entry_covers_the_range),
        SESSION_TEST(test_too_many_values_to_wait_for_are_refused),
        SESSION_TEST(test_others_leave_everyone_some_room_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
