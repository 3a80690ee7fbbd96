/* The same reports and settlings twice: one by one straight into the pure shadow service, and
 * through the engine, which puts together what comes close to each other: turns, link, loss, delay
 * and commits at random. Both shadows must end equal, but for empty objects that only deletions
 * leave. No oracle judges on the way, so nothing here is vague.
 *
 * seeds.h says which seeds run. */
#include "tests/scenario/seeds.h"
#include "tests/scenario/sim.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PAIR_SEEDS    1000u
#define PAIR_OPS_MAX  8u
#define PAIR_DEPTH    4u
#define PAIR_REF_TIME SIM_UNIX_MS

static const char *const pair_values[] = {
    "0",      "1",       "2",     "3",           "-7", "81.5", "0.1", "true", "false",
    "\"on\"", "\"off\"", "[1,2]", "[{\"q\":1}]", "[]", "{}",   "{}",  "{}",   "1e300",
};
/* No value of another writer stands above a path of the reports: what becomes of it when something
 * below it is set and unset again is not decided. */
static const char pair_document[] =
    "{\"desired\":{\"a\":{\"b\":1,\"c\":{\"d\":2}},\"d\":{\"d\":[3]},\"w\":4},\"reported\":{\"a\":{"
    "\"b\":{\"c\":{\"d\":1},\"x\":2},\"x\":3},"
    "\"b\":{\"x\":4},\"c\":{\"d\":{\"a\":{}}},\"d\":{\"d\":{\"d\":{\"d\":[6]}}},"
    "\"f\":{\"k\":0}}}";

/* An object that was reported as such. */
struct pair_object {
    char path[32];
};

struct pair {
    struct sim *sim;
    struct shadow_service *reference;
    struct pair_object *objects; /* those that nothing replaced or removed since */
    size_t object_count, object_capacity;
    bool exists;   /* there was a shadow at first: every update carries a version */
    bool replaces; /* some reports replace everything; then nobody else writes: what others wrote
                      before the update that carries a report counts as earlier than the report */
};

/* ---- the seed's world ---- */

static void pair_faults(struct pair *pair, struct sim *dice, struct sim_faults *faults)
{
    static const unsigned percents[] = {0, 0, 5, 20};
    static const int64_t delays_ms[] = {20, 20, 200, 1500, 8000};
    faults->lose_requests = percents[sim_random(dice, 4)];
    faults->lose_answers = percents[sim_random(dice, 4)];
    faults->refuse_requests = sim_chance(dice, 20) ? 10 : 0;
    faults->delay_min_ms = 1 + (int64_t)sim_random(dice, 15);
    faults->delay_max_ms = faults->delay_min_ms + 20;
    if (!pair->exists)
        return; /* nothing stops an update without version that comes late */
    faults->delay_max_ms = faults->delay_min_ms + delays_ms[sim_random(dice, 5)];
    faults->repeat_requests = percents[sim_random(dice, 4)];
    faults->repeat_answers = percents[sim_random(dice, 4)];
    faults->zombie_max_ms = sim_chance(dice, 60) ? 1 + (int64_t)sim_random(dice, 40000) : 0;
}

static void pair_service(struct shadow_service_options *cloud, struct sim *dice)
{
    cloud->rejected_timestamp = sim_chance(dice, 50);
    cloud->vary_messages = sim_chance(dice, 50);
    cloud->null_only_makes_nothing = sim_chance(dice, 50);
    cloud->echo_null_section = sim_chance(dice, 50);
    cloud->get_metadata_delta = sim_chance(dice, 50);
    cloud->shuffle_seed = sim_random(dice, 2) * (1 + sim_random(dice, 1000));
}

static struct shadow_service *pair_reference(const struct shadow_service_options *cloud,
                                             bool exists)
{
    struct shadow_service_options options = *cloud;
    options.max_per_sec = 0;
    options.max_in_flight = 0;
    struct shadow_service *reference = shadow_service_new(&options);
    json_t *document = doc_parse(pair_document);
    if (reference == NULL ||
        (exists && shadow_service_seed(reference, SIM_THING, NULL, document, 1, PAIR_REF_TIME) < 0))
        abort();
    json_decref(document);
    return reference;
}

static void pair_begin(struct pair *pair, uint64_t seed, FILE *trace)
{
    struct sim dice = {.random = seed * 104729};
    dice.net = &dice;
    struct sim_options options;
    sim_options_init(&options, seed);
    *pair = (struct pair){.exists = sim_chance(&dice, 80), .replaces = sim_chance(&dice, 25)};
    pair_faults(pair, &dice, &options.faults);
    pair_service(&options.cloud, &dice);
    options.thing.interval_ms = 100 + (int64_t)sim_random(&dice, 3000);
    options.thing.burst = 1 + (unsigned)sim_random(&dice, 10);
    options.thing.durable = sim_chance(&dice, 20);
    options.thing.response_timeout_ms = sim_chance(&dice, 50) ? 30000 : 5000;
    options.commit_ms = 1 + (int64_t)sim_random(&dice, 200);
    options.trace = trace;
    pair->sim = sim_new(&options);
    pair->sim->careless = true;
    pair->reference = pair_reference(&options.cloud, pair->exists);
    if (pair->exists)
        sim_seed(pair->sim, pair_document, 1 + (int64_t)sim_random(&dice, 50));
    if (sim_chance(&dice, 50))
        sim_link_up(pair->sim);
}

static void pair_end(struct pair *pair)
{
    sim_free(pair->sim);
    shadow_service_free(pair->reference);
    free(pair->objects);
}

/* ---- the reference ---- */

static const json_t *pair_section(struct shadow_service *service, const char *name)
{
    const json_t *document = shadow_service_document(service, SIM_THING, NULL);
    return document != NULL ? json_object_get(document, name) : NULL;
}

static void pair_tell_reference(struct pair *pair, const char *section, const json_t *patch)
{
    json_t *request = json_pack("{s:{s:O}}", "state", section, patch);
    char *payload = json_dumps(request, JSON_COMPACT | JSON_ENCODE_ANY);
    if (shadow_service_handle(pair->reference, SIM_PREFIX "update", payload, strlen(payload),
                              PAIR_REF_TIME) != 0)
        abort();
    struct shadow_service_message message;
    while (shadow_service_next(pair->reference, &message)) {
        if (message.kind == SHADOW_SERVICE_REJECTED)
            sim_fail(pair->sim, "the reference refuses %s", payload);
        shadow_service_message_clear(&message);
    }
    free(payload);
    json_decref(request);
}

static void pair_keep_object(struct pair *pair, const char *path)
{
    if (pair->object_count == pair->object_capacity) {
        pair->object_capacity = pair->object_capacity * 2 + 16;
        pair->objects = realloc(pair->objects, pair->object_capacity * sizeof(*pair->objects));
        if (pair->objects == NULL)
            abort();
    }
    struct pair_object *object = &pair->objects[pair->object_count++];
    (void)snprintf(object->path, sizeof(object->path), "%s", path);
}

/* A wish that is there goes; where there is none, nothing is sent for it. */
static void pair_settle(struct pair *pair, const char *path)
{
    if (doc_at(pair_section(pair->reference, "desired"), path) == NULL)
        return;
    json_t *patch = doc_nest(path, json_null());
    pair_tell_reference(pair, "desired", patch);
    json_decref(patch);
}

static void pair_apply(struct pair *pair, const struct sim_operation *operation)
{
    if (operation->json == SIM_SETTLE) {
        pair_settle(pair, operation->path);
        return;
    }
    bool is_object = operation->json != NULL && strcmp(operation->json, "{}") == 0;
    for (size_t i = 0; i < pair->object_count && !is_object; i++)
        if (doc_covers(operation->path, pair->objects[i].path))
            pair->objects[i--] = pair->objects[--pair->object_count];
    if (is_object)
        pair_keep_object(pair, operation->path);
    json_t *value = operation->json != NULL ? doc_parse(operation->json) : json_null();
    json_t *patch = doc_nest(operation->path, value); /* null for the root: all goes */
    pair_tell_reference(pair, "reported", patch);
    json_decref(patch);
}

/* ---- what happens ---- */

static void pair_make_path(struct sim *sim, char *path)
{
    size_t depth = 1 + (size_t)sim_random(sim, 1 + sim_random(sim, PAIR_DEPTH));
    for (size_t i = 0; i < depth; i++) {
        *path++ = '/';
        *path++ = "abcd"[sim_random(sim, 4)];
    }
    *path = '\0';
}

static bool pair_is_plain(const struct sim_operation *operation)
{
    return operation->json != NULL && operation->json != SIM_SETTLE &&
           strcmp(operation->json, "{}") != 0;
}

/* Two values in one report must not exclude each other. */
static bool pair_excludes(const struct sim_operation *operations, size_t count)
{
    const struct sim_operation *last = &operations[count - 1];
    for (size_t i = 0; i + 1 < count && last->json != NULL; i++) {
        const struct sim_operation *other = &operations[i];
        if (other->json == NULL || strcmp(other->path, last->path) == 0)
            continue;
        if ((pair_is_plain(other) && doc_covers(other->path, last->path)) ||
            (pair_is_plain(last) && doc_covers(last->path, other->path)))
            return true;
    }
    return false;
}

static void pair_report(struct pair *pair)
{
    struct sim *sim = pair->sim;
    struct sim_operation operations[PAIR_OPS_MAX + 1];
    char paths[PAIR_OPS_MAX][2 * PAIR_DEPTH + 1], wish[2 * PAIR_DEPTH + 1];
    size_t wanted = sim_chance(sim, 60) ? 1 : 1 + (size_t)sim_random(sim, PAIR_OPS_MAX), count = 0;
    if (pair->replaces && sim_chance(sim, 10))
        operations[count++] = (struct sim_operation){"", NULL};
    for (size_t i = count; i < wanted; i++) {
        pair_make_path(sim, paths[count]);
        operations[count].path = paths[count];
        operations[count].json =
            sim_chance(sim, 25)
                ? NULL
                : pair_values[sim_random(sim, sizeof(pair_values) / sizeof(pair_values[0]))];
        if (!pair_excludes(operations, count + 1))
            count++;
    }
    if (sim_status(sim).version >= 0 && sim_chance(sim, 8)) { /* it knows of the wishes */
        pair_make_path(sim, wish);
        operations[count++] = (struct sim_operation){sim_chance(sim, 90) ? wish : "", SIM_SETTLE};
    }
    (void)sim_report(sim, operations, count);
    for (size_t i = 0; i < count; i++)
        pair_apply(pair, &operations[i]);
}

/* A cloud application writes beside what the programs report. */
static void pair_foreign(struct pair *pair)
{
    json_t *patch = json_pack("{s:{s:i}}", "f", "k", (int)sim_random(pair->sim, 1000));
    json_t *request = json_pack("{s:{s:O}}", "state", "reported", patch);
    char *payload = json_dumps(request, JSON_COMPACT);
    if (sim_foreign(pair->sim, payload) > 0)
        pair_tell_reference(pair, "reported", patch);
    free(payload);
    json_decref(request);
    json_decref(patch);
}

static void pair_reject(struct pair *pair)
{
    static const int codes[] = {429, 500, 503, 409};
    struct sim *sim = pair->sim;
    bool update = sim_chance(sim, 75);
    bool late = sim->options.faults.repeat_requests > 0 || sim->options.faults.zombie_max_ms > 0;
    /* after three 409 in a row an update may leave its version out, and must not come twice then */
    int code = codes[sim_random(sim, update && !late ? 4 : 3)];
    sim_trace(sim, "the cloud will reject with %d", code);
    shadow_service_reject_next(sim->cloud, update ? SHADOW_SERVICE_UPDATE : SHADOW_SERVICE_GET,
                               1 + (unsigned)sim_random(sim, 3), code);
}

static void pair_unrest(struct pair *pair)
{
    struct sim *sim = pair->sim;
    uint64_t what = sim_random(sim, 100);
    if (what < 60 && sim->up)
        sim_link_down(sim);
    else if (what < 60)
        sim_link_up(sim);
    else if (what < 75 && !pair->replaces)
        pair_foreign(pair);
    else if (what < 90)
        pair_reject(pair);
    else
        sim_flush(sim);
}

static void pair_pass_time(struct sim *sim)
{
    static const uint64_t spans_ms[] = {1, 30, 30, 300, 3000, 3000, 30000};
    sim->asleep = false;
    if (sim_chance(sim, 70))
        sim_run(sim, (int64_t)sim_random(sim, spans_ms[sim_random(sim, 7)]));
    else
        sim_turn(sim);
}

/* ---- a seed ---- */

static void pair_compare(struct pair *pair, const char *section)
{
    const json_t *cloud = pair_section(pair->sim->cloud, section);
    const json_t *reference = pair_section(pair->reference, section);
    bool same = (doc_is_hollow(cloud) && doc_is_hollow(reference)) ||
                (cloud != NULL && reference != NULL && doc_equal(cloud, reference, true));
    if (same)
        return;
    char *left = cloud != NULL ? json_dumps(cloud, JSON_COMPACT) : NULL;
    char *right = reference != NULL ? json_dumps(reference, JSON_COMPACT) : NULL;
    sim_fail(pair->sim, "the ends of %s differ\n  engine    %.700s\n  reference %.700s", section,
             left != NULL ? left : "nothing", right != NULL ? right : "nothing");
    free(left);
    free(right);
}

static void pair_judge_objects(struct pair *pair)
{
    const json_t *cloud = pair_section(pair->sim->cloud, "reported");
    for (size_t i = 0; i < pair->object_count; i++)
        if (!json_is_object(doc_at(cloud, pair->objects[i].path)))
            sim_fail(pair->sim, "an object that was reported is not there: %s",
                     pair->objects[i].path);
}

static void pair_heal(struct pair *pair)
{
    struct sim *sim = pair->sim;
    sim_trace(sim, "---- from here on all is well ----");
    sim->asleep = false;
    sim->options.faults = (struct sim_faults){.delay_min_ms = 10, .delay_max_ms = 10};
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 0, 0);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_GET, 0, 0);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE); /* what is late comes now */
    for (int i = 0; i < 60 && !sim_is_broken(sim) && !thing_is_settled(sim->thing); i++)
        sim_run(sim, SIM_MINUTE);
    if (!thing_is_settled(sim->thing))
        sim_fail(sim, "an hour of good link does not settle it");
    pair_compare(pair, "reported");
    pair_compare(pair, "desired");
    pair_judge_objects(pair);
}

static bool pair_run(uint64_t seed, FILE *trace, char *ret_failure, size_t size)
{
    struct pair pair;
    pair_begin(&pair, seed, trace);
    struct sim *sim = pair.sim;
    size_t steps = 10 + (size_t)sim_random(sim, 60);
    unsigned unrest = (unsigned)sim_random(sim, 40), rest = 20 + (unsigned)sim_random(sim, 80);
    for (size_t i = 0; i < steps && !sim_is_broken(sim); i++) {
        if (sim_chance(sim, unrest))
            pair_unrest(&pair);
        sim->asleep = sim_chance(sim, 60); /* its turn comes later */
        pair_report(&pair);
        if (sim_chance(sim, rest))
            pair_pass_time(sim);
        sim->asleep = false;
    }
    pair_heal(&pair);
    bool good = !sim_is_broken(sim);
    if (!good)
        (void)snprintf(ret_failure, size, "%s", sim->failure);
    pair_end(&pair);
    return good;
}

static void test_one_by_one_and_put_together_end_equal(void **state)
{
    (void)state;
    assert_int_equal(seeds_run(pair_run, PAIR_SEEDS), 0);
}

int main(int argc, char **argv)
{
    seeds_arguments(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_by_one_and_put_together_end_equal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
