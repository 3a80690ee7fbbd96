#include "client/fluxctl/value.h"
#include "proto/number.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static struct fluxctl_value parse(const char *argument)
{
    struct fluxctl_value value;
    assert_int_equal(fluxctl_value_parse(argument, false, &value), 0);
    return value;
}

static void test_first_equals_sign_splits(void **state)
{
    (void)state;
    struct fluxctl_value value = parse("a.b=c=d");
    assert_int_equal(value.path_size, 3);
    assert_int_equal(value.kind, FLUXCTL_VALUE_STRING);
    assert_string_equal(value.text, "c=d");
    value = parse("a=");
    assert_int_equal(value.kind, FLUXCTL_VALUE_STRING);
    assert_string_equal(value.text, "");
    assert_int_equal(fluxctl_value_parse("a", false, &value), -EINVAL);
    assert_int_equal(fluxctl_value_parse("=1", false, &value), -EINVAL);
    assert_int_equal(fluxctl_value_parse(":=1", false, &value), -EINVAL);
    assert_int_equal(fluxctl_value_parse("", false, &value), -EINVAL);
}

static void test_bare_values_get_their_type(void **state)
{
    (void)state;
    assert_true(parse("a=true").boolean);
    struct fluxctl_value value = parse("a=false");
    assert_int_equal(value.kind, FLUXCTL_VALUE_BOOL);
    assert_false(value.boolean);
    value = parse("a=-9223372036854775808");
    assert_int_equal(value.kind, FLUXCTL_VALUE_INT64);
    assert_true(value.int64 == INT64_MIN);
    value = parse("a=81.5");
    assert_int_equal(value.kind, FLUXCTL_VALUE_DOUBLE);
    assert_true(value.real == 81.5);
    value = parse("a=1e-7");
    assert_int_equal(value.kind, FLUXCTL_VALUE_DOUBLE);
    static const char *const strings[] = {"a=True", "a=null", "a=1.2.3", "a=nan", "a=inf", "a=0x10",
                                          "a=-",    "a=.",    "a=1e",    "a=1 ",  "a= 1",  "a=e5",
                                          "a=12h",  "a={}",   "a=\"x\"", "a=ohne"};
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        assert_int_equal(parse(strings[i]).kind, FLUXCTL_VALUE_STRING);
}

static void test_the_number_that_was_meant_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text, *number;
    } cases[] = {
        {"1.10", "1.10"},
        {"1e5", "1e5"},
        {"-0", "-0"},
        {"01", "1"},
        {"+5", "5"},
        {"-007", "-7"},
        {".5", "0.5"},
        {"5.", "5"},
        {"00", "0"},
        {"12345678901234567890", "1.2345678901234567e+19"},
        {"+9007199254740993", "9007199254740993"},
    };
    char number[FLUXCTL_NUMBER_SIZE];
    struct fluxctl_value value;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char argument[64];
        (void)snprintf(argument, sizeof(argument), "a=%s", cases[i].text);
        assert_int_equal(fluxctl_value_parse(argument, false, &value), -ERANGE);
        assert_true(fluxctl_value_number(cases[i].text, number));
        assert_string_equal(number, cases[i].number);
    }
    assert_false(fluxctl_value_number("1e400", number));
}

static void test_numbers_that_would_not_survive_are_refused(void **state)
{
    (void)state;
    static const char *const refused[] = {"a=1.10",
                                          "a=1e5",
                                          "a=5.0",
                                          "a=+5",
                                          "a=.5",
                                          "a=5.",
                                          "a=007",
                                          "a=-0",
                                          "a=-0.0",
                                          "a=0.0",
                                          "a=1E-7",
                                          "a=1e-07",
                                          "a=1e400",
                                          "a=12345678901234567890",
                                          "a=9223372036854775808",
                                          "a=0.1000000000000000055"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct fluxctl_value value;
        assert_int_equal(fluxctl_value_parse(refused[i], false, &value), -ERANGE);
        assert_int_equal(value.path_size, 1);
        assert_int_equal(fluxctl_value_parse(refused[i], true, &value), 0);
        assert_int_equal(value.kind, FLUXCTL_VALUE_STRING);
        assert_string_equal(value.text, refused[i] + 2);
    }
}

static void test_colon_equals_is_json_even_with_string(void **state)
{
    (void)state;
    struct fluxctl_value value = parse("a.b:=[1, 2]");
    assert_int_equal(value.kind, FLUXCTL_VALUE_JSON);
    assert_int_equal(value.path_size, 3);
    assert_string_equal(value.text, "[1, 2]");
    assert_int_equal(fluxctl_value_parse("a:=1.10", true, &value), 0);
    assert_int_equal(value.kind, FLUXCTL_VALUE_JSON);
}

/* What the shadow shows can be typed: fluxctl and the wire agree on the canonical text. */
static void test_what_the_daemon_writes_is_taken(void **state)
{
    (void)state;
    uint64_t seed = 42;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        double real = ((double)(int64_t)seed) / (double)(1u << (seed >> 40 & 31)) / 1e6;
        if (i % 3 == 0)
            real = (double)((int64_t)seed % 100000) / 100;
        char text[FLUX_NUMBER_TEXT_MAX], argument[64];
        (void)flux_number_format(text, real);
        (void)snprintf(argument, sizeof(argument), "a=%s", text);
        struct fluxctl_value value;
        int r = fluxctl_value_parse(argument, false, &value);
        if (strpbrk(text, ".e") != NULL) {
            assert_int_equal(r, 0);
            assert_int_equal(value.kind, FLUXCTL_VALUE_DOUBLE);
            assert_true(value.real == real);
        } else {
            assert_int_equal(value.kind, FLUXCTL_VALUE_INT64);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_equals_sign_splits),
        cmocka_unit_test(test_bare_values_get_their_type),
        cmocka_unit_test(test_the_number_that_was_meant_is_named),
        cmocka_unit_test(test_numbers_that_would_not_survive_are_refused),
        cmocka_unit_test(test_colon_equals_is_json_even_with_string),
        cmocka_unit_test(test_what_the_daemon_writes_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
