#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/log_choice.h"
#include <errno.h>
#include <syslog.h>

static void test_the_configured_level_counts_unless_one_is_chosen(void **state)
{
    (void)state;
    struct log_choice choice = {0};
    assert_int_equal(log_choice_level(&choice, LOG_NOTICE), LOG_NOTICE);
    assert_false(log_choice_expire(&choice, INT64_MAX - 1));
    assert_true(log_choice_deadline(&choice) == INT64_MAX);
    assert_int_equal(log_choice_make(&choice, LOG_DEBUG, 0, 1000), 0);
    assert_int_equal(log_choice_level(&choice, LOG_NOTICE), LOG_DEBUG);
}

static void test_a_level_chosen_for_a_time_goes_back_by_itself(void **state)
{
    (void)state;
    struct log_choice choice = {0};
    assert_int_equal(log_choice_make(&choice, LOG_DEBUG, 600, 1000), 0);
    assert_int_equal(log_choice_deadline(&choice), 601000);
    assert_false(log_choice_expire(&choice, 600999));
    assert_int_equal(log_choice_level(&choice, LOG_INFO), LOG_DEBUG);
    assert_true(log_choice_expire(&choice, 601000));
    assert_int_equal(log_choice_level(&choice, LOG_INFO), LOG_INFO);
    assert_true(log_choice_deadline(&choice) == INT64_MAX);
    assert_false(log_choice_expire(&choice, 602000));
}

static void test_a_reload_ends_what_has_no_end_and_nothing_else(void **state)
{
    (void)state;
    struct log_choice choice = {0};
    log_choice_reload(&choice);
    assert_int_equal(log_choice_make(&choice, LOG_DEBUG, 0, 1000), 0);
    assert_false(log_choice_expire(&choice, INT64_MAX - 1));
    log_choice_reload(&choice);
    assert_int_equal(log_choice_level(&choice, LOG_INFO), LOG_INFO);

    assert_int_equal(log_choice_make(&choice, LOG_ERR, 10, 1000), 0);
    log_choice_reload(&choice);
    assert_int_equal(log_choice_level(&choice, LOG_INFO), LOG_ERR);
    assert_int_equal(log_choice_deadline(&choice), 11000);
}

static void test_a_newer_choice_takes_the_place_of_the_older(void **state)
{
    (void)state;
    struct log_choice choice = {0};
    assert_int_equal(log_choice_make(&choice, LOG_DEBUG, 10, 1000), 0);
    assert_int_equal(log_choice_make(&choice, LOG_WARNING, 0, 2000), 0);
    assert_false(log_choice_expire(&choice, 11000));
    assert_int_equal(log_choice_level(&choice, LOG_INFO), LOG_WARNING);
}

static void test_what_cannot_be_changes_nothing(void **state)
{
    (void)state;
    struct log_choice choice = {0};
    assert_int_equal(log_choice_make(&choice, LOG_DEBUG, 10, 1000), 0);
    assert_int_equal(log_choice_make(&choice, LOG_CRIT, 0, 2000), -EINVAL);
    assert_int_equal(log_choice_make(&choice, LOG_DEBUG + 1, 0, 2000), -EINVAL);
    assert_int_equal(log_choice_make(&choice, UINT32_MAX, 0, 2000), -EINVAL);
    assert_int_equal(log_choice_make(&choice, LOG_INFO, LOG_CHOICE_SEC_MAX + 1, 2000), -EINVAL);
    assert_int_equal(log_choice_level(&choice, LOG_INFO), LOG_DEBUG);
    assert_int_equal(log_choice_make(&choice, LOG_INFO, LOG_CHOICE_SEC_MAX, 2000), 0);
    assert_int_equal(log_choice_deadline(&choice), 2000 + LOG_CHOICE_SEC_MAX * INT64_C(1000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_configured_level_counts_unless_one_is_chosen),
        cmocka_unit_test(test_a_level_chosen_for_a_time_goes_back_by_itself),
        cmocka_unit_test(test_a_reload_ends_what_has_no_end_and_nothing_else),
        cmocka_unit_test(test_a_newer_choice_takes_the_place_of_the_older),
        cmocka_unit_test(test_what_cannot_be_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
