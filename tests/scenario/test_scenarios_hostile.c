/* Whatever arrives on an answer topic: not JSON, wrong types, too large, too deep, somebody else's,
 * or lies. Invariant: nothing breaks, nothing is claimed for it, and within minutes and few
 * requests the cloud is as the device reported. */
#include "tests/scenario/scenario.h"

#include <stdlib.h>
#include <string.h>

static const char *const topics[] = {"update/accepted", "update/rejected", "update/delta",
                                     "get/accepted",    "get/rejected",    "delete/accepted"};
#define TOPIC_COUNT (sizeof(topics) / sizeof(topics[0]))

/* %s is the token of the request in flight. */
static const char *const texts[] = {
    "",
    " ",
    "null",
    "5",
    "\"x\"",
    "[]",
    "{",
    "}",
    "{}",
    "{\"state\":",
    "\xff\xfe",
    "{\"clientToken\":\"%s\"}",
    "{\"clientToken\":\"%s\",\"version\":\"8\"}",
    "{\"clientToken\":\"%s\",\"version\":-1}",
    "{\"clientToken\":\"%s\",\"version\":8.5,\"state\":{}}",
    "{\"clientToken\":\"%s\",\"version\":1e300}",
    "{\"clientToken\":\"%s\",\"version\":99999999999999999999}",
    "{\"clientToken\":\"%s\",\"code\":\"400\",\"message\":5}",
    "{\"clientToken\":\"%s\",\"code\":99999999999,\"message\":[]}",
    "{\"clientToken\":\"%s\",\"code\":-1}",
    "{\"clientToken\":\"%s\",\"state\":5}",
    "{\"clientToken\":\"%s\",\"state\":{\"reported\":[1]}}",
    "{\"clientToken\":\"%s\",\"state\":{\"reported\":\"x\",\"desired\":7}}",
    "{\"clientToken\":[\"%s\"]}",
    "{\"version\":8}",
    "{\"version\":8,\"state\":{}}",
    "{\"version\":8,\"state\":null}",
    "{\"version\":8,\"state\":{\"reported\":5}}",
    "{\"version\":8,\"state\":{\"reported\":null}}",
    "{\"version\":8,\"state\":{\"reported\":{\"a\":7}}}",
    "{\"version\":3,\"state\":{\"reported\":{\"a\":7}}}",
    "{\"version\":9000000000000000000,\"state\":{\"reported\":{\"a\":7}}}",
    "{\"version\":9223372036854775807}",
    "{\"version\":8,\"clientToken\":\"foreign\",\"state\":{\"reported\":{\"a\":null}}}",
    "{\"code\":404,\"message\":\"No shadow exists\"}",
    "{\"code\":413,\"message\":\"x\",\"clientToken\":\"foreign\"}",
};
#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))

static void hear(struct sim *sim, const char *topic, const void *payload, size_t size)
{
    char whole[256];
    (void)snprintf(whole, sizeof(whole), "%s%s", SIM_PREFIX, topic);
    sim_trace(sim, "hostile %s %.*s", whole, size < 200 ? (int)size : 200, (const char *)payload);
    if (strncmp(topic, "delete", 6) == 0)
        oracle_heard(sim, whole, payload, size); /* a lie, but of one who may say so */
    thing_receive(sim->thing, whole, payload, size, sim->now_ms);
    sim_turn(sim);
}

/* What the device does while it hears such things. */
enum moment { IDLE, UPDATE_IN_FLIGHT, GET_IN_FLIGHT, MOMENT_COUNT };

static struct sim *at_moment(enum moment moment)
{
    struct sim *sim = moment == GET_IN_FLIGHT
                          ? scenario_new("{\"reported\":{\"a\":0}}")
                          : scenario_up("{\"reported\":{\"a\":0},\"desired\":{\"w\":1}}");
    sim->hold_answer_ms = moment == IDLE ? 0 : 300;
    if (moment == GET_IN_FLIGHT)
        sim_link_up(sim);
    if (moment == UPDATE_IN_FLIGHT)
        (void)sim_set(sim, "/a", "1");
    sim_run(sim, 20);
    return sim;
}

static void must_converge(struct sim *sim, const char *what)
{
    (void)sim_set(sim, "/b", "2");
    sim_run(sim, 10 * SIM_MINUTE);
    if (sim_is_broken(sim))
        fail_msg("%s: %s", what, sim->failure);
    if (sim->updates + sim->gets > 20)
        fail_msg("%s: %zu updates and %zu gets", what, sim->updates, sim->gets);
    const json_t *b = json_object_get(sim_reported(sim), "b");
    if (!json_is_integer(b) || json_integer_value(b) != 2)
        fail_msg("%s: the report did not arrive", what);
    (void)oracle_end(sim, true);
    if (sim_is_broken(sim))
        fail_msg("%s: %s", what, sim->failure);
    sim_free(sim);
}

/* 170: every such text on every topic at every moment. */
static void test_170_no_answer_however_odd_does_harm(void **state)
{
    (void)state;
    for (size_t i = 0; i < TEXT_COUNT * TOPIC_COUNT * MOMENT_COUNT; i++) {
        const char *topic = topics[i % TOPIC_COUNT];
        const char *format = texts[i / TOPIC_COUNT % TEXT_COUNT];
        struct sim *sim = at_moment((enum moment)(i / TOPIC_COUNT / TEXT_COUNT));
        char text[512], what[800];
        const char *token = strncmp(topic, "get", 3) == 0 ? sim->get_token : sim->flight_token;
        const char *slot = strstr(format, "%s");
        if (slot)
            (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(slot - format), format, token,
                           slot + 2);
        else
            (void)snprintf(text, sizeof(text), "%s", format);
        (void)snprintf(what, sizeof(what), "moment %zu, %s: %s", i / TOPIC_COUNT / TEXT_COUNT,
                       topic, text);
        hear(sim, topic, text, strlen(text));
        must_converge(sim, what);
    }
}

/* 171: as large as AWS IoT lets a message be, and larger. */
static void test_171_large_answers_do_no_harm(void **state)
{
    (void)state;
    static const size_t sizes[] = {131071, 131072, 131073, 1u << 20};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) * TOPIC_COUNT; i++) {
        size_t size = sizes[i / TOPIC_COUNT];
        char *text = malloc(size + 1);
        assert_non_null(text);
        memset(text, 'x', size);
        int head = snprintf(text, size, "{\"version\":8,\"state\":{\"reported\":{\"a\":\"");
        text[head] = 'x';
        memcpy(text + size - 4, "\"}}}", 5);
        struct sim *sim = at_moment(UPDATE_IN_FLIGHT);
        hear(sim, topics[i % TOPIC_COUNT], text, size);
        free(text);
        must_converge(sim, topics[i % TOPIC_COUNT]);
    }
}

static char *nested(const char *head, const char *open, size_t levels, const char *close,
                    const char *tail)
{
    char *text = calloc(1, strlen(head) + levels * (strlen(open) + strlen(close)) + 80);
    assert_non_null(text);
    char *at = stpcpy(text, head);
    for (size_t i = 0; i < levels; i++)
        at = stpcpy(at, open);
    at = stpcpy(at, "1");
    for (size_t i = 0; i < levels; i++)
        at = stpcpy(at, close);
    (void)stpcpy(at, tail);
    return text;
}

/* 172: nesting that would exhaust the stack of a recursive reader. */
static void test_172_deep_answers_do_no_harm(void **state)
{
    (void)state;
    static const size_t depths[] = {30, 41, 100, 2049, 20000};
    for (size_t i = 0; i < sizeof(depths) / sizeof(depths[0]) * TOPIC_COUNT; i++) {
        size_t depth = depths[i / TOPIC_COUNT];
        char *objects =
            nested("{\"version\":8,\"state\":{\"reported\":", "{\"k\":", depth, "}", "}}");
        char *arrays =
            nested("{\"version\":8,\"state\":{\"desired\":{\"d\":", "[", depth, "]", "}}}");
        struct sim *sim = at_moment(IDLE);
        hear(sim, topics[i % TOPIC_COUNT], objects, strlen(objects));
        hear(sim, topics[i % TOPIC_COUNT], arrays, strlen(arrays));
        free(objects);
        free(arrays);
        must_converge(sim, topics[i % TOPIC_COUNT]);
    }
}

/* 173: codes that no documentation knows: 4xx is the report's fault, all else the service's. */
static void test_173_unknown_codes_have_a_meaning(void **state)
{
    (void)state;
    static const struct {
        int code;
        bool is_refused;
    } cases[] = {{402, true},  {418, true},  {451, true},  {499, true},
                 {302, false}, {502, false}, {599, false}, {100, false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sim *sim = scenario_up("{\"reported\":{}}");
        shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 1, cases[i].code);
        size_t op = sim_set(sim, "/a", "1");
        sim_run(sim, 20 * SIM_MINUTE);
        if (cases[i].is_refused)
            assert_rejected(sim, op);
        else
            assert_accepted(sim, op);
        scenario_end(sim);
    }
}

/* 174: a storm of conflicts: a foreign writer before each of our updates. Every conflict costs one
 * more update, never a refusal, and in the end ours is there. */
static void test_174_a_storm_of_conflicts_ends(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t op = sim_set(sim, "/a", "1");
    for (size_t i = 0; i < 20; i++) {
        (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"w\":1}}}");
        sim_run(sim, 15);
    }
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim_status(sim).refused, 0);
    scenario_end(sim);
}

/* 175: the service counts more bytes than we do: the refusal names what takes the room. */
static void test_175_a_refusal_for_size_names_the_largest(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_document_bytes = 300;
    options.cloud.max_bytes = 300;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"blob\":0}}");
    sim->careless = true;
    struct shadow_refusal refusal;
    const char *text = scenario_string(400);
    const struct shadow_operation operation = {
        .kind = FLUX_SET,
        .path = "/blob",
        .path_size = 5,
        .value = flux_value_string(text + 1, strlen(text) - 2),
    };
    assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_REFUSED);
    assert_int_equal(refusal.code, 413);
    assert_non_null(strstr(refusal.text, "largest: /blob"));
    assert_good(sim);
    sim_free(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_170_no_answer_however_odd_does_harm),
              cmocka_unit_test(test_171_large_answers_do_no_harm),
              cmocka_unit_test(test_172_deep_answers_do_no_harm),
              cmocka_unit_test(test_173_unknown_codes_have_a_meaning),
              cmocka_unit_test(test_174_a_storm_of_conflicts_ends),
              cmocka_unit_test(test_175_a_refusal_for_size_names_the_largest))
