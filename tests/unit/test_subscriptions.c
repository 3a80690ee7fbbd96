#include "daemon/shadow/subscriptions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TIMEOUT_MS 5000
#define LISTENERS  12

static const int granted[CHANNEL_FILTERS] = {0, 0, 1, 0, 0, 0};

struct world {
    struct subscriptions subscriptions;
    struct listener listeners[LISTENERS];
    struct random_source random;
    int64_t now_ms;
    uint32_t last_id;
};

static void begin(struct world *world, unsigned filters_max)
{
    *world = (struct world){0};
    random_init(&world->random, 1);
    subscriptions_init(&world->subscriptions, filters_max, TIMEOUT_MS);
}

static void join(struct world *world, size_t i, const char *thing, const char *shadow)
{
    assert_int_equal(subscriptions_join(&world->subscriptions, &world->listeners[i], thing, shadow),
                     0);
    subscriptions_tell(&world->subscriptions, &world->listeners[i], false, false, 0);
}

static void tell(struct world *world, size_t i, bool is_busy, int64_t want_ms)
{
    subscriptions_tell(&world->subscriptions, &world->listeners[i], is_busy, false, want_ms);
}

/* Take the next action as the caller does, and count that the limit holds. */
static enum subscriptions_action next(struct world *world, struct channel **ret_channel)
{
    enum subscriptions_action action =
        subscriptions_next(&world->subscriptions, world->now_ms, ret_channel);
    if (action != SUBSCRIPTIONS_NOTHING)
        subscriptions_sent(&world->subscriptions, *ret_channel, action, ++world->last_id,
                           world->now_ms);
    assert_true(subscriptions_count(&world->subscriptions) <= world->subscriptions.filters_max);
    return action;
}

/* Grant and answer everything at once. Returns the number of packets. */
static unsigned settle(struct world *world)
{
    unsigned packets = 0;
    struct channel *channel;
    enum subscriptions_action action;
    while ((action = next(world, &channel)) != SUBSCRIPTIONS_NOTHING) {
        assert_true(++packets < 100);
        if (action == SUBSCRIPTIONS_SUBSCRIBE)
            (void)subscriptions_subscribed(&world->subscriptions, world->last_id, granted,
                                           CHANNEL_FILTERS, &world->random, world->now_ms);
        else
            (void)subscriptions_unsubscribed(&world->subscriptions, world->last_id);
    }
    return packets;
}

static bool is_heard(const struct world *world, size_t i)
{
    return subscriptions_is_heard(&world->listeners[i]);
}

static void end(struct world *world)
{
    subscriptions_clear(&world->subscriptions);
}

static void test_a_classic_shadow_has_a_channel_of_its_own(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel, *none;
    begin(&world, 50);
    join(&world, 0, "dev", "");
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    assert_string_equal(channel->shadow, "");
    assert_false(is_heard(&world, 0)); /* not before the SUBACK */
    assert_int_equal(next(&world, &none), SUBSCRIPTIONS_NOTHING);
    assert_ptr_equal(subscriptions_subscribed(&world.subscriptions, world.last_id, granted,
                                              CHANNEL_FILTERS, &world.random, 0),
                     channel);
    assert_true(is_heard(&world, 0));
    end(&world);
}

static void test_two_named_shadows_have_their_own_channels(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 50);
    join(&world, 0, "dev", "a");
    join(&world, 1, "dev", "b");
    assert_int_equal(settle(&world), 2);
    assert_int_equal(world.listeners[0].own->state, CHANNEL_ON);
    assert_int_equal(world.listeners[0].shared->state, CHANNEL_OFF);
    assert_int_equal(subscriptions_count(&world.subscriptions), 12);
    end(&world);
}

static void test_from_the_third_on_they_share_one(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 50);
    join(&world, 0, "dev", "a");
    join(&world, 1, "dev", "b");
    (void)settle(&world);
    join(&world, 2, "dev", "c");
    struct channel *channel;
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    assert_string_equal(channel->shadow, "+");
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_NOTHING);
    assert_true(is_heard(&world, 0)); /* the single ones stay until the shared one is there */
    (void)subscriptions_subscribed(&world.subscriptions, world.last_id, granted, CHANNEL_FILTERS,
                                   &world.random, 0);
    assert_int_equal(settle(&world), 2); /* both are taken back */
    for (size_t i = 0; i < 3; i++)
        assert_true(is_heard(&world, i));
    assert_int_equal(subscriptions_count(&world.subscriptions), CHANNEL_FILTERS);
    end(&world);
}

static void test_things_do_not_share(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 50);
    join(&world, 0, "x", "a");
    join(&world, 1, "x", "b");
    join(&world, 2, "y", "a");
    assert_int_equal(settle(&world), 3);
    assert_int_equal(world.listeners[0].own->state, CHANNEL_ON);
    assert_int_equal(world.listeners[2].own->state, CHANNEL_ON);
    end(&world);
}

static void test_a_shared_one_stays_while_anybody_is_left(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 50);
    join(&world, 0, "dev", "a");
    join(&world, 1, "dev", "b");
    join(&world, 2, "dev", "c");
    (void)settle(&world);
    subscriptions_leave(&world.subscriptions, &world.listeners[0]);
    subscriptions_leave(&world.subscriptions, &world.listeners[1]);
    assert_int_equal(settle(&world), 0);
    assert_true(is_heard(&world, 2));
    subscriptions_leave(&world.subscriptions, &world.listeners[2]);
    assert_int_equal(settle(&world), 1);
    assert_int_equal(subscriptions_count(&world.subscriptions), 0);
    end(&world);
}

static void refuse(struct world *world, size_t filter)
{
    int codes[CHANNEL_FILTERS] = {0};
    codes[filter] = 0x87;
    (void)subscriptions_subscribed(&world->subscriptions, world->last_id, codes, CHANNEL_FILTERS,
                                   &world->random, world->now_ms);
}

static void test_a_refused_essential_filter_backs_off(void **state)
{
    (void)state;
    static const enum topic_kind essential[] = {TOPIC_UPDATE_ACCEPTED, TOPIC_UPDATE_REJECTED,
                                                TOPIC_GET_ACCEPTED, TOPIC_GET_REJECTED};
    for (size_t i = 0; i < 4; i++) {
        struct world world;
        struct channel *channel;
        begin(&world, 50);
        join(&world, 0, "dev", "");
        assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
        refuse(&world, essential[i]);
        assert_false(is_heard(&world, 0));
        assert_true(subscriptions_is_refused(&world.listeners[0]));
        assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_NOTHING);
        assert_int_equal(subscriptions_count(&world.subscriptions), 5); /* these were granted */
        world.now_ms = subscriptions_deadline(&world.subscriptions);
        assert_true(world.now_ms >= CHANNEL_RETRY_MIN_MS);
        assert_int_equal(settle(&world), 1);
        assert_true(is_heard(&world, 0));
        end(&world);
    }
}

static void test_deltas_and_deletions_may_be_refused(void **state)
{
    (void)state;
    static const enum topic_kind others[] = {TOPIC_UPDATE_DELTA, TOPIC_DELETE_ACCEPTED};
    for (size_t i = 0; i < 2; i++) {
        struct world world;
        struct channel *channel;
        begin(&world, 50);
        join(&world, 0, "dev", "");
        assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
        refuse(&world, others[i]);
        assert_true(is_heard(&world, 0));
        end(&world);
    }
}

static void test_a_suback_that_failed_or_is_short_is_a_refusal(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 50);
    join(&world, 0, "dev", "");
    join(&world, 1, "dev2", "");
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    (void)subscriptions_subscribed(&world.subscriptions, world.last_id, NULL, 0, &world.random, 0);
    assert_int_equal(channel->state, CHANNEL_REFUSED);
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    (void)subscriptions_subscribed(&world.subscriptions, world.last_id, granted, 5, &world.random,
                                   0);
    assert_int_equal(channel->state, CHANNEL_REFUSED);
    end(&world);
}

static void test_single_channels_serve_where_the_shared_one_is_refused(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 50);
    join(&world, 0, "dev", "a");
    join(&world, 1, "dev", "b");
    join(&world, 2, "dev", "c");
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    assert_string_equal(channel->shadow, "+");
    refuse(&world, TOPIC_UPDATE_ACCEPTED);
    assert_int_equal(settle(&world), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(world.listeners[i].own->state, CHANNEL_ON);
    end(&world);
}

static void test_an_idle_one_makes_way_for_one_with_work(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 17); /* two channels */
    join(&world, 0, "a", "");
    join(&world, 1, "b", "");
    (void)settle(&world);
    tell(&world, 0, true, INT64_MAX);
    tell(&world, 1, false, INT64_MAX);
    join(&world, 2, "c", "");
    tell(&world, 2, true, INT64_MAX);
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_UNSUBSCRIBE);
    assert_string_equal(channel->thing, "b");
    assert_false(is_heard(&world, 1));
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_NOTHING); /* not before the UNSUBACK */
    (void)subscriptions_unsubscribed(&world.subscriptions, world.last_id);
    assert_int_equal(settle(&world), 1);
    assert_true(is_heard(&world, 0) && is_heard(&world, 2));
    end(&world);
}

static void test_who_has_work_or_a_watcher_never_makes_way(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 6);
    join(&world, 0, "a", "");
    (void)settle(&world);
    tell(&world, 0, true, INT64_MAX);
    join(&world, 1, "b", "");
    tell(&world, 1, true, 0);
    assert_int_equal(settle(&world), 0);
    assert_true(is_heard(&world, 0));
    tell(&world, 0, false, INT64_MAX);
    assert_int_equal(settle(&world), 2);
    assert_true(is_heard(&world, 1));
    end(&world);
}

static void test_nothing_in_flight_is_left_behind(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 12);
    join(&world, 0, "dev", "a");
    join(&world, 1, "dev", "b");
    (void)settle(&world);
    for (size_t i = 0; i < 2; i++) /* even the one that the shared channel will replace */
        subscriptions_tell(&world.subscriptions, &world.listeners[i], true, true, INT64_MAX);
    join(&world, 2, "dev", "c");
    tell(&world, 2, true, 0);
    assert_int_equal(settle(&world), 0);
    tell(&world, 0, true, INT64_MAX);
    assert_int_equal(settle(&world), 3); /* one goes, the shared one comes, the other goes */
    for (size_t i = 0; i < 3; i++)
        assert_true(is_heard(&world, i));
    end(&world);
}

static void test_the_room_made_for_a_shared_one_is_not_given_to_others(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 6);
    join(&world, 0, "dev", "a");
    (void)settle(&world);
    tell(&world, 0, true, INT64_MAX); /* watched */
    join(&world, 3, "other", "");
    tell(&world, 3, true, 0);
    (void)settle(&world);
    assert_false(is_heard(&world, 3));
    world.now_ms = 1000; /* so that the other one has waited longer */
    join(&world, 1, "dev", "b");
    join(&world, 2, "dev", "c");
    tell(&world, 2, true, 0);
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_UNSUBSCRIBE);
    (void)subscriptions_unsubscribed(&world.subscriptions, world.last_id);
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    assert_string_equal(channel->shadow, "+");
    end(&world);
}

static void test_idle_ones_take_turns_when_they_want_to(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 6);
    join(&world, 0, "a", "");
    (void)settle(&world);
    tell(&world, 0, false, INT64_MAX);
    join(&world, 1, "b", "");
    tell(&world, 1, false, 5000);
    assert_int_equal(settle(&world), 0);
    assert_int_equal(subscriptions_deadline(&world.subscriptions), 5000);
    world.now_ms = 5000;
    assert_int_equal(settle(&world), 2);
    assert_true(is_heard(&world, 1));
    end(&world);
}

static void test_the_least_recently_useful_makes_way(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 18);
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++)
        join(&world, i, names[i], "");
    (void)settle(&world);
    for (size_t i = 0; i < 3; i++)
        tell(&world, i, false, INT64_MAX);
    subscriptions_note_use(&world.listeners[0], 30);
    subscriptions_note_use(&world.listeners[1], 10);
    subscriptions_note_use(&world.listeners[2], 20);
    join(&world, 3, "d", "");
    tell(&world, 3, true, 0);
    (void)settle(&world);
    assert_false(is_heard(&world, 1));
    assert_true(is_heard(&world, 0) && is_heard(&world, 2) && is_heard(&world, 3));
    end(&world);
}

static void test_what_a_refused_one_still_holds_makes_way_first(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 12);
    join(&world, 0, "a", "");
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    refuse(&world, TOPIC_GET_ACCEPTED);
    join(&world, 1, "b", "");
    join(&world, 2, "c", "");
    assert_int_equal(settle(&world), 3); /* b comes, a's rest goes, c comes */
    assert_true(is_heard(&world, 1) && is_heard(&world, 2));
    assert_int_equal(world.listeners[0].own->state, CHANNEL_REFUSED); /* and is not tried at once */
    end(&world);
}

static void test_a_lost_suback_is_asked_for_again(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 50);
    join(&world, 0, "dev", "");
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_SUBSCRIBE);
    assert_int_equal(next(&world, &channel), SUBSCRIPTIONS_NOTHING);
    world.now_ms = subscriptions_deadline(&world.subscriptions);
    assert_int_equal(world.now_ms, TIMEOUT_MS);
    assert_int_equal(subscriptions_count(&world.subscriptions), CHANNEL_FILTERS);
    assert_int_equal(settle(&world), 1);
    assert_true(is_heard(&world, 0));
    end(&world);
}

static void test_a_new_connection_begins_with_nothing(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 50);
    join(&world, 0, "dev", "");
    (void)next(&world, &channel);
    refuse(&world, TOPIC_GET_ACCEPTED);
    subscriptions_link_down(&world.subscriptions);
    assert_int_equal(subscriptions_count(&world.subscriptions), 0);
    assert_int_equal(settle(&world), 1); /* and tries at once what was refused */
    end(&world);
}

static void test_who_waits_long_with_work_is_told_of_once(void **state)
{
    (void)state;
    struct world world;
    struct channel *channel;
    begin(&world, 6);
    join(&world, 0, "a", "");
    (void)settle(&world);
    tell(&world, 0, true, INT64_MAX);
    join(&world, 1, "b", "");
    tell(&world, 1, true, 0);
    (void)next(&world, &channel);
    assert_null(subscriptions_next_crowded(&world.subscriptions, 0));
    world.now_ms = subscriptions_deadline(&world.subscriptions);
    assert_int_equal(world.now_ms, CHANNEL_CROWDED_MS);
    channel = subscriptions_next_crowded(&world.subscriptions, world.now_ms);
    assert_non_null(channel);
    assert_string_equal(channel->thing, "b");
    assert_null(subscriptions_next_crowded(&world.subscriptions, world.now_ms));
    (void)next(&world, &channel);
    assert_int_equal(subscriptions_deadline(&world.subscriptions), INT64_MAX);
    end(&world);
}

static void test_fewer_filters_after_a_reload_send_idle_ones_away(void **state)
{
    (void)state;
    struct world world;
    begin(&world, 12);
    join(&world, 0, "a", "");
    join(&world, 1, "b", "");
    (void)settle(&world);
    tell(&world, 0, true, INT64_MAX);
    tell(&world, 1, false, INT64_MAX);
    world.subscriptions.filters_max = 50; /* so that the helper does not complain meanwhile */
    subscriptions_set(&world.subscriptions, 6, TIMEOUT_MS);
    struct channel *channel;
    assert_int_equal(subscriptions_next(&world.subscriptions, 0, &channel),
                     SUBSCRIPTIONS_UNSUBSCRIBE);
    assert_string_equal(channel->thing, "b");
    end(&world);
}

/* Everybody has work now and then, for a while; the broker loses and refuses. Nobody is left out
 * for ever, nobody with work is cut off, and the limit holds. */
static void play(uint64_t seed)
{
    static const char *const things[] = {"a", "b", "c", "d", "e", "f", "g"};
    struct world world;
    int64_t waiting_ms[LISTENERS] = {0};
    begin(&world, 12 + (unsigned)(seed % 3) * 7);
    random_init(&world.random, seed);
    for (size_t i = 0; i < LISTENERS; i++) {
        char name[8] = "";
        if (i > 0)
            (void)snprintf(name, sizeof(name), "n%zu", i);
        join(&world, i, things[i < 6 ? 0 : i - 5], i < 6 ? name : "");
    }
    for (int step = 0; step < 3000; step++) {
        world.now_ms += 100;
        size_t who = (size_t)(random_u64(&world.random) % LISTENERS);
        bool was_heard[LISTENERS], was_busy[LISTENERS];
        if (subscriptions_is_heard(&world.listeners[who]) || !world.listeners[who].is_busy)
            tell(&world, who, random_u64(&world.random) % 3 == 0, world.now_ms + 20000);
        for (size_t i = 0; i < LISTENERS; i++) {
            was_heard[i] = is_heard(&world, i);
            was_busy[i] = world.listeners[i].is_busy;
        }
        struct channel *channel;
        enum subscriptions_action action = next(&world, &channel);
        bool is_replaced = world.listeners[1].shared->is_promised;
        for (size_t i = 0; i < LISTENERS; i++)
            if (was_heard[i] && was_busy[i] && !is_heard(&world, i) &&
                !(is_replaced && world.listeners[i].shared))
                fail_msg(
                    "seed %llu: listener %zu is cut off: own %s, shared %s",
                    (unsigned long long)seed, i, channel_state_name(world.listeners[i].own->state),
                    world.listeners[i].shared ? channel_state_name(world.listeners[i].shared->state)
                                              : "");
        bool is_lost = random_u64(&world.random) % 20 == 0;
        if (action == SUBSCRIPTIONS_SUBSCRIBE && !is_lost)
            (void)subscriptions_subscribed(&world.subscriptions, world.last_id, granted,
                                           CHANNEL_FILTERS, &world.random, world.now_ms);
        if (action == SUBSCRIPTIONS_UNSUBSCRIBE && !is_lost)
            (void)subscriptions_unsubscribed(&world.subscriptions, world.last_id);
        for (size_t i = 0; i < LISTENERS; i++) {
            if (is_heard(&world, i) || !world.listeners[i].is_busy)
                waiting_ms[i] = world.now_ms;
            if (world.now_ms - waiting_ms[i] > 60000)
                fail_msg("seed %llu: listener %zu waits for ever", (unsigned long long)seed, i);
        }
    }
    end(&world);
}

static void test_everybody_gets_a_turn_and_the_limit_holds(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        play(seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_classic_shadow_has_a_channel_of_its_own),
        cmocka_unit_test(test_two_named_shadows_have_their_own_channels),
        cmocka_unit_test(test_from_the_third_on_they_share_one),
        cmocka_unit_test(test_things_do_not_share),
        cmocka_unit_test(test_a_shared_one_stays_while_anybody_is_left),
        cmocka_unit_test(test_a_refused_essential_filter_backs_off),
        cmocka_unit_test(test_deltas_and_deletions_may_be_refused),
        cmocka_unit_test(test_a_suback_that_failed_or_is_short_is_a_refusal),
        cmocka_unit_test(test_single_channels_serve_where_the_shared_one_is_refused),
        cmocka_unit_test(test_an_idle_one_makes_way_for_one_with_work),
        cmocka_unit_test(test_who_has_work_or_a_watcher_never_makes_way),
        cmocka_unit_test(test_nothing_in_flight_is_left_behind),
        cmocka_unit_test(test_the_room_made_for_a_shared_one_is_not_given_to_others),
        cmocka_unit_test(test_idle_ones_take_turns_when_they_want_to),
        cmocka_unit_test(test_the_least_recently_useful_makes_way),
        cmocka_unit_test(test_what_a_refused_one_still_holds_makes_way_first),
        cmocka_unit_test(test_a_lost_suback_is_asked_for_again),
        cmocka_unit_test(test_a_new_connection_begins_with_nothing),
        cmocka_unit_test(test_who_waits_long_with_work_is_told_of_once),
        cmocka_unit_test(test_fewer_filters_after_a_reload_send_idle_ones_away),
        cmocka_unit_test(test_everybody_gets_a_turn_and_the_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
