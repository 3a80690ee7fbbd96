/* Several shadows on one connection: subscriptions, turns, fairness, budgets, quarantine.
 * Invariant: each shadow converges as if it were alone, and the connection never exceeds a limit;
 * the oracle checks every request. */
#include "daemon/shadow/shadow_private.h"
#include "tests/scenario/scenario.h"
#include "tests/scenario/sim_events.h"
#include "tests/scenario/sim_watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *const shadows_gateway[] = {"sensor-*"};

static void shadows_options(struct sim_options *options)
{
    sim_options_init(options, 1);
    options->thing.extra = shadows_gateway;
    options->thing.extra_count = 1;
    options->thing.max_shadows = 256;
}

/* Open named shadows of the own thing beside the classic one. */
static void shadows_open(struct sim *sim, size_t count, struct sim **ret_shadows)
{
    for (size_t i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "s%zu", i);
        ret_shadows[i] = sim_open(sim, NULL, name);
    }
}

static void things_open(struct sim *sim, size_t count, struct sim **ret_shadows)
{
    for (size_t i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "sensor-%zu", i);
        ret_shadows[i] = sim_open(sim, name, NULL);
    }
}

static struct sim *shadows_up_with(const struct sim_options *options, size_t count,
                                   struct sim **ret_shadows)
{
    struct sim *sim = scenario_up_with(options, "{\"reported\":{}}");
    shadows_open(sim, count, ret_shadows);
    sim_run(sim, 10 * SIM_SECOND + 100 * (int64_t)count);
    assert_good(sim);
    return sim;
}

static struct sim *shadows_up(size_t count, struct sim **ret_shadows)
{
    struct sim_options options;
    shadows_options(&options);
    return shadows_up_with(&options, count, ret_shadows);
}

static void set_all(struct sim *const *shadows, size_t count, const char *json)
{
    for (size_t i = 0; i < count; i++)
        (void)sim_set(shadows[i], "/a", json);
}

static void assert_all_reported(struct sim *const *shadows, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        assert_reported(shadows[i], text);
}

static void shadows_end(struct sim *sim)
{
    sim_run(sim, SIM_MINUTE);
    for (struct sim *each = sim; each != NULL; each = each->next)
        (void)oracle_end(each, true);
    assert_good(sim);
    sim_free(sim);
}

/* 200: the classic shadow, a named one and one of another thing live side by side. */
static void test_200_shadows_live_side_by_side(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct sim *lamp = sim_open(sim, NULL, "lamp");
    struct sim *sensor = sim_open(sim, "sensor-1", NULL);
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(lamp, "/a", "2");
    (void)sim_set(sensor, "/a", "3");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    assert_reported(lamp, "{\"a\":2}");
    assert_reported(sensor, "{\"a\":3}");
    shadows_end(sim);
}

/* 201: 200 named shadows of one thing converge on one connection, with few subscriptions. */
static void test_201_two_hundred_named_shadows_converge(void **state)
{
    (void)state;
    static struct sim *named[200];
    struct sim *sim = shadows_up(200, named);
    set_all(named, 200, "1");
    sim_run(sim, 30 * SIM_SECOND);
    assert_all_reported(named, 200, "{\"a\":1}");
    assert_true(sim->filters_most <= 24);
    shadows_end(sim);
}

/* 202: from the third on the named shadows of a thing share their subscriptions. */
static void test_202_the_third_named_shadow_shares(void **state)
{
    (void)state;
    struct sim *named[3];
    struct sim *sim = shadows_up(2, named);
    assert_int_equal(sim->filter_count, 18);
    named[2] = sim_open(sim, NULL, "third");
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim->filter_count, 12);
    set_all(named, 3, "1");
    sim_run(sim, 10 * SIM_SECOND);
    assert_all_reported(named, 3, "{\"a\":1}");
    shadows_end(sim);
}

/* 203: more things than subscriptions: they take turns, and all converge. */
static void test_203_things_take_turns(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_subscriptions = 18;
    struct sim *things[12];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    things_open(sim, 12, things);
    set_all(things, 12, "1");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_all_reported(things, 12, "{\"a\":1}");
    set_all(things, 12, "2");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_all_reported(things, 12, "{\"a\":2}");
    assert_true(sim->filters_most <= 18);
    shadows_end(sim);
}

/* 204: who is watched keeps its subscriptions while the others take turns. */
static void test_204_a_watched_shadow_never_makes_way(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_subscriptions = 18;
    struct sim *things[8];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct sim *lamp = sim_open(sim, "sensor-lamp", NULL);
    struct sim_watcher *watcher = sim_watch(lamp, "", 0);
    things_open(sim, 8, things);
    for (int i = 0; i < 20; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "%d", i);
        set_all(things, 8, text);
        sim_run(sim, 20 * SIM_SECOND);
        (void)snprintf(text, sizeof(text), "{\"state\":{\"desired\":{\"on\":%d}}}", i);
        assert_true(sim_foreign(lamp, text) > 0);
        sim_run(sim, SIM_SECOND);
        assert_int_equal(watcher->news, i + 1);
    }
    shadows_end(sim);
}

/* 205: who made way knows nothing when it returns: a get precedes any claim. */
static void test_205_after_its_return_a_get_precedes_any_claim(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_subscriptions = 12;
    struct sim *things[6];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    things_open(sim, 6, things);
    set_all(things, 6, "1");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_all_reported(things, 6, "{\"a\":1}");
    for (size_t i = 0; i < 6; i++)
        (void)sim_foreign(things[i], "{\"state\":{\"reported\":{\"a\":2}}}");
    sim_run(sim, 100);
    size_t claimed = 0, ops[6];
    for (size_t i = 0; i < 6; i++) {
        ops[i] = sim_set(things[i], "/a", "1");
        claimed += !things[i]->ops[ops[i]].waiting;
    }
    assert_int_equal(claimed, 0);
    sim_run(sim, 5 * SIM_MINUTE);
    assert_all_reported(things, 6, "{\"a\":1}");
    shadows_end(sim);
}

/* 206: one shadow that never stops talking leaves the others their turns. */
static void test_206_every_shadow_gets_its_turn(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.interval_ms = 1;
    options.thing.burst = 1000;
    options.thing.messages_per_sec = 15;
    struct sim *named[5];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    shadows_open(sim, 5, named);
    sim_run(sim, SIM_MINUTE);
    sim->careless = true;
    char text[16];
    for (int i = 0; i < 6000; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, "/a", text);
        if (i % 100 == 50)
            (void)sim_set(named[(i / 100) % 5], "/a", text);
        sim_run(sim, 10);
    }
    for (size_t i = 0; i < 5; i++)
        assert_true(named[i]->updates >= 10);
    assert_true(sim->updates >= 20);
    sim_run(sim, SIM_MINUTE);
    assert_good(sim);
    sim_free(sim);
}

/* 207: a shadow whose update drops the link, again and again, is left alone; the others go on. */
static void test_207_a_quarantined_shadow_does_not_hurt_others(void **state)
{
    (void)state;
    struct sim *named[4];
    struct sim *sim = shadows_up(4, named);
    sim->poisoned = "\"poison\"";
    size_t links = sim->links;
    size_t bad = sim_set(named[1], "/a", "\"poison\"");
    char text[16];
    for (int i = 0; i < 60; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(named[0], "/a", text);
        (void)sim_set(named[2 + i % 2], "/a", text);
        sim_run(sim, 10 * SIM_SECOND);
        assert_good(sim);
    }
    assert_reported(named[0], "{\"a\":59}");
    assert_reported(named[3], "{\"a\":59}");
    assert_true(sim->links - links <= 8);
    assert_true(named[1]->ops[bad].waiting);
    struct thing_status status;
    thing_get_status(sim->thing, &status);
    assert_int_equal(status.quarantined, 1);
    assert_true(sim->notices[THING_NOTICE_QUARANTINED] >= 1);
    sim_free(sim);
}

/* 208: what was quarantined is tried again, and once it goes well it is like the others. */
static void test_208_quarantine_ends(void **state)
{
    (void)state;
    struct sim *named[3];
    struct sim *sim = shadows_up(3, named);
    sim->poisoned = "\"poison\"";
    (void)sim_set(named[1], "/a", "\"poison\"");
    for (int i = 0; i < 30; i++) {
        (void)sim_set(named[0], "/a", i % 2 == 0 ? "1" : "2");
        sim_run(sim, 10 * SIM_SECOND);
    }
    assert_true(sim->notices[THING_NOTICE_QUARANTINED] >= 1);
    sim->poisoned = NULL;
    sim_run(sim, 15 * SIM_MINUTE);
    assert_reported(named[1], "{\"a\":\"poison\"}");
    assert_int_equal(sim->notices[THING_NOTICE_RELEASED], 1);
    shadows_end(sim);
}

/* 209: ten minutes of a link that flaps every 2 s with 10 shadows cost 200 operations at most. */
static void test_209_a_flapping_link_with_ten_shadows_costs_little(void **state)
{
    (void)state;
    struct sim *named[9];
    struct sim *sim = shadows_up(9, named);
    size_t operations = sim->operations;
    for (int i = 0; i < 300; i++) {
        sim_link_down(sim);
        sim_run(sim, 1000);
        sim_link_up(sim);
        sim_run(sim, 1000);
    }
    assert_true(sim->operations - operations <= 200);
    assert_good(sim);
    shadows_end(sim);
}

/* 210: a runaway writer would use up the day's operations by noon: they are spread, the operator is
 * told once, and the newest state arrives. */
static void test_210_daily_operations_are_made_to_last(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.daily_operations = 1000;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct sim *lamp = sim_open(sim, NULL, "lamp");
    sim->careless = true;
    char text[16];
    for (int i = 0; i < 24 * 360; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, "/a", text);
        if (i % 360 == 0)
            (void)sim_set(lamp, "/a", text);
        sim_run(sim, 10 * SIM_SECOND);
        assert_good(sim);
    }
    assert_true(sim->operations <= 1010);
    assert_true(sim->operations >= 500);
    assert_int_equal(sim->notices[THING_NOTICE_BUDGET], 1);
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":8639}");
    assert_reported(lamp, "{\"a\":8280}");
    assert_good(sim);
    sim_free(sim);
}

/* 211: where the shared filters are refused, the first shadows still have their own. */
static void test_211_refused_shared_filters_leave_the_others(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    struct sim *named[5];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    sim->refused_filter = "name/+";
    shadows_open(sim, 5, named);
    (void)sim_set(sim, "/a", "1");
    set_all(named, 5, "1");
    sim_run(sim, 5 * SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    assert_true(sim->notices[THING_NOTICE_FILTER_REFUSED] >= 1);
    sim->refused_filter = NULL;
    sim_run(sim, 2 * SIM_HOUR);
    assert_all_reported(named, 5, "{\"a\":1}");
    shadows_end(sim);
}

/* 212: one refused filter silences its shadow, not the others; nothing is published in the dark. */
static void test_212_one_refused_filter_silences_one_shadow(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    sim->refused_filter = "lamp/update/rejected";
    struct sim *lamp = sim_open(sim, NULL, "lamp");
    struct sim *door = sim_open(sim, NULL, "door");
    size_t op = sim_set(lamp, "/a", "1");
    (void)sim_set(door, "/a", "1");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 30 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    assert_reported(door, "{\"a\":1}");
    assert_int_equal(lamp->updates + lamp->gets, 0);
    assert_waiting(lamp, op);
    sim->refused_filter = NULL;
    sim_run(sim, 2 * SIM_HOUR);
    assert_accepted(lamp, op);
    shadows_end(sim);
}

static int shadows_apply(struct sim *sim, enum flux_operation kind, int number,
                         struct shadow_refusal *ret_refusal)
{
    char path[32];
    int size = snprintf(path, sizeof(path), "/p%d/q", number);
    struct shadow_operation operation = {
        .kind = kind,
        .path = path,
        .path_size = (size_t)size,
        .value = kind == FLUX_SET ? flux_value_int64(1) : (struct flux_value){0},
    };
    return sim_report_raw(sim, &operation, 1, ret_refusal);
}

/* 213: distinct properties without end, set and unset: what is kept stays flat. A million of them
 * with FLUXAWS_MILLION=1. */
static void test_213_a_million_properties_come_and_go(void **state)
{
    (void)state;
    int count = getenv("FLUXAWS_MILLION") != NULL ? 1000000 : 50000;
    struct sim_options options;
    shadows_options(&options);
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct shadow_refusal refusal;
    sim->careless = true;
    for (int i = 0; i < count && !sim_is_broken(sim); i++) {
        sim->asleep = i % 1000 != 0;
        (void)shadows_apply(sim, FLUX_SET, i, &refusal);
        (void)shadows_apply(sim, FLUX_UNSET, i, &refusal);
        if (i % 1000 == 0)
            sim_run(sim, 200);
    }
    sim->asleep = false;
    sim_run(sim, 10 * SIM_MINUTE);
    assert_good(sim);
    struct shadow_status status = sim_status(sim);
    assert_int_equal(status.pending, 0);
    assert_true(status.properties + status.cuts <= 16);
    assert_true(sim->shadow->ledger.set.node_count <= 4 * LEDGER_NODES_KEPT);
    sim_free(sim);
}

/* 214: thirty shadows to prove at a connect: four gets at a time, twenty a second each, no more. */
static void test_214_four_gets_at_a_time(void **state)
{
    (void)state;
    struct sim *named[30];
    struct sim *sim = shadows_up(30, named);
    sim_link_down(sim);
    sim_run(sim, 5 * SIM_MINUTE);
    sim->options.faults.delay_min_ms = sim->options.faults.delay_max_ms = 400;
    size_t gets = named[0]->gets;
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(named[0]->gets, gets + 1);
    set_all(named, 30, "1");
    sim_run(sim, SIM_MINUTE);
    assert_all_reported(named, 30, "{\"a\":1}");
    shadows_end(sim);
}

/* 215: what the cloud tells of shadows that nobody opened does nothing but count. */
static void test_215_answers_for_others_are_counted_and_dropped(void **state)
{
    (void)state;
    struct sim *named[4];
    struct sim *sim = shadows_up(4, named);
    struct thing_status before, after;
    thing_get_status(sim->thing, &before);
    static const char request[] = "{\"state\":{\"reported\":{\"a\":1}}}";
    size_t operations = sim->operations;
    for (int i = 0; i < 10; i++)
        (void)sim_link_to_cloud(sim, "$aws/things/sim/shadow/name/nobody/update", request,
                                strlen(request), false);
    sim_run(sim, SIM_SECOND);
    thing_get_status(sim->thing, &after);
    assert_int_equal(after.unknown_messages - before.unknown_messages, 10);
    assert_int_equal(sim->operations, operations);
    shadows_end(sim);
}

/* 216: no more shadows than MaxShadows; one that nobody uses gives its place away. */
static void test_216_max_shadows(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_shadows = 3;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct shadow *first, *second, *third, *other;
    assert_int_equal(thing_open_shadow(sim->thing, NULL, "first", &first), 0);
    assert_int_equal(thing_open_shadow(sim->thing, NULL, "second", &second), 0);
    assert_int_equal(thing_open_shadow(sim->thing, NULL, "third", &third), -ENOSPC);
    thing_close_shadow(sim->thing, second);
    assert_int_equal(thing_open_shadow(sim->thing, NULL, "third", &third), 0);
    assert_int_equal(thing_open_shadow(sim->thing, NULL, "first", &other), 0);
    assert_ptr_equal(first, other);
    sim_free(sim);
}

/* 217: only the own thing and those in Extra. */
static void test_217_other_things_are_not_ours(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct shadow *shadow;
    assert_int_equal(thing_open_shadow(sim->thing, "camera", NULL, &shadow), -EACCES);
    assert_int_equal(thing_open_shadow(sim->thing, "sensor", NULL, &shadow), -EACCES);
    assert_int_equal(thing_open_shadow(sim->thing, "sensor-7", "x", &shadow), 0);
    assert_int_equal(thing_open_shadow(sim->thing, "sensor/7", NULL, &shadow), -EINVAL);
    assert_int_equal(thing_open_shadow(sim->thing, NULL, "a/b", &shadow), -EINVAL);
    sim_free(sim);
}

/* 218: a restart with ten shadows: what was not answered is sent again, and all converge. */
static void test_218_a_restart_with_ten_shadows(void **state)
{
    (void)state;
    struct sim *named[10];
    struct sim *sim = shadows_up(10, named);
    sim->drop_requests = 5;
    set_all(named, 10, "1");
    sim_restart(sim);
    sim_link_up(sim);
    set_all(named, 5, "2");
    sim_run(sim, SIM_MINUTE);
    assert_all_reported(named, 5, "{\"a\":2}");
    assert_all_reported(named + 5, 5, "{\"a\":1}");
    shadows_end(sim);
}

/* 219: fifty shadows with nothing to do cost a get per RefreshSec each, no more. */
static void test_219_idle_shadows_cost_next_to_nothing(void **state)
{
    (void)state;
    static struct sim *named[50];
    struct sim *sim = shadows_up(50, named);
    size_t operations = sim->operations, turns = sim->turns;
    sim_run(sim, 12 * SIM_HOUR);
    assert_true(sim->operations - operations <= 51 * 12);
    assert_true(sim->turns - turns <= 51 * 12 * 8);
    shadows_end(sim);
}

/* 220: many reports over many shadows, answers lost, the link cut every 10 s: all converge. */
static void test_220_many_shadows_in_bad_weather(void **state)
{
    (void)state;
    static struct sim *named[60];
    struct sim *sim = shadows_up(60, named);
    sim->options.faults.lose_answers = 5;
    sim->options.faults.delay_max_ms = 100;
    char text[16];
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(named[i % 60], i % 7 == 0 ? "/b" : "/a", text);
        if (i % 10 == 0)
            sim_run(sim, 100);
        if (i % 1000 == 500)
            sim_link_down(sim);
        if (i % 1000 == 520)
            sim_link_up(sim);
    }
    sim->options.faults.lose_answers = 0;
    sim_run(sim, 10 * SIM_MINUTE);
    shadows_end(sim);
}

/* 221: flush reaches every shadow. */
static void test_221_flush_reaches_every_shadow(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.interval_ms = 60000;
    options.thing.burst = 1;
    struct sim *named[4];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    shadows_open(sim, 4, named);
    sim_run(sim, 10 * SIM_SECOND);
    set_all(named, 4, "1");
    sim_run(sim, SIM_SECOND);
    set_all(named, 4, "2");
    sim_run(sim, SIM_SECOND);
    assert_all_reported(named, 4, "{\"a\":1}");
    sim_flush(sim);
    sim_run(sim, 2 * SIM_SECOND);
    assert_all_reported(named, 4, "{\"a\":2}");
    shadows_end(sim);
}

/* 222: an update that was lost for good keeps no subscription from the others. */
static void test_222_a_lost_update_makes_way_in_the_end(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_subscriptions = 12;
    struct sim *things[2];
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    sim->careless = true;
    things_open(sim, 2, things);
    sim_run(sim, SIM_MINUTE);
    for (size_t i = 0; i < 2; i++) {
        (void)sim_set(things[i], "/a", "1");
        sim_run(sim, 30 * SIM_SECOND);
        sim->drop_requests = 1;
        (void)sim_set(things[i], "/a", "2");
        assert_int_equal(shadow_forget(things[i]->shadow, "/a", 2, sim->now_ms), 0);
        sim_run(sim, 30 * SIM_SECOND);
        assert_reported(things[i], "{\"a\":1}");
    }
    sim_run(sim, SIM_MINUTE);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    assert_good(sim);
    sim_free(sim);
}

/* 223: beyond what a shadow can hold a property is refused with the reason; what is held goes on.
 */
static void test_223_a_full_shadow_says_so(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_document_bytes = 100000;
    options.cloud.max_bytes = 100000;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    struct shadow_refusal refusal;
    int refused = 0;
    sim->careless = true;
    sim->asleep = true;
    for (int i = 0; i < 5000; i++)
        refused += shadows_apply(sim, FLUX_SET, i, &refusal) == SHADOW_REPORT_REFUSED;
    assert_in_range(refused, 5000 - FLUX_PROPERTIES_MAX, 5000 - FLUX_PROPERTIES_MAX + 8);
    assert_int_equal(refusal.code, 413);
    assert_non_null(strstr(refusal.text, "4096"));
    assert_good(sim);
    sim_free(sim);
}

/* 224: what was granted before a channel was refused as a whole still counts. */
static void test_224_filters_granted_before_a_refusal_count(void **state)
{
    (void)state;
    struct sim_options options;
    shadows_options(&options);
    options.thing.max_subscriptions = 12;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    sim->refused_filter = "lamp/get/rejected";
    struct sim *lamp = sim_open(sim, NULL, "lamp");
    (void)sim_set(lamp, "/a", "1");
    sim_run(sim, 10 * SIM_SECOND);
    assert_int_equal(sim->filter_count, 11);
    sim->refused_filter = "lamp/";
    sim_run(sim, 10 * SIM_MINUTE);
    sim->refused_filter = NULL;
    struct sim *sensor = sim_open(sim, "sensor-1", NULL);
    (void)sim_set(sensor, "/a", "1");
    sim_run(sim, 2 * SIM_HOUR);
    assert_reported(sensor, "{\"a\":1}");
    assert_reported(lamp, "{\"a\":1}");
    shadows_end(sim);
}

/* 225: 200 named shadows, ten programs, thousands of reports, 5 % of the answers lost, the link cut
 * every 10 s: all converge. A hundred thousand reports with FLUXAWS_MILLION=1. */
static void test_225_two_hundred_shadows_in_bad_weather(void **state)
{
    (void)state;
    static struct sim *named[200];
    int count = getenv("FLUXAWS_MILLION") != NULL ? 100000 : 4000;
    struct sim_options options;
    shadows_options(&options);
    options.thing.daily_operations = 0;
    struct sim *sim = shadows_up_with(&options, 200, named);
    sim->options.faults.lose_answers = 5;
    sim->options.faults.delay_max_ms = 80;
    int64_t cut_ms = sim->now_ms + 10 * SIM_SECOND;
    for (int i = 0; i < count && !sim_is_broken(sim); i++) {
        char path[16], text[16];
        (void)snprintf(path, sizeof(path), "/p%d/v", i % 10); /* each program has its own */
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(named[(i * 7) % 200], path, text);
        if (i % 10 == 0)
            sim_run(sim, 100);
        if (sim->now_ms < cut_ms)
            continue;
        sim_link_down(sim);
        sim_run(sim, 500);
        sim_link_up(sim);
        cut_ms = sim->now_ms + 10 * SIM_SECOND;
    }
    sim->options.faults.lose_answers = 0;
    sim_run(sim, 10 * SIM_MINUTE);
    assert_true(sim->filters_most <= 24);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 429), 0);
    shadows_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_200_shadows_live_side_by_side),
              cmocka_unit_test(test_201_two_hundred_named_shadows_converge),
              cmocka_unit_test(test_202_the_third_named_shadow_shares),
              cmocka_unit_test(test_203_things_take_turns),
              cmocka_unit_test(test_204_a_watched_shadow_never_makes_way),
              cmocka_unit_test(test_205_after_its_return_a_get_precedes_any_claim),
              cmocka_unit_test(test_206_every_shadow_gets_its_turn),
              cmocka_unit_test(test_207_a_quarantined_shadow_does_not_hurt_others),
              cmocka_unit_test(test_208_quarantine_ends),
              cmocka_unit_test(test_209_a_flapping_link_with_ten_shadows_costs_little),
              cmocka_unit_test(test_210_daily_operations_are_made_to_last),
              cmocka_unit_test(test_211_refused_shared_filters_leave_the_others),
              cmocka_unit_test(test_212_one_refused_filter_silences_one_shadow),
              cmocka_unit_test(test_213_a_million_properties_come_and_go),
              cmocka_unit_test(test_214_four_gets_at_a_time),
              cmocka_unit_test(test_215_answers_for_others_are_counted_and_dropped),
              cmocka_unit_test(test_216_max_shadows),
              cmocka_unit_test(test_217_other_things_are_not_ours),
              cmocka_unit_test(test_218_a_restart_with_ten_shadows),
              cmocka_unit_test(test_219_idle_shadows_cost_next_to_nothing),
              cmocka_unit_test(test_220_many_shadows_in_bad_weather),
              cmocka_unit_test(test_221_flush_reaches_every_shadow),
              cmocka_unit_test(test_222_a_lost_update_makes_way_in_the_end),
              cmocka_unit_test(test_223_a_full_shadow_says_so),
              cmocka_unit_test(test_224_filters_granted_before_a_refusal_count),
              cmocka_unit_test(test_225_two_hundred_shadows_in_bad_weather))
