#include "daemon/daemon_timer.h"

#include "daemon/base/clock.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct loop {
    struct event_base *base;
    struct daemon_timer timer;
};

static int setup(void **state)
{
    struct loop *loop = calloc(1, sizeof(*loop));
    assert_non_null(loop);
    loop->base = event_base_new();
    assert_non_null(loop->base);
    assert_int_equal(daemon_timer_init(&loop->timer, loop->base), 0);
    *state = loop;
    return 0;
}

static int teardown(void **state)
{
    struct loop *loop = *state;
    daemon_timer_clear(&loop->timer);
    event_base_free(loop->base);
    free(loop);
    return 0;
}

static bool wakes_now(struct loop *loop)
{
    (void)event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    return loop->timer.deadline_ms == INT64_MAX;
}

static void test_it_wakes_at_its_time_and_not_before(void **state)
{
    struct loop *loop = *state;
    const int64_t begin_ms = clock_now_ms();
    assert_int_equal(daemon_timer_set(&loop->timer, begin_ms + 30, begin_ms), 0);
    assert_int_equal(event_base_loop(loop->base, EVLOOP_ONCE), 0);
    const int64_t took_ms = clock_now_ms() - begin_ms;
    assert_true(took_ms >= 29);
    assert_true(took_ms < 5000);
    assert_int_equal(loop->timer.deadline_ms, INT64_MAX);
    assert_int_equal(daemon_timer_set(&loop->timer, begin_ms + 60000, begin_ms), 0);
    assert_false(wakes_now(loop));
}

static void test_what_is_over_wakes_at_once(void **state)
{
    struct loop *loop = *state;
    const int64_t now_ms = clock_now_ms();
    for (int64_t late_ms = 0; late_ms < 3; late_ms++) {
        assert_int_equal(daemon_timer_set(&loop->timer, now_ms - late_ms, now_ms), 0);
        assert_int_equal(event_base_loop(loop->base, EVLOOP_ONCE), 0);
        assert_int_equal(loop->timer.deadline_ms, INT64_MAX);
    }
    assert_true(clock_now_ms() - now_ms < 5000);
}

static void test_the_newest_time_counts(void **state)
{
    struct loop *loop = *state;
    const int64_t now_ms = clock_now_ms();
    assert_int_equal(daemon_timer_set(&loop->timer, now_ms - 1, now_ms), 0);
    assert_int_equal(daemon_timer_set(&loop->timer, now_ms + 60000, now_ms), 0);
    assert_false(wakes_now(loop));
    assert_int_equal(daemon_timer_set(&loop->timer, now_ms - 1, now_ms), 0);
    assert_int_equal(daemon_timer_set(&loop->timer, INT64_MAX, now_ms), 0);
    (void)event_base_loop(loop->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
    assert_int_equal(event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE), 0);
    assert_int_equal(daemon_timer_set(&loop->timer, now_ms, now_ms), 0);
    assert_int_equal(event_base_loop(loop->base, EVLOOP_ONCE), 0);
    assert_int_equal(loop->timer.deadline_ms, INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_wakes_at_its_time_and_not_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_over_wakes_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_newest_time_counts, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
