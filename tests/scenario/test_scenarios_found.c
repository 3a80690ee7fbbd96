/* What the randomised tests found, each reduced to the few steps that it takes. */
#include "tests/scenario/scenario.h"
#include "tests/scenario/sim_watch.h"
#include <stdio.h>

/* 600: a value that takes the place of an emptied object is a wish like any other. */
static void test_600_a_value_in_place_of_an_emptied_object_is_told(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{},\"desired\":{\"a\":{\"b\":1}}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"a\":{\"b\":null}}}}");
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"a\":\"on\"}}}");
    sim_run(sim, SIM_SECOND);
    assert_non_null(json_object_get(watcher->told, "/a"));
    scenario_end(sim);
}

/* 601: three 409 that no newer version explains leave three updates unsettled: the next one carries
 * its version, for one of them may still arrive. */
static void test_601_a_version_is_carried_while_an_update_is_unsettled(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 3, 409);
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 4);
    assert_int_equal(sim->versionless_updates, 0);
    scenario_end(sim);
}

/* 602: where the versions go on from the number of a deleted shadow, a deletion that was not told
 * is not seen; the next get sees it, and what is ours is set back. */
static void test_602_a_deletion_that_was_not_told_is_found_by_the_next_get(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.tombstone_bumps = false;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"x\":1},\"desired\":{\"d\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim->drop_answers = 1;
    sim_delete(sim);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"y\":2}}}");
    sim_run(sim, 5 * SIM_SECOND);
    size_t op = sim_set(sim, "/a", "1"); /* the document before and the one after seem to be one */
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"y\":2}");
    sim_run(sim, SIM_HOUR + SIM_MINUTE);
    assert_reported(sim, "{\"a\":1,\"y\":2}");
    assert_null(json_object_get(watcher->told, "/d"));
    op = sim_set(sim, "/a", "1");
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 603: a deletion whose message is overtaken by that of the next update is found at once. */
static void test_603_a_deletion_told_late_is_found_at_once(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.tombstone_bumps = false;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"x\":1}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim->hold_answer_ms = 200;
    sim_delete(sim);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"y\":2}}}");
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"y\":2}");
    scenario_end(sim);
}

/* 604: a value of ours that another writer replaced, and that has no room any more, is tried again
 * ever more rarely, until there is room. */
static void test_604_a_value_without_room_is_set_back_when_there_is(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_document_bytes = 20000; /* what we count is not what the service counts */
    options.cloud.max_bytes = 100;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"x\":1}}");
    size_t op = sim_set(sim, "/a", scenario_string(50));
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    char payload[256];
    (void)snprintf(payload, sizeof(payload), "{\"state\":{\"reported\":{\"a\":1,\"b\":%s}}}",
                   scenario_string(50));
    (void)sim_foreign(sim, payload);
    size_t updates = sim->updates;
    sim_run(sim, SIM_HOUR);
    size_t first = sim->updates - updates;
    assert_in_range(first, 2, 24);
    sim_run(sim, 12 * SIM_HOUR);
    assert_in_range(sim->updates - updates - first, 12, 2 * 14);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"b\":null}}}");
    sim_run(sim, SIM_HOUR + SIM_MINUTE);
    assert_int_equal(json_string_length(json_object_get(sim_reported(sim), "a")), 48);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_600_a_value_in_place_of_an_emptied_object_is_told),
              cmocka_unit_test(test_601_a_version_is_carried_while_an_update_is_unsettled),
              cmocka_unit_test(test_602_a_deletion_that_was_not_told_is_found_by_the_next_get),
              cmocka_unit_test(test_603_a_deletion_told_late_is_found_at_once),
              cmocka_unit_test(test_604_a_value_without_room_is_set_back_when_there_is))
