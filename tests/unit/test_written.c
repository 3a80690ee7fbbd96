#include "daemon/storage/written.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define HOUR_MS INT64_C(3600000)

static void test_bytes_count_for_a_day_and_an_hour_at_most(void **state)
{
    (void)state;
    struct written written;
    const int64_t start_ms = 100 * HOUR_MS + 5;
    written_init(&written, start_ms);
    written_note(&written, 1000, start_ms);
    written_note(&written, 1500, start_ms + HOUR_MS);
    assert_int_equal(written_day(&written, start_ms + HOUR_MS), 1500);
    assert_int_equal(written_day(&written, start_ms + 24 * HOUR_MS - 6), 1500);
    assert_int_equal(written_day(&written, start_ms + 25 * HOUR_MS), 500);
    assert_int_equal(written_day(&written, start_ms + 26 * HOUR_MS), 0);
    written_note(&written, 1600, start_ms + 26 * HOUR_MS);
    assert_int_equal(written_day(&written, start_ms + 26 * HOUR_MS), 100);
    assert_int_equal(written.total, 1600);
}

static void test_after_long_silence_nothing_old_is_counted(void **state)
{
    (void)state;
    struct written written;
    written_init(&written, 0);
    for (int64_t hour = 0; hour < 30; hour++)
        written_note(&written, (uint64_t)(hour + 1) * 10, hour * HOUR_MS);
    assert_int_equal(written_day(&written, 29 * HOUR_MS), 250);
    written_note(&written, 301, 1000 * HOUR_MS);
    assert_int_equal(written_day(&written, 1000 * HOUR_MS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_count_for_a_day_and_an_hour_at_most),
        cmocka_unit_test(test_after_long_silence_nothing_old_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
