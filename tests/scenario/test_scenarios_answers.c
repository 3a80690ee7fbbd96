/* What programs are told: resent is not newer, unchanged is free when known, answers merge.
 * Invariant: an ACCEPTED at version N is true of version N, and every report is answered once; the
 * oracle checks each. */
#include "tests/scenario/scenario.h"

/* ---- resent is not newer ---- */

/* 60: its own property was set later. */
static void test_60_resent_does_not_overtake_a_newer_value(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    int64_t early_us = sim_take_us(sim);
    size_t newer = sim_set(sim, "/a", "2");
    size_t older = sim_resend(sim, "/a", "1", early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":2}");
    assert_accepted(sim, older);
    assert_accepted(sim, newer);
    scenario_end(sim);
}

/* 61: nor after the newer value has long been accepted. */
static void test_61_resent_does_not_overtake_an_accepted_value(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    int64_t early_us = sim_take_us(sim);
    (void)sim_set(sim, "/a", "2");
    sim_run(sim, 5 * SIM_SECOND);
    size_t older = sim_resend(sim, "/a", "1", early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, older);
    assert_reported(sim, "{\"a\":2}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 62: an ancestor was removed later. */
static void test_62_resent_does_not_bring_back_below_a_removed_ancestor(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":0}}}");
    int64_t early_us = sim_take_us(sim);
    (void)sim_unset(sim, "/a");
    size_t older = sim_resend(sim, "/a/b", "1", early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{}");
    assert_accepted(sim, older);
    scenario_end(sim);
}

/* 63: its own property was removed later, and that was accepted already. */
static void test_63_resent_does_not_bring_back_what_was_removed(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    int64_t early_us = sim_take_us(sim);
    (void)sim_unset(sim, "/a");
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{}");
    size_t older = sim_resend(sim, "/a", "1", early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{}");
    assert_accepted(sim, older);
    scenario_end(sim);
}

/* 64: an ancestor became a scalar later. */
static void test_64_resent_does_not_open_a_newer_scalar(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    int64_t early_us = sim_take_us(sim);
    (void)sim_set(sim, "/a", "5");
    size_t older = sim_resend(sim, "/a/b", "1", early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":5}");
    assert_accepted(sim, older);
    scenario_end(sim);
}

/* 65: something below was set later. */
static void test_65_resent_does_not_clear_newer_descendants(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    int64_t early_us = sim_take_us(sim);
    (void)sim_set(sim, "/a/b", "1");
    (void)sim_resend(sim, "/a", "5", early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":1}}");
    scenario_end(sim);
}

/* 66: the same where the scalar had been received and replaced before. */
static void test_66_a_replaced_scalar_sent_again_changes_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_new(NULL);
    (void)sim_set(sim, "/a", "5");
    (void)sim_set(sim, "/a/b", "1");
    sim_resend_report(sim, sim->ops[0].report);
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":1}}");
    scenario_end(sim);
}

/* 67: what nobody overtook counts, although it was sent again. */
static void test_67_resent_and_not_overtaken_counts(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    (void)sim_set(sim, "/a", "1");
    int64_t late_us = sim_take_us(sim);
    (void)sim_set(sim, "/b", "1");
    size_t op = sim_resend(sim, "/a", "2", late_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":2,\"b\":1}");
    scenario_end(sim);
}

/* 68: in one report each property is judged by itself. */
static void test_68_a_resent_report_is_judged_property_by_property(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    int64_t early_us = sim_take_us(sim);
    (void)sim_set(sim, "/a", "2");
    const struct sim_operation report[] = {{"/a", "1"}, {"/b", "1"}};
    size_t op = sim_resend_all(sim, report, 2, early_us);
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_accepted(sim, op + 1);
    assert_reported(sim, "{\"a\":2,\"b\":1}");
    scenario_end(sim);
}

/* ---- unchanged is free, when known ---- */

/* 70: equal to what the cloud is known to hold: ACCEPTED at once, nothing is sent. */
static void test_70_unchanged_is_free(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1,\"l\":[1,{\"k\":2}],\"o\":{\"p\":1}}}");
    const struct sim_operation same[] = {
        {"/a", "1"}, {"/l", "[1,{\"k\":2.0}]"}, {"/o", "{}"}, {"/q", NULL}, {"/o/r", NULL}};
    size_t op = sim_report(sim, same, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_accepted(sim, op + i);
        assert_int_equal(sim->ops[op + i].version, 7);
    }
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim->updates, 0);
    scenario_end(sim);
}

/* 71: while the link is down nothing is known. */
static void test_71_unchanged_waits_while_the_link_is_down(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    sim_link_down(sim);
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_MINUTE);
    assert_waiting(sim, op);
    sim_link_up(sim);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 72: nor before this connection has proved the view. */
static void test_72_unchanged_waits_until_the_view_is_proven(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    sim_link_down(sim);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":2}}}");
    sim_link_up(sim);
    size_t op = sim_set(sim, "/a", "1");
    assert_waiting(sim, op);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 73: not while an update in flight names the property. */
static void test_73_unchanged_waits_while_in_flight(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    sim->hold_answer_ms = 2 * SIM_SECOND;
    (void)sim_set(sim, "/a", "2");
    size_t op = sim_set(sim, "/a", "1");
    assert_waiting(sim, op);
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, op);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 74: nor while one is not settled. */
static void test_74_unchanged_waits_while_unsettled(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    sim->hold_request_ms = 10 * SIM_MINUTE;
    (void)sim_set(sim, "/a", "2");
    sim_run(sim, 20 * SIM_SECOND);
    size_t op = sim_set(sim, "/a", "1");
    assert_waiting(sim, op);
    sim_run(sim, 20 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 75: nor while a version is missing. */
static void test_75_unchanged_waits_while_a_gap_is_open(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    sim->drop_answers = 1;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":2}}}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":2}}}");
    sim_run(sim, 50);
    size_t op = sim_set(sim, "/a", "1");
    assert_waiting(sim, op);
    sim_run(sim, 20 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1,\"x\":2}");
    scenario_end(sim);
}

/* 76: nor when nothing was heard for longer than the keep-alive. */
static void test_76_unchanged_waits_when_the_link_has_been_silent(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    sim_run(sim, sim->options.thing.keep_alive_ms + SIM_SECOND);
    size_t op = sim_set(sim, "/a", "1");
    assert_waiting(sim, op);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 77: back to the accepted value before anything was sent: nothing to send. */
static void test_77_there_and_back_sends_nothing(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.burst = 1;
    options.thing.interval_ms = 10000;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":1}}");
    (void)sim_set(sim, "/b", "1"); /* takes the only token */
    sim_run(sim, SIM_SECOND);
    size_t there = sim_set(sim, "/a", "2");
    size_t back = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, there);
    assert_accepted(sim, back);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* ---- answers ---- */

/* 78: a thousand reports of few properties are all answered, each by a version that holds it or a
 * newer one. */
static void test_78_every_report_is_answered(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    char path[16], text[16];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(path, sizeof(path), "/k%d", i % 7);
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, path, text);
        sim_run(sim, 7);
    }
    sim_run(sim, 10 * SIM_SECOND);
    assert_int_equal(sim->waiting_count, 0);
    for (size_t i = 0; i < sim->op_count; i++)
        assert_accepted(sim, i);
    scenario_end(sim);
}

/* 79: versions of answers do not run ahead: the first of two updates answers only what it held. */
static void test_79_an_answer_covers_only_what_was_sent(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    sim->hold_answer_ms = 500;
    size_t first = sim_set(sim, "/a", "1");
    sim_run(sim, 100);
    size_t second = sim_set(sim, "/b", "1");
    size_t newer = sim_set(sim, "/a", "2");
    sim_run(sim, 425);
    assert_accepted(sim, first);
    assert_waiting(sim, second);
    assert_waiting(sim, newer);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, second);
    assert_accepted(sim, newer);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_60_resent_does_not_overtake_a_newer_value),
              cmocka_unit_test(test_61_resent_does_not_overtake_an_accepted_value),
              cmocka_unit_test(test_62_resent_does_not_bring_back_below_a_removed_ancestor),
              cmocka_unit_test(test_63_resent_does_not_bring_back_what_was_removed),
              cmocka_unit_test(test_64_resent_does_not_open_a_newer_scalar),
              cmocka_unit_test(test_65_resent_does_not_clear_newer_descendants),
              cmocka_unit_test(test_66_a_replaced_scalar_sent_again_changes_nothing),
              cmocka_unit_test(test_67_resent_and_not_overtaken_counts),
              cmocka_unit_test(test_68_a_resent_report_is_judged_property_by_property),
              cmocka_unit_test(test_70_unchanged_is_free),
              cmocka_unit_test(test_71_unchanged_waits_while_the_link_is_down),
              cmocka_unit_test(test_72_unchanged_waits_until_the_view_is_proven),
              cmocka_unit_test(test_73_unchanged_waits_while_in_flight),
              cmocka_unit_test(test_74_unchanged_waits_while_unsettled),
              cmocka_unit_test(test_75_unchanged_waits_while_a_gap_is_open),
              cmocka_unit_test(test_76_unchanged_waits_when_the_link_has_been_silent),
              cmocka_unit_test(test_77_there_and_back_sends_nothing),
              cmocka_unit_test(test_78_every_report_is_answered),
              cmocka_unit_test(test_79_an_answer_covers_only_what_was_sent))
