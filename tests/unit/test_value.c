#include "proto/json_text.h"
#include "proto/limits.h"
#include "proto/value.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static struct flux_value string_of(const char *text)
{
    return flux_value_string(text, strlen(text));
}

static struct flux_value array_of(const char *json)
{
    return flux_value_array(json, strlen(json));
}

static bool equal(struct flux_value a, struct flux_value b)
{
    assert_int_equal(flux_value_equal(&a, &b), flux_value_equal(&b, &a));
    return flux_value_equal(&a, &b);
}

static void test_numbers_compare_across_types(void **state)
{
    (void)state;
    assert_true(equal(flux_value_int64(1), flux_value_double(1.0)));
    assert_true(equal(flux_value_double(0.0), flux_value_double(-0.0)));
    assert_false(equal(flux_value_int64(1), flux_value_double(1.25)));
    assert_false(equal(flux_value_int64(1), flux_value_int64(2)));
    assert_false(equal(flux_value_int64(1), flux_value_bool(true)));
    assert_false(equal(flux_value_int64(INT64_MAX), flux_value_double(0x1p63)));
}

static void test_other_values_compare_within_their_type(void **state)
{
    (void)state;
    struct flux_value none = {.type = FLUX_VALUE_NONE};
    assert_true(equal(none, none));
    assert_false(equal(none, flux_value_empty_object()));
    assert_true(equal(flux_value_empty_object(), flux_value_empty_object()));
    assert_true(equal(flux_value_bool(true), flux_value_bool(true)));
    assert_false(equal(flux_value_bool(true), flux_value_bool(false)));
    assert_true(equal(string_of("a"), string_of("a")));
    assert_false(equal(string_of("a"), string_of("ab")));
    assert_true(equal(flux_value_string(NULL, 0), string_of("")));
    assert_false(equal(string_of("[]"), array_of("[]")));
    assert_true(equal(array_of("[1,{\"a\":1,\"b\":2}]"), array_of("[1.0,{\"b\":2,\"a\":1}]")));
    assert_false(equal(array_of("[1]"), array_of("[2]")));
}

static void test_a_copy_owns_its_text(void **state)
{
    (void)state;
    char text[] = "text";
    struct flux_value borrowed = flux_value_string(text, 4), copy;
    assert_int_equal(flux_value_copy(&copy, &borrowed), 0);
    text[0] = 'T';
    assert_string_equal(copy.text, "text");
    assert_int_equal(copy.size, 4);
    flux_value_clear(&copy);
    assert_int_equal(copy.type, FLUX_VALUE_NONE);

    struct flux_value empty = flux_value_string(NULL, 0);
    assert_int_equal(flux_value_copy(&copy, &empty), 0);
    assert_string_equal(copy.text, "");
    flux_value_clear(&copy);
}

static void test_assigning_replaces_and_frees(void **state)
{
    (void)state;
    struct flux_value value = {.type = FLUX_VALUE_NONE};
    const struct flux_value sources[] = {
        string_of("0123456789"),
        string_of("abc"),
        string_of("a text that needs more memory than the one before it"),
        array_of("[1,2,3]"),
        string_of("1234567"),
        flux_value_double(0.5),
        string_of("short"),
        flux_value_string(NULL, 0),
        flux_value_empty_object(),
        string_of("exactly 15 byte"),
        string_of("exactly 16 bytes"),
    };
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        assert_int_equal(flux_value_assign(&value, &sources[i]), 0);
        assert_int_equal(value.type, sources[i].type);
        assert_true(flux_value_equal(&value, &sources[i]));
        if (value.type == FLUX_VALUE_STRING || value.type == FLUX_VALUE_ARRAY)
            assert_int_equal(value.text[value.size], '\0');
    }
    assert_int_equal(flux_value_assign(&value, &value), 0);
    assert_string_equal(value.text, "exactly 16 bytes");
    struct flux_value part = flux_value_string(value.text + 8, 8);
    assert_int_equal(flux_value_assign(&value, &part), 0);
    assert_string_equal(value.text, "16 bytes");
    flux_value_clear(&value);
}

static int check(struct flux_value value)
{
    return flux_value_check(&value);
}

static void test_what_no_shadow_can_hold_is_refused(void **state)
{
    (void)state;
    assert_int_equal(check((struct flux_value){.type = FLUX_VALUE_NONE}), -EINVAL);
    assert_int_equal(check((struct flux_value){.type = (enum flux_value_type)7}), -EINVAL);
    assert_int_equal(check(flux_value_double(NAN)), -EDOM);
    assert_int_equal(check(flux_value_double(-INFINITY)), -EDOM);
    assert_int_equal(check(string_of("\xc3")), -EILSEQ);
    assert_int_equal(check(flux_value_string("a\0b", 3)), -EINVAL);
    assert_int_equal(check(array_of("[\"\xff\"]")), -EILSEQ);
    assert_int_equal(check(array_of("")), -EINVAL);
    assert_int_equal(check(array_of("{}")), -EINVAL);
    static const char *const malformed[] = {
        "[1",
        "1",
        "[1]x",
        "[1][2]",
        "[1,]",
        "[01]",
        "[null]",
        "[[null]]",
        "[{\"a\":null}]",
        "[{\"\":1}]",
        "[1, 2]",
        "[1] ",
        "[1e400]",
        "[NaN]",
        "['a']",
        "[\"\n\"]",
        "[\"\\q\"]",
        "[\"\\u0000\"]",
        "[9223372036854775808]",
        "[{\"a\"}]",
        "[{1:2}]",
        "[\"\\ud800\"]",
    };
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        if (check(array_of(malformed[i])) != -EINVAL)
            fail_msg("%s was accepted", malformed[i]);
    }
}

static void test_what_a_shadow_can_hold_is_not(void **state)
{
    (void)state;
    assert_int_equal(check(flux_value_bool(false)), 0);
    assert_int_equal(check(flux_value_int64(INT64_MIN)), 0);
    assert_int_equal(check(flux_value_double(1e300)), 0);
    assert_int_equal(check(flux_value_string(NULL, 0)), 0);
    assert_int_equal(check(string_of("\xe2\x82\xac \x7f\n")), 0);
    assert_int_equal(check(array_of("[]")), 0);
    assert_int_equal(check(array_of("[1,[\"null\"],{\"a\":{}}]")), 0);
    assert_int_equal(check(array_of("[\"a b\\n\\\" \\\\\",-1.5e-3,9223372036854775807]")), 0);
    assert_int_equal(check(flux_value_empty_object()), 0);
}

static void test_arrays_nest_as_deep_as_they_can_be_compared(void **state)
{
    (void)state;
    char text[2 * FLUX_JSON_TEXT_NESTING_MAX + 2];
    size_t depth = FLUX_JSON_TEXT_NESTING_MAX;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    assert_int_equal(check(flux_value_array(text, 2 * depth)), 0);
    depth++;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    assert_int_equal(check(flux_value_array(text, 2 * depth)), -EINVAL);
}

static void test_the_size_limit_is_exact(void **state)
{
    (void)state;
    char *text = malloc(FLUX_VALUE_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, 'x', FLUX_VALUE_BYTES_MAX + 1);
    assert_int_equal(check(flux_value_string(text, FLUX_VALUE_BYTES_MAX)), 0);
    assert_int_equal(check(flux_value_string(text, FLUX_VALUE_BYTES_MAX + 1)), -E2BIG);
#if SIZE_MAX > UINT32_MAX
    assert_int_equal(check(flux_value_string(text, (size_t)UINT32_MAX + 6)), -E2BIG);
#endif
    free(text);
}

static void test_depth_is_that_of_arrays(void **state)
{
    (void)state;
    struct flux_value array = array_of("[{\"a\":{\"b\":1}}]");
    struct flux_value string = string_of("[{\"a\":1}]");
    struct flux_value object = flux_value_empty_object();
    assert_int_equal(flux_value_depth(&array), 2);
    assert_int_equal(flux_value_depth(&string), 0);
    assert_int_equal(flux_value_depth(&object), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_compare_across_types),
        cmocka_unit_test(test_other_values_compare_within_their_type),
        cmocka_unit_test(test_a_copy_owns_its_text),
        cmocka_unit_test(test_assigning_replaces_and_frees),
        cmocka_unit_test(test_what_no_shadow_can_hold_is_refused),
        cmocka_unit_test(test_what_a_shadow_can_hold_is_not),
        cmocka_unit_test(test_arrays_nest_as_deep_as_they_can_be_compared),
        cmocka_unit_test(test_the_size_limit_is_exact),
        cmocka_unit_test(test_depth_is_that_of_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
