/* Last wills, and what else becomes of a program's values when it is gone. Invariant: a will is
 * reported once, when its program ended without a word and stayed away, and has the last word. */
#include "tests/scenario/life.h"

#include <string.h>

#define GONE_AFTER (10 * SIM_SECOND) /* the default */

static const struct policy exits = {.unset_on_exit = true};

static struct sim *life_up(const char *document)
{
    struct sim *sim = scenario_up(document);
    life_no_policies(sim);
    return sim;
}

/* 1: the will of a program that ended without a word is reported when it is gone, once. */
static void test_01_a_will_is_reported_when_its_program_is_gone(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    oracle_vague(sim, "/state");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":1}");
    life_close(sim, writer, false);
    sim_run(sim, GONE_AFTER - 1);
    assert_reported(sim, "{\"state\":1}");
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"state\":0}");
    assert_int_equal(sim->notices[THING_NOTICE_GONE], 1);
    writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "2");
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":2}"); /* it was reported and is done with */
    scenario_end(sim);
}

/* 2: a clean end drops the will; so does setting none. */
static void test_02_a_clean_end_drops_the_will(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    life_close(sim, writer, true);
    sim_run(sim, SIM_MINUTE);
    writer = life_open(sim, "pump");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    assert_int_equal(thing_writer_will(sim->thing, writer, sim->shadow, NULL, 0, NULL), 0);
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":1}");
    scenario_end(sim);
}

/* 3: a later will replaces the one before; a bad one is refused at once and leaves it. */
static void test_03_a_bad_will_is_refused_at_once(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    oracle_vague(sim, "/state");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    assert_int_equal(life_will(sim, writer, "/state", 7, NULL), 0);
    assert_int_equal(life_will(sim, writer, "/state", 8, NULL), 0);
    struct shadow_refusal refusal = {0};
    assert_int_equal(life_will(sim, writer, "/a/b/c/d/e/f/g/h/i", 9, &refusal),
                     SHADOW_REPORT_REFUSED);
    assert_int_equal(refusal.code, 400);
    assert_true(refusal.text[0] != '\0');
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"state\":8}");
    scenario_end(sim);
}

/* 4: the will has the last word, also where OnExit removes what the program reported. */
static void test_04_a_will_outlives_what_goes_with_its_program(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "**", exits);
    oracle_vague(sim, "/state");
    oracle_vague(sim, "/a");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/state", "1");
    (void)life_set(sim, writer, "/a", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    sim_run(sim, SIM_SECOND);
    life_close(sim, writer, false);
    sim_run(sim, SIM_HOUR);
    assert_reported(sim, "{\"state\":0}");
    scenario_end(sim);
}

/* 5: a program that is gone while the link is down: its end arrives with the link. */
static void test_05_a_program_that_is_gone_offline(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    life_policy(sim, "a", exits);
    oracle_vague(sim, "/a");
    oracle_vague(sim, "/state");
    struct writer *writer = life_open(sim, "pump");
    (void)life_set(sim, writer, "/a", "1");
    assert_int_equal(life_will(sim, writer, "/state", 0, NULL), 0);
    sim_run(sim, SIM_SECOND);
    sim_link_down(sim);
    life_close(sim, writer, false);
    sim_run(sim, SIM_MINUTE);
    assert_believed(sim, "{\"state\":0}");
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_reported(sim, "{\"state\":0}");
    scenario_end(sim);
}

/* 6: several programs are gone at the same time, with values and wills in several shadows. */
static void test_06_programs_are_gone_together_in_several_shadows(void **state)
{
    (void)state;
    struct sim *sim = life_up("{\"reported\":{}}");
    struct sim *named = sim_open(sim, NULL, "config");
    sim_run(sim, 2 * SIM_SECOND);
    life_policy(sim, "**", exits);
    oracle_vague(sim, "/one");
    oracle_vague(sim, "/two");
    oracle_vague(named, "/two");
    oracle_vague(named, "/will");
    struct writer *one = life_open(sim, "one");
    struct writer *two = life_open(sim, "two");
    struct writer *stays = life_open(sim, "stays");
    (void)life_set(sim, one, "/one", "1");
    (void)life_set(sim, two, "/two", "1");
    (void)sim_set(named, "/two", "1");
    (void)life_set(sim, stays, "/three", "1");
    (void)sim_set(named, "/three", "1");
    assert_int_equal(life_will(named, one, "/will", 1, NULL), 0);
    sim_run(sim, 5 * SIM_SECOND);
    life_close(sim, one, false);
    life_close(sim, two, false);
    sim_run(sim, SIM_MINUTE);
    assert_reported(sim, "{\"three\":1}");
    assert_reported(named, "{\"three\":1,\"will\":1}");
    assert_int_equal(sim->notices[THING_NOTICE_GONE], 2);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_a_will_is_reported_when_its_program_is_gone),
              cmocka_unit_test(test_02_a_clean_end_drops_the_will),
              cmocka_unit_test(test_03_a_bad_will_is_refused_at_once),
              cmocka_unit_test(test_04_a_will_outlives_what_goes_with_its_program),
              cmocka_unit_test(test_05_a_program_that_is_gone_offline),
              cmocka_unit_test(test_06_programs_are_gone_together_in_several_shadows))
