/* The sandbox's policy: a device does its own thing's business and no other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sandbox/policy.h"

static const struct policy policy = {.operator_name = "op"};

static enum policy_verdict publish(const char *identity, const char *topic)
{
    return policy_publish(&policy, identity, topic);
}

static enum policy_verdict subscribe(const char *filter)
{
    return policy_subscribe(&policy, "T", filter);
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
        assert_int_equal(publish("T", forbidden[i]), POLICY_DISCONNECT);
        assert_int_equal(policy_publish(&soft, "T", forbidden[i]), POLICY_REFUSE);
        assert_int_equal(publish("op", forbidden[i]), POLICY_ALLOW);
    }
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

static void test_a_gateway_speaks_for_every_thing(void **state)
{
    (void)state;
    struct policy gateway = policy;
    gateway.any_thing = true;
    assert_int_equal(policy_publish(&gateway, "T", "$aws/things/U/shadow/update"), POLICY_ALLOW);
    assert_int_equal(policy_publish(&gateway, "T", "$aws/things/U/shadow/update/accepted"),
                     POLICY_DISCONNECT);
    assert_int_equal(policy_publish(&gateway, "T", "any/topic"), POLICY_DISCONNECT);
    assert_int_equal(policy_subscribe(&gateway, "T", "$aws/things/U/shadow/name/+/get/accepted"),
                     POLICY_ALLOW);
    assert_int_equal(policy_subscribe(&gateway, "T", "$aws/things/+/shadow/get/accepted"),
                     POLICY_REFUSE);
    assert_int_equal(policy_receive(&gateway, "T", "$aws/things/U/shadow/get/accepted"),
                     POLICY_ALLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_device_connects_as_its_thing),
        cmocka_unit_test(test_a_device_publishes_its_own_requests_only),
        cmocka_unit_test(test_a_device_subscribes_to_its_own_answers_only),
        cmocka_unit_test(test_a_gateway_speaks_for_every_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
