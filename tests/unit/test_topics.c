#include "daemon/shadow/topics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_answer_topics_read_back(void **state)
{
    (void)state;
    char text[TOPIC_BYTES_MAX];
    struct topic topic;
    for (enum topic_kind kind = 0; kind < TOPIC_KIND_COUNT; kind++) {
        topic_write_answer(text, "dev:1", "", kind);
        assert_true(topic_parse(text, &topic));
        assert_int_equal(topic.kind, kind);
        assert_string_equal(topic.thing, "dev:1");
        assert_string_equal(topic.shadow, "");

        topic_write_answer(text, "dev:1", "motor", kind);
        assert_true(topic_parse(text, &topic));
        assert_int_equal(topic.kind, kind);
        assert_string_equal(topic.shadow, "motor");
    }
}

static void test_request_topics_are_the_services(void **state)
{
    (void)state;
    char text[TOPIC_BYTES_MAX];
    topic_write_request(text, "T", "", TOPIC_UPDATE);
    assert_string_equal(text, "$aws/things/T/shadow/update");
    topic_write_request(text, "T", "N", TOPIC_GET);
    assert_string_equal(text, "$aws/things/T/shadow/name/N/get");
}

static void test_other_topics_are_refused(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        "$aws/things/",
        "$aws/things/T",
        "$aws/things//shadow/get/accepted",
        "$aws/things/T/shadow/update",
        "$aws/things/T/shadow/update/documents",
        "$aws/things/T/shadow/get/accepted/x",
        "$aws/things/T/shadow/name/get/accepted",
        "$aws/things/T/jobs/notify",
        "aws/things/T/shadow/get/accepted",
    };
    struct topic topic;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_false(topic_parse(others[i], &topic));
}

static void test_names_keep_to_the_services_alphabet(void **state)
{
    (void)state;
    char longest[FLUX_THING_NAME_MAX + 2];
    memset(longest, 'a', sizeof(longest) - 1);
    longest[FLUX_THING_NAME_MAX + 1] = '\0';
    assert_false(topic_is_thing_name(longest));
    longest[FLUX_THING_NAME_MAX] = '\0';
    assert_true(topic_is_thing_name(longest));
    assert_false(topic_is_shadow_name(longest));
    assert_false(topic_is_thing_name(""));
    assert_false(topic_is_thing_name("a/b"));
    assert_false(topic_is_thing_name("a+"));
    assert_false(topic_is_thing_name("$a"));
    assert_true(topic_is_shadow_name("$package"));
    assert_true(topic_is_thing_name("a:B_9-"));
}

static void test_only_deltas_are_worth_a_puback(void **state)
{
    (void)state;
    for (enum topic_kind kind = 0; kind < TOPIC_KIND_COUNT; kind++)
        assert_int_equal(topic_qos(kind), kind == TOPIC_UPDATE_DELTA ? 1 : 0);
}

static void test_patterns_name_things(void **state)
{
    (void)state;
    assert_true(topic_is_thing_pattern("*"));
    assert_true(topic_is_thing_pattern("gw-*"));
    assert_true(topic_is_thing_pattern("gw"));
    assert_false(topic_is_thing_pattern(""));
    assert_false(topic_is_thing_pattern("g*w"));
    assert_false(topic_is_thing_pattern("gw-**"));
    assert_false(topic_is_thing_pattern("a/b*"));
    assert_true(topic_matches_pattern("gw-*", "gw-7"));
    assert_true(topic_matches_pattern("gw-*", "gw-"));
    assert_false(topic_matches_pattern("gw-*", "gw"));
    assert_true(topic_matches_pattern("gw", "gw"));
    assert_false(topic_matches_pattern("gw", "gw2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns_name_things),
        cmocka_unit_test(test_answer_topics_read_back),
        cmocka_unit_test(test_request_topics_are_the_services),
        cmocka_unit_test(test_other_topics_are_refused),
        cmocka_unit_test(test_names_keep_to_the_services_alphabet),
        cmocka_unit_test(test_only_deltas_are_worth_a_puback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
