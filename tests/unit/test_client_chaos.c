/* Random reports to three shadows, settles and watches, with a daemon that is lost, restarted, slow
 * and mad at random, and that refuses one of the shadows: in the end it holds what the reports say,
 * every report has been answered once, and the program has heard the wishes as they are. */
#include "client/client.h"
#include "proto/path.h"
#include "proto/property_set.h"
#include "tests/unit/client_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define ROUNDS      400u
#define STEPS       120u
#define LOG_MAX     4096u
#define REPORTS_MAX (STEPS * 4u)
#define SHADOWS     3u
#define FORBIDDEN   2u
#define PATHS       8u
#define WISHES      4u

static const char *const names[SHADOWS] = {NULL, "config", "forbidden"};
static const char *const paths[PATHS] = {"/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/g", "/h"};
static const char *const wish_paths[WISHES] = {"/w/x", "/w/y/z", "/v", "/v0"};

/* One operation as the daemon took it; kept, so that a restart can forget the newest. */
struct logged {
    uint64_t id;
    enum flux_operation kind;
    char path[16];
    struct flux_value value; /* has no text */
};

struct side {                       /* of one shadow */
    struct flux_property_set truth; /* every report, one by one */
    uint64_t settled[PATHS + 1];    /* the newest report that settled this path; last: all */
    struct logged log[LOG_MAX];
    size_t log_count, safe_count;
    uint64_t received_id; /* on this connection */
    bool is_open;         /* on this connection */
};

struct chaos {
    struct client_fixture f;
    struct side sides[SHADOWS];
    unsigned in_use;
    uint64_t last_received_id; /* of all reports on this connection */
    uint64_t seed;
    unsigned queued[REPORTS_MAX], accepted[REPORTS_MAX], rejected[REPORTS_MAX];
    unsigned shadow_of[REPORTS_MAX];
    int64_t level_version;

    int64_t wishes[WISHES], version; /* in the cloud; 0: nothing */
    int64_t heard[WISHES], heard_version;
    bool is_known;     /* the daemon knows what the cloud wishes */
    uint64_t watch_id; /* on this connection; 0: none */
    int64_t told[WISHES];
    bool is_complete;
};

static uint64_t roll(struct chaos *chaos, uint64_t below)
{
    chaos->seed = chaos->seed * 6364136223846793005u + 1442695040888963407u;
    return (chaos->seed >> 33) % below;
}

static void apply(struct flux_property_set *set, enum flux_operation kind, const char *path,
                  const struct flux_value *value)
{
    struct flux_applied applied;
    if (kind == FLUX_SETTLE)
        return;
    if (path[0] == '\0') {
        flux_property_set_clear(set);
        assert_int_equal(flux_property_set_init(set, 0, 1), 0);
        return;
    }
    assert_int_equal(flux_property_set_apply(set, kind, path, strlen(path),
                                             kind == FLUX_SET ? value : NULL, 1, 1, &applied),
                     0);
}

/* ---- the program ---- */

static void note(struct fluxaws_client *client, const struct fluxaws_answer *answer, void *data)
{
    (void)client;
    struct chaos *chaos = data;
    for (uint64_t id = answer->first_id; id <= answer->last_id && id < REPORTS_MAX; id++) {
        /* Ids of other shadows, and of requests, may lie in between. */
        const char *name = chaos->shadow_of[id] < SHADOWS ? names[chaos->shadow_of[id]] : "-";
        bool is_other = (name == NULL) != (answer->shadow == NULL) ||
                        (name != NULL && strcmp(name, answer->shadow) != 0);
        if (is_other)
            continue;
        if (answer->rejected)
            chaos->rejected[id]++;
        else if (answer->level == FLUXAWS_ACCEPTED)
            chaos->accepted[id]++;
        else if (answer->level == FLUXAWS_QUEUED)
            chaos->queued[id]++;
        if (answer->level == FLUXAWS_QUEUED && !answer->rejected)
            assert_int_equal(chaos->accepted[id], 0);
    }
}

static void hear(struct fluxaws_client *client, const struct fluxaws_desired *desired, void *data)
{
    (void)client;
    struct chaos *chaos = data;
    assert_int_equal(desired->error, 0);
    assert_true(desired->version >= chaos->heard_version);
    chaos->heard_version = desired->version;
    unsigned i = 0;
    while (strcmp(wish_paths[i], desired->path) != 0)
        assert_true(++i < WISHES);
    int64_t number = desired->json != NULL ? strtoll(desired->json, NULL, 10) : 0;
    assert_true(number != chaos->heard[i]);
    chaos->heard[i] = number;
}

/* Values at and below the same path exclude each other in one report. */
static bool is_related(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || flux_path_is_below(a, strlen(a), b, strlen(b)) ||
           flux_path_is_below(b, strlen(b), a, strlen(a));
}

static void add_random(struct chaos *chaos, const char *path)
{
    struct fluxaws_client *client = chaos->f.client;
    struct flux_property_set *truth = &chaos->sides[chaos->in_use].truth;
    struct flux_value value = flux_value_int64((int64_t)roll(chaos, 1000));
    if (roll(chaos, 4) == 0) {
        assert_int_equal(fluxaws_unset(client, path), 0);
        apply(truth, FLUX_UNSET, path, NULL);
    } else if (roll(chaos, 6) == 0) {
        value = flux_value_empty_object();
        assert_int_equal(fluxaws_set_json(client, path, "{}"), 0);
        apply(truth, FLUX_SET, path, &value);
    } else {
        assert_int_equal(fluxaws_set_int64(client, path, value.int64), 0);
        apply(truth, FLUX_SET, path, &value);
    }
}

static void note_report(struct chaos *chaos, uint64_t previous_id)
{
    uint64_t id = fluxaws_last_report_id(chaos->f.client);
    assert_true(id > previous_id && id < REPORTS_MAX);
    chaos->shadow_of[id] = chaos->in_use;
}

static void replace_random(struct chaos *chaos)
{
    char document[64];
    int64_t number = (int64_t)roll(chaos, 1000);
    uint64_t previous_id = fluxaws_last_report_id(chaos->f.client);
    (void)snprintf(document, sizeof(document), "{\"a\":{\"d\":%d},\"g\":1}", (int)number);
    assert_int_equal(fluxaws_replace_json(chaos->f.client, NULL, document), 0);
    struct flux_value values[2] = {flux_value_int64(number), flux_value_int64(1)};
    struct flux_property_set *truth = &chaos->sides[chaos->in_use].truth;
    apply(truth, FLUX_UNSET, "", NULL);
    apply(truth, FLUX_SET, "/a/d", &values[0]);
    apply(truth, FLUX_SET, "/g", &values[1]);
    note_report(chaos, previous_id);
}

static void report_random(struct chaos *chaos)
{
    struct fluxaws_client *client = chaos->f.client;
    uint64_t previous_id = fluxaws_last_report_id(client);
    if (client->last_id + 20 >= REPORTS_MAX)
        return;
    if (roll(chaos, 3) == 0) {
        chaos->in_use = (unsigned)roll(chaos, SHADOWS);
        assert_int_equal(fluxaws_use_shadow(client, NULL, names[chaos->in_use]), 0);
    }
    if (roll(chaos, 12) == 0) {
        replace_random(chaos);
        return;
    }
    const char *first = paths[roll(chaos, PATHS)], *second = paths[roll(chaos, PATHS)];
    uint64_t settle = roll(chaos, 4 * (PATHS + 1));
    assert_int_equal(fluxaws_report_begin(client), 0);
    add_random(chaos, first);
    if (!is_related(first, second))
        add_random(chaos, second);
    if (settle <= PATHS)
        assert_int_equal(fluxaws_settle(client, settle < PATHS ? paths[settle] : NULL), 0);
    assert_int_equal(fluxaws_report_send(client), 0);
    note_report(chaos, previous_id);
    if (settle <= PATHS)
        chaos->sides[chaos->in_use].settled[settle] = fluxaws_last_report_id(client);
}

/* ---- the daemon ---- */

static void take_report(struct chaos *chaos, const struct flux_frame *frame)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_report_decode(frame, &report, &operations), 0);
    assert_true(report.shadow < SHADOWS);
    struct side *side = &chaos->sides[report.shadow];
    assert_true(side->is_open);
    assert_true(report.request_id > chaos->last_received_id);
    chaos->last_received_id = report.request_id;
    side->received_id = report.request_id;
    while (flux_report_next(&operations, &change) == 1) {
        assert_true(side->log_count < LOG_MAX);
        struct logged *logged = &side->log[side->log_count++];
        *logged =
            (struct logged){.id = report.request_id, .kind = change.kind, .value = change.value};
        (void)snprintf(logged->path, sizeof(logged->path), "%.*s", (int)change.path_size,
                       change.path);
    }
}

static void take_open(struct chaos *chaos, const struct flux_frame *frame)
{
    struct flux_open_shadow open;
    assert_int_equal(flux_open_shadow_decode(frame, &open), 0);
    assert_true(open.handle > 0 && open.handle < SHADOWS);
    bool is_forbidden = open.shadow.size == strlen(names[FORBIDDEN]);
    assert_false(chaos->sides[open.handle].is_open);
    chaos->sides[open.handle].is_open = !is_forbidden;
    if (is_forbidden)
        fake_failed(&chaos->f.daemon, open.request_id, EACCES, "forbidden");
    else
        fake_opened(&chaos->f.daemon, open.handle, open.request_id);
}

static void take_watch(struct chaos *chaos, const struct flux_frame *frame)
{
    struct flux_watch watch;
    assert_int_equal(flux_watch_decode(frame, &watch), 0);
    assert_int_equal(chaos->watch_id, 0);
    chaos->watch_id = watch.request_id;
    memset(chaos->told, 0, sizeof(chaos->told));
    chaos->is_complete = false;
    fake_done(&chaos->f.daemon, watch.request_id);
}

/* Read some frames, or all. */
static void receive(struct chaos *chaos, uint64_t frames)
{
    struct flux_frame frame;
    while (frames-- > 0 && fake_next(&chaos->f.daemon, &frame)) {
        if (frame.type == FLUX_MESSAGE_REPORT)
            take_report(chaos, &frame);
        else if (frame.type == FLUX_MESSAGE_OPEN_SHADOW)
            take_open(chaos, &frame);
        else if (frame.type == FLUX_MESSAGE_WATCH)
            take_watch(chaos, &frame);
        else
            fail_msg("the client said %s", flux_message_name(frame.type));
    }
}

static void answer_all(struct chaos *chaos, enum flux_level level)
{
    for (uint16_t i = 0; i < SHADOWS; i++) {
        struct side *side = &chaos->sides[i];
        if (side->received_id == 0)
            continue;
        chaos->f.daemon.shadow = i;
        fake_answer(&chaos->f.daemon, level, 1, side->received_id,
                    level == FLUX_LEVEL_ACCEPTED ? ++chaos->level_version : 0);
        if (level == FLUX_LEVEL_ACCEPTED) {
            fake_safe(&chaos->f.daemon, side->received_id);
            side->safe_count = side->log_count;
        }
    }
    chaos->f.daemon.shadow = 0;
}

/* Tell some of the wishes that have changed, or all of them. */
static void tell_wishes(struct chaos *chaos, bool all)
{
    if (chaos->watch_id == 0 || !chaos->is_known)
        return;
    bool is_rest_told = true;
    for (unsigned i = 0; i < WISHES; i++) {
        if (chaos->told[i] == chaos->wishes[i])
            continue;
        if (!all && roll(chaos, 3) == 0) {
            is_rest_told = false;
            continue;
        }
        fake_desired(&chaos->f.daemon, chaos->watch_id, wish_paths[i], chaos->wishes[i],
                     chaos->version, false);
        chaos->told[i] = chaos->wishes[i];
    }
    if (is_rest_told && !chaos->is_complete) {
        fake_complete(&chaos->f.daemon, chaos->watch_id, chaos->version);
        chaos->is_complete = true;
    }
}

static void wish_random(struct chaos *chaos)
{
    chaos->wishes[roll(chaos, WISHES)] = (int64_t)roll(chaos, 3);
    chaos->version++;
}

/* Drop the connection; a restarted daemon forgets what was not safe as well. */
static void lose(struct chaos *chaos, bool is_restart)
{
    struct fluxaws_client *client = chaos->f.client;
    if (roll(chaos, 4) == 0) {
        static const uint8_t garbage[8] = {0x4a, 0, 0, 0, 0, 0, 0, 0};
        fake_send(&chaos->f.daemon, garbage, sizeof(garbage));
    }
    fake_hang_up(&chaos->f.daemon);
    for (unsigned i = 0; i < SHADOWS; i++) {
        struct side *side = &chaos->sides[i];
        if (is_restart)
            side->log_count = side->safe_count;
        side->received_id = 0;
        side->is_open = i == 0;
    }
    chaos->last_received_id = 0;
    chaos->watch_id = 0;
    chaos->is_known = chaos->is_known && !is_restart;
    while (roll(chaos, 2) == 0) {
        report_random(chaos);
        wish_random(chaos);
    }
    for (int i = 0; !fake_accept(&chaos->f.daemon); i++) {
        assert_true(i < 10);
        client->retry_at_ms = 0; /* virtual patience */
        (void)fluxaws_dispatch(client, 0);
    }
    fake_greet(&chaos->f.daemon, 0);
}

static void step(struct chaos *chaos)
{
    switch (roll(chaos, 10)) {
    case 0:
        receive(chaos, roll(chaos, 3));
        break;
    case 1:
        receive(chaos, UINT64_MAX);
        answer_all(chaos, FLUX_LEVEL_QUEUED);
        break;
    case 2:
        answer_all(chaos, FLUX_LEVEL_ACCEPTED);
        break;
    case 3:
        assert_true(fluxaws_dispatch(chaos->f.client, 0) >= 0);
        break;
    case 4:
        if (roll(chaos, 3) == 0)
            lose(chaos, roll(chaos, 2) == 0);
        break;
    case 5:
        wish_random(chaos);
        break;
    case 6:
        chaos->is_known = chaos->is_known || roll(chaos, 2) == 0;
        tell_wishes(chaos, false);
        break;
    default:
        report_random(chaos);
    }
}

/* ---- the end ---- */

static void expect_truth(const struct side *side)
{
    struct flux_property_set daemon;
    assert_int_equal(flux_property_set_init(&daemon, 0, 1), 0);
    for (size_t i = 0; i < side->log_count; i++)
        apply(&daemon, side->log[i].kind, side->log[i].path, &side->log[i].value);
    assert_int_equal(daemon.value_count, side->truth.value_count);
    const struct flux_property *property = side->truth.root;
    while ((property = flux_property_next(side->truth.root, property)) != NULL) {
        if (property->value.type == FLUX_VALUE_NONE)
            continue;
        const struct flux_property *other =
            flux_property_set_find(&daemon, property->path, property->path_size);
        assert_non_null(other);
        assert_true(flux_value_equal(&other->value, &property->value));
    }
    flux_property_set_clear(&daemon);
}

/* Every path that was settled has been settled in the daemon, by that report or by a later one. */
static void expect_settles(const struct side *side)
{
    for (unsigned i = 0; i <= PATHS; i++) {
        const char *path = i < PATHS ? paths[i] : "";
        bool is_settled = side->settled[i] == 0;
        for (size_t j = 0; j < side->log_count && !is_settled; j++) {
            const struct logged *logged = &side->log[j];
            bool covers =
                logged->path[0] == '\0' || strcmp(logged->path, path) == 0 ||
                flux_path_is_below(path, strlen(path), logged->path, strlen(logged->path));
            is_settled = logged->kind == FLUX_SETTLE && covers && logged->id >= side->settled[i];
        }
        assert_true(is_settled);
    }
}

static void expect_answers(const struct chaos *chaos)
{
    assert_int_equal(fluxaws_count_waiting(chaos->f.client), 0);
    for (uint64_t id = 1; id <= fluxaws_last_report_id(chaos->f.client); id++) {
        bool is_report = chaos->shadow_of[id] < SHADOWS;
        bool is_refused = chaos->shadow_of[id] == FORBIDDEN;
        assert_int_equal(chaos->accepted[id], is_report && !is_refused);
        assert_int_equal(chaos->rejected[id], is_report && is_refused);
        assert_in_range(chaos->queued[id], 0, 1);
    }
}

static void run_round(struct chaos *chaos)
{
    for (unsigned i = 0; i < STEPS; i++)
        step(chaos);
    chaos->is_known = true;
    for (int i = 0; i < 6; i++) {
        (void)fluxaws_dispatch(chaos->f.client, 0);
        receive(chaos, UINT64_MAX);
        tell_wishes(chaos, true);
    }
    answer_all(chaos, FLUX_LEVEL_ACCEPTED);
    (void)fluxaws_dispatch(chaos->f.client, 0);
    expect_answers(chaos);
    for (unsigned i = 0; i < SHADOWS; i++) {
        if (i < chaos->f.client->shadow_count)
            assert_true(backlog_is_empty(&chaos->f.client->shadows[i]->backlog));
        if (i == FORBIDDEN)
            assert_int_equal(chaos->sides[i].log_count, 0);
        else
            expect_truth(&chaos->sides[i]);
        if (i != FORBIDDEN)
            expect_settles(&chaos->sides[i]);
    }
    assert_memory_equal(chaos->heard, chaos->wishes, sizeof(chaos->wishes));
}

static void begin_round(struct chaos *chaos, uint64_t seed)
{
    chaos->seed = seed;
    memset(chaos->shadow_of, 0xff, sizeof(chaos->shadow_of));
    fake_start(&chaos->f.daemon);
    for (unsigned i = 0; i < SHADOWS; i++)
        assert_int_equal(flux_property_set_init(&chaos->sides[i].truth, 0, 1), 0);
    chaos->sides[0].is_open = true;
    client_fixture_open_greeted(&chaos->f, 0);
    struct fluxaws_client *client = chaos->f.client;
    assert_int_equal(fluxaws_on_answer(client, note, chaos), 0);
    assert_int_equal(fluxaws_want(client, FLUXAWS_ACCEPTED), 0);
    assert_int_equal(fluxaws_watch(client, NULL, hear, chaos), 1);
    /* The handles are those of the names. */
    for (unsigned i = SHADOWS; i-- > 0;)
        assert_int_equal(fluxaws_use_shadow(client, NULL, names[SHADOWS - 1 - i]), 0);
    assert_int_equal(fluxaws_use_shadow(client, NULL, NULL), 0);
}

static void test_everything_arrives_and_is_answered_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct chaos *chaos = calloc(1, sizeof(*chaos));
        assert_non_null(chaos);
        begin_round(chaos, seed);
        run_round(chaos);
        chaos->f.client = fluxaws_close(chaos->f.client);
        for (unsigned i = 0; i < SHADOWS; i++)
            flux_property_set_clear(&chaos->sides[i].truth);
        fake_stop(&chaos->f.daemon);
        free(chaos);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_arrives_and_is_answered_once),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
