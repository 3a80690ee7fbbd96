#include "daemon/shadow/thing_private.h"
#include "tests/unit/thing_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct thing_options quick(void)
{
    struct thing_options options;
    thing_options_init(&options);
    options.name = "dev";
    options.instance_id = 7;
    options.interval_ms = 100;
    options.daily_operations = 0;
    return options;
}

struct cast {
    struct world world;
    struct shadow *good[4], *bad;
};

static void begin(struct cast *cast)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    struct thing_options options = quick();
    world_begin(&cast->world, &options);
    for (size_t i = 0; i < 4; i++)
        cast->good[i] = world_open(&cast->world, NULL, names[i]);
    cast->bad = world_open(&cast->world, NULL, "bad");
    thing_link_up(cast->world.thing, cast->world.now_ms);
    world_run(&cast->world, 5000);
}

static void report_all(struct cast *cast, int64_t value)
{
    world_report(&cast->world, cast->bad, "/a", value);
    for (size_t i = 0; i < 4; i++)
        world_report(&cast->world, cast->good[i], "/a", value);
}

static void assert_good_settled(const struct cast *cast)
{
    for (size_t i = 0; i < 4; i++)
        assert_true(shadow_is_settled(cast->good[i]));
}

static void test_a_poisoned_update_ends_in_quarantine_and_others_live(void **state)
{
    (void)state;
    struct cast cast;
    struct thing_status status;
    begin(&cast);
    cast.world.poison = "/bad/update";
    for (int64_t value = 0; value < 100; value++) {
        report_all(&cast, value);
        world_run(&cast.world, 1000);
    }
    assert_true(cast.world.drops >= 3 && cast.world.drops <= 5);
    assert_int_equal(cast.world.notices[THING_NOTICE_QUARANTINED], 1);
    assert_string_equal(cast.world.last_notice[THING_NOTICE_QUARANTINED].shadow_name, "bad");
    assert_int_equal(cast.world.last_notice[THING_NOTICE_QUARANTINED].delay_ms, 300000);
    assert_good_settled(&cast);
    assert_false(shadow_is_settled(cast.bad));
    thing_get_status(cast.world.thing, &status);
    assert_int_equal(status.quarantined, 1);
    world_end(&cast.world);
}

static void test_quarantine_is_tried_again_ever_more_rarely(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    cast.world.poison = "/bad/update";
    for (int64_t value = 0; value < 20; value++) {
        report_all(&cast, value);
        world_run(&cast.world, 1000);
    }
    size_t drops = cast.world.drops;
    world_run(&cast.world, 3600000); /* after 5, 10 and 20 more minutes, but not after 40 */
    assert_int_equal(cast.world.drops, drops + 3);
    assert_int_equal(cast.world.last_notice[THING_NOTICE_QUARANTINED].delay_ms, 2400000);
    world_run(&cast.world, 24 * 3600000);
    assert_true(cast.world.drops <= drops + 11);
    assert_int_equal(cast.world.last_notice[THING_NOTICE_QUARANTINED].delay_ms, 21600000);
    world_end(&cast.world);
}

static void test_one_that_goes_well_releases(void **state)
{
    (void)state;
    struct cast cast;
    struct thing_status status;
    begin(&cast);
    cast.world.poison = "/bad/update";
    for (int64_t value = 0; value < 20; value++) {
        report_all(&cast, value);
        world_run(&cast.world, 1000);
    }
    cast.world.poison = NULL;
    world_run(&cast.world, 600000);
    assert_true(shadow_is_settled(cast.bad));
    assert_int_equal(cast.world.notices[THING_NOTICE_RELEASED], 1);
    thing_get_status(cast.world.thing, &status);
    assert_int_equal(status.quarantined, 0);
    world_end(&cast.world);
}

static void test_a_poisoned_get_does_not_stop_others(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    world_drop(&cast.world);
    cast.world.now_ms += 120000;
    thing_link_up(cast.world.thing, cast.world.now_ms);
    cast.world.poison = "/bad/get";
    for (int64_t value = 0; value < 60; value++) {
        report_all(&cast, value);
        world_run(&cast.world, 1000);
    }
    assert_good_settled(&cast);
    assert_true(cast.world.drops <= 6);
    assert_int_equal(cast.world.notices[THING_NOTICE_QUARANTINED], 1);
    world_end(&cast.world);
}

static void test_suspects_go_one_at_a_time(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    report_all(&cast, 1);
    assert_int_equal(world_take_all(&cast.world), 5);
    world_drop(&cast.world);
    thing_link_up(cast.world.thing, cast.world.now_ms);
    for (size_t left = 5; left > 0;) { /* the gets that look whether it has arrived go freely */
        size_t updates = cast.world.updates;
        (void)world_take_all(&cast.world);
        assert_true(cast.world.updates - updates <= 1);
        if (cast.world.updates > updates) {
            assert_int_equal(cast.world.flight_count, 1); /* quite alone */
            left--;
        }
        if (cast.world.flight_count > 0)
            world_answer(&cast.world);
        else
            cast.world.now_ms = thing_deadline(cast.world.thing, cast.world.now_ms);
    }
    world_run(&cast.world, 1000);
    assert_true(thing_is_settled(cast.world.thing));
    world_end(&cast.world);
}

static void test_while_one_is_tried_nothing_else_goes(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    world_report(&cast.world, cast.bad, "/a", 1);
    assert_int_equal(world_take_all(&cast.world), 1);
    world_drop(&cast.world);
    cast.world.now_ms += 120000;
    thing_link_up(cast.world.thing, cast.world.now_ms);
    for (size_t updates = cast.world.updates; cast.world.updates == updates;) {
        if (cast.world.flight_count > 0)
            world_answer(&cast.world);
        else
            assert_true(thing_deadline(cast.world.thing, cast.world.now_ms) <= cast.world.now_ms);
        (void)world_take_all(&cast.world);
    }
    assert_int_equal(cast.world.flight_count, 1);
    world_report(&cast.world, cast.good[0], "/a", 1);
    assert_int_equal(world_take_all(&cast.world), 0);
    assert_true(thing_deadline(cast.world.thing, cast.world.now_ms) >=
                cast.world.now_ms + SUSPICION_DROP_MS);
    world_answer(&cast.world);
    assert_int_equal(world_take_all(&cast.world), 1);
    world_end(&cast.world);
}

static void test_a_suspect_that_the_link_outlives_lets_others_go(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    report_all(&cast, 1);
    (void)world_take_all(&cast.world);
    world_drop(&cast.world);
    cast.world.answer_ms = 10000; /* slow, and no acknowledgement either */
    thing_link_up(cast.world.thing, cast.world.now_ms);
    world_run(&cast.world, 120000);
    assert_true(thing_is_settled(cast.world.thing));
    assert_int_equal(cast.world.notices[THING_NOTICE_QUARANTINED], 0);
    world_end(&cast.world);
}

static void test_a_link_that_drops_by_itself_puts_nobody_into_quarantine(void **state)
{
    (void)state;
    struct cast cast;
    begin(&cast);
    for (int64_t value = 0; value < 50; value++) {
        report_all(&cast, value);
        world_run(&cast.world, 2000);
        world_drop(&cast.world);
        thing_link_up(cast.world.thing, cast.world.now_ms);
    }
    assert_int_equal(cast.world.notices[THING_NOTICE_QUARANTINED], 0);
    world_end(&cast.world);
}

static void test_a_subscribe_that_drops_the_link_is_left_alone(void **state)
{
    (void)state;
    static const int granted[] = {0, 0, 1, 0, 0, 0};
    struct world world;
    struct thing_options options = quick();
    const char *extra[] = {"evil"};
    options.extra = extra;
    options.extra_count = 1;
    world_begin(&world, &options);
    struct shadow *classic = world_open(&world, NULL, NULL);
    (void)world_open(&world, "evil", NULL);
    size_t drops = 0;
    for (int i = 0; i < 20; i++) {
        struct thing_request request;
        bool is_dropped = false;
        thing_link_up(world.thing, world.now_ms);
        while (!is_dropped && thing_next_request(world.thing, world.now_ms, &request) > 0) {
            if (request.kind == THING_SUBSCRIBE && strstr(request.filters[0], "evil"))
                is_dropped = true;
            else if (request.kind == THING_SUBSCRIBE)
                thing_subscribed(world.thing, request.id, granted, 6, world.now_ms);
            else
                thing_published(world.thing, request.id, 0, world.now_ms);
        }
        drops += is_dropped;
        thing_link_down(world.thing, world.now_ms + 100);
        world.now_ms += 5000;
    }
    assert_int_equal(drops, 3);
    thing_link_up(world.thing, world.now_ms);
    world_report(&world, classic, "/a", 1);
    world_run(&world, 3000);
    assert_true(shadow_is_settled(classic));
    struct thing_status status;
    thing_get_status(world.thing, &status);
    assert_int_equal(status.quarantined, 1);
    world_end(&world);
}

/* Where the policy ends the connection for name/+, the shadows are subscribed one by one. */
static void test_single_channels_serve_where_the_shared_one_drops_the_link(void **state)
{
    (void)state;
    static const int granted[] = {0, 0, 1, 0, 0, 0};
    struct world world;
    struct thing_options options = quick();
    world_begin(&world, &options);
    struct shadow *shadows[3];
    for (size_t i = 0; i < 3; i++)
        shadows[i] = world_open(&world, NULL, i == 0 ? "a" : i == 1 ? "b" : "c");
    bool is_dropped = true;
    size_t drops = 0;
    for (int i = 0; i < 20 && is_dropped; i++) {
        struct thing_request request;
        is_dropped = false;
        thing_link_up(world.thing, world.now_ms);
        while (!is_dropped && thing_next_request(world.thing, world.now_ms, &request) > 0) {
            if (request.kind == THING_SUBSCRIBE && strstr(request.filters[0], "/+/"))
                is_dropped = true;
            else if (request.kind == THING_SUBSCRIBE)
                thing_subscribed(world.thing, request.id, granted, 6, world.now_ms);
            else
                thing_published(world.thing, request.id, 0, world.now_ms);
        }
        drops += is_dropped;
        world.now_ms += 100;
        if (is_dropped)
            thing_link_down(world.thing, world.now_ms);
    }
    assert_false(is_dropped);
    assert_in_range(drops, 3, 5);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(shadows[i]->link, SHADOW_ONLINE);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_poisoned_update_ends_in_quarantine_and_others_live),
        cmocka_unit_test(test_quarantine_is_tried_again_ever_more_rarely),
        cmocka_unit_test(test_one_that_goes_well_releases),
        cmocka_unit_test(test_a_poisoned_get_does_not_stop_others),
        cmocka_unit_test(test_suspects_go_one_at_a_time),
        cmocka_unit_test(test_while_one_is_tried_nothing_else_goes),
        cmocka_unit_test(test_a_suspect_that_the_link_outlives_lets_others_go),
        cmocka_unit_test(test_a_link_that_drops_by_itself_puts_nobody_into_quarantine),
        cmocka_unit_test(test_single_channels_serve_where_the_shared_one_drops_the_link),
        cmocka_unit_test(test_a_subscribe_that_drops_the_link_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
