/* Policies per property: globs, merging, the classic shadow. */
#include "daemon/shadow/path_glob.h"
#include "daemon/shadow/policies.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void add(struct policies *policies, const char *glob, unsigned keys, struct policy policy)
{
    const struct policy_rule rule = {.glob = glob, .keys = keys, .policy = policy};
    assert_int_equal(policies_add(policies, &rule), 0);
}

static const struct policy *find_in(struct policies *policies, const char *thing,
                                    const char *shadow, const char *path)
{
    const struct policy *policy = NULL;
    assert_int_equal(policies_find(policies, thing, shadow, path, strlen(path), &policy), 0);
    return policy;
}

static const struct policy *find(struct policies *policies, const char *path)
{
    return find_in(policies, "lamp", "", path);
}

static bool matches(const char *glob, const char *path)
{
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    add(policies, glob, POLICY_URGENT, (struct policy){.urgent = true});
    bool found = find(policies, path) != NULL;
    policies_free(policies);
    return found;
}

static void test_literal_glob_matches_its_path_alone(void **state)
{
    (void)state;
    assert_true(matches("battery.level", "/battery/level"));
    assert_false(matches("battery.level", "/battery"));
    assert_false(matches("battery.level", "/battery/levels"));
    assert_false(matches("battery.level", "/battery/level/a"));
    assert_false(matches("battery.level", "/a/battery/level"));
}

static void test_pointer_globs_are_pointers(void **state)
{
    (void)state;
    assert_true(matches("/a.b/c", "/a.b/c"));
    assert_false(matches("/a.b/c", "/a/b/c"));
    assert_true(matches("/a~1b", "/a~1b"));
    assert_true(matches("a/b", "/a~1b")); /* dotted: the slash is part of the key */
}

static void test_star_stays_within_one_key(void **state)
{
    (void)state;
    assert_true(matches("a.*", "/a/b"));
    assert_false(matches("a.*", "/a"));
    assert_false(matches("a.*", "/a/b/c"));
    assert_true(matches("*.b", "/a/b"));
    assert_true(matches("temp*", "/temp"));
    assert_true(matches("temp*", "/temperature"));
    assert_true(matches("t*p*e", "/tpxpee"));
    assert_false(matches("t*p*e", "/tpxp"));
    assert_false(matches("temp*", "/temp/a"));
}

static void test_two_stars_match_any_depth(void **state)
{
    (void)state;
    assert_true(matches("**", "/a"));
    assert_true(matches("**", "/a/b/c"));
    assert_true(matches("a.**", "/a"));
    assert_true(matches("a.**", "/a/b/c"));
    assert_false(matches("a.**", "/ab/c"));
    assert_true(matches("**.b", "/b"));
    assert_true(matches("**.b", "/a/b/b"));
    assert_false(matches("**.b", "/a/b/c"));
    assert_true(matches("a.**.b.*", "/a/x/b/y/b/z"));
    assert_true(matches("a.**.b", "/a/b"));
    assert_false(matches("a.**.b", "/a/x/c"));
    assert_true(matches("**.a.**.a", "/a/x/a/y/a"));
}

static void test_long_globs_come_to_an_end(void **state)
{
    (void)state;
    char path[1001] = "";
    for (size_t i = 0; i < 500; i++)
        memcpy(path + 2 * i, "/a", 2);
    path[1000] = '\0';
    assert_false(matches("**.a.**.a.**.a.**.a.**.a.**.a.**.a.**.b", path));
    char name[1001];
    memset(name, 'a', 1000);
    name[0] = '/';
    name[1000] = '\0';
    assert_false(matches("*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", name));
}

static void test_bad_globs_are_refused_with_a_reason(void **state)
{
    (void)state;
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    static const char *const bad[] = {"", "a..b", "a**", "**a", "a.b**.c", "/a~2", "a\x01"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        const struct policy_rule rule = {.glob = bad[i]};
        assert_int_equal(policies_add(policies, &rule), -EINVAL);
        assert_non_null(path_glob_check(bad[i]));
    }
    assert_null(path_glob_check("a.**.b*c"));
    char glob[300];
    memset(glob, 'a', sizeof(glob));
    glob[PATH_GLOB_BYTES_MAX + 1] = '\0';
    assert_non_null(path_glob_check(glob));
    glob[PATH_GLOB_BYTES_MAX] = '\0';
    assert_null(path_glob_check(glob));
    policies_free(policies);
}

static void test_later_section_wins_key_by_key(void **state)
{
    (void)state;
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    add(policies, "**", POLICY_MIN_INTERVAL | POLICY_DEADBAND,
        (struct policy){.min_interval_ms = 1000, .deadband = 0.5});
    add(policies, "a.*", POLICY_MIN_INTERVAL | POLICY_ON_EXIT,
        (struct policy){.min_interval_ms = 5, .unset_on_exit = true});
    add(policies, "a.b", POLICY_ON_EXIT | POLICY_EXPIRE | POLICY_REFRESH,
        (struct policy){.expire_ms = 7, .refresh_ms = 9});
    const struct policy *policy = find(policies, "/a/b");
    assert_int_equal(policy->min_interval_ms, 5);
    assert_true(policy->deadband > 0.4);
    assert_false(policy->unset_on_exit); /* the last one says keep */
    assert_int_equal(policy->expire_ms, 7);
    assert_int_equal(policy->refresh_ms, 9);
    assert_true(find(policies, "/a/c")->unset_on_exit);
    assert_int_equal(find(policies, "/x")->min_interval_ms, 1000);
    policies_free(policies);
}

static void test_order_of_sections_counts_not_their_length(void **state)
{
    (void)state;
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    add(policies, "a.b", POLICY_EXPIRE, (struct policy){.expire_ms = 1});
    add(policies, "**", POLICY_EXPIRE, (struct policy){.expire_ms = 2});
    assert_int_equal(find(policies, "/a/b")->expire_ms, 2);
    policies_free(policies);
}

static void test_thing_and_shadow_narrow_a_section(void **state)
{
    (void)state;
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    const struct policy_rule named = {
        .glob = "a", .thing = "gw-*", .shadow = "conf*", .keys = POLICY_URGENT};
    const struct policy_rule classic = {.glob = "b", .shadow = "", .keys = POLICY_URGENT};
    assert_int_equal(policies_add(policies, &named), 0);
    assert_int_equal(policies_add(policies, &classic), 0);
    assert_non_null(find_in(policies, "gw-1", "config", "/a"));
    assert_null(find_in(policies, "gx-1", "config", "/a"));
    assert_null(find_in(policies, "gw-1", "", "/a"));
    assert_non_null(find_in(policies, "any", "", "/b"));
    assert_null(find_in(policies, "any", "config", "/b"));
    policies_free(policies);
}

static void test_equal_merges_are_one_policy(void **state)
{
    (void)state;
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    add(policies, "a.*", POLICY_EXPIRE, (struct policy){.expire_ms = 1});
    add(policies, "*.b", POLICY_EXPIRE, (struct policy){.expire_ms = 2});
    assert_ptr_equal(find(policies, "/a/c"), find(policies, "/a/d"));
    assert_ptr_not_equal(find(policies, "/a/b"), find(policies, "/a/d"));
    assert_ptr_equal(find(policies, "/a/b"), find(policies, "/a/b"));
    assert_null(find(policies, "/c"));
    policies_free(policies);
}

static void test_sections_are_bounded(void **state)
{
    (void)state;
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    for (unsigned i = 0; i < POLICIES_MAX; i++) {
        char glob[16];
        (void)snprintf(glob, sizeof(glob), "k%u", i);
        add(policies, glob, POLICY_EXPIRE, (struct policy){.expire_ms = 1 + i});
    }
    const struct policy_rule rule = {.glob = "a"};
    assert_int_equal(policies_add(policies, &rule), -ENOSPC);
    assert_int_equal(policies_count(policies), POLICIES_MAX);
    assert_int_equal(find(policies, "/k255")->expire_ms, 256);
    assert_int_equal(find(policies, "/k0")->expire_ms, 1);
    policies_free(policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literal_glob_matches_its_path_alone),
        cmocka_unit_test(test_pointer_globs_are_pointers),
        cmocka_unit_test(test_star_stays_within_one_key),
        cmocka_unit_test(test_two_stars_match_any_depth),
        cmocka_unit_test(test_long_globs_come_to_an_end),
        cmocka_unit_test(test_bad_globs_are_refused_with_a_reason),
        cmocka_unit_test(test_later_section_wins_key_by_key),
        cmocka_unit_test(test_order_of_sections_counts_not_their_length),
        cmocka_unit_test(test_thing_and_shadow_narrow_a_section),
        cmocka_unit_test(test_equal_merges_are_one_policy),
        cmocka_unit_test(test_sections_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
