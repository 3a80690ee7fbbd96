/* Every allocation of the library fails once, and so do all for a while: the program is told, and
 * once there is memory again every report has been answered and every wish heard. */
#include "client/client.h"
#include "tests/fuzz/failing.h"
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define TRIES_MAX   2000u
#define REPORTS_MAX 64u
#define PATHS       4u

static const char *const paths[PATHS] = {"/x", "/y", "/o/a", "/o/b"};

struct story {
    struct client_fixture *f;
    int64_t taken[PATHS];        /* what the daemon has */
    bool is_report[REPORTS_MAX]; /* other requests have ids too */
    unsigned accepted[REPORTS_MAX], rejected[REPORTS_MAX];
    int64_t wished;
    bool is_cut; /* the connection is lost on the way */
    bool has_failed;
};

static void note_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                        void *data)
{
    (void)client;
    struct story *story = data;
    for (uint64_t id = answer->first_id; id <= answer->last_id && id < REPORTS_MAX; id++) {
        story->rejected[id] += answer->rejected ? 1 : 0;
        story->accepted[id] += !answer->rejected && answer->level == FLUXAWS_ACCEPTED ? 1 : 0;
    }
}

static void note_wish(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                      void *data)
{
    (void)client;
    struct story *story = data;
    story->wished = desired->json != NULL ? strtoll(desired->json, NULL, 10) : 0;
}

/* ---- a daemon that takes everything ---- */

static void take_report(struct story *story, const struct flux_frame *frame)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_report_decode(frame, &report, &operations), 0);
    while (flux_report_next(&operations, &change) == 1) {
        for (unsigned i = 0; i < PATHS; i++)
            if (strlen(paths[i]) == change.path_size &&
                memcmp(paths[i], change.path, change.path_size) == 0)
                story->taken[i] = change.value.int64;
    }
    /* Versions that differ keep answers apart. */
    fake_answer(&story->f->daemon, FLUX_LEVEL_ACCEPTED, report.request_id, report.request_id,
                (int64_t)report.request_id);
    fake_safe(&story->f->daemon, report.request_id);
}

static void take_frame(struct story *story, const struct flux_frame *frame)
{
    struct flux_watch watch;
    switch (frame->type) {
    case FLUX_MESSAGE_HELLO:
        break;
    case FLUX_MESSAGE_REPORT:
        take_report(story, frame);
        break;
    case FLUX_MESSAGE_WATCH:
        assert_int_equal(flux_watch_decode(frame, &watch), 0);
        fake_done(&story->f->daemon, watch.request_id);
        fake_desired(&story->f->daemon, watch.request_id, "/w", 7, 3, false);
        break;
    default:
        fail_msg("what is %s doing here", flux_message_name(frame->type));
    }
}

/* Greet who connects; one that the library has given up meanwhile cannot be. HELLO may not be there
 * yet, which does not matter. */
static void greet_next(struct fake_daemon *daemon)
{
    uint8_t room[64];
    struct flux_wire_writer writer;
    const struct flux_welcome welcome = {.version = 1,
                                         .instance_id = 7,
                                         .max_frame_bytes = FLUX_FRAME_BYTES_DEFAULT,
                                         .max_depth = 8};
    flux_wire_writer_init(&writer, room, sizeof(room));
    assert_int_equal(flux_welcome_encode(&writer, &welcome), 0);
    while (daemon->socket_fd < 0 && fake_accept(daemon))
        if (!fake_try_send(daemon, writer.data, writer.size))
            fake_hang_up(daemon);
}

static void play_daemon(struct story *story)
{
    struct fake_daemon *daemon = &story->f->daemon;
    struct flux_frame frame;
    if (story->f->client->state == CLIENT_AWAY) {
        fake_hang_up(daemon);
        story->f->client->retry_at_ms = 0; /* virtual patience */
    }
    if (daemon->socket_fd < 0)
        greet_next(daemon);
    while (daemon->socket_fd >= 0 && fake_next(daemon, &frame))
        take_frame(story, &frame);
}

static void turn(struct story *story, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        assert_true(fluxaws_dispatch(story->f->client, 0) >= 0);
        play_daemon(story);
    }
}

/* ---- a program that asks again when it is told that there is no memory ---- */

#define AGAIN(story, call)                                                                         \
    do {                                                                                           \
        int again_result = -ENOMEM;                                                                \
        for (unsigned again = 0; again_result == -ENOMEM && again < TRIES_MAX; again++)            \
            again_result = (call);                                                                 \
        assert_true(again_result >= 0);                                                            \
        (story)->is_report[fluxaws_last_report_id((story)->f->client)] = true;                     \
    } while (0)

static void tell_story(struct story *story, uint64_t number, uint64_t count)
{
    struct fluxaws_options options = {
        .size = sizeof(options), .socket_path = story->f->daemon.path, .name = "test"};
    int r = -ENOMEM;
    failing_start(number, count);
    for (unsigned i = 0; r == -ENOMEM && i < TRIES_MAX; i++)
        r = fluxaws_open(&story->f->client, &options);
    assert_int_equal(r, 0);
    struct fluxaws_client *client = story->f->client;
    assert_int_equal(fluxaws_on_answer(client, note_answer, story), 0);
    assert_int_equal(fluxaws_want(client, FLUXAWS_ACCEPTED), 0);
    AGAIN(story, fluxaws_set_int64(client, "x", 1));
    turn(story, 2);
    AGAIN(story, fluxaws_watch(client, NULL, note_wish, story));
    AGAIN(story, fluxaws_report_json(client, "{\"o\":{\"a\":1,\"b\":2}}"));
    turn(story, 2);
    if (story->is_cut)
        fake_hang_up(&story->f->daemon);
    AGAIN(story, fluxaws_set_int64(client, "y", 3));
    AGAIN(story, fluxaws_set_int64(client, "x", 4));
    turn(story, 3);
    AGAIN(story, fluxaws_set_int64(client, "o.b", 5));
    /* Answers that come together need more room. */
    for (int i = 0; i < 20; i++)
        AGAIN(story, fluxaws_set_int64(client, "y", i % 2 == 0 ? 8 : 3));
    turn(story, 2);
    story->has_failed = failing_has_failed();
    (void)failing_stop();
    turn(story, 20);
}

static bool play(struct client_fixture *f, bool is_cut, uint64_t number, uint64_t count)
{
    struct story story = {.f = f, .is_cut = is_cut};
    tell_story(&story, number, count);
    static const int64_t expected[PATHS] = {4, 3, 1, 5};
    for (unsigned i = 0; i < PATHS; i++)
        if (story.taken[i] != expected[i])
            fail_msg("%u failing from %u on: %s is %d", (unsigned)count, (unsigned)number, paths[i],
                     (int)story.taken[i]);
    for (uint64_t id = 1; id <= fluxaws_last_report_id(f->client); id++)
        if (story.is_report[id] && (story.accepted[id] != 1 || story.rejected[id] != 0))
            fail_msg("%u failing from %u on: report %u accepted %u times, rejected %u times",
                     (unsigned)count, (unsigned)number, (unsigned)id, story.accepted[id],
                     story.rejected[id]);
    assert_int_equal(fluxaws_count_waiting(f->client), 0);
    if (story.wished != 7)
        fail_msg("%u failing from %u on: the wish was not heard", (unsigned)count,
                 (unsigned)number);
    f->client = fluxaws_close(f->client);
    fake_hang_up(&f->daemon);
    while (fake_accept(&f->daemon))
        fake_hang_up(&f->daemon);
    return story.has_failed;
}

static void play_all(struct client_fixture *f, uint64_t count)
{
    for (unsigned is_cut = 0; is_cut < 2; is_cut++) {
        uint64_t number = 1;
        while (play(f, is_cut == 1, number, count))
            number++;
        assert_true(number > 20);
    }
}

static void test_one_failure_loses_no_answer(void **state)
{
    play_all(*state, 1);
}

static void test_a_time_without_memory_loses_no_answer(void **state)
{
    static const uint64_t counts[] = {2, 5, 20, 200};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
        play_all(*state, counts[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_one_failure_loses_no_answer, client_set_up,
                                        client_tear_down),
        cmocka_unit_test_setup_teardown(test_a_time_without_memory_loses_no_answer, client_set_up,
                                        client_tear_down),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
