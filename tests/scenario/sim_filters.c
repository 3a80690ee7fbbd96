/* The subscriptions of the simulated connection. */
#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_events.h"
#include <stdlib.h>
#include <string.h>

bool sim_matches(const char *filter, const char *topic)
{
    while (*filter != '\0' && *topic != '\0') {
        if (*filter == '+') {
            topic += strcspn(topic, "/");
            filter++;
        } else if (*filter++ != *topic++) {
            return false;
        }
    }
    return *filter == *topic;
}

unsigned sim_is_subscribed(const struct sim *sim, const char *topic)
{
    unsigned count = 0;
    for (size_t i = 0; i < sim->net->filter_count; i++)
        count += sim_matches(sim->net->filters[i], topic);
    return count;
}

static size_t sim_filter_index(const struct sim *sim, const char *filter)
{
    size_t i = 0;
    while (i < sim->net->filter_count && strcmp(sim->net->filters[i], filter) != 0)
        i++;
    return i;
}

static void sim_grant(struct sim *sim, const char *filter)
{
    struct sim *net = sim->net;
    if (sim_filter_index(net, filter) < net->filter_count)
        return;
    if (net->filter_count == SIM_FILTERS) {
        sim_fail(sim, "subscriptions without end");
        return;
    }
    net->filters[net->filter_count++] = sim_copy(filter, strlen(filter));
    if (net->filter_count > net->filters_most)
        net->filters_most = net->filter_count;
    if (net->filter_count > net->options.thing.max_subscriptions)
        sim_fail(sim, "budgets: %zu subscriptions at a time, of %u", net->filter_count,
                 net->options.thing.max_subscriptions);
}

static void sim_revoke(struct sim *sim, const char *filter)
{
    struct sim *net = sim->net;
    size_t i = sim_filter_index(net, filter);
    if (i == net->filter_count)
        return;
    free(net->filters[i]);
    net->filters[i] = net->filters[--net->filter_count];
}

void sim_link_forget_filters(struct sim *sim)
{
    for (size_t i = 0; i < sim->net->filter_count; i++)
        free(sim->net->filters[i]);
    sim->net->filter_count = 0;
}

void sim_send_subscribe(struct sim *sim, const struct thing_request *request)
{
    struct sim_event event = {
        .kind = request->kind == THING_SUBSCRIBE ? SIM_SUBSCRIBE : SIM_UNSUBSCRIBE,
        .connection = sim->net->connection,
        .request_id = request->id,
        .at_ms = sim->net->now_ms + sim_delay(sim),
        .filter_count = request->filter_count,
    };
    if (event.at_ms < sim->net->subscribed_ms)
        event.at_ms = sim->net->subscribed_ms; /* on a connection they stay in order */
    sim->net->subscribed_ms = event.at_ms;
    for (size_t i = 0; i < request->filter_count; i++)
        event.filters[i] = sim_copy(request->filters[i], strlen(request->filters[i]));
    sim_event_push(sim, &event);
}

static bool sim_is_refused(const struct sim *sim, const char *filter)
{
    const char *refused = sim->net->refused_filter;
    return sim->net->suback_code >= 0x80 || (refused != NULL && strstr(filter, refused) != NULL);
}

/* The broker has the SUBSCRIBE: what it grants counts from now on. */
void sim_subscribe_arrives(struct sim *sim, struct sim_event *event)
{
    struct sim_event answer = {
        .kind = SIM_SUBACK,
        .connection = event->connection,
        .request_id = event->request_id,
        .at_ms = sim->net->now_ms + sim_delay(sim),
        .filter_count = event->filter_count,
    };
    for (size_t i = 0; i < event->filter_count; i++) {
        bool refused = sim_is_refused(sim, event->filters[i]);
        answer.codes[i] = !refused                        ? 0
                          : sim->net->suback_code >= 0x80 ? sim->net->suback_code
                                                          : 0x87;
        answer.filters[i] = sim_copy(event->filters[i], strlen(event->filters[i]));
        sim_trace(sim, "broker: %s %s", refused ? "refuses" : "grants", event->filters[i]);
        if (!refused)
            sim_grant(sim, event->filters[i]);
    }
    sim_event_push(sim, &answer);
}

void sim_unsubscribe_arrives(struct sim *sim, const struct sim_event *event)
{
    for (size_t i = 0; i < event->filter_count; i++) {
        sim_trace(sim, "broker: drops %s", event->filters[i]);
        sim_revoke(sim, event->filters[i]);
    }
    struct sim_event answer = {
        .kind = SIM_UNSUBACK,
        .connection = event->connection,
        .request_id = event->request_id,
        .at_ms = sim->net->now_ms + sim_delay(sim),
    };
    sim_event_push(sim, &answer);
}
