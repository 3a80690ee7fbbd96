/* libFuzzer: clients of every kind on real sessions, with the engine behind them and a cloud that
 * is down, slow, unfair or lying. Sessions may be ended; what they say is always well formed, about
 * reports that were made, and nothing is held when they are gone. */
#include "daemon/ipc/session.h"
#include "tests/fuzz/fuzz_world.h"
#include "tests/fuzz/message_recode.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS   3u
#define STEPS_MAX 200u
/* What a client has sent that the session has not taken: as in a socket. */
#define SOCKET_BYTES 131072u

struct client {
    struct session *session;
    uint8_t socket[SOCKET_BYTES];
    size_t size;
    uint8_t heard[SESSION_UNIT_MAX + FLUX_FRAME_BYTES_MAX];
    size_t heard_size;
    uint64_t last_id;
    bool is_decent; /* sent nothing but whole messages with ids that rise */
};

struct party {
    struct fuzz_world world;
    struct session_host host;
    struct client *clients; /* CLIENTS of them; large */
};

static void connect(struct party *party, struct client *client, uint8_t who)
{
    static const char *const units[] = {"", "a.service", "b.service"};
    const struct session_peer peer = {.uid = who & 1 ? 1000 : 0, .unit = units[who / 2 % 3]};
    client->size = 0;
    client->heard_size = 0;
    client->last_id = 0;
    client->is_decent = true;
    fuzz_require_done(session_new(&client->session, &party->host, &peer));
}

static void disconnect(struct party *party, struct client *client)
{
    client->session = session_free(client->session, party->world.now_ms);
}

static void send_bytes(struct client *client, const void *bytes, size_t size)
{
    if (size == 0 || size > SOCKET_BYTES - client->size)
        return;
    memcpy(client->socket + client->size, bytes, size);
    client->size += size;
}

/* ---- what a client says ---- */

static const char *choose_path(struct fuzz_input *input, char room[static 256])
{
    static const char *const paths[] = {"",   "/a",   "/a/b",  "/a/b/c", "/a/d",
                                        "/e", "/e/f", "/g",    "/w",     "/w/x",
                                        "/z", "/~1",  "/a//b", "a",      "/a/b/c/d/e/f/g/h/i"};
    const unsigned choice = fuzz_below(input, 16);
    size_t size;
    if (choice < 15)
        return paths[choice];
    const uint8_t *bytes = fuzz_piece(input, &size);
    if (size > 0)
        memcpy(room, bytes, size);
    room[size] = '\0';
    return room;
}

static struct flux_value choose_value(struct fuzz_input *input)
{
    static const char *const arrays[] = {"[]", "[1,{\"k\":[true]}]", "[null]", "[1,", "[1.0]"};
    static char large[6000];
    const uint8_t choice = fuzz_u8(input);
    size_t size;
    switch (choice % 8) {
    case 0:
        return flux_value_bool(choice & 8);
    case 1:
        return flux_value_double((choice - 100) / 4.0);
    case 2:
        return flux_value_empty_object();
    case 3: {
        const char *text = arrays[choice / 8 % 5];
        return flux_value_array(text, strlen(text));
    }
    case 4: {
        const uint8_t *text = fuzz_piece(input, &size);
        return flux_value_string(size > 0 ? (const char *)text : "", size);
    }
    case 5:
        memset(large, 'x', sizeof(large));
        return flux_value_string(large, (size_t)choice / 8 * 180);
    default:
        return flux_value_int64(choice / 8);
    }
}

static void add_operations(struct flux_report_encoder *encoder, struct fuzz_input *input)
{
    char room[256];
    for (unsigned count = fuzz_below(input, 5); count > 0; count--) {
        const uint8_t kind = fuzz_u8(input);
        const char *path = choose_path(input, room);
        const struct flux_value value = choose_value(input);
        if (kind % 4 == 0)
            (void)flux_report_add_unset(encoder, path, strlen(path));
        else if (kind % 8 == 1)
            (void)flux_report_add_settle(encoder, path, strlen(path));
        else
            (void)flux_report_add_set(encoder, path, strlen(path), &value);
    }
    (void)flux_report_end(encoder);
}

static void say_hello(struct flux_wire_writer *writer, struct fuzz_input *input)
{
    static const char *const names[] = {"", "one", "two", "\xff"};
    const uint8_t choice = fuzz_u8(input);
    const struct flux_hello hello = {.min_version = choice > 250 ? 9 : 1,
                                     .max_version = choice > 245 ? 9 : 1,
                                     .instance_id = choice,
                                     .name = flux_text(names[choice % 4])};
    (void)flux_hello_encode(writer, &hello);
}

static void say_report(struct party *party, struct client *client, struct flux_wire_writer *writer,
                       struct fuzz_input *input)
{
    struct flux_report_encoder encoder;
    const uint8_t choice = fuzz_u8(input);
    const struct flux_report report = {
        .shadow = choice >> 2 & 3,
        .request_id = client->last_id + 1,
        .level = (enum flux_level)(1 + choice % 3),
        .resent = choice >> 5 == 7,
        .set_us = choice >> 5 == 7 ? (party->world.now_ms - choice % 8 * 100) * 1000 : 0};
    if (flux_report_begin(&encoder, writer, 32768, &report) == 0)
        add_operations(&encoder, input);
}

static void say_open(struct client *client, struct flux_wire_writer *writer,
                     struct fuzz_input *input)
{
    static const char *const things[] = {"", "", "", FUZZ_THING, "gw-1", "lamp", "stranger", "a/b"};
    static const char *const shadows[] = {"", "config", "s2", "a b"};
    const uint8_t choice = fuzz_u8(input);
    const struct flux_open_shadow open = {.handle = choice & 3,
                                          .request_id = client->last_id + 1,
                                          .thing = flux_text(things[choice >> 2 & 7]),
                                          .shadow = flux_text(shadows[choice >> 5 & 3])};
    (void)flux_open_shadow_encode(writer, &open);
}

static void say_will(struct client *client, struct flux_wire_writer *writer,
                     struct fuzz_input *input)
{
    struct flux_report_encoder encoder;
    const struct flux_will will = {.shadow = fuzz_u8(input) & 3, .request_id = client->last_id + 1};
    if (flux_will_begin(&encoder, writer, 32768, &will) == 0)
        add_operations(&encoder, input);
}

/* Requests about a path. */
static void ask_about(struct client *client, struct flux_wire_writer *writer,
                      struct fuzz_input *input)
{
    char room[256];
    const uint8_t choice = fuzz_u8(input);
    const uint16_t shadow = choice >> 4 & 3;
    const uint64_t id = client->last_id + 1;
    const struct flux_text path = flux_text(choose_path(input, room));
    if (choice % 8 < 3) {
        const struct flux_get get = {.shadow = shadow,
                                     .request_id = id,
                                     .section = (enum flux_section)(1 + choice % 8),
                                     .path = path};
        (void)flux_get_encode(writer, &get);
    } else if (choice % 8 == 3) {
        const struct flux_keys keys = {.shadow = shadow, .request_id = id, .path = path};
        (void)flux_keys_encode(writer, &keys);
    } else if (choice % 8 == 4) {
        const struct flux_forget forget = {.shadow = shadow, .request_id = id, .path = path};
        (void)flux_forget_encode(writer, &forget);
    } else {
        const struct flux_watch watch = {.shadow = shadow, .request_id = id, .path = path};
        (void)flux_watch_encode(writer, &watch);
    }
}

static void ask_daemon(struct flux_wire_writer *writer, uint8_t choice, uint64_t id)
{
    if (choice & 8)
        (void)flux_admin_encode(writer, &(struct flux_admin){id, 1 + choice / 32, choice / 64, 0});
    else if (choice & 16)
        (void)flux_history_request_encode(writer, &(struct flux_history_request){id});
    else
        (void)flux_status_request_encode(writer, &(struct flux_status_request){id});
}

static void ask(struct client *client, struct flux_wire_writer *writer, struct fuzz_input *input)
{
    const uint8_t choice = fuzz_u8(input);
    const uint64_t id = client->last_id + 1;
    if (choice % 8 < 2) {
        const struct flux_flush flush = {id, (enum flux_level)(1 + choice / 8 % 3)};
        (void)flux_flush_encode(writer, &flush);
    } else if (choice % 8 < 4) {
        ask_daemon(writer, choice, id);
    } else if (choice % 8 < 6) {
        const struct flux_unwatch unwatch = {choice >> 4 & 3, id - choice / 8 % 8};
        (void)flux_unwatch_encode(writer, &unwatch);
    } else if (choice % 8 == 6) {
        const struct flux_reset reset = {choice >> 4 & 3, choice & 8, id};
        (void)flux_reset_encode(writer, &reset);
    } else {
        (void)flux_bye_encode(writer);
    }
}

static void say_message(struct party *party, struct client *client, struct fuzz_input *input)
{
    static uint8_t room[65536];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, room, sizeof(room));
    switch (fuzz_below(input, 8)) {
    case 0:
        say_hello(&writer, input);
        break;
    case 1:
        say_open(client, &writer, input);
        break;
    case 2:
        say_will(client, &writer, input);
        break;
    case 3:
        ask_about(client, &writer, input);
        break;
    case 4:
        ask(client, &writer, input);
        break;
    default:
        say_report(party, client, &writer, input);
        break;
    }
    client->last_id++;
    send_bytes(client, writer.data, writer.size);
}

/* ---- what it hears ---- */

/* What the library takes: see can_be_told(). */
static void judge_wish(const struct flux_frame *frame)
{
    struct flux_desired wish;
    fuzz_require(flux_desired_decode(frame, &wish) == 0);
    fuzz_require(wish.path.size == 0 ? wish.value.type == FLUX_VALUE_NONE
                                     : wish.path.text[0] == '/');
    fuzz_require(wish.path.size <= FLUX_PATH_BYTES_MAX);
}

static void judge_frame(const struct client *client, const struct flux_frame *frame)
{
    static uint8_t recoded[FLUX_FRAME_BYTES_MAX + 64];
    struct flux_wire_writer writer;
    struct flux_answer answer;
    struct flux_rejected rejected;
    flux_wire_writer_init(&writer, recoded, sizeof(recoded));
    fuzz_require(frame->type > 0x40 && frame->type < 0x7b);
    fuzz_require(message_recode(frame, &writer) == 0);
    if (frame->type == FLUX_MESSAGE_DESIRED)
        judge_wish(frame);
    if (!client->is_decent)
        return;
    if (frame->type == FLUX_MESSAGE_ANSWER)
        fuzz_require(flux_answer_decode(frame, &answer) == 0 && answer.first_id > 0 &&
                     answer.last_id <= client->last_id && answer.version >= 0);
    if (frame->type == FLUX_MESSAGE_REJECTED)
        fuzz_require(flux_rejected_decode(frame, &rejected) == 0 && rejected.first_id > 0 &&
                     rejected.last_id <= client->last_id && rejected.code > 0);
}

static void hear(struct client *client, size_t most)
{
    const void *data;
    size_t size, position = 0;
    while (most > 0 && (size = session_output(client->session, &data)) > 0) {
        const size_t room = sizeof(client->heard) - client->heard_size;
        size = size < most ? size : most;
        size = size < room ? size : room;
        fuzz_require(size > 0);
        memcpy(client->heard + client->heard_size, data, size);
        client->heard_size += size;
        most -= size;
        session_sent(client->session, size);
        for (;;) {
            struct flux_frame frame;
            const int taken =
                flux_frame_next(client->heard + position, client->heard_size - position,
                                FLUX_FRAME_BYTES_MAX, &frame);
            fuzz_require(taken >= 0);
            if (taken == 0)
                break;
            judge_frame(client, &frame);
            position += (size_t)taken;
        }
        memmove(client->heard, client->heard + position, client->heard_size - position);
        client->heard_size -= position;
        position = 0;
    }
}

/* ---- a turn ---- */

static void receive(struct client *client)
{
    void *space;
    size_t size = session_input_space(client->session, &space);
    size = size < client->size ? size : client->size;
    if (size == 0)
        return;
    memcpy(space, client->socket, size);
    client->size -= size;
    memmove(client->socket, client->socket + size, client->size);
    session_receive(client->session, size);
}

static void answer_question(struct session *session)
{
    if (session_get_question(session) == SESSION_ASKS_ADMIN)
        session_refuse_question(session, 13, "not you");
    else if (session_get_question(session) != SESSION_ASKS_NOTHING)
        session_answer_question(session, strdup("{\"a\":1}"), 7);
}

static void serve(struct party *party, struct client *client)
{
    struct session_info info;
    receive(client);
    session_work(client->session, party->world.now_ms, party->world.now_ms * 1000);
    session_settle(client->session);
    answer_question(client->session);
    session_get_info(client->session, &info);
    fuzz_require(info.waiting <= 64 * WAITS_ENTRIES_MAX);
    if (session_is_finished(client->session))
        disconnect(party, client);
}

static void turn(struct party *party)
{
    for (size_t i = 0; i < CLIENTS; i++)
        if (party->clients[i].session)
            serve(party, &party->clients[i]);
    fuzz_world_turn(&party->world);
    for (size_t i = 0; i < CLIENTS; i++)
        if (party->clients[i].session)
            session_settle(party->clients[i].session);
    fuzz_require(party->host.waits.pair_count <= WAITS_PAIRS_TOTAL_MAX);
}

static void act(struct party *party, struct fuzz_input *input)
{
    const uint8_t what = fuzz_u8(input);
    struct client *client = &party->clients[what >> 4 & 3] - (what >> 4 & 3 ? 1 : 0);
    size_t size;
    if (!client->session) {
        connect(party, client, what);
        if (client->session && !(what & 128)) { /* most begin as they should */
            static uint8_t room[64];
            struct flux_wire_writer writer;
            const struct flux_hello hello = {
                .min_version = 1, .max_version = 1, .name = flux_text(what & 1 ? "one" : "two")};
            flux_wire_writer_init(&writer, room, sizeof(room));
            (void)flux_hello_encode(&writer, &hello);
            send_bytes(client, writer.data, writer.size);
        }
        return;
    }
    switch (what % 8) {
    case 0: {
        const uint8_t *bytes = fuzz_piece(input, &size);
        client->is_decent = false;
        send_bytes(client, bytes, size);
        break;
    }
    case 1:
        hear(client, (size_t)fuzz_u8(input) + 1);
        break;
    case 2:
        hear(client, SIZE_MAX);
        break;
    case 3:
        if (what >> 7)
            disconnect(party, client);
        else
            session_end_input(client->session);
        break;
    default:
        say_message(party, client, input);
        break;
    }
}

/* The cloud is well, all listen, nobody says more: everything comes to an end. */
static void finish(struct party *party)
{
    for (unsigned i = 0; i < 8; i++) {
        for (size_t k = 0; k < CLIENTS; k++)
            if (party->clients[k].session)
                hear(&party->clients[k], SIZE_MAX);
        turn(party);
    }
    fuzz_world_settle(&party->world);
    for (size_t k = 0; k < CLIENTS; k++) {
        if (party->clients[k].session)
            disconnect(party, &party->clients[k]);
    }
    fuzz_world_turn(&party->world);
    fuzz_require(party->host.waits.pair_count == 0 && party->host.stream_bytes == 0 &&
                 party->host.watch_count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct client clients[CLIENTS];
    struct fuzz_input input = {data, size};
    struct party party = {.clients = clients};
    if (!fuzz_world_begin(&party.world, &input))
        return 0;
    party.host.thing = party.world.thing;
    party.host.instance_id = 77;
    party.host.durable = party.world.is_durable;
    party.host.max_frame_bytes = FLUX_FRAME_BYTES_DEFAULT;
    party.host.max_depth = 8;
    for (unsigned i = 0; i < STEPS_MAX && input.size > 0; i++) {
        if (fuzz_u8(&input) % 4 == 0)
            fuzz_world_step(&party.world, &input);
        else
            act(&party, &input);
        turn(&party);
    }
    finish(&party);
    session_host_clear(&party.host);
    fuzz_world_end(&party.world);
    return 0;
}
