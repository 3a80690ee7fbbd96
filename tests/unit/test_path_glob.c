/* Globs of paths: what they match, and what they may match below a path. */
#include "daemon/shadow/path_glob.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct path_globs *globs_of(const char *text)
{
    struct path_globs *globs;
    assert_int_equal(path_globs_new(&globs, &text, 1), 0);
    return globs;
}

static const struct {
    const char *glob, *path;
    bool has, reaches;
} cases[] = {
    {"battery", "/battery", true, true},
    {"battery", "/battery/level", false, false},
    {"battery", "/batter", false, false},
    {"battery", "", false, true},
    {"battery.level", "/battery", false, true},
    {"battery.level", "/battery/level", true, true},
    {"battery.level", "/battery/levels", false, false},
    {"battery.*", "/battery", false, true},
    {"battery.*", "/battery/level", true, true},
    {"battery.*", "/battery/level/x", false, false},
    {"battery.**", "/battery", true, true},
    {"battery.**", "/battery/level/x", true, true},
    {"battery.**", "/batteries", false, false},
    {"battery.**", "/batteries/x", false, false},
    {"battery.**", "", false, true},
    {"**", "", true, true},
    {"**", "/a/b", true, true},
    {"**.level", "/a/b/level", true, true},
    {"**.level", "/a/b", false, true},
    {"a.**.z", "/a/q", false, true},
    {"a.**.z", "/b", false, false},
    {"temp*.out", "/temperature/out", true, true},
    {"temp*.out", "/tem/out", false, false},
    {"/a~1b", "/a~1b", true, true},
    {"*0", "/~0", false, false}, /* the key is ~ */
    {"*1", "/x~1", false, false},
    {"x*", "/x~1", true, true},
    {"a.*b", "/a/b", true, true},
    {"a.*b", "/a/c", false, false},
    {"*~", "/a~0", true, true},
};

static void test_globs_match_by_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct path_globs *globs = globs_of(cases[i].glob);
        const struct path_globs *const lists[] = {globs};
        const struct path_filter filter = {lists, 1};
        const size_t size = strlen(cases[i].path);
        if (path_filter_has(&filter, cases[i].path, size) != cases[i].has ||
            path_filter_reaches(&filter, cases[i].path, size) != cases[i].reaches)
            fail_msg("%s and %s", cases[i].glob, cases[i].path);
        (void)path_globs_free(globs);
    }
}

static void test_one_glob_of_many_is_enough(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "b.**", "c.*"};
    struct path_globs *first = globs_of("led"), *second;
    assert_int_equal(path_globs_new(&second, texts, 3), 0);
    const struct path_globs *const lists[] = {first, second};
    const struct path_filter filter = {lists, 2};
    assert_true(path_filter_has(&filter, "/led", 4));
    assert_true(path_filter_has(&filter, "/b/x/y", 6));
    assert_true(path_filter_has(&filter, "/c/x", 4));
    assert_false(path_filter_has(&filter, "/c", 2));
    assert_false(path_filter_has(&(struct path_filter){NULL, 0}, "/a", 2));
    assert_false(path_filter_reaches(&(struct path_filter){NULL, 0}, "", 0));
    (void)path_globs_free(first);
    (void)path_globs_free(second);
}

static void test_a_bad_glob_is_not_compiled(void **state)
{
    (void)state;
    static const char *const texts[] = {"a", "b**"};
    struct path_globs *globs = NULL;
    assert_int_equal(path_globs_new(&globs, texts, 2), -EINVAL);
    assert_null(globs);
}

/* What a program calls a path may be anything until it is checked. */
static void test_what_is_no_path_does_no_harm(void **state)
{
    (void)state;
    static const char *const paths[] = {"x", "x/", "/", "//", "~", "/~", "/a~"};
    static const char *const globs[] = {"*", "**", "a.*", "*.**", "**.*"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        for (size_t j = 0; j < sizeof(globs) / sizeof(*globs); j++) {
            struct path_globs *compiled = globs_of(globs[j]);
            const struct path_globs *const lists[] = {compiled};
            const struct path_filter filter = {lists, 1};
            (void)path_filter_has(&filter, paths[i], strlen(paths[i]));
            (void)path_filter_reaches(&filter, paths[i], strlen(paths[i]));
            (void)path_globs_free(compiled);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globs_match_by_the_table),
        cmocka_unit_test(test_one_glob_of_many_is_enough),
        cmocka_unit_test(test_a_bad_glob_is_not_compiled),
        cmocka_unit_test(test_what_is_no_path_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
