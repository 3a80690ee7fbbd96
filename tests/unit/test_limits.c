/* The limits of a connection: counted, and held to where they are enforced. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/sandbox/limits.h"

#define NOW_MS INT64_C(1700000000000)

static const char *const topic = "$aws/things/T/shadow/update";
static const char *const filter = "$aws/things/T/shadow/update/accepted";

static int set_up(void **state)
{
    static struct limits limits;
    *state = &limits;
    return limits_init(&limits);
}

static int tear_down(void **state)
{
    limits_clear(*state);
    return 0;
}

static void test_publishes_beyond_the_limits_end_the_connection(void **state)
{
    struct limits *limits = *state;
    struct limits_publish p = {.topic = topic, .size = 131072, .qos = 1};
    assert_int_equal(limits_publish(limits, &p), POLICY_ALLOW);
    p.size++;
    assert_int_equal(limits_publish(limits, &p), POLICY_DISCONNECT);
    p.size = 0;
    p.retain = true;
    assert_int_equal(limits_publish(limits, &p), POLICY_DISCONNECT);
    p.topic = "lwt/T";
    assert_int_equal(limits_publish(limits, &p), POLICY_ALLOW);
    p.qos = 2;
    assert_int_equal(limits_publish(limits, &p), POLICY_BAD_QOS);
    p.qos = 0;
    p.topic = "a/b/c/d/e/f/g/h/i";
    assert_int_equal(limits_publish(limits, &p), POLICY_DISCONNECT);
    p.topic = "a/b/c/d/e/f/g/h";
    assert_int_equal(limits_publish(limits, &p), POLICY_ALLOW);
    assert_int_equal(limits->exceeded[LIMIT_PAYLOAD], 1);
    assert_int_equal(limits->exceeded[LIMIT_RETAIN], 1);
    assert_int_equal(limits->exceeded[LIMIT_QOS], 1);
    assert_int_equal(limits->exceeded[LIMIT_TOPIC], 1);
    assert_int_equal(limits_total(limits), 4);
}

static enum policy_verdict subscribe(struct limits *limits, const char *id, unsigned count,
                                     uint64_t packet)
{
    const struct limits_filter f = {.filter = filter, .qos = 1, .count = count, .packet = packet};
    return limits_subscribe(limits, id, &f);
}

static void test_subscriptions_are_limited(void **state)
{
    struct limits *limits = *state;
    assert_int_equal(subscribe(limits, "c", 49, 0), POLICY_ALLOW);
    assert_int_equal(subscribe(limits, "c", 50, 0), POLICY_REFUSE);
    const struct limits_filter exact = {.filter = filter, .qos = 2};
    assert_int_equal(limits_subscribe(limits, "c", &exact), POLICY_BAD_QOS);
    limits->enforced[LIMIT_SUBSCRIPTIONS] = false;
    assert_int_equal(subscribe(limits, "c", 50, 0), POLICY_ALLOW);
    assert_int_equal(limits->exceeded[LIMIT_SUBSCRIPTIONS], 2);
    limits->max[LIMIT_SUBSCRIPTIONS] = 0;
    assert_int_equal(subscribe(limits, "c", 50, 0), POLICY_ALLOW);
    assert_int_equal(limits->exceeded[LIMIT_SUBSCRIPTIONS], 2);
}

static void test_long_filters_are_refused(void **state)
{
    char longest[400];
    struct limits_filter f = {.filter = longest, .qos = 1};
    snprintf(longest, sizeof(longest), "$aws/things/T/shadow/name/%0230d", 0);
    assert_int_equal(strlen(longest), 256);
    assert_int_equal(limits_subscribe(*state, "c", &f), POLICY_ALLOW);
    strcat(longest, "x");
    assert_int_equal(limits_subscribe(*state, "c", &f), POLICY_REFUSE);
    f.filter = "$aws/things/T/shadow/name/N/update/a/b";
    assert_int_equal(limits_subscribe(*state, "c", &f), POLICY_REFUSE);
}

static void test_eight_filters_fit_one_subscribe(void **state)
{
    struct limits *limits = *state;
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(subscribe(limits, "c", i, 1), POLICY_ALLOW);
    assert_int_equal(subscribe(limits, "c", 8, 1), POLICY_REFUSE);
    assert_int_equal(subscribe(limits, "c", 8, 1), POLICY_REFUSE);
    assert_int_equal(subscribe(limits, "d", 0, 1), POLICY_ALLOW);
    assert_int_equal(subscribe(limits, "c", 8, 2), POLICY_ALLOW);
    assert_int_equal(limits->exceeded[LIMIT_FILTERS_PER_SUBSCRIBE], 2);
    for (unsigned i = 0; i < 9; i++) /* where packets are not known, none is too large */
        assert_int_equal(subscribe(limits, "e", i, 0), POLICY_ALLOW);
}

static void test_a_client_connects_once_a_second(void **state)
{
    struct limits *limits = *state;
    assert_int_equal(limits_connect(limits, "c", NOW_MS), POLICY_ALLOW);
    assert_int_equal(limits_connect(limits, "c", NOW_MS + 999), POLICY_ALLOW);
    assert_int_equal(limits->exceeded[LIMIT_CONNECTS_PER_SEC], 1);
    limits->enforced[LIMIT_CONNECTS_PER_SEC] = true;
    assert_int_equal(limits_connect(limits, "c", NOW_MS + 999), POLICY_REFUSE);
    assert_int_equal(limits_connect(limits, "d", NOW_MS + 999), POLICY_ALLOW);
    assert_int_equal(limits_connect(limits, "c", NOW_MS + 1000), POLICY_ALLOW);
    assert_int_equal(limits->exceeded[LIMIT_CONNECTS_PER_SEC], 2);
}

static void test_a_connection_carries_a_hundred_messages_a_second(void **state)
{
    struct limits *limits = *state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(limits_carry(limits, "c", 10, NOW_MS + i), POLICY_ALLOW);
    assert_int_equal(limits_total(limits), 0);
    assert_int_equal(limits_carry(limits, "c", 10, NOW_MS + 999), POLICY_ALLOW);
    limits->enforced[LIMIT_MESSAGES_PER_SEC] = true;
    assert_int_equal(limits_carry(limits, "c", 10, NOW_MS + 999), POLICY_DISCARD);
    assert_int_equal(limits->exceeded[LIMIT_MESSAGES_PER_SEC], 2);
    assert_int_equal(limits_carry(limits, "c", 10, NOW_MS + 1000), POLICY_ALLOW);
    assert_int_equal(limits_carry(limits, "c", 10, NOW_MS + 1000), POLICY_DISCARD);
    assert_int_equal(limits_connect(limits, "c", NOW_MS + 1000), POLICY_ALLOW);
    assert_int_equal(limits_carry(limits, "c", 10, NOW_MS + 1000), POLICY_ALLOW); /* a new one */
}

static void test_bytes_beyond_the_rate_are_late(void **state)
{
    struct limits *limits = *state;
    limits->enforced[LIMIT_BYTES_PER_SEC] = true;
    assert_int_equal(limits_carry(limits, "c", 524288, NOW_MS), POLICY_ALLOW);
    assert_int_equal(limits_delay_ms(limits, "c", NOW_MS), 0);
    assert_int_equal(limits_total(limits), 0);
    assert_int_equal(limits_carry(limits, "c", 131072, NOW_MS), POLICY_ALLOW);
    assert_int_equal(limits_delay_ms(limits, "c", NOW_MS), 250);
    assert_int_equal(limits_delay_ms(limits, "c", NOW_MS + 249), 1);
    assert_int_equal(limits_delay_ms(limits, "d", NOW_MS), 0);
    assert_int_equal(limits->exceeded[LIMIT_BYTES_PER_SEC], 1);
    limits->enforced[LIMIT_BYTES_PER_SEC] = false;
    assert_int_equal(limits_delay_ms(limits, "c", NOW_MS), 0);
}

static void test_connections_beyond_the_table_are_let_alone(void **state)
{
    struct limits *limits = *state;
    char id[16];
    limits->enforced[LIMIT_CONNECTS_PER_SEC] = true;
    for (int i = 0; i < LIMITS_MAX_CONNECTIONS + 5; i++) {
        snprintf(id, sizeof(id), "c%d", i);
        assert_int_equal(limits_connect(limits, id, NOW_MS), POLICY_ALLOW);
    }
    assert_int_equal(limits_connect(limits, id, NOW_MS), POLICY_ALLOW);
    assert_int_equal(limits_connect(limits, "c0", NOW_MS), POLICY_REFUSE);
}

#define WITH_LIMITS(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LIMITS(test_publishes_beyond_the_limits_end_the_connection),
        WITH_LIMITS(test_subscriptions_are_limited),
        WITH_LIMITS(test_long_filters_are_refused),
        WITH_LIMITS(test_eight_filters_fit_one_subscribe),
        WITH_LIMITS(test_a_client_connects_once_a_second),
        WITH_LIMITS(test_a_connection_carries_a_hundred_messages_a_second),
        WITH_LIMITS(test_bytes_beyond_the_rate_are_late),
        WITH_LIMITS(test_connections_beyond_the_table_are_let_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
