/* What the cloud wishes comes to the programs. Invariant: a watcher knows of every wish that
 * differs from what is reported, is told of each change once, and nothing desired is ever reported
 * back. */
#include "tests/scenario/scenario.h"

#include "tests/scenario/sim_watch.h"
#include <string.h>

#define DESIRED(text) "{\"state\":{\"desired\":" text "}}"

/* Compare what a watcher knows to differ with JSON text: paths and values. */
#define assert_knows(sim, watcher, text)                                                           \
    desired_assert_knows(sim, watcher, text, __FILE__, __LINE__)
static void desired_assert_knows(struct sim *sim, const struct sim_watcher *watcher,
                                 const char *text, const char *file, int line)
{
    assert_good(sim);
    json_t *expected = doc_parse(text);
    bool equal = doc_equal(expected, watcher->told, false);
    json_decref(expected);
    if (equal)
        return;
    char *told = json_dumps(watcher->told, JSON_COMPACT);
    print_error("the watcher knows %s\nexpected %s\n", told, text);
    free(told);
    _fail(file, line);
}

/* Compare what shadow_write() says of a section; NULL: nothing is there. */
#define assert_section(sim, section, path, text)                                                   \
    desired_assert_section(sim, section, path, text, __FILE__, __LINE__)
static void desired_assert_section(struct sim *sim, enum shadow_section section, const char *path,
                                   const char *text, const char *file, int line)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int r = shadow_write(sim->shadow, section, path, strlen(path), &writer);
    bool right = text != NULL ? r == 0 && strcmp(writer.text, text) == 0 : r < 0;
    if (!right)
        print_error("the section is %s (%d)\nexpected %s\n", writer.text ? writer.text : "", r,
                    text ? text : "nothing");
    flux_json_writer_clear(&writer);
    if (!right)
        _fail(file, line);
}

/* 300: a wish is told at once, and nothing is reported for it. */
static void test_300_a_wish_is_told_and_not_echoed(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{\"led\":\"off\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    size_t updates = sim->updates;
    int64_t version = sim_foreign(sim, DESIRED("{\"led\":\"on\"}"));
    sim_run(sim, 100);
    assert_knows(sim, watcher, "{\"/led\":\"on\"}");
    assert_int_equal(watcher->version, version);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(watcher->news, 1);
    assert_int_equal(sim->updates, updates);
    assert_reported(sim, "{\"led\":\"off\"}");
    scenario_end(sim);
}

/* 301: who comes late, or again, is told all that differs, and only that. */
static void test_301_a_late_watcher_is_told_at_once(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":2,\"c\":3},\"reported\":{\"a\":1}}");
    sim_run(sim, SIM_MINUTE);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_knows(sim, watcher, "{\"/b\":2,\"/c\":3}");
    struct sim_watcher *later = sim_watch(sim, "/c", 0);
    sim_turn(sim);
    assert_knows(sim, later, "{\"/c\":3}");
    sim_unwatch(sim, watcher);
    sim_unwatch(sim, later);
    (void)sim_set(sim, "/b", "2");
    (void)sim_foreign(sim, DESIRED("{\"d\":4}"));
    sim_run(sim, SIM_MINUTE);
    watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_knows(sim, watcher, "{\"/c\":3,\"/d\":4}");
    scenario_end(sim);
}

/* 302: a wish that a program meets is told once as met, when the program says so: it need not reach
 * the cloud first. */
static void test_302_a_met_wish_is_told_once(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_foreign(sim, DESIRED("{\"led\":\"on\"}"));
    sim_run(sim, SIM_SECOND);
    (void)sim_set(sim, "/led", "\"on\"");
    assert_knows(sim, watcher, "{}");
    assert_int_equal(watcher->news, 2);
    sim_run(sim, SIM_MINUTE);
    assert_int_equal(watcher->news, 2);
    scenario_end(sim);
}

/* 303: a wish that the cloud takes back is told once as gone. */
static void test_303_a_cleared_wish_is_told_once(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_foreign(sim, DESIRED("{\"a\":1,\"b\":{\"c\":2}}"));
    sim_run(sim, SIM_SECOND);
    (void)sim_foreign(sim, DESIRED("{\"a\":null}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{\"/b/c\":2}");
    (void)sim_foreign(sim, DESIRED("null"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{}");
    assert_int_equal(watcher->news, 4);
    scenario_end(sim);
}

/* 304: what changed while the link was down is recovered; what did not is not told again. */
static void test_304_a_change_missed_without_link_is_recovered(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":2,\"c\":3}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_int_equal(watcher->news, 3);
    sim_link_down(sim);
    (void)sim_foreign(sim, DESIRED("{\"a\":10,\"b\":null,\"d\":4}"));
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, watcher, "{\"/a\":1,\"/b\":2,\"/c\":3}");
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, watcher, "{\"/a\":10,\"/c\":3,\"/d\":4}");
    assert_int_equal(watcher->news, 6);
    scenario_end(sim);
}

/* 304b: what nothing of this connection has confirmed is told as stale; the cloud may want
 * something else by now. */
static void test_304b_a_wish_from_before_the_link_was_lost_is_stale(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_int_equal(watcher->news, 1);
    assert_int_equal(watcher->stale_news, 0);
    sim_run(sim, SIM_MINUTE);
    sim_link_down(sim);
    struct sim_watcher *late = sim_watch(sim, "", 0);
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, late, "{\"/a\":1}");
    assert_int_equal(late->stale_news, 1);
    sim_link_up(sim);
    sim_run(sim, SIM_MINUTE);
    (void)sim_foreign(sim, DESIRED("{\"a\":2}"));
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, late, "{\"/a\":2}");
    assert_int_equal(late->stale_news, 1);
    assert_int_equal(watcher->stale_news, 0);
    scenario_end(sim);
}

/* 305: a link that comes back with nothing new has nothing to tell. */
static void test_305_an_unchanged_shadow_is_no_news_after_reconnect(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"o\":{\"x\":[1]}}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    for (int i = 0; i < 5; i++) {
        sim_link_down(sim);
        sim_run(sim, 2 * SIM_MINUTE);
        sim_link_up(sim);
        sim_run(sim, 2 * SIM_MINUTE);
    }
    assert_int_equal(watcher->news, 2);
    assert_true(sim->gets > 1);
    scenario_end(sim);
}

/* 306: what is known is told without link too, and a report made meanwhile counts. */
static void test_306_wishes_stay_known_without_link(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":2}}");
    sim_link_down(sim);
    sim_run(sim, SIM_MINUTE);
    (void)sim_set(sim, "/a", "1");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    assert_knows(sim, watcher, "{\"/b\":2}");
    (void)sim_set(sim, "/b", "2");
    assert_knows(sim, watcher, "{}");
    (void)sim_set(sim, "/b", "3");
    assert_knows(sim, watcher, "{\"/b\":2}");
    sim_link_up(sim);
    scenario_end(sim);
}

/* 307: messages that arrive in any order are told in the order of their versions. */
static void test_307_reordered_messages_tell_the_newest(void **state)
{
    (void)state;
    struct sim_options options;
    sim_options_init(&options, 1);
    options.faults.delay_min_ms = 10;
    options.faults.delay_max_ms = 400;
    struct sim *sim = scenario_up_with(&options, NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    for (int i = 0; i < 50; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), DESIRED("{\"n\":%d}"), i);
        (void)sim_foreign(sim, text);
        sim_run(sim, 100);
        assert_good(sim);
    }
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, watcher, "{\"/n\":49}");
    scenario_end(sim);
}

/* 308: an accepted message that is lost is made up for: the delta tells of it. */
static void test_308_a_lost_accepted_message_is_made_up_for(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim->drop_answers = 1;
    (void)sim_foreign(sim, DESIRED("{\"a\":1}"));
    sim_run(sim, 10 * SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a\":1}");
    scenario_end(sim);
}

/* 309: several watchers with prefixes of their own. */
static void test_309_watchers_hear_what_they_watch(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *all = sim_watch(sim, "", 0);
    struct sim_watcher *led = sim_watch(sim, "/led", 0);
    struct sim_watcher *color = sim_watch(sim, "/led/color", 0);
    struct sim_watcher *other = sim_watch(sim, "/ledger", 0);
    (void)sim_foreign(sim, DESIRED("{\"led\":{\"on\":true,\"color\":\"red\"},\"fan\":1}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, all, "{\"/led/on\":true,\"/led/color\":\"red\",\"/fan\":1}");
    assert_knows(sim, led, "{\"/led/on\":true,\"/led/color\":\"red\"}");
    assert_knows(sim, color, "{\"/led/color\":\"red\"}");
    assert_knows(sim, other, "{}");
    (void)sim_foreign(sim, DESIRED("{\"led\":\"none\"}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, color, "{\"/led\":\"none\"}");
    assert_knows(sim, other, "{}");
    scenario_end(sim);
}

/* 310: a watcher that listens seldom skips what was in between and still ends up right. */
static void test_310_slow_watchers_skip_and_end_up_right(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *slow = sim_watch(sim, "", 97);
    struct sim_watcher *quick = sim_watch(sim, "", 0);
    for (int i = 0; i < 300; i++) {
        char text[96];
        (void)snprintf(text, sizeof(text),
                       i % 3 ? DESIRED("{\"a\":%d,\"b\":{\"c\":%d}}")
                             : DESIRED("{\"a\":%d,\"b\":null,\"x\":%d}"),
                       i, i % 7);
        (void)sim_foreign(sim, text);
        if (i % 5 == 0)
            (void)sim_set(sim, "/x", i % 2 ? "0" : "3");
        sim_run(sim, 500);
        assert_good(sim);
    }
    assert_true(slow->news < quick->news / 2);
    scenario_end(sim);
}

/* 311: numbers compare by value, arrays element by element. */
static void test_311_wishes_compare_by_value(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"n\":1.0,\"l\":[1,2.0,{\"x\":1}]}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_set(sim, "/n", "1");
    (void)sim_set(sim, "/l", "[1.0,2,{\"x\":1.0}]");
    assert_knows(sim, watcher, "{}");
    (void)sim_set(sim, "/l", "[1.0,2,{\"x\":1.5}]");
    assert_section(sim, SHADOW_SECTION_DELTA, "", "{\"l\":[1,2,{\"x\":1}]}");
    scenario_end(sim);
}

/* 312: an object is met by what is in it: `{}` only where nothing is. */
static void test_312_an_empty_object_is_a_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up(NULL);
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_foreign(sim, DESIRED("{\"o\":{}}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{\"/o\":{}}");
    (void)sim_set(sim, "/o/x", "1");
    assert_knows(sim, watcher, "{}");
    scenario_end(sim);
}

/* 313: another writer's report meets a wish as well, and its change brings it back. */
static void test_313_what_others_report_counts(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":1}}}");
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{}");
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"a\":null}}}");
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a\":1}");
    scenario_end(sim);
}

/* 314: a refused value meets no wish. */
static void test_314_a_refused_value_meets_no_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"bad\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    assert_int_equal(shadow_service_poison(sim->cloud, "bad", 400), 0);
    (void)sim_set(sim, "/bad", "1");
    assert_knows(sim, watcher, "{}");
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, watcher, "{\"/bad\":1}");
    scenario_end(sim);
}

/* 315: with the shadow its wishes are gone; one made anew begins with the old values reported. */
static void test_315_a_deleted_shadow_wishes_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":{\"c\":2}},\"reported\":{\"x\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_set(sim, "/y", "1");
    sim_run(sim, 10 * SIM_SECOND);
    sim_delete(sim);
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{}");
    sim_run(sim, 10 * SIM_SECOND);
    (void)sim_foreign(sim, DESIRED("{\"a\":1}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a\":1}");
    scenario_end(sim);
}

/* 316: a document that cannot be read tells nothing: what was known stays. */
static void test_316_an_unreadable_document_takes_nothing_back(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    sim_link_down(sim);
    sim->mangle_get =
        "{\"state\":{\"desired\":{\"a\":1e999}},\"version\":8,\"clientToken\":\"%s\"}";
    sim_run(sim, 2 * SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, 300);
    assert_int_equal(sim_status(sim).view, SHADOW_VIEW_UNREADABLE);
    (void)sim_set(sim, "/b", "1");
    assert_knows(sim, watcher, "{\"/a\":1}");
    assert_int_equal(watcher->news, 1);
    sim_run(sim, 10 * SIM_MINUTE);
    assert_int_equal(watcher->news, 1);
    scenario_end(sim);
}

/* 317: after a restart of the daemon everything that differs is told by the new one. */
static void test_317_a_restarted_daemon_tells_what_differs(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":2},\"reported\":{\"b\":2}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    sim_restart(sim);
    assert_knows(sim, watcher, "{}");
    sim_link_up(sim);
    sim_run(sim, 10 * SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a\":1}");
    scenario_end(sim);
}

/* 318: desired and delta can be read, whole and in part. */
static void test_318_desired_and_delta_are_written(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":{\"c\":2,\"d\":[1]},\"e\":{}},"
                                  "\"reported\":{\"a\":1,\"b\":{\"c\":3,\"x\":1}}}");
    assert_section(sim, SHADOW_SECTION_DESIRED, "", "{\"a\":1,\"b\":{\"c\":2,\"d\":[1]},\"e\":{}}");
    assert_section(sim, SHADOW_SECTION_DESIRED, "/b/c", "2");
    assert_section(sim, SHADOW_SECTION_DESIRED, "/x", NULL);
    assert_section(sim, SHADOW_SECTION_DELTA, "", "{\"b\":{\"c\":2,\"d\":[1]},\"e\":{}}");
    assert_section(sim, SHADOW_SECTION_DELTA, "/b", "{\"c\":2,\"d\":[1]}");
    assert_section(sim, SHADOW_SECTION_DELTA, "/a", NULL);
    (void)sim_set(sim, "/b/c", "2");
    assert_section(sim, SHADOW_SECTION_DELTA, "", "{\"b\":{\"d\":[1]},\"e\":{}}");
    (void)sim_set(sim, "/b/d", "[1]");
    (void)sim_set(sim, "/e", "{}");
    assert_section(sim, SHADOW_SECTION_DELTA, "", NULL);
    scenario_end(sim);
}

/* 319: without a link and never seen, nothing is wished. */
static void test_319_an_unknown_shadow_wishes_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_new("{\"desired\":{\"a\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_run(sim, SIM_MINUTE);
    assert_knows(sim, watcher, "{}");
    assert_section(sim, SHADOW_SECTION_DESIRED, "", NULL);
    assert_section(sim, SHADOW_SECTION_DELTA, "", NULL);
    sim_link_up(sim);
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a\":1}");
    scenario_end(sim);
}

/* 320: a wish for a path inside what is reported as a value differs, and the other way round. */
static void test_320_values_and_objects_exclude_each_other(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":{\"b\":1},\"c\":5}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_set(sim, "/a", "1");
    (void)sim_set(sim, "/c/d", "5");
    sim_run(sim, 10 * SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a/b\":1,\"/c\":5}");
    (void)sim_unset(sim, "/a");
    (void)sim_set(sim, "/a/b", "1");
    (void)sim_set(sim, "/c", "5");
    assert_knows(sim, watcher, "{}");
    scenario_end(sim);
}

/* 321: what removals leave over is nobody's wish; an object that is wished is one. */
static void test_321_what_is_left_over_is_no_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"o\":{\"x\":1}}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    (void)sim_foreign(sim, DESIRED("{\"o\":{\"x\":null}}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{}");
    assert_section(sim, SHADOW_SECTION_DELTA, "", "{\"o\":{}}");
    (void)sim_foreign(sim, DESIRED("{\"o\":{}}"));
    sim_run(sim, SIM_SECOND);
    assert_knows(sim, watcher, "{\"/o\":{}}");
    scenario_end(sim);
}

/* 322: neither does one that could be held only in part. */
static void test_322_a_document_held_in_part_tells_nothing(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1,\"b\":2},\"reported\":{\"a\":1,\"z\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    sim_turn(sim);
    sim_link_down(sim);
    static char document[2048];
    char key[1200];
    memset(key, 'k', sizeof(key));
    key[sizeof(key) - 1] = '\0';
    (void)snprintf(document, sizeof(document),
                   "{\"state\":{\"reported\":{\"%s\":1}},\"version\":8,\"clientToken\":\"%%s\"}",
                   key);
    sim->mangle_get = document;
    sim_run(sim, 2 * SIM_MINUTE);
    sim_link_up(sim);
    sim_run(sim, 300);
    assert_int_equal(sim_status(sim).view, SHADOW_VIEW_UNREADABLE);
    (void)sim_set(sim, "/c", "1");
    assert_knows(sim, watcher, "{\"/b\":2}");
    sim_run(sim, 10 * SIM_MINUTE);
    assert_int_equal(watcher->news, 1);
    scenario_end(sim);
}

/* 323: who watches hears within seconds what was missed during a short outage, and the next; a link
 * that flaps for long falls back to one look a minute, but what is heard while it is up is told. */
static void test_323_a_short_outage_costs_a_watcher_no_minute(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"desired\":{\"a\":1}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    size_t gets = sim->gets;
    for (int i = 2; i < 4; i++) {
        sim_link_down(sim);
        char wish[80], known[32];
        (void)snprintf(wish, sizeof(wish), DESIRED("{\"a\":%d}"), i);
        (void)snprintf(known, sizeof(known), "{\"/a\":%d}", i);
        (void)sim_foreign(sim, wish);
        sim_run(sim, SIM_SECOND);
        sim_link_up(sim);
        sim_run(sim, 2 * SIM_SECOND);
        assert_knows(sim, watcher, known);
    }
    for (int i = 0; i < 120; i++) {
        sim_link_down(sim);
        sim_run(sim, 2 * SIM_SECOND);
        sim_link_up(sim);
        sim_run(sim, 3 * SIM_SECOND);
    }
    assert_true(sim->gets - gets <= 14);
    (void)sim_foreign(sim, DESIRED("{\"a\":9}"));
    sim_run(sim, 2 * SIM_SECOND);
    assert_knows(sim, watcher, "{\"/a\":9}");
    scenario_end(sim);
}

/* 324: what the device forgets, another writer may have reported as wished. */
static void test_324_a_forgotten_value_may_meet_a_wish(void **state)
{
    (void)state;
    struct sim *sim = scenario_up("{\"reported\":{},\"desired\":{\"led\":\"on\"}}");
    struct sim_watcher *watcher = sim_watch(sim, "", 0);
    (void)sim_set(sim, "/led", "\"off\"");
    sim_run(sim, 5 * SIM_SECOND);
    (void)sim_foreign(sim, "{\"state\":{\"reported\":{\"led\":\"on\"}}}");
    sim_run(sim, 100);
    assert_knows(sim, watcher, "{\"/led\":\"on\"}");
    assert_int_equal(shadow_forget(sim->shadow, "/led", 4, sim->now_ms), 0);
    sim_turn(sim);
    assert_knows(sim, watcher, "{}");
    assert_good(sim);
    (void)sim_free(sim);
}

SCENARIO_MAIN(cmocka_unit_test(test_300_a_wish_is_told_and_not_echoed),
              cmocka_unit_test(test_301_a_late_watcher_is_told_at_once),
              cmocka_unit_test(test_302_a_met_wish_is_told_once),
              cmocka_unit_test(test_303_a_cleared_wish_is_told_once),
              cmocka_unit_test(test_304_a_change_missed_without_link_is_recovered),
              cmocka_unit_test(test_304b_a_wish_from_before_the_link_was_lost_is_stale),
              cmocka_unit_test(test_305_an_unchanged_shadow_is_no_news_after_reconnect),
              cmocka_unit_test(test_306_wishes_stay_known_without_link),
              cmocka_unit_test(test_307_reordered_messages_tell_the_newest),
              cmocka_unit_test(test_308_a_lost_accepted_message_is_made_up_for),
              cmocka_unit_test(test_309_watchers_hear_what_they_watch),
              cmocka_unit_test(test_310_slow_watchers_skip_and_end_up_right),
              cmocka_unit_test(test_311_wishes_compare_by_value),
              cmocka_unit_test(test_312_an_empty_object_is_a_wish),
              cmocka_unit_test(test_313_what_others_report_counts),
              cmocka_unit_test(test_314_a_refused_value_meets_no_wish),
              cmocka_unit_test(test_315_a_deleted_shadow_wishes_nothing),
              cmocka_unit_test(test_316_an_unreadable_document_takes_nothing_back),
              cmocka_unit_test(test_317_a_restarted_daemon_tells_what_differs),
              cmocka_unit_test(test_318_desired_and_delta_are_written),
              cmocka_unit_test(test_319_an_unknown_shadow_wishes_nothing),
              cmocka_unit_test(test_321_what_is_left_over_is_no_wish),
              cmocka_unit_test(test_322_a_document_held_in_part_tells_nothing),
              cmocka_unit_test(test_320_values_and_objects_exclude_each_other),
              cmocka_unit_test(test_324_a_forgotten_value_may_meet_a_wish),
              cmocka_unit_test(test_323_a_short_outage_costs_a_watcher_no_minute))
