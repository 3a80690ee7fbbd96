#include "proto/json_flatten.h"
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

#define MAX_DEPTH 4

static void put(struct flux_json_writer *transcript, const char *text, size_t size)
{
    transcript->need_comma = false;
    flux_json_raw(transcript, text, size);
    transcript->need_comma = false;
}

/* Write an operation as "/path=JSON\n" or "/path unset\n". */
static void put_change(struct flux_json_writer *transcript, const struct flux_change *change)
{
    put(transcript, change->path, change->path_size);
    if (change->kind == FLUX_UNSET) {
        assert_int_equal(change->value.type, FLUX_VALUE_NONE);
        put(transcript, " unset ", 7);
        return;
    }
    static const char *const types[] = {"?",      "bool",  "int64", "double",
                                        "string", "array", "object"};
    const char *type = types[change->value.type];
    put(transcript, "=", 1);
    put(transcript, type, strlen(type));
    put(transcript, ":", 1);
    flux_json_value(transcript, &change->value);
    put(transcript, " ", 1);
}

/* Flatten a copy of the exact size, so that reading beyond the end is noticed. */
static int flatten(const char *prefix, const char *text, struct flux_json_writer *transcript,
                   struct flux_json_flatten *ret_flatten)
{
    size_t size = strlen(text);
    char *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, text, size);
    struct flux_change change;
    int r = flux_json_flatten_init(ret_flatten, copy, size, prefix, strlen(prefix), MAX_DEPTH);
    assert_int_equal(r, 0);
    while ((r = flux_json_flatten_next(ret_flatten, &change)) == 1)
        put_change(transcript, &change);
    assert_int_equal(flux_json_flatten_next(ret_flatten, &change), r);
    flux_json_flatten_clear(ret_flatten);
    free(copy);
    return r;
}

static void expect_below(const char *prefix, const char *text, const char *expected)
{
    struct flux_json_writer transcript;
    struct flux_json_flatten flattener;
    flux_json_writer_init(&transcript, 0);
    int r = flatten(prefix, text, &transcript, &flattener);
    if (r != 0)
        fail_msg("%s: %s at %s", text, flattener.error_text, flattener.path);
    assert_string_equal(transcript.text != NULL ? transcript.text : "", expected);
    flux_json_writer_clear(&transcript);
}

static void expect(const char *text, const char *expected)
{
    expect_below("", text, expected);
}

static void expect_error_below(const char *prefix, const char *text, int error, const char *path,
                               const char *error_text)
{
    struct flux_json_writer transcript;
    struct flux_json_flatten flattener;
    flux_json_writer_init(&transcript, 0);
    assert_int_equal(flatten(prefix, text, &transcript, &flattener), error);
    assert_string_equal(flattener.path, path);
    if (strstr(flattener.error_text, error_text) == NULL)
        fail_msg("%s: %s", text, flattener.error_text);
    flux_json_writer_clear(&transcript);
}

static void expect_error(const char *text, int error, const char *path, const char *error_text)
{
    expect_error_below("", text, error, path, error_text);
}

static void test_leaves_come_in_document_order(void **state)
{
    (void)state;
    expect("{\"b\":1,\"a\":{\"x\":true,\"y\":{\"z\":\"s\"}},\"c\":81.5}",
           "/b=int64:1 /a/x=bool:true /a/y/z=string:\"s\" /c=double:81.5 ");
    expect("{\"a\":1,\"a\":2}", "/a=int64:1 /a=int64:2 ");
}

static void test_null_is_an_unset(void **state)
{
    (void)state;
    expect("{\"a\":null,\"b\":{\"c\":null,\"d\":1}}", "/a unset /b/c unset /b/d=int64:1 ");
}

static void test_empty_objects_are_set(void **state)
{
    (void)state;
    expect("{\"a\":{},\"b\":{\"c\":{}}}", "/a=object:{} /b/c=object:{} ");
    expect("{\"a\":{\"b\":1},\"c\":{}}", "/a/b=int64:1 /c=object:{} ");
    expect("{}", "");
    expect(" {\n} ", "");
}

static void test_arrays_become_canonical_text(void **state)
{
    (void)state;
    expect("{\"a\":[ 1 , 2.50, 1e2, -0.0, \"\\u0041\\/\\u00e4\\n\", { \"k\" : [ ] , \"l\":{}} ]}",
           "/a=array:[1,2.5,100,0,\"A/\xc3\xa4\\n\",{\"k\":[],\"l\":{}}] ");
    expect("{\"a\":[],\"b\":[[true],[false]],\"c\":1}",
           "/a=array:[] /b=array:[[true],[false]] /c=int64:1 ");
}

static void test_keys_are_escaped_as_pointers(void **state)
{
    (void)state;
    expect("{\"a/b\":{\"~\":1,\"c.d\":2},\"\\u00e4\":3}",
           "/a~1b/~0=int64:1 /a~1b/c.d=int64:2 /\xc3\xa4=int64:3 ");
}

static void test_numbers_keep_their_kind(void **state)
{
    (void)state;
    expect("{\"a\":1,\"b\":1.0,\"c\":9223372036854775807,\"d\":-0}",
           "/a=int64:1 /b=double:1 /c=int64:9223372036854775807 /d=int64:0 ");
}

static void test_a_prefix_goes_before_every_path(void **state)
{
    (void)state;
    expect_below("/p/q", "{\"a\":1,\"b\":{}}", "/p/q/a=int64:1 /p/q/b=object:{} ");
    expect_below("/p", "{}", "/p=object:{} ");
    expect_below("/p", "null", "/p unset ");
    expect_below("/p", " \"x\" ", "/p=string:\"x\" ");
    expect_below("/p", "[1, 2]", "/p=array:[1,2] ");
}

static void test_a_bad_prefix_is_refused(void **state)
{
    (void)state;
    struct flux_json_flatten flattener;
    assert_int_equal(flux_json_flatten_init(&flattener, "1", 1, "p", 1, MAX_DEPTH), -EINVAL);
    flux_json_flatten_clear(&flattener);
    flux_json_flatten_clear(&flattener);
}

static void test_depth_ends_exactly_at_its_limit(void **state)
{
    (void)state;
    expect("{\"a\":{\"b\":{\"c\":{\"d\":1}}}}", "/a/b/c/d=int64:1 ");
    expect("{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}", "/a/b/c/d=object:{} ");
    expect_error("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":1}}}}}", -E2BIG, "/a/b/c/d/e", "levels");
    expect("{\"a\":{\"b\":[{\"c\":[{\"d\":1}]}]}}", "/a/b=array:[{\"c\":[{\"d\":1}]}] ");
    expect_error("{\"a\":{\"b\":{\"c\":[{\"d\":[{\"e\":1}]}]}}}", -E2BIG, "/a/b/c", "levels");
    expect_error_below("/p/q/r", "{\"a\":{\"b\":1}}", -E2BIG, "/p/q/r/a/b", "levels");
    expect_below("/p/q/r", "{\"a\":[1]}", "/p/q/r/a=array:[1] ");
}

static void test_nested_arrays_are_bounded_too(void **state)
{
    (void)state;
    char text[256] = "{\"a\":";
    memset(text + 5, '[', 64);
    memset(text + 69, ']', 64);
    text[133] = '}';
    expect_error(text, -E2BIG, "/a", "deep");
}

static void test_what_a_shadow_cannot_hold_is_refused_by_name(void **state)
{
    (void)state;
    expect_error("{\"a\":{\"b\":[1,null]}}", -EINVAL, "/a/b", "null inside an array");
    expect_error("{\"a\":[{\"b\":null}]}", -EINVAL, "/a", "null inside an array");
    expect_error("{\"a\":{\"\":1}}", -EINVAL, "/a", "empty key");
    expect_error("{\"a\":[{\"\":1}]}", -EINVAL, "/a", "empty key");
    expect_error("{\"a\":9223372036854775808}", -EINVAL, "/a", "64 bits");
    expect_error("{\"a\":[-9223372036854775809]}", -EINVAL, "/a", "64 bits");
    expect_error("{\"a\":1e400}", -EINVAL, "/a", "range");
    expect_error("{\"a\\n\":1}", -EINVAL, "", "control");
    expect_error("{\"a\":\"\\ud800\"}", -EINVAL, "/a", "surrogate");
}

static void test_other_documents_than_objects_are_refused(void **state)
{
    (void)state;
    expect_error("", -EINVAL, "", "empty");
    expect_error("1", -EINVAL, "", "not an object");
    expect_error("[1]", -EINVAL, "", "not an object");
    expect_error("null", -EINVAL, "", "not an object");
    expect_error("{} {}", -EINVAL, "", "follows");
    expect_error("{\"a\":1}x", -EINVAL, "", "");
    expect_error("{\"a\":1", -EINVAL, "", "too early");
    expect_error_below("/p", "1 2", -EINVAL, "/p", "follows");
}

static void test_errors_tell_the_byte(void **state)
{
    (void)state;
    struct flux_json_writer transcript;
    struct flux_json_flatten flattener;
    flux_json_writer_init(&transcript, 0);
    assert_int_equal(flatten("", "{\"a\": [1, null]}", &transcript, &flattener), -EINVAL);
    assert_int_equal(flattener.error_offset, 10);
    assert_int_equal(flatten("", "{\"a\": 1,, }", &transcript, &flattener), -EINVAL);
    assert_int_equal(flattener.error_offset, 8);
    flux_json_writer_clear(&transcript);
}

/* {"a":FILLING} with a filling of `size` bytes between `open` and `close`. */
static int flatten_filled(const char *open, char filling, size_t size, const char *close)
{
    char *text = malloc(size + 64);
    assert_non_null(text);
    int head = sprintf(text, "{\"a\":%s", open);
    memset(text + head, filling, size);
    sprintf(text + (size_t)head + size, "%s}", close);
    struct flux_json_flatten flattener;
    struct flux_change change;
    assert_int_equal(flux_json_flatten_init(&flattener, text, strlen(text), "", 0, MAX_DEPTH), 0);
    int r = flux_json_flatten_next(&flattener, &change);
    if (r == 1)
        assert_int_equal(change.value.size, FLUX_VALUE_BYTES_MAX);
    flux_json_flatten_clear(&flattener);
    free(text);
    return r;
}

static void test_values_end_exactly_at_their_limit(void **state)
{
    (void)state;
    assert_int_equal(flatten_filled("\"", 'x', FLUX_VALUE_BYTES_MAX, "\""), 1);
    assert_int_equal(flatten_filled("\"", 'x', FLUX_VALUE_BYTES_MAX + 1, "\""), -E2BIG);
    assert_int_equal(flatten_filled("\"\\n", 'x', FLUX_VALUE_BYTES_MAX - 1, "\""), 1);
    assert_int_equal(flatten_filled("\"\\n", 'x', FLUX_VALUE_BYTES_MAX, "\""), -E2BIG);
    assert_int_equal(flatten_filled("[\"", 'x', FLUX_VALUE_BYTES_MAX - 4, "\"]"), 1);
    assert_int_equal(flatten_filled("[\"", 'x', FLUX_VALUE_BYTES_MAX - 3, "\"]"), -E2BIG);
}

static void test_a_path_too_long_is_refused(void **state)
{
    (void)state;
    char text[FLUX_PATH_BYTES_MAX + 64];
    int size = snprintf(text, sizeof(text), "{\"%0*d\":1}", (int)FLUX_PATH_BYTES_MAX - 1, 0);
    struct flux_json_flatten flattener;
    struct flux_change change;
    assert_int_equal(flux_json_flatten_init(&flattener, text, (size_t)size, "", 0, 4), 0);
    assert_int_equal(flux_json_flatten_next(&flattener, &change), 1);
    assert_int_equal(change.path_size, FLUX_PATH_BYTES_MAX);
    flux_json_flatten_clear(&flattener);
    assert_int_equal(flux_json_flatten_init(&flattener, text, (size_t)size, "/p", 2, 4), 0);
    assert_int_equal(flux_json_flatten_next(&flattener, &change), -E2BIG);
    flux_json_flatten_clear(&flattener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaves_come_in_document_order),
        cmocka_unit_test(test_null_is_an_unset),
        cmocka_unit_test(test_empty_objects_are_set),
        cmocka_unit_test(test_arrays_become_canonical_text),
        cmocka_unit_test(test_keys_are_escaped_as_pointers),
        cmocka_unit_test(test_numbers_keep_their_kind),
        cmocka_unit_test(test_a_prefix_goes_before_every_path),
        cmocka_unit_test(test_a_bad_prefix_is_refused),
        cmocka_unit_test(test_depth_ends_exactly_at_its_limit),
        cmocka_unit_test(test_nested_arrays_are_bounded_too),
        cmocka_unit_test(test_what_a_shadow_cannot_hold_is_refused_by_name),
        cmocka_unit_test(test_other_documents_than_objects_are_refused),
        cmocka_unit_test(test_errors_tell_the_byte),
        cmocka_unit_test(test_values_end_exactly_at_their_limit),
        cmocka_unit_test(test_a_path_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
