/* Rows that come after reports of this run, and rows that nobody may have. */
#include "tests/unit/saved_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void load_late(struct saved_world *world)
{
    saved_world_load(world);
    assert_int_equal(world->last_restore, 0);
    saved_world_check(world);
}

static void test_reports_that_were_faster_than_the_disk_win(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_report(world, "/b", "1");
    (void)saved_world_save(world);
    saved_world_start(world);
    struct shadow_wait wait = saved_world_report(world, "/a", "2");
    load_late(world);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":2,\"b\":1}");
    assert_int_equal(wait.revision, 1);
    assert_int_equal(saved_world_fate(world, &wait), SHADOW_WAITING);
    /* What came back is older: it goes first, and nothing of this run counts as stored. */
    assert_string_equal(world->shadow->ledger.pending.first->path, "/b");
    assert_int_equal(shadow_stored_revision(world->shadow), 0);
    struct shadow_wait next = saved_world_report(world, "/c", "1");
    assert_true(next.revision > saved_world_slot(world, "/b")->oldest_revision);
    (void)saved_world_save(world);
    saved_world_check(world);
    saved_world_restart(world, false);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED),
                        "{\"a\":2,\"b\":1,\"c\":1}");
}

static void test_a_removal_of_this_run_wins_over_the_disk(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a/x", "1");
    (void)saved_world_report(world, "/b", "1");
    (void)saved_world_save(world);
    saved_world_start(world);
    (void)saved_world_report(world, "/a", NULL);
    load_late(world);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"b\":1}");
    (void)saved_world_save(world);
    saved_world_check(world);
    assert_null(saved_world_find(&world->disk, SAVED_PROPERTY, "", "/a/x"));
}

static void test_a_scalar_of_this_run_wins_over_what_the_disk_has_below(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a/x", "1");
    (void)saved_world_save(world);
    saved_world_start(world);
    (void)saved_world_report(world, "/a", "5");
    load_late(world);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":5}");
}

/* a=5, then a/c=1: nobody knows what else the cloud holds in a. */
static void test_a_pending_scalar_of_the_disk_leaves_a_cut_above_a_report_of_this_run(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "5");
    (void)saved_world_save(world);
    saved_world_start(world);
    (void)saved_world_report(world, "/a/c", "1");
    load_late(world);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":{\"c\":1}}");
    saved_world_begin_with(world, "{\"reported\":{\"a\":{\"b\":1}}}", 3);
    assert_true(saved_world_take(world));
    assert_non_null(strstr(world->payload, "{\"a\":{\"c\":1,\"b\":null}}"));
}

static void test_a_view_of_this_run_wins_over_that_of_the_disk(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"reported\":{\"x\":1},\"desired\":{\"w\":1}}", 3);
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_save(world);
    saved_world_start(world);
    saved_world_begin_with(world, "{\"reported\":{\"y\":2},\"desired\":{\"v\":2}}", 9);
    load_late(world);
    assert_int_equal(world->shadow->view.version, 9);
    assert_int_equal(world->shadow->view.state, SHADOW_VIEW_PROVEN);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"y\":2,\"a\":1}");
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_DESIRED), "{\"v\":2}");
    assert_true(saved_world_take(world));
    assert_non_null(strstr(world->payload, "{\"a\":1}},\"version\":9"));
    (void)saved_world_save(world);
    saved_world_check(world);
}

static void test_a_settle_of_the_disk_goes_on_against_a_view_of_this_run(void **state)
{
    struct saved_world *world = *state;
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\",\"fan\":1}}", 3);
    (void)saved_world_report(world, "/led", "settle");
    (void)saved_world_report(world, "/fan", "settle");
    (void)saved_world_save(world);
    saved_world_start(world);
    saved_world_begin_with(world, "{\"desired\":{\"led\":\"on\",\"fan\":2}}", 5);
    load_late(world);
    assert_true(saved_world_take(world));
    assert_non_null(strstr(world->payload, "\"desired\":{\"led\":null}}"));
}

/* --- rows that stay on the disk --- */

static struct shadow *report_to(struct saved_world *world, const char *thing, const char *name,
                                const char *path, int64_t value)
{
    struct shadow *shadow;
    struct shadow_operation op = {.path = path,
                                  .path_size = strlen(path),
                                  .kind = FLUX_SET,
                                  .value = flux_value_int64(value)};
    struct shadow_report report = {
        .operations = &op, .operation_count = 1, .set_us = ++world->now_ms * 1000};
    struct shadow_refusal refusal;
    assert_int_equal(thing_open_shadow(world->thing, thing, name, &shadow), 0);
    assert_int_equal(shadow_report(shadow, &report, world->now_ms, NULL, &refusal), 0);
    return shadow;
}

static void test_the_own_things_rows_follow_its_name(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    (void)report_to(world, NULL, "motor", "/b", 2);
    (void)saved_world_save(world);
    world->options.name = "renamed";
    saved_world_restart(world, false);
    assert_int_equal(world->last_restore, 0);
    assert_string_equal(saved_world_text(world, SHADOW_SECTION_REPORTED), "{\"a\":1}");
    saved_world_check(world);
}

static void test_rows_of_a_thing_no_longer_allowed_are_left_alone(void **state)
{
    static const char *const extra[] = {"gw-*"};
    struct saved_world *world = *state;
    world->options.extra = extra;
    world->options.extra_count = 1;
    saved_world_start(world);
    (void)report_to(world, "gw-1", NULL, "/a", 1);
    (void)saved_world_save(world);
    world->options.extra_count = 0;
    saved_world_restart(world, false);
    assert_int_equal(world->last_restore, THING_ORPHANED);
    assert_int_equal(world->orphaned, 2);
    assert_int_equal(saved_world_save(world), 0);
    saved_world_check(world);
    world->options.extra_count = 1; /* allowed again */
    saved_world_restart(world, false);
    assert_int_equal(world->last_restore, 0);
    assert_int_equal(world->orphaned, 0);
    struct shadow *shadow;
    assert_int_equal(thing_open_shadow(world->thing, "gw-1", NULL, &shadow), 0);
    assert_int_equal(shadow->ledger.pending.count, 1);
}

static void test_rows_beyond_max_shadows_are_left_alone(void **state)
{
    struct saved_world *world = *state;
    (void)report_to(world, NULL, "one", "/a", 1);
    (void)report_to(world, NULL, "two", "/a", 1);
    (void)report_to(world, NULL, "three", "/a", 1);
    (void)saved_world_save(world);
    world->options.max_shadows = 3;
    saved_world_restart(world, false);
    assert_int_equal(world->orphaned, 2);
    saved_world_check(world);
}

/* What is reported to a shadow whose rows were left on the disk is newer than those. */
static void test_what_was_left_on_the_disk_stays_older(void **state)
{
    static const char *const extra[] = {"gw-1"};
    struct saved_world *world = *state;
    world->options.extra = extra;
    world->options.extra_count = 1;
    saved_world_start(world);
    for (int64_t i = 0; i < 9; i++)
        (void)report_to(world, "gw-1", NULL, "/a/b", i);
    (void)saved_world_save(world);
    world->options.extra_count = 0;
    saved_world_restart(world, false);
    world->options.extra_count = 1;
    assert_int_equal(thing_set_options(world->thing, &world->options, world->now_ms), 0);
    (void)report_to(world, "gw-1", NULL, "/a", 5);
    (void)saved_world_save(world);
    saved_world_restart(world, false);
    struct shadow *shadow;
    assert_int_equal(thing_open_shadow(world->thing, "gw-1", NULL, &shadow), 0);
    const struct flux_property *a = flux_property_set_find(&shadow->ledger.set, "/a", 2);
    assert_int_equal(a->value.int64, 5);
    assert_int_equal(shadow->ledger.set.value_count, 1);
}

static void test_restored_shadows_make_way_when_nothing_is_theirs(void **state)
{
    struct saved_world *world = *state;
    struct shadow *shadow = report_to(world, NULL, "one", "/a", 1);
    (void)saved_world_save(world);
    assert_int_equal(shadow_forget(shadow, "", 0, world->now_ms), 0);
    (void)saved_world_save(world);
    world->options.max_shadows = 2;
    saved_world_restart(world, false);
    assert_int_equal(thing_open_shadow(world->thing, NULL, "two", &shadow), 0);
    (void)saved_world_save(world);
    assert_null(saved_world_find(&world->disk, SAVED_SHADOW, "one", ""));
    saved_world_check(world);
}

#define SAVED(name) cmocka_unit_test_setup_teardown(name, saved_world_setup, saved_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SAVED(test_reports_that_were_faster_than_the_disk_win),
        SAVED(test_a_removal_of_this_run_wins_over_the_disk),
        SAVED(test_a_scalar_of_this_run_wins_over_what_the_disk_has_below),
        SAVED(test_a_pending_scalar_of_the_disk_leaves_a_cut_above_a_report_of_this_run),
        SAVED(test_a_view_of_this_run_wins_over_that_of_the_disk),
        SAVED(test_a_settle_of_the_disk_goes_on_against_a_view_of_this_run),
        SAVED(test_the_own_things_rows_follow_its_name),
        SAVED(test_rows_of_a_thing_no_longer_allowed_are_left_alone),
        SAVED(test_rows_beyond_max_shadows_are_left_alone),
        SAVED(test_what_was_left_on_the_disk_stays_older),
        SAVED(test_restored_shadows_make_way_when_nothing_is_theirs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
