/* What may happen in a random world. */
#include "tests/scenario/random_world.h"

#include "tests/scenario/sim_programs.h"
#include "tests/scenario/sim_watch.h"
#include <stdlib.h>
#include <string.h>

static const char *const random_paths[] = {
    "/a", "/a/b", "/a/b/c", "/a/d", "/e", "/e/f", "/g", "/h", "/h/i/j", "/h/i/k", "/p/ok",
};
static const char *const random_foreign_paths[] = {
    "/a", "/a/b", "/a/b/c", "/a/x", "/a/b/x", "/e", "/e/x", "/g", "/h/x", "/h/i", "/x", "/z/y",
};
static const char *const random_wish_paths[] = {
    "/a", "/a/b", "/a/b/c", "/a/d", "/e", "/g", "/h", "/h/i/j", "/w", "/v/u",
};
static const char *const random_watch_paths[] = {"", "", "/a", "/a/b", "/h/i", "/w"};
static const char *const random_values[] = {
    "0",      "1",       "2",     "3",           "1.0", "81.5", "0.1", "true", "false",
    "\"on\"", "\"off\"", "[1,2]", "[{\"q\":1}]", "[]",  "{}",   "{}",  "-7",   "1e300",
};

static const char *random_pick(struct sim *sim, const char *const *list, size_t count)
{
    return list[sim_random(sim, count)];
}

static struct sim *random_shadow(struct random_world *world)
{
    return world->shadows[sim_random(world->sim, world->shadow_count)];
}

/* ---- programs ---- */

static void random_operation(struct sim *sim, struct sim_operation *ret_operation)
{
    ret_operation->path = random_pick(sim, random_paths, RANDOM_COUNT(random_paths));
    ret_operation->json = random_pick(sim, random_values, RANDOM_COUNT(random_values));
    if (sim_chance(sim, 20))
        ret_operation->json = NULL;
}

static void random_report(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    struct sim_operation operations[6];
    size_t count = 0, values = sim_chance(sim, 70) ? 1 : 1 + (size_t)sim_random(sim, 4);
    if (world->replaces && sim_chance(sim, 10))
        operations[count++] = (struct sim_operation){sim_chance(sim, 50) ? "" : "/a", NULL};
    for (size_t i = 0; i < values; i++)
        random_operation(sim, &operations[count++]);
    if (world->poison && sim_chance(sim, 10))
        operations[0] = (struct sim_operation){"/p/bad", sim_chance(sim, 50) ? "1" : "2"};
    if (world->hangs_up && sim_chance(sim, 5))
        operations[0] = (struct sim_operation){"/g", "\"hang\""};
    if (world->wishes && sim_chance(sim, 15))
        operations[count++] = (struct sim_operation){
            random_pick(sim, random_wish_paths, RANDOM_COUNT(random_wish_paths)), SIM_SETTLE};
    (void)sim_report(sim, operations, count);
}

/* A program comes, goes, reports, or makes its will. */
static void random_program(struct random_world *world)
{
    static const char *const tops[] = {"/u", "/u", "/t", "/m", "/q"};
    struct sim *sim = random_shadow(world);
    size_t program = (size_t)sim_random(sim, SIM_PROGRAMS);
    char path[16], json[16];
    (void)snprintf(path, sizeof(path), "%s/%d", tops[sim_random(sim, RANDOM_COUNT(tops))],
                   (int)sim_random(sim, 3));
    (void)snprintf(json, sizeof(json), "%d", (int)sim_random(sim, 5));
    uint64_t what = sim_random(sim, 100);
    if (what < 25)
        sim_program_connect(sim, program);
    else if (what < 45)
        sim_program_end(sim, program, sim_chance(sim, 40));
    else if (what < 55)
        sim_program_will(sim, program, sim_chance(sim, 50) ? "/will" : "/u/1",
                         sim_chance(sim, 80) ? json : NULL);
    else
        sim_program_report(sim, program, path, sim_chance(sim, 90) ? json : NULL);
}

static void random_watch(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    if (sim->watchers != NULL && sim_chance(sim, 40))
        sim_unwatch(sim, sim->watchers);
    else
        (void)sim_watch(sim, random_pick(sim, random_watch_paths, RANDOM_COUNT(random_watch_paths)),
                        sim_chance(sim, 50) ? 0 : (unsigned)sim_random(sim, 90));
    sim_turn(sim);
}

static void random_hold_back(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    if (world->late_count == RANDOM_COUNT(world->late))
        return;
    struct random_late *late = &world->late[world->late_count++];
    const char *path = random_pick(sim, random_paths, RANDOM_COUNT(random_paths));
    const char *json = random_pick(sim, random_values, RANDOM_COUNT(random_values));
    (void)snprintf(late->path, sizeof(late->path), "%s", path);
    (void)snprintf(late->json, sizeof(late->json), "%s", json);
    late->shadow = sim;
    late->unset = sim_chance(sim, 20);
    late->set_us = sim_take_us(sim);
}

void random_send_late(struct random_world *world)
{
    for (size_t i = 0; i < world->late_count; i++) {
        const struct random_late *late = &world->late[i];
        (void)sim_resend(late->shadow, late->path, late->unset ? NULL : late->json, late->set_us);
    }
    world->late_count = 0;
}

/* A client that lost its connection sends a report again. What programs reported that come and go
 * is theirs alone. */
static void random_send_again(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    if (sim->waiting_count == 0)
        return;
    const struct sim_op *op = &sim->ops[sim->waiting[sim_random(sim, sim->waiting_count)]];
    if (op->path[0] == '\0' || strchr("utmqw", op->path[1]) == NULL)
        sim_resend_report(sim, op->report);
}

static void random_restart(struct random_world *world)
{
    random_send_late(world);
    sim_restart(world->sim);
}

/* ---- the cloud ---- */

static void random_publish(struct sim *sim, json_t *request)
{
    char *payload = json_dumps(request, JSON_COMPACT);
    (void)sim_foreign(sim, payload);
    free(payload);
    json_decref(request);
}

static void random_add(json_t *section, const char *path, json_t *value)
{
    json_t *patch = doc_nest(path, value);
    json_object_update_recursive(section, patch);
    json_decref(patch);
}

static void random_foreign(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    json_t *reported = json_object();
    size_t count = 1 + (size_t)sim_random(sim, 3);
    for (size_t i = 0; i < count; i++)
        random_add(reported,
                   random_pick(sim, random_foreign_paths, RANDOM_COUNT(random_foreign_paths)),
                   sim_chance(sim, 20)   ? json_null()
                   : sim_chance(sim, 20) ? json_integer((json_int_t)sim_random(sim, 3))
                   : sim_chance(sim, 10) ? json_object()
                                         : json_integer(world->foreign_number++));
    json_t *request = json_pack("{s:{s:o}}", "state", "reported", reported);
    if (sim_chance(sim, 20))
        json_object_set_new(json_object_get(request, "state"), "desired",
                            json_pack("{s:i}", "d", world->foreign_number));
    if (sim_chance(sim, 2)) {
        json_t *state = json_object_get(request, "state");
        json_object_set_new(state, "reported", json_null());
        /* where the echo leaves the null out, nobody could tell this from a desired-only update */
        if (!sim->net->options.cloud.echo_null_section)
            json_object_del(state, "desired");
    }
    random_publish(sim, request);
}

/* A cloud application wishes, or takes a wish back. */
static void random_wish(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    json_t *desired = json_object();
    size_t count = 1 + (size_t)sim_random(sim, 3);
    for (size_t i = 0; i < count; i++) {
        const char *path = random_pick(sim, random_wish_paths, RANDOM_COUNT(random_wish_paths));
        json_t *value =
            sim_chance(sim, 25)
                ? json_null()
                : doc_parse(random_pick(sim, random_values, RANDOM_COUNT(random_values)));
        random_add(desired, path, value);
    }
    if (sim_chance(sim, 5) && sim->net->options.cloud.echo_null_section) {
        json_decref(desired);
        desired = json_null();
    }
    random_publish(sim, json_pack("{s:{s:o}}", "state", "desired", desired));
}

static void random_reject(struct random_world *world)
{
    static const int codes[] = {429, 429, 500, 503, 409, 409, 400, 413, 401, 403, 415, 418, 599};
    struct sim *sim = world->sim;
    enum shadow_service_operation kind =
        sim_chance(sim, 75) ? SHADOW_SERVICE_UPDATE : SHADOW_SERVICE_GET;
    int code = codes[sim_random(sim, RANDOM_COUNT(codes))];
    bool lasting = code != 429 && code != 409 && code < 500;
    if (lasting && sim->options.faults.repeat_requests > 0)
        code = 429; /* the second of two equal updates would be refused for the same reason */
    if (kind == SHADOW_SERVICE_GET && (code == 409 || code == 413))
        code = 500;
    sim_trace(sim, "the cloud will reject with %d", code);
    shadow_service_reject_next(sim->cloud, kind, 1 + (unsigned)sim_random(sim, 3), code);
}

/* 128 KB, as deep as it is long, or all one string. */
static void random_long_garbage(struct sim *sim, const char *topic)
{
    char *text = malloc(131073);
    if (text == NULL)
        abort();
    memset(text, sim_chance(sim, 50) ? '[' : 'x', 131072);
    text[0] = text[0] == '[' ? '[' : '"';
    text[131071] = text[0] == '[' ? ']' : '"';
    text[131072] = '\0';
    sim_inject(sim, topic, text);
    free(text);
}

/* What no service says: it must do no harm, whatever it is. */
static void random_garbage(struct random_world *world)
{
    static const char *const topics[] = {"update/accepted", "update/rejected", "update/delta",
                                         "get/accepted",    "get/rejected",    "delete/accepted"};
    static const char *const texts[] = {
        "",
        "no JSON",
        "{\"state\":",
        "[]",
        "17",
        "{\"state\":17,\"version\":\"x\",\"clientToken\":5}",
        "{\"state\":{\"reported\":[1]},\"clientToken\":\"nobody's\"}",
        "{\"code\":400,\"message\":\"no\",\"clientToken\":\"nobody's\"}",
        "{\"code\":\"no\"}",
        "{\"code\":413,\"message\":\"no token\"}",
        ("{\"state\":{\"reported\":{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":"
         "{\"j\":1}}}}}}}}}}},\"clientToken\":\"nobody's\"}"),
        "{\"state\":{\"reported\":{\"a\":1e400}},\"clientToken\":\"nobody's\"}",
    };
    struct sim *sim = random_shadow(world);
    const char *topic = random_pick(sim, topics, RANDOM_COUNT(topics));
    if (!sim->net->up)
        return;
    if (sim_chance(sim, 90))
        sim_inject(sim, topic, random_pick(sim, texts, RANDOM_COUNT(texts)));
    else
        random_long_garbage(sim, topic);
}

static void random_mangle(struct sim *sim)
{
    static const char *const texts[] = {
        "no JSON",
        "{\"version\":3}",
        "{\"state\":{\"reported\":{\"a\":1e400}},\"version\":3,\"clientToken\":\"%s\"}",
        "{\"state\":{\"reported\":{\"a\":1}},\"clientToken\":\"%s\"}",
    };
    sim->mangle_get = random_pick(sim, texts, RANDOM_COUNT(texts));
}

static void random_delete(struct random_world *world)
{
    struct sim *sim = random_shadow(world);
    const struct sim_faults *faults = &sim->net->options.faults;
    sim_delete(sim);
    /* two days later not even the version is left; who missed the deletion cannot see that */
    if (sim->net->up && sim_chance(sim, 20) && faults->lose_answers == 0 &&
        faults->delay_max_ms < 100 && world->disk.ends == 0) {
        sim_run(sim, SIM_SECOND);
        if (sim_version_now(sim) == 0 && sim->net->up && sim_status(sim).version < 0)
            sim_forget(sim);
    }
}

/* A program asks for one more shadow. */
static void random_open(struct random_world *world)
{
    char name[16];
    if (world->shadow_count >= RANDOM_SHADOWS_MAX)
        return;
    (void)snprintf(name, sizeof(name), "late%zu", world->shadow_count);
    world->shadows[world->shadow_count++] =
        sim_open(world->sim, sim_chance(world->sim, 50) ? NULL : "sensor-9", name);
}

/* ---- the link ---- */

static void random_link(struct sim *sim)
{
    if (sim->up)
        sim_link_down(sim);
    else
        sim_link_up(sim);
}

static void random_flap(struct sim *sim)
{
    for (uint64_t i = 0, count = 1 + sim_random(sim, 6); i < count; i++) {
        random_link(sim);
        sim_run(sim, (int64_t)sim_random(sim, 3000));
    }
}

static void random_filters(struct sim *sim)
{
    static const char *const filters[] = {"update/accepted", "get/rejected", "update/delta",
                                          "name/+", "delete/accepted"};
    if (sim->suback_code == 0 && sim->refused_filter == NULL && sim_chance(sim, 50))
        sim->refused_filter = random_pick(sim, filters, RANDOM_COUNT(filters));
    else
        sim->refused_filter = NULL;
    sim->suback_code = sim->suback_code == 0 && sim->refused_filter == NULL ? 0x97 : 0;
}

/* ---- all of it ---- */

struct random_event {
    unsigned weight;
    void (*happen)(struct random_world *world);
};

static void random_happen_link(struct random_world *world)
{
    random_link(world->sim);
}

static void random_happen_flap(struct random_world *world)
{
    random_flap(world->sim);
}

static void random_happen_filters(struct random_world *world)
{
    random_filters(world->sim);
}

static void random_happen_flush(struct random_world *world)
{
    sim_flush(world->sim);
}

static void random_happen_mangle(struct random_world *world)
{
    random_mangle(world->sim);
}

static void random_happen_hang_up(struct random_world *world)
{
    world->sim->poisoned = world->hangs_up && sim_chance(world->sim, 70) ? "\"hang\"" : NULL;
}

static void random_happen_restart(struct random_world *world)
{
    if (world->restarts)
        random_restart(world);
}

static void random_happen_wish(struct random_world *world)
{
    if (world->wishes)
        random_wish(world);
    else
        random_foreign(world);
}

static void random_happen_watch(struct random_world *world)
{
    if (world->watches)
        random_watch(world);
}

static const struct random_event random_events[] = {
    {25, random_foreign},     {18, random_happen_wish},   {16, random_happen_link},
    {10, random_hold_back},   {8, random_send_late},      {8, random_send_again},
    {7, random_reject},       {5, random_delete},         {2, random_happen_restart},
    {3, random_happen_flush}, {2, random_happen_filters}, {6, random_happen_watch},
    {3, random_garbage},      {1, random_happen_mangle},  {2, random_happen_hang_up},
    {1, random_happen_flap},  {1, random_open},
};

static void random_unrest(struct random_world *world)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < RANDOM_COUNT(random_events); i++)
        sum += random_events[i].weight;
    uint64_t what = sim_random(world->sim, sum);
    for (size_t i = 0; i < RANDOM_COUNT(random_events); i++) {
        if (what < random_events[i].weight) {
            random_events[i].happen(world);
            return;
        }
        what -= random_events[i].weight;
    }
}

static void random_pass_time(struct sim *sim)
{
    static const uint64_t spans_ms[] = {1, 1, 30, 300, 3000, 3000, 30000, 120000};
    sim_run(sim, (int64_t)sim_random(sim, spans_ms[sim_random(sim, 8)]));
}

void random_step(struct random_world *world)
{
    struct sim *sim = world->sim;
    random_disk_step(world);
    if (sim_chance(sim, world->unrest))
        random_unrest(world);
    else if (world->programs && sim_chance(sim, 40))
        random_program(world);
    else
        random_report(world);
    if (sim_chance(sim, 70))
        random_pass_time(sim);
}
