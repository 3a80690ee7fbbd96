/* The shadow service beyond the vectors: topics, hostile input, numbers, rates, faults, every
 * switch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/shadow_service.h"

#define NOW_MS  INT64_C(1700000000123)
#define HOUR_MS INT64_C(3600000)

struct fixture {
    struct shadow_service *service;
    struct shadow_service_options *options;
    int64_t now_ms;
    char last[131072 * 2]; /* payloads of the last request, each followed by a newline */
    char topics[1024];     /* their topics, likewise */
    int code;              /* of the last rejection, 0: accepted */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->service = shadow_service_new(NULL);
    f->options = shadow_service_options(f->service);
    f->now_ms = NOW_MS;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    shadow_service_free(f->service);
    free(f);
    return 0;
}

static void drain(struct fixture *f)
{
    struct shadow_service_message message;
    f->last[0] = f->topics[0] = '\0';
    f->code = -1;
    while (shadow_service_next(f->service, &message)) {
        assert_int_equal(strlen(message.payload), message.size);
        if (message.kind == SHADOW_SERVICE_REJECTED)
            f->code = message.code;
        if (message.kind == SHADOW_SERVICE_ACCEPTED)
            f->code = 0;
        strcat(strcat(f->last, message.payload), "\n");
        strcat(strcat(f->topics, message.topic), "\n");
        shadow_service_message_clear(&message);
    }
}

static int send_bytes(struct fixture *f, const char *topic, const char *payload, size_t size)
{
    int r = shadow_service_handle(f->service, topic, payload, size, f->now_ms);
    drain(f);
    return r;
}

/* Send a request about the classic shadow of `T`; returns the rejection's code or 0. */
static int request(struct fixture *f, const char *operation, const char *payload)
{
    char topic[128];
    snprintf(topic, sizeof(topic), "$aws/things/T/shadow/%s", operation);
    assert_int_equal(send_bytes(f, topic, payload, strlen(payload)), 0);
    return f->code;
}

static int report(struct fixture *f, const char *reported)
{
    char *payload;
    assert_true(asprintf(&payload, "{\"state\":{\"reported\":%s}}", reported) > 0);
    int code = request(f, "update", payload);
    free(payload);
    return code;
}

static void assert_said(const struct fixture *f, const char *text)
{
    if (!strstr(f->last, text))
        fail_msg("%s not in: %s", text, f->last);
}

static void assert_not_said(const struct fixture *f, const char *text)
{
    if (strstr(f->last, text))
        fail_msg("%s in: %s", text, f->last);
}

/* Check the whole stored document. */
static void assert_stored(const struct fixture *f, const char *expected)
{
    json_t *document = json_loads(expected, 0, NULL);
    const json_t *stored = shadow_service_document(f->service, "T", NULL);
    assert_non_null(document);
    char *text = json_dumps(stored, 0);
    if (!json_equal(document, stored))
        fail_msg("stored: %s", text);
    free(text);
    json_decref(document);
}

/* ---- topics ---- */

static void test_only_requests_are_requests(void **state)
{
    static const char *const others[] = {
        "$aws/things/T/shadow/update/accepted",
        "$aws/things/T/shadow/get/rejected",
        "$aws/things/T/shadow/update/",
        "$aws/things/T/shadow",
        "$aws/things//shadow/get",
        "$aws/things/T/shadow/name//get",
        "$aws/things/T/shadow/name/N",
        "$aws/things/T/shadow/name/N/M/get",
        "$aws/things/T/jobs/get",
        "$aws/things/T!/shadow/get",
        "$aws/things/$T/shadow/get",
        "things/T/shadow/get",
        "",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_int_equal(send_bytes(f, others[i], "", 0), SHADOW_SERVICE_NOT_A_REQUEST);
        assert_string_equal(f->topics, "");
    }
    char topic[300];
    snprintf(topic, sizeof(topic), "$aws/things/%0129d/shadow/get", 0);
    assert_int_equal(send_bytes(f, topic, "", 0), SHADOW_SERVICE_NOT_A_REQUEST);
    snprintf(topic, sizeof(topic), "$aws/things/%0128d/shadow/name/%064d/get", 0, 0);
    assert_int_equal(send_bytes(f, topic, "", 0), 0);
    snprintf(topic, sizeof(topic), "$aws/things/%0128d/shadow/name/%065d/get", 0, 0);
    assert_int_equal(send_bytes(f, topic, "", 0), SHADOW_SERVICE_NOT_A_REQUEST);
}

static void test_shadows_are_apart(void **state)
{
    struct fixture *f = *state;
    const char *text = "{\"state\":{\"reported\":{\"a\":1}}}";
    assert_int_equal(send_bytes(f, "$aws/things/T/shadow/name/$net/update", text, strlen(text)), 0);
    assert_string_equal(f->topics, "$aws/things/T/shadow/name/$net/update/accepted\n"
                                   "$aws/things/T/shadow/name/$net/update/documents\n");
    assert_int_equal(shadow_service_version(f->service, "T", "$net"), 1);
    assert_int_equal(shadow_service_version(f->service, "T", NULL), 0);
    assert_int_equal(shadow_service_version(f->service, "T", "other"), 0);
    assert_int_equal(request(f, "get", ""), 404);
    assert_int_equal(send_bytes(f, "$aws/things/U/shadow/name/$net/get", "", 0), 0);
    assert_int_equal(f->code, 404);
    assert_said(f, "No shadow exists with name: '$net'");
    f->options->named_404_with_thing = true;
    assert_int_equal(send_bytes(f, "$aws/things/U/shadow/name/$net/get", "", 0), 0);
    assert_said(f, "No shadow exists with name: 'U~$net'");
}

/* ---- hostile payloads ---- */

static void test_bad_payloads_are_rejected_and_change_nothing(void **state)
{
    static const struct {
        const char *payload;
        int code;
    } bad[] = {
        {"", 400},
        {"{", 400},
        {"[1]", 400},
        {"5", 400},
        {"{\"state\":{\"reported\":{\"a\":1}}} x", 400},
        {"{\"state\":{\"reported\":{\"a\":1e400}}}", 400},
        {"{\"state\":{\"reported\":{\"a\":NaN}}}", 400},
        {"{\"state\":{\"reported\":{\"a\":\"\\ud800\"}}}", 400},
        {"{\"state\":{\"reported\":{\"a\\u0000b\":1}}}", 400},
        {"{\"state\":{\"reported\":{\"a\":\"\xc3\x28\"}}}", 415},
        {"{\"state\":{\"reported\":{\"a\":\"\xed\xa0\x80\"}}}", 415},
        {"{\"state\":{\"reported\":{\"a\":[[null]]}}}", 400},
        {"{\"state\":{\"reported\":{\"a\":[{\"b\":[null]}]}}}", 400},
        {"{\"state\":{\"reported\":{\"a\":1}},\"clientToken\":7}", 400},
        {"{\"state\":{\"reported\":{\"a\":1}},\"version\":1.0}", 400},
        {"{\"state\":{\"reported\":{\"a\":1}},\"version\":null}", 400},
    };
    struct fixture *f = *state;
    f->options->max_per_sec = 0;
    assert_int_equal(report(f, "{\"z\":1}"), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        if (request(f, "update", bad[i].payload) != bad[i].code)
            fail_msg("%s: %s", bad[i].payload, f->last);
        assert_string_equal(f->topics, "$aws/things/T/shadow/update/rejected\n");
    }
    assert_stored(f, "{\"reported\":{\"z\":1}}");
    assert_int_equal(shadow_service_version(f->service, "T", NULL), 1);
}

/* Nesting that would exhaust the stack of a recursive parser, in strings and out of them. */
static void test_depth_is_checked_before_the_parser_recurses(void **state)
{
    struct fixture *f = *state;
    size_t size = 120000;
    char *payload = malloc(size + 1);
    memset(payload, '[', size);
    payload[size] = '\0';
    assert_int_equal(request(f, "update", payload), 400);
    assert_said(f, "too many levels");
    assert_int_equal(request(f, "get", payload), 404);
    for (size_t i = 0; i + 5 <= size; i += 5)
        memcpy(payload + i, "{\"a\":", 5);
    assert_int_equal(request(f, "update", payload), 400);
    assert_said(f, "too many levels");
    free(payload);

    char text[1024] = "{\"state\":{\"reported\":{\"a\":\"\\\\\\\"";
    memset(text + strlen(text), '[', 500);
    strcat(text, "\"}}}");
    assert_int_equal(request(f, "update", text), 0);
}

static void test_arrays_count_as_levels_or_not(void **state)
{
    struct fixture *f = *state;
    const char *deep = "{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":{\"8\":[1]}}}}}}}}";
    assert_int_equal(report(f, deep), 0);
    f->options->arrays_count_as_level = true;
    assert_int_equal(report(f, deep), 400);
    f->options->arrays_count_as_level = false;
    f->options->max_depth = 6;
    assert_int_equal(report(f, "{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":1}}}}}}"), 0);
    assert_int_equal(report(f, "{\"1\":{\"2\":{\"3\":{\"4\":{\"5\":{\"6\":{\"7\":1}}}}}}}"), 400);
    f->options->max_depth = 0;
    assert_int_equal(report(f, deep), 0);
}

static void test_duplicate_keys(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(report(f, "{\"a\":1,\"a\":2}"), 0);
    assert_stored(f, "{\"reported\":{\"a\":2}}");
    f->options->refuse_duplicate_keys = true;
    assert_int_equal(report(f, "{\"a\":1,\"a\":3}"), 400);
    assert_stored(f, "{\"reported\":{\"a\":2}}");
}

static void test_a_token_is_echoed_even_in_a_rejection(void **state)
{
    struct fixture *f = *state;
    char payload[300];
    snprintf(payload, sizeof(payload), "{\"state\":7,\"clientToken\":\"t\\\"\\u0001\"}");
    assert_int_equal(request(f, "update", payload), 400);
    assert_said(f, "\"clientToken\":\"t\\\"\\u0001\"");
    snprintf(payload, sizeof(payload), "{\"clientToken\":\"%065d\"}", 0);
    assert_int_equal(request(f, "get", payload), 400);
    assert_not_said(f, "clientToken\":");
    f->options->echo_long_token = true;
    assert_int_equal(request(f, "get", payload), 400);
    assert_said(f, "clientToken\":");
}

static void test_get_ignores_what_is_not_json(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    assert_int_equal(request(f, "get", "what?"), 0);
    assert_int_equal(request(f, "get", "[]"), 0);
    f->options->strict_get_payload = true;
    assert_int_equal(request(f, "get", "what?"), 400);
    assert_int_equal(request(f, "delete", "\xff"), 415);
    assert_int_equal(request(f, "get", ""), 0);
}

/* ---- numbers ---- */

static void test_numbers_come_back_as_they_were(void **state)
{
    struct fixture *f = *state;
    static const char *const same[] = {
        "0.1",
        "81.5",
        "9223372036854775807",
        "-9223372036854775808",
        "1e+300",
        "0.30000000000000004",
        "-0.5",
        "1.0",
        "5e-324",
        "1.7976931348623157e+308",
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
        char text[64];
        snprintf(text, sizeof(text), "{\"n\":%s}", same[i]);
        f->now_ms += 1000;
        assert_int_equal(report(f, text), 0);
        assert_int_equal(request(f, "get", ""), 0);
        assert_said(f, text);
    }
    assert_int_equal(report(f, "{\"n\":[9223372036854775808,-99999999999999999999,123]}"), 0);
    assert_said(f, "[9.223372036854776e+18,-1e+20,123]");
}

static void test_strings_come_back_as_they_were(void **state)
{
    struct fixture *f = *state;
    const char *text = "{\"a\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u00e9\U0001f600\"}";
    assert_int_equal(report(f, text), 0);
    assert_said(f, text);
    assert_int_equal(report(f, "{\"a\":\"\\u00e9\\ud83d\\ude00\\/\"}"), 0);
    assert_said(f, "{\"a\":\"\u00e9\U0001f600/\"}");
}

static void test_whole_reals_may_become_integers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(report(f, "{\"a\":1.0,\"b\":[2.0,[3.0]],\"c\":1.5,\"d\":1e300}"), 0);
    assert_said(f, "{\"a\":1.0,\"b\":[2.0,[3.0]],\"c\":1.5,\"d\":1e+300}");
    f->options->normalise_numbers = true;
    assert_int_equal(report(f, "{\"a\":1.0,\"b\":[2.0,[3.0]],\"c\":1.5,\"d\":1e300}"), 0);
    assert_said(f, "{\"a\":1,\"b\":[2,[3]],\"c\":1.5,\"d\":1e+300}");
    assert_stored(f, "{\"reported\":{\"a\":1,\"b\":[2,[3]],\"c\":1.5,\"d\":1e300}}");
}

static void test_delta_compares_numbers_by_value(void **state)
{
    struct fixture *f = *state;
    const char *both = "{\"state\":{\"desired\":{\"a\":1,\"b\":[2.0]},"
                       "\"reported\":{\"a\":1.0,\"b\":[2]}}}";
    assert_int_equal(request(f, "update", both), 0);
    assert_null(strstr(f->topics, "delta"));
    f->options->exact_delta_numbers = true;
    assert_int_equal(request(f, "update", both), 0);
    assert_non_null(strstr(f->topics, "delta"));
    assert_said(f, "\"state\":{\"a\":1,\"b\":[2.0]},\"metadata\":{\"a\":{\"timestamp\":1700000000},"
                   "\"b\":[{\"timestamp\":1700000000}]}");
    f->options->exact_delta_numbers = false;
    assert_int_equal(request(f, "update",
                             "{\"state\":{\"desired\":{\"a\":9223372036854775807},"
                             "\"reported\":{\"a\":9223372036854775808.0}}}"),
                     0);
    assert_non_null(strstr(f->topics, "delta"));
}

/* ---- merging ---- */

static void test_nulls_over_what_is_not_an_object(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(report(f, "{\"a\":5,\"m\":{\"n\":{\"o\":null}}}"), 0);
    assert_stored(f, "{\"reported\":{\"a\":5,\"m\":{\"n\":{}}}}");
    assert_int_equal(report(f, "{\"a\":{\"b\":null}}"), 0);
    assert_stored(f, "{\"reported\":{\"a\":{},\"m\":{\"n\":{}}}}");

    shadow_service_forget(f->service, "T", NULL);
    f->options->null_only_makes_nothing = true;
    assert_int_equal(report(f, "{\"a\":5,\"m\":{\"n\":{\"o\":null}},\"e\":{}}"), 0);
    assert_stored(f, "{\"reported\":{\"a\":5,\"e\":{}}}");
    assert_int_equal(report(f, "{\"e\":{\"x\":null}}"), 0);
    assert_stored(f, "{\"reported\":{\"a\":5,\"e\":{}}}");
}

static void test_null_sections_are_echoed_or_not(void **state)
{
    struct fixture *f = *state;
    const char *payload = "{\"state\":{\"desired\":null,\"reported\":{\"a\":1}}}";
    assert_int_equal(request(f, "update", payload), 0);
    assert_said(f, "{\"state\":{\"desired\":null,\"reported\":{\"a\":1}},"
                   "\"metadata\":{\"desired\":{\"timestamp\":1700000000}");
    f->options->echo_null_section = false;
    assert_int_equal(request(f, "update", payload), 0);
    assert_said(f, "{\"state\":{\"reported\":{\"a\":1}},\"metadata\":{\"reported\"");
}

static void test_size_counts_the_merged_values(void **state)
{
    struct fixture *f = *state;
    f->options->max_bytes = 40;
    /* {"a":"xxxxxxxxx"} is 17 bytes, twice 34. */
    assert_int_equal(request(f, "update",
                             "{\"state\":{\"desired\":{\"a\":\"xxxxxxxxx\"},"
                             "\"reported\":{\"a\":\"xxxxxxxxx\"}}}"),
                     0);
    assert_int_equal(report(f, "{\"b\":12}"), 413); /* + 7 */
    assert_int_equal(report(f, "{\"b\":1}"), 0);    /* + 6 */
    assert_int_equal(report(f, "{\"b\":\"123456789\",\"a\":null}"), 0);
    f->options->max_bytes = 0;
    assert_int_equal(report(f, "{\"c\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}"), 0);
}

static void test_metadata_times_follow_the_writes(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(report(f, "{\"a\":1,\"b\":{\"c\":2}}"), 0);
    f->now_ms += 5000;
    assert_int_equal(report(f, "{\"b\":{\"d\":[1,{\"e\":2}]}}"), 0);
    assert_int_equal(request(f, "get", ""), 0);
    assert_said(f, "\"metadata\":{\"reported\":{\"a\":{\"timestamp\":1700000000},"
                   "\"b\":{\"c\":{\"timestamp\":1700000000},"
                   "\"d\":[{\"timestamp\":1700000005},{\"e\":{\"timestamp\":1700000005}}]}}}");
    const json_t *metadata = shadow_service_metadata(f->service, "T", NULL);
    assert_non_null(json_object_get(metadata, "reported"));
}

static void test_get_may_carry_the_metadata_of_the_delta(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(request(f, "update", "{\"state\":{\"desired\":{\"a\":1}}}"), 0);
    assert_int_equal(request(f, "get", ""), 0);
    assert_said(f, "\"delta\":{\"a\":1}}");
    assert_not_said(f, "\"delta\":{\"a\":{\"timestamp\"");
    f->options->get_metadata_delta = true;
    assert_int_equal(request(f, "get", ""), 0);
    assert_said(f, "\"delta\":{\"a\":{\"timestamp\":1700000000}}");
    assert_stored(f, "{\"desired\":{\"a\":1}}"); /* telling has not changed the stored document */
}

/* ---- versions ---- */

static void test_version_of_a_shadow_that_never_was(void **state)
{
    struct fixture *f = *state;
    const char *one = "{\"state\":{\"reported\":{\"a\":1}},\"version\":1}";
    assert_int_equal(request(f, "update", one), 409);
    assert_int_equal(request(f, "update", "{\"state\":{\"reported\":{\"a\":1}},\"version\":0}"), 0);
    shadow_service_forget(f->service, "T", NULL);
    f->options->missing_accepts_version = true;
    assert_int_equal(request(f, "update", one), 0);
    assert_int_equal(shadow_service_version(f->service, "T", NULL), 1);
}

static void test_the_tombstone_lives_for_48_hours(void **state)
{
    struct fixture *f = *state;
    json_t *document = json_loads("{\"reported\":{\"a\":1}}", 0, NULL);
    const char *stale = "{\"state\":{\"reported\":{\"a\":1}},\"version\":9}";
    for (int bumps = 1; bumps >= 0; bumps--) {
        f->options->tombstone_bumps = bumps != 0;
        assert_int_equal(shadow_service_seed(f->service, "T", NULL, document, 9, f->now_ms), 0);
        assert_int_equal(request(f, "delete", ""), 0);
        assert_said(f, "{\"version\":9,");
        assert_int_equal(shadow_service_version(f->service, "T", NULL), 0);
        assert_null(shadow_service_document(f->service, "T", NULL));
        f->now_ms += 48 * HOUR_MS - 1;
        assert_int_equal(request(f, "update", stale), 409);
        assert_int_equal(report(f, "{\"a\":1}"), 0);
        assert_int_equal(shadow_service_version(f->service, "T", NULL), bumps ? 11 : 10);
        assert_said(f, "\"previous\":null");
        assert_int_equal(request(f, "delete", ""), 0);
        f->now_ms += 48 * HOUR_MS;
        assert_int_equal(report(f, "{\"a\":1}"), 0);
        assert_int_equal(shadow_service_version(f->service, "T", NULL), 1);
    }
    json_decref(document);
}

/* ---- rates, limits, texts ---- */

static void test_more_than_20_requests_a_second_are_refused(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(report(f, "{\"a\":1}"), 0);
        f->now_ms += 10;
    }
    assert_int_equal(request(f, "get", "{\"clientToken\":\"t\"}"), 429);
    assert_said(f, "\"clientToken\":\"t\"");
    assert_int_equal(send_bytes(f, "$aws/things/T/shadow/name/N/get", "", 0), 0);
    assert_int_equal(f->code, 404); /* another shadow has its own rate */
    f->now_ms = NOW_MS + 999;
    assert_int_equal(request(f, "get", ""), 429);
    f->now_ms = NOW_MS + 1000;
    assert_int_equal(request(f, "get", ""), 0);
    assert_int_equal(request(f, "get", ""), 429);
    assert_int_equal(shadow_service_counters(f->service)->throttled, 3);
    f->options->throttle_drops = true;
    assert_int_equal(send_bytes(f, "$aws/things/T/shadow/get", "", 0), SHADOW_SERVICE_DROPPED);
    assert_string_equal(f->topics, "");
    f->options->max_per_sec = 0;
    assert_int_equal(request(f, "get", ""), 0);
}

static void test_more_than_10_requests_in_flight_are_refused(void **state)
{
    struct fixture *f = *state;
    f->options->in_flight_ms = 100;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(request(f, "get", ""), 404);
        assert_int_equal(send_bytes(f, "$aws/things/T/shadow/name/N/get", "", 0), 0);
        assert_int_equal(f->code, 404);
    }
    assert_int_equal(request(f, "get", ""), 429);
    assert_int_equal(send_bytes(f, "$aws/things/U/shadow/get", "", 0), 0);
    assert_int_equal(f->code, 404);
    f->now_ms += 100;
    assert_int_equal(request(f, "get", ""), 404);
}

static void test_answers_beyond_the_broker_limit_vanish(void **state)
{
    struct fixture *f = *state;
    f->options->max_answer_size = 135;
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    assert_string_equal(f->topics, "$aws/things/T/shadow/update/accepted\n");
    assert_int_equal(shadow_service_counters(f->service)->oversized, 1);
    assert_int_equal(shadow_service_counters(f->service)->messages, 1);
}

static void test_rejections_with_time_and_other_texts(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(request(f, "get", ""), 404);
    assert_string_equal(f->last,
                        "{\"code\":404,\"message\":\"No shadow exists with name: 'T'\"}\n");
    f->options->rejected_timestamp = true;
    assert_int_equal(request(f, "get", ""), 404);
    assert_said(f, "\"timestamp\":1700000000");
    f->options->vary_messages = true;
    assert_int_equal(request(f, "get", ""), 404);
    assert_not_said(f, "No shadow exists");
}

static void test_documents_can_be_left_out(void **state)
{
    struct fixture *f = *state;
    f->options->publish_documents = false;
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    assert_string_equal(f->topics, "$aws/things/T/shadow/update/accepted\n");
}

static void test_every_order_of_answers_occurs(void **state)
{
    struct fixture *f = *state;
    char seen[6][256] = {{0}};
    int orders = 0;
    f->options->shuffle_seed = 42;
    f->options->max_per_sec = 0;
    for (int i = 0; i < 200; i++) {
        assert_int_equal(request(f, "update", "{\"state\":{\"desired\":{\"a\":1}}}"), 0);
        int known = 0;
        while (known < orders && strcmp(seen[known], f->topics) != 0)
            known++;
        assert_in_range(known, 0, 5);
        if (known == orders)
            snprintf(seen[orders++], sizeof(seen[0]), "%.255s", f->topics);
    }
    assert_int_equal(orders, 6);
}

static void test_messages_keep_their_order_while_the_queue_grows(void **state)
{
    struct fixture *f = *state;
    f->options->max_per_sec = 0;
    struct shadow_service_message message;
    int64_t next = 1;
    for (int64_t sent = 1; sent <= 100; sent++) {
        const char *text = "{\"state\":{\"reported\":{\"a\":1}}}";
        assert_int_equal(shadow_service_handle(f->service, "$aws/things/T/shadow/update", text,
                                               strlen(text), f->now_ms),
                         0);
        for (int i = 0; i < (sent % 2 ? 2 : 0); i++) {
            assert_true(shadow_service_next(f->service, &message));
            assert_int_equal(message.version, (next + 1) / 2);
            next++;
            shadow_service_message_clear(&message);
        }
    }
    for (; next <= 200; next++) {
        assert_true(shadow_service_next(f->service, &message));
        assert_int_equal(message.version, (next + 1) / 2);
        shadow_service_message_clear(&message);
    }
    assert_false(shadow_service_next(f->service, &message));
}

/* ---- faults, counters, looking inside ---- */

static void test_planned_rejections(void **state)
{
    struct fixture *f = *state;
    shadow_service_reject_next(f->service, SHADOW_SERVICE_UPDATE, 2, 503);
    assert_int_equal(request(f, "get", ""), 404);
    assert_int_equal(request(f, "update", "{\"state\":{},\"clientToken\":\"t\"}"), 503);
    assert_said(f, "\"clientToken\":\"t\"");
    assert_int_equal(report(f, "{\"a\":1}"), 503);
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    shadow_service_reject_next(f->service, SHADOW_SERVICE_GET, 5, 500);
    assert_int_equal(request(f, "get", ""), 500);
    shadow_service_reject_next(f->service, SHADOW_SERVICE_GET, 0, 0);
    assert_int_equal(request(f, "get", ""), 0);
    assert_int_equal(shadow_service_rejected_with(f->service, 503), 2);
}

static void test_a_poisoned_key(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(shadow_service_poison(f->service, "bad", 400), 0);
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    assert_int_equal(report(f, "{\"a\":{\"bad\":null}}"), 400);
    assert_int_equal(report(f, "{\"a\":[{\"bad\":1}]}"), 400);
    assert_int_equal(request(f, "update", "{\"state\":null}"), 0);
    assert_int_equal(shadow_service_poison(f->service, NULL, 0), 0);
    assert_int_equal(report(f, "{\"a\":{\"bad\":1}}"), 0);
}

static void test_counters(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(request(f, "get", ""), 404);
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    size_t bytes = strlen(f->last) - 2; /* two messages, a newline each */
    assert_int_equal(request(f, "update", "{}"), 400);
    bytes += strlen(f->last) - 1;
    assert_int_equal(request(f, "delete", ""), 0);
    bytes += strlen(f->last) - 1 +
             strlen("{\"code\":404,\"message\":\"No shadow exists with name: 'T'\"}");
    const struct shadow_service_counters *counters = shadow_service_counters(f->service);
    assert_int_equal(counters->operations[SHADOW_SERVICE_GET], 1);
    assert_int_equal(counters->operations[SHADOW_SERVICE_UPDATE], 2);
    assert_int_equal(counters->operations[SHADOW_SERVICE_DELETE], 1);
    assert_int_equal(counters->accepted[SHADOW_SERVICE_UPDATE], 1);
    assert_int_equal(counters->rejected[SHADOW_SERVICE_UPDATE], 1);
    assert_int_equal(counters->rejected[SHADOW_SERVICE_GET], 1);
    assert_int_equal(counters->requests_bytes, strlen("{\"state\":{\"reported\":{\"a\":1}}}{}"));
    assert_int_equal(counters->messages, 5);
    assert_int_equal(counters->messages_bytes, bytes);
    assert_int_equal(shadow_service_rejected_with(f->service, 404), 1);
    assert_int_equal(shadow_service_rejected_with(f->service, 400), 1);
    assert_int_equal(shadow_service_rejected_with(f->service, 409), 0);
    assert_int_equal(shadow_service_rejected_with(f->service, 99999), 0);
    shadow_service_reset_counters(f->service);
    assert_int_equal(counters->messages, 0);
    assert_int_equal(shadow_service_rejected_with(f->service, 404), 0);
}

static void test_seeding_checks_its_arguments(void **state)
{
    struct fixture *f = *state;
    json_t *document = json_object();
    json_t *array = json_array();
    assert_int_equal(shadow_service_seed(f->service, "", NULL, document, 1, 0), -EINVAL);
    assert_int_equal(shadow_service_seed(f->service, "a/b", NULL, document, 1, 0), -EINVAL);
    assert_int_equal(shadow_service_seed(f->service, "T", "", document, 1, 0), -EINVAL);
    assert_int_equal(shadow_service_seed(f->service, "T", NULL, document, 0, 0), -EINVAL);
    assert_int_equal(shadow_service_seed(f->service, "T", NULL, array, 1, 0), -EINVAL);
    assert_int_equal(shadow_service_seed(f->service, "T", NULL, document, 7, 0), 0);
    assert_int_equal(shadow_service_version(f->service, "T", NULL), 7);
    assert_int_equal(report(f, "{\"a\":1}"), 0);
    assert_int_equal(shadow_service_version(f->service, "T", NULL), 8);
    json_decref(document);
    json_decref(array);
}

static void test_many_shadows_are_found_again(void **state)
{
    struct fixture *f = *state;
    json_t *document = json_object();
    for (int i = 0; i < 300; i++) {
        char thing[16];
        snprintf(thing, sizeof(thing), "t%d", i * 7919 % 300);
        assert_int_equal(
            shadow_service_seed(f->service, thing, i % 2 ? "n" : NULL, document, i + 1, 0), 0);
    }
    for (int i = 0; i < 300; i++) {
        char thing[16];
        snprintf(thing, sizeof(thing), "t%d", i * 7919 % 300);
        assert_int_equal(shadow_service_version(f->service, thing, i % 2 ? "n" : NULL), i + 1);
        assert_int_equal(shadow_service_version(f->service, thing, i % 2 ? NULL : "n"), 0);
        shadow_service_forget(f->service, thing, i % 2 ? "n" : NULL);
        assert_int_equal(shadow_service_version(f->service, thing, i % 2 ? "n" : NULL), 0);
    }
    json_decref(document);
}

#define WITH_SERVICE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVICE(test_only_requests_are_requests),
        WITH_SERVICE(test_shadows_are_apart),
        WITH_SERVICE(test_bad_payloads_are_rejected_and_change_nothing),
        WITH_SERVICE(test_depth_is_checked_before_the_parser_recurses),
        WITH_SERVICE(test_arrays_count_as_levels_or_not),
        WITH_SERVICE(test_duplicate_keys),
        WITH_SERVICE(test_a_token_is_echoed_even_in_a_rejection),
        WITH_SERVICE(test_get_ignores_what_is_not_json),
        WITH_SERVICE(test_numbers_come_back_as_they_were),
        WITH_SERVICE(test_strings_come_back_as_they_were),
        WITH_SERVICE(test_whole_reals_may_become_integers),
        WITH_SERVICE(test_delta_compares_numbers_by_value),
        WITH_SERVICE(test_nulls_over_what_is_not_an_object),
        WITH_SERVICE(test_null_sections_are_echoed_or_not),
        WITH_SERVICE(test_size_counts_the_merged_values),
        WITH_SERVICE(test_metadata_times_follow_the_writes),
        WITH_SERVICE(test_get_may_carry_the_metadata_of_the_delta),
        WITH_SERVICE(test_version_of_a_shadow_that_never_was),
        WITH_SERVICE(test_the_tombstone_lives_for_48_hours),
        WITH_SERVICE(test_more_than_20_requests_a_second_are_refused),
        WITH_SERVICE(test_more_than_10_requests_in_flight_are_refused),
        WITH_SERVICE(test_answers_beyond_the_broker_limit_vanish),
        WITH_SERVICE(test_rejections_with_time_and_other_texts),
        WITH_SERVICE(test_documents_can_be_left_out),
        WITH_SERVICE(test_every_order_of_answers_occurs),
        WITH_SERVICE(test_messages_keep_their_order_while_the_queue_grows),
        WITH_SERVICE(test_planned_rejections),
        WITH_SERVICE(test_a_poisoned_key),
        WITH_SERVICE(test_counters),
        WITH_SERVICE(test_seeding_checks_its_arguments),
        WITH_SERVICE(test_many_shadows_are_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
