#include "tests/unit/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_a_late_watcher_is_told_at_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_wish("/led", "on", 3);
    fake_wish("/mode", "eco", 4);
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\ndesired 1 /led on @3\ndesired 1 /mode eco @4\n");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
}

static void test_changes_are_told_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\n");
    fake_wish("/led", "on", 3);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 1 /led on @3\n");
    fake_wish("/led", NULL, 4);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 1 /led @4\n");
    session_settle(talk->session);
    talk_listen(talk);
    assert_heard(talk, "");
}

static void test_it_is_told_once_that_all_is_told(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_wish("/led", "on", 3);
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\ndesired 1 /led on @3\n");
    fake_know_wishes(5); /* only now the cloud has been heard */
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "complete 1 @5\n");
    fake_wish("/led", "off", 6);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 1 /led off @6\n");
    say_watch(talk, 0, 2, "/led");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 2\ndesired 2 /led off @6\ncomplete 2 @5\n");
}

static void test_each_watch_has_its_path_and_its_shadow(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_open(talk, 1, 1, "config");
    say_watch(talk, 0, 2, "/a");
    say_watch(talk, 0, 3, "/b");
    say_watch(talk, 1, 4, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "opened 1\ndone 2\ndone 3\ndone 4\n");
    fake_wish("/a/x", "1", 7);
    fake_wish("/ab", "2", 8);
    fake_wish("/b", "3", 9);
    fake_use("config");
    fake_wish("/a", "4", 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 2 /a/x 1 @7\ndesired 3 /b 3 @9\ndesired 4 /a 4 @2\n");
}

static void test_unwatch_ends_one_watch(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 3; id++)
        say_watch(talk, 0, id, "");
    assert_int_equal(flux_unwatch_encode(&talk->said, &(struct flux_unwatch){0, 2}), 0);
    /* None of these is there. */
    assert_int_equal(flux_unwatch_encode(&talk->said, &(struct flux_unwatch){0, 2}), 0);
    assert_int_equal(flux_unwatch_encode(&talk->said, &(struct flux_unwatch){1, 3}), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\ndone 2\ndone 3\n");
    assert_int_equal(fake_watchers(), 2);
    fake_wish("/a", "1", 7);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "desired 1 /a 1 @7\ndesired 3 /a 1 @7\n");
    talk_end(talk);
    assert_int_equal(fake_watchers(), 0);
}

static void test_watches_are_bounded_and_have_ids_of_their_own(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 64; id++)
        say_watch(talk, 0, id, "/a");
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    say_watch(talk, 0, 65, "/a");
    say_watch(talk, 0, 64, "/b");
    say_watch(talk, 0, 66, "no/pointer");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 65 105\nfailed 64 17\nfailed 66 22\n");
    assert_int_equal(fake_watchers(), 64);
}

/* A watcher that does not read holds one output, whatever happens meanwhile, and then gets the
 * newest of each. */
static void test_a_slow_watcher_costs_bounded_memory(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    const void *data;
    char path[16], text[128];
    for (int64_t version = 1; version <= 30000; version++) {
        (void)snprintf(path, sizeof(path), "/p%lld", (long long)version % 1000);
        (void)snprintf(text, sizeof(text), "%0*lld", 100, (long long)version);
        fake_wish(path, text, version);
        if (version % 100 == 0)
            session_settle(talk->session);
        assert_true(session_output(talk->session, &data) < 65536 + 1024);
    }
    /* What was written before is old; then comes the newest of each, once. */
    while (session_output(talk->session, &data) > 0) {
        talk->heard[0] = '\0';
        talk_listen(talk);
        session_settle(talk->session);
    }
    assert_non_null(strstr(talk->heard, "030000 @30000\n"));
    assert_true(talk->host.counters.wishes_told < 3000);
    session_settle(talk->session);
    assert_int_equal(session_output(talk->session, &data), 0);
}

/* Whoever has many watches gets something of each, though the output is full each time. */
static void test_a_flood_for_one_watch_does_not_starve_another(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_watch(talk, 0, 1, "/flood");
    say_watch(talk, 0, 2, "/led");
    talk_on(talk, SIZE_MAX);
    fake_wish("/led", "on", 1);
    char path[32], text[600];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    for (unsigned round = 0; round < 4; round++) {
        for (unsigned i = 0; i < 200; i++) {
            (void)snprintf(path, sizeof(path), "/flood/%u", i);
            fake_wish(path, text, round);
        }
        session_settle(talk->session);
        talk->heard[0] = '\0';
        talk_listen(talk);
        if (strstr(talk->heard, "desired 2 /led on @1\n"))
            return;
    }
    fail_msg("the other watch heard nothing");
}

static void test_a_wish_too_long_for_a_frame_is_counted(void **state)
{
    struct talk *talk = *state;
    talk->host.max_frame_bytes = 4096;
    greet(talk);
    char text[5000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    fake_wish("/long", text, 1);
    fake_wish("/led", "on", 2);
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "done 1\ndesired 1 /led on @2\n");
    assert_int_equal(talk->host.counters.wishes_too_long, 1);
    /* Nor can a path be told that no program could ask for. */
    char path[FLUX_PATH_BYTES_MAX + 2];
    memset(path, 'k', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    fake_wish(path, "on", 3);
    path[sizeof(path) - 2] = '\0';
    fake_wish(path, "off", 4);
    session_settle(talk->session);
    talk_listen(talk);
    assert_non_null(strstr(talk->heard, "kkk off @4\n"));
    assert_null(strstr(talk->heard, "kkk on"));
    assert_int_equal(talk->host.counters.wishes_too_long, 2);
}

static void test_watching_sessions_say_so(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    assert_false(session_is_watching(talk->session));
    say_watch(talk, 0, 1, "");
    talk_on(talk, SIZE_MAX);
    assert_true(session_is_watching(talk->session));
    assert_int_equal(talk->host.watch_count, 1);
    struct session_info info;
    session_get_info(talk->session, &info);
    assert_int_equal(info.watches, 1);
    assert_int_equal(info.shadows, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_a_late_watcher_is_told_at_once),
        SESSION_TEST(test_changes_are_told_once),
        SESSION_TEST(test_it_is_told_once_that_all_is_told),
        SESSION_TEST(test_each_watch_has_its_path_and_its_shadow),
        SESSION_TEST(test_unwatch_ends_one_watch),
        SESSION_TEST(test_watches_are_bounded_and_have_ids_of_their_own),
        SESSION_TEST(test_a_slow_watcher_costs_bounded_memory),
        SESSION_TEST(test_a_flood_for_one_watch_does_not_starve_another),
        SESSION_TEST(test_a_wish_too_long_for_a_frame_is_counted),
        SESSION_TEST(test_watching_sessions_say_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
