#include "daemon/base/backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

/* The bounds of every delay, checked over many draws: below the floor or above the ceiling fails,
 * and so does a spread that is not used up. */
static void check_delays(unsigned attempts, int64_t min_ms, int64_t max_ms, int64_t spread)
{
    struct random_source random;
    random_init(&random, attempts);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 2000; i++) {
        struct backoff backoff;
        backoff_init(&backoff, min_ms, max_ms);
        backoff.attempts = attempts;
        int64_t delay = backoff_next(&backoff, &random);
        least = delay < least ? delay : least;
        most = delay > most ? delay : most;
    }
    assert_true(least >= min_ms);
    assert_true(most <= min_ms + spread);
    assert_true(least <= min_ms + spread / 50);
    assert_true(most >= min_ms + spread - spread / 50);
}

static void test_delay_is_floor_plus_doubling_jitter(void **state)
{
    (void)state;
    check_delays(0, 1000, 300000, 1000);
    check_delays(1, 1000, 300000, 2000);
    check_delays(4, 1000, 300000, 16000);
}

static void test_jitter_stops_growing_at_the_ceiling(void **state)
{
    (void)state;
    check_delays(9, 1000, 300000, 300000);
    check_delays(30, 1000, 300000, 300000);
}

static void test_each_attempt_counts_until_reset(void **state)
{
    (void)state;
    struct random_source random;
    random_init(&random, 1);
    struct backoff backoff;
    backoff_init(&backoff, 1000, 300000);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(backoff.attempts, i);
        (void)backoff_next(&backoff, &random);
    }
    backoff_reset(&backoff);
    assert_true(backoff_next(&backoff, &random) <= 2000);
}

static void test_many_attempts_do_not_overflow(void **state)
{
    (void)state;
    struct random_source random;
    random_init(&random, 1);
    struct backoff backoff;
    backoff_init(&backoff, INT64_MAX / 2, INT64_MAX);
    for (int i = 0; i < 200; i++)
        assert_true(backoff_next(&backoff, &random) >= INT64_MAX / 2);
}

static void test_bad_bounds_are_mended(void **state)
{
    (void)state;
    struct random_source random;
    random_init(&random, 1);
    struct backoff backoff;
    backoff_init(&backoff, 0, -1);
    assert_int_equal(backoff_next(&backoff, &random), 1);
    backoff_set_bounds(&backoff, 20, 0);
    assert_int_equal(backoff_next(&backoff, &random), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_delay_is_floor_plus_doubling_jitter),
        cmocka_unit_test(test_jitter_stops_growing_at_the_ceiling),
        cmocka_unit_test(test_each_attempt_counts_until_reset),
        cmocka_unit_test(test_many_attempts_do_not_overflow),
        cmocka_unit_test(test_bad_bounds_are_mended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
