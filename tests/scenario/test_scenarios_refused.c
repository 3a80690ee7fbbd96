/* Refused values and answers by their code. Invariant: one bad value never keeps a good one from
 * the cloud, and is never sent in circles. */
#include "tests/scenario/scenario.h"

/* ---- refused values ---- */

/* 85: the offender is REJECTED, the other properties of its report live on. */
static void test_85_only_the_offender_is_rejected(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    const struct sim_operation report[] = {{"/good", "1"}, {"/bad", "1"}, {"/fine", "2"}};
    size_t op = sim_report(sim, report, 3);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_rejected(sim, op + 1);
    assert_accepted(sim, op + 2);
    assert_int_equal(sim->ops[op + 1].code, 400);
    assert_string_equal(sim->ops[op + 1].refused_path, "/bad");
    assert_int_equal(sim_status(sim).refused, 1);
    assert_reported(sim, "{\"good\":1,\"fine\":2}");
    scenario_end(sim);
}

/* 86: a refused value is not tried again, however long and whatever else is reported. */
static void test_86_a_refused_value_is_not_tried_again(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    sim->allow_refusals = true;
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    (void)sim_set(sim, "/bad", "1");
    sim_run(sim, SIM_MINUTE);
    uint64_t rejected = shadow_service_rejected_with(sim->cloud, 400);
    for (int i = 0; i < 10; i++) {
        (void)sim_set(sim, "/good", i % 2 == 0 ? "1" : "2");
        sim_run(sim, SIM_HOUR / 2);
    }
    (void)sim_set(sim, "/bad", "1"); /* the very same again */
    sim_link_down(sim);
    sim_run(sim, SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 400), rejected);
    assert_int_equal(sim_status(sim).refused, 1);
    scenario_end(sim);
}

/* 87: a changed value is. */
static void test_87_a_changed_value_is_tried(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    (void)sim_set(sim, "/bad", "1");
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(shadow_service_poison(sim->cloud, NULL, 0), 0);
    size_t op = sim_set(sim, "/bad", "2");
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim_status(sim).refused, 0);
    assert_reported(sim, "{\"bad\":2}");
    scenario_end(sim);
}

/* 88: reports whose value the refused one had replaced are REJECTED with it. */
static void test_88_what_the_refused_value_replaced_is_rejected_too(void **state)
{
    (void)state;
    struct sim *sim = scenario_new(NULL);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    size_t first = sim_set(sim, "/bad", "1");
    size_t second = sim_set(sim, "/bad", "2");
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_rejected(sim, first);
    assert_rejected(sim, second);
    scenario_end(sim);
}

/* 89: a refused value leaves what the cloud holds alone, and an older accepted one stands. */
static void test_89_the_accepted_value_stands(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    (void)sim_set(sim, "/bad", "1");
    sim_run(sim, 5 * SIM_SECOND);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    (void)sim_set(sim, "/bad", "2");
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"bad\":1}");
    scenario_end(sim);
}

/* 90: a cut does its work even if what was set below it is refused: the old value goes. */
static void test_90_a_cut_outlives_a_refused_child(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"reported\":{\"a\":{\"k\":5,\"b\":6}}}");
    size_t cut = sim_unset(sim, "/a");
    size_t child = sim_set(sim, "/a/k", "[{\"bad\":1}]");
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_MINUTE);
    assert_accepted(sim, cut);
    assert_rejected(sim, child);
    assert_true(doc_is_hollow(sim_reported(sim)));
    scenario_end(sim);
}

/* ---- halving ---- */

static void refused_halve(int properties, int bad_first, int bad_last, int bound)
{
    struct sim *sim = scenario_up("{\"reported\":{}}");
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    struct sim_operation report[64];
    char paths[64][24];
    for (int i = 0; i < properties; i++) {
        bool bad = i >= bad_first && i <= bad_last;
        (void)snprintf(paths[i], sizeof(paths[i]), "/k%02d/%s", i, bad ? "bad" : "good");
        report[i] = (struct sim_operation){paths[i], "1"};
    }
    size_t before = sim->updates;
    size_t op = sim_report(sim, report, (size_t)properties);
    sim_run(sim, 10 * SIM_MINUTE);
    for (int i = 0; i < properties; i++) {
        if (i >= bad_first && i <= bad_last)
            assert_rejected(sim, op + (size_t)i);
        else
            assert_accepted(sim, op + (size_t)i);
    }
    assert_true(sim->updates - before <= (size_t)bound);
    scenario_end(sim);
}

/* 91: one offender of 32 stands alone after 2 log2(32) + 2 operations. */
static void test_91_halving_isolates_the_offender(void **state)
{
    (void)state;
    refused_halve(32, 0, 0, 12);
    refused_halve(32, 13, 13, 12);
    refused_halve(32, 31, 31, 12);
}

/* 92: two, within twice as many. */
static void test_92_halving_isolates_two_offenders(void **state)
{
    (void)state;
    refused_halve(32, 15, 16, 24);
}

/* 93: a property that stands alone is refused at once. */
static void test_93_a_lone_offender_costs_one_update(void **state)
{
    (void)state;
    static const int codes[] = {400, 415, 405, 418, 422};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct sim *sim = scenario_up("{\"reported\":{}}");
        shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 1, codes[i]);
        size_t op = sim_set(sim, "/a", "1");
        sim_run(sim, 5 * SIM_MINUTE);
        assert_rejected(sim, op);
        assert_int_equal(sim->ops[op].code, codes[i]);
        assert_int_equal(sim->updates, 1);
        assert_int_equal(sim->notices[THING_NOTICE_REFUSED], 1);
        scenario_end(sim);
    }
}

/* ---- slow down ---- */

/* 97: 429, 500, 503: back off and send the then-newest; nothing is refused. */
static void test_97_the_service_is_given_time(void **state)
{
    (void)state;
    static const int codes[] = {429, 500, 503};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
        shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 4, codes[i]);
        size_t first = sim_set(sim, "/a", "1");
        sim_run(sim, 30);
        size_t newest = sim_set(sim, "/a", "2");
        sim_run(sim, 10 * SIM_MINUTE);
        assert_accepted(sim, first);
        assert_accepted(sim, newest);
        assert_int_equal(sim->updates, 5);
        assert_true(sim->notices[THING_NOTICE_BACKOFF] > 0);
        assert_int_equal(sim_status(sim).refused, 0);
        scenario_end(sim);
    }
}

/* 98: the pauses grow: a service that is away for an hour is asked seldom. */
static void test_98_the_pauses_grow(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 1000000, 503);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_GET, 1000000, 503);
    size_t requests = sim->updates + sim->gets;
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, SIM_HOUR);
    assert_true(sim->updates + sim->gets - requests < 100);
    assert_waiting(sim, op);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 0, 0);
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_GET, 0, 0);
    sim_run(sim, 20 * SIM_MINUTE);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 99: 401, 403: everything is kept, the pause is long, the operator is told. */
static void test_99_forbidden_waits_long(void **state)
{
    (void)state;
    static const int codes[] = {401, 403};
    for (size_t i = 0; i < 2; i++) {
        struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
        shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 1, codes[i]);
        size_t op = sim_set(sim, "/a", "1");
        sim_run(sim, 20 * SIM_SECOND);
        assert_waiting(sim, op);
        assert_int_equal(sim->updates, 1);
        assert_true(sim->notices[THING_NOTICE_BACKOFF] > 0);
        sim_run(sim, 3 * SIM_HOUR);
        assert_accepted(sim, op);
        scenario_end(sim);
    }
}

/* 100: a rejection that names no token says nothing about our update. */
static void test_100_a_rejection_without_a_token_is_not_ours(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    sim->hold_answer_ms = 500;
    size_t op = sim_set(sim, "/a", "1");
    sim_inject(sim, "update/rejected", "{\"code\":400,\"message\":\"no\"}");
    sim_inject(sim, "update/rejected",
               "{\"code\":400,\"message\":\"no\",\"clientToken\":\"another\"}");
    sim_run(sim, 5 * SIM_SECOND);
    assert_accepted(sim, op);
    scenario_end(sim);
}

/* 101: a refusal that comes twice may be that of a copy on its way: the accepted of the other is
 * still ours. */
static void test_101_a_refusal_told_twice_does_not_disown_the_update(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"a\":0}}");
    sim->hold_answer_ms = 500;
    size_t op = sim_set(sim, "/a", "1");
    sim_run(sim, 50);
    char refusal[256];
    (void)snprintf(refusal, sizeof(refusal),
                   "{\"code\":503,\"message\":\"busy\",\"clientToken\":\"%s\"}", sim->flight_token);
    sim_inject(sim, "update/rejected", refusal);
    sim_inject(sim, "update/rejected", refusal);
    sim_run(sim, SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim_status(sim).updates_accepted, 1);
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_85_only_the_offender_is_rejected),
              cmocka_unit_test(test_86_a_refused_value_is_not_tried_again),
              cmocka_unit_test(test_87_a_changed_value_is_tried),
              cmocka_unit_test(test_88_what_the_refused_value_replaced_is_rejected_too),
              cmocka_unit_test(test_89_the_accepted_value_stands),
              cmocka_unit_test(test_90_a_cut_outlives_a_refused_child),
              cmocka_unit_test(test_91_halving_isolates_the_offender),
              cmocka_unit_test(test_92_halving_isolates_two_offenders),
              cmocka_unit_test(test_93_a_lone_offender_costs_one_update),
              cmocka_unit_test(test_97_the_service_is_given_time),
              cmocka_unit_test(test_98_the_pauses_grow),
              cmocka_unit_test(test_99_forbidden_waits_long),
              cmocka_unit_test(test_100_a_rejection_without_a_token_is_not_ours),
              cmocka_unit_test(test_101_a_refusal_told_twice_does_not_disown_the_update))
