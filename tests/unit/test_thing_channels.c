#include "daemon/shadow/thing_private.h"
#include "tests/unit/thing_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const extra[] = {"gw-*"};

static struct thing_options options_with(unsigned max_subscriptions)
{
    struct thing_options options;
    thing_options_init(&options);
    options.name = "dev";
    options.instance_id = 7;
    options.extra = extra;
    options.extra_count = 1;
    options.interval_ms = 1000;
    options.max_subscriptions = max_subscriptions;
    options.daily_operations = 0;
    return options;
}

static void test_the_shared_channel_has_filters_for_all_names(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(50);
    struct thing_request request;
    world_begin(&world, &options);
    for (int i = 0; i < 3; i++)
        (void)world_open(&world, "gw-1", i == 0 ? "a" : i == 1 ? "b" : "c");
    thing_link_up(world.thing, world.now_ms);
    assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 1);
    assert_string_equal(request.filters[0], "$aws/things/dev/shadow/update/accepted");
    assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 1);
    assert_int_equal(request.kind, THING_SUBSCRIBE);
    assert_int_equal(request.filter_count, 6);
    assert_string_equal(request.filters[0], "$aws/things/gw-1/shadow/name/+/update/accepted");
    assert_string_equal(request.filters[2], "$aws/things/gw-1/shadow/name/+/update/delta");
    assert_int_equal(request.filter_qos[2], 1);
    assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 0);
    world_end(&world);
}

/* What MQTT 3.1.1 costs. */
static void test_filters_that_are_subscribed_to_singly_count_one_by_one(void **state)
{
    (void)state;
    for (int is_single = 0; is_single <= 1; is_single++) {
        struct world world;
        struct thing_options options = options_with(50);
        struct thing_request request;
        struct thing_status status;
        options.subscribes_singly = is_single;
        world_begin(&world, &options);
        thing_link_up(world.thing, world.now_ms);
        assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 1);
        assert_int_equal(request.filter_count, 6);
        thing_get_status(world.thing, &status);
        assert_int_equal(status.messages_out, is_single ? 6 : 1);
        assert_int_equal(status.causes[THING_CAUSE_SUBSCRIBE].messages, is_single ? 6 : 1);
        assert_int_equal(status.operations, 0);
        world_end(&world);
    }
}

static void test_answers_find_their_shadow(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(50);
    world_begin(&world, &options);
    struct shadow *a = world_open(&world, NULL, "a"), *b = world_open(&world, "gw-1", "a");
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 1000);
    static const char news[] = "{\"state\":{\"reported\":{\"x\":1}},\"version\":1}";
    thing_receive(world.thing, "$aws/things/gw-1/shadow/name/a/update/accepted", news, strlen(news),
                  world.now_ms);
    struct shadow_status status;
    shadow_get_status(a, &status);
    assert_int_equal(status.version, -1);
    shadow_get_status(b, &status);
    assert_int_equal(status.version, 1);
    world_end(&world);
}

static void test_moving_to_the_shared_channel_costs_no_get(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(50);
    world_begin(&world, &options);
    (void)world_open(&world, NULL, "a");
    (void)world_open(&world, NULL, "b");
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 1000);
    assert_int_equal(world.gets, 3);
    (void)world_open(&world, NULL, "c");
    world_run(&world, 1000);
    assert_int_equal(world.gets, 4);
    assert_int_equal(world.unsubscribes, 2);
    struct shadow *late = world_open(&world, NULL, "d"); /* is heard at once */
    world_report(&world, late, "/a", 1);
    world_run(&world, 1000);
    assert_true(shadow_is_settled(late));
    assert_int_equal(world.subscribes, 4);
    world_end(&world);
}

static void test_who_comes_when_all_names_are_heard_is_heard_at_once(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(50);
    const char *const names[] = {"a", "b", "c", "d", "e"};
    world_begin(&world, &options);
    thing_link_up(world.thing, world.now_ms);
    for (size_t i = 0; i < 5; i++) {
        world_report(&world, world_open(&world, NULL, names[i]), "/a", 1);
        world_run(&world, 10000);
        assert_true(thing_is_settled(world.thing));
    }
    assert_int_equal(world.subscribes, 4); /* the classic one, a and b, and all */
    world_end(&world);
}

static void test_after_its_return_a_get_precedes_any_claim(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(6); /* one channel */
    world_begin(&world, &options);
    struct shadow *one = world_open(&world, NULL, NULL);
    struct shadow *two = world_open(&world, "gw-1", NULL);
    thing_link_up(world.thing, world.now_ms);
    world_report(&world, one, "/a", 1);
    world_run(&world, 10000);
    world_report(&world, two, "/a", 1);
    world_run(&world, 10000);
    assert_true(thing_is_settled(world.thing));
    assert_int_equal(one->link, SHADOW_UNHEARD);
    size_t gets = world.gets;
    size_t updates = world.updates;
    world_report(&world, one, "/a", 1); /* as it was: who knows whether it still is */
    assert_false(shadow_is_settled(one));
    world_report(&world, one, "/b", 2); /* and this does not go out before that is known */
    while (world.gets == gets)
        assert_true(world_take(&world) >= 0);
    assert_int_equal(world.updates, updates);
    assert_string_equal(world.last_topic, "$aws/things/dev/shadow/get");
    assert_false(shadow_is_settled(one));
    world_run(&world, 10000);
    assert_true(thing_is_settled(world.thing));
    world_end(&world);
}

static void test_twelve_things_share_eight_channels(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(50);
    struct shadow *shadows[12];
    world_begin(&world, &options);
    for (size_t i = 0; i < 12; i++) {
        char name[16];
        (void)snprintf(name, sizeof(name), "gw-%zu", i);
        shadows[i] = world_open(&world, name, NULL);
    }
    thing_link_up(world.thing, world.now_ms);
    for (int round = 0; round < 20; round++) {
        for (size_t i = 0; i < 12; i++)
            world_report(&world, shadows[i], "/a", round);
        for (int i = 0; i < 100; i++) {
            world_run(&world, 300);
            assert_true(subscriptions_count(&world.thing->subscriptions) <= 50);
        }
        assert_true(thing_is_settled(world.thing));
    }
    assert_int_equal(world.notices[THING_NOTICE_CROWDED], 0);
    world_end(&world);
}

static void test_who_is_watched_keeps_its_channel_and_who_waits_is_told_of(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(6);
    struct thing_status status;
    world_begin(&world, &options);
    struct shadow *one = world_open(&world, NULL, NULL);
    struct shadow *two = world_open(&world, "gw-1", NULL);
    shadow_add_watcher(one);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 5000);
    world_report(&world, two, "/a", 1);
    world_run(&world, 120000);
    assert_int_equal(one->link, SHADOW_ONLINE);
    assert_int_equal(world.notices[THING_NOTICE_CROWDED], 1);
    assert_string_equal(world.last_notice[THING_NOTICE_CROWDED].thing_name, "gw-1");
    thing_get_status(world.thing, &status);
    assert_false(status.subscribed);
    assert_int_equal(status.shadows_unheard, 1);
    shadow_remove_watcher(one);
    world_run(&world, 5000);
    assert_true(thing_is_settled(world.thing));
    world_end(&world);
}

/* Backing off for an hour is no reason to keep others waiting. */
static void test_who_is_blocked_makes_way(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(6);
    world_begin(&world, &options);
    struct shadow *one = world_open(&world, NULL, NULL);
    struct shadow *two = world_open(&world, "gw-1", NULL);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 20000);
    world_report(&world, one, "/a", 1);
    while (world.updates == 0) {
        if (world.flight_count > 0)
            world_answer(&world);
        assert_true(world_take_all(&world) > 0);
    }
    thing_published(world.thing, world.flights[0].id, 0x87, world.now_ms); /* forbidden */
    world.flight_count = 0;
    assert_false(shadow_is_settled(one));
    world_report(&world, two, "/a", 1);
    world_run(&world, 20000);
    assert_true(shadow_is_settled(two));
    assert_false(shadow_is_settled(one));
    world_run(&world, 300000); /* and has its turn when it may send again */
    assert_true(shadow_is_settled(one));
    world_end(&world);
}

static void test_a_refused_channel_leaves_others_alone(void **state)
{
    (void)state;
    static const int refused[] = {0x87, 0x87, 0x87, 0x87, 0x87, 0x87};
    struct world world;
    struct thing_options options = options_with(50);
    struct thing_request request;
    struct thing_status status;
    world_begin(&world, &options);
    struct shadow *two = world_open(&world, "gw-1", NULL);
    thing_link_up(world.thing, world.now_ms);
    assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 1);
    thing_subscribed(world.thing, request.id, refused, 6, world.now_ms);
    world_report(&world, two, "/a", 1);
    world_run(&world, 5000);
    assert_true(shadow_is_settled(two));
    assert_int_equal(world.last_notice[THING_NOTICE_FILTER_REFUSED].repeated, 5);
    thing_get_status(world.thing, &status);
    assert_false(status.subscribed);
    world_run(&world, 3600000);
    thing_get_status(world.thing, &status);
    assert_true(status.subscribed);
    world_end(&world);
}

/* Nothing else would be sent, so nothing else could go unanswered. */
static void test_a_link_without_subacks_is_doubted(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(50);
    struct thing_request request;
    world_begin(&world, &options);
    thing_link_up(world.thing, world.now_ms);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 1);
        assert_int_equal(request.kind, THING_SUBSCRIBE);
        assert_int_equal(thing_next_request(world.thing, world.now_ms, &request), 0);
        assert_false(thing_doubts_link(world.thing));
        world.now_ms = thing_deadline(world.thing, world.now_ms);
    }
    (void)thing_next_request(world.thing, world.now_ms, &request);
    assert_true(thing_doubts_link(world.thing));
    world_end(&world);
}

static void test_an_idle_shadow_without_a_channel_is_looked_at_now_and_then(void **state)
{
    (void)state;
    struct world world;
    struct thing_options options = options_with(6);
    options.refresh_ms = 600000;
    world_begin(&world, &options);
    (void)world_open(&world, "gw-1", NULL);
    thing_link_up(world.thing, world.now_ms);
    world_run(&world, 5000);
    assert_int_equal(world.gets, 2); /* each has been looked at once */
    world_run(&world, 3600000);
    assert_in_range(world.gets, 2 + 2 * 4, 2 + 2 * 8);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_shared_channel_has_filters_for_all_names),
        cmocka_unit_test(test_filters_that_are_subscribed_to_singly_count_one_by_one),
        cmocka_unit_test(test_answers_find_their_shadow),
        cmocka_unit_test(test_moving_to_the_shared_channel_costs_no_get),
        cmocka_unit_test(test_who_comes_when_all_names_are_heard_is_heard_at_once),
        cmocka_unit_test(test_after_its_return_a_get_precedes_any_claim),
        cmocka_unit_test(test_twelve_things_share_eight_channels),
        cmocka_unit_test(test_who_is_watched_keeps_its_channel_and_who_waits_is_told_of),
        cmocka_unit_test(test_who_is_blocked_makes_way),
        cmocka_unit_test(test_a_refused_channel_leaves_others_alone),
        cmocka_unit_test(test_a_link_without_subacks_is_doubted),
        cmocka_unit_test(test_an_idle_shadow_without_a_channel_is_looked_at_now_and_then),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
