/* Who is granted what, as a table: sections, programs, rights. */
#include "daemon/ipc/access_rules.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static const uint32_t seven[] = {7}, eight[] = {8}, hundred[] = {100}, several[] = {4, 100, 30};
static const char *const weather[] = {"weather.service"};
static const char *const deep[] = {"sensors.**", "mode"}, *const led[] = {"led"};
static const char *const any[] = {"*"}, *const gateways[] = {"gw-*"}, *const config[] = {"config"};

static const struct access_section sections[] = {
    {.name = "Access seven",
     .file = "f",
     .line = 1,
     .users = seven,
     .user_count = 1,
     .reports = deep,
     .report_count = 2,
     .watches = led,
     .watch_count = 1},
    {.name = "Access both",
     .file = "f",
     .line = 2,
     .users = eight,
     .user_count = 1,
     .groups = hundred,
     .group_count = 1,
     .reports = led,
     .report_count = 1},
    {.name = "Access unit",
     .file = "f",
     .line = 3,
     .units = weather,
     .unit_count = 1,
     .things = any,
     .thing_count = 1,
     .shadows = any,
     .shadow_count = 1,
     .watches = deep,
     .watch_count = 2},
    {.name = "Access admins",
     .file = "f",
     .line = 4,
     .groups = hundred,
     .group_count = 1,
     .admin = true},
    {.name = "Access broken",
     .file = "f",
     .line = 5,
     .is_void = true,
     .users = seven,
     .user_count = 1,
     .reports = any,
     .report_count = 1,
     .admin = true},
    {.name = "Access nobody", .file = "f", .line = 6, .reports = any, .report_count = 1},
    {.name = "Access gateways",
     .file = "f",
     .line = 7,
     .users = eight,
     .user_count = 1,
     .things = gateways,
     .thing_count = 1,
     .shadows = config,
     .shadow_count = 1,
     .reports = deep,
     .report_count = 2},
};

static int setup(void **state)
{
    struct access_rules *rules;
    assert_int_equal(access_rules_new(&rules, "own"), 0);
    for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
        assert_int_equal(access_rules_add(rules, &sections[i]), 0);
    *state = rules;
    return 0;
}

static int teardown(void **state)
{
    (void)access_rules_free(*state);
    return 0;
}

enum who { SEVEN, SEVEN_ADMIN, EIGHT, EIGHT_MEMBER, NINE, NINE_UNIT, NINE_MEMBER, ROOT };
static const struct access_peer peers[] = {
    [SEVEN] = {.uid = 7, .gid = 7, .unit = ""},
    [SEVEN_ADMIN] = {.uid = 7, .gid = 100, .unit = ""},
    [EIGHT] = {.uid = 8, .gid = 8, .unit = ""},
    [EIGHT_MEMBER] = {.uid = 8, .gid = 8, .groups = several, .group_count = 3, .unit = ""},
    [NINE] = {.uid = 9, .gid = 9, .unit = "other.service"},
    [NINE_UNIT] = {.uid = 9, .gid = 9, .unit = "weather.service"},
    [NINE_MEMBER] = {.uid = 9, .gid = 9, .groups = several, .group_count = 3, .unit = ""},
    [ROOT] = {.uid = 0, .gid = 0, .unit = ""},
};

static bool may(const struct access_rules *rules, const struct access_peer *peer, const char *thing,
                const char *shadow, unsigned right, const char *path)
{
    struct access_grant of_peer, grant;
    access_grant_peer(rules, peer, &of_peer);
    access_grant_shadow(&of_peer, thing, shadow, &grant);
    if (access_is_all(&grant))
        return true;
    struct access_paths paths;
    access_get_paths(&grant, right, &paths);
    return path_filter_has(&paths.filter, path, strlen(path));
}

static void test_paths_are_granted_by_the_table(void **state)
{
    static const struct {
        enum who who;
        const char *thing, *shadow;
        unsigned right;
        const char *path;
        bool granted;
    } cases[] = {
        {SEVEN, "own", "", ACCESS_REPORT, "/sensors/t", true},
        {SEVEN, "", "", ACCESS_REPORT, "/sensors/t", true},
        {SEVEN, "own", "", ACCESS_REPORT, "/sensors", true},
        {SEVEN, "own", "", ACCESS_REPORT, "/mode", true},
        {SEVEN, "own", "", ACCESS_REPORT, "/mode/x", false},
        {SEVEN, "own", "", ACCESS_REPORT, "/led", false}, /* to be watched only */
        {SEVEN, "own", "", ACCESS_WATCH, "/led", true},
        {SEVEN, "own", "", ACCESS_WATCH, "/mode", false},
        {SEVEN, "own", "", ACCESS_SHOW, "/mode", true},
        {SEVEN, "own", "", ACCESS_SHOW, "/led", true},
        {SEVEN, "own", "config", ACCESS_REPORT, "/mode", false}, /* the classic shadow only */
        {SEVEN, "other", "", ACCESS_REPORT, "/mode", false},     /* the own thing only */
        {SEVEN, "own", "", ACCESS_REPORT, "/any", false},        /* the section with a mistake */
        {EIGHT, "own", "", ACCESS_REPORT, "/led", false},        /* user and group are wanted */
        {EIGHT_MEMBER, "own", "", ACCESS_REPORT, "/led", true},
        {NINE_MEMBER, "own", "", ACCESS_REPORT, "/led", false},
        {NINE, "own", "", ACCESS_WATCH, "/mode", false},
        {NINE_UNIT, "own", "", ACCESS_WATCH, "/mode", true},
        {NINE_UNIT, "gw-1", "config", ACCESS_WATCH, "/mode", true},
        {NINE_UNIT, "own", "", ACCESS_REPORT, "/mode", false},
        {NINE, "own", "", ACCESS_REPORT, "/x", false}, /* the section that names nobody */
        {EIGHT, "gw-1", "config", ACCESS_REPORT, "/mode", true},
        {EIGHT, "gw-1", "", ACCESS_REPORT, "/mode", false},
        {EIGHT, "own", "config", ACCESS_REPORT, "/mode", false},
        {ROOT, "any", "any", ACCESS_REPORT, "/any/path", true},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (may(*state, &peers[cases[i].who], cases[i].thing, cases[i].shadow, cases[i].right,
                cases[i].path) != cases[i].granted)
            fail_msg("case %zu: %s", i, cases[i].path);
    }
}

static void test_admins_are_by_group_of_any_kind(void **state)
{
    static const bool is_admin[] = {
        [SEVEN_ADMIN] = true, [EIGHT_MEMBER] = true, [NINE_MEMBER] = true, [ROOT] = true};
    for (size_t i = 0; i < sizeof(peers) / sizeof(*peers); i++) {
        struct access_grant grant;
        access_grant_peer(*state, &peers[i], &grant);
        assert_int_equal(access_has(&grant, ACCESS_ADMIN), is_admin[i]);
    }
}

static void test_sections_add_up(void **state)
{
    struct access_rules *rules = *state;
    assert_false(may(rules, &peers[SEVEN], "own", "", ACCESS_REPORT, "/led"));
    const struct access_section more = {.name = "Access more",
                                        .file = "g",
                                        .line = 1,
                                        .users = seven,
                                        .user_count = 1,
                                        .reports = led,
                                        .report_count = 1};
    assert_int_equal(access_rules_add(rules, &more), 0);
    assert_true(may(rules, &peers[SEVEN], "own", "", ACCESS_REPORT, "/led"));
    assert_true(may(rules, &peers[SEVEN], "own", "", ACCESS_REPORT, "/mode"));
}

static void test_without_rules_everything_is_granted(void **state)
{
    (void)state;
    assert_true(may(NULL, &peers[NINE], "any", "any", ACCESS_REPORT, "/a"));
    struct access_grant grant;
    access_grant_peer(NULL, &peers[NINE], &grant);
    assert_true(access_has(&grant, ACCESS_ADMIN));
}

static void test_rules_without_a_section_grant_nothing_but_to_root(void **state)
{
    (void)state;
    struct access_rules *rules;
    assert_int_equal(access_rules_new(&rules, "own"), 0);
    assert_false(may(rules, &peers[SEVEN], "own", "", ACCESS_SHOW, "/a"));
    assert_true(may(rules, &peers[ROOT], "own", "", ACCESS_SHOW, "/a"));
    struct access_grant grant;
    access_grant_peer(rules, &peers[SEVEN], &grant);
    assert_false(access_has(&grant, ACCESS_SHOW | ACCESS_ADMIN));
    (void)access_rules_free(rules);
}

static void test_a_unit_that_cannot_be_told_fits_none(void **state)
{
    (void)state;
    static const char *const empty[] = {""};
    const struct access_section section = {
        .name = "Access u", .file = "f", .units = empty, .unit_count = 1, .admin = true};
    struct access_rules *rules;
    assert_int_equal(access_rules_new(&rules, "own"), 0);
    assert_int_equal(access_rules_add(rules, &section), 0);
    struct access_grant grant;
    access_grant_peer(rules, &peers[SEVEN], &grant);
    assert_false(access_has(&grant, ACCESS_ADMIN));
    (void)access_rules_free(rules);
}

static void test_as_many_sections_as_there_may_be_count(void **state)
{
    (void)state;
    struct access_rules *rules;
    assert_int_equal(access_rules_new(&rules, "own"), 0);
    for (uint32_t i = 0; i < ACCESS_SECTIONS_MAX; i++) {
        const uint32_t uid = 1000 + i;
        const struct access_section section = {.name = "Access n",
                                               .file = "f",
                                               .users = &uid,
                                               .user_count = 1,
                                               .reports = led,
                                               .report_count = 1};
        assert_int_equal(access_rules_add(rules, &section), 0);
    }
    assert_int_equal(access_rules_add(rules, &sections[0]), -ENOSPC);
    const struct access_peer last = {.uid = 1000 + ACCESS_SECTIONS_MAX - 1, .unit = ""};
    assert_true(may(rules, &last, "own", "", ACCESS_REPORT, "/led"));
    assert_false(may(rules, &last, "own", "", ACCESS_WATCH, "/led"));
    (void)access_rules_free(rules);
}

static void test_why_not_names_the_section_and_the_remedy(void **state)
{
    static const struct {
        enum who who;
        const char *shadow;
        enum access_right right;
        const char *wanted[4];
    } cases[] = {
        {SEVEN, "", ACCESS_REPORT, {"[Access seven] (f:1)", "uid 7", "report /x", "Report="}},
        {SEVEN, "config", ACCESS_REPORT, {"[Access seven] (f:1)", "Thing and Shadow", "", ""}},
        {SEVEN, "", ACCESS_ADMIN, {"[Access seven] (f:1)", "Admin=yes", "reload", ""}},
        {NINE,
         "",
         ACCESS_WATCH,
         {"[Access broken] (f:5)", "mistake", "uid 9 in other.service", "watch /x"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct access_grant of_peer, grant;
        char text[512];
        access_grant_peer(*state, &peers[cases[i].who], &of_peer);
        access_grant_shadow(&of_peer, "own", cases[i].shadow, &grant);
        access_explain(&grant, &of_peer, &peers[cases[i].who], cases[i].right, "/x", text,
                       sizeof(text));
        for (size_t j = 0; j < 4; j++) {
            if (!strstr(text, cases[i].wanted[j]))
                fail_msg("no '%s' in: %s", cases[i].wanted[j], text);
        }
    }
}

#define RULES_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RULES_TEST(test_paths_are_granted_by_the_table),
        RULES_TEST(test_admins_are_by_group_of_any_kind),
        RULES_TEST(test_sections_add_up),
        RULES_TEST(test_without_rules_everything_is_granted),
        RULES_TEST(test_rules_without_a_section_grant_nothing_but_to_root),
        RULES_TEST(test_a_unit_that_cannot_be_told_fits_none),
        RULES_TEST(test_as_many_sections_as_there_may_be_count),
        RULES_TEST(test_why_not_names_the_section_and_the_remedy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
