#include "daemon/shadow/cloud_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(const char *text, struct cloud_message *ret_message)
{
    const char *reason = NULL;
    int r = cloud_message_parse(ret_message, text, strlen(text), &reason);
    if (r == CLOUD_MESSAGE_UNREADABLE)
        assert_non_null(reason);
    return r;
}

static void test_an_answer_is_taken_apart(void **state)
{
    (void)state;
    struct cloud_message message;
    assert_int_equal(parse("{\"state\":{\"reported\":{\"a\":1},\"desired\":null},\"version\":7,"
                           "\"clientToken\":\"t-1\",\"timestamp\":1}",
                           &message),
                     CLOUD_MESSAGE_READ);
    assert_int_equal(message.version, 7);
    assert_string_equal(message.token, "t-1");
    assert_int_equal(message.reported.state, CLOUD_SECTION_OBJECT);
    assert_int_equal(message.desired.state, CLOUD_SECTION_NULL);
    assert_int_equal(message.code, 0);
    cloud_message_clear(&message);
}

static void test_a_null_state_clears_both_sections(void **state)
{
    (void)state;
    struct cloud_message message;
    assert_int_equal(parse("{\"state\":null,\"version\":18}", &message), CLOUD_MESSAGE_READ);
    assert_int_equal(message.reported.state, CLOUD_SECTION_NULL);
    assert_int_equal(message.desired.state, CLOUD_SECTION_NULL);
    cloud_message_clear(&message);
}

static void test_what_is_missing_reads_as_missing(void **state)
{
    (void)state;
    struct cloud_message message;
    assert_int_equal(parse("{\"code\":404,\"message\":\"x\"}", &message), CLOUD_MESSAGE_READ);
    assert_int_equal(message.version, -1);
    assert_int_equal(message.code, 404);
    assert_string_equal(message.token, "");
    assert_int_equal(message.reported.state, CLOUD_SECTION_ABSENT);
    cloud_message_clear(&message);
}

static void test_garbage_is_unreadable(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "null",
        "[1]",
        "{",
        "{\"state\":[]}",
        "{\"state\":{\"reported\":5}}",
        "{\"state\":{\"desired\":\"x\"}}",
        "{\"state\":{\"reported\":{\"a\":1e400}}}",
        "{\"state\":{\"reported\":{\"a\":\"\xff\"}}}",
        "{\"version\":1} x",
    };
    struct cloud_message message;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(parse(texts[i], &message), CLOUD_MESSAGE_UNREADABLE);
}

static void test_a_version_that_none_could_follow_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"version\":9223372036854775807}",
        "{\"version\":-1}",
        "{\"version\":1.5}",
        "{\"version\":\"1\"}",
        "{\"version\":-1e300}",
        "{\"version\":-9223372036854775809}",
        "{\"version\":99999999999999999999999}",
    };
    struct cloud_message message;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_int_equal(parse(texts[i], &message), CLOUD_MESSAGE_READ);
        assert_int_equal(message.version, -1);
        cloud_message_clear(&message);
    }
    assert_int_equal(parse("{\"version\":9007199254740992}", &message), CLOUD_MESSAGE_READ);
    assert_int_equal(message.version, 9007199254740992);
    cloud_message_clear(&message);
}

static void test_deep_nesting_is_refused_before_it_is_read(void **state)
{
    (void)state;
    enum { depth = 100000 };
    char *text = malloc(depth + 1);
    assert_non_null(text);
    memset(text, '[', depth);
    text[depth] = '\0';
    struct cloud_message message;
    assert_int_equal(parse(text, &message), CLOUD_MESSAGE_UNREADABLE);
    free(text);
}

static void test_an_integer_beyond_64_bits_is_read_as_a_real(void **state)
{
    (void)state;
    struct cloud_message message;
    assert_int_equal(
        parse("{\"state\":{\"reported\":{\"a\":123456789012345678901234}},\"version\":3}",
              &message),
        CLOUD_MESSAGE_READ);
    assert_int_equal(message.version, 3);
    struct cloud_walk walk;
    struct cloud_item item;
    cloud_walk_begin(&walk, message.reported.object);
    assert_int_equal(cloud_walk_next(&walk, &item), 0);
    assert_int_equal(item.value.type, FLUX_VALUE_DOUBLE);
    cloud_walk_end(&walk);
    cloud_message_clear(&message);
}

static void test_a_walk_tells_every_step(void **state)
{
    (void)state;
    struct cloud_message message;
    assert_int_equal(parse("{\"state\":{\"reported\":{\"o\":{\"x\":true,\"n\":null},"
                           "\"l\":[1.0,{\"k\":\"v\"},[0.1]]}}}",
                           &message),
                     CLOUD_MESSAGE_READ);
    static const enum cloud_step steps[] = {CLOUD_ENTER, CLOUD_LEAF, CLOUD_NULL,
                                            CLOUD_LEAVE, CLOUD_LEAF, CLOUD_END};
    struct cloud_walk walk;
    struct cloud_item item;
    cloud_walk_begin(&walk, message.reported.object);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        assert_int_equal(cloud_walk_next(&walk, &item), 0);
        assert_int_equal(item.step, steps[i]);
        if (i == 4) {
            struct flux_value wanted = flux_value_array("[1,{\"k\":\"v\"},[0.1]]", 19);
            assert_true(flux_value_equal(&item.value, &wanted));
        }
    }
    cloud_walk_end(&walk);
    cloud_message_clear(&message);
}

static void test_a_token_that_is_too_long_is_nobodys(void **state)
{
    (void)state;
    char text[128];
    struct cloud_message message;
    memset(text, 0, sizeof(text));
    strcpy(text, "{\"clientToken\":\"");
    memset(text + strlen(text), 'x', CLOUD_TOKEN_MAX + 1);
    strcat(text, "\"}");
    assert_int_equal(parse(text, &message), CLOUD_MESSAGE_READ);
    assert_string_equal(message.token, "");
    cloud_message_clear(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_is_taken_apart),
        cmocka_unit_test(test_a_null_state_clears_both_sections),
        cmocka_unit_test(test_what_is_missing_reads_as_missing),
        cmocka_unit_test(test_garbage_is_unreadable),
        cmocka_unit_test(test_a_version_that_none_could_follow_is_none),
        cmocka_unit_test(test_deep_nesting_is_refused_before_it_is_read),
        cmocka_unit_test(test_an_integer_beyond_64_bits_is_read_as_a_real),
        cmocka_unit_test(test_a_walk_tells_every_step),
        cmocka_unit_test(test_a_token_that_is_too_long_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
