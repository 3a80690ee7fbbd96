/* The sandbox's gate: policy, limits and planned faults together, and what is counted of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tests/sandbox/account.h"

#define NOW_MS INT64_C(1700000000000)

static const struct account_peer device = {"T", "T"};
static const struct account_peer op = {"op", "op-17"};
static const char *const update = "$aws/things/T/shadow/update";

static int set_up(void **state)
{
    static struct account account;
    *state = &account;
    return account_init(&account, "op");
}

static int tear_down(void **state)
{
    account_clear(*state);
    return 0;
}

static enum policy_verdict publish(struct account *account, const struct account_peer *peer,
                                   const struct limits_publish *what)
{
    return account_publish(account, peer, what, NULL);
}

static void test_who_may_not_connect_is_counted(void **state)
{
    struct account *account = *state;
    const struct account_peer other = {"T", "U"};
    const struct account_peer nobody = {"", "U"};
    assert_int_equal(account_connect(account, &device, NOW_MS), POLICY_ALLOW);
    assert_int_equal(account_connect(account, &other, NOW_MS), POLICY_REFUSE);
    assert_int_equal(account_connect(account, &nobody, NOW_MS), POLICY_REFUSE);
    assert_int_equal(account_client(account, "T")->connects, 1);
    assert_int_equal(account_client(account, "U")->refused_connects, 2);
    assert_int_equal(account_client(account, "U")->limits_exceeded, 0);
    account_disconnect(account, &device);
    assert_int_equal(account_client(account, "T")->disconnects, 1);
}

static void test_connects_are_counted_and_refused_where_enforced(void **state)
{
    struct account *account = *state;
    assert_int_equal(account_connect(account, &device, NOW_MS), POLICY_ALLOW);
    assert_int_equal(account_connect(account, &device, NOW_MS), POLICY_ALLOW);
    account->limits.enforced[LIMIT_CONNECTS_PER_SEC] = true;
    assert_int_equal(account_connect(account, &device, NOW_MS), POLICY_REFUSE);
    assert_int_equal(account_client(account, "T")->limits_exceeded, 2);
    for (int i = 0; i < 3; i++)
        assert_int_equal(account_connect(account, &op, NOW_MS), POLICY_ALLOW);
    assert_int_equal(account_client(account, "op")->connects, 3);
    assert_int_equal(limits_total(&account->limits), 2);
}

static void test_publishes_are_judged_by_limits_and_policy(void **state)
{
    struct account *account = *state;
    const struct limits_publish good = {.topic = update, .size = 10, .qos = 1};
    const struct limits_publish retained = {.topic = update, .qos = 1, .retain = true};
    const struct limits_publish twice = {.topic = update, .qos = 2};
    const struct limits_publish foreign = {.topic = "$aws/things/U/shadow/update", .qos = 1};
    assert_int_equal(publish(account, &device, &good), POLICY_ALLOW);
    assert_int_equal(publish(account, &device, &retained), POLICY_DISCONNECT);
    assert_int_equal(publish(account, &device, &twice), POLICY_BAD_QOS);
    assert_int_equal(publish(account, &device, &foreign), POLICY_DISCONNECT);
    assert_int_equal(account_client(account, "T")->refused_publishes, 3);
    assert_int_equal(account_client(account, "T")->limits_exceeded, 2);
    assert_int_equal(publish(account, &op, &retained), POLICY_ALLOW);
    account->limits.enforced[LIMIT_RETAIN] = false;
    assert_int_equal(publish(account, &device, &retained), POLICY_ALLOW);
    assert_int_equal(account_client(account, "T")->limits_exceeded, 3);
}

static void test_a_planned_fault_does_not_strike_the_operator(void **state)
{
    struct account *account = *state;
    const struct fault fault = {
        .kind = FAULT_CLOSE, .count = 1, .operation = FAULT_EVERY_OPERATION};
    const struct limits_publish good = {.topic = update, .size = 10, .qos = 1};
    assert_int_equal(faults_plan(&account->faults, &fault), 0);
    assert_int_equal(publish(account, &op, &good), POLICY_ALLOW);
    assert_int_equal(publish(account, &device, &good), POLICY_DISCONNECT);
    assert_int_equal(limits_total(&account->limits), 0);
}

static void test_filters_are_judged_and_counted(void **state)
{
    struct account *account = *state;
    struct limits_filter filter = {
        .filter = "$aws/things/T/shadow/name/+/get/accepted", .qos = 1, .packet = 1};
    for (int i = 0; i < 9; i++)
        assert_int_equal(account_subscribe(account, &device, &filter),
                         i < 8 ? POLICY_ALLOW : POLICY_REFUSE);
    assert_int_equal(account_client(account, "T")->subscribed, 8);
    assert_int_equal(account_client(account, "T")->refused_subscriptions, 1);
    assert_int_equal(account_client(account, "T")->limits_exceeded, 1);
    filter.filter = "#";
    filter.packet = 2;
    assert_int_equal(account_subscribe(account, &device, &filter), POLICY_REFUSE);
    assert_int_equal(account_client(account, "T")->limits_exceeded, 1);
    assert_int_equal(account_subscribe(account, &op, &filter), POLICY_ALLOW);
}

static void test_deliveries_are_counted_for_who_gets_them(void **state)
{
    struct account *account = *state;
    const char *own = "$aws/things/T/shadow/get/accepted";
    assert_int_equal(account_deliver(account, &device, own, 100, NOW_MS), POLICY_ALLOW);
    assert_int_equal(
        account_deliver(account, &device, "$aws/things/U/shadow/get/accepted", 100, NOW_MS),
        POLICY_REFUSE);
    assert_int_equal(account_client(account, "T")->delivered, 1);
    assert_int_equal(account_client(account, "T")->delivered_bytes, 100);
    for (int i = 0; i < 200; i++)
        assert_int_equal(account_deliver(account, &op, own, 1, NOW_MS), POLICY_ALLOW);
    assert_int_equal(limits_total(&account->limits), 0); /* the operator has none */
}

static void test_more_shadows_than_the_tally_holds_are_not_counted_apart(void **state)
{
    (void)state;
    struct tally tally = {0};
    char name[16];
    for (int i = 0; i < TALLY_MAX; i++) {
        snprintf(name, sizeof(name), "%d", i);
        assert_non_null(tally_entry(&tally, "T", name));
    }
    assert_null(tally_entry(&tally, "T", "one more"));
    assert_non_null(tally_entry(&tally, "T", "7"));
    assert_int_equal(tally.count, TALLY_MAX);
    for (size_t i = 1; i < tally.count; i++)
        assert_true(strcmp(tally.entries[i - 1].key, tally.entries[i].key) < 0);
    tally_clear(&tally);
}

#define WITH_ACCOUNT(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_ACCOUNT(test_who_may_not_connect_is_counted),
        WITH_ACCOUNT(test_connects_are_counted_and_refused_where_enforced),
        WITH_ACCOUNT(test_publishes_are_judged_by_limits_and_policy),
        WITH_ACCOUNT(test_a_planned_fault_does_not_strike_the_operator),
        WITH_ACCOUNT(test_filters_are_judged_and_counted),
        WITH_ACCOUNT(test_deliveries_are_counted_for_who_gets_them),
        cmocka_unit_test(test_more_shadows_than_the_tally_holds_are_not_counted_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
