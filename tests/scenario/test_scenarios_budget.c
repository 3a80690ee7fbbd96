/* What it costs: the bucket of updates, the rates, gets when idle, short numbers. Invariant: the
 * number of operations depends on the number of properties and the time, never on the number of
 * reports; the oracle checks the bucket and the rates with every request. */
#include "tests/scenario/scenario.h"

#include <string.h>

static struct sim *budget_up(int64_t interval_ms, unsigned burst, const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = interval_ms;
    options.thing.burst = burst;
    return scenario_up_with(&options, document);
}

/* 130: 100,000 reports over 50 properties in 10 s, IntervalMs 1000, Burst 1: 12 updates at most. */
static void test_130_a_hundred_thousand_reports_cost_twelve_updates(void **state)
{
    (void)state;
    struct sim *sim = budget_up(1000, 1, NULL);
    sim->careless = true;
    struct flux_value value;
    char path[8];
    int64_t begin_ms = sim->now_ms;
    for (int64_t i = 0; i < 100000; i++) {
        int size = snprintf(path, sizeof(path), "/k%02d", (int)(i % 50));
        value = flux_value_int64(i);
        struct shadow_operation operation = {
            .kind = FLUX_SET, .path = path, .path_size = (size_t)size, .value = value};
        struct shadow_refusal refusal;
        assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_QUEUED);
        if (i % 10 == 9)
            sim_run(sim, 1);
    }
    assert_int_equal(sim->now_ms - begin_ms, 10 * SIM_SECOND);
    sim_run(sim, 2 * SIM_SECOND);
    assert_good(sim);
    assert_true(sim->updates <= 12);
    for (int i = 0; i < 50; i++) {
        (void)snprintf(path, sizeof(path), "/k%02d", i);
        assert_int_equal(json_integer_value(doc_at(sim_reported(sim), path)), 99950 + i);
    }
    assert_true(thing_is_settled(sim->thing));
    sim_free(sim);
}

/* 131: Burst updates at once, then one per IntervalMs. */
static void test_131_a_burst_and_then_one_per_interval(void **state)
{
    (void)state;
    struct sim *sim = budget_up(10000, 3, "{\"reported\":{}}");
    char text[16];
    for (int i = 0; i < 400; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, "/a", text);
        sim_run(sim, 100);
        if (i == 8)
            assert_int_equal(sim->updates, 3);
    }
    assert_true(sim->updates == 3 + 4 || sim->updates == 3 + 3);
    scenario_end(sim);
}

/* 132: after a pause an update goes at once, in the turn of the report. */
static void test_132_after_a_pause_it_goes_at_once(void **state)
{
    (void)state;
    struct sim *sim = budget_up(10000, 1, "{\"reported\":{}}");
    for (int i = 0; i < 5; i++) {
        size_t updates = sim->updates;
        (void)sim_set(sim, "/a", i % 2 == 0 ? "1" : "2");
        assert_int_equal(sim->updates, updates + 1);
        sim_run(sim, SIM_MINUTE);
    }
    scenario_end(sim);
}

/* 133: a shadow with nothing to do is got at most once a minute across reconnects. */
static void test_133_a_flapping_link_costs_one_get_a_minute(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    size_t gets = sim->gets;
    for (int i = 0; i < 120; i++) {
        sim_link_down(sim);
        sim_run(sim, 2 * SIM_SECOND);
        sim_link_up(sim);
        sim_run(sim, 3 * SIM_SECOND);
    }
    assert_true(sim->gets - gets <= 11);
    assert_int_equal(sim->updates, 0);
    scenario_end(sim);
}

/* 134: with a held version and something to send, the update itself proves the view. */
static void test_134_an_update_proves_the_view_without_a_get(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    size_t gets = sim->gets;
    sim_link_down(sim);
    size_t op = sim_set(sim, "/a", "2");
    sim_run(sim, SIM_SECOND);
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim->gets, gets);
    size_t same = sim_set(sim, "/a", "2");
    assert_accepted(sim, same);
    scenario_end(sim);
}

/* 135: however eager the programs and wide the bucket, 20 requests a second are the end. */
static void test_135_twenty_requests_a_second_are_the_end(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = 1;
    options.thing.burst = 1000;
    options.faults.delay_min_ms = options.faults.delay_max_ms = 1;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    char text[16];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, "/a", text);
        sim_run(sim, 1);
    }
    assert_true(sim->updates <= 101);
    assert_true(sim->updates >= 50);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 429), 0);
    scenario_end(sim);
}

/* 136: flush sends early. */
static void test_136_flush_sends_early(void **state)
{
    (void)state;
    struct sim *sim = budget_up(60000, 1, "{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    size_t op = sim_set(sim, "/a", "2");
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, op);
    sim->flushes = 1;
    shadow_flush(sim->shadow, sim->now_ms);
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 137: numbers are as short as they read back equal; integers exact. */
static void test_137_numbers_stay_short(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "81.5",
        "0.1",
        "9223372036854775807",
        "-9223372036854775808",
        "0.30000000000000004",
        "9007199254740993",
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sim *sim = scenario_up("{\"reported\":{}}");
        size_t op = sim_set(sim, "/n", numbers[i]);
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "{\"n\":%s}", numbers[i]);
        assert_non_null(strstr(sim->last_text, expected));
        sim_run(sim, SIM_SECOND);
        assert_accepted(sim, op);
        scenario_end(sim);
    }
}

/* 138: an idle day costs one get per RefreshSec and hardly a turn. */
static void test_138_an_idle_day_costs_next_to_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    (void)sim_set(sim, "/a", "2");
    sim_run(sim, SIM_MINUTE);
    size_t requests = sim->gets + sim->updates, turns = sim->turns;
    sim_run(sim, 24 * SIM_HOUR);
    assert_true(sim->gets + sim->updates - requests <= 24);
    assert_true(sim->turns - turns <= 24 * 10);
    scenario_end(sim);
}

/* 139: a link that carries nothing is doubted and dialled again. */
static void test_139_a_dead_link_is_doubted(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":1}}");
    sim->options.faults.lose_requests = 100;
    size_t op = sim_set(sim, "/a", "2");
    sim_run(sim, 10 * SIM_MINUTE);
    assert_true(sim->links >= 2);
    assert_waiting(sim, op);
    sim->options.faults.lose_requests = 0;
    sim_run(sim, 10 * SIM_MINUTE);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 140: a week: a report every ten minutes, the link away for an hour a day, others writing. */
static void test_140_a_week(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = 10000;
    options.faults.lose_answers = 2;
    options.faults.delay_max_ms = 800;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"x\":0}}");
    char text[64];
    for (int i = 0; i < 7 * 24 * 6; i++) {
        (void)snprintf(text, sizeof(text), "%d.5", i % 100);
        (void)sim_set(sim, i % 5 == 0 ? "/room/humidity" : "/room/temperature", text);
        if (i % 144 == 100)
            sim_link_down(sim);
        if (i % 144 == 106)
            sim_link_up(sim);
        if (i % 36 == 20) {
            (void)snprintf(text, sizeof(text), "{\"state\":{\"reported\":{\"x\":%d}}}", i);
            (void)sim_foreign(sim, text);
        }
        sim_run(sim, 10 * SIM_MINUTE);
        assert_good(sim);
    }
    assert_true(sim->updates <= 7 * 24 * 6 + 50);
    assert_true(sim->gets <= 200);
    assert_true(sim->turns <= 7 * 24 * 6 * 40);
    scenario_end(sim);
}

/* 141: the connection's budget counts both directions: what is sent and the answers to it. */
static void test_141_answers_are_charged_too(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = 1;
    options.thing.burst = 1000;
    options.thing.messages_per_sec = 10;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    char text[16];
    for (int i = 0; i < 20; i++) {
        struct thing_status before, after;
        thing_get_status(sim->thing, &before);
        for (int j = 0; j < 100; j++) {
            (void)snprintf(text, sizeof(text), "%d", 100 * i + j);
            (void)sim_set(sim, "/a", text);
            sim_run(sim, 10);
        }
        thing_get_status(sim->thing, &after);
        uint64_t messages =
            after.messages_in + after.messages_out - before.messages_in - before.messages_out;
        assert_true(messages <= 10);
        assert_true(messages >= 4);
    }
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_130_a_hundred_thousand_reports_cost_twelve_updates),
              cmocka_unit_test(test_131_a_burst_and_then_one_per_interval),
              cmocka_unit_test(test_132_after_a_pause_it_goes_at_once),
              cmocka_unit_test(test_133_a_flapping_link_costs_one_get_a_minute),
              cmocka_unit_test(test_134_an_update_proves_the_view_without_a_get),
              cmocka_unit_test(test_135_twenty_requests_a_second_are_the_end),
              cmocka_unit_test(test_136_flush_sends_early),
              cmocka_unit_test(test_137_numbers_stay_short),
              cmocka_unit_test(test_138_an_idle_day_costs_next_to_nothing),
              cmocka_unit_test(test_139_a_dead_link_is_doubted), cmocka_unit_test(test_140_a_week),
              cmocka_unit_test(test_141_answers_are_charged_too))
