#include "proto/message.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
#include "tests/unit/message_fixture.h"
// clang-format on

static void test_watch_and_unwatch(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "WATCH");
    const struct flux_watch sent = {1, 9, flux_text("/led")};
    assert_int_equal(flux_watch_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_watch watch;
    assert_int_equal(flux_watch_decode(&fixture.frame, &watch), 0);
    assert_int_equal(watch.shadow, 1);
    assert_int_equal(watch.request_id, 9);
    assert_text(watch.path, "/led");

    take_golden(&fixture, "UNWATCH");
    assert_int_equal(flux_unwatch_encode(&fixture.writer, &(struct flux_unwatch){1, 9}), 0);
    assert_written(&fixture);
    struct flux_unwatch unwatch;
    assert_int_equal(flux_unwatch_decode(&fixture.frame, &unwatch), 0);
    assert_int_equal(unwatch.shadow, 1);
    assert_int_equal(unwatch.request_id, 9);
}

static void test_keys_and_forget(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "KEYS");
    const struct flux_keys asked = {1, 10, flux_text("/battery")};
    assert_int_equal(flux_keys_encode(&fixture.writer, &asked), 0);
    assert_written(&fixture);
    struct flux_keys keys;
    assert_int_equal(flux_keys_decode(&fixture.frame, &keys), 0);
    assert_int_equal(keys.shadow, 1);
    assert_int_equal(keys.request_id, 10);
    assert_text(keys.path, "/battery");

    take_golden(&fixture, "FORGET");
    const struct flux_forget sent = {1, 11, flux_text("/old")};
    assert_int_equal(flux_forget_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_forget forget;
    assert_int_equal(flux_forget_decode(&fixture.frame, &forget), 0);
    assert_int_equal(forget.shadow, 1);
    assert_int_equal(forget.request_id, 11);
    assert_text(forget.path, "/old");
}

static void test_reset_of_one_shadow_or_of_all(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "RESET");
    const struct flux_reset sent = {0, true, 12};
    assert_int_equal(flux_reset_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_reset reset;
    assert_int_equal(flux_reset_decode(&fixture.frame, &reset), 0);
    assert_int_equal(reset.shadow, 0);
    assert_int_equal(reset.request_id, 12);
    assert_true(reset.all);
    fixture.frame.flags = 0;
    assert_int_equal(flux_reset_decode(&fixture.frame, &reset), 0);
    assert_false(reset.all);
}

static void test_a_will_is_a_head_and_operations(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "WILL");
    struct flux_report_encoder encoder;
    struct flux_will will = {1, 13};
    const struct flux_value no = flux_value_bool(false);
    assert_int_equal(flux_will_begin(&encoder, &fixture.writer, 4096, &will), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/online", 7, &no), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/session", 8), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
    assert_written(&fixture);

    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_will_decode(&fixture.frame, &will, &operations), 0);
    assert_int_equal(will.shadow, 1);
    assert_int_equal(will.request_id, 13);
    assert_int_equal(flux_report_next(&operations, &change), 1);
    assert_int_equal(change.kind, FLUX_SET);
    assert_int_equal(flux_report_next(&operations, &change), 1);
    assert_int_equal(change.kind, FLUX_UNSET);
    assert_int_equal(flux_report_next(&operations, &change), 0);
}

static void test_a_will_keeps_to_the_frame_size(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "WILL");
    struct flux_report_encoder encoder;
    const struct flux_will will = {1, 13};
    const struct flux_value no = flux_value_bool(false);
    assert_int_equal(flux_will_begin(&encoder, &fixture.writer, 28, &will), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/online", 7, &no), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/s", 2), -EMSGSIZE);
    assert_int_equal(flux_report_end(&encoder), 0);
    assert_int_equal(fixture.writer.size, 28);
}

static void test_bye(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "BYE");
    assert_int_equal(flux_bye_encode(&fixture.writer), 0);
    assert_written(&fixture);
    assert_int_equal(flux_bye_decode(&fixture.frame), 0);
    fixture.frame.shadow = 1;
    assert_int_equal(flux_bye_decode(&fixture.frame), -EPROTO);
}

static void test_settling_and_replacing_are_operations(void **state)
{
    (void)state;
    struct fixture fixture;
    struct flux_report_encoder encoder;
    const struct flux_value on = flux_value_string("on", 2), one = flux_value_int64(1);
    take_golden(&fixture, "REPORT settle");
    struct flux_report report = {.request_id = 7, .level = FLUX_LEVEL_ACCEPTED};
    assert_int_equal(flux_report_begin(&encoder, &fixture.writer, 4096, &report), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/led", 4, &on), 0);
    assert_int_equal(flux_report_add_settle(&encoder, "/led", 4), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
    assert_written(&fixture);
    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_report_decode(&fixture.frame, &report, &operations), 0);
    assert_int_equal(flux_report_next(&operations, &change), 1);
    assert_int_equal(flux_report_next(&operations, &change), 1);
    assert_int_equal(change.kind, FLUX_SETTLE);
    assert_int_equal(change.value.type, FLUX_VALUE_NONE);

    take_golden(&fixture, "REPORT replace");
    report = (struct flux_report){.request_id = 8, .level = FLUX_LEVEL_QUEUED};
    assert_int_equal(flux_report_begin(&encoder, &fixture.writer, 4096, &report), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "", 0), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &one), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
    assert_written(&fixture);
}

static void test_an_answer_within_the_deadband(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "ANSWER deadband");
    const struct flux_answer sent = {0, FLUX_LEVEL_ACCEPTED, 14, 14, 42, true};
    assert_int_equal(flux_answer_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    struct flux_answer answer;
    assert_int_equal(flux_answer_decode(&fixture.frame, &answer), 0);
    assert_true(answer.deadband);
    fixture.golden[8] = FLUX_LEVEL_STORED;
    assert_int_equal(flux_answer_decode(&fixture.frame, &answer), -EPROTO);
}

static void test_desired_that_differs_or_no_longer(void **state)
{
    (void)state;
    struct fixture fixture;
    take_golden(&fixture, "DESIRED");
    const struct flux_desired sent = {
        .shadow = 1,
        .request_id = 9,
        .version = 17,
        .stale = true,
        .path = flux_text("/led"),
        .value = flux_value_string("on", 2),
    };
    assert_int_equal(flux_desired_encode(&fixture.writer, &sent), 0);
    assert_written(&fixture);
    assert_int_equal(fixture.writer.size, FLUX_DESIRED_OVERHEAD_BYTES + 4 + 4 + 2);
    struct flux_desired desired;
    assert_int_equal(flux_desired_decode(&fixture.frame, &desired), 0);
    assert_int_equal(desired.shadow, 1);
    assert_int_equal(desired.request_id, 9);
    assert_int_equal(desired.version, 17);
    assert_true(desired.stale);
    assert_text(desired.path, "/led");
    assert_true(flux_value_equal(&desired.value, &sent.value));

    take_golden(&fixture, "DESIRED met");
    const struct flux_desired met = {
        .shadow = 1, .request_id = 9, .version = 18, .path = flux_text("/led")};
    assert_int_equal(flux_desired_encode(&fixture.writer, &met), 0);
    assert_written(&fixture);
    assert_int_equal(flux_desired_decode(&fixture.frame, &desired), 0);
    assert_int_equal(desired.value.type, FLUX_VALUE_NONE);
    assert_false(desired.stale);
    assert_false(desired.complete);

    take_golden(&fixture, "DESIRED complete");
    const struct flux_desired complete = {
        .shadow = 1, .request_id = 9, .version = 18, .complete = true};
    assert_int_equal(flux_desired_encode(&fixture.writer, &complete), 0);
    assert_written(&fixture);
    assert_int_equal(flux_desired_decode(&fixture.frame, &desired), 0);
    assert_true(desired.complete);
}

static void test_a_wish_that_contradicts_its_flag_is_refused(void **state)
{
    (void)state;
    struct fixture fixture;
    struct flux_desired desired;
    take_golden(&fixture, "DESIRED");
    fixture.frame.flags = 0;
    assert_int_equal(flux_desired_decode(&fixture.frame, &desired), -EPROTO);
    take_golden(&fixture, "DESIRED met");
    fixture.frame.flags = FLUX_DESIRED_DIFFERS;
    assert_int_equal(flux_desired_decode(&fixture.frame, &desired), -EPROTO);
    fixture.frame.flags = FLUX_DESIRED_COMPLETE; /* it has a path */
    assert_int_equal(flux_desired_decode(&fixture.frame, &desired), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_watch_and_unwatch),
        cmocka_unit_test(test_keys_and_forget),
        cmocka_unit_test(test_reset_of_one_shadow_or_of_all),
        cmocka_unit_test(test_a_will_is_a_head_and_operations),
        cmocka_unit_test(test_a_will_keeps_to_the_frame_size),
        cmocka_unit_test(test_bye),
        cmocka_unit_test(test_settling_and_replacing_are_operations),
        cmocka_unit_test(test_an_answer_within_the_deadband),
        cmocka_unit_test(test_desired_that_differs_or_no_longer),
        cmocka_unit_test(test_a_wish_that_contradicts_its_flag_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
