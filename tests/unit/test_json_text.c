#include "proto/json_text.h"
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

/* Exactly as long as the text, so that a sanitizer sees a read behind its end. */
static char *exact_copy(const char *text)
{
    size_t size = strlen(text);
    char *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    memcpy(copy, text, size);
    return copy;
}

static bool equal(const char *a, const char *b)
{
    char *a_copy = exact_copy(a), *b_copy = exact_copy(b);
    bool forth = flux_json_text_equal(a_copy, strlen(a), b_copy, strlen(b));
    bool back = flux_json_text_equal(b_copy, strlen(b), a_copy, strlen(a));
    free(a_copy);
    free(b_copy);
    assert_int_equal(forth, back);
    return forth;
}

static void test_numbers_inside_compare_by_value(void **state)
{
    (void)state;
    assert_true(equal("[1,2.50,1e2]", "[1.0,2.5,100]"));
    assert_true(equal("[0]", "[-0.0]"));
    assert_false(equal("[1]", "[1.5]"));
    assert_false(equal("[9007199254740993]", "[9007199254740992.0]"));
    assert_false(equal("[1]", "[true]"));
    assert_false(equal("[1]", "[\"1\"]"));
}

static void test_the_order_of_elements_matters(void **state)
{
    (void)state;
    assert_true(equal("[]", "[]"));
    assert_true(equal("[[],[[]],true,null]", "[[],[[]],true,null]"));
    assert_false(equal("[1,2]", "[2,1]"));
    assert_false(equal("[1,2]", "[1]"));
    assert_false(equal("[]", "[1]"));
    assert_false(equal("[]", "[[]]"));
    assert_false(equal("[]", "{}"));
    assert_false(equal("[true]", "[false]"));
    assert_false(equal("[[1],2]", "[[1,2]]"));
}

static void test_escapes_of_strings_do_not_matter(void **state)
{
    (void)state;
    assert_true(equal("[\"A\\u00e4\\n\"]", "[\"\\u0041\xc3\xa4\\u000a\"]"));
    assert_true(equal("[\"\\ud83d\\ude00\"]", "[\"\xf0\x9f\x98\x80\"]"));
    assert_true(equal("[\"\\/\\u20AC\"]", "[\"/\xe2\x82\xac\"]"));
    assert_false(equal("[\"a\"]", "[\"b\"]"));
    assert_false(equal("[\"a\"]", "[\"ab\"]"));
    assert_false(equal("[\"],[\"]", "[\"\",\"\"]"));
}

static void test_the_order_of_keys_does_not_matter(void **state)
{
    (void)state;
    assert_true(equal("[{\"a\":1,\"b\":[2]}]", "[{\"b\":[2.0],\"a\":1}]"));
    assert_true(equal("[{\"a\":{\"x\":1,\"y\":2},\"b\":0,\"c\":3},7]",
                      "[{\"c\":3,\"a\":{\"y\":2,\"x\":1},\"\\u0062\":0},7]"));
    assert_false(equal("[{\"a\":1,\"b\":2}]", "[{\"b\":2,\"a\":3}]"));
    assert_false(equal("[{\"a\":1,\"b\":2}]", "[{\"b\":2,\"c\":1}]"));
    assert_false(equal("[{\"a\":1}]", "[{\"b\":2,\"a\":1}]"));
    assert_false(equal("[{\"a\":1}]", "[{\"a\":1,\"b\":2}]"));
    assert_false(equal("[{}]", "[{\"a\":1}]"));
    assert_true(equal("[{},{}]", "[{},{}]"));
    assert_false(equal("[{\"a\":1,\"b\":2},3]", "[{\"b\":2,\"a\":1},4]"));
}

static void test_a_search_for_keys_is_bounded(void **state)
{
    (void)state;
    enum { KEYS = 4000 };
    static char a[KEYS * 16], b[KEYS * 16];
    size_t a_size = 0, b_size = 0;
    for (int i = 0; i < KEYS; i++) {
        a_size += (size_t)sprintf(a + a_size, "%s\"k%d\":1", i == 0 ? "[{" : ",", i);
        b_size += (size_t)sprintf(b + b_size, "%s\"k%d\":1", i == 0 ? "[{" : ",", KEYS - 1 - i);
    }
    strcpy(a + a_size, "}]");
    strcpy(b + b_size, "}]");
    /* Equal, and nevertheless denied; found equal at once when nothing changed places. */
    assert_false(equal(a, b));
    assert_true(equal(a, a));
}

static void test_deep_nesting_ends_the_comparison(void **state)
{
    (void)state;
    char a[2 * FLUX_JSON_TEXT_NESTING_MAX + 8] = "";
    size_t half = FLUX_JSON_TEXT_NESTING_MAX;
    memset(a, '[', half);
    memset(a + half, ']', half);
    assert_true(equal(a, a));
    half++;
    memset(a, '[', half);
    memset(a + half, ']', half);
    assert_false(equal(a, a));
}

static void test_malformed_text_ends_without_reading_on(void **state)
{
    (void)state;
    static const char *const malformed[] = {
        "",         "[",         "[1",         "[1,", "[\"",   "[\"a",
        "[\"\\",    "[\"\\u",    "[\"\\ud83d", "[{",  "[{\"a", "[{\"a\"",
        "[{\"a\":", "[{\"a\":1", "[{\"a\":1,", "[{]", "[\xf0", "[\"\xf0",
        "]",        "}",         ",",          "[,]",
    };
    for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
        (void)equal(malformed[i], malformed[i]);
        assert_false(equal(malformed[i], "[{\"b\":1,\"a\":1}]"));
        char *copy = exact_copy(malformed[i]);
        (void)flux_json_text_depth(copy, strlen(malformed[i]));
        free(copy);
    }
}

static void test_depth_counts_levels_of_keys(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned depth;
    } cases[] = {
        {"[]", 0},
        {"[1,2]", 0},
        {"[[[1]]]", 0},
        {"[{}]", 0},
        {"[{\"a\":1}]", 1},
        {"[{\"a\":{\"b\":1}}]", 2},
        {"[{\"a\":[{\"b\":1}]}]", 2},
        {"[{\"a\":1},{\"b\":{\"c\":{\"d\":1}}},{\"e\":1}]", 3},
        {"[\"{:{:{:\\\"{:\"]", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(flux_json_text_depth(cases[i].text, strlen(cases[i].text)),
                         cases[i].depth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_inside_compare_by_value),
        cmocka_unit_test(test_the_order_of_elements_matters),
        cmocka_unit_test(test_escapes_of_strings_do_not_matter),
        cmocka_unit_test(test_the_order_of_keys_does_not_matter),
        cmocka_unit_test(test_a_search_for_keys_is_bounded),
        cmocka_unit_test(test_deep_nesting_ends_the_comparison),
        cmocka_unit_test(test_malformed_text_ends_without_reading_on),
        cmocka_unit_test(test_depth_counts_levels_of_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
