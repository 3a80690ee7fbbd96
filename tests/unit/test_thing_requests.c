#include "daemon/shadow/policies.h"
#include "daemon/shadow/thing_private.h"
#include "tests/unit/thing_world.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const extra[] = {"gw-*"};

static struct thing_options quick(void)
{
    struct thing_options options;
    thing_options_init(&options);
    options.name = "dev";
    options.instance_id = 7;
    options.extra = extra;
    options.extra_count = 1;
    options.interval_ms = 1000;
    options.burst = 10;
    options.max_shadows = 300;
    options.messages_per_sec = 10000;
    options.daily_operations = 0;
    return options;
}

/* Open shadows of a thing and bring them to where updates can go at once. */
static void open_many(struct world *world, const char *thing_name, size_t count,
                      struct shadow **ret_shadows)
{
    for (size_t i = 0; i < count; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%zu", i);
        ret_shadows[i] = world_open(world, thing_name, name);
    }
}

static void test_no_more_than_ten_of_a_thing_are_in_flight(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[15], *others[2];
    world_begin(&world, &options);
    open_many(&world, NULL, 15, shadows);
    open_many(&world, "gw-1", 2, others);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 5000);
    for (size_t i = 0; i < 15; i++)
        world_report(&world, shadows[i], "/a", 1);
    assert_int_equal(world_take_all(&world), 10);
    world_report(&world, others[0], "/a", 1); /* another thing has a budget of its own */
    assert_int_equal(world_take_all(&world), 1);
    world_answer(&world);
    assert_int_equal(world_take_all(&world), 1);
    world_run(&world, 1000);
    assert_true(thing_is_settled(world.thing));
    world_end(&world);
}

static void test_no_more_than_four_gets_are_in_flight(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[9], *others[9];
    world_begin(&world, &options);
    open_many(&world, NULL, 9, shadows);
    open_many(&world, "gw-1", 9, others);
    thing_link_up(world.thing, world.now_ms);
    assert_int_equal(world_take_all(&world), 4);
    assert_int_equal(thing_deadline(world.thing, world.now_ms),
                     world.now_ms + options.response_timeout_ms); /* only answers help */
    world_answer(&world);
    assert_int_equal(world_take_all(&world), 1);
    world_run(&world, 2000);
    assert_int_equal(world.gets, 19);
    world_end(&world);
}

static void test_gets_of_others_do_not_hold_back_updates(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[6];
    world_begin(&world, &options);
    struct shadow *classic = world_open(&world, NULL, NULL);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 1000);
    open_many(&world, "gw-1", 6, shadows);
    assert_int_equal(world_take_all(&world), 4);
    world_report(&world, classic, "/a", 1);
    assert_int_equal(world_take_all(&world), 1);
    assert_string_equal(world.last_topic, "$aws/things/dev/shadow/update");
    world_end(&world);
}

static void test_every_shadow_gets_its_turn(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[20];
    options.messages_per_sec = 12; /* about three updates a second */
    options.interval_ms = 1;
    world_begin(&world, &options);
    open_many(&world, NULL, 20, shadows);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 60000);
    size_t before = world.updates;
    for (int64_t value = 0; value < 300; value++) { /* all of them all the time */
        for (size_t i = 0; i < 20; i++)
            world_report(&world, shadows[i], "/a", value);
        world_run(&world, 100);
    }
    size_t least = SIZE_MAX, most = 0;
    for (size_t i = 0; i < 20; i++) {
        struct shadow_status status;
        shadow_get_status(shadows[i], &status);
        least = status.updates_sent < least ? (size_t)status.updates_sent : least;
        most = status.updates_sent > most ? (size_t)status.updates_sent : most;
    }
    assert_true(world.updates - before > 60);
    assert_true(most - least <= 1);
    world_end(&world);
}

static void test_messages_are_charged_with_their_answers(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[30];
    options.messages_per_sec = 40; /* ten at once, the rest evenly */
    world_begin(&world, &options);
    open_many(&world, NULL, 9, shadows);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 20000);
    for (size_t i = 0; i < 9; i++)
        world_report(&world, shadows[i], "/a", 1);
    assert_int_equal(world_take_all(&world), 3); /* three messages each */
    world_run(&world, 20000);
    world_drop(&world);
    thing_link_up(world.thing, world.now_ms + 60000);
    world.now_ms += 60000;
    assert_int_equal(world_take_all(&world), 3); /* after two SUBSCRIBEs, and as long as there
                                                    is room for an update */
    world_end(&world);
}

static void hear_foreign(struct world *world, int count)
{
    static const char news[] = "{\"state\":{\"desired\":{\"x\":1}},\"version\":1}";
    for (int i = 0; i < count; i++)
        thing_receive(world->thing, "$aws/things/dev/shadow/name/none/update/accepted", news,
                      strlen(news), world->now_ms);
}

static void test_what_others_send_is_charged_too(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[9];
    options.messages_per_sec = 40;
    world_begin(&world, &options);
    open_many(&world, NULL, 9, shadows);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 20000);
    hear_foreign(&world, 4);
    for (size_t i = 0; i < 9; i++)
        world_report(&world, shadows[i], "/a", 1);
    assert_int_equal(world_take_all(&world), 2); /* three without the others */
    assert_true(thing_deadline(world.thing, world.now_ms) > world.now_ms);
    world_end(&world);
}

static void test_a_flood_from_others_does_not_silence_us(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    options.messages_per_sec = 40;
    world_begin(&world, &options);
    struct shadow *classic = world_open(&world, NULL, NULL);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 20000);
    world_report(&world, classic, "/a", 1);
    for (int i = 0; i < 20 && !thing_is_settled(world.thing); i++) {
        hear_foreign(&world, 50);
        world_run(&world, 50);
    }
    assert_true(thing_is_settled(world.thing));
    world_end(&world);
}

/* Two hundred named shadows of one thing on one connection, with the usual limits. */
static void test_two_hundred_named_shadows_converge(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    static struct shadow *shadows[200];
    options.messages_per_sec = 80;
    options.interval_ms = 10000;
    world_begin(&world, &options);
    open_many(&world, NULL, 200, shadows);
    for (size_t i = 0; i < 200; i++)
        world_report(&world, shadows[i], "/a", (int64_t)i);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 30000); /* 200 gets and 200 updates are 1000 messages, 60 to 80 a second */
    assert_true(thing_is_settled(world.thing));
    assert_int_equal(world.subscribes, 2); /* the classic one and name/+ */
    assert_int_equal(world.gets, 201);
    assert_int_equal(world.updates, 200);
    struct thing_status status;
    thing_get_status(world.thing, &status);
    assert_true(status.subscribed);
    assert_int_equal(status.subscriptions, 12);
    assert_int_equal(status.causes[THING_CAUSE_UPDATE].operations, 200);
    assert_int_equal(status.causes[THING_CAUSE_GET_CONNECT].operations, 201);
    assert_int_equal(status.causes[THING_CAUSE_ANSWER].messages, 401);
    assert_int_equal(status.operations, 401);
    assert_int_equal(status.daily_operations, 401);
    assert_int_equal(status.daily_messages, status.messages_in + status.messages_out);
    assert_int_equal(status.daily_messages, 2 + 401 + 401);
    thing_tick(world.thing, world.now_ms + INT64_C(26) * 3600 * 1000);
    thing_get_status(world.thing, &status);
    assert_int_equal(status.daily_messages, 0); /* a day later */
    assert_int_equal(status.messages_out, 2 + 401);
    world_end(&world);
}

/* Two hundred shadows that nobody has created yet, and a link that does not last for half of them:
 * what was got is written before others are got. */
static void test_a_link_that_is_cut_still_brings_updates_through(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    static struct shadow *shadows[200];
    options.messages_per_sec = 80;
    world_begin(&world, &options);
    open_many(&world, NULL, 200, shadows);
    for (size_t i = 0; i < 200; i++)
        world_report(&world, shadows[i], "/a", (int64_t)i);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 4000);
    assert_true(world.updates >= 40);
    for (int i = 0; i < 5; i++) {
        world_drop(&world);
        thing_link_up(world.thing, world.now_ms);
        world_run(&world, 4000);
    }
    assert_true(thing_is_settled(world.thing));
    world_end(&world);
}

static void test_an_idle_shadow_is_got_once_a_minute_across_reconnects(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[10];
    world_begin(&world, &options);
    open_many(&world, NULL, 10, shadows);
    for (int i = 0; i < 300; i++) { /* ten minutes of a link that flaps every two seconds */
        thing_link_up(world.thing, world.now_ms);
        world_run(&world, 1900);
        world_drop(&world);
        world_run(&world, 100);
    }
    assert_true(world.gets <= 11 * 11);
    assert_int_equal(world.updates, 0);
    world_end(&world);
}

static void test_a_report_is_due_at_once(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadows[50];
    world_begin(&world, &options);
    open_many(&world, NULL, 50, shadows);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 10000);
    assert_true(thing_deadline(world.thing, world.now_ms) > world.now_ms + 60000);
    world_report(&world, shadows[33], "/a", 1);
    assert_true(thing_deadline(world.thing, world.now_ms) <= world.now_ms);
    assert_int_equal(world_take_all(&world), 1);
    assert_string_equal(world.last_topic, "$aws/things/dev/shadow/name/n33/update");
    world_end(&world);
}

static void test_a_place_that_was_given_up_leaves_no_count_behind(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    options.max_shadows = 2;
    world_begin(&world, &options);
    thing_link_up(world.thing, world.now_ms);
    for (int i = 0; i < 40; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "n%d", i);
        struct shadow *shadow = world_open(&world, NULL, name);
        world_run(&world, 1000);
        thing_close_shadow(world.thing, shadow);
    }
    assert_int_equal(world.gets, 41);
    assert_int_equal(world.thing->gets_in_flight, 0);
    assert_int_equal(world.thing->groups->in_flight, 0);
    assert_true(subscriptions_count(&world.thing->subscriptions) <= 12);
    world_end(&world);
}

static void test_a_shadow_with_accepted_values_is_not_given_up(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *other;
    options.max_shadows = 2;
    world_begin(&world, &options);
    struct shadow *shadow = world_open(&world, NULL, "a");
    world_report(&world, shadow, "/a", 1);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 5000);
    assert_true(shadow_is_settled(shadow));
    thing_close_shadow(world.thing, shadow);
    assert_int_equal(thing_open_shadow(world.thing, NULL, "b", &other), -ENOSPC);
    world_end(&world);
}

/* --- DailyOperations --- */

static void test_a_runaway_writer_is_spread_and_its_newest_state_arrives(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    options.daily_operations = 100;
    options.interval_ms = 100;
    world_begin(&world, &options);
    struct shadow *classic = world_open(&world, NULL, NULL);
    thing_link_up(world.thing, world.now_ms);
    for (int64_t value = 0; value < 24 * 60; value++) {
        world_report(&world, classic, "/a", value);
        world_run(&world, 60000);
    }
    struct thing_status status;
    thing_get_status(world.thing, &status);
    assert_true(status.daily_operations > 80 && status.daily_operations <= 100);
    assert_int_equal(status.daily_operations_max, 100);
    assert_true(status.daily_spacing_ms > 600000);
    assert_int_equal(world.notices[THING_NOTICE_BUDGET], 1);
    assert_true(world.last_notice[THING_NOTICE_BUDGET].delay_ms > 600000);
    world_run(&world, 12 * 3600000); /* quiet: the last value has its turn */
    assert_true(thing_is_settled(world.thing));
    thing_get_status(world.thing, &status);
    assert_int_equal(status.daily_spacing_ms, 0);
    world_end(&world);
}

/* The age that the status shows: what MinIntervalMs holds back is not late. */
static void test_the_oldest_that_waits_is_not_one_that_is_held(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = quick();
    struct shadow *shadow;
    struct shadow_status status;
    struct policies *policies = NULL;
    const struct policy_rule rule = {
        .glob = "a", .keys = POLICY_MIN_INTERVAL, .policy.min_interval_ms = 3600000};
    world_begin(&world, &options);
    assert_int_equal(policies_new(&policies), 0);
    assert_int_equal(policies_add(policies, &rule), 0);
    assert_int_equal(thing_set_policies(world.thing, policies, 0), 0);
    open_many(&world, NULL, 1, &shadow);
    shadow_get_status(shadow, &status);
    assert_int_equal(status.oldest_pending_ms, -1);
    world_report(&world, shadow, "/a", 1);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 5000);
    assert_true(thing_is_settled(world.thing));

    world_report(&world, shadow, "/a", 2);
    world_run(&world, 5000);
    shadow_get_status(shadow, &status);
    assert_int_equal(status.pending, 1);
    assert_int_equal(status.oldest_pending_ms, -1);
    thing_link_down(world.thing, world.now_ms);
    const int64_t reported_ms = world.now_ms;
    world_report(&world, shadow, "/b", 1);
    thing_tick(world.thing, world.now_ms + 7000);
    shadow_get_status(shadow, &status);
    assert_int_equal(status.oldest_pending_ms, reported_ms);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_more_than_ten_of_a_thing_are_in_flight),
        cmocka_unit_test(test_no_more_than_four_gets_are_in_flight),
        cmocka_unit_test(test_gets_of_others_do_not_hold_back_updates),
        cmocka_unit_test(test_every_shadow_gets_its_turn),
        cmocka_unit_test(test_messages_are_charged_with_their_answers),
        cmocka_unit_test(test_what_others_send_is_charged_too),
        cmocka_unit_test(test_a_flood_from_others_does_not_silence_us),
        cmocka_unit_test(test_two_hundred_named_shadows_converge),
        cmocka_unit_test(test_a_link_that_is_cut_still_brings_updates_through),
        cmocka_unit_test(test_an_idle_shadow_is_got_once_a_minute_across_reconnects),
        cmocka_unit_test(test_a_report_is_due_at_once),
        cmocka_unit_test(test_a_place_that_was_given_up_leaves_no_count_behind),
        cmocka_unit_test(test_a_shadow_with_accepted_values_is_not_given_up),
        cmocka_unit_test(test_the_oldest_that_waits_is_not_one_that_is_held),
        cmocka_unit_test(test_a_runaway_writer_is_spread_and_its_newest_state_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
