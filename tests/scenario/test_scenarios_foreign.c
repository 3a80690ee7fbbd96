/* Other writers: the device owns what it reported, numbers compare by value. Invariant: a foreign
 * change to an owned property is set back after a pause, any other stays. */
#include "tests/scenario/scenario.h"

/* How long until the cloud holds `text` at /a again; fails after two hours. */
static int64_t foreign_time_until(struct sim *sim, const char *path, const char *text)
{
    json_t *expected = doc_parse(text);
    int64_t begin_ms = sim->now_ms;
    while (!doc_equal(doc_at(sim_reported(sim), path), expected, false)) {
        sim_run(sim, 100);
        assert_good(sim);
        assert_true(sim->now_ms - begin_ms < 2 * SIM_HOUR);
    }
    json_decref(expected);
    return sim->now_ms - begin_ms;
}

/* 20: set back after a pause of a second, and counted. */
static void test_20_a_foreign_change_of_an_owned_property_is_set_back(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 30 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":7,\"x\":2}}}");
    sim_run(sim, 900);
    assert_reported(sim, "{\"a\":7,\"x\":2}");
    sim_run(sim, 3 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"x\":2}");
    assert_int_equal(sim_status(sim).foreign_changes, 1);
    assert_int_equal(sim->notices[THING_NOTICE_FOREIGN], 1);
    scenario_end(sim);
}

/* 21: two writers that disagree do not fight at full speed: the pause doubles. */
static void test_21_the_pause_doubles(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 30 * SIM_SECOND);
    int64_t last_ms = 0;
    for (int i = 0; i < 8; i++) {
        (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":7}}}");
        int64_t pause_ms = foreign_time_until(sim, "/a", "1");
        assert_true(pause_ms >= last_ms * 3 / 2);
        last_ms = pause_ms;
    }
    assert_true(last_ms >= 60 * SIM_SECOND);
    scenario_end(sim);
}

/* 22: the pause is an hour at most, however long they disagree. */
static void test_22_the_pause_is_an_hour_at_most(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 30 * SIM_SECOND);
    for (int i = 0; i < 20; i++) {
        (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":7}}}");
        assert_true(foreign_time_until(sim, "/a", "1") <= SIM_HOUR + 10 * SIM_SECOND);
    }
    scenario_end(sim);
}

/* 23: after a long quiet time the pause is short again. */
static void test_23_the_pause_eases_when_quiet(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 30 * SIM_SECOND);
    for (int i = 0; i < 6; i++) {
        (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":7}}}");
        (void)foreign_time_until(sim, "/a", "1");
    }
    sim_run(sim, 24 * SIM_HOUR);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":7}}}");
    assert_true(foreign_time_until(sim, "/a", "1") <= 5 * SIM_SECOND);
    scenario_end(sim);
}

/* 24: a removal is a change too. */
static void test_24_a_foreign_removal_is_set_back(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a/b", "1");
    (void)sim_set(sim, "/o", "{}");
    sim_run(sim, 30 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":null,\"o\":null}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":1},\"o\":{}}");
    scenario_end(sim);
}

/* 25: a scalar over the object that holds an owned property. */
static void test_25_a_foreign_scalar_above_is_set_back(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a/b", "1");
    sim_run(sim, 30 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":5}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":1}}");
    scenario_end(sim);
}

/* 26: an object over an owned scalar: the scalar replaces it whole. */
static void test_26_a_foreign_object_over_a_scalar_is_set_back(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 30 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"x\":5}}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 27: a foreign key beside an owned one is not the device's. */
static void test_27_a_foreign_key_beside_an_owned_one_stays(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a/b", "1");
    (void)sim_set(sim, "/a", "{}");
    sim_run(sim, 30 * SIM_SECOND);
    size_t updates = sim->updates;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"x\":5}}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":1,\"x\":5}}");
    assert_int_equal(sim->updates, updates);
    assert_int_equal(sim->notices[THING_NOTICE_FOREIGN], 0);
    scenario_end(sim);
}

/* 28: an accepted unset ends ownership. */
static void test_28_an_accepted_unset_ends_ownership(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a/b", "1");
    sim_run(sim, 5 * SIM_SECOND);
    (void)sim_unset(sim, "/a");
    sim_run(sim, 5 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"b\":2,\"x\":3}}}}");
    size_t updates = sim->updates;
    sim_run(sim, 2 * SIM_HOUR);
    assert_reported(sim, "{\"a\":{\"b\":2,\"x\":3}}");
    assert_int_equal(sim->updates, updates);
    scenario_end(sim);
}

/* 29: a foreign write of the same value is no change. */
static void test_29_a_foreign_write_of_the_same_value_is_no_change(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/l", "[1,2]");
    sim_run(sim, 5 * SIM_SECOND);
    size_t updates = sim->updates;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":1.0,\"l\":[1.0,2]}}}");
    sim_run(sim, SIM_HOUR);
    assert_int_equal(sim->updates, updates);
    assert_int_equal(sim_status(sim).foreign_changes, 0);
    scenario_end(sim);
}

/* 30: a form that the service changed (1.0 becomes 1) counts as equal: no endless updates. */
static void test_30_numbers_compare_by_value(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.normalise_numbers = true;
    struct sim *sim = scenario_up_with(&options, NULL);
    (void)sim_set(sim, "/t", "1.0");
    (void)sim_set(sim, "/u", "1e2");
    sim_run(sim, 3 * SIM_MINUTE);
    size_t updates = sim->updates;
    assert_true(updates <= 2);
    size_t op = sim_set(sim, "/t", "1");
    assert_accepted(sim, op);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim->updates, updates);
    scenario_end(sim);
}

/* 31: a foreign change made while the link was away is set back as well. */
static void test_31_a_change_made_while_away_is_set_back(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim_link_down(sim);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":7,\"x\":1}}}");
    sim_run(sim, 10 * SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_reported(sim, "{\"a\":1,\"x\":1}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_20_a_foreign_change_of_an_owned_property_is_set_back),
              cmocka_unit_test(test_21_the_pause_doubles),
              cmocka_unit_test(test_22_the_pause_is_an_hour_at_most),
              cmocka_unit_test(test_23_the_pause_eases_when_quiet),
              cmocka_unit_test(test_24_a_foreign_removal_is_set_back),
              cmocka_unit_test(test_25_a_foreign_scalar_above_is_set_back),
              cmocka_unit_test(test_26_a_foreign_object_over_a_scalar_is_set_back),
              cmocka_unit_test(test_27_a_foreign_key_beside_an_owned_one_stays),
              cmocka_unit_test(test_28_an_accepted_unset_ends_ownership),
              cmocka_unit_test(test_29_a_foreign_write_of_the_same_value_is_no_change),
              cmocka_unit_test(test_30_numbers_compare_by_value),
              cmocka_unit_test(test_31_a_change_made_while_away_is_set_back))
