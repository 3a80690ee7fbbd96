#include "daemon/shadow/pacing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct pacing make(unsigned burst, int64_t interval_ms)
{
    struct thing_options options;
    struct pacing pacing;
    thing_options_init(&options);
    options.burst = burst;
    options.interval_ms = interval_ms;
    pacing_init(&pacing, &options, 0);
    return pacing;
}

static void test_a_burst_goes_at_once_then_one_an_interval(void **state)
{
    (void)state;
    struct pacing pacing = make(3, 1000);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(pacing_next_update_ms(&pacing, 0), 0);
        pacing_charge_update(&pacing, 0);
    }
    assert_int_equal(pacing_next_update_ms(&pacing, 0), 1000);
    pacing_charge_update(&pacing, 1000);
    assert_int_equal(pacing_next_update_ms(&pacing, 1000), 2000);
}

static void test_an_early_update_is_granted_once_a_quarter_interval(void **state)
{
    (void)state;
    struct pacing pacing = make(1, 10000);
    pacing_charge_update(&pacing, 0);
    pacing.early_wanted = true;
    assert_int_equal(pacing_next_update_ms(&pacing, 100), 100);
    pacing_charge_update(&pacing, 100);
    assert_false(pacing.early_wanted);
    assert_int_equal(pacing_next_update_ms(&pacing, 100), 10000);
    pacing.early_wanted = true;
    assert_int_equal(pacing_next_update_ms(&pacing, 100), 2600);
}

static void test_backing_off_holds_updates_and_gets(void **state)
{
    (void)state;
    struct pacing pacing = make(10, 1000);
    struct random_source random;
    random_init(&random, 7);
    int64_t delay = pacing_back_off(&pacing, &random, 50);
    assert_true(delay >= 1000);
    assert_int_equal(pacing_next_update_ms(&pacing, 50), 50 + delay);
    assert_int_equal(pacing_next_get_ms(&pacing, 50), 50 + delay);
    pacing_relax(&pacing);
    assert_int_equal(pacing_next_get_ms(&pacing, 50), 50);
}

static void test_forbidden_waits_a_minute_at_least(void **state)
{
    (void)state;
    struct pacing pacing = make(10, 1000);
    struct random_source random;
    random_init(&random, 7);
    assert_true(pacing_forbid(&pacing, &random, 0) >= 60000);
}

static void test_requests_keep_to_the_services_rate(void **state)
{
    (void)state;
    struct pacing pacing = make(1000, 0);
    int sent = 0;
    for (int64_t now = 0; now < 1000; now++) {
        while (pacing_next_update_ms(&pacing, now) <= now) {
            pacing_charge_update(&pacing, now);
            sent++;
        }
    }
    assert_in_range(sent, 15, 20);
}

static void test_the_timeout_follows_the_measured_answers(void **state)
{
    (void)state;
    struct pacing pacing = make(10, 1000);
    assert_int_equal(pacing_timeout_ms(&pacing), 30000);
    pacing_answered(&pacing, 10);
    assert_int_equal(pacing_timeout_ms(&pacing), 2000);
    pacing_answered(&pacing, 900);
    assert_int_equal(pacing_timeout_ms(&pacing), 3600);
    pacing_answered(&pacing, 20000);
    assert_int_equal(pacing_timeout_ms(&pacing), 30000);
    for (int i = 0; i < 200; i++)
        pacing_answered(&pacing, 10);
    assert_int_equal(pacing_timeout_ms(&pacing), 2000);
}

static void test_until_the_first_answer_those_of_others_count(void **state)
{
    (void)state;
    struct pacing pacing;
    struct thing_options options;
    thing_options_init(&options);
    pacing_init(&pacing, &options, 0);
    pacing_expect(&pacing, 0);
    assert_int_equal(pacing_timeout_ms(&pacing), options.response_timeout_ms);
    pacing_expect(&pacing, 1000);
    assert_int_equal(pacing_timeout_ms(&pacing), 4000);
    pacing_expect(&pacing, 5000); /* not any more */
    assert_int_equal(pacing_timeout_ms(&pacing), 4000);
}

static void test_silence_doubles_the_wait_and_an_answer_ends_that(void **state)
{
    (void)state;
    struct pacing pacing = make(10, 1000);
    pacing_answered(&pacing, 10);
    pacing_unanswered(&pacing);
    assert_int_equal(pacing_timeout_ms(&pacing), 4000);
    pacing_unanswered(&pacing);
    assert_int_equal(pacing_timeout_ms(&pacing), 8000);
    for (int i = 0; i < 6; i++)
        pacing_answered(&pacing, 10);
    assert_int_equal(pacing_timeout_ms(&pacing), 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_goes_at_once_then_one_an_interval),
        cmocka_unit_test(test_an_early_update_is_granted_once_a_quarter_interval),
        cmocka_unit_test(test_backing_off_holds_updates_and_gets),
        cmocka_unit_test(test_forbidden_waits_a_minute_at_least),
        cmocka_unit_test(test_requests_keep_to_the_services_rate),
        cmocka_unit_test(test_the_timeout_follows_the_measured_answers),
        cmocka_unit_test(test_until_the_first_answer_those_of_others_count),
        cmocka_unit_test(test_silence_doubles_the_wait_and_an_answer_ends_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
