/* A program answers a wish, or refuses it, and the daemon removes it. Invariant: only what the
 * program knew goes, with the values that answer it, and ACCEPTED means that it is gone. */
#include "tests/scenario/scenario.h"

#include "daemon/shadow/shadow_private.h"
#include "tests/scenario/sim_watch.h"
#include <string.h>

#define DESIRED(text) "{\"state\":{\"desired\":" text "}}"

static const json_t *settle_desired(struct sim *sim)
{
    return sim->history[sim->history_count - 1].desired;
}

#define assert_desired(sim, text) settle_assert_desired(sim, text, __FILE__, __LINE__)
static void settle_assert_desired(struct sim *sim, const char *text, const char *file, int line)
{
    assert_good(sim);
    json_t *expected = doc_parse(text);
    bool equal = doc_equal(expected, settle_desired(sim), false);
    json_decref(expected);
    if (equal)
        return;
    char *held = json_dumps(settle_desired(sim), JSON_COMPACT);
    print_error("desired is %s\nexpected %s\n", held, text);
    free(held);
    _fail(file, line);
}

#define assert_settled(sim, settle)                                                                \
    do {                                                                                           \
        assert_good(sim);                                                                          \
        assert_int_equal((sim)->settles[settle].fate, SHADOW_ACCEPTED);                            \
    } while (0)

/* The `state` of the last update as JSON text. */
static void settle_assert_sent(struct sim *sim, const char *text)
{
    json_t *expected = doc_parse(text);
    const json_t *state = json_object_get(sim->last_update, "state");
    if (!json_equal(expected, (json_t *)state))
        fail_msg("sent: %s", sim->last_text);
    json_decref(expected);
}

/* 325: one update reports the value and removes the wish, and carries the version. */
static void test_325_a_value_and_its_wish_travel_together(void **state)
{
    (void)state;
    struct sim *sim =
        scenario_up("{\"desired\":{\"led\":\"on\",\"x\":1},\"reported\":{\"led\":\"off\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "/led", 0);
    sim_turn(sim);
    size_t updates = sim->updates;
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, SIM_SECOND);
    assert_settled(sim, settle);
    assert_int_equal(sim->updates, updates + 1);
    settle_assert_sent(sim, "{\"reported\":{\"led\":\"on\"},\"desired\":{\"led\":null}}");
    assert_int_equal(json_integer_value(json_object_get(sim->last_update, "version")), 7);
    assert_desired(sim, "{\"x\":1}");
    assert_reported(sim, "{\"led\":\"on\"}");
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(watcher->news, 2);
    scenario_end(sim);
}

/* 326: a wish is refused without a value; it is told as gone when the program says so. */
static void test_326_a_wish_is_refused_without_a_value(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"},\"reported\":{\"led\":\"off\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    size_t settle = sim_settle(sim, "/led", NULL);
    assert_int_equal(watcher->news, 2);
    assert_true(sim->settles[settle].waiting);
    assert_int_equal(sim_status(sim).pending, 1);
    assert_false(thing_is_settled(sim->thing));
    assert_false(thing_has_sent_all(sim->thing));
    sim_run(sim, SIM_SECOND);
    assert_settled(sim, settle);
    settle_assert_sent(sim, "{\"desired\":{\"led\":null}}");
    assert_desired(sim, "{}");
    assert_reported(sim, "{\"led\":\"off\"}");
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(watcher->news, 2);
    scenario_end(sim);
}

/* 327: a button on the device overrides a wish. */
static void test_327_a_button_overrides_a_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"},\"reported\":{\"led\":\"on\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    size_t settle = sim_settle(sim, "/led", "\"off\"");
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    assert_reported(sim, "{\"led\":\"off\"}");
    assert_int_equal(watcher->news, 0);
    scenario_end(sim);
}

/* 328: nothing is desired: nothing is sent for it, and the answer comes as soon as that is known.
 */
static void test_328_nothing_to_settle_sends_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"x\":1}}");
    size_t updates = sim->updates;
    size_t settle = sim_settle(sim, "/led", NULL);
    assert_settled(sim, settle);
    settle = sim_settle(sim, "/led", "1");
    sim_run(sim, SIM_SECOND);
    assert_settled(sim, settle);
    assert_int_equal(sim->updates, updates + 1);
    settle_assert_sent(sim, "{\"reported\":{\"led\":1}}");
    assert_desired(sim, "{\"x\":1}");
    scenario_end(sim);
}

/* 329: a newer wish that comes before the update is sent wins. */
static void test_329_a_newer_wish_wins_before_the_update(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    for (int i = 0; i < 10; i++) /* the bucket is empty: the update has to wait */
        (void)sim_set(sim, "/n", i % 2 ? "1" : "2");
    sim_run(sim, 100);
    sim_link_down(sim);
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    (void)sim_foreign(sim, DESIRED("{\"led\":\"blink\"}"));
    sim_run(sim, SIM_MINUTE);
    assert_true(sim->settles[settle].waiting);
    sim_link_up(sim);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":\"blink\"}");
    assert_reported(sim, "{\"n\":1,\"led\":\"on\"}");
    assert_int_equal(json_object_size(watcher->told), 1);
    scenario_end(sim);
}

/* 330: one that crosses the update wins as well: 409, and the next one leaves it alone. */
static void test_330_a_newer_wish_wins_on_the_way(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim->hold_request_ms = 200;
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, 50);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"off\"}"));
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":\"off\"}");
    assert_reported(sim, "{\"led\":\"on\"}");
    assert_int_equal(sim_status(sim).conflicts, 1);
    assert_string_equal(json_string_value(json_object_get(watcher->told, "/led")), "off");
    scenario_end(sim);
}

/* 331: the very same wish made again is a newer one. */
static void test_331_a_wish_made_again_is_newer(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim->hold_request_ms = 200;
    size_t settle = sim_settle(sim, "/led", "\"off\""); /* refused */
    sim_run(sim, 50);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"on\"}"));
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":\"on\"}");
    assert_int_equal(json_object_size(watcher->told), 1);
    scenario_end(sim);
}

/* 353: also where the daemon learns of it only by a get: its time shows it. */
static void test_353_a_wish_made_again_without_link_is_newer(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\",\"l\":[1],\"old\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_run(sim, SIM_MINUTE);
    sim_link_down(sim);
    size_t led = sim_settle(sim, "/led", NULL);
    (void)sim_settle(sim, "/l", NULL);
    (void)sim_settle(sim, "/old", NULL);
    sim_run(sim, SIM_MINUTE);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"on\",\"l\":[1]}"));
    sim_run(sim, SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, led);
    assert_desired(sim, "{\"led\":\"on\",\"l\":[1]}");
    assert_int_equal(json_object_size(watcher->told), 2);
    scenario_end(sim);
}

/* 332: another change of the shadow is no reason to leave the wish there. */
static void test_332_other_changes_do_not_save_a_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim->hold_request_ms = 200;
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, 50);
    (void)sim_foreign(sim, DESIRED("{\"fan\":1}"));
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"fan\":1}");
    scenario_end(sim);
}

/* 333: below a path what was known goes, what is newer stays, leaf by leaf. */
static void test_333_a_sub_tree_is_settled_leaf_by_leaf(void **state)
{
    (void)state;
    struct sim *sim =
        scenario_up("{\"desired\":{\"led\":{\"on\":true,\"rgb\":{\"r\":1,\"g\":2}},\"fan\":1}}");
    sim->hold_request_ms = 200;
    size_t settle = sim_settle(sim, "/led", NULL);
    sim_run(sim, 50);
    (void)sim_foreign(sim, DESIRED("{\"led\":{\"rgb\":{\"g\":3}}}"));
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":{\"rgb\":{\"g\":3}},\"fan\":1}");
    settle = sim_settle(sim, "/led", NULL);
    sim_run(sim, SIM_SECOND);
    settle_assert_sent(sim, "{\"desired\":{\"led\":null}}");
    sim_run(sim, SIM_MINUTE);
    assert_desired(sim, "{\"fan\":1}");
    scenario_end(sim);
}

/* 334: all wishes at once. */
static void test_334_everything_is_settled(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":{\"c\":2}},\"reported\":{\"x\":1}}");
    size_t settle = sim_settle(sim, "", NULL);
    sim_run(sim, SIM_SECOND);
    assert_settled(sim, settle);
    settle_assert_sent(sim, "{\"desired\":null}");
    assert_desired(sim, "{}");
    assert_reported(sim, "{\"x\":1}");
    scenario_end(sim);
}

/* 335: a wish for all above the path is not the program's to settle. */
static void test_335_a_wish_above_stays(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":5}}");
    size_t settle = sim_settle(sim, "/a/b", NULL);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"a\":5}");
    scenario_end(sim);
}

/* Tell whether the keys say that the wish at the path is being settled. */
static bool settle_shows(struct sim *sim, const char *path)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    assert_int_equal(shadow_write_keys(sim->shadow, path, strlen(path), NULL, sim->now_ms, &writer),
                     0);
    bool shows = strstr(writer.text, "\"settling\":true") != NULL;
    flux_json_writer_clear(&writer);
    return shows;
}

/* 336: without link what was held before is settled when it is back. */
static void test_336_a_held_wish_is_settled_after_reconnect(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim_link_down(sim);
    sim_run(sim, SIM_MINUTE);
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_int_equal(watcher->news, 0);
    assert_true(sim->settles[settle].waiting);
    assert_true(settle_shows(sim, "/led"));
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_settled(sim, settle);
    assert_false(settle_shows(sim, "/led"));
    assert_desired(sim, "{}");
    assert_reported(sim, "{\"led\":\"on\"}");
    scenario_end(sim);
}

/* 337: what the daemon never saw the program cannot have meant. */
static void test_337_an_unknown_wish_is_not_settled(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"desired\":{\"led\":\"on\"}}");
    size_t settle = sim_settle(sim, "/led", "\"off\"");
    sim_run(sim, SIM_MINUTE);
    assert_true(sim->settles[settle].waiting);
    sim_link_up(sim);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":\"on\"}");
    assert_int_equal(json_object_size(watcher->told), 1);
    scenario_end(sim);
}

/* 338: the answer is lost: a get shows that the wish is gone, and nothing is sent again. */
static void test_338_a_lost_answer_is_made_up_for(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    size_t updates = sim->updates;
    sim_run(sim, SIM_SECOND);
    sim->drop_answers = 3;
    size_t settle = sim_settle(sim, "/led", NULL);
    sim_run(sim, SIM_SECOND);
    assert_true(sim->settles[settle].waiting);
    assert_desired(sim, "{}");
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_int_equal(sim->updates, updates + 1);
    scenario_end(sim);
}

/* 339: the request is lost: it is made again on what the get shows. */
static void test_339_a_lost_request_is_made_again(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim->drop_requests = 1;
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 340: a removal that arrives late, after a newer wish, is dead by its version. */
static void test_340_a_late_removal_is_dead(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim->hold_request_ms = 20 * SIM_SECOND;
    size_t settle = sim_settle(sim, "/led", NULL);
    sim_run(sim, 10 * SIM_SECOND);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"off\"}"));
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"on\"}"));
    sim_run(sim, SIM_MINUTE);
    assert_desired(sim, "{\"led\":\"on\"}");
    scenario_end(sim);
}

/* 341: a removal that the service refuses is REJECTED and not tried again; the rest lives on. */
static void test_341_a_refused_removal_does_not_loop(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"bad\":1,\"led\":\"on\"}}");
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    const struct sim_operation report[] = {
        {"/x", "1"}, {"/bad", SIM_SETTLE}, {"/led", SIM_SETTLE}, {"/led", "\"on\""}};
    size_t settle = sim->settle_count;
    size_t op = sim_report(sim, report, 4);
    sim_run(sim, SIM_MINUTE);
    assert_good(sim);
    assert_int_equal(sim->settles[settle].fate, SHADOW_REFUSED);
    assert_settled(sim, settle + 1);
    assert_accepted(sim, op);
    assert_desired(sim, "{\"bad\":1}");
    uint64_t rejected = shadow_service_rejected_with(sim->cloud, 400);
    assert_true(rejected <= 6);
    sim_run(sim, SIM_HOUR);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 400), rejected);
    assert_int_equal(shadow_service_poison(sim->cloud, NULL, 0), 0);
    scenario_end(sim);
}

/* 342: the value is refused: the wish that it was to answer stays. */
static void test_342_the_wish_of_a_refused_value_stays(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":{\"x\":1,\"y\":1},\"b\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    const struct sim_operation report[] = {
        {"/a/bad", "1"}, {"/a", SIM_SETTLE}, {"/b", SIM_SETTLE}, {"/b", "1"}};
    size_t settle = sim->settle_count;
    size_t op = sim_report(sim, report, 4);
    sim_run(sim, SIM_MINUTE);
    assert_rejected(sim, op);
    assert_int_equal(sim->settles[settle].fate, SHADOW_REFUSED);
    assert_settled(sim, settle + 1);
    assert_desired(sim, "{\"a\":{\"x\":1,\"y\":1}}");
    assert_int_equal(json_object_size(watcher->told), 2);
    scenario_end(sim);
}

/* 343: while every update meets a conflict one may go without version: not the removal. */
static void test_343_a_removal_never_goes_without_version(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.interval_ms = 100;
    options.thing.burst = 50;
    options.faults.delay_min_ms = options.faults.delay_max_ms = 100;
    options.cloud.max_per_sec = 0;
    struct sim *sim = scenario_up_with(&options, "{\"desired\":{\"led\":\"on\"}}");
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    for (int i = 0; i < 50; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "{\"state\":{\"reported\":{\"x\":%d}}}", i);
        (void)sim_foreign(sim, text);
        sim_run(sim, 40);
    }
    assert_int_equal(sim->versionless_updates, 1);
    assert_string_equal(json_string_value(doc_at(sim_reported(sim), "/led")), "on");
    assert_desired(sim, "{\"led\":\"on\"}");
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 344: a report sent again settles what it knew: nothing that came since. */
static void test_344_a_report_sent_again_settles_no_newer_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim_run(sim, SIM_SECOND);
    int64_t set_us = sim_take_us(sim);
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, 10 * SIM_SECOND);
    assert_settled(sim, settle);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"off\"}"));
    sim_run(sim, 10 * SIM_SECOND);
    settle = sim->settle_count;
    (void)sim_resend(sim, "/led", SIM_SETTLE, set_us);
    sim_run(sim, 10 * SIM_SECOND);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":\"off\"}");
    scenario_end(sim);
}

/* 345: one that the daemon sees for the first time settles what was held when it was made. */
static void test_345_a_report_sent_late_settles_what_was_held(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim_run(sim, SIM_SECOND);
    int64_t set_us = sim_take_us(sim);
    sim_run(sim, SIM_SECOND);
    size_t settle = sim->settle_count;
    (void)sim_resend(sim, "/led", SIM_SETTLE, set_us);
    sim_run(sim, 10 * SIM_SECOND);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 346: a restarted daemon has not known the wish before: it stays, and is told. */
static void test_346_a_restarted_daemon_settles_nothing_unknown(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim_run(sim, SIM_SECOND);
    int64_t set_us = sim_take_us(sim);
    sim_restart(sim);
    sim_link_up(sim);
    sim_run(sim, 10 * SIM_SECOND);
    size_t settle = sim->settle_count;
    (void)sim_resend(sim, "/led", SIM_SETTLE, set_us);
    sim_run(sim, 10 * SIM_SECOND);
    assert_settled(sim, settle);
    assert_desired(sim, "{\"led\":\"on\"}");
    scenario_end(sim);
}

/* 347: a value that fits only without the wish it answers is taken and fits. */
static void test_347_a_settled_wish_makes_room(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    char payload[6000];
    (void)snprintf(payload, sizeof(payload), DESIRED("{\"map\":%s}"), scenario_string(5000));
    (void)sim_foreign(sim, payload);
    sim_run(sim, SIM_SECOND);
    sim->allow_refusals = true;
    assert_true(sim_set(sim, "/map", scenario_string(5000)) == SIZE_MAX);
    size_t settle = sim_settle(sim, "/map", scenario_string(5000));
    assert_true(settle != SIZE_MAX);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_int_equal(sim_status(sim).refused, 0);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 348: a cloud application that wishes all the time is not kept from it, and all is answered. */
static void test_348_a_storm_of_wishes_ends(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    for (int i = 0; i < 200; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), DESIRED("{\"led\":%d,\"k%d\":1}"), i, i % 5);
        (void)sim_foreign(sim, text);
        sim_run(sim, 150);
        (void)snprintf(text, sizeof(text), "%d", i);
        (void)sim_settle(sim, "/led", text);
        if (i % 7 == 0)
            (void)sim_settle(sim, "", NULL);
        assert_good(sim);
    }
    sim_run(sim, SIM_MINUTE);
    for (size_t i = 0; i < sim->settle_count; i++)
        assert_settled(sim, i);
    (void)watcher;
    scenario_end(sim);
}

/* 349: the shadow is deleted while a removal is on its way: done. */
static void test_349_a_deletion_settles_all(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim->hold_request_ms = 300;
    size_t settle = sim_settle(sim, "/led", NULL);
    sim_run(sim, 50);
    sim_delete(sim);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 350: what is forgotten is not settled. */
static void test_350_a_forgotten_settle_is_given_up(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    sim_link_down(sim);
    size_t settle = sim_settle(sim, "/led", NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_int_equal(watcher->news, 0);
    assert_int_equal(shadow_forget(sim->shadow, "/led", 4, sim->now_ms), 0);
    sim_turn(sim);
    assert_int_equal(sim->settles[settle].fate, SHADOW_REFUSED);
    assert_int_equal(watcher->news, 1);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_desired(sim, "{\"led\":\"on\"}");
    scenario_end(sim);
}

/* 351: 429 and silence keep it waiting; it is done in the end. */
static void test_351_trouble_only_delays_it(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    shadow_service_reject_next(sim->cloud, SHADOW_SERVICE_UPDATE, 2, 429);
    size_t settle = sim_settle(sim, "/led", NULL);
    sim_run(sim, SIM_SECOND);
    assert_true(sim->settles[settle].waiting);
    sim_run(sim, 10 * SIM_MINUTE);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 352: on durable storage a removal waits for its commit, with its value. */
static void test_352_disk_comes_before_the_removal(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.durable = true;
    options.commit_ms = 5 * SIM_SECOND;
    struct sim *sim = scenario_up_with(&options, "{\"desired\":{\"led\":\"on\"}}");
    size_t settle = sim_settle(sim, "/led", "\"on\"");
    sim_run(sim, 4 * SIM_SECOND);
    assert_desired(sim, "{\"led\":\"on\"}");
    sim_run(sim, 10 * SIM_SECOND);
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    scenario_end(sim);
}

/* 354: where the value has to wait the wish stays until it goes. */
static void test_354_a_wish_does_not_go_before_its_value(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.thing.durable = true;
    options.commit_ms = 5 * SIM_SECOND;
    struct sim *sim = scenario_up_with(&options, "{\"desired\":{\"a\":{\"b\":1}}}");
    (void)sim_set(sim, "/x", "1");
    sim_run(sim, 2 * SIM_SECOND); /* a commit is under way */
    const struct sim_operation report[] = {{"/a/b", "1"}, {"/a", SIM_SETTLE}};
    size_t settle = sim->settle_count;
    (void)sim_report(sim, report, 2);
    sim_run(sim, 4 * SIM_SECOND);
    assert_reported(sim, "{\"x\":1}");
    assert_desired(sim, "{\"a\":{\"b\":1}}");
    (void)sim_set(sim, "/a/b", "2"); /* too late for the next commit, which holds what goes then */
    sim_run(sim, 4 * SIM_SECOND + 500);
    assert_reported(sim, "{\"x\":1,\"a\":{\"b\":1}}");
    assert_settled(sim, settle);
    assert_desired(sim, "{}");
    sim_run(sim, 20 * SIM_SECOND);
    assert_reported(sim, "{\"x\":1,\"a\":{\"b\":2}}");
    scenario_end(sim);
}

/* 355: a 413 is counted again and halved; a removal that meets one alone is REJECTED. */
static void test_355_sizes_are_counted_with_removals_too(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\",\"bad\":1}}");
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 413), 0);
    const struct sim_operation report[] = {
        {"/bad", SIM_SETTLE}, {"/x", "1"}, {"/led", "\"on\""}, {"/led", SIM_SETTLE}};
    size_t settle = sim->settle_count;
    size_t op = sim_report(sim, report, 4);
    sim_run(sim, 2 * SIM_MINUTE);
    assert_accepted(sim, op);
    assert_int_equal(sim->settles[settle].fate, SHADOW_REFUSED);
    assert_settled(sim, settle + 1);
    assert_desired(sim, "{\"bad\":1}");
    uint64_t rejected = shadow_service_rejected_with(sim->cloud, 413);
    assert_true(rejected <= 6);
    sim_run(sim, SIM_HOUR);
    assert_int_equal(shadow_service_rejected_with(sim->cloud, 413), rejected);
    assert_int_equal(shadow_service_poison(sim->cloud, NULL, 0), 0);
    scenario_end(sim);
}

/* 356: many wishes settled at once make one update, and one that is refused among them costs a
 * handful. */
static void test_356_many_wishes_go_together(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,"
                                  "\"g\":1,\"bad\":1}}");
    const struct sim_operation report[] = {
        {"/a", SIM_SETTLE}, {"/b", SIM_SETTLE}, {"/c", SIM_SETTLE}, {"/d", SIM_SETTLE},
        {"/e", SIM_SETTLE}, {"/f", SIM_SETTLE}, {"/g", SIM_SETTLE}, {"/bad", SIM_SETTLE}};
    size_t updates = sim->updates;
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    (void)sim_report(sim, report, 8);
    sim_run(sim, SIM_MINUTE);
    for (size_t i = 0; i < 7; i++)
        assert_settled(sim, i);
    assert_int_equal(sim->settles[7].fate, SHADOW_REFUSED);
    assert_desired(sim, "{\"bad\":1}");
    assert_true(sim->updates - updates <= 8); /* 2 log2(8) + 2 */
    assert_int_equal(shadow_service_poison(sim->cloud, NULL, 0), 0);
    size_t settle = sim_settle(sim, "/bad", NULL);
    sim_run(sim, SIM_MINUTE);
    assert_settled(sim, settle);
    scenario_end(sim);
}

/* 357: what waits is bounded, and the bound is said. */
static void test_357_what_waits_to_be_settled_is_bounded(void **state)
{
    (void)state;
    struct sim *sim = scenario_new(NULL);
    struct shadow_refusal refusal = {0};
    char path[32];
    struct shadow_operation operation = {.kind = FLUX_SETTLE, .path = path};
    for (int i = 0; i < (int)FLUX_PROPERTIES_MAX; i++) {
        operation.path_size = (size_t)snprintf(path, sizeof(path), "/k%d", i);
        assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_QUEUED);
    }
    operation.path_size = (size_t)snprintf(path, sizeof(path), "/more");
    assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_REFUSED);
    assert_int_equal(refusal.code, 413);
    assert_string_equal(refusal.path, "/more");
    assert_int_equal(sim_status(sim).pending, FLUX_PROPERTIES_MAX);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(sim_status(sim).pending, 0);
    assert_int_equal(sim_report_raw(sim, &operation, 1, &refusal), SHADOW_REPORT_QUEUED);
    scenario_end(sim);
}

/* 358: programs that settle where nothing is wished leave nothing behind, however many paths they
 * think of. */
static void test_358_settling_what_is_not_wished_leaves_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    for (int i = 0; i < 20000; i++) {
        char path[32];
        struct shadow_refusal refusal;
        int size = snprintf(path, sizeof(path), "/p%d/q", i);
        const struct shadow_operation settle = {
            .kind = FLUX_SETTLE, .path = path, .path_size = (size_t)size};
        assert_int_equal(sim_report_raw(sim, &settle, 1, &refusal), SHADOW_REPORT_QUEUED);
        sim_turn(sim);
    }
    assert_true(sim->shadow->settles.set.node_count < 2 * FLUX_PROPERTIES_MAX);
    scenario_end(sim);
}

/* 359: whoever stops waits for a wish to be settled as for a value. */
static void test_359_a_stop_waits_for_a_settle(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"led\":\"on\"}}");
    size_t settle = sim_settle(sim, "/led", NULL);
    assert_false(thing_has_sent_all(sim->thing));
    assert_int_equal(shadow_count_unsent(sim->shadow), 1);
    sim_run(sim, 5 * SIM_SECOND);
    assert_settled(sim, settle);
    assert_true(thing_has_sent_all(sim->thing));
    assert_int_equal(shadow_count_unsent(sim->shadow), 0);
    scenario_end(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_325_a_value_and_its_wish_travel_together),
              cmocka_unit_test(test_326_a_wish_is_refused_without_a_value),
              cmocka_unit_test(test_327_a_button_overrides_a_wish),
              cmocka_unit_test(test_328_nothing_to_settle_sends_nothing),
              cmocka_unit_test(test_329_a_newer_wish_wins_before_the_update),
              cmocka_unit_test(test_330_a_newer_wish_wins_on_the_way),
              cmocka_unit_test(test_331_a_wish_made_again_is_newer),
              cmocka_unit_test(test_353_a_wish_made_again_without_link_is_newer),
              cmocka_unit_test(test_354_a_wish_does_not_go_before_its_value),
              cmocka_unit_test(test_355_sizes_are_counted_with_removals_too),
              cmocka_unit_test(test_356_many_wishes_go_together),
              cmocka_unit_test(test_357_what_waits_to_be_settled_is_bounded),
              cmocka_unit_test(test_358_settling_what_is_not_wished_leaves_nothing),
              cmocka_unit_test(test_359_a_stop_waits_for_a_settle),
              cmocka_unit_test(test_332_other_changes_do_not_save_a_wish),
              cmocka_unit_test(test_333_a_sub_tree_is_settled_leaf_by_leaf),
              cmocka_unit_test(test_334_everything_is_settled),
              cmocka_unit_test(test_335_a_wish_above_stays),
              cmocka_unit_test(test_336_a_held_wish_is_settled_after_reconnect),
              cmocka_unit_test(test_337_an_unknown_wish_is_not_settled),
              cmocka_unit_test(test_338_a_lost_answer_is_made_up_for),
              cmocka_unit_test(test_339_a_lost_request_is_made_again),
              cmocka_unit_test(test_340_a_late_removal_is_dead),
              cmocka_unit_test(test_341_a_refused_removal_does_not_loop),
              cmocka_unit_test(test_342_the_wish_of_a_refused_value_stays),
              cmocka_unit_test(test_343_a_removal_never_goes_without_version),
              cmocka_unit_test(test_344_a_report_sent_again_settles_no_newer_wish),
              cmocka_unit_test(test_345_a_report_sent_late_settles_what_was_held),
              cmocka_unit_test(test_346_a_restarted_daemon_settles_nothing_unknown),
              cmocka_unit_test(test_347_a_settled_wish_makes_room),
              cmocka_unit_test(test_348_a_storm_of_wishes_ends),
              cmocka_unit_test(test_349_a_deletion_settles_all),
              cmocka_unit_test(test_350_a_forgotten_settle_is_given_up),
              cmocka_unit_test(test_351_trouble_only_delays_it),
              cmocka_unit_test(test_352_disk_comes_before_the_removal))
