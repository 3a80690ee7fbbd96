/* Replacing, forgetting and resetting: what leaves the cloud with the device's values, and what
 * must not. Invariant as everywhere: the cloud ends as the reports make it, one by one. */
#include "tests/scenario/scenario.h"

#include <errno.h>
#include <string.h>

static const struct sim_operation replacement[] = {{"", NULL}, {"/a", "1"}, {"/b/c", "2"}};

/* 1: replacing everything removes foreign keys too, at every depth, in one update. */
static void test_01_replacing_all_removes_foreign_keys(void **state)
{
    (void)state;
    struct sim *sim =
        scenario_up("{\"reported\":{\"a\":0,\"b\":{\"x\":1,\"c\":1},\"z\":{\"y\":3}}}");
    size_t op = sim_report(sim, replacement, 3);
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_accepted(sim, op + 2);
    assert_reported(sim, "{\"a\":1,\"b\":{\"c\":2}}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 2: made offline, over keys that nobody knew of. */
static void test_02_replacing_all_offline_reaches_unknown_keys(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"k\":{\"l\":1},\"b\":5}}");
    (void)sim_set(sim, "/old", "1");
    (void)sim_report(sim, replacement, 3);
    (void)sim_set(sim, "/new", "1");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"b\":{\"c\":2},\"new\":1}");
    scenario_end(sim);
}

/* 3: a foreign key that overtakes the replacement counts as earlier, and goes. */
static void test_03_a_foreign_key_that_overtakes_a_replacement_goes(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    sim->hold_request_ms = 500;
    (void)sim_report(sim, replacement, 3);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"late\":1}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"b\":{\"c\":2}}");
    scenario_end(sim);
}

/* 4: one that comes after it stays: it is not ours. */
static void test_04_a_foreign_key_after_a_replacement_stays(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    (void)sim_report(sim, replacement, 3);
    sim_run(sim, 5 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"later\":1}}}");
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":1,\"b\":{\"c\":2},\"later\":1}");
    scenario_end(sim);
}

/* 5: a replacement by nothing empties the section, and one more is free. */
static void test_05_replacing_all_by_nothing_empties_reported(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0,\"b\":{\"c\":1}},\"desired\":{\"w\":1}}");
    size_t op = sim_unset(sim, "");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{}");
    size_t again = sim_unset(sim, "");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, again);
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 6: the answer to a replacement is lost: the get that follows shows that it is done. */
static void test_06_a_replacement_whose_answer_is_lost_is_not_sent_twice(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0,\"z\":1}}");
    sim->drop_answers = 1;
    size_t op = sim_report(sim, replacement, 3);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1,\"b\":{\"c\":2}}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 7: a part is replaced, the rest stays. */
static void test_07_replacing_a_part_leaves_the_rest(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"net\":{\"eth0\":1,\"wlan0\":2},\"z\":3}}");
    const struct sim_operation part[] = {{"/net", NULL}, {"/net/eth0", "5"}};
    (void)sim_report(sim, part, 2);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"net\":{\"eth0\":5},\"z\":3}");
    scenario_end(sim);
}

static void forget(struct sim *sim, const char *path, int expected)
{
    assert_int_equal(shadow_forget(sim->shadow, path, strlen(path), sim->now_ms), expected);
    sim_turn(sim);
}

/* 8: what was forgotten stays in the cloud, and is nobody's business any more. */
static void test_08_a_forgotten_value_stays_and_is_not_defended(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a/b", "1");
    (void)sim_set(sim, "/c", "2");
    sim_run(sim, 5 * SIM_SECOND);
    size_t updates = sim->updates;
    forget(sim, "/a", 0);
    forget(sim, "/a", -ENOENT);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"b\":9}}}}");
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":{\"b\":9},\"c\":2}");
    assert_int_equal(sim->updates, updates);
    assert_good(sim);
    (void)sim_free(sim);
}

/* 9: a report that waited for a forgotten value is told so; nothing is sent for it. */
static void test_09_what_waits_for_a_forgotten_value_is_told(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"a\":0}}");
    const struct shadow_operation operation = {
        .kind = FLUX_SET, .path = "/a", .path_size = 2, .value = flux_value_int64(1)};
    const struct shadow_report report = {
        .operations = &operation, .operation_count = 1, .set_us = sim_take_us(sim)};
    struct shadow_wait wait;
    struct shadow_refusal refusal;
    assert_int_equal(shadow_report(sim->shadow, &report, sim->now_ms, &wait, &refusal), 0);
    forget(sim, "", 0);
    struct shadow_fate fate = shadow_fate(sim->shadow, &wait);
    assert_int_equal(fate.state, SHADOW_REFUSED);
    assert_int_equal(fate.code, SHADOW_CODE_FORGOTTEN);
    assert_non_null(strstr(fate.text, "forgotten"));
    shadow_release(sim->shadow, &wait);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":0}");
    assert_int_equal(sim->updates, 0);
    assert_good(sim);
    (void)sim_free(sim);
}

/* 10: a reset nulls what this device reported, leaves the rest, and then nothing is held. */
static void test_10_a_reset_nulls_what_was_reported(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"theirs\":{\"x\":1}},\"desired\":{\"w\":1}}");
    sim->careless = true; /* the oracle replays reports, not what an operator does */
    (void)sim_set(sim, "/a/b", "1");
    (void)sim_set(sim, "/theirs/ours", "2");
    (void)sim_set(sim, "/gone", "3");
    (void)sim_unset(sim, "/gone");
    sim_run(sim, 10 * SIM_SECOND);
    assert_int_equal(shadow_reset(sim->shadow, sim->now_ms), 0);
    assert_false(shadow_is_reset(sim->shadow));
    sim_run(sim, 10 * SIM_SECOND);
    assert_true(shadow_is_reset(sim->shadow));
    assert_reported(sim, "{\"a\":{},\"theirs\":{\"x\":1}}");
    struct shadow_status status = sim_status(sim);
    assert_int_equal(status.properties, 0);
    assert_int_equal(status.cuts, 0);
    assert_int_equal(status.pending, 0);
    assert_good(sim);
    (void)sim_free(sim);
}

/* 11: a reset that is made offline waits, takes with it what was never sent, and is through once
 * the cloud has accepted it; a report made meanwhile stays. */
static void test_11_a_reset_waits_for_the_cloud(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    sim->careless = true; /* the oracle replays reports, not what an operator does */
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim_link_down(sim);
    (void)sim_set(sim, "/never", "1");
    assert_int_equal(shadow_reset(sim->shadow, sim->now_ms), 0);
    (void)sim_set(sim, "/later", "1");
    sim_run(sim, SIM_MINUTE);
    assert_false(shadow_is_reset(sim->shadow));
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_true(shadow_is_reset(sim->shadow));
    assert_reported(sim, "{\"later\":1}");
    assert_int_equal(sim_status(sim).properties, 1);
    assert_good(sim);
    (void)sim_free(sim);
}

/* 12: an object reported as `{}` that others have filled is let go, not taken from them. */
static void test_12_a_reset_leaves_an_object_that_others_filled(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"o\":{\"x\":1}}}");
    sim->careless = true; /* the oracle replays reports, not what an operator does */
    (void)sim_set(sim, "/o", "{}");
    sim_run(sim, 5 * SIM_SECOND);
    assert_int_equal(shadow_reset(sim->shadow, sim->now_ms), 0);
    sim_run(sim, 10 * SIM_SECOND);
    assert_true(shadow_is_reset(sim->shadow));
    assert_reported(sim, "{\"o\":{\"x\":1}}");
    assert_good(sim);
    (void)sim_free(sim);
}

/* 13: a report that contradicts itself is refused whole, whatever is held. */
static void test_13_a_report_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    const struct sim_operation both[] = {{"/x", "1"}, {"/a", "1"}, {"/a/b", "2"}};
    assert_int_equal(sim_report(sim, both, 3), SIZE_MAX);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_replacing_all_removes_foreign_keys),
              cmocka_unit_test(test_02_replacing_all_offline_reaches_unknown_keys),
              cmocka_unit_test(test_03_a_foreign_key_that_overtakes_a_replacement_goes),
              cmocka_unit_test(test_04_a_foreign_key_after_a_replacement_stays),
              cmocka_unit_test(test_05_replacing_all_by_nothing_empties_reported),
              cmocka_unit_test(test_06_a_replacement_whose_answer_is_lost_is_not_sent_twice),
              cmocka_unit_test(test_07_replacing_a_part_leaves_the_rest),
              cmocka_unit_test(test_08_a_forgotten_value_stays_and_is_not_defended),
              cmocka_unit_test(test_09_what_waits_for_a_forgotten_value_is_told),
              cmocka_unit_test(test_10_a_reset_nulls_what_was_reported),
              cmocka_unit_test(test_11_a_reset_waits_for_the_cloud),
              cmocka_unit_test(test_12_a_reset_leaves_an_object_that_others_filled),
              cmocka_unit_test(test_13_a_report_that_contradicts_itself_is_refused), )
