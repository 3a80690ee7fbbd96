/* The life of a value and of its program: values that expire, programs that are gone,
 * programs that fight. Invariant: nothing is removed while its program is there and reports it, and
 * nothing that another program, or a later report, has set. */
#include "tests/scenario/life.h"

#include <string.h>

#define GONE_AFTER (10 * SIM_SECOND) /* the default */

static const struct policy expires = {.expire_ms = 30 * SIM_SECOND};
static const struct policy exits = {.unset_on_exit = true};

static struct sim *life_up(const char *document)
{
    struct sim *sim = scenario_up(document);
    life_no_policies(sim);
    return sim;
}

/* 1: a value that is not reported again for ExpireSec is removed then, and not before. */
static void test_01_a_value_not_reported_again_expires(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{\"keep\":1}}");
    life_policy(sim, "a", expires);
    oracle_vague(sim, "/a");
    (void)sim_set(sim, "/a", "5");
    (void)sim_set(sim, "/b", "5");
    sim_run(sim, 29 * SIM_SECOND);
    assert_reported(sim, "{\"a\":5,\"b\":5,\"keep\":1}");
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{\"b\":5,\"keep\":1}");
    assert_believed(sim, "{\"b\":5,\"keep\":1}");
    assert_int_equal(sim_status(sim).expired, 1);
    assert_null(life_key(sim, "/a"));
    scenario_end(sim);
}

/* 2: any report of it counts, an equal one too, which costs nothing. */
static void test_02_an_equal_report_keeps_a_value_alive(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a", expires);
    for (int i = 0; i < 20; i++) {
        assert_true(sim_set(sim, "/a", "5") < SIZE_MAX);
        sim_run(sim, 29 * SIM_SECOND);
        assert_reported(sim, "{\"a\":5}");
    }
    assert_int_equal(sim->updates, 1);
    oracle_vague(sim, "/a");
    sim_run(sim, 2 * SIM_SECOND);
    assert_reported(sim, "{}");
    scenario_end(sim);
}

/* 3: what expires offline is never sent, and what the cloud holds of it goes at once. */
static void test_03_a_value_that_expires_offline_is_not_sent(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{\"a\":1}}");
    life_policy(sim, "a", expires);
    oracle_vague(sim, "/a");
    sim_link_down(sim);
    (void)sim_set(sim, "/a", "2");
    sim_run(sim, SIM_MINUTE);
    assert_believed(sim, "{}");
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_sent(sim, "{\"a\":null}");
    assert_reported(sim, "{}");
    scenario_end(sim);
}

/* 4: a report made before the value expired, and sent again after, is newer than its end. */
static void test_04_a_late_report_outlives_the_end_of_an_older_value(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a", expires);
    oracle_vague(sim, "/a");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 20 * SIM_SECOND);
    int64_t made_us = sim_take_us(sim);
    sim_run(sim, 15 * SIM_SECOND);
    assert_reported(sim, "{}");
    (void)sim_resend(sim, "/a", "2", made_us);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":2}");
    sim_run(sim, 15 * SIM_SECOND); /* 31 s after it was made */
    assert_reported(sim, "{}");
    scenario_end(sim);
}

/* 5: an expired value is not ours any more: what another writer sets there stays. */
static void test_05_an_expired_property_is_given_up(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a", expires);
    oracle_vague(sim, "/a");
    (void)sim_set(sim, "/a", "1");
    sim_run(sim, 35 * SIM_SECOND);
    assert_reported(sim, "{}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":9}}}");
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":9}");
    scenario_end(sim);
}

/* 6: an empty object stays as long as something stands in it. */
static void test_06_an_object_in_use_does_not_expire(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a", expires);
    (void)sim_set(sim, "/a", "{}");
    (void)sim_set(sim, "/a/b", "1");
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":{\"c\":2}}}}");
    sim_run(sim, 10 * SIM_MINUTE);
    assert_reported(sim, "{\"a\":{\"b\":1,\"c\":2}}");
    scenario_end(sim);
}

/* 7: a refused value expires as well: it is not shown for ever. */
static void test_07_a_refused_value_expires(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_document_bytes = 20000;
    options.cloud.max_bytes = 300;
    struct sim *sim = scenario_up_with(&options, "{\"reported\":{}}");
    life_no_policies(sim);
    life_policy(sim, "a", expires);
    oracle_vague(sim, "/a");
    (void)sim_set(sim, "/a", scenario_string(400));
    sim_run(sim, 20 * SIM_SECOND);
    life_assert_key(sim, "/a", "state", "\"refused\"");
    sim_run(sim, 20 * SIM_SECOND);
    assert_null(life_key(sim, "/a"));
    scenario_end(sim);
}

/* 8: a program that stays away for GoneAfterMs takes along what it reported last under
 * OnExit=unset, and nothing else. */
static void test_08_a_gone_program_takes_its_values_along(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a.*", exits);
    oracle_vague(sim, "/a/one");
    struct writer *other = life_open(sim, "other");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/a/one", "1");
    (void)life_set(sim, writer, "/a/two", "1");
    (void)life_set(sim, writer, "/kept", "1");
    (void)life_set(sim, other, "/a/two", "2");
    sim_run(sim, SIM_SECOND);
    life_close(sim, writer, true);
    sim_run(sim, GONE_AFTER - 1);
    assert_reported(sim, "{\"a\":{\"one\":1,\"two\":2},\"kept\":1}");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":{\"two\":2},\"kept\":1}");
    assert_int_equal(sim_status(sim).exited, 1);
    assert_int_equal(sim->notices[THING_NOTICE_GONE], 1);
    scenario_end(sim);
}

/* 9: a program that is back in time has never been away. */
static void test_09_a_restart_within_the_time_is_invisible(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "**", exits);
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/a", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    for (int i = 0; i < 10; i++) {
        life_close(sim, writer, false);
        sim_run(sim, GONE_AFTER - 1);
        assert_ptr_equal(life_open(sim, "pump"), writer);
        sim_run(sim, SIM_SECOND);
    }
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":1}");
    assert_int_equal(sim->updates, 1);
    scenario_end(sim);
}

/* 10: the last of several connections of a program counts. */
static void test_10_one_of_two_connections_may_end(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "**", exits);
    struct writer *writer = life_open(sim, "pump");
    assert_ptr_equal(life_open(sim, "pump"), writer);
    (void)life_set(sim, writer, "/a", "1");
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"a\":1}");
    oracle_vague(sim, "/a");
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{}");
    scenario_end(sim);
}

/* 11: two programs that alternate on one property are named once in ten minutes. */
static void test_11_programs_that_fight_are_named(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    struct writer *one = life_open(sim, "one");
    struct writer *two = life_open(sim, "two");
    for (int i = 0; i < 4; i++) {
        (void)life_set(sim, i % 2 ? two : one, "/a", i % 2 ? "2" : "1");
        sim_run(sim, 5 * SIM_SECOND);
    }
    assert_int_equal(sim->notices[THING_NOTICE_RIVALRY], 0); /* three changes */
    for (int i = 0; i < 100; i++) {
        (void)life_set(sim, i % 2 ? two : one, "/a", i % 2 ? "2" : "1");
        sim_run(sim, 5 * SIM_SECOND);
    }
    assert_int_equal(sim->notices[THING_NOTICE_RIVALRY], 1);
    for (int i = 0; i < 100; i++) {
        (void)life_set(sim, i % 2 ? two : one, "/a", i % 2 ? "2" : "1");
        sim_run(sim, 5 * SIM_SECOND);
    }
    assert_int_equal(sim->notices[THING_NOTICE_RIVALRY], 2);
    scenario_end(sim);
}

/* 12: taking turns slowly, or each on its own property, is no fight. */
static void test_12_programs_that_take_turns_are_left_alone(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    struct writer *one = life_open(sim, "one");
    struct writer *two = life_open(sim, "two");
    for (int i = 0; i < 30; i++) {
        (void)life_set(sim, i % 2 ? two : one, "/a", i % 2 ? "2" : "1");
        for (int j = 0; j < 10; j++) {
            (void)life_set(sim, one, "/b", j % 2 ? "2" : "1");
            (void)life_set(sim, two, "/c", j % 2 ? "2" : "1");
        }
        sim_run(sim, 21 * SIM_SECOND);
    }
    assert_int_equal(sim->notices[THING_NOTICE_RIVALRY], 0);
    scenario_end(sim);
}

/* 13: an ExpireSec that comes, changes or goes with a reload counts for what is held already. */
static void test_13_a_reload_changes_the_time_that_is_left(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/b", "1");
    sim_run(sim, 20 * SIM_SECOND);
    life_policy(sim, "*", expires);
    sim_run(sim, 5 * SIM_SECOND);
    life_no_policies(sim);
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"a\":1,\"b\":1}");
    oracle_vague(sim, "/b");
    life_policy(sim, "b", expires);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"a\":1}");
    scenario_end(sim);
}

/* 14: ten thousand programs that come, report and go leave no books behind. */
static void test_14_programs_that_come_and_go_are_forgotten(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    char name[32];
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(name, sizeof(name), "p%d", i);
        struct writer *writer = life_open(sim, name);
        (void)life_set(sim, writer, "/a", i % 2 ? "1" : "2");
        life_close(sim, writer, false);
        if (i % 100 == 0)
            sim_run(sim, SIM_SECOND);
    }
    struct writer *writer = life_open(sim, "last");
    (void)life_set(sim, writer, "/a", "3");
    life_assert_key(sim, "/a", "writer",
                    "{\"name\":\"last\",\"uid\":1000,\"unit\":\"app.service\",\"connected\":true,"
                    "\"reports_per_minute\":1}");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_a_value_not_reported_again_expires),
              cmocka_unit_test(test_02_an_equal_report_keeps_a_value_alive),
              cmocka_unit_test(test_03_a_value_that_expires_offline_is_not_sent),
              cmocka_unit_test(test_04_a_late_report_outlives_the_end_of_an_older_value),
              cmocka_unit_test(test_05_an_expired_property_is_given_up),
              cmocka_unit_test(test_06_an_object_in_use_does_not_expire),
              cmocka_unit_test(test_07_a_refused_value_expires),
              cmocka_unit_test(test_08_a_gone_program_takes_its_values_along),
              cmocka_unit_test(test_09_a_restart_within_the_time_is_invisible),
              cmocka_unit_test(test_10_one_of_two_connections_may_end),
              cmocka_unit_test(test_11_programs_that_fight_are_named),
              cmocka_unit_test(test_12_programs_that_take_turns_are_left_alone),
              cmocka_unit_test(test_13_a_reload_changes_the_time_that_is_left),
              cmocka_unit_test(test_14_programs_that_come_and_go_are_forgotten))
