/* The library as an application with several shadows sees it. */
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void expect_report_to(struct client_fixture *f, uint16_t shadow, uint64_t id,
                             const char *operation)
{
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.shadow, shadow);
    assert_int_equal(report.head.request_id, id);
    assert_string_equal(report.operations[0], operation);
}

/* Choose a shadow that the daemon opens. Returns its handle. */
static uint16_t use_open(struct client_fixture *f, const char *thing, const char *shadow)
{
    assert_int_equal(fluxaws_use_shadow(f->client, thing, shadow), 0);
    uint64_t id;
    uint16_t handle =
        fake_expect_open(&f->daemon, thing != NULL ? thing : "", shadow != NULL ? shadow : "", &id);
    fake_opened(&f->daemon, handle, id);
    assert_true(fluxaws_dispatch(f->client, 0) >= 0);
    return handle;
}

static void test_names_that_aws_does_not_allow_are_refused(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, "not a name", NULL), -EINVAL);
    assert_non_null(strstr(fluxaws_error_text(f->client), "a-zA-Z0-9:_-"));
    assert_int_equal(fluxaws_use_shadow(f->client, "", NULL), -EINVAL);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "a/b"), -EINVAL);
    char longer[130];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(fluxaws_use_shadow(f->client, longer, NULL), -EINVAL);
    assert_int_equal(fluxaws_report_begin(f->client), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "x"), -EALREADY);
    fluxaws_report_cancel(f->client);
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_reports_go_to_the_shadow_in_use(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    uint16_t config = use_open(f, NULL, "config");
    assert_int_equal(config, 1);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    expect_report_to(f, config, fluxaws_last_report_id(f->client), "/n=1");
    uint16_t lamp = use_open(f, "lamp", NULL);
    assert_int_equal(lamp, 2);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 2), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 3), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 4), 0);
    uint64_t last = fluxaws_last_report_id(f->client);
    expect_report_to(f, lamp, last - 2, "/n=2");
    expect_report_to(f, 0, last - 1, "/n=3");
    expect_report_to(f, config, last, "/n=4");
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_answers_belong_to_one_shadow(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    uint16_t config = use_open(f, NULL, "config");
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 2), 0);
    uint64_t last = fluxaws_last_report_id(f->client);
    assert_int_equal(fluxaws_count_waiting(f->client), 2);
    f->daemon.shadow = config;
    fake_answer(&f->daemon, FLUX_LEVEL_ACCEPTED, 1, last, 7);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    client_fixture_expect_answer(f, 0, last - 1, last - 1, FLUXAWS_ACCEPTED);
    assert_null(f->answers[0].thing);
    assert_string_equal(f->answers[0].shadow, "config");
    assert_int_equal(fluxaws_count_waiting(f->client), 1);
    f->daemon.shadow = 0;
    fake_reject(&f->daemon, last, last, 413, "/n", "too large");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[1].rejected);
    assert_null(f->answers[1].shadow);
    /* A handle that was never given out. */
    f->daemon.shadow = 9;
    fake_safe(&f->daemon, 1);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), -EPROTO);
}

static void test_a_report_waits_for_its_shadow_and_holds_the_order(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 2), 0);
    uint64_t open_id, last = fluxaws_last_report_id(f->client);
    uint16_t handle = fake_expect_open(&f->daemon, "", "config", &open_id);
    assert_true(fake_is_quiet(&f->daemon));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_get_timeout_ms(f->client), -1);
    fake_opened(&f->daemon, handle, open_id);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    expect_report_to(f, handle, last - 1, "/n=1");
    expect_report_to(f, 0, last, "/n=2");
}

static void test_a_refused_shadow_rejects_its_reports_only(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_use_shadow(f->client, "other", NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 2), 0);
    uint64_t open_id, last = fluxaws_last_report_id(f->client);
    (void)fake_expect_open(&f->daemon, "other", "", &open_id);
    fake_failed(&f->daemon, open_id, EACCES, "not in [Thing] Extra");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[0].rejected);
    assert_int_equal(f->answers[0].first_id, last - 1);
    assert_int_equal(f->answers[0].code, EACCES);
    assert_string_equal(f->answers[0].thing, "other");
    assert_non_null(strstr(f->texts[0], "other"));
    expect_report_to(f, 0, last, "/n=2");
    /* Later ones end at once; the other shadow goes on; a question fails with the reason. */
    assert_int_equal(fluxaws_use_shadow(f->client, "other", NULL), 0);
    (void)fake_expect_open(&f->daemon, "other", "", &open_id); /* asked anew */
    fake_failed(&f->daemon, open_id, EACCES, "not in [Thing] Extra");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 3), 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[1].rejected);
    assert_int_equal(f->answers[1].first_id, fluxaws_last_report_id(f->client));
    char *json = NULL;
    assert_int_equal(fluxaws_get(f->client, FLUXAWS_REPORTED, NULL, 1000, &json), -EACCES);
    assert_non_null(strstr(fluxaws_error_text(f->client), "[Thing] Extra"));
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 4), 0);
    expect_report_to(f, 0, fluxaws_last_report_id(f->client), "/n=4");
    assert_int_equal(fluxaws_count_waiting(f->client), 2);
}

static void test_shadows_are_opened_again_before_reports_are_resent(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    uint16_t config = use_open(f, NULL, "config"), lamp = use_open(f, "lamp", "x");
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 2), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 3), 0);
    uint64_t last = fluxaws_last_report_id(f->client);
    f->daemon.shadow = config;
    fake_safe(&f->daemon, last);
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, last, last, 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    uint64_t config_id, lamp_id;
    assert_int_equal(fake_expect_open(&f->daemon, "", "config", &config_id), config);
    assert_int_equal(fake_expect_open(&f->daemon, "lamp", "x", &lamp_id), lamp);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_true(fake_is_quiet(&f->daemon));
    /* This time one is refused: what waited for it ends, the rest goes out. */
    fake_failed(&f->daemon, lamp_id, ENOSPC, "too many shadows");
    fake_opened(&f->daemon, config, config_id);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[1].rejected);
    assert_int_equal(f->answers[1].first_id, last - 2);
    struct fake_report report;
    fake_expect_report(&f->daemon, &report);
    assert_int_equal(report.head.shadow, 0);
    assert_int_equal(report.head.request_id, last - 1);
    assert_true(report.head.resent);
    assert_true(fake_is_quiet(&f->daemon));
}

static void play_done(struct fake_daemon *daemon)
{
    struct flux_frame frame = client_await_frame(daemon, FLUX_MESSAGE_FLUSH);
    struct flux_flush flush;
    (void)flux_flush_decode(&frame, &flush);
    fake_done(daemon, flush.request_id);
}

static void test_a_refusal_is_told_to_flush_without_a_callback(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_on_answer(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, "other", NULL), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    uint64_t open_id;
    (void)fake_expect_open(&f->daemon, "other", "", &open_id);
    fake_failed(&f->daemon, open_id, EACCES, "no such thing here");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    struct client_helper helper;
    client_start_helper(&helper, f, play_done);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_QUEUED, 5000), -EREMOTEIO);
    client_finish_helper(&helper);
    assert_non_null(strstr(fluxaws_error_text(f->client), "no such thing here"));
    client_start_helper(&helper, f, play_done);
    assert_int_equal(fluxaws_flush(f->client, FLUXAWS_QUEUED, 5000), 0);
    client_finish_helper(&helper);
}

static void test_there_is_a_bound_on_shadows(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    char name[16];
    for (int i = 1; i < 64; i++) {
        (void)snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(use_open(f, NULL, name), i);
    }
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "s64"), -ENOSPC);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "s63"), 0);
    assert_true(fake_is_quiet(&f->daemon));
}

static void test_the_backlog_bound_is_that_of_all_shadows(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open(f, 4096);
    assert_true(fake_accept(&f->daemon));
    fake_greet(&f->daemon, 0);
    (void)use_open(f, NULL, "config");
    char path[32];
    int r = 0;
    for (int i = 0; i < 1000 && r == 0; i++) {
        (void)snprintf(path, sizeof(path), "key%d", i);
        r = fluxaws_set_string(f->client, path, "some text of a certain length");
    }
    assert_int_equal(r, -ENOBUFS);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, NULL), 0);
    assert_int_equal(fluxaws_set_string(f->client, "large", "some text of a certain length"),
                     -ENOBUFS);
    f->daemon.shadow = 1;
    fake_answer(&f->daemon, FLUX_LEVEL_QUEUED, 1, fluxaws_last_report_id(f->client), 0);
    fake_safe(&f->daemon, fluxaws_last_report_id(f->client));
    assert_true(fluxaws_dispatch(f->client, 0) >= 0);
    assert_int_equal(fluxaws_set_string(f->client, "large", "some text of a certain length"), 0);
}

static void test_deadband_is_passed_on(void **state)
{
    struct client_fixture *f = *state;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
    assert_int_equal(fluxaws_set_int64(f->client, "n", 1), 0);
    uint8_t room[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_answer answer = {
        .level = FLUX_LEVEL_ACCEPTED, .first_id = 1, .last_id = 1, .version = 4, .deadband = true};
    assert_int_equal(flux_answer_encode(&writer, &answer), 0);
    fake_send(&f->daemon, writer.data, writer.size);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_true(f->answers[0].deadband);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_names_that_aws_does_not_allow_are_refused),
        TEST(test_reports_go_to_the_shadow_in_use),
        TEST(test_answers_belong_to_one_shadow),
        TEST(test_a_report_waits_for_its_shadow_and_holds_the_order),
        TEST(test_a_refused_shadow_rejects_its_reports_only),
        TEST(test_shadows_are_opened_again_before_reports_are_resent),
        TEST(test_a_refusal_is_told_to_flush_without_a_callback),
        TEST(test_there_is_a_bound_on_shadows),
        TEST(test_the_backlog_bound_is_that_of_all_shadows),
        TEST(test_deadband_is_passed_on),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
