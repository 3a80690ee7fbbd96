/* The disk of a random world, and how the daemon ends. */
#include "tests/scenario/random_world.h"

#include "tests/scenario/sim_store.h"
#include <string.h>

static struct sim random_disk_dice(uint64_t seed)
{
    return (struct sim){.random = seed * 104729 + 17};
}

void random_disk_options(struct sim_options *options, uint64_t seed)
{
    static const int64_t commits_ms[] = {1, 5, 5, 30, 200, 1500, 5000};
    static const int64_t intervals_ms[] = {0, 1000, 5000, 30000, 30000, 300000};
    struct sim dice = random_disk_dice(seed);
    dice.net = &dice;
    options->thing.durable = true;
    /* what the disk says may be from before a deletion that the daemon was told of */
    options->cloud.tombstone_bumps = true;
    options->commit_ms = commits_ms[sim_random(&dice, RANDOM_COUNT(commits_ms))];
    options->sync_interval_ms = intervals_ms[sim_random(&dice, RANDOM_COUNT(intervals_ms))];
}

void random_disk_begin(struct random_world *world, uint64_t seed)
{
    struct sim dice = random_disk_dice(seed + 1);
    dice.net = &dice;
    world->restarts = false; /* they are ours */
    world->disk = (struct random_disk){
        .ends = sim_chance(&dice, 80) ? 1 + (unsigned)sim_random(&dice, 12) : 0,
        .trouble = sim_chance(&dice, 25) ? 1 + (unsigned)sim_random(&dice, 6) : 0,
        .levels = sim_chance(&dice, 70),
        .audits = sim_chance(&dice, 20) ? 5 : 0,
    };
}

/* With the machine go its programs, and what they held back. */
static void random_disk_end(struct random_world *world)
{
    struct sim *sim = world->sim;
    enum sim_end end = (enum sim_end)sim_random(sim, 3);
    if (end == SIM_STOPPED && (sim->store->fails || sim->store->hangs || sim->store->unloaded))
        end = SIM_KILLED;
    if (end == SIM_POWER_CUT) {
        world->late_count = 0;
        /* the disk may come late; what the daemon does in the stead of programs would, too */
        sim->store->unloaded = world->disk.trouble > 0 && !world->programs && sim_chance(sim, 20);
    }
    sim_restart_after(sim, end);
}

static void random_disk_trouble(struct random_world *world)
{
    struct sim_store *store = world->sim->store;
    bool is_well = !store->fails && !store->hangs;
    if (sim_chance(world->sim, 20)) {
        sim_store_begin_anew(world->sim);
        return;
    }
    store->fails = is_well && sim_chance(world->sim, 50);
    store->hangs = is_well && !store->fails;
    sim_trace(world->sim, "from here on the disk %s",
              store->fails   ? "fails"
              : store->hangs ? "hangs"
                             : "is well");
}

void random_disk_step(struct random_world *world)
{
    struct sim *sim = world->sim;
    if (world->disk.levels)
        sim->level = sim_chance(sim, 30)   ? SIM_QUEUED
                     : sim_chance(sim, 50) ? SIM_STORED
                                           : SIM_ACCEPTED;
    if (sim_chance(sim, world->disk.trouble))
        random_disk_trouble(world);
    if (sim_chance(sim, world->disk.ends))
        random_disk_end(world);
    if (!sim->store->fails && !sim->store->hangs && sim_chance(sim, world->disk.audits))
        sim_store_audit(sim);
}

/* Commits are bounded by what goes out and by time, never by the reports. */
static void random_disk_judge_cost(struct random_world *world)
{
    const struct sim *sim = world->sim;
    const struct sim_store *store = sim->store;
    size_t may = 10 + store->asks + 2 * store->failures + sim->links + 2 * sim->instance;
    for (size_t i = 0; i < world->shadow_count; i++)
        may += 2 * world->shadows[i]->updates + world->shadows[i]->history_count;
    int64_t interval_ms = sim->options.sync_interval_ms;
    if (interval_ms == 0)
        return;
    may += (size_t)(sim->now_ms / interval_ms);
    if (store->commits > may)
        sim_fail(world->sim, "storage: %zu commits, where %zu would do", store->commits, may);
}

void random_disk_heal(struct random_world *world)
{
    random_disk_judge_cost(world);
    world->sim->store->fails = world->sim->store->hangs = false;
}
