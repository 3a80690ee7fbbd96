#include "daemon/shadow/daily.h"

#include "daemon/base/random.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define DAY_MS (24 * DAILY_HOUR_MS)

static void test_without_a_limit_nothing_is_spread(void **state)
{
    (void)state;
    struct daily daily;
    daily_init(&daily, 0, 0);
    for (int i = 0; i < 1000; i++)
        daily_count(&daily, i);
    assert_int_equal(daily_used(&daily, 1000), 1000);
    assert_int_equal(daily_next_ms(&daily, 1000), 1000);
}

static void test_half_of_them_may_go_at_once(void **state)
{
    (void)state;
    struct daily daily;
    daily_init(&daily, 100, 0);
    for (int i = 0; i < 49; i++)
        daily_count(&daily, 10);
    assert_int_equal(daily_spacing_ms(&daily, 10), 0);
    daily_count(&daily, 10);
    assert_true(daily_spacing_ms(&daily, 10) > 0);
    assert_true(daily_next_ms(&daily, 10) > 10 + DAY_MS / 60); /* 50 have to last for 25 hours */
}

static void test_a_day_later_they_count_no_more(void **state)
{
    (void)state;
    struct daily daily;
    daily_init(&daily, 100, 0);
    for (int i = 0; i < 80; i++)
        daily_count(&daily, 10);
    assert_int_equal(daily_used(&daily, DAY_MS), 80);
    assert_int_equal(daily_used(&daily, DAY_MS + DAILY_HOUR_MS), 0);
    assert_int_equal(daily_spacing_ms(&daily, DAY_MS + DAILY_HOUR_MS), 0);
}

static void test_nothing_goes_when_nothing_is_left(void **state)
{
    (void)state;
    struct daily daily;
    daily_init(&daily, 10, 5 * DAY_MS);
    for (int i = 0; i < 10; i++)
        daily_count(&daily, 5 * DAY_MS);
    assert_int_equal(daily_next_ms(&daily, 5 * DAY_MS), 6 * DAY_MS + DAILY_HOUR_MS);
}

/* Whoever would send as fast as it may never gets beyond the limit within 24 hours, gets most of
 * it, and never has to wait for hours. */
static void run_away(uint64_t limit, uint64_t seed)
{
    struct daily daily;
    struct random_source random;
    random_init(&random, seed);
    int64_t now_ms = (int64_t)(random_u64(&random) % (uint64_t)DAY_MS), begin_ms = now_ms;
    size_t count = 0, oldest = 0, in_day = 0;
    int64_t *sent = calloc(8 * (size_t)limit, sizeof(*sent));
    assert_non_null(sent);
    daily_init(&daily, limit, now_ms);
    while (now_ms < begin_ms + 5 * DAY_MS) {
        int64_t next_ms = daily_next_ms(&daily, now_ms);
        if (next_ms > now_ms) {
            assert_true(next_ms - now_ms < 3 * DAILY_HOUR_MS);
            now_ms = next_ms;
            continue;
        }
        daily_count(&daily, now_ms);
        assert_true(count < 8 * limit);
        sent[count++] = now_ms;
        while (sent[oldest] <= now_ms - DAY_MS)
            oldest++;
        in_day = count - oldest;
        assert_true(in_day <= limit);
        now_ms += 50;
    }
    assert_true(count > 4 * limit);
    free(sent);
}

static void test_a_runaway_writer_never_exceeds_the_limit_in_any_day(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        run_away(100, seed);
        run_away(2000, seed);
    }
}

/* 720 an hour are 17,280 a day: nothing is to be held back, ever. */
static void test_who_stays_below_is_not_held_back(void **state)
{
    (void)state;
    struct daily daily;
    daily_init(&daily, 20000, 0);
    for (int64_t now_ms = 0; now_ms < 3 * DAY_MS; now_ms += 5000) {
        assert_true(daily_next_ms(&daily, now_ms) <= now_ms);
        daily_count(&daily, now_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_limit_nothing_is_spread),
        cmocka_unit_test(test_half_of_them_may_go_at_once),
        cmocka_unit_test(test_a_day_later_they_count_no_more),
        cmocka_unit_test(test_nothing_goes_when_nothing_is_left),
        cmocka_unit_test(test_a_runaway_writer_never_exceeds_the_limit_in_any_day),
        cmocka_unit_test(test_who_stays_below_is_not_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
