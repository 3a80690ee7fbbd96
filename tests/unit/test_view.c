#include "daemon/shadow/view.h"

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

static struct cloud_message read_message(const char *text)
{
    struct cloud_message message;
    const char *reason;
    assert_int_equal(cloud_message_parse(&message, text, strlen(text), &reason),
                     CLOUD_MESSAGE_READ);
    return message;
}

static void merge(struct ledger_world *world, const char *text)
{
    struct cloud_message message = read_message(text);
    assert_int_equal(view_merge(&world->view, &world->ledger, &message, world->now_ms), 0);
    cloud_message_clear(&message);
}

static void keep_early(struct ledger_world *world, const char *text, int64_t now_ms)
{
    struct cloud_message message = read_message(text);
    view_keep_early(&world->view, &message, now_ms);
    assert_null(message.root);
    cloud_message_clear(&message);
}

static void assert_reported(struct ledger_world *world, const char *json)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    assert_int_equal(projection_write(&world->ledger, "", 0, NULL, &writer), 0);
    assert_string_equal(writer.text, json);
    flux_json_writer_clear(&writer);
}

static void assert_desired(struct ledger_world *world, const char *json)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int r = desired_write(&world->view.desired, "", 0, &writer);
    if (json) {
        assert_int_equal(r, 0);
        assert_string_equal(writer.text, json);
        assert_int_equal(world->view.desired_bytes, strlen(json));
    } else {
        assert_int_equal(r, -ENOENT);
        assert_int_equal(world->view.desired_bytes, 0);
    }
    flux_json_writer_clear(&writer);
}

static void test_a_get_replaces_everything(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(
        world, "{\"state\":{\"reported\":{\"a\":1},\"desired\":{\"d\":{\"e\":2}}},\"version\":9}");
    assert_desired(world, "{\"d\":{\"e\":2}}");
    ledger_world_get(world, "{\"state\":{\"reported\":{\"b\":2}},\"version\":3}");
    assert_reported(world, "{\"b\":2}");
    assert_desired(world, NULL);
    assert_int_equal(world->view.version, 3);
    assert_int_equal(world->view.state, SHADOW_VIEW_PROVEN);
}

static void test_merging_follows_the_services_rules(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world,
                     "{\"state\":{\"reported\":{\"a\":5,\"o\":{\"x\":1,\"y\":2}}},\"version\":1}");
    merge(world, "{\"state\":{\"reported\":{\"a\":{\"b\":1},\"o\":{\"x\":null}}},\"version\":2}");
    assert_reported(world, "{\"a\":{\"b\":1},\"o\":{\"y\":2}}");
    merge(world, "{\"state\":{\"reported\":{\"o\":7}},\"version\":3}");
    assert_reported(world, "{\"a\":{\"b\":1},\"o\":7}");
    merge(world, "{\"state\":{\"desired\":{\"w\":[1, 2]}},\"version\":4}");
    assert_desired(world, "{\"w\":[1,2]}");
    merge(world, "{\"state\":{\"desired\":{\"w\":null}},\"version\":5}");
    assert_desired(world, NULL);
    merge(world, "{\"state\":null,\"version\":6}");
    assert_int_equal(projection_measure(&world->ledger), 0);
}

/* An answer need not repeat what we removed. */
static void test_our_own_removals_are_merged_before_the_answer(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":1,\"b\":2},\"desired\":{\"a\":1,\"c\":"
                            "{\"d\":2}}},\"version\":1}");
    struct cloud_message own = read_message("{\"state\":{\"reported\":{\"b\":null},\"desired\":{"
                                            "\"a\":null,\"c\":null}},\"version\":1}");
    assert_int_equal(view_merge_own(&world->view, &world->ledger, &own, 0), 0);
    cloud_message_clear(&own);
    assert_int_equal(world->view.version, 1);
    merge(world, "{\"state\":{\"reported\":{}},\"version\":2}");
    assert_reported(world, "{\"a\":1}");
    assert_desired(world, NULL);
}

static void test_early_messages_wait_for_the_missing_one(void **state)
{
    struct ledger_world *world = *state;
    struct cloud_message message;
    ledger_world_get(world, "{\"state\":{},\"version\":4}");
    keep_early(world, "{\"state\":{\"reported\":{\"a\":7}},\"version\":7}", 1000);
    keep_early(world, "{\"state\":{\"reported\":{\"a\":6}},\"version\":6}", 1200);
    assert_int_equal(world->view.state, SHADOW_VIEW_GAP);
    assert_int_equal(world->view.gap_until_ms, 1000 + VIEW_GAP_MS);
    assert_false(view_next_early(&world->view, &message));
    merge(world, "{\"state\":{\"reported\":{\"a\":5}},\"version\":5}");
    for (int64_t version = 6; version <= 7; version++) {
        assert_true(view_next_early(&world->view, &message));
        assert_int_equal(message.version, version);
        assert_int_equal(view_merge(&world->view, &world->ledger, &message, world->now_ms), 0);
        cloud_message_clear(&message);
    }
    assert_false(view_next_early(&world->view, &message));
    assert_reported(world, "{\"a\":7}");
}

static void test_early_messages_are_bounded(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{},\"version\":1}");
    for (int i = 0; i < 1000; i++)
        keep_early(world, "{\"state\":{\"reported\":{\"a\":7}},\"version\":900}", 0);
    assert_int_equal(world->view.early_count, VIEW_EARLY_MAX);
    assert_int_equal(world->view.seen_version, 900);
}

static void test_a_get_drops_what_it_already_contains(void **state)
{
    struct ledger_world *world = *state;
    struct cloud_message message;
    keep_early(world, "{\"state\":{\"reported\":{\"a\":3}},\"version\":3}", 0);
    keep_early(world, "{\"state\":{\"reported\":{\"a\":4}},\"version\":4}", 0);
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":3}},\"version\":3}");
    assert_int_equal(world->view.early_count, 1);
    assert_true(view_next_early(&world->view, &message));
    assert_int_equal(message.version, 4);
    cloud_message_clear(&message);
}

static void test_a_deleted_shadow_begins_anew(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world,
                     "{\"state\":{\"reported\":{\"a\":1},\"desired\":{\"d\":1}},\"version\":9}");
    uint64_t generation = world->view.generation;
    view_empty(&world->view, &world->ledger);
    assert_int_equal(world->view.version, -1);
    assert_int_equal(view_next_version(&world->view), 1);
    assert_int_not_equal(world->view.generation, generation);
    assert_int_equal(projection_measure(&world->ledger), 0);
    assert_desired(world, NULL);
}

static void test_a_lost_link_keeps_the_contents_but_proves_nothing(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":1}},\"version\":9}");
    view_unprove(&world->view);
    assert_int_equal(world->view.state, SHADOW_VIEW_UNKNOWN);
    assert_true(world->view.held);
    assert_int_equal(world->view.version, 9);
    assert_reported(world, "{\"a\":1}");
}

static void test_nulls_in_a_whole_document_count_as_absent(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":null,\"b\":{\"c\":null}},"
                            "\"desired\":{\"d\":null}},\"version\":9}");
    assert_reported(world, "{\"b\":{}}");
    assert_desired(world, NULL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, ledger_world_setup, ledger_world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_a_get_replaces_everything),
        CASE(test_merging_follows_the_services_rules),
        CASE(test_our_own_removals_are_merged_before_the_answer),
        CASE(test_early_messages_wait_for_the_missing_one),
        CASE(test_early_messages_are_bounded),
        CASE(test_a_get_drops_what_it_already_contains),
        CASE(test_a_deleted_shadow_begins_anew),
        CASE(test_a_lost_link_keeps_the_contents_but_proves_nothing),
        CASE(test_nulls_in_a_whole_document_count_as_absent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
