#include "daemon/shadow/projection.h"

#include "tests/unit/ledger_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The size is always that of the text, so every case checks both. */
static void assert_projection(struct ledger_world *world, const char *json)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int r = projection_write(&world->ledger, "", 0, NULL, &writer);
    if (json) {
        assert_int_equal(r, 0);
        assert_string_equal(writer.text, json);
        assert_int_equal(projection_measure(&world->ledger), strlen(json));
    } else {
        assert_int_equal(r, -ENOENT);
        assert_int_equal(projection_measure(&world->ledger), 0);
    }
    flux_json_writer_clear(&writer);
}

static void test_nothing_is_nothing(void **state)
{
    assert_projection(*state, NULL);
}

static void test_ours_stands_over_the_clouds(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world,
                     "{\"state\":{\"reported\":{\"a\":1,\"b\":{\"c\":2,\"d\":3}}},\"version\":1}");
    (void)ledger_world_report(world, "/b/c", "20");
    (void)ledger_world_report(world, "/b/e", "\"x\\\"y\"");
    assert_projection(world, "{\"a\":1,\"b\":{\"c\":20,\"d\":3,\"e\":\"x\\\"y\"}}");
    (void)ledger_world_report(world, "/b", "[1]");
    assert_projection(world, "{\"a\":1,\"b\":[1]}");
}

static void test_a_cut_hides_what_the_cloud_holds_below(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world,
                     "{\"state\":{\"reported\":{\"b\":{\"c\":2,\"d\":{\"x\":3}}}},\"version\":1}");
    (void)ledger_world_report(world, "/b", NULL);
    assert_projection(world, NULL);
    (void)ledger_world_report(world, "/b/e", "1");
    assert_projection(world, "{\"b\":{\"e\":1}}");
}

static void test_an_empty_object_merges(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"b\":{\"c\":2},\"s\":1}},\"version\":1}");
    (void)ledger_world_report(world, "/b", "{}");
    (void)ledger_world_report(world, "/s", "{}");
    (void)ledger_world_report(world, "/n", "{}");
    assert_projection(world, "{\"b\":{\"c\":2},\"s\":{},\"n\":{}}");
}

static void test_a_refused_value_does_not_count(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":1}},\"version\":1}");
    struct flux_property *a = ledger_world_report(world, "/a", "200");
    ledger_refuse(&world->ledger, a, ledger_newest(a), 413, "no");
    assert_projection(world, "{\"a\":1}");
}

static void test_a_part_is_written_alone(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world,
                     "{\"state\":{\"reported\":{\"b\":{\"c\":2},\"a/~b\":1}},\"version\":1}");
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    assert_int_equal(projection_write(&world->ledger, "/b/c", 4, NULL, &writer), 0);
    assert_string_equal(writer.text, "2");
    flux_json_writer_reset(&writer);
    assert_int_equal(projection_write(&world->ledger, "/a~1~0b", 7, NULL, &writer), 0);
    assert_string_equal(writer.text, "1");
    assert_int_equal(projection_write(&world->ledger, "/b/x", 4, NULL, &writer), -ENOENT);
    flux_json_writer_clear(&writer);
    assert_projection(world, "{\"b\":{\"c\":2},\"a/~b\":1}");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, ledger_world_setup, ledger_world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_nothing_is_nothing),
        CASE(test_ours_stands_over_the_clouds),
        CASE(test_a_cut_hides_what_the_cloud_holds_below),
        CASE(test_an_empty_object_merges),
        CASE(test_a_refused_value_does_not_count),
        CASE(test_a_part_is_written_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
