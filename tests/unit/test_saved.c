/* What a save hands out: all that has changed, once, and again if it failed. */
#include "tests/unit/saved_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct saved_property *property_on_disk(struct saved_world *world, const char *path)
{
    const struct saved_row *row = saved_world_find(&world->disk, SAVED_PROPERTY, "", path);
    return row ? &row->of_property : NULL;
}

static void test_nothing_is_unsaved_at_first(void **state)
{
    struct saved_world *world = *state;
    assert_false(thing_has_unsaved(world->thing));
    assert_false(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 0);
    saved_world_check(world);
}

static void test_a_report_makes_a_row_that_says_it(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a/b", "\"on\"");
    assert_true(thing_has_unsaved(world->thing));
    assert_true(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 2); /* and the shadow's */
    const struct saved_property *row = property_on_disk(world, "/a/b");
    assert_non_null(row);
    assert_int_equal(row->state, SAVED_PENDING);
    assert_int_equal(row->revision, 1);
    assert_int_equal(row->set_us, world->now_ms * 1000);
    struct flux_value on = flux_value_string("on", 2);
    assert_true(flux_value_equal(&row->value, &on));
    assert_false(thing_has_unsaved(world->thing));
    assert_false(thing_has_unsaved_reports(world->thing));
    assert_int_equal(shadow_stored_revision(world->shadow), 1);
    saved_world_check(world);
}

static void test_the_shadow_comes_before_its_rows(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    batch_rewind(&world->pending);
    assert_int_equal(batch_next(&world->pending)->kind, SAVED_SHADOW);
    saved_world_finish(world, true);
}

static void test_only_changed_rows_are_handed_out(void **state)
{
    struct saved_world *world = *state;
    for (char path[] = "/a"; path[1] < 'k'; path[1]++)
        (void)saved_world_report(world, path, "1");
    assert_int_equal(saved_world_save(world), 11);
    (void)saved_world_report(world, "/c", "2");
    assert_int_equal(saved_world_begin(world), 1);
    assert_non_null(saved_world_find(&world->pending, SAVED_PROPERTY, "", "/c"));
    saved_world_finish(world, true);
    assert_int_equal(saved_world_save(world), 0);
    saved_world_check(world);
}

static void test_a_row_that_says_what_the_disk_holds_is_left_out(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1,\"y\":[1,2]},\"desired\":{\"w\":1}}", 3);
    assert_true(saved_world_save(world) > 0);
    thing_link_down(world->thing, world->now_ms);
    world->now_ms += 100000; /* the same document, looked at again */
    saved_world_begin_with(world, "{\"reported\":{\"x\":1,\"y\":[1,2]},\"desired\":{\"w\":1}}", 3);
    assert_int_equal(saved_world_save(world), 0);
    saved_world_check(world);
}

static void test_a_failed_save_hands_its_rows_out_again(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    assert_int_equal(saved_world_begin(world), 2);
    saved_world_finish(world, false);
    assert_int_equal(shadow_stored_revision(world->shadow), 0);
    assert_true(thing_has_unsaved(world->thing));
    assert_true(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 2);
    assert_int_equal(shadow_stored_revision(world->shadow), 1);
    saved_world_check(world);
}

static void set_x(struct saved_world *world, const char *x, int64_t version)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "{\"reported\":{\"x\":%s}}", x);
    saved_world_foreign(world, text, version);
}

/* Nobody knows what became of a save that failed: its rows may be on the disk. */
static void test_after_a_failed_save_what_was_stored_before_is_written_again(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1}}", 3);
    (void)saved_world_save(world);
    set_x(world, "2", 4);
    (void)saved_world_begin(world);
    saved_world_finish(world, false);
    set_x(world, "1", 5);
    (void)saved_world_begin(world);
    assert_non_null(saved_world_find(&world->pending, SAVED_PROPERTY, "", "/x"));
    saved_world_finish(world, true);
    saved_world_check(world);
}

static void test_a_change_during_a_save_belongs_to_the_next(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/a", "2");
    (void)saved_world_report(world, "/b", "1");
    saved_world_finish(world, true);
    assert_int_equal(shadow_stored_revision(world->shadow), 1);
    assert_int_equal(property_on_disk(world, "/a")->value.int64, 1);
    assert_true(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 2);
    assert_int_equal(property_on_disk(world, "/a")->value.int64, 2);
    assert_int_equal(shadow_stored_revision(world->shadow), 3);
    saved_world_check(world);
}

/* Changed while its row is being written, and back: what the disk will hold is the value between.
 */
static void test_a_value_that_came_back_during_a_save_is_written(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1}}", 3);
    (void)saved_world_save(world);
    set_x(world, "2", 4);
    (void)saved_world_begin(world);
    set_x(world, "1", 5);
    saved_world_finish(world, true);
    (void)saved_world_save(world);
    assert_int_equal(property_on_disk(world, "/x")->cloud.int64, 1);
    saved_world_check(world);
}

static void test_accepting_rides_along(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_report(world, "/a", "1");
    assert_true(saved_world_take(world));
    assert_int_equal(property_on_disk(world, "/a")->state, SAVED_PENDING);
    saved_world_accept(world, "{\"reported\":{\"a\":1}}", 4);
    assert_true(thing_has_unsaved(world->thing));
    assert_false(thing_has_unsaved_reports(world->thing)); /* no reason for a commit */
    (void)saved_world_save(world);
    const struct saved_property *row = property_on_disk(world, "/a");
    assert_int_equal(row->state, SAVED_ACCEPTED);
    assert_int_equal(row->accepted_version, 4);
    assert_int_equal(row->cloud.int64, 1);
    const struct saved_row *shadow = saved_world_find(&world->disk, SAVED_SHADOW, "", "");
    assert_int_equal(shadow->of_shadow.version, 4);
    assert_true(shadow->of_shadow.held);
    assert_int_equal(shadow->of_shadow.last_accepted_version, 4);
    saved_world_check(world);
}

static void test_wishes_are_a_reason_for_a_save(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_save(world);
    saved_world_foreign(world, "{\"reported\":{\"x\":1}}", 4);
    assert_false(thing_has_unsaved_reports(world->thing));
    saved_world_foreign(world, "{\"desired\":{\"led\":\"on\"}}", 5);
    assert_true(thing_has_unsaved_reports(world->thing));
    (void)saved_world_save(world);
    const struct saved_row *row = saved_world_find(&world->disk, SAVED_DESIRED, "", "");
    assert_non_null(row);
    assert_int_equal(row->of_desired.version, 5);
    assert_int_equal(row->of_desired.document_size, strlen("{\"led\":\"on\"}"));
    assert_memory_equal(row->of_desired.document, "{\"led\":\"on\"}",
                        row->of_desired.document_size);
    saved_world_foreign(world, "{\"reported\":{\"x\":2}}", 6); /* desired is since 5 like this */
    (void)saved_world_save(world);
    assert_int_equal(saved_world_find(&world->disk, SAVED_DESIRED, "", "")->of_desired.version, 5);
    saved_world_foreign(world, "{\"desired\":{\"led\":null}}", 7);
    (void)saved_world_save(world);
    assert_null(saved_world_find(&world->disk, SAVED_DESIRED, "", ""));
    saved_world_check(world);
}

static void test_what_is_removed_in_the_cloud_loses_its_row(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":{\"y\":1}}}", 3);
    (void)saved_world_save(world);
    assert_non_null(property_on_disk(world, "/x/y"));
    saved_world_foreign(world, "{\"reported\":{\"x\":null}}", 4);
    (void)saved_world_save(world);
    assert_null(property_on_disk(world, "/x/y"));
    assert_null(property_on_disk(world, "/x"));
    /* and once the rows are gone, so are the nodes */
    assert_null(flux_property_set_find(&world->shadow->ledger.set, "/x", 2));
    saved_world_check(world);
}

static void test_a_node_stays_while_the_disk_has_its_row(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1}}", 3);
    (void)saved_world_save(world);
    saved_world_foreign(world, "{\"reported\":{\"x\":null}}", 4);
    assert_true(saved_world_begin(world) > 0);
    assert_true(saved_world_find(&world->pending, SAVED_PROPERTY, "", "/x")->is_gone);
    saved_world_finish(world, false);
    assert_non_null(flux_property_set_find(&world->shadow->ledger.set, "/x", 2));
    (void)saved_world_save(world);
    assert_null(property_on_disk(world, "/x"));
    saved_world_check(world);
}

static void test_removals_are_remembered_for_this_boot(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"a\":1}}", 3);
    (void)saved_world_report(world, "/a", NULL);
    assert_true(saved_world_take(world));
    saved_world_accept(world, "{\"reported\":{\"a\":null}}", 4);
    (void)saved_world_save(world);
    const struct saved_property *row = property_on_disk(world, "/a");
    assert_int_equal(row->state, SAVED_NOTHING);
    assert_true(row->cleared_us > 0);
    saved_world_restart(world, true);
    assert_int_equal(world->last_restore, 0);
    (void)saved_world_save(world);
    assert_null(property_on_disk(world, "/a"));
    saved_world_check(world);
}

static void test_memory_of_removals_is_bounded_on_the_disk_too(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    for (int i = 0; i < 3 * (int)LEDGER_NODES_KEPT; i++) {
        char path[16];
        (void)snprintf(path, sizeof(path), "/p%d", i);
        struct shadow_wait set = saved_world_report(world, path, "1");
        struct shadow_wait unset = saved_world_report(world, path, NULL);
        shadow_release(world->shadow, &set);
        shadow_release(world->shadow, &unset);
        struct saved_row row;
        if (i % 1000 != 0)
            continue;
        thing_tick(world->thing, world->now_ms); /* the cloud holds none of them: done */
        thing_begin_save(world->thing);
        while (thing_next_unsaved(world->thing, &row))
            ;
        thing_end_save(world->thing, true);
    }
    thing_tick(world->thing, world->now_ms);
    saved_world_foreign(world, "{\"reported\":{\"x\":1}}", 4); /* looks over everything */
    thing_save_all(world->thing);
    size_t count = saved_world_save(world);
    assert_true(count > 100 && count < LEDGER_NODES_KEPT + 100);
    (void)saved_world_save(world);
    assert_true(world->shadow->ledger.set.node_count < LEDGER_NODES_KEPT + 100);
    saved_world_check(world);
}

static void test_forgetting_counts_as_a_report(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_save(world);
    assert_int_equal(shadow_forget(world->shadow, "/a", 2, world->now_ms), 0);
    assert_true(thing_has_unsaved_reports(world->thing));
    (void)saved_world_save(world);
    saved_world_restart(world, false);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "-");
}

static void test_a_fresh_database_gets_every_row(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1},\"desired\":{\"w\":2}}", 3);
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_save(world);
    size_t count = world->disk.count;
    batch_empty(&world->disk);
    thing_save_all(world->thing);
    assert_true(thing_has_unsaved_reports(world->thing)); /* nothing is stored any more */
    assert_int_equal(saved_world_save(world), count);
    assert_int_equal(world->disk.count, count);
    assert_int_equal(shadow_stored_revision(world->shadow), 1);
    saved_world_check(world);
}

static void test_a_shadow_that_is_given_up_takes_its_rows_along(void **state)
{
    struct saved_world *world = *state;
    struct shadow *shadow;
    world->options.max_shadows = 2;
    saved_world_start(world);
    assert_int_equal(thing_open_shadow(world->thing, NULL, "one", &shadow), 0);
    struct shadow_operation op = {
        .path = "/a", .path_size = 2, .kind = FLUX_SET, .value = flux_value_int64(1)};
    struct shadow_report report = {.operations = &op, .operation_count = 1, .set_us = 1};
    struct shadow_refusal refusal;
    assert_int_equal(shadow_report(shadow, &report, world->now_ms, NULL, &refusal), 0);
    (void)saved_world_save(world);
    assert_non_null(saved_world_find(&world->disk, SAVED_PROPERTY, "one", "/a"));
    assert_int_equal(shadow_forget(shadow, "", 0, world->now_ms), 0);
    thing_close_shadow(world->thing, shadow);
    assert_int_equal(thing_open_shadow(world->thing, NULL, "two", &shadow), 0);
    assert_true(thing_has_unsaved(world->thing));
    (void)saved_world_begin(world);
    saved_world_finish(world, false); /* it is not forgotten by a failure */
    thing_close_shadow(world->thing, shadow);
    assert_int_equal(thing_open_shadow(world->thing, NULL, "one", &shadow), 0);
    assert_int_equal(shadow_report(shadow, &report, world->now_ms, NULL, &refusal), 0);
    (void)saved_world_begin(world);
    batch_rewind(&world->pending);
    const struct saved_row *first = batch_next(&world->pending);
    assert_true(first->is_gone && first->kind == SAVED_SHADOW); /* before what is there anew */
    saved_world_finish(world, true);
    assert_non_null(saved_world_find(&world->disk, SAVED_PROPERTY, "one", "/a"));
    saved_world_check(world);
}

static void test_volatile_things_save_nothing(void **state)
{
    struct saved_world *world = *state;
    world->options.durable = false;
    saved_world_start(world);
    (void)saved_world_report(world, "/a", "1");
    assert_false(thing_has_unsaved(world->thing));
    assert_false(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 0);
    assert_int_equal(shadow_stored_revision(world->shadow), 0);
}

#define SAVED(name) cmocka_unit_test_setup_teardown(name, saved_world_setup, saved_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAVED(test_nothing_is_unsaved_at_first),
        SAVED(test_a_report_makes_a_row_that_says_it),
        SAVED(test_the_shadow_comes_before_its_rows),
        SAVED(test_only_changed_rows_are_handed_out),
        SAVED(test_a_row_that_says_what_the_disk_holds_is_left_out),
        SAVED(test_a_failed_save_hands_its_rows_out_again),
        SAVED(test_after_a_failed_save_what_was_stored_before_is_written_again),
        SAVED(test_a_change_during_a_save_belongs_to_the_next),
        SAVED(test_a_value_that_came_back_during_a_save_is_written),
        SAVED(test_accepting_rides_along),
        SAVED(test_wishes_are_a_reason_for_a_save),
        SAVED(test_what_is_removed_in_the_cloud_loses_its_row),
        SAVED(test_a_node_stays_while_the_disk_has_its_row),
        SAVED(test_removals_are_remembered_for_this_boot),
        SAVED(test_memory_of_removals_is_bounded_on_the_disk_too),
        SAVED(test_forgetting_counts_as_a_report),
        SAVED(test_a_fresh_database_gets_every_row),
        SAVED(test_a_shadow_that_is_given_up_takes_its_rows_along),
        SAVED(test_volatile_things_save_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
