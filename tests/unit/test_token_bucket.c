#include "daemon/base/token_bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND_US 1000000

static void test_burst_goes_at_once_then_one_per_interval(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 3, SECOND_US, 5000);
    for (int i = 0; i < 3; i++)
        assert_true(token_bucket_take(&bucket, 1, 5000));
    assert_false(token_bucket_take(&bucket, 1, 5000));
    assert_false(token_bucket_take(&bucket, 1, 5999));
    assert_true(token_bucket_take(&bucket, 1, 6000));
    assert_false(token_bucket_take(&bucket, 1, 6999));
    assert_true(token_bucket_take(&bucket, 1, 7000));
}

static void test_a_busy_minute_costs_burst_plus_one_per_interval(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 1, SECOND_US, 0);
    int taken = 0;
    for (int64_t now_ms = 0; now_ms <= 10000; now_ms++)
        taken += token_bucket_take(&bucket, 1, now_ms);
    assert_int_equal(taken, 11);
}

static void test_fractions_of_an_interval_are_kept(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 80, SECOND_US / 80, 0);
    assert_true(token_bucket_take(&bucket, 80, 0));
    int taken = 0;
    for (int64_t now_ms = 1; now_ms <= 10000; now_ms++)
        taken += token_bucket_take(&bucket, 1, now_ms);
    assert_int_equal(taken, 800);
}

static void test_bucket_never_holds_more_than_its_capacity(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 2, SECOND_US, 0);
    assert_int_equal(token_bucket_count(&bucket, 1000000000), 2);
    assert_true(token_bucket_take(&bucket, 2, 1000000000));
    assert_false(token_bucket_take(&bucket, 1, 1000000999));
}

static void test_next_time_is_when_take_succeeds(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 4, SECOND_US / 3, 10);
    assert_int_equal(token_bucket_next_ms(&bucket, 4, 10), 10);
    assert_true(token_bucket_take(&bucket, 4, 10));
    for (uint32_t count = 1; count <= 4; count++) {
        struct token_bucket copy = bucket;
        int64_t due_ms = token_bucket_next_ms(&copy, count, 10);
        assert_false(token_bucket_take(&copy, count, due_ms - 1));
        assert_true(token_bucket_take(&copy, count, due_ms));
    }
    assert_int_equal(token_bucket_next_ms(&bucket, 99, 10), token_bucket_next_ms(&bucket, 4, 10));
}

static void test_taking_all_or_none(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 3, SECOND_US, 0);
    assert_false(token_bucket_take(&bucket, 4, 0));
    assert_int_equal(token_bucket_count(&bucket, 0), 3);
}

static void test_time_that_runs_backwards_gives_nothing(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 1, SECOND_US, 10000);
    assert_true(token_bucket_take(&bucket, 1, 10000));
    assert_false(token_bucket_take(&bucket, 1, 0));
    assert_false(token_bucket_take(&bucket, 1, 10999));
    assert_true(token_bucket_take(&bucket, 1, 11000));
}

static void test_new_settings_hold_at_once(void **state)
{
    (void)state;
    struct token_bucket bucket;
    token_bucket_init(&bucket, 10, SECOND_US, 0);
    token_bucket_set(&bucket, 2, SECOND_US / 10, 0);
    assert_int_equal(token_bucket_count(&bucket, 0), 2);
    assert_true(token_bucket_take(&bucket, 2, 0));
    assert_true(token_bucket_take(&bucket, 1, 100));
    token_bucket_set(&bucket, 0, 0, 100);
    assert_true(token_bucket_take(&bucket, 1, 100));
    assert_true(token_bucket_take(&bucket, 1, 100));
    assert_int_equal(token_bucket_next_ms(&bucket, 1, 100), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst_goes_at_once_then_one_per_interval),
        cmocka_unit_test(test_a_busy_minute_costs_burst_plus_one_per_interval),
        cmocka_unit_test(test_fractions_of_an_interval_are_kept),
        cmocka_unit_test(test_bucket_never_holds_more_than_its_capacity),
        cmocka_unit_test(test_next_time_is_when_take_succeeds),
        cmocka_unit_test(test_taking_all_or_none),
        cmocka_unit_test(test_time_that_runs_backwards_gives_nothing),
        cmocka_unit_test(test_new_settings_hold_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
