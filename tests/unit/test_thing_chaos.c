/* The engine between programs and a cloud that both say anything at all: nothing may break, spin,
 * or ask without measure. Every run is made from its seed, which a failure prints. */
#include "daemon/base/random.h"
#include "daemon/shadow/thing.h"
#include "daemon/shadow/topics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEEDS     150u
#define STEPS     400u
#define WAITS_MAX 512u

#define PICK(chaos, list) (list)[dice(chaos, sizeof(list) / sizeof(*(list)))]

struct chaos {
    struct random_source random;
    uint64_t seed;
    struct thing *thing;
    struct shadow *shadow;
    int64_t now_ms;
    bool is_up;
    int64_t version; /* near what the engine holds, most of the time */
    uint32_t request_id;
    char token[80];
    unsigned requests; /* since began_ms */
    struct shadow_wait waits[WAITS_MAX];
    size_t wait_count;
    char text[65536];
    size_t size;
};

static unsigned dice(struct chaos *chaos, size_t sides)
{
    return (unsigned)random_up_to(&chaos->random, (int64_t)sides - 1);
}

/* --- what the programs say --- */

static void report(struct chaos *chaos)
{
    static const char *const paths[] = {"/a",      "/b",      "/a/b",     "/a/c", "/a/b/c",
                                        "/b/a~1b", "/c/~0/d", "/a/b/c/d", "/~0",  "/c"};
    const struct flux_value values[] = {flux_value_int64(dice(chaos, 3)),
                                        flux_value_double(1.5),
                                        flux_value_empty_object(),
                                        flux_value_array("[1]", 3),
                                        flux_value_string("a fairly long text", dice(chaos, 19)),
                                        flux_value_bool(true)};
    struct shadow_operation operations[3];
    size_t count = 1 + dice(chaos, 3);
    for (size_t i = 0; i < count; i++) {
        const char *path = PICK(chaos, paths);
        bool is_unset = dice(chaos, 3) == 0;
        operations[i] = (struct shadow_operation){
            .kind = is_unset ? FLUX_UNSET : FLUX_SET, .path = path, .path_size = strlen(path)};
        if (!is_unset)
            operations[i].value = PICK(chaos, values);
    }
    bool is_resent = dice(chaos, 4) == 0;
    const struct shadow_report report = {
        .operations = operations,
        .operation_count = count,
        .set_us = chaos->now_ms * 1000 - (is_resent ? dice(chaos, 5000000) : 0),
        .resent = is_resent,
    };
    struct shadow_refusal refusal;
    if (chaos->wait_count + count > WAITS_MAX)
        return;
    if (shadow_report(chaos->shadow, &report, chaos->now_ms, &chaos->waits[chaos->wait_count],
                      &refusal) == SHADOW_REPORT_QUEUED)
        chaos->wait_count += count;
}

static void release(struct chaos *chaos)
{
    for (size_t i = 0; i < chaos->wait_count; i++) {
        (void)shadow_fate(chaos->shadow, &chaos->waits[i]);
        shadow_release(chaos->shadow, &chaos->waits[i]);
    }
    chaos->wait_count = 0;
}

/* --- what the cloud says --- */

static void put(struct chaos *chaos, const char *text)
{
    size_t size = strlen(text);
    if (chaos->size + size >= sizeof(chaos->text))
        return;
    memcpy(chaos->text + chaos->size, text, size + 1);
    chaos->size += size;
}

/* An object whose members are written as a flat list of openings, so that nothing recurses. */
static void put_object(struct chaos *chaos)
{
    static const char *const keys[] = {"a", "b", "c", "", "a/b", "~", "x y", "\\u00e9"};
    static const char *const leaves[] = {"null", "1",    "1.0",  "\"s\"", "[1,null,{\"a\":[]}]",
                                         "{}",   "-0.0", "true", "\"\"",  "99999999999999999999",
                                         "0",    "2",    "1e3",  "[]",    "9223372036854775807"};
    unsigned open = 1, members = dice(chaos, 8);
    put(chaos, "{");
    for (unsigned i = 0; i < members; i++) {
        put(chaos, chaos->text[chaos->size - 1] == '{' ? "\"" : ",\"");
        put(chaos, PICK(chaos, keys));
        put(chaos, dice(chaos, 3) == 0 ? "\":{" : "\":");
        if (chaos->text[chaos->size - 1] == '{')
            open++;
        else
            put(chaos, PICK(chaos, leaves));
        if (open > 1 && dice(chaos, 3) == 0) {
            put(chaos, "}");
            open--;
        }
    }
    while (open-- > 0)
        put(chaos, "}");
}

static void put_envelope(struct chaos *chaos)
{
    static const int codes[] = {400, 401, 403, 404, 409, 413, 418, 429, 500};
    char piece[160];
    int64_t version = dice(chaos, 6) == 0 ? (int64_t)(random_u64(&chaos->random) >> 1)
                                          : chaos->version + dice(chaos, 3);
    if (version > chaos->version && version < chaos->version + 3)
        chaos->version = version;
    if (dice(chaos, 8) != 0) {
        (void)snprintf(piece, sizeof(piece), ",\"version\":%lld", (long long)version);
        put(chaos, piece);
    }
    if (dice(chaos, 4) != 0) {
        (void)snprintf(piece, sizeof(piece), ",\"clientToken\":\"%s\"", chaos->token);
        put(chaos, piece);
    }
    if (dice(chaos, 3) == 0) {
        (void)snprintf(piece, sizeof(piece), ",\"code\":%d,\"message\":\"m\"", PICK(chaos, codes));
        put(chaos, piece);
    }
}

static void hear(struct chaos *chaos)
{
    char topic[TOPIC_BYTES_MAX];
    chaos->size = 0;
    put(chaos, "{\"state\":{\"timestamp\":1");
    if (dice(chaos, 4) != 0) {
        put(chaos, ",\"reported\":");
        put_object(chaos);
    }
    if (dice(chaos, 4) == 0) {
        put(chaos, ",\"desired\":");
        put_object(chaos);
    }
    put(chaos, "}");
    put_envelope(chaos);
    put(chaos, "}");
    if (dice(chaos, 20) == 0)
        chaos->text[dice(chaos, chaos->size)] = (char)dice(chaos, 256);
    topic_write_answer(topic, "dev", "", (enum topic_kind)dice(chaos, TOPIC_KIND_COUNT));
    thing_receive(chaos->thing, topic, chaos->text, chaos->size, chaos->now_ms);
}

/* --- the link --- */

static void switch_link(struct chaos *chaos, bool is_up)
{
    if (is_up == chaos->is_up)
        return;
    chaos->is_up = is_up;
    if (is_up)
        thing_link_up(chaos->thing, chaos->now_ms);
    else
        thing_link_down(chaos->thing, chaos->now_ms);
}

static void take_request(struct chaos *chaos, const struct thing_request *request)
{
    chaos->request_id = request->id;
    if (request->kind == THING_SUBSCRIBE) {
        int codes[TOPIC_KIND_COUNT] = {0};
        if (dice(chaos, 10) == 0)
            codes[dice(chaos, TOPIC_KIND_COUNT)] = 0x80;
        thing_subscribed(chaos->thing, request->id, codes, TOPIC_KIND_COUNT, chaos->now_ms);
        return;
    }
    chaos->requests++;
    const char *token = memmem(request->payload, request->payload_size, "clientToken\":\"", 14);
    assert_non_null(token);
    (void)snprintf(chaos->token, sizeof(chaos->token), "%.*s", (int)strcspn(token + 14, "\""),
                   token + 14);
}

static void take_requests(struct chaos *chaos)
{
    static const int reasons[] = {-1, 0, 0x80, 0x87, 0x95, 0x97, 0x99};
    struct thing_request request;
    unsigned taken = 0;
    while (thing_next_request(chaos->thing, chaos->now_ms, &request) > 0 && taken++ < 100)
        take_request(chaos, &request);
    assert_true(taken < 20);
    if (chaos->is_up && thing_deadline(chaos->thing, chaos->now_ms) <= chaos->now_ms)
        fail_msg("seed %llu: something is due that cannot be had", (unsigned long long)chaos->seed);
    if (dice(chaos, 40) == 0)
        thing_published(chaos->thing, chaos->request_id, PICK(chaos, reasons), chaos->now_ms);
}

static void step(struct chaos *chaos)
{
    struct thing_notice notice;
    unsigned what = dice(chaos, 10);
    chaos->now_ms += dice(chaos, 4) != 0 ? dice(chaos, 30) : dice(chaos, 6000);
    if (what < 3)
        report(chaos);
    else if (what < 8 && chaos->is_up)
        hear(chaos);
    else
        switch_link(chaos, dice(chaos, 20) != 0);
    take_requests(chaos);
    if (thing_doubts_link(chaos->thing))
        switch_link(chaos, false);
    if (dice(chaos, 50) == 0)
        release(chaos);
    while (thing_next_notice(chaos->thing, &notice))
        assert_true(notice.text[sizeof(notice.text) - 1] == '\0');
}

static void run(struct chaos *chaos, uint64_t seed)
{
    struct thing_options options;
    *chaos = (struct chaos){.seed = seed, .version = 1};
    random_init(&chaos->random, seed);
    thing_options_init(&options);
    options.name = "dev";
    options.random_seed = seed;
    options.interval_ms = dice(chaos, 2) * 1000;
    options.max_document_bytes = dice(chaos, 2) ? 300 : 8192;
    assert_int_equal(thing_new(&chaos->thing, &options), 0);
    assert_int_equal(thing_open_shadow(chaos->thing, NULL, NULL, &chaos->shadow), 0);
    for (unsigned i = 0; i < STEPS; i++)
        step(chaos);
    /* 20 a second, of which some may be saved up. */
    assert_true(chaos->requests <= 20 * (chaos->now_ms / 1000 + 1));
    release(chaos);
    (void)thing_free(chaos->thing);
}

static void test_nothing_that_is_said_breaks_it(void **state)
{
    (void)state;
    struct chaos *chaos = malloc(sizeof(*chaos));
    assert_non_null(chaos);
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run(chaos, seed);
    free(chaos);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_that_is_said_breaks_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
