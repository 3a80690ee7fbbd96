#include "tests/scenario/random_world.h"

#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_programs.h"
#include "tests/scenario/sim_store.h"
#include "tests/scenario/sim_watch.h"
#include <stdlib.h>
#include <string.h>

/* From five minutes on a pause that doubles ends three or four times in half an hour; each time the
 * service is asked again before the value counts as refused. */
#define RANDOM_RETRIES_MAX 8u

static const char *const random_extra[] = {"sensor-*", "twin"};
static const char random_document[] =
    "{\"desired\":{\"a\":{\"b\":1},\"w\":1},\"reported\":{\"a\":{\"b\":{\"c\":1,\"x\":2},\"x\":3},"
    "\"e\":4,\"h\":{\"i\":{\"j\":5}},\"z\":6}}";

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

static void random_options(struct sim_options *options, uint64_t seed, struct sim *dice)
{
    static const unsigned subscriptions[] = {50, 50, 50, 18, 12};
    sim_options_init(options, seed);
    random_faults(&options->faults, dice);
    random_service(&options->cloud, dice);
    /* Where a deletion leaves no gap in the versions, its message must come, and in time: nothing
     * else tells of it. */
    if (options->faults.lose_answers > 0 || options->faults.delay_max_ms > 100)
        options->cloud.tombstone_bumps = true;
    options->thing.interval_ms = 100 + (int64_t)sim_random(dice, 3000);
    options->thing.burst = 1 + (unsigned)sim_random(dice, 10);
    options->thing.durable = sim_chance(dice, 15);
    options->thing.response_timeout_ms = sim_chance(dice, 50) ? 30000 : 5000;
    options->thing.messages_per_sec =
        sim_chance(dice, 70) ? 80 : 12 + (unsigned)sim_random(dice, 30);
    options->thing.max_subscriptions = subscriptions[sim_random(dice, 5)];
    options->thing.extra = random_extra;
    options->thing.extra_count = RANDOM_COUNT(random_extra);
    if (sim_chance(dice, 12)) {
        options->thing.max_document_bytes = 60 + (size_t)sim_random(dice, 200);
        options->cloud.max_bytes = options->thing.max_document_bytes;
    }
    options->commit_ms = 1 + (int64_t)sim_random(dice, 200);
}

static void random_open_shadows(struct random_world *world, struct sim *dice, size_t count)
{
    static const char *const things[] = {NULL, NULL, NULL, "sensor-1", "sensor-2", "twin"};
    for (size_t i = 1; i < count && i < RANDOM_SHADOWS_MAX; i++) {
        const char *thing = things[sim_random(dice, RANDOM_COUNT(things))];
        char name[16] = "";
        if (thing == NULL || sim_chance(dice, 60))
            (void)snprintf(name, sizeof(name), "n%zu", i);
        bool taken = false;
        for (size_t j = 0; j < world->shadow_count; j++)
            taken = taken || (name[0] == '\0' && world->shadows[j]->shadow_name[0] == '\0' &&
                              strcmp(world->shadows[j]->thing_name, thing) == 0);
        if (taken)
            continue;
        world->shadows[world->shadow_count++] = sim_open(world->sim, thing, name);
    }
}

void random_begin(struct random_world *world, uint64_t seed, bool durable, FILE *trace)
{
    struct sim dice = {.random = seed * 7919};
    struct sim_options options;
    dice.net = &dice;
    random_options(&options, seed, &dice);
    options.trace = trace;
    if (durable)
        random_disk_options(&options, seed);
    *world = (struct random_world){
        .sim = sim_new(&options),
        .poison = sim_chance(&dice, 15),
        .hangs_up = sim_chance(&dice, 5),
        .restarts = !options.thing.durable && sim_chance(&dice, 20),
        .wishes = sim_chance(&dice, 60),
        .replaces = sim_chance(&dice, 30),
        .programs = sim_chance(&dice, 40),
        .unrest = (unsigned)sim_random(&dice, 50),
        .foreign_number = 1000,
    };
    world->watches = world->wishes && options.thing.max_subscriptions == 50;
    if (durable)
        random_disk_begin(world, seed);
    world->shadows[world->shadow_count++] = world->sim;
    world->sim->allow_refusals = true;
    world->sim->keep_waits = sim_chance(&dice, 50) ? 20 : 0;
    random_open_shadows(world, &dice,
                        sim_chance(&dice, 40) ? 1
                        : sim_chance(&dice, 90)
                            ? 2 + (size_t)sim_random(&dice, 4)
                            : 6 + (size_t)sim_random(&dice, RANDOM_SHADOWS_MAX - 6));
    world->programs = world->programs && !world->restarts &&
                      options.thing.max_document_bytes == options.cloud.max_bytes &&
                      options.thing.max_document_bytes > 1000;
    if (world->programs)
        sim_programs_begin(world->sim);
    if (world->poison && shadow_service_poison(world->sim->cloud, "bad", 400) < 0)
        abort();
    for (size_t i = 0; i < world->shadow_count; i++)
        if (sim_chance(&dice, 50))
            sim_seed(world->shadows[i], random_document, 1 + (int64_t)sim_random(&dice, 50));
    if (sim_chance(&dice, 60))
        sim_link_up(world->sim);
}

/* ---- the end ---- */

static bool random_is_equal(struct random_world *world, bool final)
{
    bool equal = true;
    for (size_t i = 0; i < world->shadow_count && equal; i++)
        equal = oracle_end(world->shadows[i], final);
    return equal;
}

/* Half an hour later nothing more may have gone out, but for what is vague: a value that had no
 * room any more after another writer took its place is tried again ever more rarely, one that
 * differs unnoticed is set back when its shadow has its turn. */
static void random_stay_quiet(struct random_world *world, int64_t for_ms)
{
    struct sim *sim = world->sim;
    size_t updates[RANDOM_SHADOWS_MAX];
    for (size_t i = 0; i < world->shadow_count; i++)
        updates[i] = world->shadows[i]->updates;
    sim->quiet = true;
    sim_run(sim, for_ms);
    (void)random_is_equal(world, true);
    for (size_t i = 0; i < world->shadow_count; i++) {
        const struct sim *shadow = world->shadows[i];
        size_t more = shadow->updates - updates[i];
        if (more > RANDOM_RETRIES_MAX * shadow->vague_count)
            sim_fail(sim, "all was equal and settled, and still %zu updates went out", more);
    }
}

/* What the engine says is saved is on the disk, and a daemon that begins with it has nothing to
 * send. (Programs would have to come back: without them what is theirs goes.) */
static void random_start_again(struct random_world *world)
{
    sim_store_audit(world->sim);
    if (sim_is_broken(world->sim) || world->programs)
        return;
    sim_restart_after(world->sim, SIM_STOPPED);
    sim_link_up(world->sim);
    random_stay_quiet(world, 5 * SIM_MINUTE);
}

void random_heal(struct random_world *world)
{
    struct sim *sim = world->sim;
    sim_trace(sim, "---- from here on all is well ----");
    random_send_late(world);
    sim->suback_code = 0;
    sim->refused_filter = NULL;
    sim->poisoned = NULL;
    sim->mangle_get = NULL;
    sim->options.faults = (struct sim_faults){.delay_min_ms = 10, .delay_max_ms = 10};
    random_disk_heal(world);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 0, 0);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_GET, 0, 0);
    sim_link_up(sim);
    int64_t step_ms = SIM_MINUTE;
    for (int64_t ms = 0; ms < 24 * SIM_HOUR && !sim_is_broken(sim); ms += step_ms) {
        sim_run(sim, step_ms);
        if (ms >= 4 * SIM_MINUTE && random_is_equal(world, false))
            break;
        step_ms = ms > 10 * SIM_MINUTE ? 20 * SIM_MINUTE : step_ms;
    }
    (void)random_is_equal(world, true);
    random_stay_quiet(world, 30 * SIM_MINUTE);
    if (sim->options.thing.durable)
        random_start_again(world);
}
