#include "daemon/storage/gather.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_the_first_commit_waits_for_nobody(void **state)
{
    (void)state;
    const struct gather gather = {0};
    assert_true(gather_is_enough(&gather, 1, 0));
    assert_true(gather_is_enough(&gather, 0, 0));
}

static void test_half_as_many_as_last_time_are_enough(void **state)
{
    (void)state;
    struct gather gather;
    gather_begin(&gather, 64, 300, 1000);
    assert_false(gather_is_enough(&gather, 1, 1000));
    assert_false(gather_is_enough(&gather, 31, 1299));
    assert_true(gather_is_enough(&gather, 32, 1000));
}

static void test_one_writer_alone_never_waits(void **state)
{
    (void)state;
    struct gather gather;
    for (size_t rows = 0; rows < 4; rows++) {
        gather_begin(&gather, rows, 300, 1000);
        assert_true(gather_is_enough(&gather, 1, 1000));
    }
}

static void test_nobody_waits_longer_than_the_last_commit_took(void **state)
{
    (void)state;
    struct gather gather;
    gather_begin(&gather, 64, 300, 1000);
    assert_false(gather_is_enough(&gather, 1, 1299));
    assert_true(gather_is_enough(&gather, 1, 1300));
}

static void test_nobody_waits_long_on_a_slow_disk(void **state)
{
    (void)state;
    struct gather gather;
    gather_begin(&gather, 64, 9000000, 1000);
    assert_false(gather_is_enough(&gather, 1, 1000 + GATHER_MAX_US - 1));
    assert_true(gather_is_enough(&gather, 1, 1000 + GATHER_MAX_US));
}

static void test_after_a_failure_nobody_waits(void **state)
{
    (void)state;
    struct gather gather;
    gather_begin(&gather, 64, 300, 1000);
    gather_begin(&gather, 0, 300, 2000);
    assert_true(gather_is_enough(&gather, 1, 2000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_first_commit_waits_for_nobody),
        cmocka_unit_test(test_half_as_many_as_last_time_are_enough),
        cmocka_unit_test(test_one_writer_alone_never_waits),
        cmocka_unit_test(test_nobody_waits_longer_than_the_last_commit_took),
        cmocka_unit_test(test_nobody_waits_long_on_a_slow_disk),
        cmocka_unit_test(test_after_a_failure_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
