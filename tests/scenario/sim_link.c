/* The simulated link and the cloud at its end. */
#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_events.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *sim_copy(const void *data, size_t size)
{
    char *copy = malloc(size + 1);
    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

static int64_t sim_delay(struct sim *sim)
{
    const struct sim_faults *faults = &sim->options.faults;
    int64_t span = faults->delay_max_ms - faults->delay_min_ms;
    return faults->delay_min_ms +
           (span > 0 ? (int64_t)sim_random(sim, (uint64_t)span + 1) : INT64_C(0));
}

static bool sim_matches(const char *filter, const char *topic)
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

static bool sim_is_subscribed(const struct sim *sim, const char *topic)
{
    for (size_t i = 0; i < sim->filter_count; i++)
        if (sim_matches(sim->filters[i], topic))
            return true;
    return false;
}

void sim_link_forget_filters(struct sim *sim)
{
    for (size_t i = 0; i < sim->filter_count; i++)
        free(sim->filters[i]);
    sim->filter_count = 0;
}

/* Send a message of the cloud on its way, if it finds one. */
static void sim_to_engine(struct sim *sim, const struct shadow_service_message *message)
{
    if (!sim->up || !sim_is_subscribed(sim, message->topic))
        return;
    if (sim->drop_answers > 0) {
        sim->drop_answers--;
        sim_trace(sim, "  lost on the way: %s", message->topic);
        return;
    }
    if (sim_chance(sim, sim->options.faults.lose_answers))
        return;
    unsigned copies = sim_chance(sim, sim->options.faults.repeat_answers) ? 2 : 1;
    while (copies-- > 0) {
        struct sim_event event = {
            .kind = SIM_TO_ENGINE,
            .connection = sim->connection,
            .at_ms = sim->now_ms + sim_delay(sim) + sim->hold_answer_ms,
            .topic = sim_copy(message->topic, strlen(message->topic)),
            .payload = sim_copy(message->payload, message->size),
            .size = message->size,
        };
        sim_event_push(sim, &event);
    }
    sim->hold_answer_ms = 0;
}

static void sim_note_change(struct sim *sim, const struct shadow_service_message *message,
                            const char *payload, size_t size, bool ours)
{
    if (message->kind != SHADOW_SERVICE_ACCEPTED)
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
    if (shadow_service_handle(sim->cloud, topic, payload, size, SIM_UNIX_MS + sim->now_ms) < 0)
        abort();
    struct shadow_service_message message;
    while (shadow_service_next(sim->cloud, &message)) {
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

static void sim_send_subscribe(struct sim *sim, const struct thing_request *request)
{
    struct sim_event event = {
        .kind = SIM_SUBSCRIBE,
        .connection = sim->connection,
        .request_id = request->id,
        .at_ms = sim->now_ms + sim_delay(sim),
        .filter_count = request->filter_count,
    };
    for (size_t i = 0; i < request->filter_count; i++)
        event.filters[i] = sim_copy(request->filters[i], strlen(request->filters[i]));
    sim_event_push(sim, &event);
}

static void sim_send_puback(struct sim *sim, uint32_t request_id, int code, int64_t at_ms)
{
    struct sim_event event = {
        .kind = SIM_PUBACK,
        .connection = sim->connection,
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
    if (code < 0 && sim_chance(sim, 50)) {
        struct sim_event event = {
            .kind = SIM_TO_CLOUD,
            .connection = sim->connection,
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
    oracle_publish(sim, request->topic, request->payload, request->payload_size);
    int64_t at_ms = sim->now_ms + sim_delay(sim) + sim->hold_request_ms;
    sim->hold_request_ms = 0;
    if (sim_chance(sim, sim->options.faults.refuse_requests)) {
        sim_refuse_publish(sim, request, at_ms);
        return;
    }
    bool lost = sim_chance(sim, sim->options.faults.lose_requests);
    if (sim->drop_requests > 0) {
        sim->drop_requests--;
        lost = true;
    }
    if (request->qos > 0 && (!lost || sim_chance(sim, 50)))
        sim_send_puback(sim, request->id, 0, at_ms + sim_delay(sim));
    if (lost) {
        sim_trace(sim, "  lost on the way: %s", request->topic);
        return;
    }
    unsigned copies = sim_chance(sim, sim->options.faults.repeat_requests) ? 2 : 1;
    while (copies-- > 0) {
        struct sim_event event = {
            .kind = SIM_TO_CLOUD,
            .connection = sim->connection,
            .at_ms = at_ms,
            .topic = sim_copy(request->topic, strlen(request->topic)),
            .payload = sim_copy(request->payload, request->payload_size),
            .size = request->payload_size,
        };
        sim_event_push(sim, &event);
        at_ms += sim_delay(sim);
    }
}

void sim_link_send(struct sim *sim, const struct thing_request *request)
{
    if (!sim->up) {
        sim_fail(sim, "a request while the link is down: %s",
                 request->kind == THING_PUBLISH ? request->topic : "subscribe");
        return;
    }
    if (request->kind == THING_SUBSCRIBE)
        sim_send_subscribe(sim, request);
    else
        sim_send_publish(sim, request);
}

/* The broker has the SUBSCRIBE: what it grants counts from now on. */
static void sim_subscribe_arrives(struct sim *sim, struct sim_event *event)
{
    const size_t room = sizeof(sim->filters) / sizeof(sim->filters[0]);
    for (size_t i = 0; i < event->filter_count && sim->suback_code < 0x80; i++)
        if (sim->filter_count < room)
            sim->filters[sim->filter_count++] =
                sim_copy(event->filters[i], strlen(event->filters[i]));
    struct sim_event answer = {
        .kind = SIM_SUBACK,
        .connection = event->connection,
        .request_id = event->request_id,
        .at_ms = sim->now_ms + sim_delay(sim),
        .code = sim->suback_code,
        .filter_count = event->filter_count,
    };
    for (size_t i = 0; i < event->filter_count; i++)
        answer.filters[i] = sim_copy(event->filters[i], strlen(event->filters[i]));
    sim_event_push(sim, &answer);
}

static void sim_suback_arrives(struct sim *sim, const struct sim_event *event)
{
    int codes[THING_FILTERS_MAX];
    for (size_t i = 0; i < event->filter_count; i++)
        codes[i] = event->code;
    thing_subscribed(sim->thing, event->request_id, codes, event->filter_count, sim->now_ms);
}

/* Put what the test's author wrote in the place of an answer to a get. */
static void sim_mangle(struct sim *sim, struct sim_event *event)
{
    if (sim->mangle_get == NULL || strcmp(event->topic, SIM_PREFIX "get/accepted") != 0)
        return;
    json_t *answer = json_loadb(event->payload, event->size, 0, NULL);
    const char *token = json_string_value(json_object_get(answer, "clientToken"));
    const char *hole = strstr(sim->mangle_get, "%s");
    size_t before = hole != NULL ? (size_t)(hole - sim->mangle_get) : strlen(sim->mangle_get);
    char *text = NULL;
    if (asprintf(&text, "%.*s%s%s", (int)before, sim->mangle_get,
                 hole != NULL && token != NULL ? token : "", hole != NULL ? hole + 2 : "") < 0)
        abort();
    free(event->payload);
    event->payload = text;
    event->size = strlen(text);
    sim->mangle_get = NULL;
    json_decref(answer);
}

static void sim_message_arrives(struct sim *sim, struct sim_event *event)
{
    sim_mangle(sim, event);
    oracle_heard(sim, event->topic, event->payload, event->size);
    thing_receive(sim->thing, event->topic, event->payload, event->size, sim->now_ms);
}

static void sim_puback_arrives(struct sim *sim, const struct sim_event *event)
{
    if (event->code != 0) /* the oracle counts it as answered: the engine knows as much as it can */
        sim->flight_open = false;
    thing_published(sim->thing, event->request_id, event->code, sim->now_ms);
}

static void sim_committed(struct sim *sim)
{
    sim->committing = false;
    json_decref(sim->stored_model);
    sim->stored_model = sim->commit_model;
    sim->commit_model = NULL;
    shadow_stored(sim->shadow, sim->commit_revision);
}

void sim_link_event(struct sim *sim, struct sim_event *event)
{
    bool present = sim->up && event->connection == sim->connection;
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
            sim_suback_arrives(sim, event);
        break;
    case SIM_PUBACK:
        if (present)
            sim_puback_arrives(sim, event);
        break;
    case SIM_COMMITTED:
        if (event->connection == sim->instance)
            sim_committed(sim);
        break;
    case SIM_REDIAL:
        if (!sim->up && event->connection == sim->connection)
            sim_link_up(sim);
        break;
    }
    sim_event_clear(event);
}

/* At a cut a request in flight is lost, or comes late as a zombie. */
void sim_link_scatter(struct sim *sim)
{
    int64_t zombie_ms = sim->options.faults.zombie_max_ms;
    if (zombie_ms <= 0)
        return;
    size_t count = sim->event_count;
    struct sim_event *events = sim->events;
    sim->events = NULL;
    sim->event_count = sim->event_capacity = 0;
    for (size_t i = 0; i < count; i++) {
        if (events[i].kind == SIM_TO_CLOUD && events[i].connection == sim->connection) {
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
