#include "proto/json_writer.h"
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

static void test_commas_go_between_members_only(void **state)
{
    (void)state;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_begin_object(&writer);
    flux_json_key_text(&writer, "a");
    flux_json_int64(&writer, -1);
    flux_json_key_text(&writer, "b");
    flux_json_begin_array(&writer);
    flux_json_begin_object(&writer);
    flux_json_end_object(&writer);
    flux_json_begin_array(&writer);
    flux_json_end_array(&writer);
    flux_json_null(&writer);
    flux_json_bool(&writer, true);
    flux_json_bool(&writer, false);
    flux_json_uint64(&writer, UINT64_MAX);
    flux_json_double(&writer, 0.5);
    flux_json_end_array(&writer);
    flux_json_key_text(&writer, "c");
    flux_json_raw(&writer, "[1,2]", 5);
    flux_json_key_text(&writer, "d");
    flux_json_string_text(&writer, "x");
    flux_json_end_object(&writer);
    assert_int_equal(flux_json_writer_error(&writer), 0);
    assert_string_equal(writer.text,
                        "{\"a\":-1,\"b\":[{},[],null,true,false,18446744073709551615,0.5],"
                        "\"c\":[1,2],\"d\":\"x\"}");
    assert_int_equal(writer.size, strlen(writer.text));
    flux_json_writer_clear(&writer);
}

static void test_strings_and_keys_are_escaped(void **state)
{
    (void)state;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_begin_object(&writer);
    flux_json_key(&writer, "k\"\\", 3);
    flux_json_string(&writer, "a\0\x01\x1f\n\r\t\b\f\"\\/\x7f\xc3\xa4z", 16);
    flux_json_end_object(&writer);
    assert_string_equal(writer.text, "{\"k\\\"\\\\\":\"a\\u0000\\u0001\\u001f\\n\\r\\t\\b\\f"
                                     "\\\"\\\\/\x7f\xc3\xa4z\"}");
    flux_json_writer_clear(&writer);
}

static void test_values_are_written_as_their_type(void **state)
{
    (void)state;
    const struct flux_value values[] = {
        {.type = FLUX_VALUE_NONE},   flux_value_bool(true),     flux_value_int64(INT64_MIN),
        flux_value_double(5.0),      flux_value_double(0.1),    flux_value_string("\n", 1),
        flux_value_array("[{}]", 4), flux_value_empty_object(),
    };
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_begin_array(&writer);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        flux_json_value(&writer, &values[i]);
    flux_json_end_array(&writer);
    assert_string_equal(writer.text, "[null,true,-9223372036854775808,5,0.1,\"\\n\",[{}],{}]");
    flux_json_writer_clear(&writer);
}

static void test_the_counted_size_is_the_written_size(void **state)
{
    (void)state;
    const struct flux_value values[] = {
        {.type = FLUX_VALUE_NONE},     flux_value_bool(true),
        flux_value_bool(false),        flux_value_int64(INT64_MIN),
        flux_value_int64(0),           flux_value_double(5.0),
        flux_value_double(-1.0 / 3),   flux_value_double(1e-320),
        flux_value_string("", 0),      flux_value_string("a\x01\n\"\xe2\x82\xac", 7),
        flux_value_array("[1,[]]", 6), flux_value_empty_object(),
    };
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct flux_json_writer writer;
        flux_json_writer_init(&writer, 0);
        flux_json_value(&writer, &values[i]);
        assert_int_equal(flux_value_json_size(&values[i]), writer.size);
        flux_json_writer_clear(&writer);
    }
}

static void test_the_limit_is_exact_and_its_error_sticks(void **state)
{
    (void)state;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 6);
    flux_json_string_text(&writer, "abcd");
    assert_int_equal(flux_json_writer_error(&writer), 0);
    flux_json_writer_reset(&writer);
    flux_json_string_text(&writer, "abcde");
    assert_int_equal(flux_json_writer_error(&writer), -E2BIG);
    flux_json_null(&writer);
    assert_int_equal(flux_json_writer_error(&writer), -E2BIG);
    assert_true(writer.size <= 6);
    assert_null(flux_json_writer_steal(&writer, NULL));
    flux_json_writer_reset(&writer);
    flux_json_null(&writer);
    assert_int_equal(flux_json_writer_error(&writer), 0);
    assert_string_equal(writer.text, "null");
    flux_json_writer_clear(&writer);
}

static void test_a_double_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_double(&writer, NAN);
    assert_int_equal(flux_json_writer_error(&writer), -EDOM);
    flux_json_writer_reset(&writer);
    flux_json_double(&writer, -INFINITY);
    assert_int_equal(flux_json_writer_error(&writer), -EDOM);
    flux_json_writer_clear(&writer);
}

static void test_stealing_leaves_an_empty_writer(void **state)
{
    (void)state;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 100);
    size_t size = 77;
    char *nothing = flux_json_writer_steal(&writer, &size);
    assert_string_equal(nothing, "");
    assert_int_equal(size, 0);
    free(nothing);
    flux_json_begin_array(&writer);
    flux_json_int64(&writer, 1);
    flux_json_end_array(&writer);
    char *text = flux_json_writer_steal(&writer, &size);
    assert_string_equal(text, "[1]");
    assert_int_equal(size, 3);
    free(text);
    assert_null(writer.text);
    assert_int_equal(writer.limit, 100);
    flux_json_null(&writer);
    assert_string_equal(writer.text, "null");
    flux_json_writer_clear(&writer);
}

static void test_the_buffer_grows_and_is_kept_by_reset(void **state)
{
    (void)state;
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_begin_array(&writer);
    for (int i = 0; i < 10000; i++)
        flux_json_int64(&writer, i % 10);
    flux_json_end_array(&writer);
    assert_int_equal(writer.size, 20001);
    assert_int_equal(writer.text[writer.size], '\0');
    size_t capacity = writer.capacity;
    flux_json_writer_reset(&writer);
    assert_string_equal(writer.text, "");
    flux_json_begin_array(&writer);
    flux_json_end_array(&writer);
    assert_string_equal(writer.text, "[]");
    assert_int_equal(writer.capacity, capacity);
    flux_json_writer_clear(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commas_go_between_members_only),
        cmocka_unit_test(test_strings_and_keys_are_escaped),
        cmocka_unit_test(test_values_are_written_as_their_type),
        cmocka_unit_test(test_the_counted_size_is_the_written_size),
        cmocka_unit_test(test_the_limit_is_exact_and_its_error_sticks),
        cmocka_unit_test(test_a_double_that_is_not_finite_is_an_error),
        cmocka_unit_test(test_stealing_leaves_an_empty_writer),
        cmocka_unit_test(test_the_buffer_grows_and_is_kept_by_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
