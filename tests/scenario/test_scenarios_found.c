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

SCENARIO_MAIN(cmocka_unit_test(test_600_a_value_in_place_of_an_emptied_object_is_told))
