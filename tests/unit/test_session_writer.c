#include "tests/unit/talk.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void say_bye(struct talk *talk)
{
    assert_int_equal(flux_bye_encode(&talk->said), 0);
}

static void say_will(struct talk *talk, uint64_t id, const char *path)
{
    struct flux_report_encoder encoder;
    const struct flux_will will = {0, id};
    const struct flux_value value = flux_value_int64(0);
    assert_int_equal(flux_will_begin(&encoder, &talk->said, 65536, &will), 0);
    if (path)
        assert_int_equal(flux_report_add_set(&encoder, path, strlen(path), &value), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
}

static void test_a_program_is_known_by_name_user_and_unit(void **state)
{
    struct talk *talk = *state;
    assert_string_equal(fake_writer_story(), "");
    greet(talk);
    assert_string_equal(fake_writer_story(), "open tester 1000 tester.service\n");
}

static void test_a_lost_connection_is_not_clean(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    session_end_input(talk->session);
    talk_end(talk);
    assert_string_equal(fake_writer_story(), "open tester 1000 tester.service\ngone\n");
}

static void test_one_that_never_said_hello_leaves_no_trace(void **state)
{
    struct talk *talk = *state;
    talk_push(talk, "{", 1, 1);
    talk_end(talk);
    assert_string_equal(fake_writer_story(), "");
}

static void test_bye_makes_the_end_clean(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    say_bye(talk);
    talk_push(talk, talk->bytes, talk->said.size, SIZE_MAX);
    talk->said.size = 0;
    assert_false(session_is_finished(talk->session));
    talk_listen(talk);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_true(session_is_finished(talk->session));
    talk_end(talk);
    assert_string_equal(fake_writer_story(), "open tester 1000 tester.service\nclean\n");
}

static void test_nothing_counts_behind_bye(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_bye(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_push(talk, talk->bytes, talk->said.size, SIZE_MAX);
    talk->said.size = 0;
    talk_listen(talk);
    assert_heard(talk, "");
    assert_string_equal(fake_last_report(), "");
    assert_true(session_is_finished(talk->session));
}

/* Whoever breaks the protocol has not ended as it should, even if it says so. */
static void test_bye_behind_nonsense_is_not_clean(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    talk_push(talk, "\0\0\0\0\0\0\0\0\x0d\0\0\0\0\0\0\0", 16, SIZE_MAX);
    talk_listen(talk);
    talk_end(talk);
    assert_string_equal(fake_writer_story(), "open tester 1000 tester.service\ngone\n");
    talk->heard[0] = '\0';
}

static void test_a_will_is_left_with_the_daemon(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_will(talk, 1, "/online");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\n");
    assert_string_equal(fake_last_report(), "will set /online=0");
    say_will(talk, 2, NULL);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 2\n");
    assert_string_equal(fake_last_report(), "will");
}

static void test_a_will_that_could_not_be_reported_fails_now(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_refuse_next(400, "/online", "too deep");
    say_will(talk, 1, "/online");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 1 22\n");
}

static void test_malformed_wills_end_the_session(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    talk_push(talk, "\x0c\0\0\0\x0a\0\0\0\1\0\0\0\0\0\0\0\1\1", 18, SIZE_MAX);
    talk_listen(talk);
    assert_heard(talk, "goodbye 2 malformed WILL\n");
}

static void test_settling_travels_with_the_report(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_report report = {.request_id = 1, .level = FLUX_LEVEL_ACCEPTED};
    struct flux_report_encoder encoder;
    const struct flux_value on = flux_value_int64(1);
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/led", 4, &on), 0);
    assert_int_equal(flux_report_add_settle(&encoder, "/led", 4), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
    talk_on(talk, SIZE_MAX);
    assert_string_equal(fake_last_report(), "resent=0 us=1000000 set /led=1 settle /led");
    fake_accept("/led", 4);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\naccepted 1-1 @4\n");
}

static void test_within_the_deadband_is_flagged(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    fake_accept("/a", 4);
    talk_on(talk, SIZE_MAX);
    fake_set_deadband(true);
    fake_accept("/b", 4);
    talk_on(talk, SIZE_MAX);
    fake_accept_ahead("/c", 4);
    say_report(talk, 3, FLUX_LEVEL_ACCEPTED, "/c", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-2 @0\naccepted 1-1 @4\naccepted 2-2 @4 deadband\n"
                       "queued 3-3 @0\naccepted 3-3 @4 deadband\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_a_program_is_known_by_name_user_and_unit),
        SESSION_TEST(test_a_lost_connection_is_not_clean),
        SESSION_TEST(test_one_that_never_said_hello_leaves_no_trace),
        SESSION_TEST(test_bye_makes_the_end_clean),
        SESSION_TEST(test_nothing_counts_behind_bye),
        SESSION_TEST(test_bye_behind_nonsense_is_not_clean),
        SESSION_TEST(test_a_will_is_left_with_the_daemon),
        SESSION_TEST(test_a_will_that_could_not_be_reported_fails_now),
        SESSION_TEST(test_malformed_wills_end_the_session),
        SESSION_TEST(test_settling_travels_with_the_report),
        SESSION_TEST(test_within_the_deadband_is_flagged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
