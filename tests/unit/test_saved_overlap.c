/* Two saves under way: what the second may claim, and what becomes of it when the first fails. */
#include "tests/unit/saved_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Take the rows of a save that begins, or goes on, into a batch of its own. */
static size_t take_rows(struct saved_world *world, struct batch *batch)
{
    struct saved_row row;
    size_t count = 0;
    while (thing_next_unsaved(world->thing, &row)) {
        assert_int_equal(batch_add(batch, &row), 0);
        count++;
    }
    return count;
}

static size_t begin_second(struct saved_world *world, struct batch *batch)
{
    batch_init(batch);
    thing_begin_save(world->thing);
    return take_rows(world, batch);
}

static void finish_second(struct saved_world *world, struct batch *batch)
{
    const struct saved_row *row;
    batch_rewind(batch);
    while ((row = batch_next(batch)))
        saved_world_put(world, row);
    thing_end_save(world->thing, true);
    batch_clear(batch);
}

static uint64_t stored(const struct saved_world *world)
{
    return shadow_stored_revision(world->shadow);
}

static void test_the_second_save_holds_what_changed_since_the_first(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    (void)saved_world_report(world, "/a", "1");
    assert_int_equal(saved_world_begin(world), 2);
    (void)saved_world_report(world, "/b", "1");
    assert_int_equal(begin_second(world, &second), 1);
    assert_non_null(saved_world_find(&second, SAVED_PROPERTY, "", "/b"));
    saved_world_finish(world, true);
    assert_int_equal(stored(world), 1); /* only what the first one holds */
    finish_second(world, &second);
    assert_int_equal(stored(world), 2);
    assert_false(thing_has_unsaved(world->thing));
    saved_world_check(world);
}

static void test_a_value_in_both_saves_is_on_the_disk_with_the_second(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/a", "2");
    assert_int_equal(begin_second(world, &second), 1);
    saved_world_finish(world, true);
    assert_int_equal(stored(world), 1);
    finish_second(world, &second);
    assert_int_equal(stored(world), 2);
    saved_world_check(world);
}

/* The second may rest on the first: without it, it says less than the whole. */
static void test_with_the_first_save_the_second_fails(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/b", "1");
    (void)begin_second(world, &second);
    saved_world_finish(world, false);
    batch_clear(&second);
    assert_int_equal(stored(world), 0);
    assert_int_equal(saved_world_save(world), 3); /* the shadow's own row, too */
    assert_int_equal(stored(world), 2);
    saved_world_check(world);
}

static void test_only_the_second_save_may_fail(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/b", "1");
    (void)begin_second(world, &second);
    saved_world_finish(world, true);
    thing_end_save(world->thing, false);
    batch_clear(&second);
    assert_int_equal(stored(world), 1);
    assert_int_equal(saved_world_save(world), 1);
    assert_int_equal(stored(world), 2);
    saved_world_check(world);
}

static void test_a_second_save_that_is_dropped_leaves_the_first_alone(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/b", "1");
    (void)begin_second(world, &second);
    thing_drop_save(world->thing);
    batch_clear(&second);
    saved_world_finish(world, true);
    assert_int_equal(stored(world), 1);
    assert_true(thing_has_unsaved_reports(world->thing));
    assert_int_equal(saved_world_save(world), 1);
    assert_int_equal(stored(world), 2);
    saved_world_check(world);
}

static void test_a_save_that_nobody_writes_yet_takes_more(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/b", "1");
    (void)begin_second(world, &second);
    (void)saved_world_report(world, "/b", "2");
    (void)saved_world_report(world, "/c", "1");
    thing_extend_save(world->thing);
    assert_int_equal(take_rows(world, &second), 2);
    saved_world_finish(world, true);
    assert_int_equal(stored(world), 1);
    finish_second(world, &second);
    assert_int_equal(stored(world), 4);
    saved_world_check(world);
}

/* Else every turn would begin a save while the disk is busy with the one that holds it. */
static void test_what_a_save_under_way_holds_asks_for_no_other(void **state)
{
    struct saved_world *world = *state;
    (void)saved_world_report(world, "/a", "1");
    shadow_ask_stored(world->shadow, 1);
    assert_true(thing_wants_save(world->thing));
    (void)saved_world_begin(world);
    assert_false(thing_wants_save(world->thing));
    (void)saved_world_report(world, "/b", "1");
    assert_false(thing_wants_save(world->thing));
    shadow_ask_stored(world->shadow, 2);
    assert_true(thing_wants_save(world->thing));
    saved_world_finish(world, false);
    assert_true(thing_wants_save(world->thing));
    (void)saved_world_save(world);
    assert_false(thing_wants_save(world->thing));
    thing_save_all(world->thing);
    assert_true(thing_wants_save(world->thing)); /* the disk has lost it */
}

/* With a save on the way at any time, an update that each of them made newer would never be what
 * the disk holds. */
static void test_an_update_that_a_save_under_way_carries_goes_when_it_ends(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    struct thing_request request;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_report(world, "/a", "1");
    assert_int_equal(thing_next_request(world->thing, world->now_ms, &request), 0);
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/a", "2");
    (void)begin_second(world, &second);
    saved_world_finish(world, true);
    assert_int_equal(thing_next_request(world->thing, world->now_ms, &request), 1);
    assert_non_null(strstr(request.payload, "\"a\":1"));
    finish_second(world, &second);
    saved_world_check(world);
}

/* The row that a value had in the first save is gone with the second. */
static void test_a_removal_in_the_second_save_is_the_last_word(void **state)
{
    struct saved_world *world = *state;
    struct batch second;
    saved_world_begin_with(world, "{\"reported\":{}}", 3);
    (void)saved_world_save(world);
    (void)saved_world_report(world, "/a", "1");
    (void)saved_world_begin(world);
    (void)saved_world_report(world, "/a", NULL);
    assert_true(begin_second(world, &second) >= 1);
    saved_world_finish(world, true);
    finish_second(world, &second);
    saved_world_check(world);
    saved_world_restart(world, false);
    saved_world_check(world);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, saved_world_setup, saved_world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_the_second_save_holds_what_changed_since_the_first),
        TEST(test_a_value_in_both_saves_is_on_the_disk_with_the_second),
        TEST(test_with_the_first_save_the_second_fails),
        TEST(test_only_the_second_save_may_fail),
        TEST(test_a_second_save_that_is_dropped_leaves_the_first_alone),
        TEST(test_a_save_that_nobody_writes_yet_takes_more),
        TEST(test_what_a_save_under_way_holds_asks_for_no_other),
        TEST(test_an_update_that_a_save_under_way_carries_goes_when_it_ends),
        TEST(test_a_removal_in_the_second_save_is_the_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
