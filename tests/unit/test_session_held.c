/* QUEUED that is held back where STORED most often says it as well. */
#include "tests/unit/talk.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* A session of a daemon that holds QUEUED back for 20 ms. */
static void greet_patiently(struct talk *talk)
{
    talk->host.durable = true;
    talk->host.hold_queued_ms = 20;
    greet(talk);
}

static void test_queued_is_left_out_where_stored_comes_soon(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 1-1 @0\nsafe 1\n");
    assert_false(session_tell_held(talk->session, NOW_MS + 20));
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
}

static void test_queued_is_told_where_the_disk_is_slow(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(talk->host.held_until_ms, NOW_MS + 20);
    talk->host.held_until_ms = 0;
    assert_false(session_tell_held(talk->session, NOW_MS + 19));
    assert_int_equal(talk->host.held_until_ms, NOW_MS + 20);
    talk->host.held_until_ms = 0;
    assert_true(session_tell_held(talk->session, NOW_MS + 20));
    assert_int_equal(talk->host.held_until_ms, 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 1-1 @0\nsafe 1\n");
}

static void test_queued_is_told_of_what_stored_has_left_over(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    say_report(talk, 2, FLUX_LEVEL_STORED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 1-1 @0\nsafe 1\n");
    assert_true(session_tell_held(talk->session, NOW_MS + 20));
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 2-2 @0\n");
    fake_settle(2);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
}

static void test_queued_is_told_at_once_to_who_asks_for_no_more(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/a", 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 2-2 @0\n");
    say_report(talk, 3, FLUX_LEVEL_STORED, "/a", 3);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    say_report(talk, 4, FLUX_LEVEL_QUEUED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 3-4 @0\n");
    fake_settle(4);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
}

static void test_queued_comes_before_what_was_asked_later(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    const struct flux_flush flush = {.request_id = 2, .level = FLUX_LEVEL_QUEUED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\ndone 2\n");
    say_report(talk, 3, FLUX_LEVEL_STORED, "/a", 2);
    talk_on(talk, SIZE_MAX);
    session_say_goodbye(talk->session, FLUX_GOODBYE_STOPPING, "later");
    talk_listen(talk);
    assert_memory_equal(talk->heard, "queued 3-3 @0\n", strlen("queued 3-3 @0\n"));
    talk->heard[0] = '\0';
}

static void test_queued_comes_before_a_refusal(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    fake_refuse("/a", 413, "too large");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\nrejected 1-1 413 /a too large\n");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
}

static void test_queued_is_told_before_the_end(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    session_end_input(talk->session);
    assert_false(session_is_finished(talk->session));
    talk_listen(talk);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_true(session_is_finished(talk->session));
}

static void test_queued_is_told_of_the_last_words(void **state)
{
    struct talk *talk = *state;
    greet_patiently(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    void *space;
    assert_true(session_input_space(talk->session, &space) >= talk->said.size);
    memcpy(space, talk->bytes, talk->said.size);
    session_receive(talk->session, talk->said.size);
    talk->said.size = 0;
    session_end_input(talk->session);
    session_work(talk->session, NOW_MS, NOW_US);
    talk_listen(talk);
    assert_heard(talk, "queued 1-1 @0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_queued_is_left_out_where_stored_comes_soon),
        SESSION_TEST(test_queued_is_told_where_the_disk_is_slow),
        SESSION_TEST(test_queued_is_told_of_what_stored_has_left_over),
        SESSION_TEST(test_queued_is_told_at_once_to_who_asks_for_no_more),
        SESSION_TEST(test_queued_comes_before_what_was_asked_later),
        SESSION_TEST(test_queued_comes_before_a_refusal),
        SESSION_TEST(test_queued_is_told_before_the_end),
        SESSION_TEST(test_queued_is_told_of_the_last_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
