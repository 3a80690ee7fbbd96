/* What the fuzzer lets happen on the way to the cloud, in it, and to the disk. */
#include "tests/fuzz/fuzz_world.h"

#include <stdio.h>
#include <string.h>

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
    fuzz_world_deliver(world, fuzz_u8(input));
}

static void delete_as_another(struct fuzz_world *world, struct fuzz_input *input)
{
    char topic[128];
    (void)snprintf(topic, sizeof(topic), "%s/delete", shadow_prefixes[fuzz_below(input, 4)]);
    fuzz_world_tell_service(world, topic, "", 0);
    fuzz_world_deliver(world, 0);
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
    fuzz_disk_saved(&world->disk, world->thing, !(what & 16));
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
            fuzz_world_answer(world, what % world->flight_count, mood);
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
