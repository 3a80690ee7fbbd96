/* The library as an application sees it: questions that block, callbacks and event loops. */
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static uint64_t await_flush(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_FLUSH);
    struct flux_flush flush;
    (void)flux_flush_decode(&frame, &flush);
    return flush.request_id;
}

static void play_done(struct fake_daemon *daemon)
{
    fake_done(daemon, await_flush(daemon));
}

static void play_reject_then_done(struct fake_daemon *daemon)
{
    uint64_t id = await_flush(daemon);
    fake_reject(daemon, 1, 1, 413, "/x", "too large");
    fake_done(daemon, id);
}

static void play_restart_then_done(struct fake_daemon *daemon)
{
    (void)await_flush(daemon);
    fake_hang_up(daemon);
    while (!fake_accept(daemon)) {
        struct pollfd poll_fd = {.fd = daemon->listen_fd, .events = POLLIN};
        (void)poll(&poll_fd, 1, 1000);
    }
    struct pollfd poll_fd = {.fd = daemon->socket_fd, .events = POLLIN};
    (void)poll(&poll_fd, 1, 1000);
    fake_greet(daemon, 0);
    fake_done(daemon, await_flush(daemon));
}

static void play_get(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_GET);
    struct flux_get get;
    (void)flux_get_decode(&frame, &get);
    fake_data(daemon, get.request_id - 1, false, "late answer to another");
    fake_data(daemon, get.request_id, true, "{\"a\":");
    fake_data(daemon, get.request_id, false, "1}");
}

static void play_status_failed(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_STATUS);
    struct flux_status_request status;
    (void)flux_status_request_decode(&frame, &status);
    fake_failed(daemon, status.request_id, EACCES, "not allowed");
}

static void play_lost_get(struct fake_daemon *daemon)
{
    (void)client_await_frame(daemon, FLUX_MESSAGE_GET);
    fake_hang_up(daemon);
}

static void test_an_absent_daemon_is_named(void **state)
{
    (void)state;
    static const char path[] = "/nonexistent/fluxawsd.sock";
    struct fluxaws_options options = {.size = sizeof(options), .socket_path = path};
    struct fluxaws_client *client = NULL;
    assert_int_equal(fluxaws_open(&client, &options), 0);
    assert_int_equal(fluxaws_set_bool(client, "x", true), 0);
    assert_int_equal(fluxaws_flush(client, FLUXAWS_ACCEPTED, 0), -ETIMEDOUT);
    assert_non_null(strstr(fluxaws_error_text(client), path));
    assert_non_null(strstr(fluxaws_error_text(client), fluxaws_strerror(-ENOENT)));
    client = fluxaws_close(client);
    assert_null(client);
}

static void test_flush_waits_for_done(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_ACCEPTED, 0), -ETIMEDOUT);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    uint64_t late_id = await_flush(&f->daemon);
    assert_int_equal(late_id, 2);
    fake_done(&f->daemon, late_id);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_ACCEPTED, 20), -ETIMEDOUT);
    (void)await_flush(&f->daemon);
    struct client_helper helper;
    client_start_helper(&helper, f, play_done);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_QUEUED, 5000), 0);
    client_finish_helper(&helper);
}

static void test_flush_tells_a_rejection_once(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_reject_then_done);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_ACCEPTED, 5000), -EREMOTEIO);
    client_finish_helper(&helper);
    assert_non_null(strstr(fluxaws_error_text(f->client), "too large"));
    assert_int_equal(f->answer_count, 1);
    client_start_helper(&helper, f, play_done);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_ACCEPTED, 5000), 0);
    client_finish_helper(&helper);
}

static void test_flush_outlives_the_daemon(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_restart_then_done);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_ACCEPTED, 8000), 0);
    client_finish_helper(&helper);
}

static void test_waiting_for_stored_fails_where_nothing_is_stored(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_STORED), -EOPNOTSUPP);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_STORED, 5000), -EOPNOTSUPP);
    assert_non_null(strstr(fluxaws_error_text(f->client), "volatile"));
}

static void test_get_puts_the_pieces_together(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    struct client_helper helper;
    char *json = NULL;
    client_start_helper(&helper, f, play_get);
    assert_int_equal(fluxaws_get(f->client, FLUXAWS_REPORTED, "a", 5000, &json), 0);
    client_finish_helper(&helper);
    assert_string_equal(json, "{\"a\":1}");
    free(json);
    json = NULL;
    client_start_helper(&helper, f, play_status_failed);
    assert_int_equal(fluxaws_get_status(f->client, 5000, &json), -EACCES);
    client_finish_helper(&helper);
    assert_string_equal(fluxaws_error_text(f->client), "not allowed");
    client_start_helper(&helper, f, play_lost_get);
    assert_int_equal(fluxaws_get(f->client, FLUXAWS_REPORTED, NULL, 5000, &json), -ENOTCONN);
    client_finish_helper(&helper);
    assert_null(json);
}

static void ask_within(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                       void *data)
{
    (void)answer;
    int *calls = data;
    (*calls)++;
    assert_int_equal(fluxaws_dispatch(client, 0), -EBUSY);
    assert_int_equal(fluxaws_flush(client, FLUXAWS_QUEUED, 0), -EBUSY);
    assert_int_equal(fluxaws_set_int64(client, "from.callback", *calls), 0);
}

static void test_a_callback_may_report_and_not_wait(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    int calls = 0;
    assert_int_equal(fluxaws_on_answer(f->client, ask_within, &calls), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 1, 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_int_equal(calls, 1);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    fake_expect_report(&f->daemon, &report);
    assert_string_equal(report.operations[0], "/from/callback=1");
}

static void test_the_descriptor_stays_and_wakes(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    int fd = fluxaws_get_fd(f->client);
    struct pollfd poll_fd = {.fd = fd, .events = (short)fluxaws_get_events(f->client)};
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    assert_int_equal(fluxaws_get_timeout_ms(f->client), -1);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 1, 0);
    assert_int_equal(poll(&poll_fd, 1, 1000), 1);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_int_equal(poll(&poll_fd, 1, 0), 0);
    fake_hang_up(&f->daemon);
    assert_int_equal(poll(&poll_fd, 1, 1000), 1);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_in_range(fluxaws_get_timeout_ms(f->client), 1, 5000);
    client_fixture_accept_again(f);
    assert_int_equal(fluxaws_get_fd(f->client), fd);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_absent_daemon_is_named),
        TEST(test_flush_waits_for_done),
        TEST(test_flush_tells_a_rejection_once),
        TEST(test_flush_outlives_the_daemon),
        TEST(test_waiting_for_stored_fails_where_nothing_is_stored),
        TEST(test_get_puts_the_pieces_together),
        TEST(test_a_callback_may_report_and_not_wait),
        TEST(test_the_descriptor_stays_and_wakes),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
