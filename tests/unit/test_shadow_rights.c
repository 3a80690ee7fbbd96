/* What an operation sets and removes, held against the paths that may be reported. */
#include "daemon/shadow/path_glob.h"
#include "tests/unit/thing_world.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct stand {
    struct world world;
    struct shadow *shadow;
};

/* What the cloud answers to the first get. */
static const char document[] =
    "{\"state\":{\"reported\":{\"cloud\":{\"leaf\":1,\"list\":[1],\"hollow\":{}},\"scalar\":5},"
    "\"desired\":{\"wish\":{\"a\":1,\"b\":{\"c\":2}},\"led\":true}},"
    "\"version\":5,\"clientToken\":\"%s\"}";

static int setup(void **state)
{
    struct stand *stand = calloc(1, sizeof(*stand));
    struct thing_options options;
    char payload[512];
    assert_non_null(stand);
    thing_options_init(&options);
    options.name = "dev";
    options.instance_id = 7;
    world_begin(&stand->world, &options);
    stand->shadow = world_open(&stand->world, NULL, NULL);
    thing_link_up(stand->world.thing, stand->world.now_ms);
    assert_int_equal(world_take_all(&stand->world), 1);
    (void)snprintf(payload, sizeof(payload), document, stand->world.flights[0].token);
    thing_receive(stand->world.thing, "$aws/things/dev/shadow/get/accepted", payload,
                  strlen(payload), stand->world.now_ms);
    world_report(&stand->world, stand->shadow, "/ours/x", 1);
    world_report(&stand->world, stand->shadow, "/ours/y/z", 2);
    world_report(&stand->world, stand->shadow, "/one", 1);
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    thing_close_shadow(stand->world.thing, stand->shadow);
    world_end(&stand->world);
    free(stand);
    return 0;
}

/* The filter of globs with blanks between them. */
struct granted {
    char text[128];
    const char *words[8];
    struct path_globs *globs;
    const struct path_globs *lists[1];
    struct path_filter filter;
};

static void granted_init(struct granted *granted, const char *globs)
{
    size_t count = 0;
    char *rest = NULL;
    (void)snprintf(granted->text, sizeof(granted->text), "%s", globs);
    for (char *word = strtok_r(granted->text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        granted->words[count++] = word;
    assert_int_equal(path_globs_new(&granted->globs, granted->words, count), 0);
    granted->lists[0] = granted->globs;
    granted->filter = (struct path_filter){granted->lists, 1};
}

enum what { NUMBER, LIST, OBJECT, UNSET, SETTLE };

static struct shadow_operation operation_of(enum what what, const char *path)
{
    struct shadow_operation operation = {.path = path, .path_size = strlen(path)};
    operation.kind = what == UNSET ? FLUX_UNSET : what == SETTLE ? FLUX_SETTLE : FLUX_SET;
    if (what == NUMBER)
        operation.value = flux_value_int64(1);
    if (what == OBJECT)
        operation.value = flux_value_empty_object();
    if (what == LIST)
        operation.value = flux_value_array("[1]", 3);
    return operation;
}

static void test_operations_need_all_that_they_set_and_remove(void **state)
{
    struct stand *stand = *state;
    static const struct {
        const char *granted;
        enum what what;
        const char *path;
        const char *denied; /* NULL: none */
    } cases[] = {
        {"ours.x", NUMBER, "/ours/x", NULL},
        {"ours.x", NUMBER, "/ours/y", "/ours/y"},
        {"ours.x", UNSET, "/ours/x", NULL},
        {"ours.x new", NUMBER, "/new", NULL},
        {"ours", NUMBER, "/ours", "/ours/x"}, /* a value in place of what stands below */
        {"ours", LIST, "/ours", "/ours/x"},
        {"ours", UNSET, "/ours", "/ours/x"},
        {"ours", OBJECT, "/ours", NULL}, /* objects merge */
        {"ours ours.*", UNSET, "/ours", "/ours/y/z"},
        {"ours ours.x ours.y.z", UNSET, "/ours", NULL},
        {"ours.**", UNSET, "/ours", NULL},
        {"ours.x ours.y.z", UNSET, "/ours", "/ours"},
        {"cloud", UNSET, "/cloud", "/cloud/leaf"}, /* what others put there */
        {"cloud cloud.leaf", NUMBER, "/cloud", "/cloud/list"},
        {"cloud cloud.leaf cloud.list", NUMBER, "/cloud", "/cloud/hollow"},
        {"cloud cloud.*", NUMBER, "/cloud", NULL},
        {"one.inner", NUMBER, "/one/inner", "/one"}, /* a value that makes room for an object */
        {"one.inner", OBJECT, "/one/inner", "/one"},
        {"one.inner", UNSET, "/one/inner", "/one"},
        {"one.**", NUMBER, "/one/inner", NULL},
        {"scalar.a.b", NUMBER, "/scalar/a/b", "/scalar"},
        {"scalar scalar.a.b", NUMBER, "/scalar/a/b", NULL},
        {"**", UNSET, "", NULL},
        {"*.**", UNSET, "", ""},
        {"led", SETTLE, "/led", NULL},
        {"led", SETTLE, "/wish", "/wish"},
        {"wish", SETTLE, "/wish", "/wish/a"},
        {"wish wish.a", SETTLE, "/wish", "/wish/b/c"},
        {"wish.**", SETTLE, "/wish", NULL},
        {"ours.**", SETTLE, "/ours", NULL}, /* of reported nothing goes */
        {"*", NUMBER, "x", NULL},           /* no path: the shadow refuses it */
        {"*.*", NUMBER, "x/y", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct granted granted = {0};
        char denied[FLUX_PATH_BYTES_MAX + 1] = "(nothing)";
        const struct shadow_operation operation = operation_of(cases[i].what, cases[i].path);
        granted_init(&granted, cases[i].granted);
        const bool is_denied =
            shadow_find_denied(stand->shadow, &operation, &granted.filter, denied);
        if (is_denied != (cases[i].denied != NULL) ||
            (is_denied && strcmp(denied, cases[i].denied) != 0))
            fail_msg("case %zu, %s of %s: %s", i, cases[i].granted, cases[i].path, denied);
        (void)path_globs_free(granted.globs);
    }
}

static void test_what_is_forgotten_and_reset_is_what_was_reported(void **state)
{
    struct stand *stand = *state;
    static const struct {
        const char *granted, *path, *denied;
    } cases[] = {
        {"ours.**", "/ours", NULL}, {"ours.x", "/ours", "/ours/y/z"}, {"ours.**", "", "/one"},
        {"ours.** one", "", NULL}, /* what the cloud alone holds stays there */
        {"one", "/nothing", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct granted granted = {0};
        char denied[FLUX_PATH_BYTES_MAX + 1] = "(nothing)";
        granted_init(&granted, cases[i].granted);
        const bool is_denied = shadow_find_denied_held(
            stand->shadow, cases[i].path, strlen(cases[i].path), &granted.filter, denied);
        if (is_denied != (cases[i].denied != NULL) ||
            (is_denied && strcmp(denied, cases[i].denied) != 0))
            fail_msg("case %zu: %s", i, denied);
        (void)path_globs_free(granted.globs);
    }
}

/* Another program's answer to a wish is given up with the path. */
static void test_forgetting_needs_the_wishes_that_wait_to_be_settled(void **state)
{
    struct stand *stand = *state;
    struct granted granted = {0};
    char denied[FLUX_PATH_BYTES_MAX + 1] = "(nothing)";
    const struct shadow_operation settle = operation_of(SETTLE, "/wish/a");
    const struct shadow_report report = {
        .operations = &settle, .operation_count = 1, .set_us = stand->world.now_ms * 1000};
    struct shadow_wait wait;
    struct shadow_refusal refusal;
    granted_init(&granted, "wish wish.b.**");
    assert_false(shadow_find_denied_held(stand->shadow, "/wish", 5, &granted.filter, denied));
    assert_int_equal(shadow_report(stand->shadow, &report, stand->world.now_ms, &wait, &refusal),
                     0);
    assert_true(shadow_find_denied_held(stand->shadow, "/wish", 5, &granted.filter, denied));
    assert_string_equal(denied, "/wish/a");
    assert_false(shadow_find_denied_held(stand->shadow, "/wish/b", 7, &granted.filter, denied));
    (void)path_globs_free(granted.globs);
}

static void assert_shown(struct stand *stand, const char *globs, enum shadow_section section,
                         const char *path, const char *text)
{
    struct granted granted = {0};
    struct flux_json_writer writer;
    granted_init(&granted, globs);
    flux_json_writer_init(&writer, 0);
    const int r =
        shadow_write_shown(stand->shadow, section, path, strlen(path), &granted.filter, &writer);
    assert_int_equal(r, text ? 0 : -ENOENT);
    if (text)
        assert_string_equal(writer.text, text);
    flux_json_writer_clear(&writer);
    (void)path_globs_free(granted.globs);
}

static void test_documents_show_what_the_filter_has(void **state)
{
    struct stand *stand = *state;
    const enum shadow_section reported = SHADOW_SECTION_REPORTED;
    assert_shown(stand, "ours.x cloud.list", reported, "",
                 "{\"cloud\":{\"list\":[1]},\"ours\":{\"x\":1}}");
    assert_shown(stand, "ours.y.*", reported, "", "{\"ours\":{\"y\":{\"z\":2}}}");
    assert_shown(stand, "ours.y.*", reported, "/ours", "{\"y\":{\"z\":2}}");
    assert_shown(stand, "ours.x", reported, "/ours/y", NULL);
    assert_shown(stand, "ours", reported, "/ours", NULL); /* a value there would be shown */
    assert_shown(stand, "nothing", reported, "", NULL);
    assert_shown(stand, "one.**", reported, "/one", "1");
    assert_shown(stand, "wish.a", SHADOW_SECTION_DESIRED, "", "{\"wish\":{\"a\":1}}");
    assert_shown(stand, "wish.b.**", SHADOW_SECTION_DELTA, "", "{\"wish\":{\"b\":{\"c\":2}}}");
    assert_shown(stand, "ours.**", SHADOW_SECTION_DESIRED, "", NULL);
    assert_shown(stand, "ours.**", SHADOW_SECTION_DELTA, "", NULL);
    /* What was left out is there for who may see it. */
    assert_shown(stand, "**", SHADOW_SECTION_DESIRED, "",
                 "{\"wish\":{\"a\":1,\"b\":{\"c\":2}},\"led\":true}");
}

static void test_keys_show_what_the_filter_has(void **state)
{
    struct stand *stand = *state;
    struct granted granted = {0};
    struct flux_json_writer writer;
    granted_init(&granted, "ours.x");
    flux_json_writer_init(&writer, 0);
    assert_int_equal(
        shadow_write_keys(stand->shadow, "", 0, &granted.filter, stand->world.now_ms, &writer), 0);
    assert_non_null(strstr(writer.text, "\"/ours/x\""));
    assert_null(strstr(writer.text, "\"/ours/y/z\""));
    assert_null(strstr(writer.text, "\"/one\""));
    flux_json_writer_clear(&writer);
    (void)path_globs_free(granted.globs);
}

#define RIGHTS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGHTS_TEST(test_operations_need_all_that_they_set_and_remove),
        RIGHTS_TEST(test_what_is_forgotten_and_reset_is_what_was_reported),
        RIGHTS_TEST(test_forgetting_needs_the_wishes_that_wait_to_be_settled),
        RIGHTS_TEST(test_documents_show_what_the_filter_has),
        RIGHTS_TEST(test_keys_show_what_the_filter_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
