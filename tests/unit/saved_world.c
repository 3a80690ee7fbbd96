#include "tests/unit/saved_world.h"

#include "daemon/shadow/saved_walk.h"
#include "daemon/shadow/topics.h"
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

int saved_world_setup(void **state)
{
    struct saved_world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    thing_options_init(&world->options);
    world->options.name = "dev";
    world->options.durable = true;
    world->now_ms = 1000000;
    batch_init(&world->disk);
    batch_init(&world->pending);
    saved_world_start(world);
    *state = world;
    return 0;
}

int saved_world_teardown(void **state)
{
    struct saved_world *world = *state;
    (void)thing_free(world->thing);
    batch_clear(&world->disk);
    batch_clear(&world->pending);
    free(world);
    return 0;
}

/* ---- the disk ---- */

static void copy(struct batch *batch, const struct saved_row *row)
{
    assert_int_equal(batch_add(batch, row), 0);
}

static bool is_replaced_by(const struct saved_row *old, const struct saved_row *new)
{
    bool takes_shadow =
        new->is_gone &&new->kind == SAVED_SHADOW &&strcmp(old->thing, new->thing) == 0 &&
        strcmp(old->shadow, new->shadow) == 0;
    return takes_shadow || saved_row_is_same(old, new);
}

void saved_world_put(struct saved_world *world, const struct saved_row *row)
{
    struct batch disk;
    const struct saved_row *old;
    batch_init(&disk);
    batch_rewind(&world->disk);
    while ((old = batch_next(&world->disk)))
        if (!is_replaced_by(old, row))
            copy(&disk, old);
    if (!row->is_gone)
        copy(&disk, row);
    batch_clear(&world->disk);
    world->disk = disk;
}

size_t saved_world_begin(struct saved_world *world)
{
    struct saved_row row;
    batch_empty(&world->pending);
    thing_begin_save(world->thing);
    while (thing_next_unsaved(world->thing, &row))
        copy(&world->pending, &row);
    return world->pending.count;
}

void saved_world_finish(struct saved_world *world, bool is_stored)
{
    const struct saved_row *row;
    batch_rewind(&world->pending);
    while (is_stored && (row = batch_next(&world->pending)))
        saved_world_put(world, row);
    thing_end_save(world->thing, is_stored);
}

size_t saved_world_save(struct saved_world *world)
{
    size_t count = saved_world_begin(world);
    saved_world_finish(world, true);
    return count;
}

void saved_world_start(struct saved_world *world)
{
    (void)thing_free(world->thing);
    world->thing = NULL;
    world->options.instance_id = ++world->starts;
    world->options.random_seed = world->starts * 77;
    assert_int_equal(thing_new(&world->thing, &world->options), 0);
    assert_int_equal(thing_open_shadow(world->thing, NULL, NULL, &world->shadow), 0);
}

void saved_world_load(struct saved_world *world)
{
    const struct saved_row *row;
    world->last_restore = 0;
    world->orphaned = 0;
    const struct saved_row **rows = calloc(world->disk.count + 1, sizeof(struct saved_row *));
    size_t count = 0;
    assert_non_null(rows);
    batch_rewind(&world->disk);
    while ((row = batch_next(&world->disk)))
        rows[count++] = row;
    for (size_t i = 0; i < count; i++) {
        row = rows[world->backwards ? count - 1 - i : i];
        int r = thing_restore(world->thing, row, world->now_ms);
        world->orphaned += r == THING_ORPHANED;
        world->last_restore = r != 0 ? r : world->last_restore;
    }
    free(rows);
    thing_restored(world->thing, world->now_ms);
}

static void forget_times(struct saved_world *world)
{
    struct batch disk;
    const struct saved_row *row;
    batch_init(&disk);
    batch_rewind(&world->disk);
    while ((row = batch_next(&world->disk))) {
        struct saved_row timeless = *row;
        struct saved_property *property = &timeless.of_property;
        if (row->kind == SAVED_PROPERTY)
            property->set_us = property->cleared_us = property->replaced_us = 0;
        if (row->kind == SAVED_SHADOW)
            timeless.of_shadow.followed_ms = 0;
        if (row->kind == SAVED_DESIRED)
            timeless.of_desired.changed_ms = 0;
        copy(&disk, &timeless);
    }
    batch_clear(&world->disk);
    world->disk = disk;
}

void saved_world_restart(struct saved_world *world, bool reboot)
{
    if (reboot)
        forget_times(world);
    saved_world_start(world);
    saved_world_load(world);
}

const struct saved_row *saved_world_find(struct batch *batch, enum saved_kind kind,
                                         const char *shadow, const char *path)
{
    const struct saved_row *row;
    batch_rewind(batch);
    while ((row = batch_next(batch))) {
        bool is_path =
            row->path_size == strlen(path) && memcmp(row->path, path, row->path_size) == 0;
        if (row->kind == kind && strcmp(row->shadow, shadow) == 0 && is_path)
            return row;
    }
    return NULL;
}

static const struct saved_row *find_same(struct batch *batch, const struct saved_row *row)
{
    const struct saved_row *other;
    batch_rewind(batch);
    while ((other = batch_next(batch)))
        if (saved_row_is_same(other, row))
            return other;
    return NULL;
}

void saved_world_check(struct saved_world *world)
{
    struct saved_walk walk;
    struct saved_row row;
    bool is_clean;
    size_t clean = 0, unsaved = 0;
    saved_walk_begin(&walk);
    while (saved_walk_next(&walk, world->thing, &row, &is_clean)) {
        const struct saved_row *held = find_same(&world->disk, &row);
        unsaved += !is_clean && held;
        if (!is_clean)
            continue;
        bool is_right = row.is_gone ? !held : held && saved_row_is_equal(held, &row);
        if (!is_right)
            fail_msg("the disk does not hold what it should of '%.*s'", (int)row.path_size,
                     row.path);
        clean++;
    }
    saved_walk_end(&walk);
    assert_int_equal(clean + unsaved + world->orphaned, world->disk.count);
}

/* ---- programs ---- */

static struct flux_value read_value(const json_t *json, const char *text)
{
    if (json_is_string(json))
        return flux_value_string(json_string_value(json), json_string_length(json));
    if (json_is_integer(json))
        return flux_value_int64(json_integer_value(json));
    if (json_is_real(json))
        return flux_value_double(json_real_value(json));
    if (json_is_boolean(json))
        return flux_value_bool(json_is_true(json));
    return json_is_array(json) ? flux_value_array(text, strlen(text)) : flux_value_empty_object();
}

struct shadow_wait saved_world_report_as(struct saved_world *world, const char *path,
                                         const char *json, struct writer *writer)
{
    bool is_settle = json && strcmp(json, "settle") == 0;
    json_t *parsed = json && !is_settle ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;
    struct shadow_operation op = {.path = path, .path_size = strlen(path), .kind = FLUX_UNSET};
    if (is_settle)
        op.kind = FLUX_SETTLE;
    if (parsed) {
        op.kind = FLUX_SET;
        op.value = read_value(parsed, json);
    }
    world->now_ms++;
    struct shadow_report report = {
        .operations = &op, .operation_count = 1, .set_us = world->now_ms * 1000, .writer = writer};
    struct shadow_wait wait;
    struct shadow_refusal refusal;
    assert_int_equal(shadow_report(world->shadow, &report, world->now_ms, &wait, &refusal), 0);
    json_decref(parsed);
    return wait;
}

struct shadow_wait saved_world_report(struct saved_world *world, const char *path, const char *json)
{
    return saved_world_report_as(world, path, json, NULL);
}

enum shadow_fate_state saved_world_fate(struct saved_world *world, struct shadow_wait *wait)
{
    return shadow_fate(world->shadow, wait).state;
}

/* ---- the cloud ---- */

void saved_world_connect(struct saved_world *world)
{
    thing_link_up(world->thing, world->now_ms);
}

static void take_publish(struct saved_world *world, const struct thing_request *request)
{
    json_t *payload = json_loadb(request->payload, request->payload_size, 0, NULL);
    const char *token = json_string_value(json_object_get(payload, "clientToken"));
    assert_true(token && request->payload_size < sizeof(world->payload));
    (void)snprintf(world->token, sizeof(world->token), "%s", token);
    memcpy(world->payload, request->payload, request->payload_size);
    world->payload[request->payload_size] = '\0';
    world->is_get = strstr(request->topic, "/get") != NULL;
    thing_published(world->thing, request->id, 0, world->now_ms);
    json_decref(payload);
}

bool saved_world_take(struct saved_world *world)
{
    static const int granted[TOPIC_KIND_COUNT] = {0, 0, 1, 0, 0, 0};
    struct thing_request request;
    for (int tries = 0; tries < 20; tries++) {
        int r = thing_next_request(world->thing, world->now_ms, &request);
        assert_true(r >= 0);
        if (r == 0 && !thing_wants_save(world->thing))
            return false;
        if (r == 0)
            (void)saved_world_save(world);
        else if (request.kind == THING_SUBSCRIBE)
            thing_subscribed(world->thing, request.id, granted, request.filter_count,
                             world->now_ms);
        else if (request.kind == THING_PUBLISH) {
            take_publish(world, &request);
            return true;
        }
    }
    return false;
}

static void receive(struct saved_world *world, const char *what, const char *payload)
{
    char topic[128];
    (void)snprintf(topic, sizeof(topic), "$aws/things/%s/shadow/%s", world->options.name, what);
    thing_receive(world->thing, topic, payload, strlen(payload), world->now_ms);
}

void saved_world_accept(struct saved_world *world, const char *state, int64_t version)
{
    char payload[4096];
    (void)snprintf(payload, sizeof(payload),
                   "{\"state\":%s,\"version\":%lld,\"clientToken\":\"%s\"}", state,
                   (long long)version, world->token);
    receive(world, world->is_get ? "get/accepted" : "update/accepted", payload);
}

void saved_world_reject(struct saved_world *world, int code)
{
    char payload[256];
    (void)snprintf(payload, sizeof(payload),
                   "{\"code\":%d,\"message\":\"not so\",\"clientToken\":\"%s\"}", code,
                   world->token);
    receive(world, world->is_get ? "get/rejected" : "update/rejected", payload);
}

void saved_world_foreign(struct saved_world *world, const char *state, int64_t version)
{
    char payload[4096];
    (void)snprintf(payload, sizeof(payload), "{\"state\":%s,\"version\":%lld}", state,
                   (long long)version);
    receive(world, "update/accepted", payload);
}

void saved_world_begin_with(struct saved_world *world, const char *state, int64_t version)
{
    saved_world_connect(world);
    assert_true(saved_world_take(world));
    assert_true(world->is_get);
    saved_world_accept(world, state, version);
}

const char *saved_world_text(struct saved_world *world, enum shadow_section section)
{
    static char text[4096];
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int r = shadow_write(world->shadow, section, "", 0, &writer);
    (void)snprintf(text, sizeof(text), "%s", r == 0 ? writer.text : "-");
    flux_json_writer_clear(&writer);
    return text;
}

const struct slot *saved_world_slot(struct saved_world *world, const char *path)
{
    const struct flux_property *property =
        flux_property_set_find(&world->shadow->ledger.set, path, strlen(path));
    assert_non_null(property);
    return slot_of(property);
}
