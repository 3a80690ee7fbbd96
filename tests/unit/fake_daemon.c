#include "tests/unit/fake_daemon.h"
#include "proto/json_writer.h"
#include "proto/limits.h"
#include <setjmp.h>
#include <stdarg.h>
/* cmocka wants the two above first */
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER_BYTES (4u * 1024u * 1024u)

void fake_listen(struct fake_daemon *daemon)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", daemon->path);
    (void)unlink(daemon->path);
    daemon->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(daemon->listen_fd >= 0);
    assert_int_equal(bind(daemon->listen_fd, (const struct sockaddr *)&address, sizeof(address)),
                     0);
    assert_int_equal(listen(daemon->listen_fd, 8), 0);
}

void fake_start(struct fake_daemon *daemon)
{
    *daemon = (struct fake_daemon){.listen_fd = -1, .socket_fd = -1};
    (void)snprintf(daemon->directory, sizeof(daemon->directory), "/tmp/fluxaws-test-XXXXXX");
    assert_non_null(mkdtemp(daemon->directory));
    (void)snprintf(daemon->path, sizeof(daemon->path), "%s/socket", daemon->directory);
    daemon->buffer = malloc(BUFFER_BYTES);
    assert_non_null(daemon->buffer);
    fake_listen(daemon);
}

void fake_close_listener(struct fake_daemon *daemon)
{
    if (daemon->listen_fd >= 0)
        (void)close(daemon->listen_fd);
    daemon->listen_fd = -1;
}

void fake_hang_up(struct fake_daemon *daemon)
{
    if (daemon->socket_fd >= 0)
        (void)close(daemon->socket_fd);
    daemon->socket_fd = -1;
    daemon->size = 0;
    daemon->consumed = 0;
}

void fake_stop(struct fake_daemon *daemon)
{
    fake_hang_up(daemon);
    fake_close_listener(daemon);
    (void)unlink(daemon->path);
    (void)rmdir(daemon->directory);
    free(daemon->buffer);
}

bool fake_accept(struct fake_daemon *daemon)
{
    assert_int_equal(daemon->socket_fd, -1);
    daemon->socket_fd = accept4(daemon->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    return daemon->socket_fd >= 0;
}

bool fake_next(struct fake_daemon *daemon, struct flux_frame *ret_frame)
{
    memmove(daemon->buffer, daemon->buffer + daemon->consumed, daemon->size - daemon->consumed);
    daemon->size -= daemon->consumed;
    daemon->consumed = 0;
    int r = flux_frame_next(daemon->buffer, daemon->size, FLUX_FRAME_BYTES_MAX, ret_frame);
    assert_true(r >= 0);
    while (r == 0) {
        ssize_t got =
            recv(daemon->socket_fd, daemon->buffer + daemon->size, BUFFER_BYTES - daemon->size, 0);
        if (got <= 0)
            return false;
        daemon->size += (size_t)got;
        r = flux_frame_next(daemon->buffer, daemon->size, FLUX_FRAME_BYTES_MAX, ret_frame);
        assert_true(r >= 0);
    }
    daemon->consumed = (size_t)r;
    return true;
}

struct flux_frame fake_expect(struct fake_daemon *daemon, enum flux_message_type type)
{
    struct flux_frame frame;
    assert_true(fake_next(daemon, &frame));
    assert_string_equal(flux_message_name(frame.type), flux_message_name((uint8_t)type));
    return frame;
}

bool fake_is_quiet(struct fake_daemon *daemon)
{
    struct flux_frame frame;
    return !fake_next(daemon, &frame);
}

static bool text_is(struct flux_text text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.text, expected, text.size) == 0;
}

uint16_t fake_expect_open(struct fake_daemon *daemon, const char *thing, const char *shadow,
                          uint64_t *ret_id)
{
    struct flux_frame frame = fake_expect(daemon, FLUX_MESSAGE_OPEN_SHADOW);
    struct flux_open_shadow open;
    assert_int_equal(flux_open_shadow_decode(&frame, &open), 0);
    assert_true(text_is(open.thing, thing));
    assert_true(text_is(open.shadow, shadow));
    if (ret_id != NULL)
        *ret_id = open.request_id;
    return open.handle;
}

uint64_t fake_expect_watch(struct fake_daemon *daemon, uint16_t shadow, const char *path)
{
    struct flux_frame frame = fake_expect(daemon, FLUX_MESSAGE_WATCH);
    struct flux_watch watch;
    assert_int_equal(flux_watch_decode(&frame, &watch), 0);
    assert_int_equal(watch.shadow, shadow);
    assert_true(text_is(watch.path, path));
    return watch.request_id;
}

static void describe(const struct flux_change *change, char *text, size_t size)
{
    if (change->kind != FLUX_SET) {
        (void)snprintf(text, size, "%.*s%c", (int)change->path_size, change->path,
                       change->kind == FLUX_UNSET ? '!' : '?');
        return;
    }
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_value(&writer, &change->value);
    (void)snprintf(text, size, "%.*s=%.80s", (int)change->path_size, change->path, writer.text);
    flux_json_writer_clear(&writer);
}

void fake_expect_report(struct fake_daemon *daemon, struct fake_report *ret_report)
{
    struct flux_frame frame = fake_expect(daemon, FLUX_MESSAGE_REPORT);
    fake_read_report(&frame, ret_report);
}

void fake_read_report(const struct flux_frame *frame, struct fake_report *ret_report)
{
    struct flux_wire_reader operations;
    assert_int_equal(flux_report_decode(frame, &ret_report->head, &operations), 0);
    struct flux_change change;
    ret_report->count = 0;
    int r;
    while ((r = flux_report_next(&operations, &change)) == 1) {
        assert_true(ret_report->count < FAKE_OPERATIONS_MAX);
        describe(&change, ret_report->operations[ret_report->count],
                 sizeof(ret_report->operations[0]));
        ret_report->count++;
    }
    assert_int_equal(r, 0);
}

void fake_send(struct fake_daemon *daemon, const void *data, size_t size)
{
    assert_int_equal(send(daemon->socket_fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

bool fake_try_send(struct fake_daemon *daemon, const void *data, size_t size)
{
    ssize_t sent = send(daemon->socket_fd, data, size, MSG_NOSIGNAL);
    assert_true(sent == (ssize_t)size || (sent < 0 && (errno == EAGAIN || errno == EPIPE)));
    return sent >= 0;
}

static void send_written(struct fake_daemon *daemon, const struct flux_wire_writer *writer, int r)
{
    assert_int_equal(r, 0);
    fake_send(daemon, writer->data, writer->size);
}

void fake_greet_with_limit(struct fake_daemon *daemon, uint32_t flags, uint32_t frame_bytes_max)
{
    struct flux_frame frame = fake_expect(daemon, FLUX_MESSAGE_HELLO);
    struct flux_hello hello;
    assert_int_equal(flux_hello_decode(&frame, &hello), 0);
    uint8_t room[256];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_welcome welcome = {
        .version = hello.max_version,
        .instance_id = 7,
        .flags = flags,
        .max_frame_bytes = frame_bytes_max,
        .max_depth = 8,
    };
    send_written(daemon, &writer, flux_welcome_encode(&writer, &welcome));
}

void fake_greet(struct fake_daemon *daemon, uint32_t flags)
{
    fake_greet_with_limit(daemon, flags, FLUX_FRAME_BYTES_DEFAULT);
}

void fake_answer(struct fake_daemon *daemon, enum flux_level level, uint64_t first_id,
                 uint64_t last_id, int64_t version)
{
    uint8_t room[256];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_answer answer = {
        .shadow = daemon->shadow,
        .level = level,
        .first_id = first_id,
        .last_id = last_id,
        .version = version,
    };
    send_written(daemon, &writer, flux_answer_encode(&writer, &answer));
}

void fake_reject(struct fake_daemon *daemon, uint64_t first_id, uint64_t last_id, uint32_t code,
                 const char *path, const char *text)
{
    uint8_t room[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_rejected rejected = {
        .shadow = daemon->shadow,
        .first_id = first_id,
        .last_id = last_id,
        .code = code,
        .path = flux_text(path),
        .text = flux_text(text),
    };
    send_written(daemon, &writer, flux_rejected_encode(&writer, &rejected));
}

void fake_safe(struct fake_daemon *daemon, uint64_t last_id)
{
    uint8_t room[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_safe safe = {.shadow = daemon->shadow, .last_id = last_id};
    send_written(daemon, &writer, flux_safe_encode(&writer, &safe));
}

void fake_data(struct fake_daemon *daemon, uint64_t request_id, bool more, const char *text)
{
    uint8_t room[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_data data = {.request_id = request_id, .more = more, .bytes = flux_text(text)};
    send_written(daemon, &writer, flux_data_encode(&writer, &data));
}

void fake_done(struct fake_daemon *daemon, uint64_t request_id)
{
    uint8_t room[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_done done = {.request_id = request_id};
    send_written(daemon, &writer, flux_done_encode(&writer, &done));
}

void fake_opened(struct fake_daemon *daemon, uint16_t handle, uint64_t request_id)
{
    uint8_t room[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_opened opened = {.handle = handle, .request_id = request_id};
    send_written(daemon, &writer, flux_opened_encode(&writer, &opened));
}

void fake_desired(struct fake_daemon *daemon, uint64_t watch_id, const char *path, int64_t number,
                  int64_t version, bool stale)
{
    uint8_t room[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_desired desired = {
        .shadow = daemon->shadow,
        .request_id = watch_id,
        .version = version,
        .stale = stale,
        .path = flux_text(path),
        .value =
            number != 0 ? flux_value_int64(number) : (struct flux_value){.type = FLUX_VALUE_NONE},
    };
    send_written(daemon, &writer, flux_desired_encode(&writer, &desired));
}

void fake_complete(struct fake_daemon *daemon, uint64_t watch_id, int64_t version)
{
    uint8_t room[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_desired desired = {
        .shadow = daemon->shadow, .request_id = watch_id, .version = version, .complete = true};
    send_written(daemon, &writer, flux_desired_encode(&writer, &desired));
}

void fake_failed(struct fake_daemon *daemon, uint64_t request_id, uint32_t code, const char *text)
{
    uint8_t room[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_failed failed = {.request_id = request_id, .code = code, .text = flux_text(text)};
    send_written(daemon, &writer, flux_failed_encode(&writer, &failed));
}

void fake_goodbye(struct fake_daemon *daemon, enum flux_goodbye_code code, const char *text)
{
    uint8_t room[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    struct flux_goodbye goodbye = {.code = code, .text = flux_text(text)};
    send_written(daemon, &writer, flux_goodbye_encode(&writer, &goodbye));
}
