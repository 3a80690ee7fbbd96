#include "proto/number.h"
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void assert_format(double real, const char *expected)
{
    char text[FLUX_NUMBER_TEXT_MAX];
    size_t size = flux_number_format(text, real);
    assert_string_equal(text, expected);
    assert_int_equal(size, strlen(expected));
}

static void test_doubles_stay_short(void **state)
{
    (void)state;
    assert_format(81.5, "81.5");
    assert_format(0.1, "0.1");
    assert_format(-0.1, "-0.1");
    assert_format(0.30000000000000004, "0.30000000000000004");
    assert_format(1.0 / 3.0, "0.3333333333333333");
    assert_format(1e300, "1e+300");
    assert_format(1e-5, "1e-5");
    assert_format(1.5e-7, "1.5e-7");
    assert_format(5e-324, "5e-324");
    assert_format(DBL_MAX, "1.7976931348623157e+308");
    assert_format(-DBL_MAX, "-1.7976931348623157e+308");
    assert_format(DBL_MIN, "2.2250738585072014e-308");
}

static void test_integral_doubles_get_no_fraction(void **state)
{
    (void)state;
    assert_format(5.0, "5");
    assert_format(-5.0, "-5");
    assert_format(0.0, "0");
    assert_format(-0.0, "0");
    assert_format(100000000.0, "100000000");
    assert_format(999999999999999.0, "999999999999999");
    assert_format(9007199254740993.0, "9007199254740992");
}

static void test_every_double_reads_back_equal(void **state)
{
    (void)state;
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double real;
        memcpy(&real, &bits, sizeof(real));
        if (!isfinite(real))
            continue;
        char text[FLUX_NUMBER_TEXT_MAX];
        size_t size = flux_number_format(text, real);
        int64_t int64 = 0;
        double back = 0;
        if (flux_number_parse(text, size, &int64, &back) == FLUX_NUMBER_INT64)
            back = (double)int64;
        assert_true(back == real);
    }
}

/* What printf writes with the fifteen digits that any decimal survives is the shortest text. */
static void test_numbers_with_few_decimals_get_the_shortest_text(void **state)
{
    (void)state;
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    uint64_t bits = 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 50000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double power = powers[bits % 8];
        double real = (double)((bits >> 8) % (1u << (bits >> 59))) / power;
        if (real < 1e-4 || real == (double)(int64_t)real)
            continue;
        char expected[64];
        snprintf(expected, sizeof(expected), "%.15g", real);
        assert_format(real, expected);
        snprintf(expected, sizeof(expected), "%.15g", -real);
        assert_format(-real, expected);
    }
    assert_format(0.000123, "0.000123");
    assert_format(123456789.123456, "123456789.123456");
    assert_format(999999999.9, "999999999.9");
    assert_format(1000000000.1, "1000000000.1");
}

static void test_integers_are_exact(void **state)
{
    (void)state;
    char text[FLUX_NUMBER_TEXT_MAX];
    assert_int_equal(flux_number_format_int64(text, INT64_MIN), 20);
    assert_string_equal(text, "-9223372036854775808");
    flux_number_format_int64(text, INT64_MAX);
    assert_string_equal(text, "9223372036854775807");
    flux_number_format_uint64(text, UINT64_MAX);
    assert_string_equal(text, "18446744073709551615");
    flux_number_format_int64(text, 0);
    assert_string_equal(text, "0");
}

static void assert_int64(const char *text, int64_t expected)
{
    int64_t int64 = 77;
    double real = 0;
    assert_int_equal(flux_number_parse(text, strlen(text), &int64, &real), FLUX_NUMBER_INT64);
    assert_true(int64 == expected);
}

static void assert_real(const char *text, double expected)
{
    int64_t int64 = 0;
    double real = 77;
    assert_int_equal(flux_number_parse(text, strlen(text), &int64, &real), FLUX_NUMBER_DOUBLE);
    assert_true(real == expected);
}

static void assert_invalid(const char *text, size_t size)
{
    int64_t int64 = 0;
    double real = 0;
    assert_int_equal(flux_number_parse(text, size, &int64, &real), FLUX_NUMBER_INVALID);
}

static void test_numbers_are_read_by_jsons_grammar(void **state)
{
    (void)state;
    assert_int64("0", 0);
    assert_int64("-0", 0);
    assert_int64("-17", -17);
    assert_real("1.0", 1);
    assert_real("1e3", 1000);
    assert_real("1E+3", 1000);
    assert_real("-2.5e-1", -0.25);
    static const char *const malformed[] = {"",    "-",  "+1", "01",   ".5",  "1.",  "1e",
                                            "1e+", "1x", "x",  "0x10", "--1", "NaN", "1 "};
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++)
        assert_invalid(malformed[i], strlen(malformed[i]));
}

static void test_an_integer_beyond_64_bits_is_read_as_real(void **state)
{
    (void)state;
    assert_int64("9223372036854775807", INT64_MAX);
    assert_int64("-9223372036854775808", INT64_MIN);
    assert_real("9223372036854775808", 0x1p63);
    assert_real("-9223372036854775809", -0x1p63);
    assert_real("100000000000000000000", 1e20);
}

static void test_a_number_out_of_range_or_reason_is_refused(void **state)
{
    (void)state;
    assert_invalid("1e400", 5);
    char longest[FLUX_NUMBER_INPUT_MAX + 1];
    memset(longest, '1', sizeof(longest));
    longest[1] = '.';
    int64_t int64;
    double real;
    assert_int_equal(flux_number_parse(longest, FLUX_NUMBER_INPUT_MAX, &int64, &real),
                     FLUX_NUMBER_DOUBLE);
    assert_invalid(longest, FLUX_NUMBER_INPUT_MAX + 1);
}

static void test_integers_and_doubles_compare_exactly(void **state)
{
    (void)state;
    assert_true(flux_number_equal(1, 1.0));
    assert_false(flux_number_equal(1, 1.5));
    assert_true(flux_number_equal(0, -0.0));
    assert_true(flux_number_equal(INT64_MIN, -0x1p63));
    assert_false(flux_number_equal(INT64_MAX, 0x1p63));
    assert_false(flux_number_equal(9007199254740993, 9007199254740992.0));
    assert_false(flux_number_equal(0, NAN));
    assert_false(flux_number_equal(0, INFINITY));
}

static void test_the_locales_decimal_point_does_not_matter(void **state)
{
    (void)state;
    static const char *const candidates[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "ps_AF.UTF-8"};
    bool found = false;
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]) && !found; i++)
        found = setlocale(LC_NUMERIC, candidates[i]) != NULL;
    if (!found)
        skip();
    assert_format(81.5, "81.5");
    assert_real("81.5", 81.5);
    assert_real("-1.25e2", -125);
    setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doubles_stay_short),
        cmocka_unit_test(test_integral_doubles_get_no_fraction),
        cmocka_unit_test(test_every_double_reads_back_equal),
        cmocka_unit_test(test_numbers_with_few_decimals_get_the_shortest_text),
        cmocka_unit_test(test_integers_are_exact),
        cmocka_unit_test(test_numbers_are_read_by_jsons_grammar),
        cmocka_unit_test(test_an_integer_beyond_64_bits_is_read_as_real),
        cmocka_unit_test(test_a_number_out_of_range_or_reason_is_refused),
        cmocka_unit_test(test_integers_and_doubles_compare_exactly),
        cmocka_unit_test(test_the_locales_decimal_point_does_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
