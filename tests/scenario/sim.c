#include "tests/scenario/sim.h"

#include "tests/scenario/oracle.h"
#include "tests/scenario/oracle_store.h"
#include "tests/scenario/sim_events.h"
#include "tests/scenario/sim_programs.h"
#include "tests/scenario/sim_store.h"
#include "tests/scenario/sim_watch.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_SPINS_MAX 1000u

void sim_options_init(struct sim_options *ret_options, uint64_t seed)
{
    struct sim_options options = {
        .seed = seed,
        .faults = {.delay_min_ms = 10, .delay_max_ms = 10},
        .commit_ms = 5,
        .sync_interval_ms = 30 * SIM_SECOND,
        .redial_ms = 2000,
    };
    thing_options_init(&options.thing);
    shadow_service_options_init(&options.cloud);
    options.thing.name = SIM_THING;
    options.thing.interval_ms = 1000;
    options.thing.burst = 5;
    options.thing.durable = false;
    options.trace = getenv("FLUXAWS_TRACE") != NULL ? stderr : NULL;
    *ret_options = options;
}

uint64_t sim_random(struct sim *sim, uint64_t limit)
{
    sim->net->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = sim->net->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % limit;
}

bool sim_chance(struct sim *sim, unsigned percent)
{
    return percent > 0 && sim_random(sim, 100) < percent;
}

void sim_trace(struct sim *sim, const char *format, ...)
{
    FILE *trace = sim->net->options.trace;
    if (trace == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(trace, "%10.3f ", (double)sim->net->now_ms / 1000);
    vfprintf(trace, format, arguments);
    fputc('\n', trace);
    va_end(arguments);
}

void sim_fail(struct sim *sim, const char *format, ...)
{
    if (sim_is_broken(sim))
        return;
    va_list arguments;
    va_start(arguments, format);
    int size = snprintf(sim->net->failure, sizeof(sim->net->failure),
                        "at %.3f s: ", (double)sim->net->now_ms / 1000);
    vsnprintf(sim->net->failure + size, sizeof(sim->net->failure) - (size_t)size, format,
              arguments);
    va_end(arguments);
    sim_trace(sim, "BROKEN %s", sim->net->failure);
}

static void sim_start_thing(struct sim *sim)
{
    struct sim *net = sim->net;
    net->options.thing.instance_id = UINT64_C(0x1000) + net->instance;
    net->options.thing.random_seed = net->options.seed * 31 + net->instance;
    if (thing_new(&net->thing, &net->options.thing) < 0)
        abort();
    if (net->programs != NULL)
        sim_programs_start(net);
    if (net->options.thing.durable && !net->store->unloaded)
        sim_store_load(net);
    for (struct sim *each = net; each != NULL; each = each->next)
        sim_shadow_start(each);
}

struct sim *sim_new(const struct sim_options *options)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    if (sim == NULL)
        abort();
    sim->net = sim;
    sim->options = *options;
    sim->random = options->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    sim->now_ms = 10 * SIM_MINUTE; /* a machine that has been up for a while */
    sim->cloud = shadow_service_new(&sim->options.cloud);
    if (sim->cloud == NULL)
        abort();
    sim->level = SIM_ACCEPTED;
    sim_store_init(sim);
    sim_shadow_init(sim, SIM_THING, "");
    sim_start_thing(sim);
    return sim;
}

struct sim *sim_free(struct sim *sim)
{
    if (sim == NULL)
        return NULL;
    struct sim_event event;
    while (sim_event_pop(sim, &event))
        sim_event_clear(&event);
    free(sim->events);
    free(sim->flights);
    free(sim->charges);
    free(sim->programs);
    sim_store_clear(sim);
    sim_link_forget_filters(sim);
    thing_free(sim->thing);
    shadow_service_free(sim->cloud);
    while (sim != NULL) {
        struct sim *next = sim->next;
        sim_watch_clear(sim);
        oracle_clear(sim);
        free(sim);
        sim = next;
    }
    return NULL;
}

static void sim_take_notices(struct sim *sim)
{
    struct thing_notice notice;
    while (thing_next_notice(sim->net->thing, &notice)) {
        if ((size_t)notice.kind < sizeof(sim->net->notices) / sizeof(sim->net->notices[0]))
            sim->net->notices[notice.kind] += 1 + (size_t)notice.repeated;
        for (struct sim *each = sim; each != NULL && notice.kind == THING_NOTICE_REFUSED;
             each = each->next)
            if (strcmp(each->shadow_name, notice.shadow_name) == 0)
                oracle_refused_notice(each, notice.path);
        sim_trace(sim, "  notice: %s %s %s code %d delay %lld", thing_notice_name(notice.kind),
                  notice.path, notice.text, notice.code, (long long)notice.delay_ms);
    }
}

static void sim_ask_answers(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next) {
        oracle_stored_answers(each);
        oracle_answers(each);
    }
}

void sim_turn(struct sim *sim)
{
    struct thing_request request;
    size_t count = 0;
    sim = sim->net;
    if (sim->asleep)
        return;
    sim->turns++;
    sim_programs_turn(sim);
    sim_ask_answers(sim); /* what was refused must be known before the next update is judged */
    if (sim->options.thing.durable)
        sim_take_notices(sim); /* where nobody waits for it, too */
    while (!sim_is_broken(sim) && thing_next_request(sim->thing, sim->now_ms, &request) > 0) {
        sim_link_send(sim, &request);
        if (++count > 100)
            sim_fail(sim, "more than 100 requests in one turn");
    }
    sim_take_notices(sim);
    sim_store_turn(sim);
    sim_ask_answers(sim);
    for (struct sim *each = sim; each != NULL; each = each->next)
        sim_watch_turn(each);
    oracle_memory(sim);
}

/* Find when to wake up; an engine that always wants to be woken at once is broken. */
static int64_t sim_next_ms(struct sim *sim)
{
    int64_t deadline_ms = thing_deadline(sim->net->thing, sim->net->now_ms);
    int64_t event_ms = sim_event_next_ms(sim);
    int64_t store_ms = sim_store_deadline(sim);
    int64_t next_ms = deadline_ms < event_ms ? deadline_ms : event_ms;
    next_ms = next_ms < store_ms ? next_ms : store_ms;
    if (next_ms > sim->net->now_ms) {
        sim->net->spins = 0;
        return next_ms;
    }
    if (++sim->net->spins > SIM_SPINS_MAX)
        sim_fail(sim, "the deadline %lld does not move on at %lld", (long long)deadline_ms,
                 (long long)sim->net->now_ms);
    return sim->net->now_ms;
}

void sim_run(struct sim *sim, int64_t ms)
{
    sim = sim->net;
    int64_t until_ms = sim->net->now_ms + ms;
    sim_turn(sim);
    while (!sim_is_broken(sim)) {
        int64_t next_ms = sim_next_ms(sim);
        if (next_ms > until_ms)
            break;
        sim->net->now_ms = next_ms;
        struct sim_event event;
        while (sim_event_next_ms(sim) <= sim->net->now_ms && sim_event_pop(sim, &event))
            sim_link_event(sim, &event);
        sim_turn(sim);
        if (sim->up && thing_doubts_link(sim->thing))
            sim_lose_link(sim, "the engine doubts the link");
    }
    if (!sim_is_broken(sim)) {
        sim->net->now_ms = until_ms;
        sim_turn(sim);
    }
}

void sim_link_up(struct sim *sim)
{
    sim = sim->net;
    if (sim->net->up)
        return;
    sim_trace(sim, "link up");
    sim->net->up = true;
    sim->net->connection++;
    sim->net->links++;
    sim->net->last_in_ms = sim->net->now_ms;
    thing_link_up(sim->net->thing, sim->net->now_ms);
    sim_turn(sim);
}

static void sim_cut(struct sim *sim)
{
    sim_link_scatter(sim);
    sim_link_forget_filters(sim);
    sim->up = false;
    sim->subscribed_ms = 0;
    oracle_disconnected(sim);
    for (struct sim *each = sim; each != NULL; each = each->next)
        oracle_link_down(each);
}

void sim_link_down(struct sim *sim)
{
    sim = sim->net;
    if (!sim->net->up)
        return;
    sim_trace(sim, "link down");
    sim_cut(sim);
    thing_link_down(sim->net->thing, sim->net->now_ms);
    sim_turn(sim);
}

void sim_lose_link(struct sim *sim, const char *why)
{
    sim_trace(sim, "%s", why);
    sim_link_down(sim);
    struct sim_event event = {
        .kind = SIM_REDIAL,
        .connection = sim->net->connection,
        .at_ms = sim->net->now_ms + sim->net->options.redial_ms,
    };
    sim_event_push(sim, &event);
}

void sim_restart_after(struct sim *sim, enum sim_end end)
{
    static const char *const names[] = {"killed", "stopped in good order", "gone with the power"};
    sim = sim->net;
    sim_trace(sim, "the daemon is %s", names[end]);
    if (end == SIM_STOPPED)
        sim_store_finish(sim);
    sim_cut(sim);
    sim_store_crash(sim, end == SIM_POWER_CUT);
    for (struct sim *each = sim; each != NULL; each = each->next)
        oracle_crashed(each, end == SIM_POWER_CUT);
    sim->store->was_in_trouble = false;
    sim_programs_stop(sim);
    thing_free(sim->thing);
    for (struct sim *each = sim; each != NULL; each = each->next)
        each->shadow = NULL;
    sim->writer = NULL;
    sim->instance++;
    sim->charge_count = 0; /* no real restart takes less than a second */
    sim_start_thing(sim);
    bool asleep = sim->asleep;
    sim->asleep = true; /* until no shadow has anything left of the old one */
    for (struct sim *each = sim; each != NULL; each = each->next)
        sim_shadow_send_again(each, end != SIM_POWER_CUT);
    sim->asleep = asleep;
    sim_turn(sim);
}

void sim_restart(struct sim *sim)
{
    sim_restart_after(sim, SIM_KILLED);
}

void sim_flush(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next)
        each->flushes++;
    thing_flush(sim->net->thing, sim->net->now_ms);
}
