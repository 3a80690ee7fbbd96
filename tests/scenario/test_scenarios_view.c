/* What comes back: version order, gaps, deletions, unreadable documents, silence. Invariant: what
 * the daemon believes is what the cloud held at that version, and it never acts on less. */
#include "tests/scenario/scenario.h"

#include <string.h>

/* 110: no shadow yet: created by the first update, which carries no version. */
static void test_110_a_missing_shadow_is_created(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    assert_int_equal(sim->gets, 1);
    size_t op = sim_set(sim, "/a", "1");
    assert_null(json_object_get(sim->last_update, "version"));
    sim_run(sim, SIM_SECOND);
    assert_accepted(sim, op);
    assert_int_equal(sim->ops[op].version, 1);
    (void)sim_set(sim, "/a", "2");
    assert_int_equal(json_integer_value(json_object_get(sim->last_update, "version")), 1);
    scenario_end(sim);
}

/* 111: deleted in the cloud: the difference creates it again. */
static void test_111_a_deleted_shadow_is_created_again(void **state)
{
    (void)state;
    for (int bumps = 0; bumps < 2; bumps++) {
        struct sim_options options;
        sim_options_init(&options, 1);
        options.cloud.tombstone_bumps = bumps == 1;
        struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"x\":1}}");
        (void)sim_set(sim, "/a/b", "1");
        (void)sim_set(sim, "/o", "{}");
        (void)sim_unset(sim, "/q");
        sim_run(sim, 5 * SIM_SECOND);
        sim_delete(sim);
        sim_run(sim, 10 * SIM_SECOND);
        assert_reported(sim, "{\"a\":{\"b\":1},\"o\":{}}");
        assert_int_equal(sim->notices[THING_NOTICE_DELETED], 1);
        (void)sim_set(sim, "/a/b", "2");
        scenario_end(sim);
    }
}

/* 112: deleted while the link was away. */
static void test_112_a_shadow_deleted_while_away_is_created_again(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":1}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim_link_down(sim);
    sim_delete(sim);
    sim_run(sim, 5 * SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 113: a version is missing: wait for it half a second, then one get. */
static void test_113_a_gap_is_closed_by_one_get(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":0}}");
    size_t gets = sim->gets;
    sim->drop_answers = 1;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1}}}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"y\":1}}}");
    sim_run(sim, 450);
    assert_int_equal(sim->gets, gets);
    assert_int_equal(sim_status(sim).view, SHADOW_VIEW_GAP);
    sim_run(sim, 200);
    assert_int_equal(sim->gets, gets + 1);
    assert_int_equal(sim_status(sim).view, SHADOW_VIEW_PROVEN);
    assert_believed(sim, "{\"x\":1,\"y\":1}");
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim->gets, gets + 1);
    scenario_end(sim);
}

/* 114: the missing message comes in time: no get. */
static void test_114_messages_that_overtake_need_no_get(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":0}}");
    size_t gets = sim->gets;
    sim->hold_answer_ms = 300;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1,\"w\":1}}}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":2,\"y\":1}}}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":3,\"w\":null}}}");
    sim_run(sim, 100);
    assert_int_equal(sim_status(sim).view, SHADOW_VIEW_GAP);
    sim_run(sim, 900);
    assert_int_equal(sim->gets, gets);
    assert_believed(sim, "{\"x\":3,\"y\":1}");
    scenario_end(sim);
}

/* 115: the answer to a get replaces the view even if its version is lower. */
static void test_115_a_lower_version_replaces_the_view(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":1}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim_link_down(sim);
    sim_delete(sim);
    sim_forget(sim);
    assert_int_equal(sim_foreign(sim, "{\"state\":{\"reported\":{\"y\":2}}}"), 1);
    sim_run(sim, 5 * SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_reported(sim, "{\"a\":1,\"y\":2}");
    assert_believed(sim, "{\"a\":1,\"y\":2}");
    assert_int_equal(sim_status(sim).version, 2);
    scenario_end(sim);
}

/* 116: and a report that equals the old view is not answered from it. */
static void test_116_the_old_view_is_forgotten(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":1}}");
    sim_link_down(sim);
    sim_delete(sim);
    sim_forget(sim);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"y\":2}}}");
    sim_run(sim, 5 * SIM_MINUTE);
    sim_link_up(sim);
    size_t op = sim_set(sim, "/x", "1");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"x\":1,\"y\":2}");
    scenario_end(sim);
}

/* 117: an unreadable document never counts as empty: nothing is sent or claimed. */
static void view_expect_unreadable(const char *answer)
{
    struct sim *sim = scenario_new("{\"reported\":{\"a\":1,\"b\":2}}");
    sim->mangle_get = answer;
    sim_link_up(sim);
    size_t op = sim_set(sim, "/a", "1");
    (void)sim_unset(sim, "/b");
    sim_run(sim, 200);
    assert_int_equal(sim_status(sim).view, SHADOW_VIEW_UNREADABLE);
    assert_int_equal(sim->updates, 0);
    assert_waiting(sim, op);
    assert_true(sim->notices[THING_NOTICE_UNREADABLE] >= 1);
    sim_run(sim, 5 * SIM_MINUTE); /* it is asked again, later */
    assert_true(sim->notices[THING_NOTICE_READABLE] >= 1);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

static void test_117_an_unreadable_document_never_counts_as_empty(void **state)
{
    (void)state;
    view_expect_unreadable("{\"state\":{\"reported\":{\"a\":1e400}},\"version\":7,"
                           "\"timestamp\":1,\"clientToken\":\"%s\"}");
    char deep[4096] = "{\"state\":{\"reported\":{\"a\":";
    for (int i = 0; i < 500; i++)
        strcat(deep, "[");
    strcat(deep, "1");
    for (int i = 0; i < 500; i++)
        strcat(deep, "]");
    strcat(deep, "}},\"version\":7,\"timestamp\":1,\"clientToken\":\"%s\"}");
    view_expect_unreadable(deep);
}

/* 118: what is not JSON at all is not a document either. */
static void test_118_garbage_is_not_an_empty_document(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "no JSON %s",
        "[]",
        "{\"state\":[],\"version\":7,\"clientToken\":\"%s\"}",
        "{\"state\":{\"reported\":5},\"version\":7,\"clientToken\":\"%s\"}",
        "{\"version\":\"seven\",\"clientToken\":\"%s\"}",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct sim *sim = scenario_new("{\"reported\":{\"a\":1,\"b\":2}}");
        sim->mangle_get = answers[i];
        sim_link_up(sim);
        size_t op = sim_unset(sim, "/a");
        sim_run(sim, 200);
        assert_waiting(sim, op);
        assert_int_equal(sim->updates, 0);
        sim_run(sim, 10 * SIM_MINUTE);
        assert_accepted(sim, op);
        assert_reported(sim, "{\"b\":2}");
        scenario_end(sim);
    }
}

/* 119: an integer beyond 64 bits is read as a real and left alone. */
static void test_119_a_huge_integer_is_readable(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"a\":1,\"n\":1e19}}");
    sim->mangle_get = "{\"state\":{\"reported\":{\"a\":1,\"n\":10000000000000000000}},"
                      "\"version\":7,\"timestamp\":1,\"clientToken\":\"%s\"}";
    sim_link_up(sim);
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, 5 * SIM_SECOND);
    assert_reported(sim, "{\"a\":1,\"b\":1,\"n\":1e19}");
    assert_int_equal(sim->notices[THING_NOTICE_UNREADABLE], 0);
    scenario_end(sim);
}

/* 120: a document that became too deep for us by a foreign write is not emptied by it. */
static void test_120_a_foreign_write_that_is_too_deep_costs_nothing_else(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.max_depth = 0;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"x\":1}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    char payload[2048] = "{\"state\":{\"reported\":{\"deep\":";
    for (int i = 0; i < 45; i++)
        strcat(payload, "{\"k\":");
    strcat(payload, "1");
    for (int i = 0; i < 45; i++)
        strcat(payload, "}");
    strcat(payload, "}}}");
    assert_true(sim_foreign(sim, payload) > 0);
    sim_run(sim, SIM_MINUTE);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"deep\":null}}}");
    sim_run(sim, 2 * SIM_HOUR);
    size_t op = sim_set(sim, "/a", "2");
    sim_run(sim, 5 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":2,\"x\":1}");
    scenario_end(sim);
}

/* 121: a shadow that has heard nothing for RefreshSec is got once. */
static void test_121_silence_is_broken_once_per_refresh(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":0}}");
    size_t gets = sim->gets;
    sim_run(sim, 59 * SIM_MINUTE);
    assert_int_equal(sim->gets, gets);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_int_equal(sim->gets, gets + 1);
    sim_run(sim, 5 * SIM_HOUR);
    assert_int_equal(sim->gets, gets + 6);
    scenario_end(sim);
}

/* 122: so that a change whose message was lost is found within that time. */
static void test_122_a_lost_message_is_found_by_the_refresh(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":0}}");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    sim->drop_answers = 1;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":2}}}");
    sim_run(sim, SIM_HOUR + SIM_MINUTE);
    assert_reported(sim, "{\"a\":1,\"x\":0}");
    scenario_end(sim);
}

/* 123: messages on other topics are counted and dropped. */
static void test_123_unknown_messages_do_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    static const char *const topics[] = {
        "$aws/things/other/shadow/update/accepted",
        "$aws/things/sim/shadow/name/n/get/accepted",
        "$aws/things/sim/shadow/update",
        "",
        "a/b/c",
        "$aws/things/sim/shadow/update/accepted/x",
    };
    for (size_t i = 0; i < sizeof(topics) / sizeof(topics[0]); i++) {
        const char payload[] = "{\"state\":{\"reported\":{\"a\":5}},\"version\":8}";
        thing_receive(sim->thing, topics[i], payload, sizeof(payload) - 1, sim->now_ms);
    }
    struct thing_status status;
    thing_get_status(sim->thing, &status);
    assert_int_equal(status.unknown_messages, sizeof(topics) / sizeof(topics[0]));
    assert_believed(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 124: a subscription that is refused is said, and nothing is sent until it is granted. */
static void test_124_a_refused_subscription_is_said(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"a\":1}}");
    sim->suback_code = 0x87;
    sim_link_up(sim);
    (void)sim_set(sim, "/a", "2");
    sim_run(sim, 20 * SIM_SECOND);
    assert_true(sim->notices[THING_NOTICE_FILTER_REFUSED] >= 1);
    assert_int_equal(sim->gets + sim->updates, 0);
    sim->suback_code = 0;
    sim_run(sim, 2 * SIM_HOUR);
    assert_reported(sim, "{\"a\":2}");
    scenario_end(sim);
}

/* 125: a message that comes a second time, late, changes nothing. */
static void test_125_a_repeated_message_changes_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":0}}");
    size_t gets = sim->gets;
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1}}}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":2}}}");
    sim_run(sim, SIM_SECOND);
    sim_inject(sim, "update/accepted",
               "{\"state\":{\"reported\":{\"x\":1}},\"version\":8,\"timestamp\":1}");
    assert_believed(sim, "{\"x\":2}");
    assert_int_equal(sim_status(sim).version, 9);
    size_t op = sim_set(sim, "/x", "2");
    assert_accepted(sim, op);
    assert_int_equal(sim->ops[op].version, 9);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim->gets, gets);
    assert_int_equal(sim->updates, 0);
    scenario_end(sim);
}

/* 126: two days after a shadow was deleted its version begins anew: the same number may stand for
 * another document. A version held for so long proves nothing. */
static void test_126_a_version_of_days_ago_proves_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"h\":{\"y\":1}}}");
    sim_link_down(sim);
    sim_delete(sim);
    sim_run(sim, 49 * SIM_HOUR);
    sim_forget(sim);
    for (int i = 0; i < 7; i++)
        (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"h\":{\"x\":1}}}}");
    (void)sim_unset(sim, "/h");
    (void)sim_set(sim, "/h/z", "1");
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"h\":{\"z\":1}}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_110_a_missing_shadow_is_created),
              cmocka_unit_test(test_111_a_deleted_shadow_is_created_again),
              cmocka_unit_test(test_112_a_shadow_deleted_while_away_is_created_again),
              cmocka_unit_test(test_113_a_gap_is_closed_by_one_get),
              cmocka_unit_test(test_114_messages_that_overtake_need_no_get),
              cmocka_unit_test(test_115_a_lower_version_replaces_the_view),
              cmocka_unit_test(test_116_the_old_view_is_forgotten),
              cmocka_unit_test(test_117_an_unreadable_document_never_counts_as_empty),
              cmocka_unit_test(test_118_garbage_is_not_an_empty_document),
              cmocka_unit_test(test_119_a_huge_integer_is_readable),
              cmocka_unit_test(test_120_a_foreign_write_that_is_too_deep_costs_nothing_else),
              cmocka_unit_test(test_121_silence_is_broken_once_per_refresh),
              cmocka_unit_test(test_122_a_lost_message_is_found_by_the_refresh),
              cmocka_unit_test(test_123_unknown_messages_do_nothing),
              cmocka_unit_test(test_124_a_refused_subscription_is_said),
              cmocka_unit_test(test_125_a_repeated_message_changes_nothing),
              cmocka_unit_test(test_126_a_version_of_days_ago_proves_nothing))
