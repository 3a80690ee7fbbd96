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

#ifdef RANDOM_DURABLE
static const bool random_is_durable = true;
#else
static const bool random_is_durable = false;
#endif

/* What all seeds together did. */
static struct {
    uint64_t shadows, reports, operations, messages, virtual_ms;
} random_totals;

static void random_count(const struct random_world *world)
{
    random_totals.shadows += world->shadow_count;
    for (size_t i = 0; i < world->shadow_count; i++)
        random_totals.reports += world->shadows[i]->report_count;
    random_totals.operations += world->sim->operations;
    random_totals.messages += world->sim->messages;
    random_totals.virtual_ms += (uint64_t)world->sim->now_ms;
}

static void random_tell(void)
{
    printf("%llu shadows, %llu reports, %llu shadow operations, %llu messages, %llu virtual days\n",
           (unsigned long long)random_totals.shadows, (unsigned long long)random_totals.reports,
           (unsigned long long)random_totals.operations, (unsigned long long)random_totals.messages,
           (unsigned long long)(random_totals.virtual_ms / (24 * SIM_HOUR)));
}

static bool random_run(uint64_t seed, FILE *trace, char *ret_failure, size_t size)
{
    struct random_world world;
    random_begin(&world, seed, random_is_durable, trace);
    struct sim *sim = world.sim;
    size_t steps = 10 + (size_t)sim_random(sim, 90);
    for (size_t i = 0; i < steps && !sim_is_broken(sim); i++)
        random_step(&world);
    random_heal(&world);
    random_count(&world);
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_cloud_ends_as_the_device_whatever_happens)};
    seeds_arguments(argc, argv);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    random_tell();
    return failed;
}
