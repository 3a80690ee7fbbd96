/* Deadlines of properties: the first first, one each, none left behind. */
#include "daemon/shadow/timers.h"

#include "daemon/shadow/ledger.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 200u

struct world {
    struct ledger ledger;
    struct flux_property *properties[COUNT];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    assert_int_equal(ledger_init(&world->ledger, 1), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        char path[16];
        const int size = snprintf(path, sizeof(path), "/p%u", i);
        const struct flux_value value = flux_value_int64(i);
        assert_int_equal(ledger_apply(&world->ledger, FLUX_SET, path, (size_t)size, &value, 1,
                                      &world->properties[i]),
                         0);
    }
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    ledger_clear(&world->ledger);
    free(world);
    return 0;
}

static void test_first_deadline_comes_first(void **state)
{
    struct world *world = *state;
    struct timers *timers = &world->ledger.timers;
    assert_true(timers_first_ms(timers) == INT64_MAX);
    for (unsigned i = 0; i < COUNT; i++)
        assert_int_equal(timers_set(timers, world->properties[i], (i * 73) % COUNT), 0);
    assert_int_equal(timers->count, COUNT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_int_equal(timers_first_ms(timers), i);
        assert_null(timers_next(timers, (int64_t)i - 1));
        const struct flux_property *property = timers_next(timers, i);
        assert_ptr_equal(property, world->properties[(i * 137) % COUNT]); /* 73 * 137 = 1 mod 200 */
        assert_int_equal(slot_of(property)->timer_place, 0);
    }
    assert_int_equal(timers->count, 0);
}

static void test_earlier_deadline_wins(void **state)
{
    struct world *world = *state;
    struct timers *timers = &world->ledger.timers;
    assert_int_equal(timers_set(timers, world->properties[0], 10), 0);
    assert_int_equal(timers_set(timers, world->properties[1], 20), 0);
    assert_int_equal(timers_set(timers, world->properties[0], 30), 0);
    assert_int_equal(timers_first_ms(timers), 10);
    assert_int_equal(timers_set(timers, world->properties[1], 5), 0);
    assert_int_equal(timers->count, 2);
    assert_ptr_equal(timers_next(timers, 100), world->properties[1]);
    assert_ptr_equal(timers_next(timers, 100), world->properties[0]);
    assert_null(timers_next(timers, 100));
}

static void test_removed_deadlines_leave_the_others_in_order(void **state)
{
    struct world *world = *state;
    struct timers *timers = &world->ledger.timers;
    uint32_t random = 1;
    int64_t at_ms[COUNT];
    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < COUNT; i++) {
            random = random * 1664525u + 1013904223u;
            at_ms[i] = random >> 20;
            assert_int_equal(timers_set(timers, world->properties[i], at_ms[i]), 0);
        }
        for (unsigned i = 0; i < COUNT; i += 1 + round % 7)
            timers_remove(timers, world->properties[i]);
        timers_remove(timers, world->properties[0]);
        int64_t last_ms = 0;
        struct flux_property *property;
        size_t count = timers->count;
        while ((property = timers_next(timers, INT64_MAX))) {
            int64_t now_ms = at_ms[property->value.int64];
            assert_true(now_ms >= last_ms);
            last_ms = now_ms;
            count--;
        }
        assert_int_equal(count, 0);
    }
}

static void test_property_that_becomes_empty_has_no_deadline(void **state)
{
    struct world *world = *state;
    struct timers *timers = &world->ledger.timers;
    assert_int_equal(timers_set(timers, world->properties[3], 10), 0);
    ledger_set_state(&world->ledger, world->properties[3], SLOT_EMPTY);
    assert_int_equal(timers->count, 0);
}

static void test_held_properties_are_counted_while_they_wait(void **state)
{
    struct world *world = *state;
    struct ledger *ledger = &world->ledger;
    ledger_set_held(ledger, world->properties[3], true);
    ledger_set_held(ledger, world->properties[3], true);
    ledger_set_held(ledger, world->properties[4], true);
    assert_int_equal(ledger->held_count, 2);
    ledger_set_held(ledger, world->properties[3], false);
    assert_int_equal(ledger->held_count, 1);
    ledger_accept(ledger, world->properties[4], ledger_newest(world->properties[4]), 1);
    assert_int_equal(ledger->held_count, 0);
    assert_false(slot_of(world->properties[4])->held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_deadline_comes_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_earlier_deadline_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removed_deadlines_leave_the_others_in_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_property_that_becomes_empty_has_no_deadline, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_held_properties_are_counted_while_they_wait, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
