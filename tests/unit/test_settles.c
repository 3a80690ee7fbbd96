/* What waits to be settled, against a desired document of the test's choosing. */
#include "daemon/shadow/settles.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct settles settles;
static struct desired desired;

static int setup(void **state)
{
    (void)state;
    assert_int_equal(settles_init(&settles, 1), 0);
    return desired_init(&desired, 2);
}

static int teardown(void **state)
{
    (void)state;
    settles_clear(&settles);
    desired_clear(&desired);
    return 0;
}

static void merge(const char *text)
{
    json_t *object = json_loads(text, 0, NULL);
    assert_non_null(object);
    assert_int_equal(desired_merge(&desired, object, NULL, 0), 0);
    json_decref(object);
}

static struct flux_property *add(const char *path, uint64_t revision)
{
    struct flux_property *node;
    assert_int_equal(settles_add(&settles, path, strlen(path), revision, desired.serial, &node), 0);
    return node;
}

/* Compare what an update would carry in `desired` for all that waits. */
static void assert_nulls(const char *json)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    settles_unmark(&desired);
    settles_mark_all(&settles, &desired);
    assert_int_equal(desired_write_nulls(&desired, &writer), 0);
    assert_string_equal(writer.text, json);
    flux_json_writer_clear(&writer);
}

static enum ledger_fate fate(const struct flux_property *node, uint64_t revision)
{
    int64_t version;
    return settles_fate(node, revision, &version);
}

static void test_what_was_known_goes_at_the_path(void **state)
{
    (void)state;
    merge("{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3},\"f\":4}");
    struct flux_property *node = add("/a/b", 1);
    assert_nulls("{\"a\":{\"b\":null}}");
    assert_true(settles_has_left(node, &desired));
    add("/a", 2);
    assert_nulls("{\"a\":null}");
    add("", 3);
    assert_nulls("null");
}

static void test_what_is_newer_stays_leaf_by_leaf(void **state)
{
    (void)state;
    merge("{\"a\":{\"b\":{\"c\":1,\"d\":2},\"e\":3,\"g\":{\"h\":1}}}");
    struct flux_property *node = add("/a", 1);
    merge("{\"a\":{\"b\":{\"d\":5}}}");
    assert_nulls("{\"a\":{\"b\":{\"c\":null},\"e\":null,\"g\":null}}");
    merge("{\"a\":{\"b\":{\"c\":7},\"e\":8,\"g\":{\"h\":9}}}");
    assert_nulls("{}");
    assert_false(settles_has_left(node, &desired));
}

static void test_a_value_in_place_of_the_object_is_newer(void **state)
{
    (void)state;
    merge("{\"a\":{\"b\":1}}");
    struct flux_property *above = add("/a", 1), *below = add("/a/b", 2);
    merge("{\"a\":5}");
    assert_false(settles_has_left(above, &desired));
    assert_false(settles_has_left(below, &desired));
    assert_nulls("{}");
}

static void test_wishes_that_wait_to_go_are_covered(void **state)
{
    (void)state;
    merge("{\"a\":{\"b\":1}}");
    const struct flux_property *leaf = flux_property_set_find(&desired.set, "/a/b", 4);
    assert_false(settles_covers(&settles, leaf));
    struct flux_property *node = add("/a", 1);
    assert_true(settles_covers(&settles, leaf));
    merge("{\"a\":{\"b\":1}}");
    assert_false(settles_covers(&settles, leaf));
    node = add("/a", 2);
    assert_true(settles_covers(&settles, leaf));
    settles_end(&settles, node, 9);
    assert_false(settles_covers(&settles, leaf));
}

static void test_operations_end_together_and_one_by_one(void **state)
{
    (void)state;
    int64_t version;
    struct flux_property *node = add("/a", 3);
    flux_property_pin(node);
    assert_ptr_equal(add("/a", 5), node);
    assert_int_equal(settles.count, 1);
    assert_int_equal(settle_of(node)->oldest_revision, 3);
    settles_refuse(&settles, node, 3, 400, "no");
    assert_int_equal(fate(node, 3), LEDGER_REFUSED);
    assert_int_equal(fate(node, 5), LEDGER_WAITING);
    assert_int_equal(settles.count, 1);
    assert_int_equal(settle_of(node)->oldest_revision, 4);
    settles_end(&settles, node, 17);
    assert_int_equal(fate(node, 3), LEDGER_REFUSED);
    assert_int_equal(settles_fate(node, 5, &version), LEDGER_ACCEPTED);
    assert_int_equal(version, 17);
    assert_int_equal(settles.count, 0);
    flux_property_unpin(node);
    settles_prune(&settles);
    assert_int_equal(settles.set.node_count, 1);
}

static void test_refusals_in_a_row_are_all_remembered(void **state)
{
    (void)state;
    struct flux_property *a = add("/a", 1);
    settles_refuse(&settles, a, 1, 400, "no");
    add("/a", 2);
    settles_refuse(&settles, a, 2, 400, "no");
    assert_int_equal(fate(a, 1), LEDGER_REFUSED);
    assert_int_equal(fate(a, 2), LEDGER_REFUSED);
    add("/a", 3);
    settles_end(&settles, a, 8);
    add("/a", 4);
    settles_refuse(&settles, a, 4, 400, "no");
    assert_int_equal(fate(a, 3), LEDGER_ACCEPTED);
    assert_int_equal(fate(a, 4), LEDGER_REFUSED);
}

static void test_the_oldest_comes_first(void **state)
{
    (void)state;
    struct flux_property *a = add("/a", 1), *b = add("/b", 2);
    add("/a", 3);
    assert_ptr_equal(settles.first, a);
    settles_end(&settles, a, 1);
    assert_ptr_equal(settles.first, b);
    add("/a", 4);
    assert_ptr_equal(settles.first, b);
    assert_ptr_equal(settles.last, a);
}

static void test_what_stays_is_measured(void **state)
{
    (void)state;
    merge("{\"a\":{\"b\":1,\"c\":2},\"d\":3}");
    assert_int_equal(desired_measure(&desired), strlen("{\"a\":{\"b\":1,\"c\":2},\"d\":3}"));
    add("/a/b", 1);
    settles_mark_all(&settles, &desired);
    assert_int_equal(desired_measure_rest(&desired), strlen("{\"a\":{\"c\":2},\"d\":3}"));
    add("", 2);
    settles_mark_all(&settles, &desired);
    assert_int_equal(desired_measure_rest(&desired), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_what_was_known_goes_at_the_path),
        CASE(test_what_is_newer_stays_leaf_by_leaf),
        CASE(test_a_value_in_place_of_the_object_is_newer),
        CASE(test_wishes_that_wait_to_go_are_covered),
        CASE(test_operations_end_together_and_one_by_one),
        CASE(test_refusals_in_a_row_are_all_remembered),
        CASE(test_the_oldest_comes_first),
        CASE(test_what_stays_is_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
