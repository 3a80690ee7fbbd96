#include "tests/scenario/sim.h"

#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_events.h"
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
    sim->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = sim->random;
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
    FILE *trace = sim->options.trace;
    if (trace == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    fprintf(trace, "%10.3f ", (double)sim->now_ms / 1000);
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
    int size =
        snprintf(sim->failure, sizeof(sim->failure), "at %.3f s: ", (double)sim->now_ms / 1000);
    vsnprintf(sim->failure + size, sizeof(sim->failure) - (size_t)size, format, arguments);
    va_end(arguments);
    sim_trace(sim, "BROKEN %s", sim->failure);
}

static void sim_start_thing(struct sim *sim)
{
    sim->options.thing.instance_id = UINT64_C(0x1000) + sim->instance;
    sim->options.thing.random_seed = sim->options.seed * 31 + sim->instance;
    if (thing_new(&sim->thing, &sim->options.thing) < 0 ||
        thing_open_shadow(sim->thing, NULL, NULL, &sim->shadow) < 0)
        abort();
    sim->bucket = sim->options.thing.burst;
    sim->bucket_ms = sim->now_ms;
    sim->serial_known = false;
}

struct sim *sim_new(const struct sim_options *options)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    if (sim == NULL)
        abort();
    sim->options = *options;
    sim->random = options->seed * UINT64_C(0x2545f4914f6cdd1d) + 1;
    sim->now_ms = 10 * SIM_MINUTE; /* a machine that has been up for a while */
    sim->cloud = shadow_service_new(&sim->options.cloud);
    if (sim->cloud == NULL)
        abort();
    sim_start_thing(sim);
    oracle_init(sim);
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
    sim_link_forget_filters(sim);
    oracle_clear(sim);
    thing_free(sim->thing);
    shadow_service_free(sim->cloud);
    free(sim);
    return NULL;
}

static void sim_take_notices(struct sim *sim)
{
    struct thing_notice notice;
    while (thing_next_notice(sim->thing, &notice)) {
        if ((size_t)notice.kind < sizeof(sim->notices) / sizeof(sim->notices[0]))
            sim->notices[notice.kind] += 1 + notice.repeated;
        if (notice.kind == THING_NOTICE_REFUSED)
            oracle_vague(sim, notice.path); /* be it when it was set back, long after its answer */
        sim_trace(sim, "  notice: %s %s %s code %d delay %lld", thing_notice_name(notice.kind),
                  notice.path, notice.text, notice.code, (long long)notice.delay_ms);
    }
}

static void sim_commit(struct sim *sim)
{
    if (!sim->options.thing.durable || sim->committing || !thing_wants_commit(sim->thing))
        return;
    sim->committing = true;
    sim->commit_revision = shadow_newest_revision(sim->shadow);
    sim->commit_model = json_deep_copy(sim->model);
    struct sim_event event = {
        .kind = SIM_COMMITTED,
        .connection = sim->instance,
        .at_ms = sim->now_ms + sim->options.commit_ms,
    };
    sim_event_push(sim, &event);
}

void sim_turn(struct sim *sim)
{
    struct thing_request request;
    size_t count = 0;
    if (sim->asleep)
        return;
    sim->turns++;
    oracle_answers(sim); /* what was refused must be known before the next update is judged */
    while (!sim_is_broken(sim) && thing_next_request(sim->thing, sim->now_ms, &request) > 0) {
        sim_link_send(sim, &request);
        if (++count > 100)
            sim_fail(sim, "more than 100 requests in one turn");
    }
    sim_take_notices(sim);
    sim_commit(sim);
    oracle_answers(sim);
}

static void sim_doubt(struct sim *sim)
{
    if (!sim->up || !thing_doubts_link(sim->thing))
        return;
    sim_trace(sim, "the engine doubts the link");
    sim_link_down(sim);
    struct sim_event event = {
        .kind = SIM_REDIAL,
        .connection = sim->connection,
        .at_ms = sim->now_ms + sim->options.redial_ms,
    };
    sim_event_push(sim, &event);
}

/* Find when to wake up; an engine that always wants to be woken at once is broken. */
static int64_t sim_next_ms(struct sim *sim)
{
    int64_t deadline_ms = thing_deadline(sim->thing, sim->now_ms);
    int64_t event_ms = sim_event_next_ms(sim);
    int64_t next_ms = deadline_ms < event_ms ? deadline_ms : event_ms;
    if (next_ms > sim->now_ms) {
        sim->spins = 0;
        return next_ms;
    }
    if (++sim->spins > SIM_SPINS_MAX)
        sim_fail(sim, "the deadline %lld does not move on at %lld", (long long)deadline_ms,
                 (long long)sim->now_ms);
    return sim->now_ms;
}

void sim_run(struct sim *sim, int64_t ms)
{
    int64_t until_ms = sim->now_ms + ms;
    sim_turn(sim);
    while (!sim_is_broken(sim)) {
        int64_t next_ms = sim_next_ms(sim);
        if (next_ms > until_ms)
            break;
        sim->now_ms = next_ms;
        struct sim_event event;
        while (sim_event_next_ms(sim) <= sim->now_ms && sim_event_pop(sim, &event))
            sim_link_event(sim, &event);
        sim_turn(sim);
        sim_doubt(sim);
    }
    if (!sim_is_broken(sim)) {
        sim->now_ms = until_ms;
        sim_turn(sim);
    }
}

void sim_link_up(struct sim *sim)
{
    if (sim->up)
        return;
    sim_trace(sim, "link up");
    sim->up = true;
    sim->connection++;
    sim->links++;
    sim->last_in_ms = sim->now_ms;
    thing_link_up(sim->thing, sim->now_ms);
    sim_turn(sim);
}

static void sim_cut(struct sim *sim)
{
    sim_link_scatter(sim);
    sim_link_forget_filters(sim);
    sim->up = false;
    oracle_link_down(sim);
}

void sim_link_down(struct sim *sim)
{
    if (!sim->up)
        return;
    sim_trace(sim, "link down");
    sim_cut(sim);
    thing_link_down(sim->thing, sim->now_ms);
    sim_turn(sim);
}

int64_t sim_foreign(struct sim *sim, const char *payload)
{
    int64_t version = sim_link_to_cloud(sim, SIM_PREFIX "update", payload, strlen(payload), false);
    sim_turn(sim);
    return version;
}

void sim_delete(struct sim *sim)
{
    (void)sim_link_to_cloud(sim, SIM_PREFIX "delete", "", 0, false);
    sim_turn(sim);
}

void sim_forget(struct sim *sim)
{
    shadow_service_forget(sim->cloud, SIM_THING, NULL);
    oracle_deleted(sim, 0);
}

void sim_seed(struct sim *sim, const char *document, int64_t version)
{
    json_t *json = doc_parse(document);
    if (shadow_service_seed(sim->cloud, SIM_THING, NULL, json, version,
                            SIM_UNIX_MS + sim->now_ms - 1000) < 0)
        abort();
    oracle_seeded(sim, json_object_get(json, "reported"), version);
    json_decref(json);
}

void sim_inject(struct sim *sim, const char *topic, const char *payload)
{
    char whole[256];
    (void)snprintf(whole, sizeof(whole), "%s%s", SIM_PREFIX, topic);
    sim_trace(sim, "injected %s %.300s", whole, payload);
    oracle_heard(sim, whole, payload, strlen(payload));
    thing_receive(sim->thing, whole, payload, strlen(payload), sim->now_ms);
    sim_turn(sim);
}

const json_t *sim_reported(struct sim *sim)
{
    return sim->history[sim->history_count - 1].reported;
}

int64_t sim_version_now(struct sim *sim)
{
    return shadow_service_version(sim->cloud, SIM_THING, NULL);
}

struct shadow_status sim_status(struct sim *sim)
{
    struct shadow_status status;
    shadow_get_status(sim->shadow, &status);
    return status;
}

void sim_restart(struct sim *sim)
{
    sim_trace(sim, "the daemon is restarted");
    sim_cut(sim);
    size_t count = sim->waiting_count;
    size_t *again = sim->waiting;
    sim->waiting = NULL;
    sim->waiting_count = sim->waiting_capacity = 0;
    thing_free(sim->thing);
    sim->kept_count = 0;
    sim->instance++;
    sim->committing = false;
    json_object_clear(sim->model);
    sim_start_thing(sim);
    for (size_t i = 0; i < count; i++)
        sim->ops[again[i]].waiting = false;
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t report = sim->ops[again[i]].report;
        if (report != last)
            sim_resend_report(sim, report);
        last = report;
    }
    free(again);
}
