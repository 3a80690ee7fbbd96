#include "client/fluxctl/paths.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_a_path_covers_itself_and_what_lies_below(void **state)
{
    (void)state;
    assert_true(fluxctl_path_covers("a", "a"));
    assert_true(fluxctl_path_covers("a", "/a"));
    assert_true(fluxctl_path_covers("a.b", "/a/b/c"));
    assert_true(fluxctl_path_covers("/a/b", "a.b.c.d"));
    assert_true(fluxctl_path_covers("/a~1b", "/a~1b/c"));
    assert_false(fluxctl_path_covers("a.b", "a"));
    assert_false(fluxctl_path_covers("a", "ab"));
    assert_false(fluxctl_path_covers("/a", "/a.b"));
    assert_false(fluxctl_path_covers("a.b", "/a.b"));
    assert_false(fluxctl_path_covers("/a~1b", "/a/b"));
}

static void expect_shown(const char *pointer, const char *expected)
{
    char *text = fluxctl_path_for_people(pointer, strlen(pointer));
    assert_non_null(text);
    assert_string_equal(text, expected);
    free(text);
}

static void test_plain_keys_are_shown_with_dots(void **state)
{
    (void)state;
    expect_shown("/battery/level", "battery.level");
    expect_shown("/a", "a");
    expect_shown("/a.b/c", "/a.b/c");
    expect_shown("/a~1b", "/a~1b");
    expect_shown("/with space", "/with space");
    expect_shown("/a/", "/a/");
    expect_shown("/-x", "/-x");
    expect_shown("", "");
    expect_shown("/", "/");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_path_covers_itself_and_what_lies_below),
        cmocka_unit_test(test_plain_keys_are_shown_with_dots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
