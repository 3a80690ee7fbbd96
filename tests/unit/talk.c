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

int talk_setup(void **state)
{
    fake_reset();
    struct talk *talk = calloc(1, sizeof(*talk));
    assert_non_null(talk);
    talk->host.instance_id = 77;
    talk->host.max_frame_bytes = 65536;
    talk->host.max_depth = 8;
    flux_wire_writer_init(&talk->said, talk->bytes, sizeof(talk->bytes));
    const struct session_peer peer = {.uid = 1000, .unit = "tester.service"};
    assert_int_equal(session_new(&talk->session, &talk->host, &peer), 0);
    *state = talk;
    return 0;
}

void talk_end(struct talk *talk)
{
    talk->session = session_free(talk->session, NOW_MS);
}

int talk_teardown(void **state)
{
    struct talk *talk = *state;
    talk_end(talk);
    session_host_clear(&talk->host);
    assert_int_equal(talk->host.waits.pair_count, 0);
    assert_int_equal(talk->host.stream_bytes, 0);
    assert_int_equal(talk->host.watch_count, 0);
    assert_int_equal(fake_pins(), 0);
    assert_int_equal(fake_users(), 0);
    assert_int_equal(fake_watchers(), 0);
    assert_int_equal(fake_writers(), 0);
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

static void hear_desired(struct talk *talk, const struct flux_desired *desired)
{
    if (desired->complete) {
        hear_line(talk, "complete %llu @%lld\n", (unsigned long long)desired->request_id,
                  (long long)desired->version);
        return;
    }
    hear_line(talk, "desired %llu %.*s", (unsigned long long)desired->request_id,
              (int)desired->path.size, desired->path.text);
    if (desired->value.type == FLUX_VALUE_STRING)
        hear_line(talk, " %.*s", (int)desired->value.size, desired->value.text);
    hear_line(talk, " @%lld\n", (long long)desired->version);
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
    struct flux_desired desired;
    if (flux_welcome_decode(frame, &welcome) == 0 && frame->type == FLUX_MESSAGE_WELCOME)
        hear_line(talk, "welcome %u\n", welcome.version);
    else if (frame->type == FLUX_MESSAGE_ANSWER && flux_answer_decode(frame, &answer) == 0)
        hear_line(talk, "%s %llu-%llu @%lld%s\n", flux_level_name(answer.level),
                  (unsigned long long)answer.first_id, (unsigned long long)answer.last_id,
                  (long long)answer.version, answer.deadband ? " deadband" : "");
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
    else if (frame->type == FLUX_MESSAGE_DESIRED && flux_desired_decode(frame, &desired) == 0)
        hear_desired(talk, &desired);
    else if (frame->type == FLUX_MESSAGE_GOODBYE && flux_goodbye_decode(frame, &goodbye) == 0)
        hear_line(talk, "goodbye %d %.*s\n", goodbye.code, (int)goodbye.text.size,
                  goodbye.text.text);
    else
        hear_line(talk, "? type %u\n", frame->type);
}

void talk_listen(struct talk *talk)
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

void talk_push(struct talk *talk, const void *bytes, size_t size, size_t step)
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

void talk_on(struct talk *talk, size_t step)
{
    talk_push(talk, talk->bytes, talk->said.size, step);
    talk->said.size = 0;
    for (unsigned i = 0; i < 1000; i++) {
        talk_listen(talk);
        if (!session_has_work(talk->session))
            break;
        session_work(talk->session, NOW_MS, NOW_US);
        session_settle(talk->session);
    }
    session_settle(talk->session);
    talk_listen(talk);
}

void say_hello(struct talk *talk)
{
    const struct flux_hello hello = {
        .min_version = 1, .max_version = 1, .instance_id = 5, .name = flux_text("tester")};
    assert_int_equal(flux_hello_encode(&talk->said, &hello), 0);
}

void say_report(struct talk *talk, uint64_t id, enum flux_level level, const char *path,
                int64_t number)
{
    say_report_to(talk, 0, id, level, path, number);
}

void say_open(struct talk *talk, uint16_t handle, uint64_t id, const char *shadow)
{
    const struct flux_open_shadow open = {
        .handle = handle, .request_id = id, .shadow = flux_text(shadow)};
    assert_int_equal(flux_open_shadow_encode(&talk->said, &open), 0);
}

void say_watch(struct talk *talk, uint16_t handle, uint64_t id, const char *path)
{
    const struct flux_watch watch = {handle, id, flux_text(path)};
    assert_int_equal(flux_watch_encode(&talk->said, &watch), 0);
}

void say_report_to(struct talk *talk, uint16_t handle, uint64_t id, enum flux_level level,
                   const char *path, int64_t number)
{
    const struct flux_report report = {.shadow = handle, .request_id = id, .level = level};
    struct flux_report_encoder encoder;
    assert_int_equal(flux_report_begin(&encoder, &talk->said, 65536, &report), 0);
    const struct flux_value value = flux_value_int64(number);
    assert_int_equal(flux_report_add_set(&encoder, path, strlen(path), &value), 0);
    flux_report_end(&encoder);
}

void greet(struct talk *talk)
{
    say_hello(talk);
    talk_on(talk, SIZE_MAX);
    assert_string_equal(talk->heard, "welcome 1\n");
    talk->heard[0] = '\0';
}
