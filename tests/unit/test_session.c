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

static void test_bytes_may_come_one_by_one(void **state)
{
    struct talk *talk = *state;
    say_hello(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, 1);
    fake_accept("/a", 9);
    talk_on(talk, 1);
    assert_heard(talk, "welcome 1\nqueued 1-1 @0\naccepted 1-1 @9\n");
}

static void test_flush_is_done_behind_the_answers(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    const struct flux_flush flush = {.request_id = 2, .level = FLUX_LEVEL_ACCEPTED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_int_equal(fake_flushes(), 1);
    fake_refuse("/a", 400, "no");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 1-1 400 /a no\nsafe 1\ndone 2\n");
}

static void test_flush_to_queued_costs_no_update(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    const struct flux_flush flush = {.request_id = 2, .level = FLUX_LEVEL_QUEUED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\ndone 2\n");
    assert_int_equal(fake_flushes(), 0);
}

static void test_flush_to_stored_fails_where_nothing_is_stored(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_flush flush = {.request_id = 2, .level = FLUX_LEVEL_STORED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 2 95\n");
}

static void test_flush_to_stored_asks_for_a_commit_and_waits_for_it(void **state)
{
    struct talk *talk = *state;
    talk->host.durable = true;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    const struct flux_flush flush = {.request_id = 2, .level = FLUX_LEVEL_STORED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_int_equal(fake_asked(), 1);
    assert_int_equal(fake_flushes(), 0);
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 1-1 @0\nsafe 1\ndone 2\n");
}

static void say_get(struct talk *talk, uint64_t id, enum flux_section section, const char *path)
{
    const struct flux_get get = {.request_id = id, .section = section, .path = flux_text(path)};
    assert_int_equal(flux_get_encode(&talk->said, &get), 0);
}

static void test_large_documents_are_streamed(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    char *document = malloc(150001);
    assert_non_null(document);
    memset(document, '1', 150000);
    document[150000] = '\0';
    fake_set_document(document);
    free(document);
    say_get(talk, 1, FLUX_SECTION_REPORTED, "");
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    size_t sum = 0;
    const char *line = talk->heard;
    for (; strncmp(line, "data 1 ", 7) == 0; line = strchr(line, '\n') + 1)
        sum += strtoul(line + 7, NULL, 10);
    assert_int_equal(sum, 150000);
    assert_string_equal(line, "queued 2-2 @0\n");
}

static void test_get_says_why_not(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_get(talk, 1, FLUX_SECTION_REPORTED, "/a");
    say_get(talk, 2, FLUX_SECTION_REPORTED, "a//");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 1 2\nfailed 2 22\n");
}

static void test_status_waits_for_the_daemon(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_status_request request = {.request_id = 9};
    assert_int_equal(flux_status_request_encode(&talk->said, &request), 0);
    say_report(talk, 10, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_STATUS);
    session_answer_question(talk->session, strdup("{}"), 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "data 9 2\nqueued 10-10 @0\n");
}

static void test_who_comes_while_it_ends_may_only_ask(void **state)
{
    struct talk *talk = *state;
    talk->host.is_ending = true;
    greet(talk);
    const struct flux_status_request request = {.request_id = 1};
    assert_int_equal(flux_status_request_encode(&talk->said, &request), 0);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_STATUS);
    session_answer_question(talk->session, strdup("{}"), 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "data 1 2\n");
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    char goodbye[64];
    (void)snprintf(goodbye, sizeof(goodbye), "goodbye %d fluxawsd stops\n", FLUX_GOODBYE_STOPPING);
    assert_heard(talk, goodbye);
    assert_int_equal(talk->host.counters.reports, 0);
}

static void test_who_has_reported_nothing_may_still_ask_at_the_end(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    assert_true(session_only_asks(talk->session));
    const struct flux_status_request request = {.request_id = 1};
    assert_int_equal(flux_status_request_encode(&talk->said, &request), 0);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_STATUS);
    session_answer_question(talk->session, NULL, 0);
}

static void test_who_has_reported_hears_the_end_of_it(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_false(session_only_asks(talk->session));
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/b", 1); /* sent before the end */
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 2-2 @0\n");
}

/* Who was there before is served as ever: what it sent is answered. */
static void test_who_was_there_before_the_end_is_served(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    talk->host.is_ending = true;
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
}

static void say_admin(struct talk *talk, uint64_t id, enum flux_admin_action action)
{
    const struct flux_admin admin = {.request_id = id, .action = action};
    assert_int_equal(flux_admin_encode(&talk->said, &admin), 0);
}

static void test_what_an_operator_wants_waits_for_the_daemon(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_admin(talk, 9, FLUX_ADMIN_PAUSE);
    say_admin(talk, 10, FLUX_ADMIN_RESUME);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_ADMIN);
    assert_int_equal(session_get_admin(talk->session)->action, FLUX_ADMIN_PAUSE);
    session_answer_question(talk->session, strdup("{}"), 2);
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_NOTHING);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_ADMIN);
    assert_int_equal(session_get_admin(talk->session)->action, FLUX_ADMIN_RESUME);
    session_refuse_question(talk->session, 13, "no");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "data 9 2\nfailed 10 13\n");
}

static void test_history_waits_for_the_daemon(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_history_request request = {.request_id = 9};
    assert_int_equal(flux_history_request_encode(&talk->said, &request), 0);
    talk_on(talk, SIZE_MAX);
    assert_int_equal(session_get_question(talk->session), SESSION_ASKS_HISTORY);
    session_answer_question(talk->session, NULL, 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 9 12\n");
}

/* What was asked may be the reason for which the client is dismissed. */
static void test_nothing_is_answered_behind_a_goodbye(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_admin(talk, 9, FLUX_ADMIN_RELOAD);
    talk_on(talk, SIZE_MAX);
    session_say_goodbye(talk->session, FLUX_GOODBYE_DENIED, "no");
    session_answer_question(talk->session, strdup("{}"), 2);
    session_refuse_question(talk->session, 13, "no");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "goodbye 8 no\n");
    assert_true(session_is_finished(talk->session));
}

static void test_violations_end_the_session_with_a_reason(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool greeted;
        const char *says;
    } cases[] = {
        {"{\"set\":1}\n", 10, true, "goodbye 2 JSON lines"},
        {"{\"set\":1}\n", 10, false, "goodbye 2 JSON lines"},
        {"GET / HTTP/1.1\r\n\r\n", 18, true, "goodbye 3 "},
        {"\0\0\0\0\0\0\0\0", 8, true, "goodbye 2 these bytes"},
        {"\x03\0\0\0\xff\xff\xff\x7f", 8, true, "goodbye 3 a frame is longer than the 65536"},
        {"\x03\0\0\0\0\0\0\0", 8, true, "goodbye 2 malformed REPORT"},
        {"\x03\0\0\0\0\0\0\0", 8, false, "goodbye 5 the first message must be HELLO"},
        {"\x3f\0\0\0\0\0\0\0", 8, true, "goodbye 4 message type 0x3f"},
        {"\x01\0\0\0\0\0\0\0", 8, true, "goodbye 5 a second HELLO"},
        {"\x01\0\0\0\0\0\0\0", 8, false, "goodbye 2 malformed HELLO"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        void *fresh = NULL;
        (void)talk_setup(&fresh);
        struct talk *talk = fresh;
        if (cases[i].greeted)
            greet(talk);
        talk_push(talk, cases[i].bytes, cases[i].size, SIZE_MAX);
        assert_false(session_is_finished(talk->session)); /* the reason is still to be sent */
        talk_listen(talk);
        assert_memory_equal(talk->heard, cases[i].says, strlen(cases[i].says));
        assert_true(session_is_finished(talk->session));
        (void)talk_teardown(&fresh);
    }
    (void)state;
}

/* What a client hears that announces a frame of 5,008 bytes, when the limit is changed behind the
 * WELCOME. */
static void announce_long_frame(uint32_t limit_told, uint32_t limit_now, const char *heard)
{
    void *fresh = NULL;
    (void)talk_setup(&fresh);
    struct talk *talk = fresh;
    talk->host.max_frame_bytes = limit_told;
    greet(talk);
    talk->host.max_frame_bytes = limit_now;
    talk_push(talk, "\x03\0\0\0\x88\x13\0\0", 8, SIZE_MAX);
    talk_listen(talk);
    assert_heard(talk, heard);
    (void)talk_teardown(&fresh);
}

static void test_frame_limit_that_was_told_counts_for_the_connection(void **state)
{
    (void)state;
    const char *refusal = "goodbye 3 a frame is longer than the 4096 bytes of MaxFrameBytes\n";
    announce_long_frame(65536, 4096, "");
    announce_long_frame(4096, 65536, refusal);
}

static void test_unknown_ignorable_message_is_skipped(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    talk_push(talk, "\x3f\x80\0\0\2\0\0\0zz", 10, SIZE_MAX);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\n");
}

static void test_versions_without_overlap_are_refused(void **state)
{
    struct talk *talk = *state;
    const struct flux_hello hello = {.min_version = 2, .max_version = 9, .name = flux_text("x")};
    assert_int_equal(flux_hello_encode(&talk->said, &hello), 0);
    talk_on(talk, SIZE_MAX);
    assert_memory_equal(talk->heard, "goodbye 1 no common protocol version", 36);
}

static void test_request_ids_must_rise(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 7, FLUX_LEVEL_QUEUED, "/a", 1);
    say_report(talk, 7, FLUX_LEVEL_QUEUED, "/a", 2);
    talk_on(talk, SIZE_MAX);
    assert_memory_equal(talk->heard, "queued 7-7 @0\ngoodbye 5 ", 24);
}

static void test_a_turn_is_shared_fairly(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 20000; id++)
        say_report(talk, id, FLUX_LEVEL_QUEUED, "/a", 1);
    assert_true(talk->said.size > 400000);
    void *space;
    size_t given = 0, turns = 0;
    while (given < talk->said.size) {
        const size_t room = session_input_space(talk->session, &space);
        const size_t size = room < talk->said.size - given ? room : talk->said.size - given;
        memcpy(space, talk->bytes + given, size);
        session_receive(talk->session, size);
        given += size;
        session_work(talk->session, NOW_MS, NOW_US);
        turns++;
        talk_listen(talk);
    }
    assert_true(turns >= talk->said.size / 70000);
    while (session_has_work(talk->session))
        session_work(talk->session, NOW_MS, NOW_US);
    talk_listen(talk);
    assert_non_null(strstr(talk->heard, "-20000 @0\n"));
}

/* Reports that are costly to check must not take the turn from the others. */
static void test_costly_reports_use_up_the_share_of_a_turn(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_cost(2500);
    for (uint64_t id = 1; id <= 100; id++)
        say_report(talk, id, FLUX_LEVEL_QUEUED, "/a", 1);
    void *space;
    assert_true(session_input_space(talk->session, &space) >= talk->said.size);
    memcpy(space, talk->bytes, talk->said.size);
    session_receive(talk->session, talk->said.size);
    session_work(talk->session, NOW_MS, NOW_US);
    talk_listen(talk);
    assert_heard(talk, "queued 1-4 @0\n");
    assert_true(session_has_work(talk->session));
}

static void test_client_that_does_not_read_is_not_read_from(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    talk->said.size = 0;
    uint64_t id = 0;
    void *space;
    size_t taken = 0;
    /* Reports that are all refused: each costs an answer of its own. */
    while (session_input_space(talk->session, &space) > 0 && taken < 10000000) {
        fake_refuse_next(400, "/a", "no such thing, and this text takes some room in the output");
        talk->said.size = 0;
        say_report(talk, ++id, FLUX_LEVEL_QUEUED, "/a", 1);
        taken += talk->said.size;
        talk_push(talk, talk->bytes, talk->said.size, SIZE_MAX);
    }
    assert_true(taken < 1000000);
    const void *data;
    assert_in_range(session_output(talk->session, &data), 65536, 65536 + 2048);
    talk_listen(talk);
    assert_true(session_input_space(talk->session, &space) > 0);
}

static void test_last_words_are_handled_before_the_end(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_push(talk, talk->bytes, talk->said.size, SIZE_MAX);
    talk->said.size = 0;
    session_end_input(talk->session);
    assert_false(session_is_finished(talk->session));
    talk_listen(talk);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_true(session_is_finished(talk->session));
}

/* Whatever a client sends: the session stays within its bounds, says why it ends, and can be freed.
 * The bytes are those of a sound conversation, some of them changed. */
static void test_mangled_bytes_never_break_it(void **state)
{
    (void)state;
    uint64_t random = 42;
    for (unsigned round = 0; round < 3000; round++) {
        void *fresh = NULL;
        (void)talk_setup(&fresh);
        struct talk *talk = fresh;
        say_hello(talk);
        for (uint64_t id = 1; id <= 5; id++)
            say_report(talk, id, id % 2 ? FLUX_LEVEL_ACCEPTED : FLUX_LEVEL_QUEUED, "/a/b", 1);
        say_get(talk, 6, FLUX_SECTION_REPORTED, "/a");
        const struct flux_flush flush = {.request_id = 7, .level = FLUX_LEVEL_ACCEPTED};
        assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
        say_report(talk, 8, FLUX_LEVEL_ACCEPTED, "/c", 1);
        say_open(talk, 1, 9, "config");
        say_watch(talk, 1, 10, "/led");
        say_watch(talk, 0, 11, "");
        const struct flux_keys keys = {1, 12, flux_text("/a")};
        assert_int_equal(flux_keys_encode(&talk->said, &keys), 0);
        const struct flux_forget forget = {0, 13, flux_text("/a/b")};
        assert_int_equal(flux_forget_encode(&talk->said, &forget), 0);
        const struct flux_reset reset = {1, round % 2 == 0, 14};
        assert_int_equal(flux_reset_encode(&talk->said, &reset), 0);
        const struct flux_unwatch unwatch = {1, 10};
        assert_int_equal(flux_unwatch_encode(&talk->said, &unwatch), 0);
        if (round % 3 == 0)
            assert_int_equal(flux_bye_encode(&talk->said), 0);
        const size_t changes = 1 + round % 4;
        for (size_t i = 0; i < changes; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            const size_t place = (size_t)(random >> 33) % talk->said.size;
            talk->bytes[place] = (uint8_t)(random >> 24);
        }
        talk_on(talk, 1 + round % 50);
        const void *data;
        assert_int_equal(session_output(talk->session, &data), 0);
        if (strstr(talk->heard, "goodbye"))
            assert_true(session_is_finished(talk->session));
        assert_null(strchr(talk->heard, '?'));
        (void)talk_teardown(&fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_bytes_may_come_one_by_one),
        SESSION_TEST(test_flush_is_done_behind_the_answers),
        SESSION_TEST(test_flush_to_queued_costs_no_update),
        SESSION_TEST(test_flush_to_stored_fails_where_nothing_is_stored),
        SESSION_TEST(test_flush_to_stored_asks_for_a_commit_and_waits_for_it),
        SESSION_TEST(test_large_documents_are_streamed),
        SESSION_TEST(test_get_says_why_not),
        SESSION_TEST(test_status_waits_for_the_daemon),
        SESSION_TEST(test_who_comes_while_it_ends_may_only_ask),
        SESSION_TEST(test_who_was_there_before_the_end_is_served),
        SESSION_TEST(test_who_has_reported_nothing_may_still_ask_at_the_end),
        SESSION_TEST(test_who_has_reported_hears_the_end_of_it),
        SESSION_TEST(test_what_an_operator_wants_waits_for_the_daemon),
        SESSION_TEST(test_history_waits_for_the_daemon),
        SESSION_TEST(test_nothing_is_answered_behind_a_goodbye),
        cmocka_unit_test(test_violations_end_the_session_with_a_reason),
        cmocka_unit_test(test_frame_limit_that_was_told_counts_for_the_connection),
        SESSION_TEST(test_unknown_ignorable_message_is_skipped),
        SESSION_TEST(test_versions_without_overlap_are_refused),
        SESSION_TEST(test_request_ids_must_rise),
        SESSION_TEST(test_a_turn_is_shared_fairly),
        SESSION_TEST(test_costly_reports_use_up_the_share_of_a_turn),
        SESSION_TEST(test_client_that_does_not_read_is_not_read_from),
        SESSION_TEST(test_last_words_are_handled_before_the_end),
        cmocka_unit_test(test_mangled_bytes_never_break_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
