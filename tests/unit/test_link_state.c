#include "daemon/mqtt/link_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MIN_MS     1000
#define MAX_MS     300000
#define TIMEOUT_MS 30000

/* The cells that do something. Every other one must stay where it is and do nothing. */
static const struct {
    enum link_state state;
    enum link_input input;
    enum link_state next;
    enum link_action action;
} effects[] = {
    {LINK_OFF, LINK_INPUT_START, LINK_BACKOFF, LINK_ACTION_NONE},
    {LINK_WAITING_NETWORK, LINK_INPUT_STOP, LINK_OFF, LINK_ACTION_NONE},
    {LINK_WAITING_NETWORK, LINK_INPUT_NETWORK_FOUND, LINK_BACKOFF, LINK_ACTION_NONE},
    {LINK_WAITING_CREDENTIALS, LINK_INPUT_STOP, LINK_OFF, LINK_ACTION_ABANDON},
    {LINK_WAITING_NETWORK, LINK_INPUT_PAUSE, LINK_PAUSED, LINK_ACTION_NONE},
    {LINK_WAITING_CREDENTIALS, LINK_INPUT_PAUSE, LINK_PAUSED, LINK_ACTION_ABANDON},
    {LINK_WAITING_CREDENTIALS, LINK_INPUT_NETWORK_GONE, LINK_WAITING_NETWORK, LINK_ACTION_ABANDON},
    {LINK_WAITING_CREDENTIALS, LINK_INPUT_RESTART, LINK_BACKOFF, LINK_ACTION_ABANDON},
    {LINK_WAITING_CREDENTIALS, LINK_INPUT_DUE, LINK_WAITING_CREDENTIALS, LINK_ACTION_CONNECT},
    {LINK_WAITING_CREDENTIALS, LINK_INPUT_CREDENTIALS_OK, LINK_CONNECTING, LINK_ACTION_NONE},
    {LINK_BACKOFF, LINK_INPUT_STOP, LINK_OFF, LINK_ACTION_NONE},
    {LINK_BACKOFF, LINK_INPUT_PAUSE, LINK_PAUSED, LINK_ACTION_NONE},
    {LINK_BACKOFF, LINK_INPUT_NETWORK_GONE, LINK_WAITING_NETWORK, LINK_ACTION_NONE},
    {LINK_BACKOFF, LINK_INPUT_DUE, LINK_CONNECTING, LINK_ACTION_CONNECT},
    {LINK_CONNECTING, LINK_INPUT_STOP, LINK_OFF, LINK_ACTION_ABANDON},
    {LINK_CONNECTING, LINK_INPUT_PAUSE, LINK_PAUSED, LINK_ACTION_ABANDON},
    {LINK_CONNECTING, LINK_INPUT_NETWORK_GONE, LINK_WAITING_NETWORK, LINK_ACTION_ABANDON},
    {LINK_CONNECTING, LINK_INPUT_RESTART, LINK_BACKOFF, LINK_ACTION_ABANDON},
    {LINK_CONNECTING, LINK_INPUT_DUE, LINK_BACKOFF, LINK_ACTION_ABANDON},
    {LINK_CONNECTING, LINK_INPUT_CREDENTIALS_BAD, LINK_WAITING_CREDENTIALS, LINK_ACTION_NONE},
    {LINK_CONNECTING, LINK_INPUT_CONNECTED, LINK_UP, LINK_ACTION_NONE},
    {LINK_CONNECTING, LINK_INPUT_CONNECT_FAILED, LINK_BACKOFF, LINK_ACTION_NONE},
    {LINK_CONNECTING, LINK_INPUT_LOST, LINK_BACKOFF, LINK_ACTION_NONE},
    {LINK_UP, LINK_INPUT_STOP, LINK_STOPPING, LINK_ACTION_DISCONNECT},
    {LINK_UP, LINK_INPUT_PAUSE, LINK_PAUSING, LINK_ACTION_DISCONNECT},
    {LINK_UP, LINK_INPUT_RESTART, LINK_RESTARTING, LINK_ACTION_DISCONNECT},
    {LINK_UP, LINK_INPUT_LOST, LINK_BACKOFF, LINK_ACTION_NONE},
    {LINK_UP, LINK_INPUT_STALLED, LINK_BACKOFF, LINK_ACTION_ABANDON},
    {LINK_STOPPING, LINK_INPUT_START, LINK_RESTARTING, LINK_ACTION_NONE},
    {LINK_STOPPING, LINK_INPUT_DUE, LINK_OFF, LINK_ACTION_ABANDON},
    {LINK_STOPPING, LINK_INPUT_LOST, LINK_OFF, LINK_ACTION_ABANDON},
    {LINK_STOPPING, LINK_INPUT_CLOSED, LINK_OFF, LINK_ACTION_NONE},
    {LINK_RESTARTING, LINK_INPUT_STOP, LINK_STOPPING, LINK_ACTION_NONE},
    {LINK_RESTARTING, LINK_INPUT_DUE, LINK_BACKOFF, LINK_ACTION_ABANDON},
    {LINK_RESTARTING, LINK_INPUT_LOST, LINK_BACKOFF, LINK_ACTION_ABANDON},
    {LINK_RESTARTING, LINK_INPUT_CLOSED, LINK_BACKOFF, LINK_ACTION_NONE},
    {LINK_RESTARTING, LINK_INPUT_PAUSE, LINK_PAUSING, LINK_ACTION_NONE},
    {LINK_PAUSING, LINK_INPUT_STOP, LINK_STOPPING, LINK_ACTION_NONE},
    {LINK_PAUSING, LINK_INPUT_RESUME, LINK_RESTARTING, LINK_ACTION_NONE},
    {LINK_PAUSING, LINK_INPUT_DUE, LINK_PAUSED, LINK_ACTION_ABANDON},
    {LINK_PAUSING, LINK_INPUT_LOST, LINK_PAUSED, LINK_ACTION_ABANDON},
    {LINK_PAUSING, LINK_INPUT_CLOSED, LINK_PAUSED, LINK_ACTION_NONE},
    {LINK_PAUSED, LINK_INPUT_STOP, LINK_OFF, LINK_ACTION_NONE},
    {LINK_PAUSED, LINK_INPUT_RESUME, LINK_BACKOFF, LINK_ACTION_NONE},
};

static struct link_cell expected(enum link_state state, enum link_input input)
{
    for (size_t i = 0; i < sizeof(effects) / sizeof(effects[0]); i++) {
        if (effects[i].state == state && effects[i].input == input)
            return (struct link_cell){effects[i].next, effects[i].action};
    }
    return (struct link_cell){state, LINK_ACTION_NONE};
}

static struct link_machine machine_in(enum link_state state, int64_t now_ms)
{
    struct link_machine machine;
    link_machine_init(&machine, MIN_MS, MAX_MS, TIMEOUT_MS, 1, now_ms);
    machine.state = state;
    return machine;
}

static bool has_deadline(enum link_state state)
{
    return state != LINK_OFF && state != LINK_WAITING_NETWORK && state != LINK_UP &&
           state != LINK_PAUSED;
}

static void test_every_cell_does_what_is_written(void **unused)
{
    (void)unused;
    for (enum link_state state = 0; state < LINK_STATE_COUNT; state++) {
        for (enum link_input input = 0; input < LINK_INPUT_COUNT; input++) {
            struct link_cell want = expected(state, input);
            struct link_cell cell = link_state_cell(state, input);
            assert_int_equal(cell.next, want.next);
            assert_int_equal(cell.action, want.action);
        }
    }
}

static void test_every_step_follows_its_cell(void **unused)
{
    (void)unused;
    for (enum link_state state = 0; state < LINK_STATE_COUNT; state++) {
        for (enum link_input input = 0; input < LINK_INPUT_COUNT; input++) {
            struct link_machine machine = machine_in(state, 5000);
            machine.deadline_ms = 7000;
            struct link_cell want = expected(state, input);
            assert_int_equal(link_machine_step(&machine, input, 7000), want.action);
            assert_int_equal(machine.state, want.next);
            if (want.next != state)
                assert_true((link_machine_deadline(&machine) != INT64_MAX) ==
                            has_deadline(want.next));
        }
    }
}

static void test_every_state_input_and_action_has_a_name(void **unused)
{
    (void)unused;
    for (enum link_state state = 0; state < LINK_STATE_COUNT; state++) {
        assert_string_not_equal(link_state_name(state), "unknown");
        for (enum link_state other = 0; other < state; other++)
            assert_string_not_equal(link_state_name(state), link_state_name(other));
    }
    for (enum link_input input = 0; input < LINK_INPUT_COUNT; input++)
        assert_string_not_equal(link_input_name(input), "unknown");
    for (enum link_action action = 0; action <= LINK_ACTION_ABANDON; action++)
        assert_string_not_equal(link_action_name(action), "unknown");
}

static void test_first_attempt_goes_at_once(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_OFF, 5000);
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_START, 5000), LINK_ACTION_NONE);
    assert_int_equal(link_machine_deadline(&machine), 5000);
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_DUE, 5000), LINK_ACTION_CONNECT);
    assert_int_equal(machine.state, LINK_CONNECTING);
}

static void test_due_before_its_time_does_nothing(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_BACKOFF, 5000);
    machine.deadline_ms = 6000;
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_DUE, 5999), LINK_ACTION_NONE);
    assert_int_equal(machine.state, LINK_BACKOFF);
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_DUE, 6000), LINK_ACTION_CONNECT);
}

/* Dial and fail; returns the delay until the next attempt. */
static int64_t fail_once(struct link_machine *machine, int64_t *now_ms)
{
    *now_ms = link_machine_deadline(machine);
    assert_int_equal(link_machine_step(machine, LINK_INPUT_DUE, *now_ms), LINK_ACTION_CONNECT);
    (void)link_machine_step(machine, LINK_INPUT_CREDENTIALS_OK, *now_ms);
    (void)link_machine_step(machine, LINK_INPUT_CONNECT_FAILED, *now_ms);
    assert_int_equal(machine->state, LINK_BACKOFF);
    return link_machine_deadline(machine) - *now_ms;
}

static void test_failed_attempts_wait_longer_and_longer(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_OFF, 0);
    int64_t now_ms = 0;
    (void)link_machine_step(&machine, LINK_INPUT_START, now_ms);
    int64_t most = 0;
    for (int n = 0; n < 12; n++) {
        int64_t spread = n < 9 ? (int64_t)MIN_MS << n : MAX_MS;
        int64_t delay = fail_once(&machine, &now_ms);
        assert_in_range(delay, MIN_MS, MIN_MS + spread);
        most = delay > most ? delay : most;
    }
    assert_true(most > 30000);
    assert_int_equal(machine.attempt_count, 12);
    assert_int_equal(machine.connect_count, 0);
}

static unsigned attempts_after_link_of(int64_t up_ms)
{
    struct link_machine machine = machine_in(LINK_OFF, 0);
    int64_t now_ms = 0;
    (void)link_machine_step(&machine, LINK_INPUT_START, now_ms);
    for (int n = 0; n < 5; n++)
        (void)fail_once(&machine, &now_ms);
    now_ms = link_machine_deadline(&machine);
    (void)link_machine_step(&machine, LINK_INPUT_DUE, now_ms);
    (void)link_machine_step(&machine, LINK_INPUT_CONNECTED, now_ms);
    assert_int_equal(machine.state, LINK_UP);
    assert_int_equal(machine.connect_count, 1);
    (void)link_machine_step(&machine, LINK_INPUT_LOST, now_ms + up_ms);
    assert_int_equal(machine.state, LINK_BACKOFF);
    return machine.backoff.attempts;
}

static void test_only_a_link_that_held_a_minute_resets_the_backoff(void **unused)
{
    (void)unused;
    assert_int_equal(attempts_after_link_of(59999), 6);
    assert_int_equal(attempts_after_link_of(60000), 1);
}

static void test_attempt_without_any_answer_is_given_up(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_OFF, 0);
    (void)link_machine_step(&machine, LINK_INPUT_START, 0);
    (void)link_machine_step(&machine, LINK_INPUT_DUE, 0);
    int64_t due_ms = link_machine_deadline(&machine);
    assert_true(due_ms > TIMEOUT_MS && due_ms < TIMEOUT_MS + 10000);
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_DUE, due_ms), LINK_ACTION_ABANDON);
    assert_int_equal(machine.state, LINK_BACKOFF);
}

static void test_missing_credentials_are_looked_for_again_without_backoff(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_OFF, 0);
    (void)link_machine_step(&machine, LINK_INPUT_START, 0);
    (void)link_machine_step(&machine, LINK_INPUT_DUE, 0);
    (void)link_machine_step(&machine, LINK_INPUT_CREDENTIALS_BAD, 10);
    for (int i = 0; i < 100; i++) {
        assert_int_equal(machine.state, LINK_WAITING_CREDENTIALS);
        int64_t due_ms = link_machine_deadline(&machine);
        assert_int_equal(link_machine_step(&machine, LINK_INPUT_DUE, due_ms), LINK_ACTION_CONNECT);
        assert_int_equal(link_machine_deadline(&machine), due_ms + LINK_CREDENTIALS_RECHECK_MS);
        (void)link_machine_step(&machine, LINK_INPUT_CREDENTIALS_BAD, due_ms);
    }
    assert_int_equal(machine.attempt_count, 0);
    assert_int_equal(machine.backoff.attempts, 0);
    (void)link_machine_step(&machine, LINK_INPUT_CREDENTIALS_OK, 1000000);
    assert_int_equal(machine.state, LINK_CONNECTING);
    assert_int_equal(machine.attempt_count, 1);
}

static void test_restart_dials_at_once_but_not_within_the_floor(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_UP, 0);
    machine.dialled_ms = 0;
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_RESTART, 300), LINK_ACTION_DISCONNECT);
    (void)link_machine_step(&machine, LINK_INPUT_CLOSED, 310);
    assert_int_equal(link_machine_deadline(&machine), MIN_MS);

    machine = machine_in(LINK_BACKOFF, 0);
    machine.dialled_ms = 0;
    machine.deadline_ms = 200000;
    (void)link_machine_step(&machine, LINK_INPUT_RESTART, 50000);
    assert_int_equal(link_machine_deadline(&machine), 50000);
}

static void test_paused_link_stays_off_until_it_is_resumed(void **unused)
{
    (void)unused;
    static const enum link_input others[] = {
        LINK_INPUT_START,         LINK_INPUT_RESTART,   LINK_INPUT_NETWORK_GONE,
        LINK_INPUT_NETWORK_FOUND, LINK_INPUT_DUE,       LINK_INPUT_CLOCK_SET,
        LINK_INPUT_LOST,          LINK_INPUT_CONNECTED, LINK_INPUT_CLOSED,
    };
    struct link_machine machine = machine_in(LINK_UP, 0);
    machine.dialled_ms = 0;
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_PAUSE, 5000), LINK_ACTION_DISCONNECT);
    (void)link_machine_step(&machine, LINK_INPUT_CLOSED, 5010);
    assert_int_equal(machine.state, LINK_PAUSED);
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_int_equal(link_machine_step(&machine, others[i], 1000000), LINK_ACTION_NONE);
        assert_int_equal(machine.state, LINK_PAUSED);
        assert_true(link_machine_deadline(&machine) == INT64_MAX);
    }
    (void)link_machine_step(&machine, LINK_INPUT_RESUME, 2000000);
    assert_int_equal(machine.state, LINK_BACKOFF);
    assert_int_equal(link_machine_deadline(&machine), 2000000);
}

static void test_resuming_dials_no_sooner_than_the_floor(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_UP, 0);
    machine.dialled_ms = 0;
    (void)link_machine_step(&machine, LINK_INPUT_PAUSE, 100);
    (void)link_machine_step(&machine, LINK_INPUT_RESUME, 200);
    assert_int_equal(machine.state, LINK_RESTARTING);
    (void)link_machine_step(&machine, LINK_INPUT_CLOSED, 300);
    assert_int_equal(link_machine_deadline(&machine), MIN_MS);
}

static void test_resumed_without_a_network_it_waits_for_one(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_PAUSED, 0);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_GONE, 0);
    (void)link_machine_step(&machine, LINK_INPUT_RESUME, 1000);
    assert_int_equal(machine.state, LINK_WAITING_NETWORK);
}

static void test_hanging_up_is_bounded(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_UP, 0);
    (void)link_machine_step(&machine, LINK_INPUT_STOP, 1000);
    assert_int_equal(link_machine_deadline(&machine), 1000 + LINK_CLOSE_TIMEOUT_MS);
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_DUE, 1000 + LINK_CLOSE_TIMEOUT_MS),
                     LINK_ACTION_ABANDON);
    assert_int_equal(machine.state, LINK_OFF);
}

static void test_nothing_is_dialled_without_a_network(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_OFF, 0);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_GONE, 0);
    (void)link_machine_step(&machine, LINK_INPUT_START, 0);
    assert_int_equal(machine.state, LINK_WAITING_NETWORK);
    assert_true(link_machine_deadline(&machine) == INT64_MAX);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 50000);
    assert_int_equal(machine.state, LINK_BACKOFF);
    assert_in_range(link_machine_deadline(&machine), 50000, 55000);

    machine = machine_in(LINK_UP, 0);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_GONE, 0);
    assert_int_equal(machine.state, LINK_UP);
    (void)link_machine_step(&machine, LINK_INPUT_LOST, 10);
    assert_int_equal(machine.state, LINK_WAITING_NETWORK);
}

static void test_new_route_shortens_the_wait_but_not_twice_in_half_a_minute(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_BACKOFF, 0);
    machine.deadline_ms = 250000;
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 1000);
    assert_in_range(link_machine_deadline(&machine), 1000, 6000);
    machine.deadline_ms = 250000;
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 1001);
    assert_in_range(link_machine_deadline(&machine), 31000, 36000);
    machine.deadline_ms = 250000;
    for (int64_t now_ms = 1002; now_ms < 31000; now_ms += 500)
        (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, now_ms);
    assert_int_equal(link_machine_deadline(&machine), 250000);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 61000);
    assert_in_range(link_machine_deadline(&machine), 61000, 66000);
}

static void test_new_route_soon_after_another_is_not_forgotten(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_BACKOFF, 0);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 1000);
    machine.deadline_ms = 300000;
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 5000);
    assert_in_range(link_machine_deadline(&machine), 31000, 36000);
}

static void test_set_clock_ends_the_wait_but_not_within_the_floor(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_BACKOFF, 5000);
    machine.dialled_ms = 4500;
    machine.deadline_ms = 300000;
    assert_int_equal(link_machine_step(&machine, LINK_INPUT_CLOCK_SET, 5000), LINK_ACTION_NONE);
    assert_int_equal(link_machine_deadline(&machine), 4500 + MIN_MS);
    machine.deadline_ms = 5200;
    machine.dialled_ms = 4900;
    (void)link_machine_step(&machine, LINK_INPUT_CLOCK_SET, 5000);
    assert_int_equal(link_machine_deadline(&machine), 5200);
}

static void test_one_network_told_in_many_messages_counts_once(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_BACKOFF, 0);
    machine.deadline_ms = 250000;
    for (int64_t now_ms = 1000; now_ms < 1010; now_ms++)
        (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, now_ms);
    assert_in_range(link_machine_deadline(&machine), 1000, 6000);
    machine.deadline_ms = 250000;
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 31000);
    assert_in_range(link_machine_deadline(&machine), 31000, 36000);
}

static void test_new_route_never_makes_the_wait_longer(void **unused)
{
    (void)unused;
    struct link_machine machine = machine_in(LINK_BACKOFF, 0);
    machine.deadline_ms = 1001;
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 1000);
    assert_true(link_machine_deadline(&machine) <= 1001);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_cell_does_what_is_written),
        cmocka_unit_test(test_every_step_follows_its_cell),
        cmocka_unit_test(test_every_state_input_and_action_has_a_name),
        cmocka_unit_test(test_first_attempt_goes_at_once),
        cmocka_unit_test(test_due_before_its_time_does_nothing),
        cmocka_unit_test(test_failed_attempts_wait_longer_and_longer),
        cmocka_unit_test(test_only_a_link_that_held_a_minute_resets_the_backoff),
        cmocka_unit_test(test_attempt_without_any_answer_is_given_up),
        cmocka_unit_test(test_missing_credentials_are_looked_for_again_without_backoff),
        cmocka_unit_test(test_restart_dials_at_once_but_not_within_the_floor),
        cmocka_unit_test(test_paused_link_stays_off_until_it_is_resumed),
        cmocka_unit_test(test_resuming_dials_no_sooner_than_the_floor),
        cmocka_unit_test(test_resumed_without_a_network_it_waits_for_one),
        cmocka_unit_test(test_hanging_up_is_bounded),
        cmocka_unit_test(test_nothing_is_dialled_without_a_network),
        cmocka_unit_test(test_new_route_shortens_the_wait_but_not_twice_in_half_a_minute),
        cmocka_unit_test(test_new_route_soon_after_another_is_not_forgotten),
        cmocka_unit_test(test_one_network_told_in_many_messages_counts_once),
        cmocka_unit_test(test_new_route_never_makes_the_wait_longer),
        cmocka_unit_test(test_set_clock_ends_the_wait_but_not_within_the_floor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
