/* Never backwards: every update carries the version it was built on, one is in flight at a time,
 * and none is published twice. Invariant: whatever is lost, late or doubled, an older value never
 * replaces a newer one. The oracle checks the versions and tokens of every update. */
#include "tests/scenario/scenario.h"

#include <string.h>

/* 40: an update that comes when its time is over dies with 409. */
static void test_40_a_late_zombie_dies(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    sim->hold_request_ms = 30 * SIM_SECOND;
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    sim_link_down(sim);
    sim_run(sim, SIM_SECOND);
    (void)sim_set(sim, "/a", "2");
    sim_link_up(sim);
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":2}");
    sim_run(sim, 60 * SIM_SECOND);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 409), 1);
    assert_reported(sim, "{\"a\":2}");
    scenario_end(sim);
}

/* 41: no answer: a get settles it, nothing is published again. */
static void test_41_a_lost_answer_is_settled_by_a_get(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t gets = sim->gets;
    sim->drop_answers = 1;
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, op);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 1);
    assert_int_equal(sim->gets, gets + 1);
    scenario_end(sim);
}

/* 42: a lost update: the get shows the difference, which is sent as a new update. */
static void test_42_a_lost_update_is_sent_as_a_new_one(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t gets = sim->gets;
    sim->drop_requests = 1;
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 2);
    assert_int_equal(sim->gets, gets + 1);
    scenario_end(sim);
}

/* 43: the answer to an update that was given up comes after all: it counts. */
static void test_43_a_late_answer_counts(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.response_timeout_ms = 5000;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":0}}");
    sim->hold_answer_ms = 6 * SIM_SECOND;
    size_t op = sim_set(sim, "/a", "1");
    sim->drop_requests = 1; /* the get that would settle it */
    sim_run(sim, 5900);
    assert_waiting(sim, op);
    sim_run(sim, 300);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 44: 409 because a foreign write was missed: get, rebuild; the foreign write stays. */
static void test_44_a_conflict_is_rebuilt_after_a_get(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t gets = sim->gets;
    sim->drop_answers = 1;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1}}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1,\"x\":1}");
    assert_int_equal(sim->gets, gets + 1);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 409), 1);
    scenario_end(sim);
}

/* 45: 409 and the foreign message comes: that is enough, no get. */
static void test_45_a_conflict_is_rebuilt_on_the_newer_message(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t gets = sim->gets;
    sim->hold_request_ms = 300;
    size_t op = sim_set(sim, "/a", "1");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1}}}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1,\"x\":1}");
    assert_int_equal(sim->gets, gets);
    assert_int_equal(sim->updates, 2);
    scenario_end(sim);
}

/* 54: the 409 comes before the message of the foreign write: it is waited for, no get either. */
static void test_54_a_conflict_waits_for_the_newer_message(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t gets = sim->gets;
    sim->hold_answer_ms = 300;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1}}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 200);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 409), 1);
    assert_int_equal(sim->updates, 1);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim->gets, gets);
    assert_int_equal(sim->updates, 2);
    scenario_end(sim);
}

/* Somebody writes so often that every update of ours comes too late. */
static struct sim *order_contend(const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = 100;
    options.thing.burst = 50;
    options.faults.delay_min_ms = options.faults.delay_max_ms = 100;
    options.cloud.max_per_sec = 0;
    return scenario_up_with(&options, document);
}

static void order_write_often(struct sim *sim, int count)
{
    char payload[64];
    for (int i = 0; i < count; i++) {
        (void)snprintf(payload, sizeof(payload), "{\"state\":{\"reported\":{\"x\":%d}}}", i);
        (void)sim_foreign(sim, payload);
        sim_run(sim, 40);
    }
}

/* 55: against a writer that is always faster, one update without version gets through. */
static void test_55_contention_is_broken_without_a_version(void **state)
{
    (void)state;
    struct sim *sim = order_contend("{\"reported\":{\"a\":0}}");
    size_t op = sim_set(sim, "/a", "1");
    order_write_often(sim, 100);
    assert_accepted(sim, op);
    assert_int_equal(sim->versionless_updates, 1);
    assert_true(sim->updates <= 5);
    scenario_end(sim);
}

/* 56: but a cut waits: it must see what it cuts. */
static void test_56_contention_does_not_let_a_cut_go_blind(void **state)
{
    (void)state;
    struct sim *sim = order_contend("{\"reported\":{\"a\":{\"b\":0}}}");
    size_t op = sim_unset(sim, "/a");
    order_write_often(sim, 100);
    assert_waiting(sim, op);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->versionless_updates, 0);
    scenario_end(sim);
}

/* 46: after three 409s in a row an update may leave the version out, and gets through. */
static void test_46_three_conflicts_do_not_stop_it(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 3, 409);
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->updates, 4);
    assert_true(sim->versionless_updates <= 1);
    scenario_end(sim);
}

/* 47: but not one that carries a cut. */
static void test_47_a_cut_never_goes_without_version(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":1}}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 5, 409);
    size_t op = sim_unset(sim, "/a");
    sim_run(sim, 10 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->versionless_updates, 0);
    scenario_end(sim);
}

/* 48: an update that the network doubles is applied once; its 409 is nothing to worry about. */
static void test_48_a_doubled_update_is_applied_once(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.faults.repeat_requests = 100;
    options.faults.repeat_answers = 100;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":0}}");
    for (int i = 0; i < 10; i++) {
        (void)sim_set(sim, "/a", i % 2 == 0 ? "1" : "2");
        sim_run(sim, 3 * SIM_SECOND);
    }
    assert_reported(sim, "{\"a\":2}");
    assert_true(sim->updates <= 12);
    scenario_end(sim);
}

/* 49: one in flight; what changes meanwhile travels in the next, the newest only. */
static void test_49_one_in_flight_and_the_rest_together(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    sim->hold_answer_ms = 1800;
    char text[16];
    size_t first = sim->op_count;
    for (int i = 1; i <= 50; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, "/a", text);
        (void)sim_set(sim, i % 2 == 0 ? "/b" : "/c", text);
        sim_run(sim, 30);
    }
    assert_int_equal(sim->updates, 1);
    sim_run(sim, 10 * SIM_SECOND);
    assert_int_equal(sim->updates, 2);
    assert_reported(sim, "{\"a\":50,\"b\":50,\"c\":49}");
    assert_int_equal(sim->ops[first].version + 1, sim->ops[sim->op_count - 1].version);
    scenario_end(sim);
}

/* 50: cut with an answer lost: settled on the next connection, sent once. */
static void test_50_a_cut_link_with_a_lost_answer_is_settled(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 15); /* it is in the cloud, the answer is on its way */
    sim_link_down(sim);
    sim_run(sim, SIM_MINUTE);
    assert_waiting(sim, op);
    sim_link_up(sim);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim_version_now(sim), 8);
    scenario_end(sim);
}

/* 51: a new daemon does not take the late answers of the old one for its own. */
static void test_51_a_new_daemon_uses_new_tokens(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    sim->hold_request_ms = 20 * SIM_SECOND;
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    sim_restart(sim);
    size_t op = sim_set(sim, "/a", "2");
    sim_run(sim, SIM_SECOND);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":2}");
    scenario_end(sim);
}

/* 52: durable: a commit precedes the update, which carries only what that commit holds. */
static void test_52_disk_before_cloud(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.durable = true;
    options.commit_ms = 3000;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":0}}");
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_SECOND);
    assert_int_equal(sim->updates, 0);
    (void)sim_set(sim, "/b", "2");
    sim_run(sim, 2500);
    assert_int_equal(sim->updates, 1);
    assert_sent(sim, "{\"a\":1}");
    assert_accepted(sim, op);
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"b\":2}");
    assert_true(shadow_stored_revision(sim->shadow) >= shadow_newest_revision(sim->shadow));
    scenario_end(sim);
}

/* 53: messages overtake each other, over and over: the end is right. */
static void test_53_reordered_messages_end_right(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.faults.delay_max_ms = 2000;
    options.faults.repeat_answers = 30;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":0}}");
    char text[64];
    for (int i = 0; i < 60; i++) {
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_set(sim, i % 3 == 0 ? "/a" : "/b", text);
        (void)snprintf(text, sizeof(text), "{\"state\":{\"reported\":{\"x\":%d}}}", i);
        (void)sim_foreign(sim, text);
        sim_run(sim, 400);
    }
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":57,\"b\":59,\"x\":59}");
    assert_believed(sim, "{\"a\":57,\"b\":59,\"x\":59}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_40_a_late_zombie_dies),
              cmocka_unit_test(test_41_a_lost_answer_is_settled_by_a_get),
              cmocka_unit_test(test_42_a_lost_update_is_sent_as_a_new_one),
              cmocka_unit_test(test_43_a_late_answer_counts),
              cmocka_unit_test(test_44_a_conflict_is_rebuilt_after_a_get),
              cmocka_unit_test(test_45_a_conflict_is_rebuilt_on_the_newer_message),
              cmocka_unit_test(test_54_a_conflict_waits_for_the_newer_message),
              cmocka_unit_test(test_55_contention_is_broken_without_a_version),
              cmocka_unit_test(test_56_contention_does_not_let_a_cut_go_blind),
              cmocka_unit_test(test_46_three_conflicts_do_not_stop_it),
              cmocka_unit_test(test_47_a_cut_never_goes_without_version),
              cmocka_unit_test(test_48_a_doubled_update_is_applied_once),
              cmocka_unit_test(test_49_one_in_flight_and_the_rest_together),
              cmocka_unit_test(test_50_a_cut_link_with_a_lost_answer_is_settled),
              cmocka_unit_test(test_51_a_new_daemon_uses_new_tokens),
              cmocka_unit_test(test_52_disk_before_cloud),
              cmocka_unit_test(test_53_reordered_messages_end_right))
