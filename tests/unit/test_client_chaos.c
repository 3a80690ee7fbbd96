/* Random reports to a daemon that is lost, restarted and slow at random: in the end it holds what
 * the reports say, and every report has been answered once. */
#include "client/client.h"
#include "proto/property_set.h"
#include "tests/unit/client_fixture.h"
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

#define ROUNDS      300u
#define STEPS       80u
#define LOG_MAX     4096u
#define REPORTS_MAX (STEPS + 1u)

/* One operation as the daemon took it; kept, so that a restart can forget the newest. */
struct logged {
    enum flux_operation kind;
    char path[16];
    struct flux_value value; /* has no text */
};

struct chaos {
    struct client_fixture f;
    struct flux_property_set truth; /* every report, one by one */
    struct logged log[LOG_MAX];
    size_t log_count, safe_count;
    uint64_t received_id, seed;
    unsigned queued[REPORTS_MAX], accepted[REPORTS_MAX];
    uint64_t level_version;
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
    assert_int_equal(flux_property_set_apply(set, kind, path, strlen(path),
                                             kind == FLUX_SET ? value : NULL, 1, 1, &applied),
                     0);
}

static void note(struct fluxaws_client *client, const struct fluxaws_answer *answer, void *data)
{
    (void)client;
    struct chaos *chaos = data;
    assert_false(answer->rejected);
    for (uint64_t id = answer->first_id; id <= answer->last_id; id++) {
        assert_true(id < REPORTS_MAX);
        if (answer->level == FLUXAWS_ACCEPTED)
            chaos->accepted[id]++;
        else
            assert_int_equal(chaos->accepted[id], 0);
        if (answer->level == FLUXAWS_QUEUED)
            chaos->queued[id]++;
    }
}

static void report_random(struct chaos *chaos)
{
    static const char *const paths[] = {"/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/g", "/h"};
    struct fluxaws_client *client = chaos->f.client;
    uint64_t count = 1 + roll(chaos, 3);
    assert_int_equal(fluxaws_report_begin(client), 0);
    for (uint64_t i = 0; i < count; i++) {
        const char *path = paths[roll(chaos, sizeof(paths) / sizeof(paths[0]))];
        struct flux_value value = flux_value_int64((int64_t)roll(chaos, 1000));
        if (roll(chaos, 4) == 0) {
            assert_int_equal(fluxaws_unset(client, path), 0);
            apply(&chaos->truth, FLUX_UNSET, path, NULL);
        } else if (roll(chaos, 6) == 0) {
            value = flux_value_empty_object();
            assert_int_equal(fluxaws_set_json(client, path, "{}"), 0);
            apply(&chaos->truth, FLUX_SET, path, &value);
        } else {
            assert_int_equal(fluxaws_set_int64(client, path, value.int64), 0);
            apply(&chaos->truth, FLUX_SET, path, &value);
        }
    }
    assert_int_equal(fluxaws_report_send(client), 0);
}

static void take_report(struct chaos *chaos, const struct flux_frame *frame)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_report_decode(frame, &report, &operations), 0);
    assert_true(report.request_id > chaos->received_id);
    chaos->received_id = report.request_id;
    while (flux_report_next(&operations, &change) == 1) {
        assert_true(chaos->log_count < LOG_MAX);
        struct logged *logged = &chaos->log[chaos->log_count++];
        *logged = (struct logged){.kind = change.kind, .value = change.value};
        (void)snprintf(logged->path, sizeof(logged->path), "%.*s", (int)change.path_size,
                       change.path);
    }
}

/* Read some frames, or all. */
static void receive(struct chaos *chaos, uint64_t frames)
{
    struct flux_frame frame;
    while (frames-- > 0 && fake_next(&chaos->f.daemon, &frame))
        take_report(chaos, &frame);
}

static void answer_all(struct chaos *chaos, enum flux_level level)
{
    if (chaos->received_id == 0)
        return;
    fake_answer(&chaos->f.daemon, level, 1, chaos->received_id,
                level == FLUX_LEVEL_ACCEPTED ? (int64_t)++chaos->level_version : 0);
    if (level != FLUX_LEVEL_ACCEPTED)
        return;
    fake_safe(&chaos->f.daemon, chaos->received_id);
    chaos->safe_count = chaos->log_count;
}

/* Drop the connection; a restarted daemon forgets what was not safe as well. */
static void lose(struct chaos *chaos, bool is_restart)
{
    struct fluxaws_client *client = chaos->f.client;
    fake_hang_up(&chaos->f.daemon);
    if (is_restart)
        chaos->log_count = chaos->safe_count;
    chaos->received_id = 0;
    while (roll(chaos, 2) == 0)
        report_random(chaos);
    for (int i = 0; !fake_accept(&chaos->f.daemon); i++) {
        assert_true(i < 10);
        client->retry_at_ms = 0; /* virtual patience */
        (void)fluxaws_dispatch(client, 0);
    }
    fake_greet(&chaos->f.daemon, 0);
}

static void step(struct chaos *chaos)
{
    switch (roll(chaos, 8)) {
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
    default:
        if (fluxaws_last_report_id(chaos->f.client) + 20 < REPORTS_MAX)
            report_random(chaos);
    }
}

static void expect_truth(struct chaos *chaos)
{
    struct flux_property_set daemon;
    assert_int_equal(flux_property_set_init(&daemon, 0, 1), 0);
    for (size_t i = 0; i < chaos->log_count; i++)
        apply(&daemon, chaos->log[i].kind, chaos->log[i].path, &chaos->log[i].value);
    assert_int_equal(daemon.value_count, chaos->truth.value_count);
    const struct flux_property *property = chaos->truth.root;
    while ((property = flux_property_next(chaos->truth.root, property)) != NULL) {
        if (property->value.type == FLUX_VALUE_NONE)
            continue;
        const struct flux_property *other =
            flux_property_set_find(&daemon, property->path, property->path_size);
        assert_non_null(other);
        assert_true(flux_value_equal(&other->value, &property->value));
    }
    flux_property_set_clear(&daemon);
}

static void run_round(struct chaos *chaos)
{
    for (unsigned i = 0; i < STEPS; i++)
        step(chaos);
    for (int i = 0; i < 4; i++) {
        (void)fluxaws_dispatch(chaos->f.client, 0);
        receive(chaos, UINT64_MAX);
    }
    answer_all(chaos, FLUX_LEVEL_ACCEPTED);
    (void)fluxaws_dispatch(chaos->f.client, 0);
    assert_int_equal(fluxaws_count_waiting(chaos->f.client), 0);
    for (uint64_t id = 1; id <= fluxaws_last_report_id(chaos->f.client); id++) {
        assert_int_equal(chaos->accepted[id], 1);
        assert_in_range(chaos->queued[id], 0, 1);
    }
    assert_true(backlog_is_empty(&chaos->f.client->shadow->backlog));
    expect_truth(chaos);
}

static void test_every_report_arrives_and_is_answered_once(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct chaos *chaos = calloc(1, sizeof(*chaos));
        assert_non_null(chaos);
        chaos->seed = seed;
        fake_start(&chaos->f.daemon);
        assert_int_equal(flux_property_set_init(&chaos->truth, 0, 1), 0);
        client_fixture_open_greeted(&chaos->f, 0);
        assert_int_equal(fluxaws_on_answer(chaos->f.client, note, chaos), 0);
        assert_int_equal(fluxaws_want(chaos->f.client, FLUXAWS_ACCEPTED), 0);
        run_round(chaos);
        chaos->f.client = fluxaws_close(chaos->f.client);
        flux_property_set_clear(&chaos->truth);
        fake_stop(&chaos->f.daemon);
        free(chaos);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_report_arrives_and_is_answered_once),
    };
    return cmocka_run_group_tests(tests, client_prepare, NULL);
}
