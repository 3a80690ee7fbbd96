#include "daemon/base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_same_seed_gives_same_numbers(void **state)
{
    (void)state;
    struct random_source first, second;
    random_init(&first, 42);
    random_init(&second, 42);
    for (int i = 0; i < 100; i++)
        assert_true(random_u64(&first) == random_u64(&second));
}

static void test_known_sequence_of_seed_zero(void **state)
{
    (void)state;
    struct random_source source;
    random_init(&source, 0);
    assert_true(random_u64(&source) == 0xe220a8397b1dcdafu);
    assert_true(random_u64(&source) == 0x6e789e6aa1b965f4u);
}

static void test_draws_reach_both_ends_and_stay_inside(void **state)
{
    (void)state;
    struct random_source source;
    random_init(&source, 7);
    int seen[4] = {0};
    for (int i = 0; i < 1000; i++) {
        int64_t drawn = random_up_to(&source, 3);
        assert_true(drawn >= 0 && drawn <= 3);
        seen[drawn]++;
    }
    for (int i = 0; i < 4; i++)
        assert_in_range(seen[i], 190, 310);
}

static void test_odd_limits_are_safe(void **state)
{
    (void)state;
    struct random_source source;
    random_init(&source, 7);
    assert_int_equal(random_up_to(&source, 0), 0);
    assert_int_equal(random_up_to(&source, -5), 0);
    for (int i = 0; i < 100; i++)
        assert_true(random_up_to(&source, INT64_MAX) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_seed_gives_same_numbers),
        cmocka_unit_test(test_known_sequence_of_seed_zero),
        cmocka_unit_test(test_draws_reach_both_ends_and_stay_inside),
        cmocka_unit_test(test_odd_limits_are_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
