/* The simulated link and the cloud at its end. */
#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_events.h"
#include "tests/scenario/sim_store.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *sim_copy(const void *data, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

int64_t sim_delay(struct sim *sim)
{
    const struct sim_faults *faults = &sim->net->options.faults;
    int64_t span = faults->delay_max_ms - faults->delay_min_ms;
    return faults->delay_min_ms +
           (span > 0 ? (int64_t)sim_random(sim, (uint64_t)span + 1) : INT64_C(0));
}

/* Send a message of the cloud on its way, if it finds one. */
static void sim_to_engine(struct sim *sim, const struct shadow_service_message *message)
{
    if (!sim->net->up || !sim_is_subscribed(sim, message->topic))
        return;
    if (sim->net->drop_answers > 0) {
        sim->net->drop_answers--;
        sim_trace(sim, "  lost on the way: %s", message->topic);
        return;
    }
    if (sim_chance(sim, sim->net->options.faults.lose_answers))
        return;
    unsigned copies = sim_chance(sim, sim->net->options.faults.repeat_answers) ? 2 : 1;
    bool overlaps = sim_is_subscribed(sim, message->topic) > 1;
    if (overlaps && sim_chance(sim, 50)) /* a broker may deliver once for each filter */
        copies++;
    while (copies-- > 0) {
        struct sim_event event = {
            .kind = SIM_TO_ENGINE,
            .connection = sim->net->connection,
            .at_ms = sim->net->now_ms + sim_delay(sim) + sim->net->hold_answer_ms,
            .topic = sim_copy(message->topic, strlen(message->topic)),
            .payload = sim_copy(message->payload, message->size),
            .size = message->size,
        };
        sim_event_push(sim, &event);
    }
    sim->net->hold_answer_ms = 0;
}

static void sim_note_change(struct sim *sim, const struct shadow_service_message *message,
                            const char *payload, size_t size, bool ours)
{
    sim = sim_find(sim, message->topic);
    if (sim != NULL && ours && message->kind == SHADOW_SERVICE_REJECTED &&
        message->operation == SHADOW_SERVICE_UPDATE && message->code == 413)
        oracle_too_large(sim, payload, size);
    if (sim == NULL || message->kind != SHADOW_SERVICE_ACCEPTED)
        return;
    if (message->operation == SHADOW_SERVICE_UPDATE)
        oracle_update_accepted(sim, payload, size, ours, message->version);
    if (message->operation == SHADOW_SERVICE_DELETE)
        oracle_deleted(sim, message->version);
}

int64_t sim_link_to_cloud(struct sim *sim, const char *topic, const char *payload, size_t size,
                          bool ours)
{
    sim_trace(sim, "%s -> cloud %s %.600s", ours ? "engine" : "foreign", topic, payload);
    int64_t version = 0;
    if (shadow_service_handle(sim->net->cloud, topic, payload, size,
                              SIM_UNIX_MS + sim->net->now_ms) < 0)
        abort();
    struct shadow_service_message message;
    while (shadow_service_next(sim->net->cloud, &message)) {
        sim_note_change(sim, &message, payload, size, ours);
        if (message.kind == SHADOW_SERVICE_ACCEPTED)
            version = message.version;
        if (message.kind != SHADOW_SERVICE_DOCUMENTS)
            sim_trace(sim, "  cloud: %s %.600s", message.topic, message.payload);
        sim_to_engine(sim, &message);
        shadow_service_message_clear(&message);
    }
    return version;
}

static void sim_send_puback(struct sim *sim, uint32_t request_id, int code, int64_t at_ms)
{
    struct sim_event event = {
        .kind = SIM_PUBACK,
        .connection = sim->net->connection,
        .request_id = request_id,
        .code = code,
        .at_ms = at_ms,
    };
    sim_event_push(sim, &event);
}

/* The broker says no, or the library failed and nobody knows whether the message went. */
static void sim_refuse_publish(struct sim *sim, const struct thing_request *request, int64_t at_ms)
{
    static const int codes[] = {0x97, 0x80, 0x91, -1, -11};
    int code = codes[sim_random(sim, sizeof(codes) / sizeof(codes[0]))];
    sim_trace(sim, "  publish to %s ends with %d", request->topic, code);
    sim->get_outdated = true; /* a get that failed is given up: its answer is not looked at */
    if (code < 0 && sim_chance(sim, 50)) {
        struct sim_event event = {
            .kind = SIM_TO_CLOUD,
            .connection = sim->net->connection,
            .at_ms = at_ms,
            .topic = sim_copy(request->topic, strlen(request->topic)),
            .payload = sim_copy(request->payload, request->payload_size),
            .size = request->payload_size,
        };
        sim_event_push(sim, &event);
    }
    sim_send_puback(sim, request->id, code, at_ms + sim_delay(sim));
}

static void sim_send_publish(struct sim *sim, const struct thing_request *request)
{
    int64_t at_ms = sim->net->now_ms + sim_delay(sim) + sim->net->hold_request_ms;
    sim->net->hold_request_ms = 0;
    if (sim_chance(sim, sim->net->options.faults.refuse_requests)) {
        sim_refuse_publish(sim, request, at_ms);
        return;
    }
    bool lost = sim_chance(sim, sim->net->options.faults.lose_requests);
    if (sim->net->drop_requests > 0) {
        sim->net->drop_requests--;
        lost = true;
    }
    if (request->qos > 0 && (!lost || sim_chance(sim, 50)))
        sim_send_puback(sim, request->id, 0, at_ms + sim_delay(sim));
    if (lost) {
        sim_trace(sim, "  lost on the way: %s", request->topic);
        return;
    }
    unsigned copies = sim_chance(sim, sim->net->options.faults.repeat_requests) ? 2 : 1;
    while (copies-- > 0) {
        struct sim_event event = {
            .kind = SIM_TO_CLOUD,
            .connection = sim->net->connection,
            .at_ms = at_ms,
            .topic = sim_copy(request->topic, strlen(request->topic)),
            .payload = sim_copy(request->payload, request->payload_size),
            .size = request->payload_size,
        };
        sim_event_push(sim, &event);
        at_ms += sim_delay(sim);
    }
}

/* A publish that nobody can take: the broker hangs up at once. */
static bool sim_is_poisoned(const struct sim *sim, const struct thing_request *request)
{
    const char *poisoned = sim->net->poisoned;
    return poisoned != NULL && request->kind == THING_PUBLISH &&
           (strstr(request->topic, poisoned) != NULL ||
            memmem(request->payload, request->payload_size, poisoned, strlen(poisoned)) != NULL);
}

static void sim_hang_up(struct sim *sim)
{
    struct sim_event event = {
        .kind = SIM_HANG_UP,
        .connection = sim->net->connection,
        .at_ms = sim->net->now_ms + sim_delay(sim),
    };
    sim_event_push(sim, &event);
}

void sim_link_send(struct sim *sim, const struct thing_request *request)
{
    struct sim *target = request->kind == THING_PUBLISH ? sim_find(sim, request->topic) : sim->net;
    if (!sim->net->up || target == NULL) {
        sim_fail(sim, "a request %s: %s",
                 target == NULL ? "for no shadow" : "while the link is down",
                 request->kind == THING_PUBLISH ? request->topic : "subscribe");
        return;
    }
    oracle_request(target, request);
    if (request->kind != THING_PUBLISH) {
        if (request->kind == THING_UNSUBSCRIBE)
            oracle_unheard(sim, request);
        sim_send_subscribe(sim, request);
        return;
    }
    oracle_publish(target, request->topic, request->payload, request->payload_size);
    if (sim_is_poisoned(sim, request))
        sim_hang_up(sim);
    else
        sim_send_publish(target, request);
}

/* Put what the test's author wrote in the place of an answer to a get. */
static void sim_mangle(struct sim *sim, struct sim_event *event)
{
    if (sim->net->mangle_get == NULL || strcmp(event->topic, SIM_PREFIX "get/accepted") != 0)
        return;
    json_t *answer = json_loadb(event->payload, event->size, 0, NULL);
    const char *token = json_string_value(json_object_get(answer, "clientToken"));
    const char *hole = strstr(sim->net->mangle_get, "%s");
    size_t before =
        hole != NULL ? (size_t)(hole - sim->net->mangle_get) : strlen(sim->net->mangle_get);
    char *text = NULL;
    if (asprintf(&text, "%.*s%s%s", (int)before, sim->net->mangle_get,
                 hole != NULL && token != NULL ? token : "", hole != NULL ? hole + 2 : "") < 0)
        abort();
    free(event->payload);
    event->payload = text;
    event->size = strlen(text);
    sim->net->mangle_get = NULL;
    json_decref(answer);
}

static void sim_message_arrives(struct sim *sim, struct sim_event *event)
{
    sim_mangle(sim, event);
    struct sim *shadow = sim_find(sim, event->topic);
    if (shadow != NULL)
        oracle_heard(shadow, event->topic, event->payload, event->size);
    sim->net->last_in_ms = sim->net->now_ms;
    thing_receive(sim->net->thing, event->topic, event->payload, event->size, sim->net->now_ms);
}

static void sim_puback_arrives(struct sim *sim, const struct sim_event *event)
{
    if (event->code != 0) /* counts as answered: the engine knows as much as it can */
        oracle_refused(sim, event->request_id);
    thing_published(sim->net->thing, event->request_id, event->code, sim->net->now_ms);
}

void sim_link_event(struct sim *sim, struct sim_event *event)
{
    sim = sim->net;
    bool present = sim->net->up && event->connection == sim->net->connection;
    switch (event->kind) {
    case SIM_TO_CLOUD:
        (void)sim_link_to_cloud(sim, event->topic, event->payload, event->size, true);
        break;
    case SIM_TO_ENGINE:
        if (present)
            sim_message_arrives(sim, event);
        break;
    case SIM_SUBSCRIBE:
        if (present)
            sim_subscribe_arrives(sim, event);
        break;
    case SIM_SUBACK:
        if (present)
            thing_subscribed(sim->thing, event->request_id, event->codes, event->filter_count,
                             sim->now_ms);
        break;
    case SIM_UNSUBSCRIBE:
        if (present)
            sim_unsubscribe_arrives(sim, event);
        break;
    case SIM_UNSUBACK:
        if (present)
            thing_unsubscribed(sim->thing, event->request_id, sim->now_ms);
        break;
    case SIM_HANG_UP:
        if (present)
            sim_lose_link(sim, "the broker hangs up");
        break;
    case SIM_PUBACK:
        if (present)
            sim_puback_arrives(sim, event);
        break;
    case SIM_COMMITTED:
        sim_store_event(sim, event);
        break;
    case SIM_REDIAL:
        if (!sim->net->up && event->connection == sim->net->connection)
            sim_link_up(sim);
        break;
    }
    sim_event_clear(event);
}

/* At a cut a request in flight is lost, or comes late as a zombie. */
void sim_link_scatter(struct sim *sim)
{
    int64_t zombie_ms = sim->net->options.faults.zombie_max_ms;
    if (zombie_ms <= 0)
        return;
    size_t count = sim->net->event_count;
    struct sim_event *events = sim->net->events;
    sim->net->events = NULL;
    sim->net->event_count = sim->net->event_capacity = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == SIM_TO_CLOUD && events[i].connection == sim->net->connection) {
            if (sim_chance(sim, 40)) {
                sim_event_clear(&events[i]);
                continue;
            }
            events[i].at_ms += (int64_t)sim_random(sim, (uint64_t)zombie_ms);
        }
        sim_event_push(sim, &events[i]);
    }
    free(events);
}
