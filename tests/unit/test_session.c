#include "daemon/ipc/session.h"
#include "tests/unit/fake_shadow.h"

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

#define NOW_MS 1000
#define NOW_US 1000000

/* A client's end of a session: what it says, and what it hears as lines of text. */
struct talk {
    struct session_host host;
    struct session *session;
    uint8_t bytes[1 << 20];
    struct flux_wire_writer said;
    char heard[65536];
};

static int setup(void **state)
{
    fake_reset();
    struct talk *talk = calloc(1, sizeof(*talk));
    assert_non_null(talk);
    talk->host.instance_id = 77;
    talk->host.max_frame_bytes = 65536;
    talk->host.max_depth = 8;
    flux_wire_writer_init(&talk->said, talk->bytes, sizeof(talk->bytes));
    assert_int_equal(session_new(&talk->session, &talk->host), 0);
    *state = talk;
    return 0;
}

static int teardown(void **state)
{
    struct talk *talk = *state;
    (void)session_free(talk->session);
    session_host_clear(&talk->host);
    assert_int_equal(talk->host.waits.pair_count, 0);
    assert_int_equal(fake_pins(), 0);
    free(talk);
    fake_reset();
    return 0;
}

static void hear_line(struct talk *talk, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void hear_line(struct talk *talk, const char *format, ...)
{
    const size_t used = strlen(talk->heard);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(talk->heard + used, sizeof(talk->heard) - used, format, arguments);
    va_end(arguments);
}

static void hear_frame(struct talk *talk, const struct flux_frame *frame)
{
    struct flux_welcome welcome;
    struct flux_answer answer;
    struct flux_rejected rejected;
    struct flux_safe safe;
    struct flux_data data;
    struct flux_done done;
    struct flux_failed failed;
    struct flux_goodbye goodbye;
    struct flux_opened opened;
    if (flux_welcome_decode(frame, &welcome) == 0 && frame->type == FLUX_MESSAGE_WELCOME)
        hear_line(talk, "welcome %u\n", welcome.version);
    else if (frame->type == FLUX_MESSAGE_ANSWER && flux_answer_decode(frame, &answer) == 0)
        hear_line(talk, "%s %llu-%llu @%lld\n", flux_level_name(answer.level),
                  (unsigned long long)answer.first_id, (unsigned long long)answer.last_id,
                  (long long)answer.version);
    else if (frame->type == FLUX_MESSAGE_REJECTED && flux_rejected_decode(frame, &rejected) == 0)
        hear_line(talk, "rejected %llu-%llu %u %.*s %.*s\n", (unsigned long long)rejected.first_id,
                  (unsigned long long)rejected.last_id, rejected.code, (int)rejected.path.size,
                  rejected.path.text, (int)rejected.text.size, rejected.text.text);
    else if (frame->type == FLUX_MESSAGE_SAFE && flux_safe_decode(frame, &safe) == 0)
        hear_line(talk, "safe %llu\n", (unsigned long long)safe.last_id);
    else if (frame->type == FLUX_MESSAGE_DATA && flux_data_decode(frame, &data) == 0)
        hear_line(talk, "data %llu %zu%s\n", (unsigned long long)data.request_id, data.bytes.size,
                  data.more ? " more" : "");
    else if (frame->type == FLUX_MESSAGE_DONE && flux_done_decode(frame, &done) == 0)
        hear_line(talk, "done %llu\n", (unsigned long long)done.request_id);
    else if (frame->type == FLUX_MESSAGE_FAILED && flux_failed_decode(frame, &failed) == 0)
        hear_line(talk, "failed %llu %u\n", (unsigned long long)failed.request_id, failed.code);
    else if (frame->type == FLUX_MESSAGE_OPENED && flux_opened_decode(frame, &opened) == 0)
        hear_line(talk, "opened %u\n", opened.handle);
    else if (frame->type == FLUX_MESSAGE_GOODBYE && flux_goodbye_decode(frame, &goodbye) == 0)
        hear_line(talk, "goodbye %d %.*s\n", goodbye.code, (int)goodbye.text.size,
                  goodbye.text.text);
    else
        hear_line(talk, "? type %u\n", frame->type);
}

/* Take all that the session has to say. */
static void listen_to(struct talk *talk)
{
    const void *data;
    size_t size;
    while ((size = session_output(talk->session, &data)) > 0) {
        struct flux_frame frame;
        const int taken = flux_frame_next(data, size, FLUX_FRAME_BYTES_MAX, &frame);
        assert_true(taken > 0);
        hear_frame(talk, &frame);
        session_sent(talk->session, (size_t)taken);
    }
}

/* Hand bytes to the session, `step` at a time, without listening. */
static void push(struct talk *talk, const void *bytes, size_t size, size_t step)
{
    const uint8_t *next = bytes;
    for (unsigned idle = 0; size > 0 && idle < 3;) {
        void *space;
        size_t room = session_input_space(talk->session, &space);
        if (room > size)
            room = size;
        if (room > step)
            room = step;
        idle = room == 0 ? idle + 1 : 0;
        memcpy(space, next, room);
        session_receive(talk->session, room);
        next += room;
        size -= room;
        session_work(talk->session, NOW_MS, NOW_US);
        session_settle(talk->session);
    }
}

/* Send what was said and listen until the session rests. */
static void talk_on(struct talk *talk, size_t step)
{
    push(talk, talk->bytes, talk->said.size, step);
    talk->said.size = 0;
    for (unsigned i = 0; i < 1000; i++) {
        listen_to(talk);
        if (!session_has_work(talk->session))
            break;
        session_work(talk->session, NOW_MS, NOW_US);
        session_settle(talk->session);
    }
    session_settle(talk->session);
    listen_to(talk);
}

static void say_hello(struct talk *talk)
{
    const struct flux_hello hello = {
        .min_version = 1, .max_version = 1, .instance_id = 5, .name = flux_text("tester")};
    assert_int_equal(flux_hello_encode(&talk->said, &hello), 0);
}

static void say_report(struct talk *talk, uint64_t id, enum flux_level level, const char *path,
                       int64_t number)
{
    const struct flux_report report = {.request_id = id, .level = level};
    struct flux_report_encoder encoder;
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    const struct flux_value value = flux_value_int64(number);
    assert_int_equal(flux_report_add_set(&encoder, path, strlen(path), &value), 0);
    flux_report_end(&encoder);
}

static void greet(struct talk *talk)
{
    say_hello(talk);
    talk_on(talk, SIZE_MAX);
    assert_string_equal(talk->heard, "welcome 1\n");
    talk->heard[0] = '\0';
}

#define assert_heard(talk, text)                                                                   \
    do {                                                                                           \
        assert_string_equal((talk)->heard, text);                                                  \
        (talk)->heard[0] = '\0';                                                                   \
    } while (0)

static void test_queued_is_answered_once_per_batch(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 3; id++)
        say_report(talk, id, FLUX_LEVEL_QUEUED, "/a", (int64_t)id);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-3 @0\n");
    assert_string_equal(fake_last_report(), "resent=0 us=1000000 set /a=3");
}

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

static void test_accepted_comes_when_all_of_a_report_is(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_report report = {.request_id = 4, .level = FLUX_LEVEL_ACCEPTED};
    struct flux_report_encoder encoder;
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    const struct flux_value value = flux_value_bool(true);
    assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &value), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/b", 2), 0);
    flux_report_end(&encoder);
    talk_on(talk, SIZE_MAX);
    assert_string_equal(fake_last_report(), "resent=0 us=1000000 set /a unset /b");
    assert_heard(talk, "queued 4-4 @0\n");
    fake_accept("/a", 7);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    fake_accept("/b", 6);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 4-4 @7\n");
    assert_int_equal(fake_pins(), 0);
}

static void test_answers_at_one_version_are_told_together(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 5; id++)
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, id == 3 ? "/slow" : "/fast", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-5 @0\n");
    fake_accept("/fast", 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 1-2 @2\naccepted 4-5 @2\n");
    fake_accept("/slow", 3);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 3-3 @3\n");
}

static void test_value_known_to_the_cloud_is_accepted_at_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_accept_ahead("/a", 5);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report(talk, 2, FLUX_LEVEL_QUEUED, "/a", 1);
    say_report(talk, 3, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-3 @0\naccepted 1-1 @5\n");
    assert_int_equal(fake_pins(), 1);
}

static void test_refusal_names_the_property(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    fake_refuse("/b", 413, "too large");
    fake_accept("/a", 2);
    talk_on(talk, SIZE_MAX);
    /* Each frame is sent once, whatever the order of the decisions. */
    assert_non_null(strstr(talk->heard, "accepted 1-1 @2\n"));
    assert_non_null(strstr(talk->heard, "rejected 2-2 413 /b too large\n"));
    assert_int_equal(fake_pins(), 0);
}

static void test_refusal_reaches_a_report_that_asked_for_queued(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 100; id++)
        say_report(talk, id, FLUX_LEVEL_QUEUED, id % 2 ? "/odd" : "/even", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-100 @0\n");
    assert_int_equal(fake_pins(), 2); /* one per property, not one per report */
    fake_refuse("/odd", 400, "no");
    fake_accept("/even", 3);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 99-99 400 /odd no\n");
    assert_int_equal(fake_pins(), 0);
}

static void test_local_refusal_is_told_at_once(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    fake_refuse_next(400, "/a/b", "too deep");
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/a/b", 1);
    say_report(talk, 3, FLUX_LEVEL_ACCEPTED, "/c", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 2-2 400 /a/b too deep\nqueued 3-3 @0\n");
}

static void test_value_refused_before_is_refused_again(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    fake_refuse_ahead("/a", 400, "no");
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\nrejected 1-1 400 /a no\n");
    say_report(talk, 2, FLUX_LEVEL_ACCEPTED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 2-2 @0\nrejected 2-2 400 /a no\n");
}

static void test_stored_is_refused_where_nothing_is_stored(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    assert_non_null(strstr(talk->heard, "rejected 1-1 95 "));
    assert_non_null(strstr(talk->heard, "volatile"));
    assert_string_equal(fake_last_report(), "");
}

static void test_stored_comes_with_the_disk(void **state)
{
    struct talk *talk = *state;
    talk->host.durable = true;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_STORED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    say_report(talk, 2, FLUX_LEVEL_STORED, "/a", 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "queued 1-1 @0\nqueued 2-2 @0\n");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 1-1 @0\nsafe 1\n");
    fake_settle(2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "stored 2-2 @0\nsafe 2\n");
}

static void test_safe_follows_the_settled_revision(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    talk_on(talk, SIZE_MAX);
    say_report(talk, 5, FLUX_LEVEL_QUEUED, "/b", 1);
    talk_on(talk, SIZE_MAX);
    talk->heard[0] = '\0';
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
    fake_settle(1);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 1\n");
    fake_settle(2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 5\n");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "");
}

static void test_safe_is_never_early_when_marks_run_out(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    for (uint64_t id = 1; id <= 200; id++) {
        say_report(talk, id, FLUX_LEVEL_QUEUED, "/a", 1);
        talk_on(talk, SIZE_MAX);
    }
    talk->heard[0] = '\0';
    fake_settle(150);
    talk_on(talk, SIZE_MAX);
    unsigned long long safe = 0;
    assert_int_equal(sscanf(talk->heard, "safe %llu", &safe), 1);
    assert_in_range(safe, 60, 150);
    talk->heard[0] = '\0';
    fake_settle(200);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "safe 200\n");
}

static void test_resent_carries_its_time_but_never_one_ahead(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    static const struct {
        int64_t set_us;
        const char *line;
    } cases[] = {{400, "resent=1 us=400 set /a=1"}, {NOW_US * 2, "resent=1 us=1000000 set /a=1"}};
    for (uint64_t i = 0; i < 2; i++) {
        const struct flux_report report = {.request_id = i + 1,
                                           .level = FLUX_LEVEL_QUEUED,
                                           .resent = true,
                                           .set_us = cases[i].set_us};
        struct flux_report_encoder encoder;
        assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
        const struct flux_value value = flux_value_int64(1);
        assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &value), 0);
        flux_report_end(&encoder);
        talk_on(talk, SIZE_MAX);
        assert_string_equal(fake_last_report(), cases[i].line);
    }
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

static void test_flush_to_stored_fails_where_nothing_is_stored(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_flush flush = {.request_id = 2, .level = FLUX_LEVEL_STORED};
    assert_int_equal(flux_flush_encode(&talk->said, &flush), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 2 95\n");
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
    say_get(talk, 2, FLUX_SECTION_DESIRED, "");
    say_get(talk, 3, FLUX_SECTION_REPORTED, "a//");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 1 2\nfailed 2 95\nfailed 3 22\n");
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
    assert_true(session_wants_status(talk->session));
    session_answer_status(talk->session, strdup("{}"), 2);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "data 9 2\nqueued 10-10 @0\n");
}

static void test_other_shadows_are_not_there_yet(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    const struct flux_open_shadow named = {
        .handle = 1, .request_id = 1, .shadow = flux_text("config")};
    const struct flux_open_shadow classic = {.handle = 2, .request_id = 2};
    const struct flux_open_shadow taken = {.handle = 2, .request_id = 3};
    assert_int_equal(flux_open_shadow_encode(&talk->said, &named), 0);
    assert_int_equal(flux_open_shadow_encode(&talk->said, &classic), 0);
    assert_int_equal(flux_open_shadow_encode(&talk->said, &taken), 0);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "failed 1 95\nopened 2\nfailed 3 17\n");
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
        (void)setup(&fresh);
        struct talk *talk = fresh;
        if (cases[i].greeted)
            greet(talk);
        push(talk, cases[i].bytes, cases[i].size, SIZE_MAX);
        assert_false(session_is_finished(talk->session)); /* the reason is still to be sent */
        listen_to(talk);
        assert_memory_equal(talk->heard, cases[i].says, strlen(cases[i].says));
        assert_true(session_is_finished(talk->session));
        (void)teardown(&fresh);
    }
    (void)state;
}

static void test_unknown_ignorable_message_is_skipped(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    push(talk, "\x3f\x80\0\0\2\0\0\0zz", 10, SIZE_MAX);
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
        listen_to(talk);
    }
    assert_true(turns >= talk->said.size / 70000);
    while (session_has_work(talk->session))
        session_work(talk->session, NOW_MS, NOW_US);
    listen_to(talk);
    assert_non_null(strstr(talk->heard, "-20000 @0\n"));
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
        push(talk, talk->bytes, talk->said.size, SIZE_MAX);
    }
    assert_true(taken < 1000000);
    const void *data;
    assert_in_range(session_output(talk->session, &data), 65536, 65536 + 2048);
    listen_to(talk);
    assert_true(session_input_space(talk->session, &space) > 0);
}

static void test_waiting_is_bounded_and_neighbours_share(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    char path[16];
    for (uint64_t id = 1; id <= 3000; id++) {
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)(id % 1500));
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, path, 1);
        talk_on(talk, SIZE_MAX);
    }
    talk->heard[0] = '\0';
    struct session_info info;
    session_get_info(talk->session, &info);
    assert_int_equal(info.waiting, WAITS_ENTRIES_MAX);
    assert_in_range(fake_pins(), 1, 3000);

    /* What shares an entry is answered when all of it is accepted, not before. */
    for (unsigned i = 0; i < 1499; i++) {
        (void)snprintf(path, sizeof(path), "/p%u", i);
        fake_accept(path, 5);
    }
    talk_on(talk, SIZE_MAX);
    assert_string_equal(talk->heard, "accepted 1-1023 @5\n");
    talk->heard[0] = '\0';
    fake_accept("/p1499", 6);
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "accepted 1024-3000 @6\n");
    assert_int_equal(fake_pins(), 0);
}

static void test_refusal_in_a_shared_entry_covers_the_range(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    char path[16];
    for (uint64_t id = 1; id <= 1030; id++) {
        (void)snprintf(path, sizeof(path), "/p%llu", (unsigned long long)id);
        say_report(talk, id, FLUX_LEVEL_ACCEPTED, path, 1);
        talk_on(talk, SIZE_MAX);
    }
    talk->heard[0] = '\0';
    fake_refuse("/p1027", 413, "too large");
    talk_on(talk, SIZE_MAX);
    assert_heard(talk, "rejected 1024-1030 413 /p1027 too large\n");
}

static void test_too_many_values_to_wait_for_are_refused(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    uint64_t id = 0;
    for (unsigned i = 0; i < 9; i++) {
        const struct flux_report report = {.request_id = ++id, .level = FLUX_LEVEL_ACCEPTED};
        struct flux_report_encoder encoder;
        assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
        const struct flux_value value = flux_value_bool(true);
        for (unsigned j = 0; j < 1000; j++) {
            char path[16];
            (void)snprintf(path, sizeof(path), "/p%u", j);
            assert_int_equal(flux_report_add_set(&encoder, path, strlen(path), &value), 0);
        }
        flux_report_end(&encoder);
        talk_on(talk, SIZE_MAX);
    }
    assert_non_null(strstr(talk->heard, "rejected 9-9 105 "));
    assert_int_equal(fake_pins(), 8000);
}

static void test_last_words_are_handled_before_the_end(void **state)
{
    struct talk *talk = *state;
    greet(talk);
    say_report(talk, 1, FLUX_LEVEL_QUEUED, "/a", 1);
    push(talk, talk->bytes, talk->said.size, SIZE_MAX);
    talk->said.size = 0;
    session_end_input(talk->session);
    assert_false(session_is_finished(talk->session));
    listen_to(talk);
    assert_heard(talk, "queued 1-1 @0\n");
    assert_true(session_is_finished(talk->session));
}

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SESSION_TEST(test_queued_is_answered_once_per_batch),
        SESSION_TEST(test_bytes_may_come_one_by_one),
        SESSION_TEST(test_accepted_comes_when_all_of_a_report_is),
        SESSION_TEST(test_answers_at_one_version_are_told_together),
        SESSION_TEST(test_value_known_to_the_cloud_is_accepted_at_once),
        SESSION_TEST(test_refusal_names_the_property),
        SESSION_TEST(test_refusal_reaches_a_report_that_asked_for_queued),
        SESSION_TEST(test_local_refusal_is_told_at_once),
        SESSION_TEST(test_value_refused_before_is_refused_again),
        SESSION_TEST(test_stored_is_refused_where_nothing_is_stored),
        SESSION_TEST(test_stored_comes_with_the_disk),
        SESSION_TEST(test_safe_follows_the_settled_revision),
        SESSION_TEST(test_safe_is_never_early_when_marks_run_out),
        SESSION_TEST(test_resent_carries_its_time_but_never_one_ahead),
        SESSION_TEST(test_flush_is_done_behind_the_answers),
        SESSION_TEST(test_flush_to_stored_fails_where_nothing_is_stored),
        SESSION_TEST(test_large_documents_are_streamed),
        SESSION_TEST(test_get_says_why_not),
        SESSION_TEST(test_status_waits_for_the_daemon),
        SESSION_TEST(test_other_shadows_are_not_there_yet),
        cmocka_unit_test(test_violations_end_the_session_with_a_reason),
        SESSION_TEST(test_unknown_ignorable_message_is_skipped),
        SESSION_TEST(test_versions_without_overlap_are_refused),
        SESSION_TEST(test_request_ids_must_rise),
        SESSION_TEST(test_a_turn_is_shared_fairly),
        SESSION_TEST(test_client_that_does_not_read_is_not_read_from),
        SESSION_TEST(test_waiting_is_bounded_and_neighbours_share),
        SESSION_TEST(test_refusal_in_a_shared_entry_covers_the_range),
        SESSION_TEST(test_too_many_values_to_wait_for_are_refused),
        SESSION_TEST(test_last_words_are_handled_before_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
