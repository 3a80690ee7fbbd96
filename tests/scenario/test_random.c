/* Everything at once, at random: reports on overlapping paths, foreign writers, deletes, loss,
 * delay, reordering, duplicates, late zombies, cuts of the link, clients that send again, restarts
 * and rejections. The oracle judges every message and answer; when the link is up long enough and
 * all is quiet, the cloud equals the device.
 *
 * seeds.h says which seeds run. */
#include "tests/scenario/oracle.h"
#include "tests/scenario/seeds.h"
#include "tests/scenario/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANDOM_SEEDS 1000u

static const char *const random_paths[] = {
    "/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/g", "/h", "/h/i/j", "/h/i/k", "/p/ok",
};
static const char *const random_foreign_paths[] = {
    "/a", "/a/b", "/a/b/c", "/a/x", "/a/b/x", "/e", "/e/x", "/g", "/h/x", "/h/i", "/x", "/z/y",
};
static const char *const random_values[] = {
    "0",      "1",       "2",     "3",           "1.0", "81.5", "0.1", "true", "false",
    "\"on\"", "\"off\"", "[1,2]", "[{\"q\":1}]", "[]",  "{}",   "{}",  "-7",   "1e300",
};
#define RANDOM_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A client that lost its connection and has not sent this again yet. */
struct random_late {
    char path[64], json[64];
    bool unset;
    int64_t set_us;
};

struct random_world {
    struct sim *sim;
    struct random_late late[8];
    size_t late_count;
    bool poison, restarts;
    unsigned unrest; /* percent of steps in which the world, not a program, does something */
    int foreign_number;
};

static const char *random_pick(struct sim *sim, const char *const *list, size_t count)
{
    return list[sim_random(sim, count)];
}

/* ---- the seed's world ---- */

static void random_faults(struct sim_faults *faults, struct sim *dice)
{
    static const unsigned percents[] = {0, 0, 0, 5, 20};
    static const int64_t delays_ms[] = {20, 20, 200, 1500, 8000};
    faults->lose_requests = percents[sim_random(dice, 5)];
    faults->lose_answers = percents[sim_random(dice, 5)];
    faults->repeat_requests = percents[sim_random(dice, 5)];
    faults->repeat_answers = percents[sim_random(dice, 5)];
    faults->refuse_requests = sim_chance(dice, 20) ? 10 : 0;
    faults->delay_min_ms = 1 + (int64_t)sim_random(dice, 15);
    faults->delay_max_ms = faults->delay_min_ms + delays_ms[sim_random(dice, 5)];
    faults->zombie_max_ms = sim_chance(dice, 60) ? 1 + (int64_t)sim_random(dice, 40000) : 0;
}

static void random_service(struct shadow_service_options *cloud, struct sim *dice)
{
    cloud->normalise_numbers = sim_chance(dice, 50);
    cloud->rejected_timestamp = sim_chance(dice, 50);
    cloud->vary_messages = sim_chance(dice, 50);
    cloud->missing_accepts_version = sim_chance(dice, 50);
    cloud->null_only_makes_nothing = sim_chance(dice, 50);
    cloud->tombstone_bumps = sim_chance(dice, 50);
    cloud->echo_null_section = sim_chance(dice, 50);
    cloud->get_metadata_delta = sim_chance(dice, 50);
    cloud->shuffle_seed = sim_random(dice, 2) * (1 + sim_random(dice, 1000));
}

static void random_begin(struct random_world *world, uint64_t seed, FILE *trace)
{
    struct sim dice = {.random = seed * 7919};
    dice.net = &dice;
    struct sim_options options;
    sim_options_init(&options, seed);
    random_faults(&options.faults, &dice);
    random_service(&options.cloud, &dice);
    /* Where a deletion leaves no gap in the versions, its message must come, and in time: nothing
     * else tells of it. */
    if (options.faults.lose_answers > 0 || options.faults.delay_max_ms > 100)
        options.cloud.tombstone_bumps = true;
    options.thing.interval_ms = 100 + (int64_t)sim_random(&dice, 3000);
    options.thing.burst = 1 + (unsigned)sim_random(&dice, 10);
    options.thing.durable = sim_chance(&dice, 15);
    options.thing.response_timeout_ms = sim_chance(&dice, 50) ? 30000 : 5000;
    if (sim_chance(&dice, 12)) {
        options.thing.max_document_bytes = 60 + sim_random(&dice, 200);
        options.cloud.max_bytes = options.thing.max_document_bytes;
    }
    options.commit_ms = 1 + (int64_t)sim_random(&dice, 200);
    options.trace = trace;
    *world = (struct random_world){
        .sim = sim_new(&options),
        .poison = sim_chance(&dice, 15),
        .restarts = !options.thing.durable && sim_chance(&dice, 20),
        .unrest = (unsigned)sim_random(&dice, 50),
        .foreign_number = 1000,
    };
    world->sim->allow_refusals = true;
    world->sim->keep_waits = sim_chance(&dice, 50) ? 20 : 0;
    if (world->poison && shadow_service_poison(world->sim->cloud, "bad", 400) < 0)
        abort();
    if (sim_chance(&dice, 50))
        sim_seed(world->sim,
                 "{\"desired\":{\"a\":1},\"reported\":{\"a\":{\"b\":{\"c\":1,\"x\":2},\"x\":3},"
                 "\"e\":4,\"h\":{\"i\":{\"j\":5}},\"z\":6}}",
                 1 + (int64_t)sim_random(&dice, 50));
    if (sim_chance(&dice, 60))
        sim_link_up(world->sim);
}

/* ---- what may happen ---- */

static void random_report(struct random_world *world)
{
    struct sim *sim = world->sim;
    struct sim_operation operations[4];
    size_t count = sim_chance(sim, 70) ? 1 : 1 + sim_random(sim, 4);
    for (size_t i = 0; i < count; i++) {
        operations[i].path = random_pick(sim, random_paths, RANDOM_COUNT(random_paths));
        operations[i].json = random_pick(sim, random_values, RANDOM_COUNT(random_values));
        if (sim_chance(sim, 20))
            operations[i].json = NULL;
        if (sim_chance(sim, 2)) /* all is replaced by what follows */
            operations[i] = (struct sim_operation){"", NULL};
    }
    if (world->poison && sim_chance(sim, 10))
        operations[0] = (struct sim_operation){"/p/bad", sim_chance(sim, 50) ? "1" : "2"};
    (void)sim_report(sim, operations, count);
}

static void random_foreign(struct random_world *world)
{
    struct sim *sim = world->sim;
    json_t *reported = json_object();
    size_t count = 1 + sim_random(sim, 3);
    for (size_t i = 0; i < count; i++) {
        const char *path =
            random_pick(sim, random_foreign_paths, RANDOM_COUNT(random_foreign_paths));
        json_t *value = sim_chance(sim, 20)   ? json_null()
                        : sim_chance(sim, 20) ? json_integer((json_int_t)sim_random(sim, 3))
                        : sim_chance(sim, 10) ? json_object()
                                              : json_integer(world->foreign_number++);
        json_t *patch = doc_nest(path, value);
        json_object_update_recursive(reported, patch);
        json_decref(patch);
    }
    json_t *request = json_pack("{s:{s:o}}", "state", "reported", reported);
    if (sim_chance(sim, 20))
        json_object_set_new(json_object_get(request, "state"), "desired",
                            json_pack("{s:i}", "d", world->foreign_number));
    if (sim_chance(sim, 2)) {
        json_t *state = json_object_get(request, "state");
        json_object_set_new(state, "reported", json_null());
        /* where the echo leaves the null out, nobody could tell this from a desired-only update */
        if (!sim->options.cloud.echo_null_section)
            json_object_del(state, "desired");
    }
    char *payload = json_dumps(request, JSON_COMPACT);
    (void)sim_foreign(sim, payload);
    free(payload);
    json_decref(request);
}

static void random_hold_back(struct random_world *world)
{
    struct sim *sim = world->sim;
    if (world->late_count == RANDOM_COUNT(world->late))
        return;
    struct random_late *late = &world->late[world->late_count++];
    const char *path = random_pick(sim, random_paths, RANDOM_COUNT(random_paths));
    const char *json = random_pick(sim, random_values, RANDOM_COUNT(random_values));
    (void)snprintf(late->path, sizeof(late->path), "%s", path);
    (void)snprintf(late->json, sizeof(late->json), "%s", json);
    late->unset = sim_chance(sim, 20);
    late->set_us = sim_take_us(sim);
}

static void random_send_late(struct random_world *world)
{
    for (size_t i = 0; i < world->late_count; i++) {
        const struct random_late *late = &world->late[i];
        (void)sim_resend(world->sim, late->path, late->unset ? NULL : late->json, late->set_us);
    }
    world->late_count = 0;
}

static void random_send_again(struct random_world *world)
{
    struct sim *sim = world->sim;
    if (sim->waiting_count > 0)
        sim_resend_report(sim, sim->ops[sim->waiting[sim_random(sim, sim->waiting_count)]].report);
}

static void random_reject(struct random_world *world)
{
    static const int codes[] = {429, 429, 500, 503, 409, 409, 400, 413, 403, 418};
    struct sim *sim = world->sim;
    enum shadow_service_operation kind =
        sim_chance(sim, 75) ? SHADOW_SERVICE_UPDATE : SHADOW_SERVICE_GET;
    int code = codes[sim_random(sim, RANDOM_COUNT(codes))];
    bool lasting = code != 429 && code != 409 && code < 500;
    if (lasting && sim->options.faults.repeat_requests > 0)
        code = 429; /* the second of two equal updates would be refused for the same reason */
    if (kind == SHADOW_SERVICE_GET && (code == 409 || code == 413))
        code = 500;
    sim_trace(sim, "the cloud will reject with %d", code);
    shadow_service_reject_next(sim->cloud, kind, 1 + (unsigned)sim_random(sim, 3), code);
}

static void random_restart(struct random_world *world)
{
    random_send_late(world);
    sim_restart(world->sim);
}

static void random_link(struct sim *sim)
{
    if (sim->up)
        sim_link_down(sim);
    else
        sim_link_up(sim);
}

static void random_unrest(struct random_world *world)
{
    struct sim *sim = world->sim;
    uint64_t what = sim_random(sim, 100);
    if (what < 35)
        random_foreign(world);
    else if (what < 55)
        random_link(sim);
    else if (what < 65)
        random_hold_back(world);
    else if (what < 73)
        random_send_late(world);
    else if (what < 81)
        random_send_again(world);
    else if (what < 88)
        random_reject(world);
    else if (what < 93)
        sim_delete(sim);
    else if (what < 95 && world->restarts)
        random_restart(world);
    else if (what < 97)
        sim_flush(sim);
    else if (what < 98) /* subscriptions are refused, or granted again */
        sim->suback_code = sim->suback_code == 0 ? 0x97 : 0;
}

static void random_pass_time(struct sim *sim)
{
    static const uint64_t spans_ms[] = {1, 1, 30, 300, 3000, 3000, 30000, 120000};
    sim_run(sim, (int64_t)sim_random(sim, spans_ms[sim_random(sim, 8)]));
}

/* ---- a seed ---- */

/* The link is up, nothing is lost any more, nobody else writes: the cloud must come to equal the
 * device, and then the link must be quiet. */
static void random_heal(struct random_world *world)
{
    struct sim *sim = world->sim;
    sim_trace(sim, "---- from here on all is well ----");
    random_send_late(world);
    sim->suback_code = 0;
    sim->options.faults = (struct sim_faults){.delay_min_ms = 10, .delay_max_ms = 10};
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 0, 0);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_GET, 0, 0);
    sim_link_up(sim);
    int64_t step_ms = SIM_MINUTE;
    for (int64_t ms = 0; ms < 24 * SIM_HOUR && !sim_is_broken(sim); ms += step_ms) {
        sim_run(sim, step_ms);
        if (ms >= 4 * SIM_MINUTE && oracle_end(sim, false))
            break;
        step_ms = ms > 10 * SIM_MINUTE ? 20 * SIM_MINUTE : step_ms;
    }
    (void)oracle_end(sim, true);
    size_t updates = sim->updates;
    sim_run(sim, 30 * SIM_MINUTE);
    (void)oracle_end(sim, true);
    if (sim->updates != updates)
        sim_fail(sim, "all was equal and settled, and still %zu updates went out",
                 sim->updates - updates);
}

static bool random_run(uint64_t seed, FILE *trace, char *ret_failure, size_t size)
{
    struct random_world world;
    random_begin(&world, seed, trace);
    struct sim *sim = world.sim;
    size_t steps = 10 + sim_random(sim, 90);
    for (size_t i = 0; i < steps && !sim_is_broken(sim); i++) {
        if (sim_chance(sim, world.unrest))
            random_unrest(&world);
        else
            random_report(&world);
        if (sim_chance(sim, 70))
            random_pass_time(sim);
    }
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
