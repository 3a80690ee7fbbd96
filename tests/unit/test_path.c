#include "proto/path.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static enum flux_path_error check(const char *pointer)
{
    return flux_path_check(pointer, strlen(pointer), NULL);
}

static void test_pointers_are_checked(void **state)
{
    (void)state;
    static const struct {
        const char *pointer;
        enum flux_path_error error;
    } cases[] = {
        {"/a", FLUX_PATH_OK},
        {"/a/b/c", FLUX_PATH_OK},
        {"/a.b", FLUX_PATH_OK},
        {"/ ", FLUX_PATH_OK},
        {"/~0~1", FLUX_PATH_OK},
        {"/\xc3\xa4", FLUX_PATH_OK},
        {"", FLUX_PATH_EMPTY},
        {"a", FLUX_PATH_NO_SLASH},
        {"/", FLUX_PATH_EMPTY_KEY},
        {"//a", FLUX_PATH_EMPTY_KEY},
        {"/a/", FLUX_PATH_EMPTY_KEY},
        {"/a//b", FLUX_PATH_EMPTY_KEY},
        {"/~", FLUX_PATH_BAD_ESCAPE},
        {"/a~/b", FLUX_PATH_BAD_ESCAPE},
        {"/~2", FLUX_PATH_BAD_ESCAPE},
        {"/a\nb", FLUX_PATH_CONTROL},
        {"/a\x7f", FLUX_PATH_CONTROL},
        {"/\xc3", FLUX_PATH_NOT_UTF8},
        {"/a/\xed\xa0\x80", FLUX_PATH_NOT_UTF8},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (check(cases[i].pointer) != cases[i].error)
            fail_msg("%s: %s", cases[i].pointer, flux_path_strerror(check(cases[i].pointer)));
    }
}

static void test_a_nul_inside_a_pointer_is_a_control_character(void **state)
{
    (void)state;
    assert_int_equal(flux_path_check("/a\0b", 4, NULL), FLUX_PATH_CONTROL);
}

static void test_depth_counts_keys(void **state)
{
    (void)state;
    unsigned depth = 0;
    assert_int_equal(flux_path_check("/a/b~1c/d", 9, &depth), FLUX_PATH_OK);
    assert_int_equal(depth, 3);
}

static void test_depth_and_length_end_exactly_at_their_limits(void **state)
{
    (void)state;
    char pointer[FLUX_PATH_BYTES_MAX + 2];
    memset(pointer, 'k', sizeof(pointer));
    pointer[0] = '/';
    assert_int_equal(flux_path_check(pointer, FLUX_PATH_BYTES_MAX, NULL), FLUX_PATH_OK);
    assert_int_equal(flux_path_check(pointer, FLUX_PATH_BYTES_MAX + 1, NULL), FLUX_PATH_TOO_LONG);

    for (size_t i = 0; i < 2 * (FLUX_PATH_DEPTH_MAX + 1); i += 2)
        pointer[i] = '/';
    assert_int_equal(flux_path_check(pointer, 2 * FLUX_PATH_DEPTH_MAX, NULL), FLUX_PATH_OK);
    assert_int_equal(flux_path_check(pointer, 2 * (FLUX_PATH_DEPTH_MAX + 1), NULL),
                     FLUX_PATH_TOO_DEEP);
}

static void test_dotted_keys_become_pointers(void **state)
{
    (void)state;
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    assert_int_equal(flux_path_canonical("battery.level", pointer), FLUX_PATH_OK);
    assert_string_equal(pointer, "/battery/level");
    assert_int_equal(flux_path_canonical("a/b.c~d", pointer), FLUX_PATH_OK);
    assert_string_equal(pointer, "/a~1b/c~0d");
    assert_int_equal(flux_path_canonical("a", pointer), FLUX_PATH_OK);
    assert_string_equal(pointer, "/a");
}

static void test_pointers_stay_as_they_are(void **state)
{
    (void)state;
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    assert_int_equal(flux_path_canonical("/a.b/c~1d", pointer), FLUX_PATH_OK);
    assert_string_equal(pointer, "/a.b/c~1d");
}

static void test_bad_dotted_keys_are_refused(void **state)
{
    (void)state;
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    assert_int_equal(flux_path_canonical("", pointer), FLUX_PATH_EMPTY);
    assert_int_equal(flux_path_canonical(".", pointer), FLUX_PATH_EMPTY_KEY);
    assert_int_equal(flux_path_canonical("a.", pointer), FLUX_PATH_EMPTY_KEY);
    assert_int_equal(flux_path_canonical(".a", pointer), FLUX_PATH_EMPTY_KEY);
    assert_int_equal(flux_path_canonical("a..b", pointer), FLUX_PATH_EMPTY_KEY);
    assert_int_equal(flux_path_canonical("a\tb", pointer), FLUX_PATH_CONTROL);
    assert_int_equal(flux_path_canonical("a.\xff", pointer), FLUX_PATH_NOT_UTF8);
    assert_int_equal(flux_path_canonical("/", pointer), FLUX_PATH_EMPTY_KEY);

    char text[FLUX_PATH_BYTES_MAX + 2];
    memset(text, '~', sizeof(text)); /* each takes two bytes */
    text[FLUX_PATH_BYTES_MAX / 2] = '\0';
    assert_int_equal(flux_path_canonical(text, pointer), FLUX_PATH_TOO_LONG);
    memset(text, 'a', sizeof(text));
    for (size_t i = 1; i < 2 * FLUX_PATH_DEPTH_MAX + 1; i += 2)
        text[i] = '.';
    text[2 * FLUX_PATH_DEPTH_MAX + 1] = '\0';
    assert_int_equal(flux_path_canonical(text, pointer), FLUX_PATH_TOO_DEEP);
    text[2 * FLUX_PATH_DEPTH_MAX - 1] = '\0';
    assert_int_equal(flux_path_canonical(text, pointer), FLUX_PATH_OK);
}

static void test_keys_come_back_as_they_were_appended(void **state)
{
    (void)state;
    static const char *const keys[] = {"a", "b/c", "~", "~1", "\xe2\x82\xac", "x.y"};
    const size_t count = sizeof(keys) / sizeof(keys[0]);
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(flux_path_append(pointer, &size, keys[i], strlen(keys[i])), FLUX_PATH_OK);
    assert_int_equal(flux_path_check(pointer, size, NULL), FLUX_PATH_OK);

    char key[FLUX_PATH_BYTES_MAX + 1];
    size_t key_size;
    const char *cursor = pointer;
    for (size_t i = 0; i < count; i++) {
        assert_true(flux_path_next_key(&cursor, pointer + size, key, &key_size));
        assert_string_equal(key, keys[i]);
        assert_int_equal(key_size, strlen(keys[i]));
    }
    assert_false(flux_path_next_key(&cursor, pointer + size, key, &key_size));
}

static void test_a_failed_append_leaves_the_size(void **state)
{
    (void)state;
    char pointer[FLUX_PATH_BYTES_MAX + 1] = "/a";
    size_t size = 2;
    char key[FLUX_PATH_BYTES_MAX];
    memset(key, 'k', sizeof(key));
    assert_int_equal(flux_path_append(pointer, &size, key, sizeof(key)), FLUX_PATH_TOO_LONG);
    assert_int_equal(flux_path_append(pointer, &size, "", 0), FLUX_PATH_EMPTY_KEY);
    assert_int_equal(flux_path_append(pointer, &size, "\0", 1), FLUX_PATH_CONTROL);
    assert_int_equal(flux_path_append(pointer, &size, "\x80", 1), FLUX_PATH_NOT_UTF8);
    assert_int_equal(size, 2);
    assert_int_equal(flux_path_append(pointer, &size, key, FLUX_PATH_BYTES_MAX - 3), FLUX_PATH_OK);
    assert_int_equal(size, FLUX_PATH_BYTES_MAX);
}

static void test_below_means_below_a_key(void **state)
{
    (void)state;
    assert_true(flux_path_is_below("/a/b", 4, "/a", 2));
    assert_false(flux_path_is_below("/ab", 3, "/a", 2));
    assert_false(flux_path_is_below("/a", 2, "/a", 2));
    assert_false(flux_path_is_below("/a", 2, "/a/b", 4));
    assert_false(flux_path_is_below("/b/b", 4, "/a", 2));
    assert_true(flux_path_is_below("/a", 2, "", 0));
    assert_false(flux_path_is_below("", 0, "", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pointers_are_checked),
        cmocka_unit_test(test_a_nul_inside_a_pointer_is_a_control_character),
        cmocka_unit_test(test_depth_counts_keys),
        cmocka_unit_test(test_depth_and_length_end_exactly_at_their_limits),
        cmocka_unit_test(test_dotted_keys_become_pointers),
        cmocka_unit_test(test_pointers_stay_as_they_are),
        cmocka_unit_test(test_bad_dotted_keys_are_refused),
        cmocka_unit_test(test_keys_come_back_as_they_were_appended),
        cmocka_unit_test(test_a_failed_append_leaves_the_size),
        cmocka_unit_test(test_below_means_below_a_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
