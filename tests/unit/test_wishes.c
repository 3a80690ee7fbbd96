/* Wishes against a desired document and a reported one of the test's choosing, through the cursors
 * of watchers. */
#include "daemon/shadow/wishes.h"

#include "daemon/shadow/projection.h"
#include "tests/unit/ledger_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct wishes wishes;

static int setup(void **state)
{
    assert_int_equal(wishes_init(&wishes, 3), 0);
    return ledger_world_setup(state);
}

static int teardown(void **state)
{
    wishes_clear(&wishes);
    return ledger_world_teardown(state);
}

static bool differs(struct ledger_world *world, const struct flux_property *node)
{
    if (!desired_is_leaf(node) || desire_of(node)->left_over)
        return false;
    struct flux_value value = projection_at(&world->ledger, node->path, node->path_size);
    return !flux_value_equal(&node->value, &value);
}

/* Compare, as the shadow does once a turn. */
static void look(struct ledger_world *world)
{
    struct flux_property *root = world->view.desired.set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        desire_of(p)->differs = differs(world, p);
    assert_int_equal(wishes_note(&wishes, &world->view.desired), 0);
}

/* The answer to a get with these sections, then a look. */
static void get(struct ledger_world *world, const char *desired, const char *reported)
{
    static int64_t version;
    char text[32768];
    (void)snprintf(text, sizeof(text),
                   "{\"state\":{\"desired\":%s,\"reported\":%s},\"version\":%lld}", desired,
                   reported, (long long)++version);
    ledger_world_get(world, text);
    look(world);
}

/* What an accepted update of somebody carried, then a look. */
static void merge(struct ledger_world *world, const char *desired)
{
    json_t *object = json_loads(desired, 0, NULL);
    assert_non_null(object);
    assert_int_equal(desired_merge(&world->view.desired, object, NULL, ++world->now_ms), 0);
    json_decref(object);
    look(world);
}

static void report(struct ledger_world *world, const char *path, const char *json)
{
    (void)ledger_world_report(world, path, json);
    look(world);
}

/* All that is news for a watcher, as "path=value;" in the order told; "-" for no value. */
static const char *pull(const char *path, struct shadow_wish_cursor *cursor)
{
    static char text[65536];
    size_t size = 0;
    struct shadow_wish wish;
    text[0] = '\0';
    while (wishes_next(&wishes, path, strlen(path), cursor, &wish)) {
        struct flux_json_writer writer;
        assert_int_equal(strlen(wish.path), wish.path_size);
        flux_json_writer_init(&writer, 0);
        if (wish.value)
            flux_json_value(&writer, wish.value);
        size += (size_t)snprintf(text + size, sizeof(text) - size, "%s=%s;", wish.path,
                                 wish.value ? writer.text : "-");
        assert_true(size < sizeof(text));
        flux_json_writer_clear(&writer);
    }
    return text;
}

static void test_what_differs_is_told_once(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"led\":\"on\",\"fan\":1,\"same\":true}", "{\"led\":\"off\",\"same\":true}");
    assert_string_equal(pull("", &cursor), "/led=\"on\";/fan=1;");
    assert_string_equal(pull("", &cursor), "");
    look(world);
    assert_string_equal(pull("", &cursor), "");
}

static void test_a_met_wish_is_told_once_as_no_longer_differing(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"led\":\"on\"}", "{}");
    (void)pull("", &cursor);
    report(world, "/led", "\"on\"");
    assert_string_equal(pull("", &cursor), "/led=-;");
    assert_string_equal(pull("", &cursor), "");
}

static void test_a_cleared_wish_is_told_once(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"led\":\"on\",\"x\":1}", "{}");
    (void)pull("", &cursor);
    merge(world, "{\"led\":null}");
    assert_string_equal(pull("", &cursor), "/led=-;");
    look(world);
    assert_string_equal(pull("", &cursor), "");
}

static void test_who_was_not_told_of_a_wish_is_not_told_of_its_end(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor early = {0}, late = {0}, empty = {0};
    assert_string_equal(pull("", &empty), "");
    get(world, "{\"led\":\"on\"}", "{}");
    (void)pull("", &early);
    merge(world, "{\"fan\":1}");
    report(world, "/led", "\"on\"");
    assert_string_equal(pull("", &late), "/fan=1;");
    assert_string_equal(pull("", &empty), "/fan=1;");
    assert_string_equal(pull("", &early), "/fan=1;/led=-;");
}

static void test_a_new_value_is_told_again(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":1,\"b\":1}", "{}");
    (void)pull("", &cursor);
    merge(world, "{\"a\":2}");
    assert_string_equal(pull("", &cursor), "/a=2;");
}

static void test_an_equal_value_said_again_is_not_told_again(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":1}", "{}");
    (void)pull("", &cursor);
    merge(world, "{\"a\":1.0}");
    get(world, "{\"a\":1}", "{}");
    assert_string_equal(pull("", &cursor), "");
}

static void test_a_wish_that_differs_again_is_told_again(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":1}", "{}");
    (void)pull("", &cursor);
    report(world, "/a", "1");
    (void)pull("", &cursor);
    report(world, "/a", "2");
    assert_string_equal(pull("", &cursor), "/a=1;");
    report(world, "/a", "1");
    assert_string_equal(pull("", &cursor), "/a=-;");
}

static void test_a_slow_watcher_skips_what_was_in_between(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor slow = {0};
    get(world, "{\"a\":0,\"b\":0}", "{}");
    assert_string_equal(pull("", &slow), "/a=0;/b=0;");
    for (int i = 1; i < 100; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "{\"a\":%d}", i);
        merge(world, text);
        report(world, "/a", i % 2 ? "-1" : "-2");
    }
    merge(world, "{\"b\":null,\"c\":7}");
    merge(world, "{\"c\":null}");
    assert_string_equal(pull("", &slow), "/a=99;/b=-;");
}

/* Between two pulls everything may happen to a path, any number of times: what was told last
 * decides. */
static void test_what_came_and_went_unseen_stays_unseen(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor first = {0}, second = {0};
    get(world, "{\"a\":1}", "{}");
    (void)pull("", &first);
    for (int i = 0; i < 20; i++) {
        merge(world, "{\"a\":null}");
        if (i == 10)
            assert_string_equal(pull("", &second), "");
        merge(world, "{\"a\":1}");
    }
    merge(world, "{\"a\":null}");
    assert_string_equal(pull("", &first), "/a=-;");
    assert_string_equal(pull("", &second), "");
}

/* A watcher may stop in the middle of the news, as one whose queue is full. */
static void test_news_while_reading_is_not_lost(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    struct shadow_wish wish;
    get(world, "{\"a\":1,\"b\":1,\"c\":1}", "{}");
    assert_true(wishes_next(&wishes, "", 0, &cursor, &wish));
    assert_string_equal(wish.path, "/a");
    merge(world, "{\"a\":null,\"b\":null}");
    assert_string_equal(pull("", &cursor), "/c=1;/a=-;");
    merge(world, "{\"b\":2}");
    assert_string_equal(pull("", &cursor), "/b=2;");
}

static void test_a_prefix_is_told_only_of_what_concerns_it(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor a = {0}, ab = {0}, abc = {0}, x = {0};
    get(world, "{\"a\":{\"b\":{\"c\":1,\"d\":2},\"bb\":3},\"x\":4}", "{}");
    assert_string_equal(pull("/a", &a), "/a/b/c=1;/a/b/d=2;/a/bb=3;");
    assert_string_equal(pull("/a/b", &ab), "/a/b/c=1;/a/b/d=2;");
    assert_string_equal(pull("/a/b/c", &abc), "/a/b/c=1;");
    assert_string_equal(pull("/x", &x), "/x=4;");
    merge(world, "{\"a\":{\"bb\":null}}");
    assert_string_equal(pull("/a", &a), "/a/bb=-;");
    assert_string_equal(pull("/a/b", &ab), "");
}

static void test_a_value_above_covers_what_is_watched(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor below = {0};
    get(world, "{\"a\":{\"b\":1}}", "{}");
    assert_string_equal(pull("/a/b", &below), "/a/b=1;");
    merge(world, "{\"a\":5}");
    assert_string_equal(pull("/a/b", &below), "/a/b=-;/a=5;");
    merge(world, "{\"a\":{\"b\":2}}");
    assert_string_equal(pull("/a/b", &below), "/a=-;/a/b=2;");
}

static void test_an_empty_object_above_does_not_concern_who_watches_below(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor below = {0}, all = {0};
    get(world, "{\"a\":{}}", "{}");
    assert_string_equal(pull("/a/b", &below), "");
    assert_string_equal(pull("", &all), "/a={};");
    merge(world, "{\"a\":5}");
    assert_string_equal(pull("/a/b", &below), "/a=5;");
    merge(world, "{\"a\":{}}");
    assert_string_equal(pull("/a/b", &below), "/a=-;");
    assert_string_equal(pull("", &all), "/a={};");
}

static void test_an_empty_object_is_met_by_any_object(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"o\":{}}", "{\"o\":1}");
    assert_string_equal(pull("", &cursor), "/o={};");
    report(world, "/o/x", "1");
    assert_string_equal(pull("", &cursor), "/o=-;");
    report(world, "/o", NULL);
    assert_string_equal(pull("", &cursor), "/o={};");
    report(world, "/o", "{}");
    assert_string_equal(pull("", &cursor), "/o=-;");
}

static void test_what_removals_leave_over_is_no_wish(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"o\":{\"x\":1}}", "{}");
    (void)pull("", &cursor);
    merge(world, "{\"o\":{\"x\":null}}");
    assert_string_equal(pull("", &cursor), "/o/x=-;");
    get(world, "{\"o\":{}}", "{}");
    assert_string_equal(pull("", &cursor), "");
    merge(world, "{\"o\":{}}");
    assert_string_equal(pull("", &cursor), "/o={};");
    get(world, "{\"p\":{\"y\":{\"z\":1}}}", "{}");
    assert_string_equal(pull("", &cursor), "/o=-;/p/y/z=1;");
    get(world, "{\"p\":{\"y\":{}}}", "{}");
    assert_string_equal(pull("", &cursor), "/p/y/z=-;");
}

static void test_a_value_in_place_of_what_was_left_over_is_a_wish(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"o\":{\"x\":1},\"p\":{\"y\":1}}", "{}");
    (void)pull("", &cursor);
    merge(world, "{\"o\":{\"x\":null}}");
    merge(world, "{\"o\":5}");
    assert_string_equal(pull("", &cursor), "/o/x=-;/o=5;");
    get(world, "{\"o\":5,\"p\":true}", "{}");
    assert_string_equal(pull("", &cursor), "/p/y=-;/p=true;");
}

static void test_numbers_and_arrays_compare_by_value(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"n\":1.0,\"l\":[1,2.0],\"m\":[1]}", "{\"n\":1,\"l\":[1.0,2],\"m\":[1,2]}");
    assert_string_equal(pull("", &cursor), "/m=[1];");
    report(world, "/m", "[1.0]");
    assert_string_equal(pull("", &cursor), "/m=-;");
}

static void test_an_object_reported_does_not_meet_a_scalar(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":1,\"b\":{\"c\":1},\"d\":{\"e\":1}}",
        "{\"a\":{\"x\":1},\"b\":1,\"d\":{\"e\":1}}");
    assert_string_equal(pull("", &cursor), "/a=1;/b/c=1;");
    report(world, "/d", "5");
    assert_string_equal(pull("", &cursor), "/d/e=1;");
}

static void test_a_removal_of_ours_counts_before_it_is_sent(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}");
    assert_string_equal(pull("", &cursor), "");
    report(world, "/a", NULL);
    assert_string_equal(pull("", &cursor), "/a/b=1;");
}

static void test_a_refused_value_does_not_meet_a_wish(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":1}", "{}");
    struct flux_property *a = ledger_world_report(world, "/a", "1");
    look(world);
    assert_string_equal(pull("", &cursor), "");
    ledger_refuse(&world->ledger, a, ledger_newest(a), 400, "no");
    look(world);
    assert_string_equal(pull("", &cursor), "/a=1;");
}

static void test_a_deleted_shadow_wishes_nothing(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor cursor = {0};
    get(world, "{\"a\":1,\"b\":{\"c\":2}}", "{}");
    (void)pull("", &cursor);
    view_empty(&world->view, &world->ledger);
    look(world);
    assert_string_equal(pull("", &cursor), "/a=-;/b/c=-;");
}

static void test_ends_beyond_the_bound_are_told_as_one(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor slow = {0}, quick = {0}, narrow = {0}, idle = {0};
    get(world, "{\"k\":{\"stays\":1},\"z\":9}", "{}");
    assert_string_equal(pull("/nothing", &idle), "");
    (void)pull("", &slow);
    (void)pull("/k", &narrow);
    for (int i = 0; i < 5000; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "{\"k\":{\"x%d\":1,\"x%d\":null}}", i, i - 1);
        merge(world, text);
        char expected[64];
        (void)snprintf(expected, sizeof(expected), "/k/x%d=-;/k/x%d=1;", i - 1, i);
        if (i > 0)
            assert_string_equal(pull("", &quick), expected);
        else
            (void)pull("", &quick);
    }
    assert_int_equal(wishes.ended_count, SHADOW_WISHES_ENDED_MAX);
    assert_int_equal(wishes.differing_count, 3);
    assert_true(wishes.set.node_count < SHADOW_WISHES_ENDED_MAX + 10);
    assert_string_equal(pull("", &slow), "=-;/k/stays=1;/z=9;/k/x4999=1;");
    assert_string_equal(pull("", &slow), "");
    assert_string_equal(pull("/k", &narrow), "/k=-;/k/stays=1;/k/x4999=1;");
    assert_string_equal(pull("/nothing", &idle), "");
}

static void test_forgetting_leaves_nothing_and_a_watcher_after_it_is_told_all(void **state)
{
    struct ledger_world *world = *state;
    struct shadow_wish_cursor old = {0}, late = {0};
    get(world, "{\"a\":1,\"b\":{\"c\":2}}", "{}");
    (void)pull("", &old);
    uint64_t serial = wishes.serial;
    wishes_forget(&wishes);
    assert_int_equal(wishes.set.node_count, 1);
    look(world);
    assert_true(wishes.serial > serial);
    assert_string_equal(pull("", &late), "/a=1;/b/c=2;");
}

/* A watcher that keeps a picture of what it was told has to see what is so, however seldom it
 * looks. */
static void test_what_was_told_adds_up_at_random(void **state)
{
    struct ledger_world *world = *state;
    enum { WATCHERS = 4, KEYS = 6 };
    static const char *const keys[KEYS] = {"/a", "/a/x", "/a/y", "/b", "/b/x", "/c"};
    struct shadow_wish_cursor cursors[WATCHERS] = {{0}};
    int held[WATCHERS][KEYS] = {{0}}; /* 0: nothing told */
    srand(7);
    get(world, "{}", "{}");
    for (int turn = 0; turn < 20000; turn++) {
        char text[64];
        int value = rand() % 4;
        const char *key = keys[rand() % KEYS];
        if (strlen(key) == 2)
            (void)snprintf(text, sizeof(text), value ? "{\"%s\":%d}" : "{\"%s\":null}", key + 1,
                           value);
        else
            (void)snprintf(text, sizeof(text),
                           value ? "{\"%c\":{\"%c\":%d}}" : "{\"%c\":{\"%c\":null}}", key[1],
                           key[3], value);
        if (rand() % 3)
            merge(world, text);
        else if (rand() % 2)
            report(world, keys[rand() % KEYS], rand() % 2 ? "1" : "2");
        else
            report(world, keys[rand() % KEYS], NULL);
        int watcher = rand() % (WATCHERS * 4);
        if (watcher >= WATCHERS)
            continue;
        struct shadow_wish wish;
        bool all = rand() % 2;
        while (wishes_next(&wishes, "", 0, &cursors[watcher], &wish)) {
            int at = 0;
            while (strcmp(keys[at], wish.path) != 0)
                at++;
            if (!wish.value)
                assert_true(held[watcher][at] != 0);
            held[watcher][at] = wish.value ? (int)wish.value->int64 : 0;
            if (!all && rand() % 2)
                break;
        }
        if (!all)
            continue;
        for (int i = 0; i < KEYS; i++) {
            const struct flux_property *node =
                flux_property_set_find(&world->view.desired.set, keys[i], strlen(keys[i]));
            int expected = node && differs(world, node) ? (int)node->value.int64 : 0;
            assert_int_equal(held[watcher][i], expected);
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_what_differs_is_told_once),
        TEST(test_a_met_wish_is_told_once_as_no_longer_differing),
        TEST(test_a_cleared_wish_is_told_once),
        TEST(test_who_was_not_told_of_a_wish_is_not_told_of_its_end),
        TEST(test_a_new_value_is_told_again),
        TEST(test_an_equal_value_said_again_is_not_told_again),
        TEST(test_a_wish_that_differs_again_is_told_again),
        TEST(test_a_slow_watcher_skips_what_was_in_between),
        TEST(test_what_came_and_went_unseen_stays_unseen),
        TEST(test_news_while_reading_is_not_lost),
        TEST(test_a_prefix_is_told_only_of_what_concerns_it),
        TEST(test_a_value_above_covers_what_is_watched),
        TEST(test_an_empty_object_above_does_not_concern_who_watches_below),
        TEST(test_an_empty_object_is_met_by_any_object),
        TEST(test_what_removals_leave_over_is_no_wish),
        TEST(test_a_value_in_place_of_what_was_left_over_is_a_wish),
        TEST(test_numbers_and_arrays_compare_by_value),
        TEST(test_an_object_reported_does_not_meet_a_scalar),
        TEST(test_a_removal_of_ours_counts_before_it_is_sent),
        TEST(test_a_refused_value_does_not_meet_a_wish),
        TEST(test_a_deleted_shadow_wishes_nothing),
        TEST(test_ends_beyond_the_bound_are_told_as_one),
        TEST(test_forgetting_leaves_nothing_and_a_watcher_after_it_is_told_all),
        TEST(test_what_was_told_adds_up_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
