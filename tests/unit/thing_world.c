#include "tests/unit/thing_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void world_begin(struct world *world, const struct thing_options *options)
{
    *world = (struct world){.answer_ms = 20, .now_ms = 1000000, .back_ms = INT64_MAX};
    assert_int_equal(thing_new(&world->thing, options), 0);
}

void world_end(struct world *world)
{
    world->thing = thing_free(world->thing);
}

struct shadow *world_open(struct world *world, const char *thing_name, const char *name)
{
    struct shadow *shadow = NULL;
    assert_int_equal(thing_open_shadow(world->thing, thing_name, name, &shadow), 0);
    return shadow;
}

void world_report(struct world *world, struct shadow *shadow, const char *path, int64_t value)
{
    struct shadow_refusal refusal;
    const struct shadow_operation operation = {.kind = FLUX_SET,
                                               .path = path,
                                               .path_size = strlen(path),
                                               .value = flux_value_int64(value)};
    const struct shadow_report report = {
        .operations = &operation, .operation_count = 1, .set_us = world->now_ms * 1000};
    assert_int_equal(shadow_report(shadow, &report, world->now_ms, NULL, &refusal),
                     SHADOW_REPORT_QUEUED);
}

static void take_publish(struct world *world, const struct thing_request *request)
{
    assert_true(world->flight_count < WORLD_FLIGHTS_MAX);
    struct world_flight *flight = &world->flights[world->flight_count++];
    *flight = (struct world_flight){.id = request->id, .sent_ms = world->now_ms};
    size_t size = strlen(request->topic);
    flight->is_get = strcmp(request->topic + size - 4, "/get") == 0;
    (void)snprintf(flight->topic, sizeof(flight->topic), "%s", request->topic);
    (void)snprintf(world->last_topic, sizeof(world->last_topic), "%s", request->topic);
    (void)snprintf(world->last_payload, sizeof(world->last_payload), "%.*s",
                   (int)request->payload_size, request->payload);
    const char *token = strstr(world->last_payload, "\"clientToken\":\"");
    assert_non_null(token);
    token += strlen("\"clientToken\":\"");
    (void)snprintf(flight->token, sizeof(flight->token), "%.*s", (int)strcspn(token, "\""), token);
    const char *reported = strstr(world->last_payload, "\"reported\":");
    if (reported)
        (void)snprintf(flight->reported, sizeof(flight->reported), "%.*s",
                       (int)(strcspn(reported + 11, "}") + 1), reported + 11);
    *(flight->is_get ? &world->gets : &world->updates) += 1;
}

int world_take(struct world *world)
{
    static const int granted[] = {0, 0, 1, 0, 0, 0};
    struct thing_request request;
    int r = thing_next_request(world->thing, world->now_ms, &request);
    assert_true(r >= 0);
    if (r == 0)
        return -1;
    switch (request.kind) {
    case THING_SUBSCRIBE:
        world->subscribes++;
        thing_subscribed(world->thing, request.id, granted, request.filter_count, world->now_ms);
        break;
    case THING_UNSUBSCRIBE:
        world->unsubscribes++;
        thing_unsubscribed(world->thing, request.id, world->now_ms);
        break;
    case THING_PUBLISH:
        take_publish(world, &request);
        break;
    }
    return (int)request.kind;
}

size_t world_take_all(struct world *world)
{
    size_t count = 0;
    int kind;
    while ((kind = world_take(world)) >= 0)
        count += kind == THING_PUBLISH;
    return count;
}

static struct world_shadow *find_shadow(struct world *world, const char *topic)
{
    size_t size = (size_t)(strrchr(topic, '/') - topic);
    for (size_t i = 0; i < world->shadow_count; i++) {
        struct world_shadow *shadow = &world->shadows[i];
        if (strlen(shadow->prefix) == size && memcmp(shadow->prefix, topic, size) == 0)
            return shadow;
    }
    assert_true(world->shadow_count < WORLD_SHADOWS_MAX && size < sizeof(world->shadows[0].prefix));
    struct world_shadow *shadow = &world->shadows[world->shadow_count++];
    memcpy(shadow->prefix, topic, size);
    return shadow;
}

static const char *answer(struct world_shadow *shadow, const struct world_flight *flight,
                          char *ret_payload, size_t size)
{
    if (flight->is_get && shadow->version == 0) {
        (void)snprintf(ret_payload, size,
                       "{\"code\":404,\"message\":\"no\",\"clientToken\":\"%s\"}", flight->token);
        return "rejected";
    }
    if (!flight->is_get) {
        shadow->version++;
        memcpy(shadow->reported, flight->reported, sizeof(shadow->reported));
    }
    (void)snprintf(ret_payload, size,
                   "{\"state\":{\"reported\":%s},\"version\":%lld,\"clientToken\":\"%s\"}",
                   shadow->reported, (long long)shadow->version, flight->token);
    return "accepted";
}

void world_answer(struct world *world)
{
    char topic[300], payload[300];
    assert_true(world->flight_count > 0);
    struct world_flight flight = world->flights[0];
    memmove(world->flights, world->flights + 1, --world->flight_count * sizeof(flight));
    const char *verdict =
        answer(find_shadow(world, flight.topic), &flight, payload, sizeof(payload));
    (void)snprintf(topic, sizeof(topic), "%s/%s", flight.topic, verdict);
    thing_published(world->thing, flight.id, 0, world->now_ms);
    thing_receive(world->thing, topic, payload, strlen(payload), world->now_ms);
}

void world_drop(struct world *world)
{
    world->flight_count = 0;
    world->drops++;
    thing_link_down(world->thing, world->now_ms);
}

static void take_notices(struct world *world)
{
    struct thing_notice notice;
    while (thing_next_notice(world->thing, &notice)) {
        world->notices[notice.kind]++;
        world->last_notice[notice.kind] = notice;
    }
}

/* Answer what is due; drop the link where the oldest one is poisoned. Returns whether it stands. */
static bool answer_due(struct world *world)
{
    while (world->flight_count > 0 &&
           world->flights[0].sent_ms + world->answer_ms <= world->now_ms) {
        if (world->poison && strstr(world->flights[0].topic, world->poison)) {
            world_drop(world);
            return false;
        }
        world_answer(world);
    }
    return true;
}

void world_run(struct world *world, int64_t ms)
{
    int64_t until_ms = world->now_ms + ms;
    for (unsigned spins = 0; spins < 1000000; spins++) {
        if (world->back_ms <= world->now_ms) {
            world->back_ms = INT64_MAX;
            thing_link_up(world->thing, world->now_ms);
        }
        if (!answer_due(world))
            world->back_ms = world->now_ms + 1000;
        (void)world_take_all(world);
        take_notices(world);
        int64_t next_ms = thing_deadline(world->thing, world->now_ms);
        int64_t answer_ms =
            world->flight_count > 0 ? world->flights[0].sent_ms + world->answer_ms : INT64_MAX;
        next_ms = answer_ms < next_ms ? answer_ms : next_ms;
        next_ms = world->back_ms < next_ms ? world->back_ms : next_ms;
        if (next_ms >= until_ms) {
            world->now_ms = until_ms;
            return;
        }
        if (next_ms > world->now_ms)
            world->now_ms = next_ms;
    }
    fail_msg("the deadline does not move on");
}
