#include "daemon/ipc/dismissals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_dismissal_names_who_and_why(void **state)
{
    (void)state;
    struct dismissals dismissals = {0};
    struct dismissal dismissal;
    assert_false(dismissals_next(&dismissals, &dismissal));
    dismissals_add(&dismissals, FLUX_GOODBYE_MALFORMED, 1000, 77, "sensor", "s.service",
                   "no frame");
    assert_true(dismissals_next(&dismissals, &dismissal));
    assert_int_equal(dismissal.code, FLUX_GOODBYE_MALFORMED);
    assert_int_equal(dismissal.uid, 1000);
    assert_int_equal(dismissal.pid, 77);
    assert_string_equal(dismissal.name, "sensor");
    assert_string_equal(dismissal.unit, "s.service");
    assert_string_equal(dismissal.text, "no frame");
    assert_int_equal(dismissal.repeated, 0);
    assert_false(dismissals_next(&dismissals, &dismissal));
}

static void test_same_user_and_reason_fold(void **state)
{
    (void)state;
    struct dismissals dismissals = {0};
    struct dismissal dismissal;
    for (int32_t pid = 1; pid <= 1000; pid++)
        dismissals_add(&dismissals, FLUX_GOODBYE_MALFORMED, 1000, pid, "x", "", "no frame");
    dismissals_add(&dismissals, FLUX_GOODBYE_MALFORMED, 1001, 5, "y", "", "no frame");
    dismissals_add(&dismissals, FLUX_GOODBYE_TOO_LONG, 1000, 6, "x", "", "too long");
    assert_true(dismissals_next(&dismissals, &dismissal));
    assert_int_equal(dismissal.repeated, 999);
    assert_int_equal(dismissal.pid, 1);
    assert_true(dismissals_next(&dismissals, &dismissal));
    assert_int_equal(dismissal.uid, 1001);
    assert_true(dismissals_next(&dismissals, &dismissal));
    assert_int_equal(dismissal.code, FLUX_GOODBYE_TOO_LONG);
    assert_false(dismissals_next(&dismissals, &dismissal));
}

static void test_many_users_are_bounded_and_counted(void **state)
{
    (void)state;
    struct dismissals dismissals = {0};
    struct dismissal dismissal;
    for (uint32_t uid = 0; uid < 100; uid++)
        dismissals_add(&dismissals, FLUX_GOODBYE_DENIED, uid, 1, "", "", "no right");
    uint64_t told = 0;
    size_t count = 0;
    while (dismissals_next(&dismissals, &dismissal)) {
        told += 1 + dismissal.repeated;
        count++;
    }
    assert_int_equal(told, 100);
    assert_int_equal(count, DISMISSALS_MAX);
}

static void test_stop_of_the_daemon_is_no_dismissal(void **state)
{
    (void)state;
    struct dismissals dismissals = {0};
    struct dismissal dismissal;
    dismissals_add(&dismissals, FLUX_GOODBYE_STOPPING, 0, 1, "x", "", "fluxawsd stops");
    assert_false(dismissals_next(&dismissals, &dismissal));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dismissal_names_who_and_why),
        cmocka_unit_test(test_same_user_and_reason_fold),
        cmocka_unit_test(test_many_users_are_bounded_and_counted),
        cmocka_unit_test(test_stop_of_the_daemon_is_no_dismissal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
