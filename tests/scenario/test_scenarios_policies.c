/* Policies per property: values that wait, hurry, count as close or are sent again. Invariant: a
 * policy changes when a value is sent, never which one the cloud ends with; where it does
 * (Deadband), the answer says so. */
#include "tests/scenario/life.h"

#include <string.h>

static struct sim *policies_up_with(const struct sim_options *options, const char *document)
{
    struct sim *sim = scenario_up_with(options, document);
    life_no_policies(sim);
    return sim;
}

static struct sim *policies_up(const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    return policies_up_with(&options, document);
}

static void set_number(struct sim *sim, const char *path, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    assert_true(sim_set(sim, path, text) < SIZE_MAX);
}

/* 1: a property is in one update per MinIntervalMs at most, and ends with its newest value. */
static void test_01_a_held_property_waits_and_its_newest_value_goes(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = 10 * SIM_SECOND});
    for (int i = 0; i < 100; i++) {
        set_number(sim, "/a", i);
        sim_run(sim, 250);
    }
    assert_int_equal(sim->updates, 3); /* at 0, 10 and 20 s of 25 */
    assert_false(thing_is_settled(sim->thing));
    sim_run(sim, 6 * SIM_SECOND);
    assert_int_equal(sim->updates, 4);
    assert_reported(sim, "{\"a\":99}");
    scenario_end(sim);
}

/* 2: others do not wait for it, and what goes meanwhile leaves it out. */
static void test_02_others_do_not_wait_for_a_held_property(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = SIM_MINUTE});
    set_number(sim, "/a", 1);
    sim_run(sim, SIM_SECOND);
    set_number(sim, "/a", 2);
    set_number(sim, "/b", 1);
    sim_run(sim, SIM_SECOND);
    assert_sent(sim, "{\"b\":1}");
    assert_reported(sim, "{\"a\":1,\"b\":1}");
    scenario_end(sim);
}

/* 3: while only held values wait nothing at all is sent; a flush waits for them, a stop does not.
 */
static void test_03_held_values_cost_nothing_while_they_wait(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "*", (struct policy){.min_interval_ms = SIM_HOUR});
    set_number(sim, "/a", 1);
    set_number(sim, "/b", 1);
    sim_run(sim, 10 * SIM_SECOND);
    size_t operations = sim->updates + sim->gets;
    size_t turns = sim->turns;
    size_t op = sim_set(sim, "/a", "2");
    sim_flush(sim);
    sim_run(sim, 30 * SIM_MINUTE);
    assert_int_equal(sim->updates + sim->gets, operations);
    assert_true(sim->turns - turns < 10);
    assert_waiting(sim, op);
    assert_false(thing_is_settled(sim->thing));
    assert_true(thing_has_sent_all(sim->thing));
    sim_run(sim, SIM_HOUR);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 4: a removal does not wait. */
static void test_04_a_removal_is_not_held_back(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "**", (struct policy){.min_interval_ms = SIM_HOUR});
    set_number(sim, "/a/b", 1);
    sim_run(sim, SIM_SECOND);
    set_number(sim, "/a/b", 2);
    (void)sim_unset(sim, "/a/b");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":{}}");
    set_number(sim, "/a/c", 1);
    (void)sim_set(sim, "/a", "5");
    sim_run(sim, 2 * SIM_SECOND);
    (void)sim_set(sim, "/a/b", "3");
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":3}}");
    scenario_end(sim);
}

/* 5: an update that the service has refused does not count: the value need not wait again. */
static void test_05_a_conflict_does_not_make_a_value_wait_again(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = SIM_HOUR});
    sim->hold_request_ms = 500;
    size_t op = sim_set(sim, "/a", "1");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"b\":1}}}");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim_status(sim).conflicts, 1);
    scenario_end(sim);
}

/* 6: a number within the Deadband of the cloud's counts as the same, and the answer says so. */
static void test_06_a_close_number_is_accepted_unsent(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{\"t\":20.5,\"n\":100}}");
    life_policy(sim, "*", (struct policy){.deadband = 0.5});
    oracle_vague(sim, "/t");
    oracle_vague(sim, "/n");
    const struct shadow_operation close = {
        .kind = FLUX_SET, .path = "/t", .path_size = 2, .value = flux_value_int64(21)};
    const struct shadow_report report = {
        .operations = &close, .operation_count = 1, .set_us = sim_take_us(sim)};
    struct shadow_wait wait;
    struct shadow_refusal refusal;
    assert_int_equal(shadow_report(sim->shadow, &report, sim->now_ms, &wait, &refusal), 0);
    sim_turn(sim);
    struct shadow_fate fate = shadow_fate(sim->shadow, &wait);
    assert_int_equal(fate.state, SHADOW_ACCEPTED);
    assert_int_equal(fate.version, 7);
    assert_true(fate.deadband);
    shadow_release(sim->shadow, &wait);
    assert_int_equal(sim->updates, 0);
    life_assert_key(sim, "/t", "value", "21");
    life_assert_key(sim, "/t", "cloud", "20.5");
    life_assert_key(sim, "/t", "state", "\"accepted\"");
    life_assert_key(sim, "/t", "deadband", "true");
    set_number(sim, "/n", 101); /* farther than half */
    sim_run(sim, SIM_SECOND);
    assert_sent(sim, "{\"n\":101}");
    life_assert_key(sim, "/n", "deadband", "(absent)");
    (void)sim_set(sim, "/t", "19.5");
    sim_run(sim, SIM_SECOND);
    assert_sent(sim, "{\"t\":19.5}");
    scenario_end(sim);
}

/* 7: what counts is the cloud's number, so that a slow drift is not lost, and text is not close. */
static void test_07_a_slow_drift_is_not_lost(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{\"t\":0}}");
    life_policy(sim, "*", (struct policy){.deadband = 2});
    oracle_vague(sim, "/t");
    for (int i = 1; i <= 30; i++) {
        set_number(sim, "/t", i);
        sim_run(sim, 10 * SIM_SECOND);
        int64_t held = json_integer_value(json_object_get(sim_reported(sim), "t"));
        assert_true(i - held <= 2);
    }
    assert_int_equal(sim->updates, 10);
    (void)sim_set(sim, "/t", "\"30\"");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"t\":\"30\"}");
    scenario_end(sim);
}

/* 8: close to what? Where that is not known, the number waits, and is compared then. */
static void test_08_close_needs_a_view_that_is_known(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"t\":20,\"u\":20}}");
    life_no_policies(sim);
    life_policy(sim, "*", (struct policy){.deadband = 2});
    oracle_vague(sim, "/t");
    size_t op = sim_set(sim, "/t", "21");
    (void)sim_set(sim, "/u", "30");
    sim_run(sim, SIM_MINUTE);
    assert_waiting(sim, op);
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_sent(sim, "{\"u\":30}");
    assert_reported(sim, "{\"t\":20,\"u\":30}");
    scenario_end(sim);
}

/* 9: another writer's number within the Deadband is left alone; one beyond it is set back. */
static void test_09_a_close_foreign_number_is_left_alone(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "*", (struct policy){.deadband = 2});
    oracle_vague(sim, "/t");
    set_number(sim, "/t", 20);
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"t\":21}}}");
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"t\":21}");
    assert_int_equal(sim->notices[THING_NOTICE_FOREIGN], 0);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"t\":23}}}");
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"t\":20}");
    scenario_end(sim);
}

/* 10: a narrower Deadband sends what is not close any more. */
static void test_10_a_narrower_deadband_sends_the_difference(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{\"t\":20}}");
    life_policy(sim, "*", (struct policy){.deadband = 2});
    oracle_vague(sim, "/t");
    set_number(sim, "/t", 21);
    sim_run(sim, SIM_SECOND);
    assert_int_equal(sim->updates, 0);
    life_policy(sim, "t", (struct policy){.deadband = 0.5});
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"t\":21}");
    assert_int_equal(sim->notices[THING_NOTICE_FOREIGN], 0);
    scenario_end(sim);
}

/* 11: an unchanged value is sent again when the cloud's copy is older than RefreshSec, and reported
 * again; neither alone does it. */
static void test_11_an_old_copy_is_refreshed_by_a_report(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.refresh_ms = SIM_MINUTE});
    set_number(sim, "/a", 1);
    set_number(sim, "/b", 1);
    sim_run(sim, SIM_SECOND);
    int64_t version = sim_version_now(sim);
    sim_run(sim, 10 * SIM_MINUTE);
    assert_int_equal(sim_version_now(sim), version);
    set_number(sim, "/a", 1);
    set_number(sim, "/b", 1);
    sim_run(sim, SIM_SECOND);
    assert_int_equal(sim_version_now(sim), version + 1);
    assert_sent(sim, "{\"a\":1}");
    for (int i = 0; i < 50; i++) {
        set_number(sim, "/a", 1);
        sim_run(sim, SIM_SECOND);
    }
    assert_int_equal(sim_version_now(sim), version + 1);
    scenario_end(sim);
}

/* 12: an urgent change does not wait for its turn: one early update per quarter of IntervalMs. */
static void test_12_an_urgent_change_goes_early(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = SIM_MINUTE;
    options.thing.burst = 1;
    struct sim *sim = policies_up_with(&options, "{\"reported\":{}}");
    life_policy(sim, "alarm", (struct policy){.urgent = true});
    sim->flushes = 2;
    set_number(sim, "/a", 1);
    sim_run(sim, SIM_SECOND);
    set_number(sim, "/a", 2);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    set_number(sim, "/alarm", 1);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":2,\"alarm\":1}");
    set_number(sim, "/alarm", 2);
    sim_run(sim, 13 * SIM_SECOND);
    assert_int_equal(sim->updates, 2);
    sim_run(sim, 2 * SIM_SECOND);
    assert_int_equal(sim->updates, 3);
    assert_reported(sim, "{\"a\":2,\"alarm\":2}");
    size_t updates = sim->updates;
    set_number(sim, "/alarm", 2); /* no change */
    sim_run(sim, 20 * SIM_SECOND);
    assert_int_equal(sim->updates, updates);
    scenario_end(sim);
}

/* 13: urgent changes and flushes share that budget. */
static void test_13_urgent_and_flush_share_a_budget(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = SIM_HOUR;
    options.thing.burst = 1;
    struct sim *sim = policies_up_with(&options, "{\"reported\":{}}");
    life_policy(sim, "alarm", (struct policy){.urgent = true});
    set_number(sim, "/a", 0);
    sim_run(sim, SIM_SECOND);
    sim->flushes = 1; /* in the quarter of an hour that follows the first early one */
    for (int i = 1; i < 800; i++) {
        set_number(sim, i % 2 ? "/alarm" : "/a", i);
        if (i % 3 == 0)
            sim_flush(sim);
        sim_run(sim, SIM_SECOND);
        assert_good(sim);
    }
    assert_int_equal(sim->updates, 2);
    sim->flushes = 100;
    sim_run(sim, SIM_HOUR);
    scenario_end(sim);
}

/* 14: tens of values that wait, hurry and are refreshed at once, over a link that loses and drops,
 * from programs and a daemon that end and come back: the cloud ends as reported. */
static void policies_story(uint64_t seed, bool durable)
{
    struct sim_options options;
    sim_options_init(&options, seed);
    options.faults.lose_requests = 5;
    options.faults.lose_answers = 5;
    options.thing.burst = 3;
    options.thing.durable = durable;
    struct sim *sim = policies_up_with(&options, "{\"reported\":{}}");
    life_policy(sim, "*", (struct policy){.min_interval_ms = 3 * SIM_SECOND});
    life_policy(sim, "k*1", (struct policy){.refresh_ms = 5 * SIM_SECOND});
    life_policy(sim, "o.**", (struct policy){.min_interval_ms = 7 * SIM_SECOND});
    char path[16];
    for (int i = 0; i < 400; i++) {
        int key = (int)sim_random(sim, 40);
        (void)snprintf(path, sizeof(path), key < 30 ? "/k%d" : "/o/k%d", key);
        if (sim_chance(sim, 5))
            (void)sim_unset(sim, sim_chance(sim, 20) ? "/o" : path);
        else if (sim_chance(sim, 2))
            (void)sim_set(sim, "/o", "5");
        else
            set_number(sim, path, (int)sim_random(sim, 5));
        if (sim_chance(sim, 3))
            (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"f\":{\"a\":1}}}}");
        sim_run(sim, (int64_t)sim_random(sim, 300));
        if (sim_chance(sim, 1))
            sim_link_down(sim);
        if (sim_chance(sim, 10))
            sim_link_up(sim);
        assert_good(sim);
    }
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    scenario_end(sim);
}

static void test_14_policies_do_not_change_the_end(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 40; seed++)
        policies_story(seed, seed % 4 == 0);
}

/* 15: nor does an update that nobody answered: it may never have arrived. */
static void test_15_a_lost_update_does_not_make_a_value_wait_again(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = SIM_HOUR});
    sim->drop_requests = 1;
    set_number(sim, "/a", 1);
    sim_run(sim, SIM_SECOND);
    size_t op = sim_set(sim, "/a", "2");
    sim_link_down(sim);
    sim_run(sim, SIM_SECOND);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    set_number(sim, "/a", 3);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":2}");
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":3}");
    scenario_end(sim);
}

/* 16: a value reported while an older one is on its way waits from then on, as any other. */
static void test_16_a_value_behind_one_in_flight_is_held(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = SIM_HOUR});
    sim->hold_answer_ms = 300;
    set_number(sim, "/a", 1);
    sim_run(sim, 50);
    set_number(sim, "/a", 2);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    assert_int_equal(sim->updates, 1);
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":2}");
    scenario_end(sim);
}

/* 17: one that was given up and is accepted after all counts from when it was sent. */
static void test_17_a_late_answer_makes_the_next_value_wait(void **state)
{
    (void)state;
    struct sim *sim = policies_up("{\"reported\":{}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = SIM_HOUR});
    sim->hold_answer_ms = 500;
    set_number(sim, "/a", 1);
    sim_run(sim, 20);
    char refusal[256];
    (void)snprintf(refusal, sizeof(refusal),
                   "{\"code\":503,\"message\":\"busy\",\"clientToken\":\"%s\"}", sim->flight_token);
    sim_inject(sim, "update/rejected", refusal); /* of a copy: the other one is accepted */
    sim_run(sim, 4 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    set_number(sim, "/a", 2);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":2}");
    scenario_end(sim);
}

/* 18: the wish that a held value answers stays until the value goes, whatever goes before it. */
static void test_18_the_wish_of_a_held_value_waits_for_it(void **state)
{
    (void)state;
    const struct sim_operation answer[] = {{"/a", "2"}, {"/a", SIM_SETTLE}};
    struct sim *sim = policies_up("{\"desired\":{\"a\":2}}");
    life_policy(sim, "a", (struct policy){.min_interval_ms = SIM_MINUTE});
    set_number(sim, "/a", 1);
    sim_run(sim, SIM_SECOND);
    (void)sim_report(sim, answer, 2);
    set_number(sim, "/b", 1);
    sim_run(sim, 30 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"b\":1}");
    assert_non_null(doc_at(sim->history[sim->history_count - 1].desired, "/a"));
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":2,\"b\":1}");
    assert_null(doc_at(sim->history[sim->history_count - 1].desired, "/a"));
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_a_held_property_waits_and_its_newest_value_goes),
              cmocka_unit_test(test_02_others_do_not_wait_for_a_held_property),
              cmocka_unit_test(test_03_held_values_cost_nothing_while_they_wait),
              cmocka_unit_test(test_04_a_removal_is_not_held_back),
              cmocka_unit_test(test_05_a_conflict_does_not_make_a_value_wait_again),
              cmocka_unit_test(test_15_a_lost_update_does_not_make_a_value_wait_again),
              cmocka_unit_test(test_16_a_value_behind_one_in_flight_is_held),
              cmocka_unit_test(test_17_a_late_answer_makes_the_next_value_wait),
              cmocka_unit_test(test_18_the_wish_of_a_held_value_waits_for_it),
              cmocka_unit_test(test_06_a_close_number_is_accepted_unsent),
              cmocka_unit_test(test_07_a_slow_drift_is_not_lost),
              cmocka_unit_test(test_08_close_needs_a_view_that_is_known),
              cmocka_unit_test(test_09_a_close_foreign_number_is_left_alone),
              cmocka_unit_test(test_10_a_narrower_deadband_sends_the_difference),
              cmocka_unit_test(test_11_an_old_copy_is_refreshed_by_a_report),
              cmocka_unit_test(test_12_an_urgent_change_goes_early),
              cmocka_unit_test(test_13_urgent_and_flush_share_a_budget),
              cmocka_unit_test(test_14_policies_do_not_change_the_end))
