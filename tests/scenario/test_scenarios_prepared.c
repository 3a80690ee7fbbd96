/* Updates that wait for their commits, while everything else goes on. Invariant: what goes out is
 * what a commit held, and a slow disk makes it later, never less. */
#include "tests/scenario/life.h"
#include "tests/scenario/sim_store.h"

#include <stdio.h>

static struct sim *prepared_up(int64_t commit_ms, const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.durable = true;
    options.commit_ms = commit_ms;
    return scenario_up_with(&options, document);
}

static size_t set_number(struct sim *sim, const char *path, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    return sim_set(sim, path, text);
}

/* 751: a property that changes during every commit goes out once per token all the same. */
static void test_751_a_hot_property_does_not_starve(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(700, "{\"reported\":{\"a\":0}}");
    for (int i = 1; i <= 600; i++) {
        (void)set_number(sim, "/a", i);
        sim_run(sim, 100);
    }
    assert_in_range(sim->updates, 55, 66); /* a minute, Burst 5 */
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":600}");
    scenario_end(sim);
}

/* 752: nor does it where another writer changes the shadow during every commit, too. */
static void test_752_busy_writers_do_not_starve_it(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(SIM_SECOND, "{\"reported\":{\"a\":0}}");
    char text[64];
    for (int i = 1; i <= 600; i++) {
        (void)set_number(sim, "/a", i);
        if (i % 3 == 0) {
            (void)snprintf(text, sizeof(text), "{\"state\":{\"reported\":{\"x\":%d}}}", i);
            (void)sim_foreign(sim, text);
        }
        sim_run(sim, 100);
    }
    assert_true(sim->updates > 45);
    assert_true(sim_status(sim).conflicts < 5);
    scenario_end(sim);
}

/* 753: a cut is built anew on what the cloud holds by then. */
static void test_753_a_cut_that_waits_sees_new_keys(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(2 * SIM_SECOND, "{\"reported\":{\"a\":{\"x\":1},\"b\":1}}");
    const struct sim_operation report[] = {{"/a", NULL}, {"/a/n", "1"}};
    size_t op = sim_report(sim, report, 2);
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"y\":1},\"b\":2}}}");
    sim_run(sim, 2 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":{\"n\":1},\"b\":2}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 754: a newer wish that comes while a removal waits for its commit stays. */
static void test_754_a_newer_wish_wins_over_a_removal_that_waits(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(2 * SIM_SECOND, "{\"desired\":{\"led\":\"on\"}}");
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"led\":\"off\"}}}");
    sim_run(sim, 5 * SIM_SECOND);
    assert_false(sim->settles[settle].waiting);
    assert_reported(sim, "{\"led\":\"on\"}");
    json_t *desired = doc_parse("{\"led\":\"off\"}");
    assert_true(doc_equal(desired, sim->history[sim->history_count - 1].desired, true));
    json_decref(desired);
    scenario_end(sim);
}

/* 755: halving what the service refuses needs one commit, not one a step. */
static void test_755_an_offender_is_found_while_the_disk_is_slow(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(3 * SIM_SECOND, "{\"reported\":{\"a\":0}}");
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    const struct sim_operation report[] = {{"/a", "1"}, {"/b", "1"}, {"/c", "1"}, {"/d", "1"},
                                           {"/e", "1"}, {"/f", "1"}, {"/g", "1"}, {"/bad", "1"}};
    size_t op = sim_report(sim, report, 8);
    for (int i = 2; i < 300; i++) { /* all the while one of them changes */
        sim_run(sim, 100);
        (void)set_number(sim, "/a", i);
    }
    assert_rejected(sim, op + 7);
    assert_accepted(sim, op + 1);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":299,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1}");
    assert_int_equal(shadow_service_poison(sim->cloud, NULL, 0), 0);
    scenario_end(sim);
}

/* 756: MinIntervalMs counts from one sending to the next. */
static void test_756_a_held_property_counts_from_the_sending(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(2 * SIM_SECOND, "{\"reported\":{}}");
    life_no_policies(sim);
    life_policy(sim, "a", (struct policy){.min_interval_ms = 10 * SIM_SECOND});
    (void)set_number(sim, "/a", 1);
    sim_run(sim, SIM_SECOND);
    (void)set_number(sim, "/a", 2);
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1}"); /* at 2 s */
    sim_run(sim, 8500);
    assert_reported(sim, "{\"a\":1}"); /* 11.5 s */
    sim_run(sim, 4 * SIM_SECOND);
    assert_reported(sim, "{\"a\":2}");
    scenario_end(sim);
}

/* 757: a link that goes away during every commit loses nothing and wastes no token. */
static void test_757_a_flapping_link_does_not_waste_tokens(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(2 * SIM_SECOND, "{\"reported\":{\"a\":0}}");
    for (int i = 1; i <= 20; i++) {
        (void)set_number(sim, "/a", i);
        sim_run(sim, SIM_SECOND);
        sim_link_down(sim);
        sim_run(sim, 200);
        sim_link_up(sim);
        sim_run(sim, 300);
    }
    size_t updates = sim->updates;
    sim_run(sim, 6 * SIM_SECOND);
    assert_true(sim->updates > updates);
    assert_reported(sim, "{\"a\":20}");
    scenario_end(sim);
}

/* 758: while the disk is sick nothing waits; when it is well again it comes first again. */
static void test_758_a_sick_disk_holds_nothing_back(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(5 * SIM_SECOND, "{\"reported\":{\"a\":0}}");
    sim->store->hangs = true;
    size_t op = set_number(sim, "/a", 1);
    sim_run(sim, 9 * SIM_SECOND);
    assert_waiting(sim, op);
    assert_int_equal(sim->updates, 0);
    sim_run(sim, 2 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim_status(sim).updates_uncommitted, 1);
    scenario_end(sim);
}

/* 759: what the cloud holds already is accepted when it is stored, and asks nothing of the cloud.
 */
static void test_759_a_value_of_the_cloud_is_accepted_once_stored(void **state)
{
    (void)state;
    struct sim *sim = prepared_up(3 * SIM_SECOND, "{\"reported\":{\"a\":1}}");
    size_t gets = sim->gets;
    size_t op = set_number(sim, "/a", 1);
    sim_run(sim, 2 * SIM_SECOND);
    assert_waiting(sim, op);
    sim_run(sim, 2 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 0);
    assert_int_equal(sim->gets, gets);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_751_a_hot_property_does_not_starve),
              cmocka_unit_test(test_752_busy_writers_do_not_starve_it),
              cmocka_unit_test(test_753_a_cut_that_waits_sees_new_keys),
              cmocka_unit_test(test_754_a_newer_wish_wins_over_a_removal_that_waits),
              cmocka_unit_test(test_755_an_offender_is_found_while_the_disk_is_slow),
              cmocka_unit_test(test_756_a_held_property_counts_from_the_sending),
              cmocka_unit_test(test_757_a_flapping_link_does_not_waste_tokens),
              cmocka_unit_test(test_758_a_sick_disk_holds_nothing_back),
              cmocka_unit_test(test_759_a_value_of_the_cloud_is_accepted_once_stored))
