/* The desired document as messages make it, and what of it changed when. */
#include "daemon/shadow/desired.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct desired desired;

static int setup(void **state)
{
    (void)state;
    return desired_init(&desired, 1);
}

static int teardown(void **state)
{
    (void)state;
    desired_clear(&desired);
    return 0;
}

static void merge_at(const char *text, const char *metadata, int64_t now_ms)
{
    json_t *object = json_loads(text, 0, NULL);
    json_t *times = metadata ? json_loads(metadata, 0, NULL) : NULL;
    assert_int_equal(desired_merge(&desired, object, times, now_ms), 0);
    json_decref(object);
    json_decref(times);
}

static void get_at(const char *text, const char *metadata, int64_t now_ms)
{
    json_t *object = json_loads(text, 0, NULL);
    json_t *times = metadata ? json_loads(metadata, JSON_DECODE_ANY, NULL) : NULL;
    assert_int_equal(desired_replace(&desired, object, times, now_ms), 0);
    json_decref(object);
    json_decref(times);
}

static struct desire *at(const char *path)
{
    const struct flux_property *node = flux_property_set_find(&desired.set, path, strlen(path));
    assert_non_null(node);
    return desire_of(node);
}

static void assert_desired(const char *path, const char *json)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    int r = desired_write(&desired, path, strlen(path), &writer);
    assert_int_equal(r, json ? 0 : -ENOENT);
    if (json)
        assert_string_equal(writer.text, json);
    flux_json_writer_clear(&writer);
}

static void test_merging_follows_the_services_rules(void **state)
{
    (void)state;
    merge_at("{\"a\":5,\"o\":{\"x\":1,\"y\":{\"z\":2}}}", NULL, 0);
    merge_at("{\"a\":{\"b\":1},\"o\":{\"x\":null,\"y\":3}}", NULL, 0);
    assert_desired("", "{\"a\":{\"b\":1},\"o\":{\"y\":3}}");
    merge_at("{\"a\":null,\"o\":{\"y\":null}}", NULL, 0);
    assert_desired("", "{\"o\":{}}");
    assert_true(at("/o")->left_over);
    assert_desired("/a", NULL);
    merge_at("{\"o\":null}", NULL, 0);
    assert_desired("", NULL);
    assert_int_equal(desired.set.node_count, 1);
}

static void test_a_merge_changes_what_it_names(void **state)
{
    (void)state;
    merge_at("{\"a\":1,\"b\":2}", NULL, 100);
    uint64_t serial = at("/b")->serial;
    merge_at("{\"a\":1}", NULL, 200);
    assert_true(at("/a")->serial > serial);
    assert_int_equal(at("/a")->changed_ms, 200);
    assert_int_equal(at("/b")->serial, serial);
    assert_int_equal(at("/b")->changed_ms, 100);
}

static void test_a_get_changes_what_differs(void **state)
{
    (void)state;
    merge_at("{\"a\":1,\"b\":{\"c\":2},\"d\":[1],\"e\":5}", NULL, 100);
    uint64_t serial = desired.serial;
    get_at("{\"a\":1.0,\"b\":{\"c\":3},\"d\":[1.0],\"f\":6}", NULL, 200);
    assert_int_equal(at("/a")->serial, serial);
    assert_int_equal(at("/d")->serial, serial);
    assert_true(at("/b/c")->serial > serial);
    assert_true(at("/f")->serial > serial);
    assert_desired("", "{\"a\":1,\"b\":{\"c\":3},\"d\":[1],\"f\":6}");
}

static void test_a_get_shows_by_its_time_what_was_said_again(void **state)
{
    (void)state;
    merge_at("{\"a\":1,\"l\":[1,2],\"k/~\":{\"x\":1}}",
             "{\"a\":{\"timestamp\":50},\"l\":[{\"timestamp\":50},{\"timestamp\":50}],"
             "\"k/~\":{\"x\":{\"timestamp\":50}}}",
             100);
    uint64_t serial = desired.serial;
    get_at("{\"a\":1,\"l\":[1,2],\"k/~\":{\"x\":1}}",
           "{\"a\":{\"timestamp\":50},\"l\":[{\"timestamp\":60},{\"timestamp\":60}],"
           "\"k/~\":{\"x\":{\"timestamp\":60}}}",
           200);
    assert_int_equal(at("/a")->serial, serial);
    assert_true(at("/l")->serial > serial);
    assert_true(at("/k~1~0/x")->serial > serial);
}

static void test_times_of_any_shape_do_no_harm(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "5",
        "[]",
        "{}",
        "{\"a\":7,\"l\":{}}",
        "{\"a\":[],\"l\":[]}",
        "{\"a\":{\"timestamp\":\"x\"}}",
        "{\"a\":{\"timestamp\":1e300},\"l\":[[[]]]}",
    };
    merge_at("{\"a\":1,\"l\":[1]}", "{\"a\":{\"timestamp\":50}}", 100);
    uint64_t serial = desired.serial;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        get_at("{\"a\":1,\"l\":[1]}", shapes[i], 200);
        assert_int_equal(at("/a")->serial, serial);
        assert_int_equal(at("/l")->serial, serial);
    }
}

static void test_what_a_get_lacks_is_gone(void **state)
{
    (void)state;
    merge_at("{\"a\":{\"b\":{\"c\":1}},\"d\":{\"e\":1},\"f\":{\"g\":1}}", NULL, 0);
    get_at("{\"a\":{\"b\":{}},\"d\":5}", NULL, 0);
    assert_desired("", "{\"a\":{\"b\":{}},\"d\":5}");
    assert_true(at("/a/b")->left_over);
    assert_false(at("/d")->left_over);
    get_at("{}", NULL, 0);
    assert_int_equal(desired.set.node_count, 1);
    assert_int_equal(desired_measure(&desired), 0);
}

static void test_more_than_can_be_held_is_said(void **state)
{
    (void)state;
    json_t *object = json_object();
    char key[16];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(key, sizeof(key), "k%d", i);
        json_object_set_new(object, key, json_integer(i));
    }
    assert_int_equal(desired_replace(&desired, object, NULL, 0), -ENOSPC);
    json_decref(object);
    get_at("{\"a\":1}", NULL, 0);
    assert_desired("", "{\"a\":1}");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_merging_follows_the_services_rules),
        CASE(test_a_merge_changes_what_it_names),
        CASE(test_a_get_changes_what_differs),
        CASE(test_a_get_shows_by_its_time_what_was_said_again),
        CASE(test_times_of_any_shape_do_no_harm),
        CASE(test_what_a_get_lacks_is_gone),
        CASE(test_more_than_can_be_held_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
