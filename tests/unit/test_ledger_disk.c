#include "daemon/shadow/ledger.h"
#include "tests/unit/ledger_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static const struct policy close_by = {.deadband = 0.5};

static bool is_on_disk(const struct ledger_world *world, const struct flux_property *property)
{
    return ledger_is_on_disk(&world->ledger, property, 0);
}

static void save(struct ledger_world *world, struct flux_property *property)
{
    ledger_note_row(&world->ledger, property, 0);
    ledger_note_saved(&world->ledger);
}

static void test_all_that_is_stored_is_on_disk(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    assert_false(is_on_disk(world, a));
    assert_true(ledger_is_on_disk(&world->ledger, a, world->ledger.newest_revision));
    assert_false(ledger_is_on_disk(&world->ledger, a, world->ledger.newest_revision - 1));
}

static void test_a_value_reported_again_is_on_disk(void **state)
{
    struct ledger_world *world = *state;
    static const char *const values[][2] = {
        {"/a", "1"}, {"/b", "true"}, {"/c", "\"text\""}, {"/d", "[1,2]"}, {"/e", "{}"}};
    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        const char *path = values[i][0], *value = values[i][1];
        struct flux_property *property = ledger_world_report(world, path, value);
        assert_false(is_on_disk(world, property));
        save(world, property);
        assert_true(is_on_disk(world, ledger_world_report(world, path, value)));
    }
}

static void test_another_value_is_not(void **state)
{
    struct ledger_world *world = *state;
    save(world, ledger_world_report(world, "/a", "\"same\""));
    assert_false(is_on_disk(world, ledger_world_report(world, "/a", "\"size\"")));
    assert_false(is_on_disk(world, ledger_world_report(world, "/a", "[0,12]")));
    assert_true(is_on_disk(world, ledger_world_report(world, "/a", "\"same\"")));
    save(world, ledger_world_report(world, "/a", "1"));
    assert_false(is_on_disk(world, ledger_world_report(world, "/a", "2")));
    assert_true(is_on_disk(world, ledger_world_report(world, "/a", "1.0")));
}

static void test_a_row_counts_once_its_save_has_succeeded(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    ledger_note_row(&world->ledger, a, 0);
    assert_false(is_on_disk(world, a));
    ledger_note_row(&world->ledger, a, 0); /* it failed; once more */
    assert_false(is_on_disk(world, a));
    ledger_note_saved(&world->ledger);
    assert_true(is_on_disk(world, a));
}

static void test_a_row_of_the_second_save_waits_for_both(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    ledger_note_row(&world->ledger, a, 1);
    ledger_note_saved(&world->ledger);
    assert_false(is_on_disk(world, a));
    ledger_note_saved(&world->ledger);
    assert_true(is_on_disk(world, a));
}

static void test_what_was_read_from_the_disk_is_there(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    ledger_note_stored_row(&world->ledger, a);
    assert_true(is_on_disk(world, a));
}

static void test_a_refused_value_is_no_value(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    ledger_refuse(&world->ledger, a, world->ledger.newest_revision, 400, "no");
    save(world, a);
    assert_false(is_on_disk(world, ledger_world_report(world, "/a", "1")));
}

static void test_a_removal_is_on_disk_when_nothing_is_left_there(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *ab = ledger_world_report(world, "/a/b", "1");
    save(world, ab);
    struct flux_property *a = ledger_world_report(world, "/a", NULL);
    assert_false(is_on_disk(world, a));
    ledger_note_row(&world->ledger, ab, 0); /* its row is gone */
    assert_false(is_on_disk(world, a));
    ledger_note_saved(&world->ledger);
    assert_true(is_on_disk(world, a));
    assert_true(is_on_disk(world, ledger_world_report(world, "/never", NULL)));
}

static void test_an_object_that_was_replaced_has_to_be_stored(void **state)
{
    struct ledger_world *world = *state;
    save(world, ledger_world_report(world, "/a", "{}"));
    assert_true(is_on_disk(world, ledger_world_report(world, "/a", "{}")));
    (void)ledger_world_report(world, "/a", NULL);
    assert_false(is_on_disk(world, ledger_world_report(world, "/a", "{}")));
}

static void test_a_number_within_the_deadband_is_as_good(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":20}},\"version\":7}");
    struct flux_property *a = ledger_world_report(world, "/a", "20.2");
    slot_of(a)->policy = &close_by;
    save(world, a);
    assert_true(is_on_disk(world, ledger_world_report(world, "/a", "19.9")));
    slot_of(a)->policy = NULL;
    assert_false(is_on_disk(world, a));
    slot_of(a)->policy = &close_by;
    save(world, ledger_world_report(world, "/a", "30")); /* a crash would send that */
    assert_false(is_on_disk(world, ledger_world_report(world, "/a", "19.9")));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, ledger_world_setup, ledger_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_all_that_is_stored_is_on_disk),
        CASE(test_a_value_reported_again_is_on_disk),
        CASE(test_another_value_is_not),
        CASE(test_a_row_counts_once_its_save_has_succeeded),
        CASE(test_a_row_of_the_second_save_waits_for_both),
        CASE(test_what_was_read_from_the_disk_is_there),
        CASE(test_a_refused_value_is_no_value),
        CASE(test_a_removal_is_on_disk_when_nothing_is_left_there),
        CASE(test_an_object_that_was_replaced_has_to_be_stored),
        CASE(test_a_number_within_the_deadband_is_as_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
