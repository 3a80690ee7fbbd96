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

static void test_each_handle_is_a_shadow_of_its_own(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_open(talk, 1, 1, "config");
    say_open(talk, 7, 2, "logs");
    say_report_to(talk, 7, 3, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report_to(talk, 1, 4, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report_to(talk, 0, 5, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "opened 1\nopened 7\nqueued 5-5 @0\nqueued 4-4 @0\nqueued 3-3 @0\n");
    fake_use("config");
    fake_accept("/a", 5);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 4-4 @5\n");
    fake_use("logs");
    fake_refuse("/a", 400, "no");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 3-3 400 /a no\n");
}

static void test_a_handle_is_given_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_open(talk, 1, 1, "config");
    say_open(talk, 1, 2, "logs");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "opened 1\nfailed 2 17\n");
    assert_int_equal(fake_users(), 2); /* of the classic one and of `config` */
}

static void test_handles_are_bounded(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint16_t i = 1; i <= 70; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "s%u", i);
        say_open(talk, i, i, name);
    }
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "opened 63\nfailed 64 105\n"));
    assert_int_equal(fake_users(), 64);
    for (uint16_t i = 1; i < 64; i++)
        say_report_to(talk, i, 100u + i, FLUX_LEVEL_QUEUED, "/a", 1);
    talk->heard[0] = '\0';
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "queued 163-163 @0\n"));
}

/* The text of the only FAILED that waits to be sent. */
static void hear_why(struct talk *talk, char *ret_text, size_t size)
{
    const void *data;
    struct flux_frame frame;
    struct flux_failed failed;
    const size_t sent = session_output(talk->session, &data);
    assert_int_equal(flux_frame_next(data, sent, FLUX_FRAME_BYTES_MAX, &frame), sent);
    assert_int_equal(flux_failed_decode(&frame, &failed), 0);
    (void)snprintf(ret_text, size, "%u %.*s", failed.code, (int)failed.text.size, failed.text.text);
    session_sent(talk->session, sent);
}

static void test_a_refused_shadow_names_the_key_to_change(void **state)
{
    struct talk *talk = *state;
    static const struct {
        int error;
        const char *code, *words;
    } cases[] = {
        {-EACCES, "13 ", "[Thing] Extra"},
        {-ENOSPC, "28 ", "[Updates] MaxShadows"},
        {-EINVAL, "22 ", "1-64"},
        {-ENOMEM, "12 ", "memory"},
    };
    greet(talk);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        fake_set_open_error(cases[i].error);
        talk->said.size = 0;
        say_open(talk, 1, 1, "config");
        talk_push(talk, talk->bytes, talk->said.size, SIZE_MAX);
        char text[600];
        hear_why(talk, text, sizeof(text));
        assert_memory_equal(text, cases[i].code, strlen(cases[i].code));
        assert_non_null(strstr(text, cases[i].words));
    }
    talk->said.size = 0;
    assert_int_equal(fake_users(), 1);
}

static void test_requests_to_an_unknown_handle_fail(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_get get = {5, 1, FLUX_SECTION_DESIRED, flux_text("")};
    const struct flux_keys keys = {5, 2, flux_text("")};
    const struct flux_forget forget = {5, 3, flux_text("")};
    const struct flux_reset reset = {5, false, 4};
    assert_int_equal(flux_get_encode(&talk->said, &get), 0);
    assert_int_equal(flux_keys_encode(&talk->said, &keys), 0);
    assert_int_equal(flux_forget_encode(&talk->said, &forget), 0);
    assert_int_equal(flux_reset_encode(&talk->said, &reset), 0);
    say_watch(talk, 5, 6, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 1 9\nfailed 2 9\nfailed 3 9\nfailed 4 9\nfailed 6 9\n");
    assert_int_equal(fake_resets(), 0);
}

static void say_flush(struct talk *talk, uint64_t id)
{
    const struct flux_flush flush = {.request_id = id, .level = FLUX_LEVEL_ACCEPTED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
}

static void test_flush_waits_for_every_shadow(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_open(talk, 1, 1, "config");
    say_report_to(talk, 0, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    say_report_to(talk, 1, 3, FLUX_LEVEL_QUEUED, "/a", 1);
    say_flush(talk, 4);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "opened 1\nqueued 2-2 @0\nqueued 3-3 @0\n");
    assert_int_equal(fake_flushes(), 1);
    fake_settle(1);
    fake_accept("/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 3\n"); /* up to there, of the reports to that shadow */
    fake_use("config");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 3\ndone 4\n");
}

/* Shadows that a flush waits for stay, also when the session has ended. */
static void test_flush_holds_what_it_waits_for_and_lets_go(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    say_flush(talk, 2);
    say_flush(talk, 3);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(fake_users(), 3);
    talk_end(talk);
    assert_int_equal(fake_users(), 0);
}

static void test_forget_ends_the_reports_that_wait(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    const struct flux_forget forget = {0, 2, flux_text("/a")}, nothing = {0, 3, flux_text("/b")};
    assert_int_equal(flux_forget_encode(&talk->said, &forget), 0);
    assert_int_equal(flux_forget_encode(&talk->said, &nothing), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\ndone 2\nfailed 3 2\nrejected 1-1 125 /a forgotten\n");
}

static void test_reset_is_done_when_the_cloud_has_it(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_open(talk, 1, 1, "config");
    const struct flux_reset one = {1, false, 2}, all = {0, true, 3};
    assert_int_equal(flux_reset_encode(&talk->said, &one), 0);
    assert_int_equal(flux_reset_encode(&talk->said, &all), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "opened 1\n");
    assert_int_equal(fake_resets(), 3);
    fake_use("config");
    fake_set_reset(true);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 2\n");
    fake_use("");
    fake_set_reset(true);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 3\n");
}

static void test_resets_at_a_time_are_bounded(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 5; id++) {
        const struct flux_reset reset = {0, false, id};
        assert_int_equal(flux_reset_encode(&talk->said, &reset), 0);
    }
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 5 105\n");
}

static void say_keys(struct talk *talk, uint64_t id)
{
    const struct flux_keys keys = {0, id, flux_text("")};
    assert_int_equal(flux_keys_encode(&talk->said, &keys), 0);
}

static void set_large_document(size_t size)
{
    char *document = malloc(size + 1);
    assert_non_null(document);
    memset(document, '1', size);
    document[size] = '\0';
    fake_set_document(document);
    free(document);
}

static void test_keys_are_streamed(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    set_large_document(200000);
    say_keys(talk, 1);
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    size_t sum = 0;
    const char *line = talk->heard;
    for (; strncmp(line, "data 1 ", 7) == 0; line = strchr(line, '\n') + 1)
        sum += strtoul(line + 7, NULL, 10);
    assert_int_equal(sum, 200000);
    assert_string_equal(line, "queued 2-2 @0\n");
}

/* Who asks for much without reading holds no more than its part of what all may hold. */
static void test_large_answers_of_all_sessions_are_bounded(void **state)
{
    struct talk *talk = *state;
    set_large_document(3u << 20);
    struct session *sessions[8];
    const struct session_peer peer = {.uid = 1000, .unit = ""};
    struct session *first = talk->session;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(session_new(&sessions[i], &talk->host, &peer), 0);
        talk->session = sessions[i];
        talk->said.size = 0;
        greet(talk);
        say_keys(talk, 1);
        talk_push(talk, talk->bytes, talk->said.size, SIZE_MAX);
        assert_true(talk->host.stream_bytes <= 16u << 20);
    }
    assert_int_equal(talk->host.stream_bytes, 5u * (3u << 20));
    talk_listen(talk);
    assert_heard(talk, "failed 1 7\n");
    for (size_t i = 0; i < 8; i++)
        (void)session_free(sessions[i], NOW_MS);
    talk->said.size = 0;
    talk->session = first;
}

/* Two large answers are not for one turn. */
static void test_a_large_answer_uses_up_the_share_of_a_turn(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    set_large_document(150000);
    say_keys(talk, 1);
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    void *space;
    assert_true(session_input_space(talk->session, &space) >= talk->said.size);
    memcpy(space, talk->bytes, talk->said.size);
    session_receive(talk->session, talk->said.size);
    session_work(talk->session, NOW_MS, NOW_US);
    talk_listen(talk);
    assert_null(strstr(talk->heard, "queued"));
    session_work(talk->session, NOW_MS, NOW_US);
    talk_listen(talk);
    session_work(talk->session, NOW_MS, NOW_US);
    talk_listen(talk);
    assert_non_null(strstr(talk->heard, "queued 2-2 @0\n"));
    talk->said.size = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_each_handle_is_a_shadow_of_its_own),
        SESSION_TEST(test_a_handle_is_given_once),
        SESSION_TEST(test_handles_are_bounded),
        SESSION_TEST(test_a_refused_shadow_names_the_key_to_change),
        SESSION_TEST(test_requests_to_an_unknown_handle_fail),
        SESSION_TEST(test_flush_waits_for_every_shadow),
        SESSION_TEST(test_flush_holds_what_it_waits_for_and_lets_go),
        SESSION_TEST(test_forget_ends_the_reports_that_wait),
        SESSION_TEST(test_reset_is_done_when_the_cloud_has_it),
        SESSION_TEST(test_resets_at_a_time_are_bounded),
        SESSION_TEST(test_keys_are_streamed),
        SESSION_TEST(test_large_answers_of_all_sessions_are_bounded),
        SESSION_TEST(test_a_large_answer_uses_up_the_share_of_a_turn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
