/* The library as an application sees it: answers, lost connections, daemons that misbehave. */
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_levels_are_told_once_and_rising(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(fluxaws_set_int64(f->client, "n", i), 0);
    assert_int_equal(fluxaws_count_waiting(f->client), 3);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 3, 0);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 2, 3, 0);
    fake_answer(&f->daemon, FLUX_LEVEL_ACCEPTED, 1, 2, 17);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 3, 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 2);
    client_fixture_expect_answer(f, 0, 1, 3, FLUXAWS_QUEUED);
    client_fixture_expect_answer(f, 1, 1, 2, FLUXAWS_ACCEPTED);
    assert_int_equal(f->answers[1].version, 17);
    assert_int_equal(fluxaws_count_waiting(f->client), 1);
    fake_reject(&f->daemon, 3, 3, 413, "/n", "too large");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[2].rejected);
    assert_int_equal(f->answers[2].code, 413);
    assert_string_equal(f->texts[2], "/n: too large");
    assert_int_equal(fluxaws_count_waiting(f->client), 0);
}

static void test_answers_beyond_what_was_sent_are_not_believed(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, UINT64_MAX, 0);
    fake_safe(&f->daemon, UINT64_MAX);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_count_waiting(f->client), 1);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_string_equal(report.operations[0], "/n=1");
}

static void test_what_is_not_safe_is_sent_again_in_order(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, FLUX_WELCOME_DURABLE);
    assert_int_equal(fluxaws_set_int64(f->client, "safe", 1), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a.old", 2), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "b", 3), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a", 4), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a.new", 5), 0);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 5, 0);
    fake_safe(&f->daemon, 1);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, FLUX_WELCOME_DURABLE);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 3);
    assert_true(report.head.resent);
    assert_true(report.head.set_us > 0);
    assert_string_equal(report.operations[0], "/b=3");
    int64_t first_us = report.head.set_us;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 5);
    assert_true(report.head.resent);
    assert_true(report.head.set_us >= first_us);
    assert_int_equal(report.count, 2);
    assert_string_equal(report.operations[0], "/a!");
    assert_string_equal(report.operations[1], "/a/new=5");
    assert_int_equal(fluxaws_set_int64(f->client, "b", 6), 0);
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 6);
    assert_false(report.head.resent);
}

static void test_a_resend_answers_the_reports_it_replaced(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "y", 2), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 3), 0);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 2);
    assert_int_equal(report.head.level, FLUX_LEVEL_ACCEPTED);
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 3);
    /* Report 2 travels by itself; report 1 lives on in report 3. */
    fake_answer(&f->daemon, FLUX_LEVEL_ACCEPTED, 2, 2, 9);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    client_fixture_expect_answer(f, 0, 2, 2, FLUXAWS_ACCEPTED);
    fake_answer(&f->daemon, FLUX_LEVEL_ACCEPTED, 3, 3, 10);
    (void)fluxaws_dispatch(f->client, 0);
    assert_int_equal(f->answer_count, 3);
    client_fixture_expect_answer(f, 1, 1, 1, FLUXAWS_ACCEPTED);
    client_fixture_expect_answer(f, 2, 3, 3, FLUXAWS_ACCEPTED);
    assert_int_equal(f->answers[1].version, 10);
    assert_int_equal(fluxaws_count_waiting(f->client), 0);
}

static void test_a_refused_resend_refuses_what_it_replaced(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 2), 0);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 2);
    fake_reject(&f->daemon, 2, 2, 400, "/x", "no");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 2);
    assert_true(f->answers[0].rejected && f->answers[1].rejected);
    assert_int_equal(f->answers[1].first_id, 1);
    assert_int_equal(fluxaws_count_waiting(f->client), 0);
}

static void test_reports_waiting_for_more_than_safe_are_sent_again(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, FLUX_WELCOME_DURABLE);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    fake_answer(&f->daemon, FLUX_LEVEL_STORED, 1, 1, 0);
    fake_safe(&f->daemon, 1);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, FLUX_WELCOME_DURABLE);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 1);
    fake_answer(&f->daemon, FLUX_LEVEL_ACCEPTED, 1, 1, 4);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    client_fixture_expect_answer(f, 1, 1, 1, FLUXAWS_ACCEPTED);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, FLUX_WELCOME_DURABLE);
    (void)fluxaws_dispatch(f->client, 0);
    struct flux_frame frame;
    assert_false(fake_next(&f->daemon, &frame));
}

static void test_a_report_refused_whole_is_not_sent_again(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "kept", 1), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "too.deep", 2), 0);
    assert_int_equal(fluxaws_report_json(f->client, "{\"lives\":3,\"refused\":3}"), 0);
    fake_reject(&f->daemon, 2, 2, 400, "/too/deep", "too deep");
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 3, 0);
    fake_reject(&f->daemon, 3, 3, 400, "/refused", "by the service");
    assert_true(fluxaws_dispatch(f->client, 0) > 0);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_string_equal(report.operations[0], "/kept=1");
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 3);
    assert_int_equal(report.count, 2);
}

static void test_a_report_rejected_before_it_was_sent_is_sent(void **state)
{
    struct client_fixture *f = *state;
    uint64_t open_id = 0;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0); /* waits for OPENED */
    f->daemon.shadow = fake_expect_open(&f->daemon, "", "config", &open_id);
    const uint64_t id = fluxaws_last_report_id(f->client);
    fake_reject(&f->daemon, id, id, 400, "/x", "not that it was asked");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    fake_opened(&f->daemon, f->daemon.shadow, open_id);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_string_equal(report.operations[0], "/x=1");
}

static void test_reports_made_while_away_carry_their_time(void **state)
{
    struct client_fixture *f = *state;
    fake_close_listener(&f->daemon);
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 2), 0);
    fake_listen(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 2);
    assert_true(report.head.resent);
    assert_string_equal(report.operations[0], "/x=2");
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 2, 2, 0);
    (void)fluxaws_dispatch(f->client, 0);
    assert_int_equal(fluxaws_count_waiting(f->client), 0);
}

static void test_garbage_ends_the_connection_and_nothing_else(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    fake_send(&f->daemon, "{\"hello\":1}\n", 12);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), -EPROTO);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_true(report.head.resent);
    static const uint8_t endless[8] = {0x43, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f};
    fake_send(&f->daemon, endless, sizeof(endless));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), -EPROTO);
}

static void test_unknown_messages_are_skipped_if_they_may_be(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    static const uint8_t ignorable[9] = {0x6f, 0x80, 0, 0, 1, 0, 0, 0, 42};
    fake_send(&f->daemon, ignorable, sizeof(ignorable));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), 1);
    static const uint8_t strange[8] = {0x6f, 0, 0, 0, 0, 0, 0, 0};
    fake_send(&f->daemon, strange, sizeof(strange));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), -EPROTO);
}

static void test_goodbye_says_why(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open(f, 0);
    assert_true(fake_accept(&f->daemon));
    fake_goodbye(&f->daemon, FLUX_GOODBYE_VERSION, "speak version 9");
    fake_hang_up(&f->daemon);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), -EPROTONOSUPPORT);
    assert_non_null(strstr(fluxaws_error_text(f->client), "speak version 9"));
    client_fixture_accept_again(f);
    fake_goodbye(&f->daemon, FLUX_GOODBYE_DENIED, "not you");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), -EACCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_levels_are_told_once_and_rising),
        TEST(test_answers_beyond_what_was_sent_are_not_believed),
        TEST(test_what_is_not_safe_is_sent_again_in_order),
        TEST(test_a_resend_answers_the_reports_it_replaced),
        TEST(test_a_refused_resend_refuses_what_it_replaced),
        TEST(test_reports_waiting_for_more_than_safe_are_sent_again),
        TEST(test_a_report_refused_whole_is_not_sent_again),
        TEST(test_a_report_rejected_before_it_was_sent_is_sent),
        TEST(test_reports_made_while_away_carry_their_time),
        TEST(test_garbage_ends_the_connection_and_nothing_else),
        TEST(test_unknown_messages_are_skipped_if_they_may_be),
        TEST(test_goodbye_says_why),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
