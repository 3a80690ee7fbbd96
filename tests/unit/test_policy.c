/* The sandbox's policy: a device does its own thing's business and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/sandbox/policy.h"

static const struct policy policy = {.operator_name = "op", .max_subscriptions = 50};

static enum policy_verdict publish(const char *identity, const char *topic)
{
    const struct policy_publish publish = {.topic = topic, .size = 10, .qos = 1};
    return policy_publish(&policy, identity, &publish);
}

static enum policy_verdict subscribe(const char *filter)
{
    return policy_subscribe(&policy, "T", filter, 1, 0);
}

static void test_a_device_connects_as_its_thing(void **state)
{
    (void)state;
    assert_int_equal(policy_connect(&policy, "T", "T"), POLICY_ALLOW);
    assert_int_equal(policy_connect(&policy, "T", "T2"), POLICY_REFUSE);
    assert_int_equal(policy_connect(&policy, "T", ""), POLICY_REFUSE);
    assert_int_equal(policy_connect(&policy, "", ""), POLICY_REFUSE);
    assert_int_equal(policy_connect(&policy, "a/b", "a/b"), POLICY_REFUSE);
    assert_int_equal(policy_connect(&policy, "op", "whatever"), POLICY_ALLOW);
    struct policy lax = policy;
    lax.any_client_id = true;
    assert_int_equal(policy_connect(&lax, "T", "T2"), POLICY_ALLOW);
    assert_int_equal(policy_connect(&lax, "", "T2"), POLICY_REFUSE);
}

static void test_a_device_publishes_its_own_requests_only(void **state)
{
    static const char *const forbidden[] = {
        "$aws/things/U/shadow/update",
        "$aws/things/TT/shadow/update",
        "$aws/things/T/shadow/update/accepted",
        "$aws/things/T/shadow/name/N/update/delta",
        "$aws/things/T/jobs/get",
        "$sandbox/request/1",
        "lwt/U",
        "any/topic",
    };
    (void)state;
    assert_int_equal(publish("T", "$aws/things/T/shadow/update"), POLICY_ALLOW);
    assert_int_equal(publish("T", "$aws/things/T/shadow/get"), POLICY_ALLOW);
    assert_int_equal(publish("T", "$aws/things/T/shadow/name/N/delete"), POLICY_ALLOW);
    assert_int_equal(publish("T", "lwt/T"), POLICY_ALLOW);
    struct policy soft = policy;
    soft.refuse_publish_softly = true;
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
        const struct policy_publish p = {.topic = forbidden[i], .qos = 1};
        assert_int_equal(publish("T", forbidden[i]), POLICY_DISCONNECT);
        assert_int_equal(policy_publish(&soft, "T", &p), POLICY_REFUSE);
        assert_int_equal(publish("op", forbidden[i]), POLICY_ALLOW);
    }
}

static void test_publishes_beyond_the_limits_end_the_connection(void **state)
{
    (void)state;
    struct policy soft = policy;
    soft.refuse_publish_softly = true;
    struct policy_publish p = {.topic = "$aws/things/T/shadow/update", .size = 131072, .qos = 1};
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_ALLOW);
    p.size++;
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_DISCONNECT);
    p.size = 0;
    p.retain = true;
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_DISCONNECT);
    p.topic = "lwt/T";
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_ALLOW);
    p.qos = 2;
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_BAD_QOS);
    p.qos = 0;
    p.topic = "a/b/c/d/e/f/g/h/i";
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_DISCONNECT);
    p.topic = "a/b/c/d/e/f/g/h";
    assert_int_equal(policy_publish(&soft, "T", &p), POLICY_REFUSE);
}

static void test_a_device_subscribes_to_its_own_answers_only(void **state)
{
    static const char *const forbidden[] = {
        "#",
        "$aws/things/T/shadow/#",
        "$aws/things/T/shadow/+/accepted",
        "$aws/things/T/shadow/update",
        "$aws/things/+/shadow/update/accepted",
        "$aws/things/U/shadow/update/accepted",
        "$aws/things/TU/shadow/update/accepted",
        "$share/g/$aws/things/T/shadow/update/accepted",
        "$sandbox/answer/1",
        "$SYS/#",
    };
    (void)state;
    assert_int_equal(subscribe("$aws/things/T/shadow/update/accepted"), POLICY_ALLOW);
    assert_int_equal(subscribe("$aws/things/T/shadow/get/+"), POLICY_ALLOW);
    assert_int_equal(subscribe("$aws/things/T/shadow/name/+/update/accepted"), POLICY_ALLOW);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(*forbidden); i++) {
        assert_int_equal(subscribe(forbidden[i]), POLICY_REFUSE);
        assert_int_equal(policy_receive(&policy, "T", forbidden[i]), POLICY_REFUSE);
        assert_int_equal(policy_receive(&policy, "op", forbidden[i]), POLICY_ALLOW);
    }
    assert_int_equal(policy_receive(&policy, "T", "$aws/things/T/shadow/get/accepted"),
                     POLICY_ALLOW);
}

static void test_subscriptions_are_limited(void **state)
{
    (void)state;
    const char *filter = "$aws/things/T/shadow/update/accepted";
    assert_int_equal(policy_subscribe(&policy, "T", filter, 1, 49), POLICY_ALLOW);
    assert_int_equal(policy_subscribe(&policy, "T", filter, 1, 50), POLICY_REFUSE);
    assert_int_equal(policy_subscribe(&policy, "op", filter, 1, 50), POLICY_ALLOW);
    assert_int_equal(policy_subscribe(&policy, "T", filter, 2, 0), POLICY_BAD_QOS);
    char longest[400];
    snprintf(longest, sizeof(longest), "$aws/things/T/shadow/name/%0230d", 0);
    assert_int_equal(strlen(longest), 256);
    assert_int_equal(subscribe(longest), POLICY_ALLOW);
    strcat(longest, "x");
    assert_int_equal(subscribe(longest), POLICY_REFUSE);
    assert_int_equal(subscribe("$aws/things/T/shadow/name/N/update/a/b"), POLICY_REFUSE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_connects_as_its_thing),
        cmocka_unit_test(test_a_device_publishes_its_own_requests_only),
        cmocka_unit_test(test_publishes_beyond_the_limits_end_the_connection),
        cmocka_unit_test(test_a_device_subscribes_to_its_own_answers_only),
        cmocka_unit_test(test_subscriptions_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
