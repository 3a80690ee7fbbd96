/* Operations, answers and other writers that cross each other. Each scenario is one that the
 * randomised one found first. Invariant: as everywhere, an answer is true of the version it names,
 * and the end is what the reports make. */
#include "tests/scenario/scenario.h"

/* 150: a cut is not done while the cloud still holds an old value where a new one is to come. */
static void test_150_a_cut_waits_for_what_replaces_the_old(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"h\":{\"i\":{\"j\":5}}}}");
    sim->drop_requests = 1; /* the update is lost: the view stays as it is */
    const struct sim_operation report[] = {{"/h", NULL}, {"/h/i/j", "[1,2]"}};
    size_t op = sim_report(sim, report, 2);
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, op);
    assert_waiting(sim, op + 1);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"h\":{\"i\":{\"j\":[1,2]}}}");
    scenario_end(sim);
}

/* 151: what was set below a scalar is not accepted because the scalar's cut is done. */
static void test_151_a_done_cut_does_not_answer_for_the_child(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.burst = 1;
    options.thing.interval_ms = 10000;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":{\"b\":{\"c\":{}}}}}");
    (void)sim_set(sim, "/e", "1"); /* takes the token */
    sim_run(sim, SIM_SECOND);
    (void)sim_set(sim, "/a", "1");
    size_t child = sim_set(sim, "/a/b/c", "2");
    (void)sim_unset(sim, "/a");
    assert_waiting(sim, child);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, child);
    assert_reported(sim, "{\"e\":1}");
    scenario_end(sim);
}

/* 152: after a deletion an answer does not name a version of the shadow's former life. */
static void test_152_versions_of_a_former_life_are_not_named(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    for (int i = 0; i < 5; i++) {
        (void)sim_set(sim, "/a", i % 2 == 0 ? "1" : "2");
        sim_run(sim, 2 * SIM_SECOND);
    }
    (void)sim_unset(sim, "/a");
    sim_run(sim, 2 * SIM_SECOND);
    int64_t former = sim_version_now(sim);
    sim_delete(sim);
    sim_forget(sim);
    sim_link_down(sim);
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"x\":1}}}");
    sim_run(sim, 5 * SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, 2 * SIM_MINUTE);
    size_t op = sim_unset(sim, "/a");
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_true(sim->ops[op].version < former);
    scenario_end(sim);
}

/* 153: a removal that an unsettled update names is settled without asking in circles. */
static void test_153_an_unsettled_removal_does_not_ask_in_circles(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"x\":1}}");
    sim->hold_request_ms = SIM_HOUR;
    (void)sim_set(sim, "/h/i/k", "1");
    sim_run(sim, SIM_SECOND);
    size_t gets = sim->gets;
    size_t op = sim_unset(sim, "/h/i/k");
    sim_run(sim, 5 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_true(sim->gets - gets <= 3);
    sim_run(sim, 2 * SIM_HOUR); /* the late one dies */
    assert_true(doc_is_hollow(doc_at(sim_reported(sim), "/h")));
    scenario_end(sim);
}

/* 154: an accepted between the 409s means that they are not in a row. */
static void test_154_an_accepted_ends_a_row_of_conflicts(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    for (int i = 0; i < 3; i++) {
        shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 2, 409);
        (void)sim_set(sim, "/a", i % 2 == 0 ? "1" : "2");
        sim_run(sim, SIM_MINUTE);
    }
    assert_int_equal(sim->versionless_updates, 0);
    scenario_end(sim);
}

/* 155: a resent value that was replaced from above waits for the replacement, not for something
 * newer below it. */
static void test_155_a_resent_value_waits_for_what_replaced_it(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":{\"b\":7}}}");
    sim_link_down(sim);
    int64_t early_us = sim_take_us(sim);
    (void)sim_set(sim, "/a", "[]");
    (void)sim_set(sim, "/a", "{}");
    (void)sim_unset(sim, "/a/b/c");
    (void)sim_set(sim, "/a/d", "1");
    size_t op = sim_resend(sim, "/a/b", "1", early_us);
    sim->drop_requests = 1; /* the first update */
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_waiting(sim, op);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_reported(sim, "{\"a\":{\"d\":1}}");
    scenario_end(sim);
}

/* 156: a scalar of ours that the cloud had accepted takes only itself away when something is set
 * below it: what others put in its place since counts as earlier and stays. */
static void test_156_an_accepted_scalar_takes_only_itself_away(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 5 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"x\":1}}}}");
    sim_run(sim, 100);
    (void)sim_set(sim, "/a/b", "2");
    sim_run(sim, 10 * SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"b\":2,\"x\":1}}");
    scenario_end(sim);
}

/* 157: the update that made the shadow carries no version; if it comes late after all and brings
 * back what was removed meanwhile, that is removed again. */
static void test_157_a_late_creation_is_cleaned_up(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    sim->hold_request_ms = 40 * SIM_SECOND;
    (void)sim_set(sim, "/a", "[]");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, 35 * SIM_SECOND); /* given up */
    (void)sim_unset(sim, "/a");
    sim_run(sim, 10 * SIM_MINUTE);
    assert_reported(sim, "{\"b\":1}");
    scenario_end(sim);
}

/* 158: a doubt about the view outlives the connection. */
static void test_158_a_doubt_outlives_the_connection(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.echo_null_section = false;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"g\":1}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_GET, 1, 429);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":null}}");
    sim_run(sim, 600);
    sim_link_down(sim);
    size_t same = sim_set(sim, "/g", "1");
    (void)sim_set(sim, "/h", "1");
    sim_run(sim, 10 * SIM_SECOND);
    sim_link_up(sim);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, same);
    assert_reported(sim, "{\"g\":1,\"h\":1}");
    scenario_end(sim);
}

/* 159: a removal sent again because its answer was lost does not take what others put there. */
static void test_159_a_repeated_removal_spares_what_came_since(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/e", "1");
    sim_run(sim, 5 * SIM_SECOND);
    (void)sim_set(sim, "/e/f", "3");
    (void)sim_unset(sim, "/e/f");
    sim->drop_answers = 1;
    sim_run(sim, 100);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"e\":{\"x\":1}}}}");
    sim_run(sim, 2 * SIM_MINUTE);
    assert_reported(sim, "{\"e\":{\"x\":1}}");
    scenario_end(sim);
}

/* 160: refused for its size, tried again when there was room, refused for its form: it stays
 * refused and is not tried like one that had been accepted. */
static void test_160_a_value_refused_twice_stays_refused(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":1}}");
    char payload[8192];
    (void)snprintf(payload, sizeof(payload), "{\"state\":{\"desired\":{\"d\":%s}}}",
                   scenario_string(6000));
    sim->drop_answers = 2;
    (void)sim_foreign(sim, payload);
    sim_run(sim, SIM_SECOND);
    sim->drop_answers = 0;
    size_t op = sim_set(sim, "/bad", scenario_string(3000));
    sim_run(sim, 5 * SIM_MINUTE);
    assert_rejected(sim, op);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    (void)sim_foreign(sim, "{\"state\":{\"desired\":{\"d\":1}}}");
    sim_run(sim, 5 * SIM_MINUTE);
    size_t updates = sim->updates;
    sim_run(sim, 5 * SIM_HOUR);
    assert_int_equal(sim->updates, updates);
    assert_int_equal(sim_status(sim).refused, 1);
    scenario_end(sim);
}

/* 161: the form in which the service stores a number is learnt from our own answer only. */
static void test_161_a_foreign_number_is_no_form_of_ours(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.cloud.normalise_numbers = true;
    struct sim *sim = scenario_up_with(&options, NULL);
    (void)sim_set(sim, "/t", "1.0");
    sim->hold_answer_ms = 50;
    sim_run(sim, 15);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"t\":7}}}");
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"t\":1}");
    scenario_end(sim);
}

/* 162: a resent scalar does not come back after something below it was set and removed again. */
static void test_162_a_resent_scalar_does_not_overtake_a_removed_child(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    int64_t early_us = sim_take_us(sim);
    (void)sim_set(sim, "/h/i/k", "1");
    sim_run(sim, 2 * SIM_SECOND);
    (void)sim_unset(sim, "/h/i/k");
    sim_run(sim, 2 * SIM_SECOND);
    size_t op = sim_resend(sim, "/h", "[]", early_us);
    sim_run(sim, 10 * SIM_SECOND);
    assert_accepted(sim, op);
    assert_true(doc_is_hollow(sim_reported(sim)));
    scenario_end(sim);
}

/* 163: too large for the service and by our count, though nothing of ours makes it larger: refused
 * like any other, and not sent for ever. */
static void test_163_a_full_shadow_is_not_asked_for_ever(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_document_bytes = 20;
    options.cloud.max_bytes = 20;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{\"a\":5,\"b\":\"0123456789\"}}");
    size_t op = sim_set(sim, "/a", "6");
    sim_run(sim, 5 * SIM_MINUTE);
    assert_rejected(sim, op);
    assert_true(sim->updates <= 3);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_150_a_cut_waits_for_what_replaces_the_old),
              cmocka_unit_test(test_151_a_done_cut_does_not_answer_for_the_child),
              cmocka_unit_test(test_152_versions_of_a_former_life_are_not_named),
              cmocka_unit_test(test_153_an_unsettled_removal_does_not_ask_in_circles),
              cmocka_unit_test(test_154_an_accepted_ends_a_row_of_conflicts),
              cmocka_unit_test(test_155_a_resent_value_waits_for_what_replaced_it),
              cmocka_unit_test(test_156_an_accepted_scalar_takes_only_itself_away),
              cmocka_unit_test(test_157_a_late_creation_is_cleaned_up),
              cmocka_unit_test(test_158_a_doubt_outlives_the_connection),
              cmocka_unit_test(test_159_a_repeated_removal_spares_what_came_since),
              cmocka_unit_test(test_160_a_value_refused_twice_stays_refused),
              cmocka_unit_test(test_161_a_foreign_number_is_no_form_of_ours),
              cmocka_unit_test(test_162_a_resent_scalar_does_not_overtake_a_removed_child),
              cmocka_unit_test(test_163_a_full_shadow_is_not_asked_for_ever))
