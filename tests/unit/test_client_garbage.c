/* A daemon that says anything: every message there is, mangled, cut and out of place, to a client
 * that uses everything. The client may hang up; it does not fall over, and goes on afterwards. */
#include "client/client.h"
#include "tests/unit/client_fixture.h"
#include "tests/unit/message_golden.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define ROUNDS 4000u

static uint64_t roll(uint64_t *seed, uint64_t below)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % below;
}

static void note_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                        void *data)
{
    (void)client;
    uint64_t *count = data;
    *count += answer->last_id >= answer->first_id ? 1 : 0;
}

static void note_wish(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                      void *data)
{
    uint64_t *count = data;
    *count += strlen(desired->path) + strlen(desired->text) > 0 ? 1 : 0;
    (void)fluxaws_settle(client, "x");
}

static uint64_t pick_id(const struct fluxaws_client *client, uint64_t *seed)
{
    const struct client_watch *watch = client->watches.first;
    switch (roll(seed, 5)) {
    case 0:
        return watch->request_id;
    case 1:
        return watch->next->request_id;
    case 2:
        return client->shadows[1]->open_id;
    case 3:
        return client->shadow->will_id;
    default:
        return 1 + roll(seed, client->last_id + 2);
    }
}

/* Ids and handles that mean something to the client are more of a danger than others. */
static void aim(struct fluxaws_client *client, uint8_t *bytes, size_t size, uint64_t *seed)
{
    uint64_t id = pick_id(client, seed);
    struct flux_wire_writer writer;
    if (bytes[0] == FLUX_MESSAGE_ANSWER || bytes[0] == FLUX_MESSAGE_REJECTED ||
        bytes[0] == FLUX_MESSAGE_SAFE)
        bytes[2] = (uint8_t)(roll(seed, 20) == 0 ? 3 : roll(seed, 3));
    if (size < FLUX_FRAME_HEADER_BYTES + 8 || bytes[0] == FLUX_MESSAGE_WELCOME)
        return;
    flux_wire_writer_init(&writer, bytes + FLUX_FRAME_HEADER_BYTES, 8);
    flux_wire_put_u64(&writer, id);
}

static void say_something(struct client_fixture *f, uint64_t *seed)
{
    uint8_t bytes[MESSAGE_GOLDEN_BYTES];
    size_t size;
    bool is_wish = roll(seed, 2) == 0, is_wanted;
    do {
        size = message_golden_bytes(&message_goldens[roll(seed, MESSAGE_GOLDEN_COUNT)], bytes);
        is_wanted = is_wish ? bytes[0] == FLUX_MESSAGE_DESIRED
                            : bytes[0] >= 0x40 && bytes[0] != FLUX_MESSAGE_WELCOME;
    } while (!is_wanted && roll(seed, 100) != 0);
    if (roll(seed, 3) != 0)
        aim(f->client, bytes, size, seed);
    if (bytes[0] == FLUX_MESSAGE_DESIRED && size > FLUX_DESIRED_OVERHEAD_BYTES)
        bytes[size - 1] = (uint8_t)('a' + roll(seed, 26)); /* of the value, or of the path */
    for (uint64_t flips = roll(seed, 3) == 0 ? roll(seed, 4) : 0; flips > 0; flips--)
        bytes[roll(seed, size)] ^= (uint8_t)(1u << roll(seed, 8));
    if (roll(seed, 30) == 0)
        size = 1 + (size_t)roll(seed, size);
    (void)fake_try_send(&f->daemon, bytes, size);
}

/* What was asked for is granted, mostly, so that there is something to break. */
static void listen_to(struct client_fixture *f, uint64_t *seed)
{
    struct flux_frame frame;
    struct flux_open_shadow open;
    while (f->daemon.socket_fd >= 0 && fake_next(&f->daemon, &frame)) {
        assert_true(frame.type < 0x40);
        if (frame.type == FLUX_MESSAGE_OPEN_SHADOW && roll(seed, 5) != 0) {
            assert_int_equal(flux_open_shadow_decode(&frame, &open), 0);
            uint8_t room[32];
            struct flux_wire_writer writer;
            struct flux_opened opened = {.handle = open.handle, .request_id = open.request_id};
            flux_wire_writer_init(&writer, room, sizeof(room));
            assert_int_equal(flux_opened_encode(&writer, &opened), 0);
            (void)fake_try_send(&f->daemon, writer.data, writer.size);
        }
    }
}

static void use_everything(struct client_fixture *f, uint64_t *wishes)
{
    assert_true(fluxaws_watch(f->client, NULL, note_wish, wishes) > 0);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_true(fluxaws_watch(f->client, "led", note_wish, wishes) > 0);
    assert_int_equal(fluxaws_will_json(f->client, "{\"a\":1}"), 0);
    assert_int_equal(fluxaws_use_shadow(f->client, "lamp", NULL), 0);
    assert_int_equal(fluxaws_want(f->client, FLUXAWS_ACCEPTED), 0);
}

static void do_something(struct client_fixture *f, uint64_t *seed)
{
    static const char *const names[] = {NULL, "config"};
    (void)fluxaws_use_shadow(f->client, NULL, names[roll(seed, 2)]);
    switch (roll(seed, 4)) {
    case 0:
        (void)fluxaws_replace_json(f->client, NULL, "{\"a\":{\"b\":1}}");
        break;
    case 1:
        (void)fluxaws_settle(f->client, "led");
        break;
    case 2:
        (void)fluxaws_set_int64(f->client, "a.b", (int64_t)roll(seed, 9));
        break;
    default: {
        char *json = NULL;
        (void)fluxaws_get_keys(f->client, "a", 0, &json);
        free(json);
    }
    }
}

static void test_a_mad_daemon_is_survived(void **state)
{
    struct client_fixture *f = *state;
    uint64_t seed = 4711, wishes = 0, answers = 0, calls = 0;
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_on_answer(f->client, note_answer, &answers), 0);
    use_everything(f, &wishes);
    for (unsigned round = 0; round < ROUNDS; round++) {
        /* A length that is too long swallows all that follows, so it is begun anew at times. */
        if (f->client->state == CLIENT_AWAY || roll(&seed, 20) == 0) {
            fake_hang_up(&f->daemon);
            assert_true(fluxaws_dispatch(f->client, 0) >= 0);
            f->client->retry_at_ms = 0; /* virtual patience */
            assert_true(fluxaws_dispatch(f->client, 0) >= 0);
        }
        if (f->daemon.socket_fd < 0 && fake_accept(&f->daemon)) {
            fake_greet(&f->daemon, (uint32_t)roll(&seed, 2));
            calls++;
            for (uint64_t i = roll(&seed, 4); i > 0; i--) {
                assert_true(fluxaws_dispatch(f->client, 0) >= 0);
                listen_to(f, &seed);
            }
        }
        for (uint64_t i = roll(&seed, 6); i > 0 && f->daemon.socket_fd >= 0; i--)
            say_something(f, &seed);
        do_something(f, &seed);
        assert_true(fluxaws_dispatch(f->client, 0) >= 0);
        listen_to(f, &seed);
    }
    /* It was not for nothing. */
    assert_true(wishes > 5 && answers > 10 && calls > 100);
    fake_hang_up(&f->daemon);
    assert_true(fluxaws_dispatch(f->client, 0) >= 0);
    f->client->retry_at_ms = 0;
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    assert_true(fluxaws_dispatch(f->client, 0) >= 0);
    assert_int_equal(fluxaws_is_connected(f->client), 1);
}

/* Where many connect at once, a program does not come last because it was unlucky before. */
static void test_a_full_queue_is_tried_again_soon(void **state)
{
    struct client_fixture *f = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", f->daemon.path);
    int crowd[32];
    for (size_t i = 0; i < 32; i++) { /* more than wait in the queue */
        crowd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        assert_true(crowd[i] >= 0);
        (void)connect(crowd[i], (const struct sockaddr *)&address, sizeof(address));
    }
    client_fixture_open(f, 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(fluxaws_is_connected(f->client), -EAGAIN);
        assert_in_range(f->client->retry_at_ms - client_now_ms(), 0, 10);
        f->client->retry_at_ms = 0;
        assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    }
    for (size_t i = 0; i < 32; i++)
        (void)close(crowd[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_mad_daemon_is_survived, client_set_up,
                                        client_tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_queue_is_tried_again_soon, client_set_up,
                                        client_tear_down),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
