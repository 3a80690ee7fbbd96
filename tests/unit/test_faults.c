/* Planned faults: whom they strike and how often. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/sandbox/faults.h"

static const struct fault_target classic = {.thing = "T", .name = "", .operation = 1};
static const struct fault_target named = {.thing = "T", .name = "N", .operation = 0};
static const struct fault_target other = {.operation = FAULT_EVERY_OPERATION};

static struct fault any(enum fault_kind kind, unsigned count)
{
    return (struct fault){.kind = kind, .count = count, .operation = FAULT_EVERY_OPERATION};
}

static void test_a_fault_strikes_as_often_as_planned(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct fault fault = any(FAULT_LOSE, 2);
    assert_int_equal(faults_plan(&faults, &fault), 0);
    assert_false(faults_strike(&faults, FAULT_CLOSE, &classic, NULL));
    assert_true(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
    assert_true(faults_strike(&faults, FAULT_LOSE, &other, NULL));
    assert_false(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
    fault.count = FAULT_ALWAYS;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    for (int i = 0; i < 10; i++)
        assert_true(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
    assert_int_equal(faults_left(&faults, FAULT_LOSE), FAULT_ALWAYS);
    fault.count = 0;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    assert_int_equal(faults.count, 0);
    assert_false(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
}

static void test_planning_again_replaces(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct fault fault = any(FAULT_REJECT, 5);
    struct fault struck;
    fault.operation = 1;
    fault.code = 429;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    fault.count = 1;
    fault.code = 500;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    assert_int_equal(faults_left(&faults, FAULT_REJECT), 1);
    fault.thing = "T";
    fault.code = 503;
    assert_int_equal(faults_plan(&faults, &fault), 0); /* of one thing: another fault */
    assert_int_equal(faults_left(&faults, FAULT_REJECT), 2);
    assert_true(faults_strike(&faults, FAULT_REJECT, &classic, &struck));
    assert_int_equal(struck.code, 500);
    assert_true(faults_strike(&faults, FAULT_REJECT, &classic, &struck));
    assert_int_equal(struck.code, 503);
    assert_false(faults_strike(&faults, FAULT_REJECT, &classic, &struck));
}

static void test_a_fault_strikes_whom_it_means(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct fault fault = any(FAULT_LOSE, FAULT_ALWAYS);
    fault.thing = "T";
    fault.name = "";
    assert_int_equal(faults_plan(&faults, &fault), 0);
    assert_true(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
    assert_false(faults_strike(&faults, FAULT_LOSE, &named, NULL));
    assert_false(faults_strike(&faults, FAULT_LOSE, &other, NULL));
    faults_clear(&faults);
    fault.name = NULL;
    fault.operation = 0;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    assert_false(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
    assert_true(faults_strike(&faults, FAULT_LOSE, &named, NULL));
    faults_clear(&faults);
    fault = any(FAULT_LOSE, FAULT_ALWAYS);
    fault.key = "k";
    assert_int_equal(faults_plan(&faults, &fault), 0);
    struct fault_target target = classic;
    assert_false(faults_strike(&faults, FAULT_LOSE, &target, NULL));
    target.payload = "{\"kk\":\"k\",\"k\"\t:1}";
    target.size = 8;
    assert_false(faults_strike(&faults, FAULT_LOSE, &target, NULL));
    target.size = strlen(target.payload);
    assert_true(faults_strike(&faults, FAULT_LOSE, &target, NULL));
    faults_clear(&faults);
}

static void test_a_percentage_strikes_now_and_then(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct fault fault = any(FAULT_LOSE, FAULT_ALWAYS);
    unsigned struck = 0;
    fault.percent = 5;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    for (int i = 0; i < 10000; i++)
        struck += faults_strike(&faults, FAULT_LOSE, &classic, NULL);
    assert_in_range(struck, 400, 600);
    fault.percent = 100;
    assert_int_equal(faults_plan(&faults, &fault), 0);
    assert_int_equal(faults.count, 1);
    assert_true(faults_strike(&faults, FAULT_LOSE, &classic, NULL));
    faults_clear(&faults);
}

static void test_patterns(void **state)
{
    (void)state;
    assert_true(fault_pattern_matches("*", ""));
    assert_true(fault_pattern_matches("a+b", "a+b"));
    assert_true(fault_pattern_matches("*/name/+/*", "$aws/things/T/shadow/name/+/get/accepted"));
    assert_true(fault_pattern_matches("*ab*ab", "xabxaab"));
    assert_true(fault_pattern_matches("a**", "a"));
    assert_false(fault_pattern_matches("", "a"));
    assert_false(fault_pattern_matches("a", ""));
    assert_false(fault_pattern_matches("*ab", "xabx"));
    assert_false(fault_pattern_matches("a*b*c", "abbb"));
}

static void test_plans_are_bounded(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct fault fault = any(FAULT_CLOSE, 1);
    char key[16];
    fault.key = key;
    for (int i = 0; i < FAULTS_MAX; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(faults_plan(&faults, &fault), 0);
    }
    snprintf(key, sizeof(key), "one more");
    assert_int_equal(faults_plan(&faults, &fault), -ENOSPC);
    snprintf(key, sizeof(key), "k3");
    assert_int_equal(faults_plan(&faults, &fault), 0);
    faults_clear(&faults);
    assert_int_equal(faults.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fault_strikes_as_often_as_planned),
        cmocka_unit_test(test_planning_again_replaces),
        cmocka_unit_test(test_a_fault_strikes_whom_it_means),
        cmocka_unit_test(test_a_percentage_strikes_now_and_then),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_plans_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
