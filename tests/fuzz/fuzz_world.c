#include "tests/fuzz/fuzz_world.h"

#include "daemon/shadow/policies.h"
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A turn in which the engine sends more than this without time passing sends without end. */
#define REQUESTS_PER_TURN_MAX 1000u
/* So often a deadline may have come again right away. */
#define IDLE_TURNS_MAX 64u

static void set_policies(struct fuzz_world *world)
{
    static const struct policy_rule rules[] = {
        {.glob = "a.**",
         .keys = POLICY_MIN_INTERVAL | POLICY_DEADBAND,
         .policy = {.min_interval_ms = 500, .deadband = 1.5}},
        {.shadow = "config",
         .glob = "e.*",
         .keys = POLICY_EXPIRE | POLICY_ON_EXIT,
         .policy = {.expire_ms = 2000, .unset_on_exit = true}},
        {.glob = "g",
         .keys = POLICY_URGENT | POLICY_REFRESH,
         .policy = {.urgent = true, .refresh_ms = 5000}},
    };
    struct policies *policies = NULL;
    int r = policies_new(&policies);
    fuzz_require_done(r);
    for (size_t i = 0; r == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
        fuzz_require_done(policies_add(policies, &rules[i]));
    if (r == 0)
        fuzz_require_done(thing_set_policies(world->thing, policies, world->now_ms));
}

static void choose(struct thing_options *options, struct fuzz_input *input)
{
    static const char *const extra[] = {"gw-*", "lamp"};
    thing_options_init(options);
    options->name = FUZZ_THING;
    options->instance_id = 0x1234;
    options->random_seed = 1 + fuzz_u8(input);
    options->extra = extra;
    options->extra_count = 2;
    options->interval_ms = 200;
    const uint8_t bits = fuzz_u8(input);
    if (bits & 1)
        options->max_shadows = 3;
    if (bits & 2)
        options->max_subscriptions = 12;
    if (bits & 4)
        options->max_document_bytes = 512;
    if (bits & 8)
        options->daily_operations = 50;
    if (bits & 16)
        options->messages_per_sec = 10;
    if (bits & 32)
        options->gone_after_ms = 100;
    options->durable = bits & 64;
}

bool fuzz_world_begin(struct fuzz_world *world, struct fuzz_input *input)
{
    *world = (struct fuzz_world){.now_ms = 1000000};
    choose(&world->options, input);
    world->is_durable = world->options.durable;
    const int r = thing_new(&world->thing, &world->options);
    fuzz_require_done(r);
    if (r < 0)
        return false;
    fuzz_disk_begin(&world->disk);
    fuzz_hold(true);
    world->service = shadow_service_new(NULL);
    fuzz_hold(false);
    fuzz_require(world->service != NULL);
    if (fuzz_u8(input) & 1)
        set_policies(world);
    return true;
}

static void drop_flights(struct fuzz_world *world)
{
    for (size_t i = 0; i < world->flight_count; i++)
        free(world->flights[i].payload);
    world->flight_count = 0;
}

void fuzz_world_end(struct fuzz_world *world)
{
    drop_flights(world);
    (void)thing_free(world->thing);
    fuzz_disk_end(&world->disk);
    (void)shadow_service_free(world->service);
}

void fuzz_world_receive(struct fuzz_world *world, const char *topic, const void *payload,
                        size_t size)
{
    fuzz_hold(true);
    char *exact_topic = strdup(topic);
    char *exact = malloc(size + (size == 0));
    fuzz_require(exact_topic && exact);
    fuzz_hold(false);
    if (size > 0)
        memcpy(exact, payload, size);
    thing_receive(world->thing, exact_topic, exact, size, world->now_ms);
    free(exact_topic);
    free(exact);
}

/* What goes to the cloud is JSON that it takes. */
static void judge_publish(struct fuzz_world *world, const struct thing_request *request)
{
    json_error_t error;
    fuzz_require(request->payload_size <= 131072);
    json_t *root = json_loadb(request->payload, request->payload_size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    const char *token = json_string_value(json_object_get(root, "clientToken"));
    fuzz_require(token != NULL && strlen(token) <= 64);
    (void)snprintf(world->token, sizeof(world->token), "%s", token);
    const json_t *version = json_object_get(root, "version");
    fuzz_require(version == NULL || json_is_real(version) || json_integer_value(version) >= 0);
    json_decref(root);
}

static void keep_flight(struct fuzz_world *world, const struct thing_request *request)
{
    if (world->flight_count == FUZZ_FLIGHTS_MAX)
        return; /* lost on the way */
    struct fuzz_flight *flight = &world->flights[world->flight_count++];
    *flight = (struct fuzz_flight){
        .kind = request->kind, .id = request->id, .filter_count = request->filter_count};
    if (request->kind != THING_PUBLISH)
        return;
    fuzz_require(strlen(request->topic) < sizeof(flight->topic));
    (void)snprintf(flight->topic, sizeof(flight->topic), "%s", request->topic);
    flight->payload_size = request->payload_size;
    flight->payload = malloc(request->payload_size + 1);
    fuzz_require(flight->payload != NULL);
    memcpy(flight->payload, request->payload, request->payload_size);
}

static void take_request(struct fuzz_world *world, const struct thing_request *request)
{
    fuzz_require(request->id != 0 && request->filter_count <= THING_FILTERS_MAX);
    fuzz_hold(true);
    if (request->kind == THING_PUBLISH)
        judge_publish(world, request);
    keep_flight(world, request);
    fuzz_hold(false);
}

static void judge_status(struct fuzz_world *world)
{
    struct thing_status status;
    thing_get_status(world->thing, &status);
    fuzz_require(status.shadows <= status.shadows_max);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(world->thing, shadow))) {
        struct shadow_status of_shadow;
        shadow_get_status(shadow, &of_shadow);
        fuzz_require(of_shadow.properties + of_shadow.cuts <= 2 * FLUX_PROPERTIES_MAX);
        fuzz_require(shadow_settled_revision(shadow) <= shadow_newest_revision(shadow));
    }
}

/* What the daemon does with its disk in a turn: a commit before what is ready may go out. */
static void save(struct fuzz_world *world)
{
    if (!world->is_durable || !thing_wants_save(world->thing))
        return;
    fuzz_disk_save(&world->disk, world->thing);
    if (!world->is_disk_slow)
        fuzz_disk_saved(&world->disk, world->thing, true);
}

void fuzz_world_turn(struct fuzz_world *world)
{
    struct thing_request request;
    struct thing_notice notice;
    unsigned requests = 0, idle = 0;
    do {
        thing_tick(world->thing, world->now_ms);
        save(world);
        while (world->is_up && thing_next_request(world->thing, world->now_ms, &request) > 0) {
            fuzz_require(++requests < REQUESTS_PER_TURN_MAX);
            take_request(world, &request);
        }
        fuzz_require(++idle < IDLE_TURNS_MAX);
    } while (thing_deadline(world->thing, world->now_ms) <= world->now_ms);
    while (thing_next_notice(world->thing, &notice))
        fuzz_require(memchr(notice.text, '\0', sizeof(notice.text)) != NULL);
    judge_status(world);
}

void fuzz_world_wait(struct fuzz_world *world, int64_t ms)
{
    const int64_t until_ms = world->now_ms + ms;
    const int64_t due_ms = thing_deadline(world->thing, world->now_ms);
    world->now_ms = due_ms < until_ms ? due_ms : until_ms;
}

static void remove_flight(struct fuzz_world *world, size_t index)
{
    free(world->flights[index].payload);
    world->flight_count--;
    memmove(&world->flights[index], &world->flights[index + 1],
            (world->flight_count - index) * sizeof(world->flights[0]));
}

void fuzz_world_tell_service(struct fuzz_world *world, const char *topic, const void *payload,
                             size_t size)
{
    fuzz_hold(true);
    (void)shadow_service_handle(world->service, topic, payload, size, world->now_ms);
    fuzz_hold(false);
}

void fuzz_world_deliver(struct fuzz_world *world, unsigned skip)
{
    struct shadow_service_message message;
    for (unsigned i = 0; shadow_service_next(world->service, &message); i++) {
        if (world->is_up && !(skip >> (i % 8) & 1))
            fuzz_world_receive(world, message.topic, message.payload, message.size);
        shadow_service_message_clear(&message);
    }
}

static void answer_subscribe(struct fuzz_world *world, const struct fuzz_flight *flight,
                             uint8_t mood)
{
    int codes[THING_FILTERS_MAX] = {0};
    if (mood & 1)
        codes[mood % THING_FILTERS_MAX] = 0x80 + (mood & 7);
    if (flight->kind == THING_UNSUBSCRIBE)
        thing_unsubscribed(world->thing, flight->id, world->now_ms);
    else
        thing_subscribed(world->thing, flight->id, mood & 2 ? NULL : codes,
                         flight->filter_count - (mood & 4 ? 1 : 0), world->now_ms);
}

void fuzz_world_answer(struct fuzz_world *world, size_t index, uint8_t mood)
{
    struct fuzz_flight flight = world->flights[index];
    world->flights[index].payload = NULL;
    remove_flight(world, index);
    if (flight.kind != THING_PUBLISH) {
        answer_subscribe(world, &flight, mood);
    } else {
        thing_published(world->thing, flight.id, mood & 1 ? (mood & 2 ? -1 : 0x87) : 0,
                        world->now_ms);
        if (!(mood & 4))
            fuzz_world_tell_service(world, flight.topic, flight.payload, flight.payload_size);
        fuzz_world_deliver(world, mood >> 3);
    }
    free(flight.payload);
}

void fuzz_world_answer_all(struct fuzz_world *world)
{
    fuzz_world_deliver(world, 0);
    while (world->flight_count > 0)
        fuzz_world_answer(world, 0, 0);
}

void fuzz_world_link(struct fuzz_world *world, bool is_up)
{
    if (is_up == world->is_up)
        return;
    world->is_up = is_up;
    if (is_up) {
        thing_link_up(world->thing, world->now_ms);
    } else {
        drop_flights(world);
        thing_link_down(world->thing, world->now_ms);
    }
}

void fuzz_world_restart(struct fuzz_world *world)
{
    drop_flights(world);
    world->is_up = false;
    world->now_ms += 1000;
    world->thing = thing_free(world->thing);
    world->options.instance_id++;
    fuzz_hold(true);
    fuzz_require(thing_new(&world->thing, &world->options) == 0);
    fuzz_hold(false);
    fuzz_disk_restore(&world->disk, world->thing, world->now_ms);
}

void fuzz_world_settle(struct fuzz_world *world)
{
    fuzz_hold(true);
    (void)shadow_service_poison(world->service, NULL, 0);
    fuzz_hold(false);
    world->is_disk_slow = false;
    fuzz_disk_saved(&world->disk, world->thing, true);
    thing_set_storage_trouble(world->thing, false, world->now_ms);
    fuzz_world_link(world, true);
    for (unsigned i = 0; i < 30; i++) {
        fuzz_world_turn(world);
        fuzz_world_answer_all(world);
        fuzz_world_turn(world);
        fuzz_world_wait(world, 60000);
    }
}
