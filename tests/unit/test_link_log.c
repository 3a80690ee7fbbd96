/* What the journal gets to see of the link, with the real lines under virtual time. */
#include "daemon/base/log_limited.h"
#include "daemon/link_log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define HOUR_MS 3600000

struct world {
    struct link_machine machine;
    struct log_limit limit;
    int64_t now_ms;
    const char *proxy; /* NULL: none */
    FILE *lines;       /* stands in for stderr */
    int saved_stderr;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->lines = tmpfile();
    assert_non_null(world->lines);
    world->saved_stderr = dup(STDERR_FILENO);
    (void)dup2(fileno(world->lines), STDERR_FILENO);
    world->now_ms = 5000;
    link_machine_init(&world->machine, 1000, 300000, 30000, 7, world->now_ms);
    *state = world;
    return 0;
}

static void restore_stderr(struct world *world)
{
    if (world->saved_stderr < 0)
        return;
    (void)dup2(world->saved_stderr, STDERR_FILENO);
    (void)close(world->saved_stderr);
    world->saved_stderr = -1;
}

static int teardown(void **state)
{
    struct world *world = *state;
    restore_stderr(world);
    (void)fclose(world->lines);
    free(world);
    return 0;
}

static void step(struct world *world, enum link_input input, const char *reason, int code)
{
    const enum link_state before = world->machine.state;
    (void)link_machine_step(&world->machine, input, world->now_ms);
    const int64_t deadline_ms = link_machine_deadline(&world->machine);
    const struct link_change change = {
        .before = before,
        .after = world->machine.state,
        .input = input,
        .thing_name = "lamp",
        .client_id = "lamp",
        .endpoint = "iot.example",
        .port = "8883",
        .proxy = world->proxy ? world->proxy : "",
        .reason = reason,
        .code = code,
        .wait_ms = deadline_ms == INT64_MAX ? INT64_MAX : deadline_ms - world->now_ms,
    };
    link_log_change(&world->limit, &change, world->now_ms);
}

/* Let the time come that the machine or the log waits for. */
static void wait_for_due(struct world *world)
{
    const int64_t machine_ms = link_machine_deadline(&world->machine);
    const int64_t log_ms = log_limit_deadline(&world->limit);
    world->now_ms = machine_ms < log_ms ? machine_ms : log_ms;
    log_limited_flush(&world->limit, world->now_ms);
    if (machine_ms <= world->now_ms)
        step(world, LINK_INPUT_DUE, "no answer in time", 0);
}

static void come_up(struct world *world)
{
    step(world, LINK_INPUT_START, "", 0);
    wait_for_due(world);
    step(world, LINK_INPUT_CREDENTIALS_OK, "", 0);
    step(world, LINK_INPUT_CONNECTED, "", 0);
    assert_int_equal(world->machine.state, LINK_UP);
}

/* Returns how many lines were written, and all of them. */
static unsigned read_lines(struct world *world, char *ret_text, size_t size)
{
    restore_stderr(world);
    rewind(world->lines);
    const size_t got = fread(ret_text, 1, size - 1, world->lines);
    ret_text[got] = '\0';
    unsigned lines = 0;
    for (const char *p = ret_text; (p = strchr(p, '\n')); p++)
        lines++;
    return lines;
}

static char text[1024 * 1024];

static void test_change_is_told_once_with_its_reason(void **state)
{
    struct world *world = *state;
    come_up(world);
    step(world, LINK_INPUT_LOST, "the other side hung up", 0);
    assert_int_equal(read_lines(world, text, sizeof(text)), 2);
    assert_non_null(strstr(text, "info: connected to iot.example:8883 as lamp\n"));
    assert_non_null(strstr(text, "connection lost: the other side hung up; next attempt in "));
}

static void test_hour_offline_is_less_than_a_hundred_lines(void **state)
{
    struct world *world = *state;
    come_up(world);
    world->now_ms += HOUR_MS;
    step(world, LINK_INPUT_LOST, "the network is unreachable", 0);
    unsigned attempts = 0;
    while (world->now_ms < 2 * HOUR_MS) {
        wait_for_due(world);
        if (world->machine.state == LINK_CONNECTING) {
            step(world, LINK_INPUT_CREDENTIALS_OK, "", 0);
            step(world, LINK_INPUT_CONNECT_FAILED, "the name does not resolve", 0);
            attempts++;
        }
    }
    const unsigned lines = read_lines(world, text, sizeof(text));
    assert_true(attempts > 10);
    assert_in_range(lines, 3, 12);
    assert_non_null(strstr(text, "cannot connect: the name does not resolve; next attempt in "));
    assert_non_null(strstr(text, " more like it in the last 10 minutes)\n"));
}

/* The shortest backoff, and reasons that take turns or are new each time. */
static void test_hour_of_quick_and_different_failures_too(void **state)
{
    struct world *world = *state;
    link_machine_set(&world->machine, 10, 10, 1000);
    step(world, LINK_INPUT_START, "", 0);
    char reason[64];
    unsigned attempts = 0;
    while (world->now_ms < HOUR_MS) {
        if (world->machine.state == LINK_CONNECTING) {
            world->now_ms += 200;
            step(world, LINK_INPUT_CREDENTIALS_OK, "", 0);
            (void)snprintf(reason, sizeof(reason), "broker %u refused us",
                           attempts < 100 ? attempts % 3 : attempts);
            step(world, LINK_INPUT_CONNECT_FAILED, reason, 0x87);
            attempts++;
        }
        wait_for_due(world);
    }
    const unsigned lines = read_lines(world, text, sizeof(text));
    assert_true(attempts > 10000);
    assert_in_range(lines, 10, 99);
    assert_non_null(strstr(text, "broker 0 refused us"));
    assert_non_null(strstr(text, "broker 1 refused us"));
    assert_non_null(strstr(text, "broker 2 refused us"));
}

static void test_hour_without_a_certificate_too(void **state)
{
    struct world *world = *state;
    step(world, LINK_INPUT_START, "", 0);
    while (world->now_ms < HOUR_MS) {
        wait_for_due(world); /* it looks again every few seconds */
        step(world, LINK_INPUT_CREDENTIALS_BAD, "certificate.pem does not exist", 0);
    }
    const unsigned lines = read_lines(world, text, sizeof(text));
    assert_in_range(lines, 6, 10);
    assert_non_null(strstr(text, "cannot dial: certificate.pem does not exist"));
}

static void test_hour_of_a_link_that_flaps_too(void **state)
{
    struct world *world = *state;
    step(world, LINK_INPUT_START, "", 0);
    unsigned connections = 0;
    while (world->now_ms < HOUR_MS) {
        if (world->machine.state == LINK_CONNECTING) {
            step(world, LINK_INPUT_CREDENTIALS_OK, "", 0);
            step(world, LINK_INPUT_CONNECTED, "", 0);
            connections++;
            step(world, LINK_INPUT_LOST, "taken over by another client", 0x8e);
        }
        wait_for_due(world);
    }
    const unsigned lines = read_lines(world, text, sizeof(text));
    assert_true(connections > 10);
    assert_in_range(lines, 8, 99);
}

static void test_link_that_is_up_tells_how_many_attempts_failed(void **state)
{
    struct world *world = *state;
    step(world, LINK_INPUT_START, "", 0);
    for (unsigned attempts = 0; attempts < 4;) {
        wait_for_due(world);
        if (world->machine.state != LINK_CONNECTING)
            continue;
        step(world, LINK_INPUT_CONNECT_FAILED, "refused", 0);
        attempts++;
    }
    while (world->machine.state != LINK_CONNECTING)
        wait_for_due(world);
    step(world, LINK_INPUT_CONNECTED, "", 0);
    step(world, LINK_INPUT_LOST, "gone", 0);
    while (world->machine.state != LINK_CONNECTING)
        wait_for_due(world);
    step(world, LINK_INPUT_CONNECT_FAILED, "refused", 0);
    log_limited_flush(&world->limit, INT64_MAX);
    assert_int_equal(read_lines(world, text, sizeof(text)), 4);
    assert_non_null(strstr(text, " as lamp (3 more attempts had failed)\n"));
    assert_null(strstr(text, "more like it"));
    const char *lost = strstr(text, "connection lost");
    assert_non_null(lost);
    assert_non_null(strstr(lost, "cannot connect: refused")); /* news again */
}

static void test_lost_network_is_told_once_and_so_is_its_return(void **state)
{
    struct world *world = *state;
    step(world, LINK_INPUT_NETWORK_GONE, "", 0);
    step(world, LINK_INPUT_START, "", 0);
    step(world, LINK_INPUT_NETWORK_GONE, "", 0);
    step(world, LINK_INPUT_NETWORK_FOUND, "", 0);
    assert_int_equal(read_lines(world, text, sizeof(text)), 2);
    assert_non_null(strstr(text, "no route leads to iot.example: waiting for a network\n"));
    assert_non_null(strstr(text, "the network is there; next attempt in "));
}

static void test_proxy_on_the_way_is_told(void **state)
{
    struct world *world = *state;
    world->proxy = "proxy:3128";
    come_up(world);
    step(world, LINK_INPUT_LOST, "lost", 0);
    step(world, LINK_INPUT_NETWORK_GONE, "", 0);
    (void)read_lines(world, text, sizeof(text));
    assert_non_null(
        strstr(text, "connected to iot.example:8883 through the proxy proxy:3128 as lamp\n"));
    assert_non_null(strstr(text, "no route leads to the proxy proxy:3128: waiting for a network"));
}

static void test_who_hangs_up_says_why(void **state)
{
    struct world *world = *state;
    come_up(world);
    step(world, LINK_INPUT_RESTART, "the settings have changed", 0);
    (void)read_lines(world, text, sizeof(text));
    assert_non_null(strstr(text, "info: hanging up: the settings have changed\n"));
}

static void test_loss_with_the_network_names_no_next_attempt(void **state)
{
    struct world *world = *state;
    come_up(world);
    step(world, LINK_INPUT_NETWORK_GONE, "", 0);
    step(world, LINK_INPUT_LOST, "no answer to a ping", 0);
    (void)read_lines(world, text, sizeof(text));
    assert_non_null(strstr(text, "connection lost: no answer to a ping; waiting for a network\n"));
}

/* What is held back is told in the end, and then the newest state is the one that is told. */
static void test_newest_state_is_told_in_the_end(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < 20; i++) {
        step(world, LINK_INPUT_START, "", 0);
        step(world, LINK_INPUT_CREDENTIALS_OK, "", 0);
        step(world, LINK_INPUT_CONNECTED, "", 0);
        step(world, LINK_INPUT_LOST, i < 19 ? "again" : "for good", 0);
        wait_for_due(world);
    }
    log_limited_flush(&world->limit, INT64_MAX);
    (void)read_lines(world, text, sizeof(text));
    const char *last = strstr(text, "connection lost: for good");
    assert_non_null(last);
    assert_non_null(strstr(last, "more like it in the last"));
    assert_null(strstr(last, "connected to"));
}

static void test_repeats_are_seen_at_debug(void **state)
{
    struct world *world = *state;
    log_set_level(LOG_DEBUG);
    step(world, LINK_INPUT_START, "", 0);
    for (unsigned i = 0; i < 5; i++) {
        if (world->machine.state == LINK_CONNECTING)
            step(world, LINK_INPUT_CONNECT_FAILED, "refused", 0);
        wait_for_due(world);
    }
    log_set_level(LOG_INFO);
    (void)read_lines(world, text, sizeof(text));
    assert_non_null(strstr(text, "debug: cannot connect: refused"));
}

int main(void)
{
    unsetenv("JOURNAL_STREAM");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_change_is_told_once_with_its_reason, setup, teardown),
        cmocka_unit_test_setup_teardown(test_proxy_on_the_way_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_who_hangs_up_says_why, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hour_offline_is_less_than_a_hundred_lines, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_hour_of_quick_and_different_failures_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_hour_without_a_certificate_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hour_of_a_link_that_flaps_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_network_is_told_once_and_so_is_its_return, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_loss_with_the_network_names_no_next_attempt, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_link_that_is_up_tells_how_many_attempts_failed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_newest_state_is_told_in_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(test_repeats_are_seen_at_debug, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
