#include "client/fluxctl/json_split.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void feed(struct json_split *split, const char *text, size_t size)
{
    size_t room = 0;
    char *data = json_split_room(split, &room);
    assert_non_null(data);
    assert_true(room >= size);
    memcpy(data, text, size);
    json_split_fed(split, size);
}

static void expect_next(struct json_split *split, const char *expected)
{
    char *document = NULL;
    assert_int_equal(json_split_next(split, &document), 1);
    assert_string_equal(document, expected);
}

static void test_objects_are_cut_wherever_the_input_breaks(void **state)
{
    (void)state;
    static const char text[] = " {\"a\":1}{\"b\":\"}{\\\"\\\\\"}\n\n{\"c\":{\"d\":[{}]}} \t{}";
    for (size_t piece = 1; piece < sizeof(text); piece++) {
        struct json_split split = {0};
        static const char *const expected[] = {"{\"a\":1}", "{\"b\":\"}{\\\"\\\\\"}",
                                               "{\"c\":{\"d\":[{}]}}", "{}"};
        size_t count = 0;
        for (size_t at = 0; at < sizeof(text) - 1; at += piece) {
            size_t left = sizeof(text) - 1 - at;
            feed(&split, text + at, left < piece ? left : piece);
            char *document;
            while (json_split_next(&split, &document) == 1)
                assert_string_equal(document, expected[count++]);
        }
        assert_int_equal(count, 4);
        assert_int_equal(split.document_count, 4);
        assert_true(json_split_is_empty(&split));
        json_split_clear(&split);
    }
}

static void test_what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"[1]", "1", "x", ",", "\"{\"", "}"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct json_split split = {0};
        char *document;
        feed(&split, "{} ", 3);
        expect_next(&split, "{}");
        feed(&split, texts[i], strlen(texts[i]));
        assert_int_equal(json_split_next(&split, &document), -EINVAL);
        json_split_clear(&split);
    }
}

static void test_a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct json_split split = {0};
    char *document;
    feed(&split, "{\"a\"\0}", 6);
    assert_int_equal(json_split_next(&split, &document), -EINVAL);
    json_split_clear(&split);
}

static void test_an_endless_object_is_refused_in_bounded_memory(void **state)
{
    (void)state;
    struct json_split split = {0};
    char *document;
    char piece[4096];
    memset(piece, 'x', sizeof(piece));
    feed(&split, "{\"a\":\"", 6);
    int r = 0;
    for (int i = 0; i < 1000 && r == 0; i++) {
        feed(&split, piece, sizeof(piece));
        r = json_split_next(&split, &document);
    }
    assert_int_equal(r, -E2BIG);
    assert_true(split.capacity <= 4 * JSON_SPLIT_BYTES_MAX);
    json_split_clear(&split);
}

static void test_a_cut_off_object_is_left_over(void **state)
{
    (void)state;
    struct json_split split = {0};
    char *document;
    feed(&split, "{} {\"a\":", 8);
    expect_next(&split, "{}");
    assert_int_equal(json_split_next(&split, &document), 0);
    assert_false(json_split_is_empty(&split));
    json_split_clear(&split);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_objects_are_cut_wherever_the_input_breaks),
        cmocka_unit_test(test_what_is_no_object_is_refused),
        cmocka_unit_test(test_a_nul_byte_is_refused),
        cmocka_unit_test(test_an_endless_object_is_refused_in_bounded_memory),
        cmocka_unit_test(test_a_cut_off_object_is_left_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
