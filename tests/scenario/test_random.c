/* Everything at once, at random: several shadows, reports on overlapping paths, wishes, watchers,
 * settling, foreign writers, deletes, loss, delay, reordering, duplicates, late zombies, cuts of
 * the link, clients that send again, restarts, rejections, refused filters and garbage. The oracle
 * judges every message and answer; when the link is up long enough and all is quiet, the cloud
 * equals the device.
 *
 * seeds.h says which seeds run. */
#include "tests/scenario/random_world.h"
#include "tests/scenario/seeds.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define RANDOM_SEEDS 1000u

static bool random_run(uint64_t seed, FILE *trace, char *ret_failure, size_t size)
{
    struct random_world world;
    random_begin(&world, seed, trace);
    struct sim *sim = world.sim;
    size_t steps = 10 + sim_random(sim, 90);
    for (size_t i = 0; i < steps && !sim_is_broken(sim); i++)
        random_step(&world);
    random_heal(&world);
    bool good = !sim_is_broken(sim);
    if (!good)
        (void)snprintf(ret_failure, size, "%s", sim->failure);
    sim_free(sim);
    return good;
}

static void test_the_cloud_ends_as_the_device_whatever_happens(void **state)
{
    (void)state;
    assert_int_equal(seeds_run(random_run, RANDOM_SEEDS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_cloud_ends_as_the_device_whatever_happens)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
