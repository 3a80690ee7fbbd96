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
        fuzz_disk_saved(&world->disk, world->thing, true, world->now_ms);
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

/* The service's answers arrive, or a part of them. */
static void deliver(struct fuzz_world *world, unsigned skip)
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

/* The mood: 0 all is well; bits choose what goes wrong. */
static void answer_flight(struct fuzz_world *world, size_t index, uint8_t mood)
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
        deliver(world, mood >> 3);
    }
    free(flight.payload);
}

void fuzz_world_answer_all(struct fuzz_world *world)
{
    deliver(world, 0);
    while (world->flight_count > 0)
        answer_flight(world, 0, 0);
}

static const char *const shadow_prefixes[] = {
    "$aws/things/" FUZZ_THING "/shadow", "$aws/things/" FUZZ_THING "/shadow/name/config",
    "$aws/things/" FUZZ_THING "/shadow/name/s2", "$aws/things/gw-1/shadow"};
static const char *const answers[] = {"/update/accepted", "/update/rejected", "/update/delta",
                                      "/get/accepted",    "/get/rejected",    "/delete/accepted"};

static void make_topic(struct fuzz_input *input, char ret_topic[static 256])
{
    const uint8_t choice = fuzz_u8(input);
    size_t size;
    if (choice == 0xff) {
        const uint8_t *text = fuzz_piece(input, &size);
        if (size > 0)
            memcpy(ret_topic, text, size);
        ret_topic[size] = '\0';
        return;
    }
    (void)snprintf(ret_topic, 256, "%s%s", shadow_prefixes[choice / 6 % 4], answers[choice % 6]);
}

/* A message that the service never sent. `@` stands for the token of our newest request. */
static void lie(struct fuzz_world *world, struct fuzz_input *input)
{
    char topic[256], text[4096];
    size_t size, written = 0;
    make_topic(input, topic);
    const size_t wanted = fuzz_u16(input) % 2048u;
    const uint8_t *bytes = fuzz_take(input, wanted, &size);
    for (size_t i = 0; i < size && written + sizeof(world->token) < sizeof(text); i++) {
        if (bytes[i] == '@')
            written += (size_t)snprintf(text + written, sizeof(text) - written, "%s", world->token);
        else
            text[written++] = (char)bytes[i];
    }
    if (world->is_up)
        fuzz_world_receive(world, topic, text, written);
}

/* Another writer's update of the shadow, with whatever state. */
static void update_as_another(struct fuzz_world *world, struct fuzz_input *input)
{
    static const char *const states[] = {
        "{\"desired\":{\"w\":{\"x\":#}}}",
        "{\"desired\":{\"w\":null,\"a\":{\"b\":#}}}",
        "{\"reported\":{\"a\":{\"b\":#}}}",
        "{\"reported\":{\"a\":null,\"z\":#}}",
        "{\"reported\":null,\"desired\":{\"e\":#}}",
        "{\"desired\":null,\"reported\":{\"g\":[#,{\"k\":1.0}]}}",
        "{\"reported\":{\"a\":{\"b\":{\"c\":#,\"d\":{}}}}}",
    };
    char topic[128], payload[1024], state[512] = "";
    size_t size;
    const unsigned choice = fuzz_below(input, 8);
    if (choice < 7) {
        (void)snprintf(state, sizeof(state), "%s", states[choice]);
        *strchr(state, '#') = (char)('0' + fuzz_below(input, 10));
    } else {
        const uint8_t *text = fuzz_piece(input, &size);
        if (size > 0)
            memcpy(state, text, size);
    }
    (void)snprintf(topic, sizeof(topic), "%s/update", shadow_prefixes[fuzz_below(input, 4)]);
    (void)snprintf(payload, sizeof(payload), "{\"state\":%s}", state);
    fuzz_world_tell_service(world, topic, payload, strlen(payload));
    deliver(world, fuzz_u8(input));
}

static void delete_as_another(struct fuzz_world *world, struct fuzz_input *input)
{
    char topic[128];
    (void)snprintf(topic, sizeof(topic), "%s/delete", shadow_prefixes[fuzz_below(input, 4)]);
    fuzz_world_tell_service(world, topic, "", 0);
    deliver(world, 0);
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

static void trouble_service(struct fuzz_world *world, struct fuzz_input *input)
{
    static const int codes[] = {400, 401, 403, 404, 409, 413, 415, 422, 429, 500, 503};
    const int code = codes[fuzz_below(input, 11)];
    const uint8_t what = fuzz_u8(input);
    fuzz_hold(true);
    if (what & 1)
        (void)shadow_service_poison(world->service, what & 2 ? "b" : NULL, code);
    else
        shadow_service_reject_next(
            world->service, what & 2 ? SHADOW_SERVICE_GET : SHADOW_SERVICE_UPDATE, what >> 6, code);
    fuzz_hold(false);
}

/* Commits that are begun without need, end or fail. */
static void trouble_disk(struct fuzz_world *world, uint8_t what)
{
    if (!world->is_durable)
        return;
    switch (what % 4) {
    case 0:
        fuzz_disk_save(&world->disk, world->thing);
        break;
    case 1:
        world->is_disk_slow = !world->is_disk_slow;
        break;
    case 2:
        thing_set_storage_trouble(world->thing, what & 4, world->now_ms);
        break;
    default:
        if (what & 8 && !world->disk.is_saving)
            thing_save_all(world->thing);
        break;
    }
    fuzz_disk_saved(&world->disk, world->thing, !(what & 16), world->now_ms);
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

void fuzz_world_step(struct fuzz_world *world, struct fuzz_input *input)
{
    static const int64_t waits_ms[] = {1, 10, 100, 501, 2000, 20000, 61000, 3600000};
    const uint8_t what_happens = fuzz_u8(input);
    if (what_happens >= 0xe0) {
        trouble_disk(world, what_happens & 31);
        fuzz_world_turn(world);
        return;
    }
    switch (what_happens % 8) {
    case 0:
        lie(world, input);
        break;
    case 1:
        update_as_another(world, input);
        break;
    case 2:
        fuzz_world_link(world, !world->is_up);
        break;
    case 3: {
        const uint8_t what = fuzz_u8(input), mood = fuzz_u8(input);
        if (world->flight_count > 0)
            answer_flight(world, what % world->flight_count, mood);
        break;
    }
    case 4:
        fuzz_world_answer_all(world);
        break;
    case 5:
        fuzz_world_wait(world, waits_ms[fuzz_below(input, 8)]);
        break;
    case 6:
        trouble_service(world, input);
        break;
    case 7:
        delete_as_another(world, input);
        break;
    }
    fuzz_world_turn(world);
}

void fuzz_world_settle(struct fuzz_world *world)
{
    fuzz_hold(true);
    (void)shadow_service_poison(world->service, NULL, 0);
    fuzz_hold(false);
    world->is_disk_slow = false;
    fuzz_disk_saved(&world->disk, world->thing, true, world->now_ms);
    thing_set_storage_trouble(world->thing, false, world->now_ms);
    fuzz_world_link(world, true);
    for (unsigned i = 0; i < 30; i++) {
        fuzz_world_turn(world);
        fuzz_world_answer_all(world);
        fuzz_world_turn(world);
        fuzz_world_wait(world, 60000);
    }
}
