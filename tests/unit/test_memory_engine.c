/* Every allocation of the engine fails once, and so do all for a while: whoever reports is told,
 * and once there is memory again the cloud ends as the reports say. */
#include "daemon/shadow/policies.h"
#include "tests/fuzz/fuzz_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define TRIES_MAX 2000u

/* Report as a program does that is told that there is no memory: again. */
static void report(struct fuzz_world *world, struct shadow *shadow,
                   const struct shadow_operation *operations, size_t count)
{
    struct shadow_refusal refusal;
    int r = -ENOMEM;
    for (unsigned i = 0; r == -ENOMEM && i < TRIES_MAX; i++) {
        const struct shadow_report whole = {
            .operations = operations, .operation_count = count, .set_us = world->now_ms * 1000};
        r = shadow_report(shadow, &whole, world->now_ms, NULL, &refusal);
        assert_true(r == SHADOW_REPORT_QUEUED || fuzz_is_short(r));
    }
    assert_int_equal(r, SHADOW_REPORT_QUEUED);
}

#define SET(where, what)                                                                           \
    {                                                                                              \
        .kind = FLUX_SET, .path = where, .path_size = sizeof(where) - 1, .value = what             \
    }
#define UNSET(where)                                                                               \
    {                                                                                              \
        .kind = FLUX_UNSET, .path = where, .path_size = sizeof(where) - 1                          \
    }

static struct shadow *open_shadow(struct fuzz_world *world, const char *name)
{
    struct shadow *shadow = NULL;
    int r = -ENOMEM;
    for (unsigned i = 0; r == -ENOMEM && i < TRIES_MAX; i++)
        r = thing_open_shadow(world->thing, NULL, name, &shadow);
    assert_int_equal(r, 0);
    return shadow;
}

static void hear_wishes(struct shadow *shadow, struct shadow_wish_cursor *cursor, int64_t *newest)
{
    struct shadow_wish wish;
    while (shadow_next_wish(shadow, "", 0, cursor, &wish))
        *newest = wish.value ? wish.value->int64 : 0;
}

static void let_time_pass(struct fuzz_world *world, unsigned turns)
{
    for (unsigned i = 0; i < turns; i++) {
        fuzz_world_turn(world);
        fuzz_world_answer_all(world);
        fuzz_world_turn(world);
        fuzz_world_wait(world, 60000);
    }
}

static void expect_cloud(struct fuzz_world *world, const char *name, const char *expected)
{
    const json_t *document = shadow_service_document(world->service, FUZZ_THING, name);
    json_t *wanted = json_loads(expected, 0, NULL);
    assert_non_null(wanted);
    const json_t *reported = json_object_get(document, "reported");
    if (!json_equal(reported, wanted)) {
        char *text = json_dumps(reported, 0);
        fail_msg("%s is %s, not %s", name ? name : "classic", text ? text : "-", expected);
    }
    json_decref(wanted);
}

static void foreign_update(struct fuzz_world *world, const char *payload)
{
    fuzz_world_tell_service(world, "$aws/things/" FUZZ_THING "/shadow/update", payload,
                            strlen(payload));
    fuzz_world_answer_all(world);
    fuzz_world_turn(world);
}

/* Reports from offline and online, a replaced sub-tree, another writer, a wish, a second shadow. */
static void tell_story(struct fuzz_world *world)
{
    const struct shadow_operation first[] = {SET("/a", flux_value_int64(5)),
                                             SET("/s", flux_value_string("text", 4))};
    const struct shadow_operation replaced[] = {UNSET("/a"), SET("/a/c", flux_value_int64(1)),
                                                SET("/l", flux_value_array("[1,2]", 5))};
    const struct shadow_operation newest[] = {SET("/a/c", flux_value_double(2.5))};
    struct shadow_wish_cursor cursor = {0};
    int64_t wished = 0;
    struct shadow *shadow = open_shadow(world, NULL), *other = open_shadow(world, "config");
    shadow_add_watcher(shadow);
    foreign_update(world, "{\"state\":{\"reported\":{\"a\":{\"b\":1},\"z\":9}}}");
    report(world, shadow, first, 2);
    fuzz_world_link(world, true);
    let_time_pass(world, 3);
    report(world, shadow, replaced, 3);
    report(world, other, newest, 1);
    foreign_update(world, "{\"state\":{\"desired\":{\"w\":7},\"reported\":{\"s\":\"other\"}}}");
    hear_wishes(shadow, &cursor, &wished);
    report(world, shadow, newest, 1);
    let_time_pass(world, 6);
    (void)failing_stop();
    let_time_pass(world, 40);
    hear_wishes(shadow, &cursor, &wished);
    expect_cloud(world, NULL, "{\"a\":{\"c\":2.5},\"s\":\"text\",\"l\":[1,2],\"z\":9}");
    expect_cloud(world, "config", "{\"a\":{\"c\":2.5}}");
    assert_int_equal(wished, 7);
    assert_true(thing_is_settled(world->thing));
    shadow_remove_watcher(shadow);
    thing_close_shadow(world->thing, shadow);
    thing_close_shadow(world->thing, other);
}

/* What was not saved for want of memory is saved by now: a daemon that starts from it goes on. */
static void crash_and_start_again(struct fuzz_world *world)
{
    const int64_t before = shadow_service_version(world->service, FUZZ_THING, NULL);
    fuzz_disk_save(&world->disk, world->thing);
    fuzz_disk_saved(&world->disk, world->thing, true);
    assert_false(thing_has_unsaved_reports(world->thing));
    fuzz_world_restart(world);
    fuzz_world_link(world, true);
    let_time_pass(world, 20);
    expect_cloud(world, NULL, "{\"a\":{\"c\":2.5},\"s\":\"text\",\"l\":[1,2],\"z\":9}");
    expect_cloud(world, "config", "{\"a\":{\"c\":2.5}}");
    assert_int_equal(shadow_service_version(world->service, FUZZ_THING, NULL), before);
}

/* Returns whether some allocation failed. */
static bool play(bool is_durable, uint64_t number, uint64_t count)
{
    const uint8_t choices[] = {1, is_durable ? 64 : 0, 0};
    struct fuzz_input input = {choices, sizeof(choices)};
    struct fuzz_world world;
    if (!fuzz_world_begin(&world, &input))
        fail_msg("a world without memory");
    assert_true(world.is_durable == is_durable);
    failing_start(number, count);
    tell_story(&world);
    const bool has_failed = failing_has_failed();
    if (is_durable)
        crash_and_start_again(&world);
    fuzz_world_end(&world);
    return has_failed;
}

static void play_all(bool is_durable, uint64_t count)
{
    uint64_t number = 1;
    while (play(is_durable, number, count))
        number++;
    assert_true(number > 30);
}

static void test_one_failure_changes_nothing_in_the_end(void **state)
{
    (void)state;
    play_all(false, 1);
}

static void test_a_time_without_memory_changes_nothing_in_the_end(void **state)
{
    (void)state;
    play_all(false, 1000);
}

static void test_one_failure_keeps_nothing_from_the_disk(void **state)
{
    (void)state;
    play_all(true, 1);
}

static void test_a_time_without_memory_keeps_nothing_from_the_disk(void **state)
{
    (void)state;
    play_all(true, 1000);
}

/* ---- a program that is gone ---- */

static void set_exit_policy(struct thing *thing)
{
    static const struct policy_rule rule = {
        .glob = "gone.*", .keys = POLICY_ON_EXIT, .policy = {.unset_on_exit = true}};
    struct policies *policies = NULL;
    assert_int_equal(policies_new(&policies), 0);
    assert_int_equal(policies_add(policies, &rule), 0);
    assert_int_equal(thing_set_policies(thing, policies, 0), 0);
}

static void report_as(struct fuzz_world *world, struct shadow *shadow, struct writer *writer)
{
    const struct shadow_operation values[] = {SET("/gone/a", flux_value_int64(1)),
                                              SET("/gone/b", flux_value_int64(2)),
                                              SET("/stays", flux_value_int64(3))};
    const struct shadow_operation will[] = {SET("/state", flux_value_string("off", 3)),
                                            SET("/why", flux_value_string("gone", 4))};
    const struct shadow_report report = {.operations = values,
                                         .operation_count = 3,
                                         .set_us = world->now_ms * 1000,
                                         .writer = writer};
    struct shadow_refusal refusal;
    assert_int_equal(shadow_report(shadow, &report, world->now_ms, NULL, &refusal), 0);
    assert_int_equal(thing_writer_will(world->thing, writer, shadow, will, 2, &refusal), 0);
}

static bool play_exit(uint64_t number, uint64_t count)
{
    static const uint8_t choices[] = {1, 32, 0}; /* gone after 100 ms */
    static const struct writer_identity identity = {.name = "pump", .uid = 1, .unit = ""};
    struct fuzz_input input = {choices, sizeof(choices)};
    struct fuzz_world world;
    struct writer *writer = NULL;
    assert_true(fuzz_world_begin(&world, &input));
    set_exit_policy(world.thing);
    struct shadow *shadow = open_shadow(&world, NULL);
    fuzz_world_link(&world, true);
    assert_int_equal(thing_writer_open(world.thing, &identity, world.now_ms, &writer), 0);
    report_as(&world, shadow, writer);
    let_time_pass(&world, 3);
    thing_writer_close(world.thing, writer, false, world.now_ms);
    failing_start(number, count);
    let_time_pass(&world, 4);
    const bool has_failed = failing_has_failed();
    (void)failing_stop();
    let_time_pass(&world, 20);
    expect_cloud(&world, NULL, "{\"stays\":3,\"state\":\"off\",\"why\":\"gone\",\"gone\":{}}");
    thing_close_shadow(world.thing, shadow);
    fuzz_world_end(&world);
    return has_failed;
}

static void test_what_goes_with_a_program_goes_later(void **state)
{
    static const uint64_t counts[] = {1, 2, 50};
    (void)state;
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        uint64_t number = 1;
        while (play_exit(number, counts[i]))
            number++;
        assert_true(number > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_failure_changes_nothing_in_the_end),
        cmocka_unit_test(test_a_time_without_memory_changes_nothing_in_the_end),
        cmocka_unit_test(test_one_failure_keeps_nothing_from_the_disk),
        cmocka_unit_test(test_a_time_without_memory_keeps_nothing_from_the_disk),
        cmocka_unit_test(test_what_goes_with_a_program_goes_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
