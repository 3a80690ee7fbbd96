/* The library as an application that watches sees it. */
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define HEARD_MAX 32u

/* What a watch's callback was given, as "path=json@version". */
struct ear {
    char texts[HEARD_MAX][96];
    size_t count, checked;
    int unwatch; /* in the callback, if not 0 */
};

static void listen_to(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                      void *data)
{
    struct ear *ear = data;
    assert_int_equal(desired->size, sizeof(*desired));
    assert_true(ear->count < HEARD_MAX);
    if (desired->error != 0)
        (void)snprintf(ear->texts[ear->count++], sizeof(ear->texts[0]), "%s error %d: %s",
                       desired->path, -desired->error, desired->text);
    else
        (void)snprintf(ear->texts[ear->count++], sizeof(ear->texts[0]), "%s%s%s=%s@%d%s",
                       desired->shadow != NULL ? desired->shadow : "",
                       desired->shadow != NULL ? ":" : "", desired->path,
                       desired->json != NULL ? desired->json : "none", (int)desired->version,
                       desired->stale ? " stale" : "");
    assert_int_equal(fluxaws_dispatch(client, 0), -EBUSY);
    if (ear->unwatch != 0)
        assert_int_equal(fluxaws_unwatch(client, ear->unwatch), 0);
    ear->unwatch = 0;
}

static void expect_heard(struct ear *ear, const char *text)
{
    assert_true(ear->checked < ear->count);
    assert_string_equal(ear->texts[ear->checked++], text);
}

static void expect_silence(struct ear *ear)
{
    assert_int_equal(ear->checked, ear->count);
}

/* Watch, and have the daemon say DONE. Returns the id on the wire. */
static uint64_t watch(struct client_fixture *f, const char *path, const char *pointer,
                      struct ear *ear, int *ret_id)
{
    int id = fluxaws_watch(f->client, path, listen_to, ear);
    assert_true(id >= 1);
    if (ret_id != NULL)
        *ret_id = id;
    uint64_t wire_id = fake_expect_watch(&f->daemon, f->daemon.shadow, pointer);
    fake_done(&f->daemon, wire_id);
    return wire_id;
}

static void reconnect(struct client_fixture *f)
{
    fake_hang_up(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    assert_true(fluxaws_dispatch(f->client, 0) >= 0);
}

static void test_wishes_are_delivered_by_dispatch(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    int id;
    uint64_t wire_id = watch(f, "led", "/led", &ear, &id);
    fake_desired(&f->daemon, wire_id, "/led/mode", 1, 17, false);
    fake_desired(&f->daemon, wire_id, "/led/colour", 2, 17, true);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    expect_silence(&ear);
    assert_int_equal(fluxaws_get_timeout_ms(f->client), -1);
    assert_int_equal(fluxaws_dispatch(f->client, 1000), 2);
    expect_heard(&ear, "/led/mode=1@17");
    expect_heard(&ear, "/led/colour=2@17 stale");
    fake_desired(&f->daemon, wire_id, "/led/mode", 0, 18, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&ear, "/led/mode=none@18");
    assert_int_equal(fluxaws_unwatch(f->client, id), 0);
    (void)fake_expect(&f->daemon, FLUX_MESSAGE_REPORT);
    struct flux_frame frame = fake_expect(&f->daemon, FLUX_MESSAGE_UNWATCH);
    struct flux_unwatch unwatch;
    assert_int_equal(flux_unwatch_decode(&frame, &unwatch), 0);
    assert_int_equal(unwatch.request_id, wire_id);
    fake_desired(&f->daemon, wire_id, "/led/mode", 5, 19, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    expect_silence(&ear);
    assert_int_equal(fluxaws_is_connected(f->client), 1);
    assert_int_equal(fluxaws_unwatch(f->client, id), -ENOENT);
}

static void test_bad_watches_are_refused(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_watch(f->client, "a..b", listen_to, &ear), -EINVAL);
    assert_int_equal(fluxaws_watch(f->client, "\xff", listen_to, &ear), -EILSEQ);
    assert_int_equal(fluxaws_watch(f->client, NULL, NULL, &ear), -EINVAL);
    for (int i = 1; i <= 64; i++)
        assert_int_equal(fluxaws_watch(f->client, NULL, listen_to, &ear), i);
    assert_int_equal(fluxaws_watch(f->client, NULL, listen_to, &ear), -ENOSPC);
    assert_int_equal(fluxaws_unwatch(f->client, 7), 0);
    assert_int_equal(fluxaws_watch(f->client, NULL, listen_to, &ear), 65);
}

static void test_watching_begins_when_there_is_a_daemon(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    fake_close_listener(&f->daemon);
    client_fixture_open(f, 0);
    assert_int_equal(fluxaws_watch(f->client, NULL, listen_to, &ear), 1);
    assert_int_equal(fluxaws_set_int64(f->client, "x", 1), 0);
    fake_listen(&f->daemon);
    client_fixture_accept_again(f);
    fake_greet(&f->daemon, 0);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    /* What was reported before may be what is wished: it goes first. */
    (void)fake_expect(&f->daemon, FLUX_MESSAGE_REPORT);
    (void)fake_expect_watch(&f->daemon, 0, "");
}

static void test_after_a_lost_connection_only_changes_are_told(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    uint64_t wire_id = watch(f, NULL, "", &ear, NULL);
    fake_desired(&f->daemon, wire_id, "/same", 1, 3, false);
    fake_desired(&f->daemon, wire_id, "/other", 2, 3, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 2);
    ear.checked = ear.count;
    reconnect(f);
    uint64_t old_id = wire_id;
    wire_id = fake_expect_watch(&f->daemon, 0, "");
    assert_true(wire_id != old_id);
    fake_done(&f->daemon, wire_id);
    fake_desired(&f->daemon, wire_id, "/same", 1, 9, false);
    fake_desired(&f->daemon, wire_id, "/other", 7, 9, false);
    fake_desired(&f->daemon, old_id, "/strange", 7, 9, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&ear, "/other=7@9");
    expect_silence(&ear);
}

/* A daemon that has just begun knows nothing of the cloud: that it tells nothing ends no wish. */
static void test_a_wish_that_ended_meanwhile_is_told_once_it_is_known(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    uint64_t wire_id = watch(f, NULL, "", &ear, NULL);
    fake_desired(&f->daemon, wire_id, "/stays", 1, 3, false);
    fake_desired(&f->daemon, wire_id, "/ends", 2, 3, false);
    fake_complete(&f->daemon, wire_id, 3);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 2);
    ear.checked = ear.count;
    reconnect(f);
    fake_done(&f->daemon, fake_expect_watch(&f->daemon, 0, ""));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    reconnect(f);
    wire_id = fake_expect_watch(&f->daemon, 0, "");
    fake_done(&f->daemon, wire_id);
    fake_desired(&f->daemon, wire_id, "/stays", 1, 9, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    fake_complete(&f->daemon, wire_id, 9);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&ear, "/ends=none@9");
    expect_silence(&ear);
}

static void test_a_refused_watch_is_told_once_and_asked_again(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_watch(f->client, "secret", listen_to, &ear), 1);
    fake_failed(&f->daemon, fake_expect_watch(&f->daemon, 0, "/secret"), EACCES, "not for you");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&ear, "/secret error 13: not for you");
    reconnect(f);
    fake_failed(&f->daemon, fake_expect_watch(&f->daemon, 0, "/secret"), EACCES, "not for you");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    reconnect(f);
    uint64_t wire_id = fake_expect_watch(&f->daemon, 0, "/secret");
    fake_done(&f->daemon, wire_id);
    fake_desired(&f->daemon, wire_id, "/secret", 1, 2, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&ear, "/secret=1@2");
}

static void test_watches_belong_to_the_shadow_in_use(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0}, other_ear = {0};
    client_fixture_open_greeted(f, 0);
    uint64_t wire_id = watch(f, "a", "/a", &ear, NULL);
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_true(fluxaws_watch(f->client, "a", listen_to, &other_ear) > 0);
    uint64_t open_id;
    uint16_t handle = fake_expect_open(&f->daemon, "", "config", &open_id);
    assert_true(fake_is_quiet(&f->daemon));
    fake_failed(&f->daemon, open_id, EACCES, "no");
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&other_ear, "/a error 13: shadow config: no");
    /* Chosen again it is asked for again, and this time it is served. */
    assert_int_equal(fluxaws_use_shadow(f->client, NULL, "config"), 0);
    assert_int_equal(fake_expect_open(&f->daemon, "", "config", &open_id), handle);
    fake_opened(&f->daemon, handle, open_id);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    uint64_t other_id = fake_expect_watch(&f->daemon, handle, "/a");
    fake_done(&f->daemon, other_id);
    f->daemon.shadow = handle;
    fake_desired(&f->daemon, other_id, "/a", 1, 4, false);
    f->daemon.shadow = 0;
    fake_desired(&f->daemon, wire_id, "/a", 2, 9, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 2);
    expect_heard(&ear, "/a=2@9");
    expect_heard(&other_ear, "config:/a=1@4");
}

static void test_a_callback_may_end_watches(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0}, other_ear = {0};
    client_fixture_open_greeted(f, 0);
    int id, other_id;
    uint64_t wire_id = watch(f, "a", "/a", &ear, &id);
    uint64_t other_wire_id = watch(f, "b", "/b", &other_ear, &other_id);
    fake_desired(&f->daemon, wire_id, "/a/x", 1, 1, false);
    fake_desired(&f->daemon, wire_id, "/a/y", 2, 1, false);
    fake_desired(&f->daemon, other_wire_id, "/b", 3, 1, false);
    ear.unwatch = other_id;
    assert_int_equal(fluxaws_dispatch(f->client, 0), 2);
    assert_int_equal(ear.count, 2);
    assert_int_equal(other_ear.count, 0);
    (void)fake_expect(&f->daemon, FLUX_MESSAGE_UNWATCH);
    fake_desired(&f->daemon, wire_id, "/a/x", 4, 2, false);
    fake_desired(&f->daemon, wire_id, "/a/y", 5, 2, false);
    ear.unwatch = id;
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    assert_int_equal(ear.count, 3);
}

static void test_a_program_that_only_sets_holds_a_bounded_number(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    uint64_t wire_id = watch(f, NULL, "", &ear, NULL);
    char path[32];
    bool is_full = false;
    for (int i = 0; i < 200000 && !is_full; i++) {
        (void)snprintf(path, sizeof(path), "/p%d", i);
        uint8_t room[128];
        struct flux_wire_writer writer;
        flux_wire_writer_init(&writer, room, sizeof(room));
        struct flux_desired desired = {.request_id = wire_id,
                                       .version = 1,
                                       .path = flux_text(path),
                                       .value = flux_value_int64(i + 1)};
        assert_int_equal(flux_desired_encode(&writer, &desired), 0);
        is_full = !fake_try_send(&f->daemon, writer.data, writer.size);
        if (i % 100 == 0)
            assert_int_equal(fluxaws_set_int64(f->client, "x", i), 0);
        struct flux_frame frame;
        while (fake_next(&f->daemon, &frame))
            continue;
    }
    assert_true(is_full);
}

static void count_wish(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                       void *data)
{
    (void)client;
    size_t *count = data;
    assert_non_null(desired->json);
    (*count)++;
}

#define LARGE_BYTES 30000u
#define LARGE_COUNT 60u

/* Tell 60 wishes of 30 KB, one by one. */
static void tell_large_wishes(struct client_fixture *f, uint64_t wire_id)
{
    static char text[LARGE_BYTES];
    static uint8_t room[LARGE_BYTES + 64];
    memset(text, 'x', sizeof(text));
    for (unsigned i = 0; i < LARGE_COUNT; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%u", i);
        struct flux_wire_writer writer;
        flux_wire_writer_init(&writer, room, sizeof(room));
        struct flux_desired desired = {.request_id = wire_id,
                                       .version = 1,
                                       .path = flux_text(path),
                                       .value = flux_value_string(text, sizeof(text))};
        assert_int_equal(flux_desired_encode(&writer, &desired), 0);
        fake_send(&f->daemon, writer.data, writer.size);
        assert_true(fluxaws_dispatch(f->client, 0) >= 0);
    }
}

/* What it does not remember it tells again; what it remembers, not. */
static void test_what_is_remembered_is_bounded(void **state)
{
    struct client_fixture *f = *state;
    size_t count = 0;
    client_fixture_open_greeted(f, 0);
    assert_int_equal(fluxaws_watch(f->client, NULL, count_wish, &count), 1);
    tell_large_wishes(f, fake_expect_watch(&f->daemon, 0, ""));
    assert_int_equal(count, LARGE_COUNT);
    reconnect(f);
    tell_large_wishes(f, fake_expect_watch(&f->daemon, 0, ""));
    assert_in_range(count, LARGE_COUNT + 10, 2 * LARGE_COUNT - 10);
}

static void test_malformed_wishes_end_the_connection(void **state)
{
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    uint64_t wire_id = watch(f, NULL, "", &ear, NULL);
    fake_desired(&f->daemon, wire_id, "/a", 1, 1, false);
    static const uint8_t garbage[12] = {FLUX_MESSAGE_DESIRED, FLUX_DESIRED_DIFFERS, 0, 0, 4};
    fake_send(&f->daemon, garbage, sizeof(garbage));
    assert_int_equal(fluxaws_dispatch(f->client, 0), 1);
    expect_heard(&ear, "/a=1@1");
    assert_int_equal(fluxaws_is_connected(f->client), -EPROTO);
    reconnect(f);
    wire_id = fake_expect_watch(&f->daemon, 0, "");
    fake_desired(&f->daemon, wire_id, "/a", 1, 1, false);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
}

static void send_wish(struct client_fixture *f, struct flux_desired *desired)
{
    uint8_t room[2048];
    struct flux_wire_writer writer;
    desired->shadow = f->daemon.shadow;
    flux_wire_writer_init(&writer, room, sizeof(room));
    assert_int_equal(flux_desired_encode(&writer, desired), 0);
    fake_send(&f->daemon, writer.data, writer.size);
}

/* What JSON cannot say would wait for ever to be told, and a path with a NUL is not as long as it
 * says. */
static void test_wishes_that_cannot_be_end_the_connection(void **state)
{
    struct flux_desired wishes[] = {
        {.path = {"/a\0b", 4}, .value = flux_value_int64(1)},
        {.path = {"a", 1}, .value = flux_value_int64(1)},
        {.path = {"", 0}, .value = flux_value_int64(1)},
        {.path = {"/a", 2}, .value = flux_value_double((double)INFINITY)},
        {.path = {"/a", 2}, .value = flux_value_double((double)NAN)},
    };
    struct client_fixture *f = *state;
    struct ear ear = {0};
    client_fixture_open_greeted(f, 0);
    uint64_t wire_id = watch(f, NULL, "", &ear, NULL);
    for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
        wishes[i].request_id = wire_id;
        wishes[i].version = 1;
        send_wish(f, &wishes[i]);
        assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
        assert_int_equal(fluxaws_is_connected(f->client), -EPROTO);
        reconnect(f);
        wire_id = fake_expect_watch(&f->daemon, f->daemon.shadow, "");
        fake_done(&f->daemon, wire_id);
    }
    expect_silence(&ear);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, client_set_up, client_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_wishes_are_delivered_by_dispatch),
        TEST(test_bad_watches_are_refused),
        TEST(test_watching_begins_when_there_is_a_daemon),
        TEST(test_after_a_lost_connection_only_changes_are_told),
        TEST(test_a_wish_that_ended_meanwhile_is_told_once_it_is_known),
        TEST(test_a_refused_watch_is_told_once_and_asked_again),
        TEST(test_watches_belong_to_the_shadow_in_use),
        TEST(test_a_callback_may_end_watches),
        TEST(test_a_program_that_only_sets_holds_a_bounded_number),
        TEST(test_what_is_remembered_is_bounded),
        TEST(test_malformed_wishes_end_the_connection),
        TEST(test_wishes_that_cannot_be_end_the_connection),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
