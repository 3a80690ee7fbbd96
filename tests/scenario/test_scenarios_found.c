/* What the randomised tests found, each reduced to the few steps that it takes. */
#include "tests/scenario/scenario.h"
#include "tests/scenario/sim_watch.h"

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

SCENARIO_MAIN(cmocka_unit_test(test_600_a_value_in_place_of_an_emptied_object_is_told),
              cmocka_unit_test(test_601_a_version_is_carried_while_an_update_is_unsettled))
