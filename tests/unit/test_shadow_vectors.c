/* Every vector of tests/data/shadow-vectors.json against the shadow service, and under the switches
 * that must change none of them. Expected objects are subsets; a given `state` or `doc` is
 * complete. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/shadow_service.h"

#define T0_SEC        INT64_C(1600000000)
#define TS_SEC        INT64_C(1600001000)
#define VECTORS_COUNT 44
#define MESSAGES_MAX  8

static json_t *vectors;

/* The messages of one step by the end of their topic: "update/accepted" -> payload. */
struct answers {
    struct shadow_service_message messages[MESSAGES_MAX];
    size_t count;
};

static int read_vectors(void **state)
{
    (void)state;
    json_error_t error;
    vectors = json_load_file(TEST_DATA_DIR "/shadow-vectors.json", 0, &error);
    if (!vectors)
        fprintf(stderr, "%s:%d: %s\n", error.source, error.line, error.text);
    return vectors ? 0 : -1;
}

static int free_vectors(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

/* Replace `<x*N>` by N times x. The caller frees the result. */
static char *expand(const char *text)
{
    size_t size = 0;
    char *result = NULL;
    FILE *out = open_memstream(&result, &size);
    assert_non_null(out);
    while (*text) {
        char c;
        unsigned times;
        int length = 0;
        if (sscanf(text, "<%c*%u>%n", &c, &times, &length) == 2 && length > 0) {
            for (unsigned i = 0; i < times; i++)
                fputc(c, out);
            text += length;
        } else {
            fputc(*text++, out);
        }
    }
    fclose(out);
    return result;
}

static json_t *expand_json(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY);
    char *expanded = expand(text);
    json_t *result = json_loads(expanded, JSON_DECODE_ANY, NULL);
    assert_non_null(result);
    free(text);
    free(expanded);
    return result;
}

static bool is_text(const json_t *value, const char *text)
{
    return json_is_string(value) && strcmp(json_string_value(value), text) == 0;
}

static bool matches(const json_t *expected, const json_t *actual, bool complete);

static bool arrays_match(const json_t *expected, const json_t *actual)
{
    if (!json_is_array(actual) || json_array_size(expected) != json_array_size(actual))
        return false;
    for (size_t i = 0; i < json_array_size(expected); i++) {
        if (!matches(json_array_get(expected, i), json_array_get(actual, i), false))
            return false;
    }
    return true;
}

/* Whether `actual` has all that is expected; `complete`: and nothing else. */
static bool matches(const json_t *expected, const json_t *actual, bool complete)
{
    if (is_text(expected, "TS"))
        return json_integer_value(actual) == TS_SEC;
    if (is_text(expected, "T0"))
        return json_integer_value(actual) == T0_SEC;
    if (json_is_array(expected))
        return arrays_match(expected, actual);
    if (!json_is_object(expected))
        return actual && json_equal(expected, actual);
    if (!json_is_object(actual))
        return false;
    if (complete && json_object_size(expected) != json_object_size(actual))
        return false;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)expected, key, value)
    {
        const json_t *other = json_object_get(actual, key);
        if (!other || !matches(value, other, complete || strcmp(key, "state") == 0))
            return false;
    }
    return true;
}

static struct answers send(struct shadow_service *service, const char *operation,
                           const char *payload)
{
    char topic[64];
    snprintf(topic, sizeof(topic), "$aws/things/T/shadow/%s", operation);
    assert_int_equal(
        shadow_service_handle(service, topic, payload, strlen(payload), TS_SEC * 1000 + 999), 0);
    struct answers answers = {.count = 0};
    while (answers.count < MESSAGES_MAX &&
           shadow_service_next(service, &answers.messages[answers.count]))
        answers.count++;
    assert_in_range(answers.count, 1, 3);
    return answers;
}

static const struct shadow_service_message *find(const struct answers *answers, const char *suffix)
{
    for (size_t i = 0; i < answers->count; i++) {
        const char *topic = answers->messages[i].topic;
        if (strcmp(topic + strlen("$aws/things/T/shadow/"), suffix) == 0)
            return &answers->messages[i];
    }
    return NULL;
}

static void check_message(const char *id, const struct answers *answers, const char *suffix,
                          const json_t *expected)
{
    const struct shadow_service_message *message = find(answers, suffix);
    if (!message)
        fail_msg("%s: no %s", id, suffix);
    json_t *actual = json_loadb(message->payload, message->size, 0, NULL);
    if (!matches(expected, actual, false))
        fail_msg("%s: %s is %s", id, suffix, message->payload);
    json_decref(actual);
}

static void check_document(const char *id, struct shadow_service *service, const json_t *expected)
{
    const json_t *document = shadow_service_document(service, "T", NULL);
    char *text = json_dumps(document, 0);
    if (!document || !json_equal(document, expected))
        fail_msg("%s: stored is %s", id, text);
    free(text);
}

static void run_step(const char *id, struct shadow_service *service, const json_t *step)
{
    char *payload = expand(json_string_value(json_object_get(step, "payload")));
    struct answers answers = send(service, json_string_value(json_object_get(step, "op")), payload);
    bool rejection_expected = false;
    const char *suffix;
    json_t *expected;
    json_object_foreach(json_object_get(step, "expect"), suffix, expected)
    {
        rejection_expected = rejection_expected || strstr(suffix, "/rejected");
        if (strcmp(suffix, "doc") == 0)
            check_document(id, service, expected);
        else
            check_message(id, &answers, suffix, expected);
    }
    size_t i;
    json_t *never;
    json_array_foreach(json_object_get(step, "never"), i, never)
    {
        if (find(&answers, json_string_value(never)))
            fail_msg("%s: %s must not be said", id, json_string_value(never));
    }
    /* A rejection stands alone, and nothing else is ever rejected. */
    for (size_t j = 0; j < answers.count; j++) {
        bool rejected = answers.messages[j].kind == SHADOW_SERVICE_REJECTED;
        if (rejected != rejection_expected || (rejected && answers.count != 1))
            fail_msg("%s: unexpected %s", id, answers.messages[j].payload);
        shadow_service_message_clear(&answers.messages[j]);
    }
    free(payload);
}

static void run_vectors(const struct shadow_service_options *options)
{
    assert_int_equal(json_array_size(vectors), VECTORS_COUNT);
    size_t i;
    json_t *vector;
    json_array_foreach(vectors, i, vector)
    {
        const char *id = json_string_value(json_object_get(vector, "id"));
        struct shadow_service *service = shadow_service_new(options);
        const json_t *given = json_object_get(vector, "given");
        if (!json_is_null(given)) {
            json_t *document = expand_json(json_object_get(given, "doc"));
            assert_int_equal(
                shadow_service_seed(service, "T", NULL, document,
                                    json_integer_value(json_object_get(given, "version")),
                                    T0_SEC * 1000),
                0);
            json_decref(document);
        }
        size_t j;
        json_t *step;
        json_array_foreach(json_object_get(vector, "steps"), j, step)
        {
            run_step(id, service, step);
        }
        shadow_service_free(service);
    }
}

static void test_vectors_hold(void **state)
{
    (void)state;
    run_vectors(NULL);
}

static void test_vectors_hold_in_any_order_of_answers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct shadow_service_options options;
        shadow_service_options_init(&options);
        options.shuffle_seed = seed;
        run_vectors(&options);
    }
}

static void test_vectors_hold_under_unrelated_switches(void **state)
{
    (void)state;
    struct shadow_service_options options;
    shadow_service_options_init(&options);
    options.rejected_timestamp = true;
    options.get_metadata_delta = true;
    options.echo_null_section = false;
    options.echo_long_token = true;
    options.normalise_numbers = true;
    options.exact_delta_numbers = true;
    options.arrays_count_as_level = true;
    options.refuse_duplicate_keys = true;
    options.null_only_makes_nothing = true;
    options.missing_accepts_version = true;
    options.strict_get_payload = true;
    run_vectors(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_hold),
        cmocka_unit_test(test_vectors_hold_in_any_order_of_answers),
        cmocka_unit_test(test_vectors_hold_under_unrelated_switches),
    };
    return cmocka_run_group_tests(tests, read_vectors, free_vectors);
}
