/* Several shadows on one connection: subscriptions, turns, fairness, budgets, quarantine.
 * Invariant: each shadow converges as if it were alone, and the connection never exceeds a limit;
 * the oracle checks every request. */
#include "tests/scenario/scenario.h"

#include <string.h>

static const char *const shadows_gateway[] = {"sensor-*"};

static void shadows_options(struct sim_options *options)
{
    sim_options_init(options, 1);
    options->thing.extra = shadows_gateway;
    options->thing.extra_count = 1;
    options->thing.max_shadows = 256;
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

SCENARIO_MAIN(cmocka_unit_test(test_200_shadows_live_side_by_side))
