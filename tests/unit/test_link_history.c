#include "daemon/mqtt/link_history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct link_history history;

static void add(enum link_event event, int64_t now_ms, const char *reason)
{
    const struct link_history_entry entry = {.event = event,
                                             .wall_sec = 1000 + now_ms / 1000,
                                             .boot_ms = now_ms,
                                             .duration_ms = 10,
                                             .bytes_in = 3,
                                             .bytes_out = 4};
    link_history_add(&history, &entry, reason);
}

static int setup(void **state)
{
    (void)state;
    history = (struct link_history){0};
    return 0;
}

static void test_events_are_kept_in_their_order(void **state)
{
    (void)state;
    assert_null(link_history_at(&history, 0));
    add(LINK_EVENT_UP, 1000, "");
    add(LINK_EVENT_LOST, 5000, "the other end hung up");
    assert_int_equal(history.count, 2);
    assert_int_equal(link_history_at(&history, 0)->event, LINK_EVENT_UP);
    const struct link_history_entry *lost = link_history_at(&history, 1);
    assert_int_equal(lost->event, LINK_EVENT_LOST);
    assert_int_equal(lost->boot_ms, 5000);
    assert_int_equal(lost->wall_sec, 1005);
    assert_int_equal(lost->duration_ms, 10);
    assert_int_equal(lost->bytes_in, 3);
    assert_int_equal(lost->bytes_out, 4);
    assert_int_equal(lost->repeats, 1);
    assert_string_equal(lost->reason, "the other end hung up");
    assert_null(link_history_at(&history, 2));
}

static void test_oldest_event_gives_way(void **state)
{
    (void)state;
    for (int i = 0; i < 3 * (int)LINK_HISTORY_MAX; i++)
        add(LINK_EVENT_LOST, i, "again");
    assert_int_equal(history.count, LINK_HISTORY_MAX);
    assert_int_equal(history.event_count, 3 * LINK_HISTORY_MAX);
    assert_int_equal(link_history_at(&history, 0)->boot_ms, 2 * LINK_HISTORY_MAX);
    assert_int_equal(link_history_at(&history, LINK_HISTORY_MAX - 1)->boot_ms,
                     3 * LINK_HISTORY_MAX - 1);
    assert_null(link_history_at(&history, LINK_HISTORY_MAX));
}

static void test_equal_failures_in_a_row_make_one_entry(void **state)
{
    (void)state;
    for (int i = 1; i <= 1000; i++)
        add(LINK_EVENT_DIAL_FAILED, i * 1000, "the name does not resolve");
    assert_int_equal(history.count, 1);
    assert_int_equal(history.event_count, 1000);
    const struct link_history_entry *entry = link_history_at(&history, 0);
    assert_int_equal(entry->repeats, 1000);
    assert_int_equal(entry->first_ms, 1000);
    assert_int_equal(entry->boot_ms, 1000000);
    assert_int_equal(entry->wall_sec, 2000);
    assert_int_equal(entry->duration_ms, 10000);
}

static void test_only_equal_failures_next_to_each_other_are_folded(void **state)
{
    (void)state;
    add(LINK_EVENT_DIAL_FAILED, 1, "refused");
    add(LINK_EVENT_DIAL_FAILED, 2, "no answer");
    add(LINK_EVENT_DIAL_FAILED, 3, "refused");
    add(LINK_EVENT_CREDENTIALS, 4, "refused");
    add(LINK_EVENT_UP, 5, "");
    add(LINK_EVENT_UP, 6, "");
    add(LINK_EVENT_LOST, 7, "reset");
    add(LINK_EVENT_LOST, 8, "reset");
    assert_int_equal(history.count, 8);
    for (size_t i = 0; i < history.count; i++)
        assert_int_equal(link_history_at(&history, i)->repeats, 1);
}

static void test_long_reason_is_cut_at_the_end_of_a_character(void **state)
{
    (void)state;
    char reason[400];
    memset(reason, 'a', sizeof(reason));
    memcpy(reason + 316, "\xc3\xa4", 2);
    reason[sizeof(reason) - 1] = '\0';
    add(LINK_EVENT_LOST, 1, reason);
    assert_int_equal(strlen(link_history_at(&history, 0)->reason), 319);
    assert_string_equal(link_history_at(&history, 0)->reason + 315, "a...");
    memcpy(reason + 315,
           "\xc3\xa4"
           "a",
           3);
    add(LINK_EVENT_LOST, 1, reason);
    assert_int_equal(strlen(link_history_at(&history, 1)->reason), 320);
    assert_string_equal(link_history_at(&history, 1)->reason + 315, "\xc3\xa4...");
}

static void test_reason_that_fits_stays_whole(void **state)
{
    (void)state;
    char reason[321];
    memset(reason, 'a', sizeof(reason));
    reason[320] = '\0';
    add(LINK_EVENT_LOST, 1, reason);
    assert_string_equal(link_history_at(&history, 0)->reason, reason);
}

static void test_long_equal_reasons_are_folded_too(void **state)
{
    (void)state;
    char reason[400];
    memset(reason, 'b', sizeof(reason));
    reason[sizeof(reason) - 1] = '\0';
    add(LINK_EVENT_DIAL_FAILED, 1, reason);
    add(LINK_EVENT_DIAL_FAILED, 2, reason);
    assert_int_equal(history.count, 1);
}

/* What a step from `before` by `input` is to the history, with the table's own idea of after. */
static enum link_event step(enum link_state before, enum link_input input)
{
    struct link_machine machine;
    link_machine_init(&machine, 1000, 300000, 30000, 1, 0);
    machine.state = before;
    const enum link_network network = machine.network;
    (void)link_machine_step(&machine, input, INT64_C(1) << 40);
    return link_history_event(before, &machine, input, network);
}

static void test_steps_are_the_events_that_people_mean(void **state)
{
    (void)state;
    static const struct {
        enum link_state before;
        enum link_input input;
        enum link_event event;
    } cases[] = {
        {LINK_CONNECTING, LINK_INPUT_CONNECTED, LINK_EVENT_UP},
        {LINK_CONNECTING, LINK_INPUT_CONNECT_FAILED, LINK_EVENT_DIAL_FAILED},
        {LINK_CONNECTING, LINK_INPUT_LOST, LINK_EVENT_DIAL_FAILED},
        {LINK_CONNECTING, LINK_INPUT_CREDENTIALS_BAD, LINK_EVENT_CREDENTIALS},
        {LINK_WAITING_CREDENTIALS, LINK_INPUT_CREDENTIALS_BAD, LINK_EVENT_CREDENTIALS},
        {LINK_UP, LINK_INPUT_LOST, LINK_EVENT_LOST},
        {LINK_UP, LINK_INPUT_STALLED, LINK_EVENT_LOST},
        {LINK_UP, LINK_INPUT_RESTART, LINK_EVENT_HUNG_UP},
        {LINK_UP, LINK_INPUT_STOP, LINK_EVENT_HUNG_UP},
        {LINK_UP, LINK_INPUT_PAUSE, LINK_EVENT_PAUSED},
        {LINK_BACKOFF, LINK_INPUT_PAUSE, LINK_EVENT_PAUSED},
        {LINK_RESTARTING, LINK_INPUT_PAUSE, LINK_EVENT_PAUSED},
        {LINK_PAUSING, LINK_INPUT_CLOSED, LINK_EVENT_NONE},
        {LINK_PAUSING, LINK_INPUT_RESUME, LINK_EVENT_RESUMED},
        {LINK_PAUSED, LINK_INPUT_RESUME, LINK_EVENT_RESUMED},
        {LINK_PAUSED, LINK_INPUT_STOP, LINK_EVENT_NONE},
        {LINK_BACKOFF, LINK_INPUT_NETWORK_GONE, LINK_EVENT_NETWORK_GONE},
        {LINK_UP, LINK_INPUT_NETWORK_GONE, LINK_EVENT_NETWORK_GONE},
        {LINK_BACKOFF, LINK_INPUT_NETWORK_FOUND, LINK_EVENT_NONE},
        {LINK_CONNECTING, LINK_INPUT_DUE, LINK_EVENT_DIAL_FAILED},
        {LINK_BACKOFF, LINK_INPUT_DUE, LINK_EVENT_NONE},
        {LINK_OFF, LINK_INPUT_START, LINK_EVENT_NONE},
        {LINK_CONNECTING, LINK_INPUT_RESTART, LINK_EVENT_NONE},
        {LINK_STOPPING, LINK_INPUT_CLOSED, LINK_EVENT_NONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal(step(cases[i].before, cases[i].input), cases[i].event);
}

static void test_network_that_returns_is_an_event(void **state)
{
    (void)state;
    struct link_machine machine;
    link_machine_init(&machine, 1000, 300000, 30000, 1, 0);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_GONE, 0);
    (void)link_machine_step(&machine, LINK_INPUT_START, 0);
    (void)link_machine_step(&machine, LINK_INPUT_NETWORK_FOUND, 1000);
    assert_int_equal(link_history_event(LINK_WAITING_NETWORK, &machine, LINK_INPUT_NETWORK_FOUND,
                                        LINK_NETWORK_GONE),
                     LINK_EVENT_NETWORK_FOUND);
}

static void test_every_event_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (enum link_event event = 0; event < LINK_EVENT_COUNT; event++) {
        assert_string_not_equal(link_event_name(event), "unknown");
        for (enum link_event other = 0; other < event; other++)
            assert_string_not_equal(link_event_name(event), link_event_name(other));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_events_are_kept_in_their_order, setup),
        cmocka_unit_test_setup(test_oldest_event_gives_way, setup),
        cmocka_unit_test_setup(test_equal_failures_in_a_row_make_one_entry, setup),
        cmocka_unit_test_setup(test_only_equal_failures_next_to_each_other_are_folded, setup),
        cmocka_unit_test_setup(test_long_reason_is_cut_at_the_end_of_a_character, setup),
        cmocka_unit_test_setup(test_reason_that_fits_stays_whole, setup),
        cmocka_unit_test_setup(test_long_equal_reasons_are_folded_too, setup),
        cmocka_unit_test(test_steps_are_the_events_that_people_mean),
        cmocka_unit_test(test_network_that_returns_is_an_event),
        cmocka_unit_test(test_every_event_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
