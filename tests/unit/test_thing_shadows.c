#include "daemon/shadow/thing.h"

#include "daemon/shadow/shadow_private.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const extra[] = {"boiler", "gw-*"};

static struct thing *new_thing(unsigned max_shadows)
{
    struct thing_options options;
    thing_options_init(&options);
    options.name = "dev";
    options.instance_id = 7;
    options.extra = extra;
    options.extra_count = 2;
    options.max_shadows = max_shadows;
    struct thing *thing = NULL;
    assert_int_equal(thing_new(&thing, &options), 0);
    return thing;
}

static struct shadow *open_shadow(struct thing *thing, const char *thing_name, const char *name)
{
    struct shadow *shadow = NULL;
    assert_int_equal(thing_open_shadow(thing, thing_name, name, &shadow), 0);
    return shadow;
}

static void report(struct shadow *shadow, const char *path, int64_t value)
{
    struct shadow_refusal refusal;
    const struct shadow_operation operation = {.kind = FLUX_SET,
                                               .path = path,
                                               .path_size = strlen(path),
                                               .value = flux_value_int64(value)};
    const struct shadow_report what = {.operations = &operation, .operation_count = 1};
    assert_int_equal(shadow_report(shadow, &what, 0, NULL, &refusal), SHADOW_REPORT_QUEUED);
}

static void test_extra_names_and_patterns_are_allowed(void **state)
{
    (void)state;
    struct thing *thing = new_thing(8);
    struct shadow *shadow;
    (void)open_shadow(thing, "boiler", NULL);
    (void)open_shadow(thing, "gw-1", "motor");
    assert_int_equal(thing_open_shadow(thing, "boiler2", NULL, &shadow), -EACCES);
    assert_int_equal(thing_open_shadow(thing, "gw", NULL, &shadow), -EACCES);
    (void)thing_free(thing);
}

static void test_extra_is_copied_and_bad_patterns_are_refused(void **state)
{
    (void)state;
    struct thing *thing = new_thing(8);
    struct thing_options options;
    char pattern[] = "x-*";
    const char *patterns[] = {pattern};
    struct shadow *shadow;
    thing_options_init(&options);
    options.extra = patterns;
    options.extra_count = 1;
    assert_int_equal(thing_set_options(thing, &options, 0), 0);
    pattern[0] = 'y';
    (void)open_shadow(thing, "x-1", NULL);
    assert_int_equal(thing_open_shadow(thing, "boiler", NULL, &shadow), -EACCES);
    pattern[0] = '/';
    assert_int_equal(thing_set_options(thing, &options, 0), -EINVAL);
    (void)open_shadow(thing, "x-2", NULL); /* the old ones stay in force */
    (void)thing_free(thing);
}

static void test_the_same_names_are_the_same_shadow(void **state)
{
    (void)state;
    struct thing *thing = new_thing(8);
    struct shadow *a = open_shadow(thing, NULL, "a");
    assert_ptr_equal(open_shadow(thing, "dev", "a"), a);
    assert_ptr_not_equal(open_shadow(thing, "boiler", "a"), a);
    assert_ptr_not_equal(open_shadow(thing, "boiler", NULL), a);
    (void)thing_free(thing);
}

static void test_the_walk_meets_each_shadow_once(void **state)
{
    (void)state;
    struct thing *thing = new_thing(8);
    (void)open_shadow(thing, NULL, "a");
    (void)open_shadow(thing, NULL, "b");
    size_t count = 0;
    for (struct shadow *s = thing_next_shadow(thing, NULL); s; s = thing_next_shadow(thing, s))
        count++;
    assert_int_equal(count, 3);
    (void)thing_free(thing);
}

static void test_no_more_than_max_shadows_open(void **state)
{
    (void)state;
    struct thing *thing = new_thing(3);
    struct shadow *shadow;
    (void)open_shadow(thing, NULL, "a");
    (void)open_shadow(thing, NULL, "b");
    assert_int_equal(thing_open_shadow(thing, NULL, "c", &shadow), -ENOSPC);
    (void)open_shadow(thing, NULL, "a"); /* one that is there can always be had */
    (void)thing_free(thing);
}

static void test_an_unused_shadow_makes_way_oldest_first(void **state)
{
    (void)state;
    struct thing *thing = new_thing(3);
    struct shadow *a = open_shadow(thing, NULL, "a");
    struct shadow *b = open_shadow(thing, NULL, "b");
    assert_ptr_equal(open_shadow(thing, NULL, "a"), a);
    thing_close_shadow(thing, b);
    thing_close_shadow(thing, a);
    struct shadow *shadow = open_shadow(thing, NULL, "c"); /* in b's place: a has one more user */
    assert_int_equal(thing_open_shadow(thing, NULL, "d", &b), -ENOSPC);
    thing_close_shadow(thing, shadow);
    thing_close_shadow(thing, a);
    (void)open_shadow(thing, NULL, "d");
    assert_ptr_equal(open_shadow(thing, NULL, "a"), a);
    (void)thing_free(thing);
}

static void test_fewer_max_shadows_are_reached_with_the_next_opening(void **state)
{
    (void)state;
    struct thing *thing = new_thing(6);
    struct thing_options options = {0};
    struct thing_status status;
    for (int i = 0; i < 5; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "s%d", i);
        thing_close_shadow(thing, open_shadow(thing, NULL, name));
    }
    thing_options_init(&options);
    options.max_shadows = 3;
    assert_int_equal(thing_set_options(thing, &options, 0), 0);
    (void)open_shadow(thing, NULL, "new");
    thing_get_status(thing, &status);
    assert_int_equal(status.shadows, 3);
    (void)thing_free(thing);
}

static void test_a_shadow_with_values_of_ours_stays(void **state)
{
    (void)state;
    struct thing *thing = new_thing(2);
    struct shadow *a = open_shadow(thing, NULL, "a"), *shadow;
    report(a, "/x", 1);
    thing_close_shadow(thing, a);
    assert_int_equal(thing_open_shadow(thing, NULL, "b", &shadow), -ENOSPC);
    assert_ptr_equal(open_shadow(thing, NULL, "a"), a);
    (void)thing_free(thing);
}

static void test_the_own_classic_shadow_always_stays(void **state)
{
    (void)state;
    struct thing *thing = new_thing(1);
    struct shadow *shadow = open_shadow(thing, NULL, NULL), *other;
    thing_close_shadow(thing, shadow);
    assert_int_equal(thing_open_shadow(thing, NULL, "b", &other), -ENOSPC);
    assert_ptr_equal(thing_next_shadow(thing, NULL), shadow);
    (void)thing_free(thing);
}

static void test_giving_up_a_shadow_never_lowers_the_outcomes(void **state)
{
    (void)state;
    struct thing *thing = new_thing(2);
    struct shadow *a = open_shadow(thing, NULL, "a");
    shadow_stored(a, 40);
    uint64_t before = thing_outcome_count(thing);
    thing_close_shadow(thing, a);
    (void)open_shadow(thing, NULL, "b");
    assert_true(thing_outcome_count(thing) >= before);
    (void)thing_free(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_extra_names_and_patterns_are_allowed),
        cmocka_unit_test(test_extra_is_copied_and_bad_patterns_are_refused),
        cmocka_unit_test(test_the_same_names_are_the_same_shadow),
        cmocka_unit_test(test_the_walk_meets_each_shadow_once),
        cmocka_unit_test(test_no_more_than_max_shadows_open),
        cmocka_unit_test(test_an_unused_shadow_makes_way_oldest_first),
        cmocka_unit_test(test_fewer_max_shadows_are_reached_with_the_next_opening),
        cmocka_unit_test(test_a_shadow_with_values_of_ours_stays),
        cmocka_unit_test(test_the_own_classic_shadow_always_stays),
        cmocka_unit_test(test_giving_up_a_shadow_never_lowers_the_outcomes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
