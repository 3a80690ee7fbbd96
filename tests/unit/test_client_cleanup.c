/* The library as an application sees it: settling, replacing, leaving a will, cleaning up, and the
 * end. */
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

static void expect_report(struct client_fixture *f, const char *const *operations)
{
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    size_t count = 0;
    for (; operations[count] != NULL; count++) {
        assert_true(count < report.count);
        assert_string_equal(report.operations[count], operations[count]);
    }
    assert_int_equal(report.count, count);
}

static void reconnect(struct client_fixture *f, uint32_t flags)
{
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, flags);
    assert_true(fluxaws_dispatch(f->client, 0) >= 0);
}

static void test_a_settle_joins_the_report_or_is_one(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_set_string(f->client, "led", "on"), 0);
    assert_int_equal(fluxaws_settle(f->client, "led"), 0);
    assert_true(fake_is_quiet(&f->daemon));
    assert_int_equal(fluxaws_report_send(f->client), 0);
    expect_report(f, (const char *const[]){"/led=\"on\"", "/led?", NULL});
    assert_int_equal(fluxaws_settle(f->client, "/door~1lock"), 0);
    expect_report(f, (const char *const[]){"/door~1lock?", NULL});
    assert_int_equal(fluxaws_settle(f->client, NULL), 0);
    expect_report(f, (const char *const[]){"?", NULL});
    assert_int_equal(fluxaws_settle(f->client, "a..b"), -EINVAL);
    assert_int_equal(fluxaws_settle(f->client, ""), -EINVAL);
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_a_settle_is_sent_again_with_its_time(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, FLUX_WELCOME_DURABLE);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "led", 1), 0);
    assert_int_equal(fluxaws_settle(f->client, "led"), 0);
    assert_int_equal(fluxaws_report_send(f->client), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "led", 2), 0);
    reconnect(f, FLUX_WELCOME_DURABLE);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.request_id, 1);
    assert_true(report.head.resent);
    assert_true(report.head.set_us > 0);
    assert_int_equal(report.count, 1);
    assert_string_equal(report.operations[0], "/led?");
    expect_report(f, (const char *const[]){"/led=2", NULL});
    fake_safe(&f->daemon, 2);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, 2, 0);
    assert_true(fluxaws_dispatch(f->client, 0) > 0);
    reconnect(f, FLUX_WELCOME_DURABLE);
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_a_replacement_is_one_report_in_order(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_replace_json(f->client, "network", "{\"a\":1,\"b\":{\"c\":[2]}}"), 0);
    expect_report(f, (const char *const[]){"/network!", "/network/a=1", "/network/b/c=[2]", NULL});
    assert_int_equal(fluxaws_replace_json(f->client, NULL, "{\"x\":true}"), 0);
    expect_report(f, (const char *const[]){"!", "/x=true", NULL});
    assert_int_equal(fluxaws_replace_json(f->client, NULL, "{}"), 0);
    expect_report(f, (const char *const[]){"!", NULL});
    assert_int_equal(fluxaws_replace_json(f->client, "list", "[1]"), 0);
    expect_report(f, (const char *const[]){"/list!", "/list=[1]", NULL});
    assert_int_equal(fluxaws_replace_json(f->client, "o", "{}"), 0);
    expect_report(f, (const char *const[]){"/o!", "/o={}", NULL});
    assert_int_equal(fluxaws_replace_json(f->client, NULL, "[1]"), -EINVAL);
    assert_int_equal(fluxaws_replace_json(f->client, "", "{}"), -EINVAL);
    assert_int_equal(fluxaws_replace_json(f->client, "a", "{"), -EINVAL);
    assert_int_equal(fluxaws_replace_json(f->client, "a", NULL), -EINVAL);
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_a_replacement_is_sent_again_whole(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "old", 1), 0);
    assert_int_equal(fluxaws_replace_json(f->client, NULL, "{\"a\":1,\"b\":{\"c\":2}}"), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "d", 3), 0);
    reconnect(f, 0);
    expect_report(f, (const char *const[]){"!", "/a=1", "/b/c=2", NULL});
    expect_report(f, (const char *const[]){"/d=3", NULL});
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_a_replacement_that_fits_no_frame_says_so(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open(f, 0);
    assert_true(fake_accept(&f->daemon));
    fake_greet_with_limit(&f->daemon, 0, 4096);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    char document[6000] = "{\"text\":\"";
    memset(document + 9, 'x', sizeof(document) - 12);
    memcpy(document + sizeof(document) - 3, "\"}", 3);
    assert_int_equal(fluxaws_replace_json(f->client, NULL, document), -EMSGSIZE);
    assert_non_null(strstr(fluxaws_error_text(f->client), "MaxFrameBytes"));
    assert_int_equal(fluxaws_will_json(f->client, document), -EMSGSIZE);
    assert_int_equal(fluxaws_last_report_id(f->client), 0);
    assert_true(fake_is_quiet(&f->daemon));
}

/* Take a WILL of so many operations. Returns its id. */
static uint64_t expect_will(struct client_fixture *f, uint16_t shadow, unsigned count)
{
    struct flux_frame frame = fake_expect(&f->daemon, FLUX_MESSAGE_WILL);
    struct flux_will will;
    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_will_decode(&frame, &will, &operations), 0);
    assert_int_equal(will.shadow, shadow);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(flux_report_next(&operations, &change), 1);
    assert_int_equal(flux_report_next(&operations, &change), 0);
    return will.request_id;
}

static void test_a_will_is_left_on_every_connection(void **state)
{
    struct client_fixture *f = *state;
    fake_close_listener(&f->daemon);
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_will_json(f->client, "{\"online\":false,\"user\":null}"), 0);
    fake_listen(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    fake_done(&f->daemon, expect_will(f, 0, 2));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    reconnect(f, 0);
    fake_done(&f->daemon, expect_will(f, 0, 2));
    assert_int_equal(fluxaws_will_json(f->client, "{\"online\":0}"), 0);
    fake_done(&f->daemon, expect_will(f, 0, 1));
    assert_int_equal(fluxaws_will_json(f->client, NULL), 0);
    fake_done(&f->daemon, expect_will(f, 0, 0));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    reconnect(f, 0);
    assert_true(fake_is_quiet(&f->daemon));
    assert_int_equal(fluxaws_will_json(f->client, "{}"), 0);
    assert_int_equal(fluxaws_will_json(f->client, "[]"), -EINVAL);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_will_json(f->client, NULL), -EALREADY);
    fluxaws_report_cancel(f->client);
}

static void test_every_shadow_has_its_will(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_int_equal(fluxaws_will_json(f->client, "{\"a\":1}"), 0);
    uint64_t open_id;
    uint16_t handle = fake_expect_open(&f->daemon, "", "config", &open_id);
    assert_true(fake_is_quiet(&f->daemon));
    fake_opened(&f->daemon, handle, open_id);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    fake_done(&f->daemon, expect_will(f, handle, 1));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
}

static uint64_t await_flush(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_FLUSH);
    struct flux_flush flush;
    (void)flux_flush_decode(&frame, &flush);
    return flush.request_id;
}

static void play_refused_will(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_WILL);
    struct flux_will will;
    struct flux_wire_reader operations;
    (void)flux_will_decode(&frame, &will, &operations);
    fake_failed(daemon, will.request_id, EACCES, "you may not report that");
    fake_done(daemon, await_flush(daemon));
}

static void test_a_refused_will_is_told_to_flush(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_refused_will);
    assert_int_equal(fluxaws_will_json(f->client, "{\"a\":1}"), 0);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_QUEUED, 5000), -EREMOTEIO);
    client_finish_helper(&helper);
    assert_non_null(strstr(fluxaws_error_text(f->client), "you may not report that"));
}

static void test_closing_says_bye_last(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    f->client = fluxaws_close(f->client);
    assert_null(f->client);
    (void)fake_expect(&f->daemon, FLUX_MESSAGE_REPORT);
    struct flux_frame frame = fake_expect(&f->daemon, FLUX_MESSAGE_BYE);
    assert_int_equal(flux_bye_decode(&frame), 0);
    assert_true(fake_is_quiet(&f->daemon));
}

static struct flux_forget await_forget(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_FORGET);
    struct flux_forget forget;
    (void)flux_forget_decode(&frame, &forget);
    return forget;
}

static void play_forget(struct fake_daemon *daemon)
{
    fake_done(daemon, await_forget(daemon).request_id);
}

static void play_forget_nothing(struct fake_daemon *daemon)
{
    fake_failed(daemon, await_forget(daemon).request_id, ENOENT, "nothing there");
}

static void test_what_was_forgotten_is_not_sent_again(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_report_json(f->client, "{\"a\":{\"x\":1,\"y\":2},\"b\":3}"), 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_forget);
    assert_int_equal(fluxaws_forget(f->client, "a", 5000), 0);
    client_finish_helper(&helper);
    client_start_helper(&helper, f, play_forget_nothing);
    assert_int_equal(fluxaws_forget(f->client, "b", 5000), -ENOENT);
    client_finish_helper(&helper);
    assert_int_equal(fluxaws_forget(f->client, "a..b", 5000), -EINVAL);
    assert_int_equal(fluxaws_forget(f->client, "", 5000), -EINVAL);
    reconnect(f, 0);
    expect_report(f, (const char *const[]){"/b=3", NULL});
}

static void play_reset_all(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_RESET);
    struct flux_reset reset;
    (void)flux_reset_decode(&frame, &reset);
    if (reset.all && reset.shadow == 0)
        fake_done(daemon, reset.request_id);
    else
        fake_failed(daemon, reset.request_id, EINVAL, "not what was asked for");
}

static void play_reset_one(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_RESET);
    struct flux_reset reset;
    (void)flux_reset_decode(&frame, &reset);
    if (!reset.all && reset.shadow == 1)
        fake_done(daemon, reset.request_id);
    else
        fake_failed(daemon, reset.request_id, EINVAL, "not what was asked for");
}

static void test_a_reset_leaves_nothing_to_send_again(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_set_int64(f->client, "a", 1), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    uint64_t open_id;
    (void)fake_expect(&f->daemon, FLUX_MESSAGE_REPORT);
    uint16_t handle = fake_expect_open(&f->daemon, "", "config", &open_id);
    fake_opened(&f->daemon, handle, open_id);
    assert_int_equal(fluxaws_set_int64(f->client, "b", 1), 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_reset_one);
    assert_int_equal(fluxaws_reset(f->client, false, 5000), 0);
    client_finish_helper(&helper);
    reconnect(f, 0);
    assert_int_equal(fake_expect_open(&f->daemon, "", "config", &open_id), handle);
    fake_opened(&f->daemon, handle, open_id);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    expect_report(f, (const char *const[]){"/a=1", NULL});
    client_start_helper(&helper, f, play_reset_all);
    assert_int_equal(fluxaws_reset(f->client, true, 5000), 0);
    client_finish_helper(&helper);
    reconnect(f, 0);
    assert_int_equal(fake_expect_open(&f->daemon, "", "config", &open_id), handle);
    assert_true(fake_is_quiet(&f->daemon));
}

static void play_keys(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_KEYS);
    struct flux_keys keys;
    (void)flux_keys_decode(&frame, &keys);
    bool is_path = keys.path.size == 2 && memcmp(keys.path.text, "/a", 2) == 0;
    fake_data(daemon, keys.request_id, true, is_path ? "[{\"path\":" : "?");
    fake_data(daemon, keys.request_id, false, "\"/a\"}]");
}

static void test_keys_are_read_in_pieces(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_keys);
    char *json = NULL;
    assert_int_equal(fluxaws_get_keys(f->client, "a", 5000, &json), 0);
    client_finish_helper(&helper);
    assert_string_equal(json, "[{\"path\":\"/a\"}]");
    free(json);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_settle_joins_the_report_or_is_one),
        TEST(test_a_settle_is_sent_again_with_its_time),
        TEST(test_a_replacement_is_one_report_in_order),
        TEST(test_a_replacement_is_sent_again_whole),
        TEST(test_a_replacement_that_fits_no_frame_says_so),
        TEST(test_a_will_is_left_on_every_connection),
        TEST(test_every_shadow_has_its_will),
        TEST(test_a_refused_will_is_told_to_flush),
        TEST(test_closing_says_bye_last),
        TEST(test_what_was_forgotten_is_not_sent_again),
        TEST(test_a_reset_leaves_nothing_to_send_again),
        TEST(test_keys_are_read_in_pieces),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
