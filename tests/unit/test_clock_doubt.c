#include "daemon/mqtt/clock_doubt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define BOOT_MS INT64_C(5000)
#define WALL    INT64_C(100) /* 1970 */

static struct clock_doubt doubt_since_boot(void)
{
    struct clock_doubt doubt = {0};
    clock_doubt_begin(&doubt, WALL, BOOT_MS);
    clock_doubt_judge(&doubt, true);
    return doubt;
}

static void test_without_doubt_nobody_looks(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = {0};
    assert_true(clock_doubt_deadline(&doubt) == INT64_MAX);
    clock_doubt_begin(&doubt, WALL, BOOT_MS);
    clock_doubt_judge(&doubt, false);
    assert_true(clock_doubt_deadline(&doubt) == INT64_MAX);
    assert_false(clock_doubt_look(&doubt, WALL + 1000000, BOOT_MS + 60000));
}

static void test_clock_that_goes_on_changes_nothing(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = doubt_since_boot();
    for (int64_t sec = 2; sec < 3600; sec += 2)
        assert_false(clock_doubt_look(&doubt, WALL + sec, BOOT_MS + sec * 1000));
}

static void test_clock_set_either_way_is_told_once(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = doubt_since_boot();
    const int64_t now = INT64_C(1795436452);
    assert_true(clock_doubt_look(&doubt, now, BOOT_MS + 2000));
    assert_false(clock_doubt_look(&doubt, now + 2, BOOT_MS + 4000));
    assert_true(clock_doubt_look(&doubt, WALL, BOOT_MS + 6000));
    assert_false(clock_doubt_look(&doubt, WALL + 2, BOOT_MS + 8000));
}

static void test_clock_set_during_the_attempt_is_told(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = {0};
    clock_doubt_begin(&doubt, WALL, BOOT_MS);
    clock_doubt_judge(&doubt, true);
    assert_true(clock_doubt_look(&doubt, WALL + 1000, BOOT_MS + 30000));
}

static void test_new_attempt_ends_the_doubt(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = doubt_since_boot();
    clock_doubt_begin(&doubt, WALL, BOOT_MS + 1000);
    assert_true(clock_doubt_deadline(&doubt) == INT64_MAX);
}

static void test_drift_is_no_step(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = doubt_since_boot();
    assert_false(clock_doubt_look(&doubt, WALL + 2 + CLOCK_DOUBT_STEP_SEC, BOOT_MS + 2000));
    assert_false(clock_doubt_look(&doubt, WALL + 4, BOOT_MS + 4000));
}

static void test_it_is_looked_at_now_and_then_only(void **unused)
{
    (void)unused;
    struct clock_doubt doubt = doubt_since_boot();
    assert_true(clock_doubt_deadline(&doubt) == BOOT_MS + CLOCK_DOUBT_LOOK_MS);
    assert_false(clock_doubt_look(&doubt, WALL + 1000, BOOT_MS + CLOCK_DOUBT_LOOK_MS - 1));
    assert_true(clock_doubt_look(&doubt, WALL + 1000, BOOT_MS + CLOCK_DOUBT_LOOK_MS));
    assert_true(clock_doubt_deadline(&doubt) == BOOT_MS + 2 * CLOCK_DOUBT_LOOK_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_doubt_nobody_looks),
        cmocka_unit_test(test_clock_that_goes_on_changes_nothing),
        cmocka_unit_test(test_clock_set_either_way_is_told_once),
        cmocka_unit_test(test_clock_set_during_the_attempt_is_told),
        cmocka_unit_test(test_new_attempt_ends_the_doubt),
        cmocka_unit_test(test_drift_is_no_step),
        cmocka_unit_test(test_it_is_looked_at_now_and_then_only),
    };
    return cmocka_run_group_tests_name("clock_doubt", tests, NULL, NULL);
}
