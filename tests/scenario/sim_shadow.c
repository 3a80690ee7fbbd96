/* One shadow of the world: opening it, and what others do to it in the cloud. */
#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_events.h"
#include "tests/scenario/sim_watch.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *sim_service_name(const struct sim *sim)
{
    return sim->shadow_name[0] != '\0' ? sim->shadow_name : NULL;
}

void sim_shadow_init(struct sim *sim, const char *thing, const char *shadow)
{
    bool named = shadow[0] != '\0';
    (void)snprintf(sim->thing_name, sizeof(sim->thing_name), "%s", thing);
    (void)snprintf(sim->shadow_name, sizeof(sim->shadow_name), "%s", shadow);
    (void)snprintf(sim->prefix, sizeof(sim->prefix), "$aws/things/%s/shadow/%s%s%s", thing,
                   named ? "name/" : "", shadow, named ? "/" : "");
    sim->heard_version = -1;
    oracle_init(sim);
}

void sim_shadow_start(struct sim *sim)
{
    int r = thing_open_shadow(sim->net->thing, sim->thing_name, sim->shadow_name, &sim->shadow);
    if (r < 0) {
        fprintf(stderr, "thing_open_shadow(%s, %s) returns %d\n", sim->thing_name, sim->shadow_name,
                r);
        abort();
    }
    sim->bucket = sim->net->options.thing.burst;
    sim->bucket_ms = sim->net->now_ms;
    sim->serial_known = false;
    sim->stored_revision = shadow_newest_revision(sim->shadow);
}

struct sim *sim_open(struct sim *sim, const char *thing, const char *shadow)
{
    struct sim *opened = calloc(1, sizeof(*opened));
    if (opened == NULL)
        abort();
    struct sim *last = sim;
    while (last->next != NULL)
        last = last->next;
    last->next = opened;
    opened->net = sim->net;
    sim_shadow_init(opened, thing != NULL ? thing : SIM_THING, shadow != NULL ? shadow : "");
    sim_shadow_start(opened);
    sim_turn(sim);
    return opened;
}

struct sim *sim_find(struct sim *sim, const char *topic)
{
    struct sim *found = NULL;
    for (struct sim *each = sim->net; each != NULL; each = each->next) {
        bool is_classic = each->shadow_name[0] == '\0';
        size_t size = strlen(each->prefix);
        if (strncmp(topic, each->prefix, size) == 0 &&
            !(is_classic && strncmp(topic + size, "name/", 5) == 0))
            found = each;
    }
    return found;
}

static bool sim_is_sent_again(const struct sim *sim, const struct sim_op *op)
{
    if (!sim->net->options.thing.durable)
        return true;
    /* what programs report that come and go is theirs alone: they begin anew */
    if (sim->net->programs != NULL && *op->path != '\0' && strchr("utmqw", op->path[1]) != NULL)
        return false;
    return op->level == SIM_ACCEPTED || (op->level == SIM_STORED && !op->stored);
}

void sim_shadow_send_again(struct sim *sim, bool has_programs)
{
    size_t count = sim->waiting_count;
    size_t *again = sim->waiting;
    sim->waiting = NULL;
    sim->waiting_count = sim->waiting_capacity = 0;
    sim->kept_count = 0;
    for (size_t i = 0; i < count; i++)
        sim->ops[again[i]].waiting = false;
    for (size_t i = 0; i < sim->settle_count; i++)
        sim->settles[i].waiting = false; /* a program that asks again asks for what it sees then */
    sim_watch_start(sim);
    size_t last = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t report = sim->ops[again[i]].report;
        if (report == last || !has_programs || !sim_is_sent_again(sim, &sim->ops[again[i]]))
            continue;
        sim_resend_report(sim, report);
        last = report;
    }
    free(again);
}

/* Publish to the cloud as a cloud application. */
static int64_t sim_cloud_says(struct sim *sim, const char *what, const char *payload)
{
    char topic[320];
    (void)snprintf(topic, sizeof(topic), "%s%s", sim->prefix, what);
    int64_t version = sim_link_to_cloud(sim, topic, payload, strlen(payload), false);
    sim_turn(sim);
    return version;
}

int64_t sim_foreign(struct sim *sim, const char *payload)
{
    return sim_cloud_says(sim, "update", payload);
}

void sim_delete(struct sim *sim)
{
    (void)sim_cloud_says(sim, "delete", "");
}

void sim_forget(struct sim *sim)
{
    shadow_service_forget(sim->net->cloud, sim->thing_name, sim_service_name(sim));
    oracle_deleted(sim, 0);
}

void sim_seed(struct sim *sim, const char *document, int64_t version)
{
    json_t *json = doc_parse(document);
    if (shadow_service_seed(sim->net->cloud, sim->thing_name, sim_service_name(sim), json, version,
                            SIM_UNIX_MS + sim->net->now_ms - 1000) < 0)
        abort();
    oracle_seeded(sim, json, version);
    json_decref(json);
}

void sim_inject(struct sim *sim, const char *topic, const char *payload)
{
    char whole[320];
    (void)snprintf(whole, sizeof(whole), "%s%s", sim->prefix, topic);
    sim_trace(sim, "injected %s %.300s", whole, payload);
    oracle_heard(sim, whole, payload, strlen(payload));
    thing_receive(sim->net->thing, whole, payload, strlen(payload), sim->net->now_ms);
    sim_turn(sim);
}

const json_t *sim_reported(struct sim *sim)
{
    return sim->history[sim->history_count - 1].reported;
}

int64_t sim_version_now(struct sim *sim)
{
    return shadow_service_version(sim->net->cloud, sim->thing_name, sim_service_name(sim));
}

struct shadow_status sim_status(struct sim *sim)
{
    struct shadow_status status;
    shadow_get_status(sim->shadow, &status);
    return status;
}
