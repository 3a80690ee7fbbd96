/* Judges what all shadows of a connection share: subscriptions, requests in flight, messages per
 * second, and memory. */
#include "tests/scenario/oracle.h"

#include "daemon/shadow/shadow_private.h"

#include "tests/scenario/sim_events.h"
#include <stdlib.h>
#include <string.h>

/* No request is given up earlier than this after it was sent. */
#define ORACLE_TIMEOUT_MS 2000
#define ORACLE_IN_FLIGHT  10u
#define ORACLE_GETS       4u
/* What the engine has to expect: an update is answered and may cause a delta, a get is answered. */
#define ORACLE_UPDATE_MESSAGES 3u
#define ORACLE_GET_MESSAGES    2u
/* Nodes that a shadow keeps, empty ones included, before it prunes them. */
#define ORACLE_NODES_MAX (4u * LEDGER_NODES_KEPT)
/* A rate this small cannot be kept by the second: one update is more than its share. */
#define ORACLE_MESSAGES_MIN 12u

/* ---- messages per second ---- */

static void oracle_charge(struct sim *sim, unsigned messages)
{
    struct sim *net = sim->net;
    size_t kept = 0;
    unsigned sum = messages;
    for (size_t i = 0; i < net->charge_count; i++) {
        if (net->now_ms - net->charges[i].at_ms >= 1000)
            continue;
        sum += net->charges[i].messages;
        net->charges[kept++] = net->charges[i];
    }
    net->charges = oracle_grow(net->charges, kept, &net->charge_capacity, sizeof(*net->charges));
    net->charges[kept] = (struct sim_charge){.at_ms = net->now_ms, .messages = messages};
    net->charge_count = kept + 1;
    net->messages++;
    unsigned most = net->options.thing.messages_per_sec;
    if (sum > most && most >= ORACLE_MESSAGES_MIN)
        sim_fail(sim, "budgets: %u messages with their answers within a second, of %u", sum, most);
}

/* ---- requests in flight ---- */

static void oracle_judge_flights(struct sim *sim)
{
    const struct sim *net = sim->net;
    size_t gets = 0, requests = 0;
    for (size_t i = 0; i < net->flight_count; i++) {
        const struct sim_flight *flight = &net->flights[i];
        if (net->now_ms - flight->sent_ms >= ORACLE_TIMEOUT_MS)
            continue;
        gets += flight->is_get;
        requests += strcmp(flight->sim->thing_name, sim->thing_name) == 0;
    }
    if (gets > ORACLE_GETS)
        sim_fail(sim, "budgets: more than %u gets in flight", ORACLE_GETS);
    if (requests > ORACLE_IN_FLIGHT)
        sim_fail(sim, "budgets: more than %u requests in flight for %s", ORACLE_IN_FLIGHT,
                 sim->thing_name);
}

static void oracle_note_flight(struct sim *sim, const struct thing_request *request, bool is_get)
{
    struct sim *net = sim->net;
    json_t *payload = json_loadb(request->payload, request->payload_size, 0, NULL);
    const char *token = json_string_value(json_object_get(payload, "clientToken"));
    net->flights =
        oracle_grow(net->flights, net->flight_count, &net->flight_capacity, sizeof(*net->flights));
    struct sim_flight *flight = &net->flights[net->flight_count++];
    *flight = (struct sim_flight){
        .sim = sim, .request_id = request->id, .is_get = is_get, .sent_ms = net->now_ms};
    (void)snprintf(flight->token, sizeof(flight->token), "%s", token != NULL ? token : "");
    json_decref(payload);
    oracle_judge_flights(sim);
}

static void oracle_forget_flight(struct sim *sim, size_t index)
{
    sim->net->flights[index] = sim->net->flights[--sim->net->flight_count];
}

void oracle_answered(struct sim *sim, const char *token)
{
    for (size_t i = sim->net->flight_count; i-- > 0;)
        if (strcmp(sim->net->flights[i].token, token) == 0)
            oracle_forget_flight(sim, i);
}

void oracle_answered_unreadably(struct sim *sim)
{
    for (size_t i = sim->net->flight_count; i-- > 0;)
        if (sim->net->flights[i].sim == sim && sim->net->flights[i].is_get)
            oracle_forget_flight(sim, i);
}

void oracle_refused(struct sim *sim, uint32_t request_id)
{
    for (size_t i = sim->net->flight_count; i-- > 0;) {
        struct sim_flight *flight = &sim->net->flights[i];
        if (flight->request_id != request_id)
            continue;
        if (!flight->is_get)
            flight->sim->flight_open = false;
        oracle_forget_flight(sim, i);
    }
}

void oracle_disconnected(struct sim *sim)
{
    sim->net->flight_count = 0;
}

/* ---- requests ---- */

static void oracle_judge_filters(struct sim *sim, const struct thing_request *request)
{
    if (request->filter_count == 0 || request->filter_count > 8)
        sim_fail(sim, "a SUBSCRIBE or UNSUBSCRIBE of %zu filters", request->filter_count);
    for (size_t i = 0; i < request->filter_count; i++)
        if (strchr(request->filters[i], '#') != NULL ||
            strstr(request->filters[i], "/documents") != NULL)
            sim_fail(sim, "a filter for what nobody needs: %s", request->filters[i]);
}

/* The answers must find their way back. */
static void oracle_judge_answers_come(struct sim *sim, const char *topic)
{
    static const char *const answers[] = {"/accepted", "/rejected"};
    for (size_t i = 0; i < 2; i++) {
        char answer[320];
        (void)snprintf(answer, sizeof(answer), "%s%s", topic, answers[i]);
        if (!sim_is_subscribed(sim, answer))
            sim_fail(sim, "a request before the answers to it are subscribed: %s", answer);
    }
}

void oracle_unheard(struct sim *sim, const struct thing_request *request)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next) {
        char topic[320];
        (void)snprintf(topic, sizeof(topic), "%supdate/accepted", each->prefix);
        for (size_t i = 0; i < request->filter_count; i++)
            if (sim_matches(request->filters[i], topic))
                each->heard_version = -1;
    }
}

void oracle_request(struct sim *sim, const struct thing_request *request)
{
    if (request->kind != THING_PUBLISH) {
        oracle_judge_filters(sim, request);
        oracle_charge(sim, 1);
        return;
    }
    bool is_get = strcmp(request->topic + strlen(sim->prefix), "get") == 0;
    sim->net->operations++;
    oracle_charge(sim, is_get ? ORACLE_GET_MESSAGES : ORACLE_UPDATE_MESSAGES);
    oracle_judge_answers_come(sim, request->topic);
    oracle_note_flight(sim, request, is_get);
}

/* ---- memory ---- */

void oracle_memory(struct sim *sim)
{
    for (struct sim *each = sim->net; each != NULL; each = each->next) {
        struct shadow_status status;
        shadow_get_status(each->shadow, &status);
        if (status.properties + status.cuts > FLUX_PROPERTIES_MAX)
            sim_fail(each, "memory: %zu properties and %zu cuts", status.properties, status.cuts);
        size_t nodes = each->shadow->ledger.set.node_count;
        if (nodes > ORACLE_NODES_MAX)
            sim_fail(each, "memory: %zu nodes for %zu properties", nodes, status.properties);
    }
}
