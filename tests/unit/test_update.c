#include "daemon/shadow/update.h"

#include "tests/unit/ledger_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct update_choice everything = {.base_version = 7, .bytes_max = 8192};

static int build(struct ledger_world *world, const struct update_choice *choice,
                 struct update *update)
{
    *update = (struct update){.base_version = -1, .token = "t"};
    return update_build(&world->ledger, choice, update);
}

static void assert_payload(struct ledger_world *world, const struct update_choice *choice,
                           const char *payload)
{
    struct update update;
    assert_int_equal(build(world, choice, &update), 1);
    assert_string_equal(update.payload, payload);
    assert_int_equal(update.payload_size, strlen(payload));
    update_clear(&update);
}

static void test_only_what_differs_goes_in(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":1,\"b\":1.0}},\"version\":7}");
    (void)ledger_world_report(world, "/a", "1");
    (void)ledger_world_report(world, "/b", "1");
    struct update update;
    assert_int_equal(build(world, &everything, &update), 0);
    (void)ledger_world_report(world, "/a", "2");
    (void)ledger_world_report(world, "/n/m", "0.1");
    assert_payload(world, &everything,
                   "{\"state\":{\"reported\":{\"a\":2,\"n\":{\"m\":0.1}}},\"version\":7,"
                   "\"clientToken\":\"t\"}");
}

static void test_a_shadow_that_is_not_there_gets_no_version(void **state)
{
    struct ledger_world *world = *state;
    struct update_choice choice = everything;
    choice.base_version = -1;
    (void)ledger_world_report(world, "/a", "1");
    assert_payload(world, &choice, "{\"state\":{\"reported\":{\"a\":1}},\"clientToken\":\"t\"}");
}

static void test_a_cut_nulls_each_foreign_key(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":{\"b\":1,\"c\":{\"x\":1},\"d\":{\"k\":"
                            "1}}}},\"version\":7}");
    (void)ledger_world_report(world, "/a", "5");
    (void)ledger_world_report(world, "/a/d/n", "1");
    assert_payload(
        world, &everything,
        "{\"state\":{\"reported\":{\"a\":{\"b\":null,\"c\":null,\"d\":{\"k\":null,\"n\":1}}}},"
        "\"version\":7,\"clientToken\":\"t\"}");
}

static void test_an_unset_is_one_null(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":{\"b\":1,\"c\":2}}},\"version\":7}");
    (void)ledger_world_report(world, "/a", NULL);
    assert_payload(world, &everything,
                   "{\"state\":{\"reported\":{\"a\":null}},\"version\":7,\"clientToken\":\"t\"}");
}

static void test_numbers_stay_short_and_exact(void **state)
{
    struct ledger_world *world = *state;
    (void)ledger_world_report(world, "/a", "81.5");
    (void)ledger_world_report(world, "/b", "9223372036854775807");
    (void)ledger_world_report(world, "/c", "1e-7");
    assert_payload(world, &everything,
                   "{\"state\":{\"reported\":{\"a\":81.5,\"b\":9223372036854775807,\"c\":1e-7}},"
                   "\"version\":7,\"clientToken\":\"t\"}");
}

static void test_the_oldest_changes_go_first_until_it_is_full(void **state)
{
    struct ledger_world *world = *state;
    struct update_choice choice = everything;
    choice.bytes_max = 1;
    (void)ledger_world_report(world, "/b", "1");
    (void)ledger_world_report(world, "/a", "1");
    (void)ledger_world_report(world, "/b", "2");
    assert_payload(world, &choice,
                   "{\"state\":{\"reported\":{\"b\":2}},\"version\":7,\"clientToken\":\"t\"}");
}

static void test_a_plain_update_takes_another_version(void **state)
{
    struct ledger_world *world = *state;
    struct update update;
    (void)ledger_world_report(world, "/a", "1");
    assert_int_equal(build(world, &everything, &update), 1);
    assert_int_equal(update_newest_revision(&update), world->ledger.newest_revision);
    assert_true(update_is_plain(&update));
    assert_int_equal(update_rebase(&update, 12), 0);
    assert_string_equal(
        update.payload,
        "{\"state\":{\"reported\":{\"a\":1}},\"version\":12,\"clientToken\":\"t\"}");
    assert_int_equal(update.payload_size, strlen(update.payload));
    assert_int_equal(update.base_version, 12);
    update_clear(&update);
}

static void test_a_cut_is_not_plain(void **state)
{
    struct ledger_world *world = *state;
    struct update update;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":{\"b\":1}}},\"version\":7}");
    (void)ledger_world_report(world, "/a", NULL);
    assert_int_equal(build(world, &everything, &update), 1);
    assert_false(update_is_plain(&update));
    update_clear(&update);
}

static void test_suspects_go_alone_and_few(void **state)
{
    struct ledger_world *world = *state;
    slot_of(ledger_world_report(world, "/a", "1"))->suspect = true;
    (void)ledger_world_report(world, "/b", "1");
    slot_of(ledger_world_report(world, "/c", "1"))->suspect = true;
    struct update_choice choice = everything;
    choice.suspects_only = true;
    choice.entries_max = 1;
    assert_payload(world, &choice,
                   "{\"state\":{\"reported\":{\"a\":1}},\"version\":7,\"clientToken\":\"t\"}");
}

static void test_entries_are_held_until_the_update_is_cleared(void **state)
{
    struct ledger_world *world = *state;
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    struct update update;
    assert_int_equal(build(world, &everything, &update), 1);
    assert_int_equal(update.entry_count, 1);
    assert_ptr_equal(update.entries[0].property, a);
    assert_true(ledger_is_unsettled(a));
    update_clear(&update);
    assert_false(ledger_is_unsettled(a));
    assert_int_equal(update.entry_count, 0);
}

static void test_a_conversion_rides_along_with_what_caused_it(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{},\"version\":7}");
    struct flux_property *a = ledger_world_report(world, "/a", "5");
    (void)ledger_world_report(world, "/a/c", "1");
    struct update update;
    assert_int_equal(build(world, &everything, &update), 1);
    assert_int_equal(update.entry_count, 2);
    assert_ptr_equal(update.entries[0].property, a);
    assert_true(update.entries[0].rides_along);
    assert_false(update.entries[0].is_partial);
    update_clear(&update);
}

static void test_replacing_everything_nulls_each_key_that_is_not_set_anew(void **state)
{
    struct ledger_world *world = *state;
    ledger_world_get(world, "{\"state\":{\"reported\":{\"a\":1,\"b\":{\"c\":1,\"d\":2},\"z\":3}},"
                            "\"version\":7}");
    (void)ledger_world_report(world, "", NULL);
    (void)ledger_world_report(world, "/b/d", "5");
    assert_payload(world, &everything,
                   "{\"state\":{\"reported\":{\"a\":null,\"b\":{\"c\":null,\"d\":5},\"z\":null}},"
                   "\"version\":7,\"clientToken\":\"t\"}");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, ledger_world_setup, ledger_world_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_only_what_differs_goes_in),
        CASE(test_a_shadow_that_is_not_there_gets_no_version),
        CASE(test_a_cut_nulls_each_foreign_key),
        CASE(test_an_unset_is_one_null),
        CASE(test_numbers_stay_short_and_exact),
        CASE(test_the_oldest_changes_go_first_until_it_is_full),
        CASE(test_a_plain_update_takes_another_version),
        CASE(test_a_cut_is_not_plain),
        CASE(test_suspects_go_alone_and_few),
        CASE(test_entries_are_held_until_the_update_is_cleared),
        CASE(test_a_conversion_rides_along_with_what_caused_it),
        CASE(test_replacing_everything_nulls_each_key_that_is_not_set_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
