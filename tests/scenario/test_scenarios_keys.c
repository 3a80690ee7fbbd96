/* Is my key in the cloud? What keys tells of a property, whatever state it is in. Invariant: every
 * property that a program has reported has an answer until it is gone from the cloud. */
#include "tests/scenario/life.h"

#include <string.h>

static struct sim *keys_up_with(const struct sim_options *options, const char *document)
{
    struct sim *sim = scenario_up_with(options, document);
    life_no_policies(sim);
    return sim;
}

static struct sim *keys_up(const char *document)
{
    struct sim_options options;
    sim_options_init(&options, 1);
    return keys_up_with(&options, document);
}

static void set_number(struct sim *sim, const char *path, int number)
{
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", number);
    assert_true(sim_set(sim, path, text) < SIZE_MAX);
}

/* 1: is my key in the cloud? Every state has an answer. */
static void test_01_keys_tell_where_a_value_stands(void **state)
{
    (void)state;
    struct sim *sim = keys_up("{\"reported\":{\"a\":0}}");
    life_policy(sim, "slow", (struct policy){.min_interval_ms = SIM_MINUTE});
    struct writer *writer = life_open(sim, "pump");
    sim_link_down(sim);
    (void)life_set(sim, writer, "/a", "1");
    life_assert_key(sim, "/a", "state", "\"queued\"");
    life_assert_key(sim, "/a", "held_by", "\"offline\"");
    life_assert_key(sim, "/a", "cloud", "0");
    sim_link_up(sim);
    sim_run(sim, 25); /* subscribed; the update is on its way */
    life_assert_key(sim, "/a", "state", "\"in_flight\"");
    sim_run(sim, 2 * SIM_SECOND);
    life_assert_key(sim, "/a", "state", "\"accepted\"");
    life_assert_key(sim, "/a", "version", "8");
    life_assert_key(sim, "/a", "cloud", "(absent)");
    life_assert_key(sim, "/a", "held_by", "(absent)");
    (void)life_set(sim, writer, "/slow", "1");
    sim_run(sim, 10 * SIM_SECOND);
    (void)life_set(sim, writer, "/slow", "2");
    life_assert_key(sim, "/slow", "state", "\"queued\"");
    life_assert_key(sim, "/slow", "held_by", "\"MinIntervalMs\"");
    life_assert_key(sim, "/slow", "held_until_ms_from_now", "50000");
    life_assert_key(sim, "/slow", "cloud", "1");
    life_assert_key(sim, "/slow", "reports_per_minute", "2");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":3}}}");
    life_assert_key(sim, "/a", "state", "\"accepted\"");
    sim_run(sim, 20);
    life_assert_key(sim, "/a", "state", "\"contested\"");
    life_assert_key(sim, "/a", "cloud", "3");
    (void)sim_unset(sim, "/a");
    life_assert_key(sim, "/a", "value", "null");
    sim_run(sim, SIM_SECOND);
    assert_null(life_key(sim, "/a"));
    scenario_end(sim);
}

/* 2: a refused value is shown with the reason, and what the cloud holds instead. */
static void test_02_keys_tell_why_a_value_was_refused(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.max_document_bytes = 20000;
    options.cloud.max_bytes = 300;
    struct sim *sim = keys_up_with(&options, "{\"reported\":{\"a\":1}}");
    (void)sim_set(sim, "/a", scenario_string(400));
    sim_run(sim, 20 * SIM_SECOND);
    life_assert_key(sim, "/a", "state", "\"refused\"");
    life_assert_key(sim, "/a", "code", "413");
    life_assert_key(sim, "/a", "cloud", "1");
    scenario_end(sim);
}

/* 3: where the bucket is empty, or the service said no, keys say until when. */
static void test_03_keys_tell_what_holds_a_value_back(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = SIM_MINUTE;
    options.thing.burst = 1;
    struct sim *sim = keys_up_with(&options, "{\"reported\":{}}");
    set_number(sim, "/a", 1);
    sim_run(sim, SIM_SECOND);
    set_number(sim, "/a", 2);
    life_assert_key(sim, "/a", "held_by", "\"budget\"");
    life_assert_key(sim, "/a", "held_until_ms_from_now", "59000");
    scenario_end(sim);
}

/* 4: keys tell that an answer to a wish is on its way. */
static void test_04_keys_tell_what_is_being_settled(void **state)
{
    (void)state;
    struct sim *sim = keys_up("{\"reported\":{},\"desired\":{\"led\":{\"on\":1}}}");
    sim_link_down(sim);
    set_number(sim, "/led/on", 1);
    set_number(sim, "/other", 1);
    life_assert_key(sim, "/led/on", "settling", "false");
    assert_true(sim_settle(sim, "/led", NULL) < SIZE_MAX);
    life_assert_key(sim, "/led/on", "settling", "true");
    life_assert_key(sim, "/other", "settling", "false");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    life_assert_key(sim, "/led/on", "settling", "false");
    scenario_end(sim);
}

/* 5: durable: stored is a state of its own. */
static void test_05_keys_tell_what_is_stored(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.durable = true;
    options.commit_ms = 100;
    struct sim *sim = keys_up_with(&options, "{\"reported\":{}}");
    sim_link_down(sim);
    set_number(sim, "/a", 1);
    life_assert_key(sim, "/a", "state", "\"queued\"");
    sim_run(sim, 200);
    life_assert_key(sim, "/a", "state", "\"queued\""); /* nobody has asked for a commit */
    shadow_ask_stored(sim->shadow, shadow_newest_revision(sim->shadow));
    sim_run(sim, 200);
    life_assert_key(sim, "/a", "state", "\"stored\"");
    set_number(sim, "/a", 2);
    life_assert_key(sim, "/a", "state", "\"queued\"");
    sim_link_up(sim);
    sim_run(sim, 5 * SIM_SECOND);
    life_assert_key(sim, "/a", "state", "\"accepted\"");
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_01_keys_tell_where_a_value_stands),
              cmocka_unit_test(test_02_keys_tell_why_a_value_was_refused),
              cmocka_unit_test(test_03_keys_tell_what_holds_a_value_back),
              cmocka_unit_test(test_04_keys_tell_what_is_being_settled),
              cmocka_unit_test(test_05_keys_tell_what_is_stored))
