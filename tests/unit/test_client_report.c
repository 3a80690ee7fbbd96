/* The library as an application sees it: reports, and a daemon that does not keep up. */
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_open_succeeds_without_a_daemon(void **state)
{
    struct client_fixture *f = *state;
    fake_close_listener(&f->daemon);
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_is_connected(f->client), -ECONNREFUSED);
    assert_int_equal(fluxaws_set_bool(f->client, "on", true), 0);
    int timeout_ms = fluxaws_get_timeout_ms(f->client);
    assert_in_range(timeout_ms, 0, 100);
}

static void test_required_daemon_is_told_when_missing(void **state)
{
    struct client_fixture *f = *state;
    fake_close_listener(&f->daemon);
    struct fluxaws_options options = {
        .size = sizeof(options), .socket_path = f->daemon.path, .require_daemon = true};
    assert_int_equal(fluxaws_open(&f->client, &options), -ECONNREFUSED);
    options.socket_path = "/nonexistent/socket";
    assert_int_equal(fluxaws_open(&f->client, &options), -ENOENT);
    char longer[256];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    options.socket_path = longer;
    assert_int_equal(fluxaws_open(&f->client, &options), -ENAMETOOLONG);
    assert_null(f->client);
}

static void await_call(struct fake_daemon *daemon)
{
    while (!fake_accept(daemon)) {
        struct pollfd poll_fd = {.fd = daemon->listen_fd, .events = POLLIN};
        (void)poll(&poll_fd, 1, 1000);
    }
    struct pollfd poll_fd = {.fd = daemon->socket_fd, .events = POLLIN};
    (void)poll(&poll_fd, 1, 1000);
}

/* One just ends, the next says so, the third greets. */
static void play_restarts(struct fake_daemon *daemon)
{
    await_call(daemon);
    fake_hang_up(daemon);
    await_call(daemon);
    fake_goodbye(daemon, FLUX_GOODBYE_STOPPING, "stopping");
    fake_hang_up(daemon);
    await_call(daemon);
    fake_greet(daemon, 0);
}

static void test_required_daemon_may_be_restarted_before_it_greets(void **state)
{
    struct client_fixture *f = *state;
    struct fluxaws_options options = {
        .size = sizeof(options), .socket_path = f->daemon.path, .require_daemon = true};
    struct client_helper helper;
    client_start_helper(&helper, f, play_restarts);
    assert_int_equal(fluxaws_open(&f->client, &options), 0);
    client_finish_helper(&helper);
    assert_int_equal(fluxaws_is_connected(f->client), 1);
}

static void play_refusal(struct fake_daemon *daemon)
{
    await_call(daemon);
    fake_goodbye(daemon, FLUX_GOODBYE_DENIED, "not you");
}

static void test_required_daemon_that_refuses_is_not_asked_again(void **state)
{
    struct client_fixture *f = *state;
    struct fluxaws_options options = {
        .size = sizeof(options), .socket_path = f->daemon.path, .require_daemon = true};
    struct client_helper helper;
    client_start_helper(&helper, f, play_refusal);
    assert_int_equal(fluxaws_open(&f->client, &options), -EACCES);
    client_finish_helper(&helper);
}

static void test_set_goes_out_at_once_even_before_the_welcome(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_set_double(f->client, "battery.level", 81.5), 0);
    assert_int_equal(fluxaws_last_report_id(f->client), 1);
    assert_true(fake_accept(&f->daemon));
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 1);
    assert_false(report.head.resent);
    assert_int_equal(report.head.level, FLUX_LEVEL_QUEUED);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.operations[0], "/battery/level=81.5");
}

static void test_every_kind_of_value_travels(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_report_begin(f->client), -EALREADY);
    assert_int_equal(fluxaws_set_int64(f->client, "i", INT64_MIN), 0);
    assert_int_equal(fluxaws_set_bool(f->client, "b", false), 0);
    assert_int_equal(fluxaws_set_string(f->client, "/s~1t", "grün"), 0);
    assert_int_equal(fluxaws_set_json(f->client, "o", "{\"x\":[1, 2.50],\"y\":null,\"z\":{}}"), 0);
    assert_int_equal(fluxaws_unset(f->client, "gone"), 0);
    assert_int_equal(fluxaws_report_json(f->client, " {\"p\":{\"q\":1}} "), 0);
    assert_int_equal(fluxaws_report_send(f->client), 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    static const char *const expected[] = {"/i=-9223372036854775808",
                                           "/b=false",
                                           "/s~1t=\"grün\"",
                                           "/o/x=[1,2.5]",
                                           "/o/y!",
                                           "/o/z={}",
                                           "/gone!",
                                           "/p/q=1"};
    assert_int_equal(report.count, 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(report.operations[i], expected[i]);
}

static void test_bad_values_are_refused_with_their_reason(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_double(f->client, "x", (double)NAN), -EDOM);
    assert_int_equal(fluxaws_set_double(f->client, "x", (double)INFINITY), -EDOM);
    assert_int_equal(fluxaws_set_string(f->client, "x", "\xff"), -EILSEQ);
    assert_int_equal(fluxaws_set_string(f->client, "x", NULL), -EINVAL);
    assert_int_equal(fluxaws_set_int64(f->client, "a..b", 1), -EINVAL);
    assert_non_null(strstr(fluxaws_error_text(f->client), "a..b"));
    assert_int_equal(fluxaws_set_int64(f->client, "", 1), -EINVAL);
    assert_int_equal(fluxaws_set_int64(f->client, NULL, 1), -EINVAL);
    assert_int_equal(fluxaws_set_json(f->client, "x", "{\"a\":"), -EINVAL);
    assert_int_equal(fluxaws_set_json(f->client, "x", "[null]"), -EINVAL);
    assert_int_equal(fluxaws_set_json(f->client, "x", "\"\xc3\""), -EILSEQ);
    assert_int_equal(fluxaws_report_json(f->client, "[]"), -EINVAL);
    assert_int_equal(fluxaws_report_json(f->client, "{} {}"), -EINVAL);
    char path[1100];
    memset(path, 'k', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(fluxaws_unset(f->client, path), -ENAMETOOLONG);
    char *large = malloc(70001);
    assert_non_null(large);
    memset(large, 'v', 70000);
    large[70000] = '\0';
    assert_int_equal(fluxaws_set_string(f->client, "x", large), -E2BIG);
    free(large);
    assert_int_equal(fluxaws_report_json(f->client, "{}"), 0);
    assert_int_equal(fluxaws_last_report_id(f->client), 0);
    struct flux_frame frame;
    assert_false(fake_next(&f->daemon, &frame));
}

static void test_a_failed_call_spoils_the_collected_report(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a", 1), 0);
    assert_int_equal(fluxaws_set_double(f->client, "b", (double)NAN), -EDOM);
    assert_int_equal(fluxaws_set_int64(f->client, "c", 1), 0);
    assert_int_equal(fluxaws_report_send(f->client), -EDOM);
    assert_int_equal(fluxaws_report_send(f->client), -EINVAL);
    struct flux_frame frame;
    assert_false(fake_next(&f->daemon, &frame));
    assert_int_equal(fluxaws_set_int64(f->client, "c", 1), 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.count, 1);
}

/* Whether it goes out at once or waits: a report that contradicts itself is refused, not merged. */
static void test_a_contradiction_is_not_merged_away(void **state)
{
    struct client_fixture *f = *state;
    fake_close_listener(&f->daemon);
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a", 1), 0);
    assert_int_equal(fluxaws_report_json(f->client, "{\"a\":2,\"x\":3}"), 0);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a.b", 4), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "y", 5), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a", 6), 0);
    assert_int_equal(fluxaws_report_send(f->client), 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[0].rejected);
    assert_int_equal(f->answers[0].first_id, 3);
    assert_int_equal(f->answers[0].code, 400);
    assert_string_equal(
        f->texts[0],
        "/a/b: /a and /a/b exclude each other: one is a value, the other lies below it");
    /* An unset between the two resolves it, and {} is no value. */
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a", 7), 0);
    assert_int_equal(fluxaws_unset(f->client, "a"), 0);
    assert_int_equal(fluxaws_set_json(f->client, "a", "{}"), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a.c", 8), 0);
    assert_int_equal(fluxaws_report_send(f->client), 0);
    fake_listen(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 2);
    assert_string_equal(report.operations[0], "/x=3");
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 4);
    assert_string_equal(report.operations[report.count - 1], "/a/c=8");
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_a_daemon_that_does_not_read_gets_the_newest_values(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    char path[32];
    const int64_t total = 40000;
    for (int64_t i = 0; i < total; i++) {
        (void)snprintf(path, sizeof(path), "p%d", (int)(i % 50));
        assert_int_equal(fluxaws_set_int64(f->client, path, i), 0);
    }
    int64_t newest[50] = {0};
    uint64_t last_id = 0;
    size_t frames = 0;
    for (int turns = 0; last_id < (uint64_t)total; turns++) {
        assert_true(turns < 10000);
        struct flux_frame frame;
        while (fake_next(&f->daemon, &frame)) {
            struct flux_report report;
            struct flux_wire_reader operations;
            struct flux_change change;
            assert_int_equal(flux_report_decode(&frame, &report, &operations), 0);
            assert_int_equal(flux_report_next(&operations, &change), 1);
            assert_true(report.request_id > last_id);
            assert_false(report.resent);
            last_id = report.request_id;
            (void)snprintf(path, sizeof(path), "%.*s", (int)change.path_size, change.path);
            newest[strtol(path + 2, NULL, 10) % 50] = change.value.int64;
            frames++;
        }
        assert_true(fluxaws_dispatch(f->client, 0) >= 0);
    }
    for (int i = 0; i < 50; i++)
        assert_int_equal(newest[i], total - 50 + i);
    assert_true(frames < (size_t)total);
    assert_int_equal(fluxaws_count_waiting(f->client), total);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, last_id, 0);
    assert_true(fluxaws_dispatch(f->client, 0) > 0);
    assert_int_equal(fluxaws_count_waiting(f->client), 0);
}

static void test_a_full_backlog_keeps_nothing_of_the_report(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open(f, 4096);
    assert_true(fake_accept(&f->daemon));
    fake_greet(&f->daemon, 0);
    char path[32];
    int r = 0, count = 0;
    for (; count < 1000 && r == 0; count++) {
        (void)snprintf(path, sizeof(path), "key%d", count);
        r = fluxaws_set_string(f->client, path, "some text of a certain length");
    }
    assert_int_equal(r, -ENOBUFS);
    assert_true(count > 5);
    uint64_t taken = fluxaws_last_report_id(f->client);
    assert_int_equal(fluxaws_report_json(f->client, "{\"key0\":1,\"other\":2,\"third\":3}"),
                     -ENOBUFS);
    assert_int_equal(fluxaws_last_report_id(f->client), taken);
    /* A value that is there already may change. */
    assert_int_equal(fluxaws_set_int64(f->client, "key1", 1), 0);
    taken = fluxaws_last_report_id(f->client);
    struct fake_report report;
    do {
        fake_expect_report(&f->daemon, &report);
        assert_string_not_equal(report.operations[0], "/key0=1");
    } while (report.head.request_id < taken);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, taken, 0);
    fake_safe(&f->daemon, taken);
    (void)fluxaws_dispatch(f->client, 0);
    assert_int_equal(fluxaws_report_json(f->client, "{\"key0\":1,\"other\":2,\"third\":3}"), 0);
}

static void test_a_smaller_frame_limit_rejects_what_no_longer_fits(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    char large[6001];
    memset(large, 'v', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    assert_int_equal(fluxaws_set_string(f->client, "large", large), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "small", 1), 0);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet_with_limit(&f->daemon, 0, 4096);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[0].rejected);
    assert_int_equal(f->answers[0].first_id, 1);
    assert_int_equal(f->answers[0].code, EMSGSIZE);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_string_equal(report.operations[0], "/small=1");
    assert_int_equal(fluxaws_set_string(f->client, "large", large), -E2BIG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_open_succeeds_without_a_daemon),
        TEST(test_required_daemon_is_told_when_missing),
        TEST(test_required_daemon_may_be_restarted_before_it_greets),
        TEST(test_required_daemon_that_refuses_is_not_asked_again),
        TEST(test_set_goes_out_at_once_even_before_the_welcome),
        TEST(test_every_kind_of_value_travels),
        TEST(test_bad_values_are_refused_with_their_reason),
        TEST(test_a_failed_call_spoils_the_collected_report),
        TEST(test_a_contradiction_is_not_merged_away),
        TEST(test_a_daemon_that_does_not_read_gets_the_newest_values),
        TEST(test_a_full_backlog_keeps_nothing_of_the_report),
        TEST(test_a_smaller_frame_limit_rejects_what_no_longer_fits),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
