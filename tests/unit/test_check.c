#include "daemon/shadow/check.h"

#include "daemon/shadow/projection.h"
#include "tests/unit/ledger_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct checked {
    struct check_limits limits;
    struct check_size size;
    struct shadow_refusal refusal;
};

static struct checked make(size_t max_bytes)
{
    return (struct checked){.limits = {.max_depth = 8, .max_document_bytes = max_bytes}};
}

static struct shadow_operation set(const char *path, struct flux_value value)
{
    return (struct shadow_operation){
        .kind = FLUX_SET, .path = path, .path_size = strlen(path), .value = value};
}

static struct shadow_operation unset(const char *path)
{
    return (struct shadow_operation){.kind = FLUX_UNSET, .path = path, .path_size = strlen(path)};
}

static int check(struct ledger_world *world, struct checked *checked,
                 const struct shadow_operation *operations, size_t count)
{
    struct shadow_report report = {.operations = operations, .operation_count = count};
    return check_report(&world->ledger, &checked->limits, &checked->size, &report,
                        &checked->refusal);
}

static int check_one(struct ledger_world *world, struct checked *checked, const char *path,
                     struct flux_value value)
{
    struct shadow_operation operation = set(path, value);
    return check(world, checked, &operation, 1);
}

static void test_bad_paths_and_values_are_refused_by_name(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(8192);
    struct {
        const char *path;
        struct flux_value value;
    } cases[] = {
        {"/a//b", flux_value_int64(1)},
        {"/a/", flux_value_int64(1)},
        {"", flux_value_int64(1)},
        {"a", flux_value_int64(1)},
        {"/\xff", flux_value_int64(1)},
        {"/nan", flux_value_double(__builtin_nan(""))},
        {"/inf", flux_value_double(__builtin_inf())},
        {"/utf", flux_value_string("\xc3(", 2)},
        {"/null", flux_value_array("[null]", 6)},
        {"/1/2/3/4/5/6/7/8/9", flux_value_int64(1)},
        {"/1/2/3/4/5/6/7/8", flux_value_array("[{\"9\":1}]", 9)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(check_one(world, &checked, cases[i].path, cases[i].value),
                         SHADOW_REPORT_REFUSED);
        assert_int_equal(checked.refusal.code, 400);
        assert_string_equal(checked.refusal.path, cases[i].path);
        assert_true(strlen(checked.refusal.text) > 8);
    }
    assert_int_equal(check_one(world, &checked, "/1/2/3/4/5/6/7/8", flux_value_int64(1)),
                     SHADOW_REPORT_QUEUED);
}

static void test_the_merged_size_counts_desired_too(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"blob\":\"xxxxxxxxxx\"}},\"version\":1}");
    struct checked checked = make(40); /* {"blob":"xxxxxxxxxx"} has 21 */
    struct flux_value text = flux_value_string("yyyyyyyyyy", 10);
    assert_int_equal(check_one(world, &checked, "/m", text), SHADOW_REPORT_QUEUED); /* 38 */
    checked = make(40);
    checked.limits.desired_bytes = 3;
    assert_int_equal(check_one(world, &checked, "/m", text), SHADOW_REPORT_REFUSED);
    assert_int_equal(checked.refusal.code, 413);
    assert_string_equal(checked.refusal.path, "/m");
    assert_non_null(strstr(checked.refusal.text, "41 bytes"));
    assert_non_null(strstr(checked.refusal.text, "of 40"));
}

static void test_the_exact_limit_fits(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(9); /* {"a":"b"} */
    assert_int_equal(check_one(world, &checked, "/a", flux_value_string("b", 1)),
                     SHADOW_REPORT_QUEUED);
    checked = make(9);
    assert_int_equal(check_one(world, &checked, "/a", flux_value_string("bc", 2)),
                     SHADOW_REPORT_REFUSED);
    checked = make(9);
    assert_int_equal(check_one(world, &checked, "/a", flux_value_double(0.5)),
                     SHADOW_REPORT_QUEUED);
    assert_int_equal(check_one(world, &checked, "/a", flux_value_int64(1234)),
                     SHADOW_REPORT_REFUSED);
}

static struct flux_value some_value(unsigned random, char ret_json[static 64])
{
    struct flux_value value = flux_value_double((double)random / (random % 3 == 0 ? 8 : 3));
    if (random % 5 == 0)
        value = flux_value_int64((int64_t)random * random * (random % 2 ? 1 : -1));
    if (random % 5 == 1)
        value = flux_value_string("a text of no great length", random % 26);
    if (value.type == FLUX_VALUE_DOUBLE)
        (void)snprintf(ret_json, 64, "%.17g", value.real);
    else if (value.type == FLUX_VALUE_INT64)
        (void)snprintf(ret_json, 64, "%lld", (long long)value.int64);
    else
        (void)snprintf(ret_json, 64, "\"%.*s\"", (int)value.size, value.text);
    return value;
}

static void test_the_bound_is_never_below_the_size(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(160);
    unsigned random = 1, taken = 0, refused = 0;
    for (int i = 0; i < 5000; i++) {
        char path[16], json[64];
        random = random * 1103515245u + 12345u;
        (void)snprintf(path, sizeof(path), "/p%u", random >> 16 & 7);
        struct flux_value value = some_value(random >> 8 & 0xffff, json);
        if (i % 100 == 0)
            checked.size.known = false; /* as after a message of the cloud */
        if (check_one(world, &checked, path, value) != SHADOW_REPORT_QUEUED) {
            refused++;
            continue;
        }
        taken++;
        (void)ledger_world_report(world, path, json);
        size_t bytes = projection_measure(&world->ledger);
        assert_true(bytes <= checked.limits.max_document_bytes);
        assert_true(bytes <= checked.size.bytes);
    }
    assert_true(taken > 1000);
    assert_true(refused > 100);
}

static void test_making_room_in_the_same_report_counts(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(
        world, "{\"state\":{\"reported\":{\"o\":{\"old\":\"xxxxxxxxxxxxxxxx\"}}},\"version\":1}");
    struct checked checked = make(40);
    struct flux_value text = flux_value_string("yyyyyyyyyyyyyyyy", 16);
    struct shadow_operation replace[] = {unset("/o"), set("/o/new", text)};
    assert_int_equal(check(world, &checked, replace, 2), SHADOW_REPORT_QUEUED);
    struct checked other = make(40);
    assert_int_equal(check(world, &other, &replace[1], 1), SHADOW_REPORT_REFUSED);
}

static void test_a_document_that_is_too_large_may_still_shrink(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world,
                     "{\"state\":{\"reported\":{\"a\":\"xxxxxxxxxxxx\",\"b\":1}},\"version\":1}");
    struct checked checked = make(10);
    struct shadow_operation operation = unset("/b");
    assert_int_equal(check(world, &checked, &operation, 1), SHADOW_REPORT_QUEUED);
    assert_int_equal(check_one(world, &checked, "/a", flux_value_string("x", 1)),
                     SHADOW_REPORT_QUEUED);
    assert_int_equal(check_one(world, &checked, "/a", flux_value_string("xxxxxxxxxxxxx", 13)),
                     SHADOW_REPORT_REFUSED);
}

static void test_a_refused_value_is_remembered(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(8192);
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    ledger_refuse(&world->ledger, a, ledger_newest(a), 418, "teapot");
    assert_int_equal(check_one(world, &checked, "/a", flux_value_int64(1)), SHADOW_REPORT_REFUSED);
    assert_int_equal(checked.refusal.code, 418);
    assert_non_null(strstr(checked.refusal.text, "teapot"));
    assert_int_equal(check_one(world, &checked, "/a", flux_value_int64(2)), SHADOW_REPORT_QUEUED);
}

static void test_a_shadow_holds_so_many_properties(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(1u << 20);
    char path[32];
    for (unsigned i = 0; i < FLUX_PROPERTIES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p%u", i);
        assert_int_equal(check_one(world, &checked, path, flux_value_int64(1)),
                         SHADOW_REPORT_QUEUED);
        (void)ledger_world_report(world, path, "1");
    }
    assert_int_equal(check_one(world, &checked, "/one-more", flux_value_int64(1)),
                     SHADOW_REPORT_REFUSED);
    assert_int_equal(checked.refusal.code, 413);
    assert_int_equal(check_one(world, &checked, "/p7", flux_value_int64(2)), SHADOW_REPORT_QUEUED);
}

/* Whoever goes on and on is refused without a look at all there is. */
static void test_refusing_for_a_full_shadow_is_cheap(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(1u << 20);
    char path[32];
    for (unsigned i = 0; i < FLUX_PROPERTIES_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/p%u", i);
        (void)ledger_world_report(world, path, "1");
    }
    const uint64_t effort = checked.size.effort;
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(path, sizeof(path), "/more%u", i);
        assert_int_equal(check_one(world, &checked, path, flux_value_int64(1)),
                         SHADOW_REPORT_REFUSED);
        struct shadow_operation removal = unset(path);
        assert_int_equal(check(world, &checked, &removal, 1), SHADOW_REPORT_REFUSED);
        assert_int_equal(checked.refusal.code, 413);
    }
    assert_int_equal(checked.size.effort, effort);
    struct shadow_operation changes[] = {set("/p1", flux_value_int64(2)), unset("/p2"),
                                         set("/p2", flux_value_int64(3))};
    assert_int_equal(check(world, &checked, changes, 3), SHADOW_REPORT_QUEUED);
    assert_true(checked.size.effort - effort < 8u * FLUX_PROPERTIES_MAX); /* no copy */
    /* The first makes the room that the second needs. */
    struct shadow_operation exchange[] = {unset("/p1"), set("/p1/below", flux_value_int64(1)),
                                          unset("/p2")};
    assert_int_equal(check(world, &checked, exchange, 3), SHADOW_REPORT_REFUSED);
    exchange[0] = unset("");
    assert_int_equal(check(world, &checked, exchange, 3), SHADOW_REPORT_QUEUED);
}

static void test_values_that_exclude_each_other_are_refused_naming_both(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(8192);
    struct flux_value one = flux_value_int64(1), object = flux_value_empty_object();
    struct {
        struct shadow_operation operations[3];
        bool excluded;
    } cases[] = {
        {{set("/a", one), set("/a/b", one), set("/c", one)}, true},
        {{set("/a/b/c", one), set("/x", one), set("/a", one)}, true},
        {{set("/a", object), set("/a/b", one), set("/c", one)}, false},
        {{set("/a", one), unset("/a"), set("/a/b", one)}, false},
        {{set("/a/b", one), unset("/a/b"), set("/a", one)}, false},
        {{set("/a/b", one), unset(""), set("/a", one)}, false},
        {{set("/a", one), unset("/a/c"), set("/a/b", one)}, true},
        {{set("/a", one), set("/a", one), set("/ab", one)}, false},
        {{unset("/a"), set("/a/b", one), set("/a/c", one)}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int r = check(world, &checked, cases[i].operations, 3);
        assert_int_equal(r, cases[i].excluded ? SHADOW_REPORT_REFUSED : SHADOW_REPORT_QUEUED);
        if (!cases[i].excluded)
            continue;
        assert_int_equal(checked.refusal.code, 400);
        assert_non_null(strstr(checked.refusal.text, "/a and /a/b"));
    }
}

/* Large reports are judged another way, with the same verdict. */
static void test_values_that_exclude_each_other_are_found_among_many(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(1u << 20);
    struct shadow_operation operations[400];
    char paths[400][32];
    for (size_t i = 0; i < 400; i++) {
        (void)snprintf(paths[i], sizeof(paths[i]), "/p%zu/q", i);
        operations[i] = set(paths[i], flux_value_int64(1));
    }
    assert_int_equal(check(world, &checked, operations, 400), SHADOW_REPORT_QUEUED);
    operations[390] = set("/p3", flux_value_int64(1));
    assert_int_equal(check(world, &checked, operations, 400), SHADOW_REPORT_REFUSED);
    assert_non_null(strstr(checked.refusal.text, "/p3 and /p3/q"));
    operations[389] = unset("/p3");
    assert_int_equal(check(world, &checked, operations, 400), SHADOW_REPORT_QUEUED);
    operations[391] = set("/p3/z", flux_value_int64(1));
    assert_int_equal(check(world, &checked, operations, 400), SHADOW_REPORT_REFUSED);
    assert_non_null(strstr(checked.refusal.text, "/p3 and /p3/z"));
}

static void test_a_refusal_for_size_names_the_three_largest(void **state)
{
    struct ledger_world *world = *state;
    struct checked checked = make(100);
    ledger_world_get(world, "{\"state\":{\"reported\":{\"theirs\":\"xxxxxxxxxxxxxxxxxxxx\"}},"
                            "\"version\":1}");
    (void)ledger_world_report(world, "/n/small", "1");
    (void)ledger_world_report(world, "/n/middle", "\"xxxxxxxxxx\"");
    struct flux_value text = flux_value_string("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", 38);
    assert_int_equal(check_one(world, &checked, "/large", text), SHADOW_REPORT_REFUSED);
    assert_string_equal(checked.refusal.path, "/large");
    assert_non_null(
        strstr(checked.refusal.text, "largest: /large (40 bytes), /theirs (22), /n/middle (12)"));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, ledger_world_setup, ledger_world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_bad_paths_and_values_are_refused_by_name),
        CASE(test_the_merged_size_counts_desired_too),
        CASE(test_the_exact_limit_fits),
        CASE(test_the_bound_is_never_below_the_size),
        CASE(test_making_room_in_the_same_report_counts),
        CASE(test_a_document_that_is_too_large_may_still_shrink),
        CASE(test_a_refused_value_is_remembered),
        CASE(test_a_shadow_holds_so_many_properties),
        CASE(test_refusing_for_a_full_shadow_is_cheap),
        CASE(test_values_that_exclude_each_other_are_refused_naming_both),
        CASE(test_values_that_exclude_each_other_are_found_among_many),
        CASE(test_a_refusal_for_size_names_the_three_largest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
