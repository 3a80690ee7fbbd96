/* Sections [Access NAME] as they are read: what counts, and that a mistake grants nothing. */
#include "daemon/config_access.h"
#include "daemon/config_file.h"
#include "daemon/config_users.h"

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

/* Read a text as a file would be. */
static void read_text(struct config *config, const char *text)
{
    assert_int_equal(config_init(config), 0);
    FILE *stream = fmemopen((void *)(uintptr_t)text, strlen(text), "r");
    assert_non_null(stream);
    (void)config_read_stream(config, stream, "f");
    (void)fclose(stream);
    assert_int_equal(config_finish(config), 0);
    assert_int_equal(config_users_resolve(config), 0);
}

/* Tell what user 7 of group 8, in weather.service, may do by these sections. */
static bool may(const char *text, unsigned right, const char *path)
{
    static const uint32_t groups[] = {8};
    const struct access_peer peer = {
        .uid = 7, .gid = 7, .groups = groups, .group_count = 1, .unit = "weather.service"};
    struct config config;
    struct access_rules *rules;
    struct access_grant of_peer, grant;
    struct access_paths paths;
    read_text(&config, text);
    assert_int_equal(config_make_access(&config, "own", &rules), 0);
    access_grant_peer(rules, &peer, &of_peer);
    access_grant_shadow(&of_peer, "own", "", &grant);
    bool is_granted = access_has(&grant, right);
    if (is_granted && path && !access_is_all(&grant)) {
        access_get_paths(&grant, right, &paths);
        is_granted = path_filter_has(&paths.filter, path, strlen(path));
    }
    (void)access_rules_free(rules);
    config_clear(&config);
    return is_granted;
}

static void test_good_sections_grant_what_they_say(void **state)
{
    (void)state;
    static const char everything[] = "[Access a]\nUser=7, 9\nGroup=8\nUnit=weather.service\n"
                                     "Report=a.**, b\nWatch=led mode.*\nAdmin=yes\n";
    assert_true(may(everything, ACCESS_REPORT, "/a/x/y"));
    assert_true(may(everything, ACCESS_REPORT, "/b"));
    assert_false(may(everything, ACCESS_REPORT, "/led"));
    assert_true(may(everything, ACCESS_WATCH, "/led"));
    assert_true(may(everything, ACCESS_WATCH, "/mode/x"));
    assert_true(may(everything, ACCESS_ADMIN, NULL));
    assert_false(may("[Access a]\nUser=7\nReport=\n", ACCESS_REPORT, NULL));
    assert_false(may("[Access a]\nUser=7\n", ACCESS_SHOW | ACCESS_ADMIN, NULL));
    assert_true(may("[Access a]\nUser=7\nThing=\nShadow=\nReport=x\n", ACCESS_REPORT, "/x"));
    assert_true(may("[Access a]\nUser=7\nThing=o*\nShadow=*\nReport=x\n", ACCESS_REPORT, "/x"));
    assert_false(may("[Access a]\nUser=7\nShadow=config\nReport=x\n", ACCESS_REPORT, "/x"));
    assert_true(
        may("[Access a]\nUser=7\nReport=x\n[Access b]\nGroup=8\nAdmin=on\n", ACCESS_ADMIN, NULL));
    assert_true(may("[Updates]\nBurst=3\n", ACCESS_ADMIN, NULL)); /* no section, no rule */
}

static void test_a_mistake_grants_nothing_and_degrades(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "[Access a]\nUser=7\nReport=**\nAdmin=yes\nColour=red\n",
        "[Access a]\nColour=red\nUser=7\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=no-such-user-here\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=7 no-such-user-here\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=7\nGroup=no-such-group-here\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=7\nGroup=\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=7\nUnit= , \nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=4294967295\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=99999999999\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=-7\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=7\nUnit=weather\nReport=**\nAdmin=yes\n",
        "[Access a]\nReport=**\nAdmin=yes\n",
        "[Access a]\n",
        "[Access]\nUser=7\nReport=**\nAdmin=yes\n",
        "[Access a]\nUser=7\nReport=** b**\nAdmin=yes\n",
        "[Access a]\nUser=7\nReport=**\nWatch=a..b\nAdmin=yes\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=perhaps\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=yes\nThing=a/b\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=yes\nShadow=a.b\n",
        "[Access a]\nUser=7\nReport=**\nReport=b\nAdmin=yes\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=yes\nwhatever\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=yes ; or so\n",
        "[Access a]\nUser=7\nReport=**\nAdmin=yes\n[Access a]\nUser=9\nReport=b\n",
        "[Access a]\nUser=9\nReport=b\n[Access  a]\nUser=7\nReport=**\nAdmin=yes\n",
        "[access a]\nUser=7\nReport=**\nAdmin=yes\n",
        "[Acces a]\nUser=7\nReport=**\nAdmin=yes\n",
        "[ Access a]\nUser=7\nReport=**\nAdmin=yes\n",
        "[\tAcess a]\nUser=7\nReport=**\nAdmin=yes\n",
        "[Access-a]\nUser=7\nReport=**\nAdmin=yes\n",
        "[AccessRules]\nUser=7\nReport=**\nAdmin=yes\n",
        "[Access a\nUser=7\nReport=**\nAdmin=yes\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct config config;
        read_text(&config, texts[i]);
        if (!config.has_access || !config_is_degraded(&config) ||
            may(texts[i], ACCESS_SHOW | ACCESS_ADMIN, NULL))
            fail_msg("%s", texts[i]);
        config_clear(&config);
    }
}

static void test_a_mistake_in_one_section_leaves_the_others(void **state)
{
    (void)state;
    static const char text[] = "[Access a]\nUser=7\nReport=a\n[Access b]\nUser=7\nReport=b\n"
                               "Colour=red\n[Access c]\nUser=7\nReport=c\n";
    assert_true(may(text, ACCESS_REPORT, "/a"));
    assert_false(may(text, ACCESS_REPORT, "/b"));
    assert_true(may(text, ACCESS_REPORT, "/c"));
}

static void test_a_mistake_names_file_line_and_section(void **state)
{
    (void)state;
    struct config config;
    read_text(&config, "[Access a]\nUser=7\nColour=red\n");
    const struct config_problem *problem = &config.problems[0];
    assert_string_equal(problem->file, "f");
    assert_int_equal(problem->line, 3);
    assert_non_null(strstr(problem->text, "[Access a]"));
    assert_non_null(strstr(problem->text, "Colour"));
    assert_non_null(strstr(problem->text, "grants nothing"));
    config_clear(&config);
    read_text(&config, "[Access a]\nReport=a\nUser=no-such-user-here\n");
    assert_int_equal(config.problems[config.problem_count - 1].line, 3);
    assert_non_null(
        strstr(config.problems[config.problem_count - 1].text, "User=no-such-user-here"));
    config_clear(&config);
}

/* Keys behind a head that cannot be read must not fall to the section before it. */
static void test_a_head_too_long_takes_its_keys_along(void **state)
{
    (void)state;
    char text[1024];
    (void)snprintf(text, sizeof(text),
                   "[Access a]\nUser=7\nReport=a\n[Property %0300d]\nAdmin=yes\n", 0);
    assert_false(may(text, ACCESS_ADMIN, NULL));
    (void)snprintf(text, sizeof(text), "[Access %0300d]\nUser=7\nAdmin=yes\n", 0);
    assert_false(may(text, ACCESS_ADMIN, NULL));
}

static void test_names_are_looked_up(void **state)
{
    (void)state;
    struct config config;
    read_text(&config, "[Access a]\nUser=root\nGroup=root, 5\n");
    assert_int_equal(config.accesses[0].users.count, 1);
    assert_int_equal(config.accesses[0].users.items[0], 0);
    assert_int_equal(config.accesses[0].groups.count, 2);
    assert_int_equal(config.accesses[0].groups.items[1], 5);
    assert_false(config.accesses[0].is_void);
    config_clear(&config);
}

static void test_too_many_sections_grant_no_more(void **state)
{
    (void)state;
    const size_t size = (ACCESS_SECTIONS_MAX + 3) * 40;
    char *text = calloc(1, size);
    assert_non_null(text);
    size_t used = 0;
    for (unsigned i = 0; i < ACCESS_SECTIONS_MAX + 2; i++)
        used += (size_t)snprintf(text + used, size - used, "[Access n%u]\nUser=%u\nAdmin=yes\n", i,
                                 i == ACCESS_SECTIONS_MAX ? 7u : 9u);
    assert_false(may(text, ACCESS_ADMIN, NULL));
    free(text);
}

static void test_sameness_is_by_what_counts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[Access a]\nUser=7\nReport=a\n",
        "[Access a]\nUser=8\nReport=a\n",
        "[Access a]\nUser=7\nReport=b\n",
        "[Access a]\nUser=7\nReport=a\nAdmin=yes\n",
        "[Access b]\nUser=7\nReport=a\n",
        "[Access a]\nUser=7\nReport=a\nColour=red\n",
        "[Access a]\nUser=7\nReport=a\n[Access b]\nUser=7\n",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++) {
            struct config a, b;
            read_text(&a, texts[i]);
            read_text(&b, texts[j]);
            assert_int_equal(config_access_is_same(&a, &b), i == j);
            config_clear(&a);
            config_clear(&b);
        }
    }
}

static void test_a_section_with_a_mistake_is_printed_without_its_keys(void **state)
{
    (void)state;
    struct config config;
    char *printed = NULL;
    size_t size = 0;
    read_text(&config, "[Access a]\nUser=7\nReport=a\n[Access b]\nUser=7\nColour=red\n");
    FILE *stream = open_memstream(&printed, &size);
    assert_non_null(stream);
    config_print(&config, stream);
    (void)fclose(stream);
    assert_non_null(strstr(printed, "# f:1\n[Access a]\nUser=7\nReport=a\n"));
    const char *other = strstr(printed, "[Access b]\n");
    assert_non_null(other);
    assert_null(strstr(other, "User"));
    free(printed);
    config_clear(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_sections_grant_what_they_say),
        cmocka_unit_test(test_a_mistake_grants_nothing_and_degrades),
        cmocka_unit_test(test_a_mistake_in_one_section_leaves_the_others),
        cmocka_unit_test(test_a_mistake_names_file_line_and_section),
        cmocka_unit_test(test_a_head_too_long_takes_its_keys_along),
        cmocka_unit_test(test_names_are_looked_up),
        cmocka_unit_test(test_too_many_sections_grant_no_more),
        cmocka_unit_test(test_sameness_is_by_what_counts),
        cmocka_unit_test(test_a_section_with_a_mistake_is_printed_without_its_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
