/* libFuzzer: a daemon that says anything to a program that uses all of the library. The library may
 * hang up; it does not fall over, sends nothing but frames, and tells the program nothing that
 * cannot be. */
#include "client/client.h"
#include "tests/fuzz/fuzz_input.h"
#include "tests/fuzz/message_recode.h"
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 300u

/* The daemon's end. */
struct end {
    struct fluxaws_client *client;
    int fd; /* -1: nobody is connected */
    uint8_t *sent;
    size_t sent_size, sent_capacity;
};

static int listen_fd = -1; /* of all runs */
static char directory[64];
static struct sockaddr_un address = {.sun_family = AF_UNIX};

static void remove_socket(void)
{
    (void)unlink(address.sun_path);
    (void)rmdir(directory);
}

static void listen_once(void)
{
    if (listen_fd >= 0)
        return;
    const char *place = getenv("TMPDIR");
    (void)snprintf(directory, sizeof(directory), "%.40s/fuzz-XXXXXX", place ? place : "/tmp");
    fuzz_require(mkdtemp(directory) != NULL);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
    (void)atexit(remove_socket);
    listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    fuzz_require(listen_fd >= 0);
    fuzz_require(bind(listen_fd, (const struct sockaddr *)&address, sizeof(address)) == 0);
    fuzz_require(listen(listen_fd, 16) == 0);
}

static void hang_up(struct end *end)
{
    if (end->fd >= 0)
        (void)close(end->fd);
    end->fd = -1;
    end->sent_size = 0;
}

static void say(struct end *end, const void *bytes, size_t size)
{
    if (end->fd >= 0 && size > 0)
        (void)send(end->fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void say_written(struct end *end, const struct flux_wire_writer *writer, int r)
{
    if (r == 0)
        say(end, writer->data, writer->size);
}

/* Everything that the library sends is a message of a client, well formed. */
static void hear(struct end *end)
{
    static uint8_t recoded[FLUX_FRAME_BYTES_MAX + 64];
    ssize_t got;
    do {
        if (end->sent_capacity - end->sent_size < 65536) {
            end->sent_capacity += 1u << 18;
            fuzz_hold(true);
            end->sent = realloc(end->sent, end->sent_capacity);
            fuzz_hold(false);
            fuzz_require(end->sent != NULL);
        }
        got = end->fd < 0 ? 0 : recv(end->fd, end->sent + end->sent_size, 65536, MSG_DONTWAIT);
        end->sent_size += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    size_t position = 0;
    while (position < end->sent_size) {
        struct flux_frame frame;
        struct flux_wire_writer writer;
        int r = flux_frame_next(end->sent + position, end->sent_size - position,
                                FLUX_FRAME_BYTES_MAX, &frame);
        fuzz_require(r >= 0);
        if (r == 0)
            break;
        flux_wire_writer_init(&writer, recoded, sizeof(recoded));
        fuzz_require(frame.type < 0x40 && message_recode(&frame, &writer) == 0);
        position += (size_t)r;
    }
    memmove(end->sent, end->sent + position, end->sent_size - position);
    end->sent_size -= position;
}

static void meet(struct end *end)
{
    if (end->client->state == CLIENT_AWAY)
        hang_up(end);
    end->client->retry_at_ms = 0;
    (void)fluxaws_dispatch(end->client, 0);
    const int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0)
        return;
    hang_up(end);
    end->fd = fd;
}

static void greet(struct end *end, uint8_t mood)
{
    uint8_t room[64];
    struct flux_wire_writer writer;
    const struct flux_welcome welcome = {
        .version = mood & 16 ? 9 : 1,
        .instance_id = 7,
        .flags = mood & 1,
        .max_frame_bytes = mood & 2    ? 4096
                           : mood & 32 ? 100
                                       : FLUX_FRAME_BYTES_DEFAULT,
        .max_depth = mood & 4 ? 2 : 8,
    };
    flux_wire_writer_init(&writer, room, sizeof(room));
    say_written(end, &writer, flux_welcome_encode(&writer, &welcome));
}

/* Ids that mean something to the library are more of a danger than others. */
static uint64_t pick_id(const struct fluxaws_client *client, uint8_t choice)
{
    const struct client_watch *watch = client->watches.first;
    switch (choice % 6) {
    case 0:
        return watch ? watch->request_id : 1;
    case 1:
        return watch && watch->next ? watch->next->request_id : 2;
    case 2:
        return client->shadows[client->shadow_count - 1]->open_id;
    case 3:
        return client->shadow->will_id;
    case 4:
        return client->last_id;
    default:
        return choice / 6;
    }
}

/* A message with a good head and any payload, aimed or not. */
static void say_message(struct end *end, struct fuzz_input *input)
{
    static const uint8_t types[] = {0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49,
                                    0x4a, 0x41, 0x4a, 0x4a, 0x43, 0x44, 0x02, 0x7a};
    uint8_t bytes[FLUX_FRAME_HEADER_BYTES + 256];
    struct flux_wire_writer writer;
    const uint8_t head = fuzz_u8(input), aim = fuzz_u8(input);
    size_t size;
    flux_wire_writer_init(&writer, bytes, sizeof(bytes));
    flux_wire_put_u8(&writer, types[head % 16]);
    flux_wire_put_u8(&writer, head >> 4);
    flux_wire_put_u16(&writer, aim & 3);
    const uint8_t *payload = fuzz_piece(input, &size);
    flux_wire_put_u32(&writer, (uint32_t)size);
    if (size > 0)
        memcpy(bytes + FLUX_FRAME_HEADER_BYTES, payload, size);
    const size_t place = types[head % 16] == FLUX_MESSAGE_ANSWER ? 1 : 0;
    if (aim >> 2 != 0 && size >= place + 8) {
        flux_wire_writer_init(&writer, bytes + FLUX_FRAME_HEADER_BYTES + place, 8);
        flux_wire_put_u64(&writer, pick_id(end->client, aim >> 2));
    }
    say(end, bytes, FLUX_FRAME_HEADER_BYTES + size);
}

static void answer(struct end *end, struct fuzz_input *input)
{
    uint8_t room[512];
    struct flux_wire_writer writer;
    const struct fluxaws_client *client = end->client;
    const uint8_t what = fuzz_u8(input);
    const uint64_t last = client->sent_id - (client->sent_id > what >> 4 ? what >> 4 : 0);
    const uint16_t handle = what >> 3 & 1;
    flux_wire_writer_init(&writer, room, sizeof(room));
    switch (what % 8) {
    case 0:
    case 1:
    case 2: {
        const struct flux_answer message = {.shadow = handle,
                                            .level = (enum flux_level)(1 + what % 8),
                                            .first_id = 1,
                                            .last_id = last,
                                            .version = what % 8 == 2 ? 5 : 0};
        say_written(end, &writer, flux_answer_encode(&writer, &message));
        break;
    }
    case 3: {
        const struct flux_rejected message = {.shadow = handle,
                                              .first_id = last,
                                              .last_id = last,
                                              .code = 400,
                                              .path = flux_text("/a"),
                                              .text = flux_text("no")};
        say_written(end, &writer, flux_rejected_encode(&writer, &message));
        break;
    }
    case 4: {
        const struct flux_safe message = {.shadow = handle, .last_id = last};
        say_written(end, &writer, flux_safe_encode(&writer, &message));
        break;
    }
    case 5: {
        const struct flux_opened message = {
            .handle = 1, .request_id = client->shadows[client->shadow_count - 1]->open_id};
        say_written(end, &writer, flux_opened_encode(&writer, &message));
        break;
    }
    default: {
        const struct flux_done message = {.request_id = pick_id(client, what >> 3)};
        say_written(end, &writer, flux_done_encode(&writer, &message));
        break;
    }
    }
}

static void note_answer(struct fluxaws_client *client, const struct fluxaws_answer *told,
                        void *data)
{
    (void)data;
    fuzz_require(told->first_id > 0 && told->first_id <= told->last_id);
    fuzz_require(told->last_id <= client->last_id);
    fuzz_require(told->path != NULL && told->text != NULL);
}

static void note_wish(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                      void *data)
{
    const uint8_t *what = data;
    fuzz_require(desired->path != NULL && desired->text != NULL);
    if (*what & 1)
        (void)fluxaws_settle(client, desired->path);
    if (*what & 2)
        (void)fluxaws_set_int64(client, "a.c", 1);
}

static void text_of(struct fuzz_input *input, char ret_text[static 256])
{
    size_t size;
    const uint8_t *bytes = fuzz_piece(input, &size);
    if (size > 0)
        memcpy(ret_text, bytes, size);
    ret_text[size] = '\0';
}

static void ask(struct fluxaws_client *client, uint8_t what)
{
    char *json = NULL;
    switch (what % 9) {
    case 0:
        (void)fluxaws_get(client, (enum fluxaws_section)(what / 6 % 3), "a", 0, &json);
        break;
    case 1:
        (void)fluxaws_get_keys(client, NULL, 0, &json);
        break;
    case 2:
        (void)fluxaws_get_status(client, 0, &json);
        break;
    case 3:
        (void)fluxaws_flush(client, (enum fluxaws_level)(what / 6 % 3), 0);
        break;
    case 4:
        (void)fluxaws_forget(client, "a", 0);
        break;
    case 5:
        (void)fluxaws_get_history(client, 0, &json);
        break;
    case 6:
        (void)fluxaws_reload(client, 0, what & 16 ? &json : NULL);
        break;
    case 7:
        (void)fluxaws_set_log_level(client, "debug", what, 0);
        break;
    default:
        (void)fluxaws_reset(client, what / 6 % 2, 0);
        break;
    }
    free(json);
}

static void report(struct fluxaws_client *client, struct fuzz_input *input)
{
    static const char *const paths[] = {"a", "a.b", "a.b.c", "g"};
    const uint8_t what = fuzz_u8(input);
    const char *path = paths[what >> 6];
    char text[256];
    switch (what % 9) {
    case 0:
        (void)fluxaws_set_int64(client, path, what);
        break;
    case 1:
        (void)fluxaws_set_double(client, path, what / 8.0);
        break;
    case 2:
        text_of(input, text);
        (void)fluxaws_set_string(client, path, text);
        break;
    case 3:
        text_of(input, text);
        (void)fluxaws_set_json(client, path, text);
        break;
    case 4:
        (void)fluxaws_unset(client, path);
        break;
    case 5:
        text_of(input, text);
        (void)fluxaws_settle(client, text);
        break;
    case 6:
        text_of(input, text);
        (void)fluxaws_report_json(client, text);
        break;
    case 7:
        text_of(input, text);
        (void)fluxaws_replace_json(client, what & 64 ? path : NULL, text);
        break;
    default:
        (void)fluxaws_report_begin(client);
        (void)fluxaws_set_int64(client, path, what);
        (void)fluxaws_unset(client, "g.x");
        if (what & 128)
            fluxaws_report_cancel(client);
        else
            (void)fluxaws_report_send(client);
        break;
    }
}

static void act(struct end *end, struct fuzz_input *input, uint8_t *wish_mood)
{
    static const char *const shadows[] = {NULL, "config", "s2", "no shadow"};
    struct fluxaws_client *client = end->client;
    const uint8_t what = fuzz_u8(input);
    switch (what % 8) {
    case 0:
        ask(client, what / 8);
        break;
    case 1:
        (void)fluxaws_use_shadow(client, what & 128 ? "lamp" : NULL, shadows[what / 8 % 4]);
        break;
    case 2:
        *wish_mood = what / 8;
        (void)fluxaws_watch(client, what & 64 ? "led" : NULL, note_wish, wish_mood);
        break;
    case 3:
        (void)fluxaws_unwatch(client, what / 8);
        break;
    case 4:
        (void)fluxaws_want(client, (enum fluxaws_level)(what / 8 % 4));
        break;
    case 5:
        (void)fluxaws_will_json(client, what & 64 ? "{}" : "{\"a\":1}");
        break;
    default:
        report(client, input);
        break;
    }
}

static void step(struct end *end, struct fuzz_input *input, uint8_t *wish_mood)
{
    size_t size;
    switch (fuzz_below(input, 9)) {
    case 0:
        say_message(end, input);
        break;
    case 1: {
        const uint8_t *bytes = fuzz_piece(input, &size);
        say(end, bytes, size);
        break;
    }
    case 2:
    case 3:
        act(end, input, wish_mood);
        break;
    case 4:
        (void)fluxaws_dispatch(end->client, 0);
        break;
    case 5:
        hang_up(end);
        break;
    case 6:
        meet(end);
        break;
    case 7:
        greet(end, fuzz_u8(input));
        break;
    default:
        answer(end, input);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct end end = {.fd = -1};
    uint8_t wish_mood = 0;
    listen_once();
    const struct fluxaws_options options = {
        .size = sizeof(options),
        .socket_path = address.sun_path,
        .name = "fuzz",
        .backlog_bytes = fuzz_u8(&input) & 1 ? 65536 : 0,
    };
    const int r = fluxaws_open(&end.client, &options);
    fuzz_require_done(r);
    if (r < 0)
        return 0;
    (void)fluxaws_on_answer(end.client, note_answer, NULL);
    meet(&end);
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++) {
        step(&end, &input, &wish_mood);
        hear(&end);
    }
    (void)fluxaws_dispatch(end.client, 0);
    hear(&end);
    (void)fluxaws_close(end.client);
    /* What nobody has accepted is not there for the next run. */
    hang_up(&end);
    int fd;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        (void)close(fd);
    free(end.sent);
    return 0;
}
