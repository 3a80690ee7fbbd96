/* Every allocation of the wire's data types fails once: the call says so, nothing has changed,
 * nothing leaks, and the same call works afterwards. */
#include "proto/json_writer.h"
#include "proto/property_set.h"
#include "tests/lib/failing_malloc.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define ALLOCATIONS_MAX 64u

/* The set as JSON lines of all that a user can see; free() it. */
static char *dump(const struct flux_property_set *set)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_begin_array(&writer);
    flux_json_uint64(&writer, set->node_count);
    flux_json_uint64(&writer, set->value_count);
    flux_json_uint64(&writer, set->cut_count);
    for (const struct flux_property *p = set->root; p != NULL;
         p = flux_property_next(set->root, p)) {
        flux_json_string(&writer, p->path, p->path_size);
        flux_json_bool(&writer, p->cut);
        flux_json_bool(&writer, p->replaced);
        flux_json_int64(&writer, p->value.type);
        flux_json_value(&writer, &p->value);
        flux_json_uint64(&writer, p->revision);
        flux_json_uint64(&writer, p->cut_revision);
        flux_json_int64(&writer, p->set_us);
        flux_json_int64(&writer, p->cleared_us);
        flux_json_int64(&writer, p->replaced_us);
    }
    flux_json_end_array(&writer);
    char *text = flux_json_writer_steal(&writer, NULL);
    assert_non_null(text);
    return text;
}

static struct flux_value text_of(enum flux_value_type type, const char *text)
{
    return (struct flux_value){.type = type, .size = (uint32_t)strlen(text), .text = text};
}

struct step {
    enum flux_operation operation;
    const char *path;
    struct flux_value value;
};

/* A set with some of everything, to fail upon. */
static void prepare(struct flux_property_set *set)
{
    const struct step steps[] = {
        {FLUX_SET, "/scalar", text_of(FLUX_VALUE_STRING, "a scalar")},
        {FLUX_SET, "/object/member", flux_value_int64(1)},
        {FLUX_UNSET, "/cut", {.type = FLUX_VALUE_NONE}},
        {FLUX_SET, "/object/array", text_of(FLUX_VALUE_ARRAY, "[1,2,3]")},
    };
    assert_int_equal(flux_property_set_init(set, 32, 1), 0);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct flux_applied applied;
        assert_int_equal(flux_property_set_apply(set, steps[i].operation, steps[i].path,
                                                 strlen(steps[i].path), &steps[i].value, i + 1, 1,
                                                 &applied),
                         0);
    }
}

/* Returns how many of its allocations were refused one after the other. */
static size_t fail_every_allocation(const struct step *step)
{
    struct flux_property_set set;
    prepare(&set);
    char *before = dump(&set);
    size_t failures = 0;
    for (size_t nth = 1;; nth++) {
        assert_true(nth < ALLOCATIONS_MAX);
        struct flux_applied applied = {0};
        failing_malloc_arm(nth);
        int r = flux_property_set_apply(&set, step->operation, step->path, strlen(step->path),
                                        &step->value, 9, 9, &applied);
        bool has_failed = failing_malloc_disarm();
        if (r == 0)
            break;
        assert_int_equal(r, -ENOMEM);
        assert_true(has_failed);
        assert_null(applied.property);
        failures++;
        char *after = dump(&set);
        assert_string_equal(after, before);
        free(after);
    }
    char *after = dump(&set);
    assert_string_not_equal(after, before);
    free(after);
    free(before);
    flux_property_set_clear(&set);
    return failures;
}

static void test_an_operation_without_memory_changes_nothing(void **state)
{
    (void)state;
    const char *longer = "a text that needs more memory than the other one had";
    const struct {
        struct step step;
        size_t failures;
    } cases[] = {
        {{FLUX_SET, "/new/way/down", text_of(FLUX_VALUE_STRING, longer)}, 4},
        {{FLUX_SET, "/new/way/down", flux_value_int64(1)}, 3},
        {{FLUX_SET, "/scalar/below", text_of(FLUX_VALUE_ARRAY, "[1]")}, 2},
        {{FLUX_SET, "/scalar", text_of(FLUX_VALUE_STRING, longer)}, 1},
        {{FLUX_SET, "/object", text_of(FLUX_VALUE_STRING, "text")}, 1},
        {{FLUX_SET, "/cut/below", flux_value_empty_object()}, 1},
        {{FLUX_UNSET, "/never/heard/of", {.type = FLUX_VALUE_NONE}}, 3},
        {{FLUX_UNSET, "/object", {.type = FLUX_VALUE_NONE}}, 0},
        {{FLUX_SET, "/scalar", flux_value_empty_object()}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t live = failing_malloc_live_count();
        assert_int_equal(fail_every_allocation(&cases[i].step), cases[i].failures);
        assert_int_equal(failing_malloc_live_count(), live);
    }
}

static void test_a_number_over_a_number_needs_no_memory(void **state)
{
    (void)state;
    struct flux_property_set set;
    prepare(&set);
    const struct flux_value values[] = {flux_value_int64(7), flux_value_double(0.5),
                                        flux_value_bool(true)};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct flux_applied applied;
        failing_malloc_arm(1);
        assert_int_equal(flux_property_set_apply(&set, FLUX_SET, "/object/member",
                                                 strlen("/object/member"), &values[i], 9, 9,
                                                 &applied),
                         0);
        assert_false(failing_malloc_disarm());
    }
    flux_property_set_clear(&set);
}

static void test_more_buckets_are_not_needed(void **state)
{
    (void)state;
    size_t live = failing_malloc_live_count();
    struct flux_property_set set;
    assert_int_equal(flux_property_set_init(&set, 0, 1), 0);
    size_t bucket_count = set.bucket_count;
    for (int i = 0; i < 100; i++) {
        char path[16];
        snprintf(path, sizeof(path), "/%d", i);
        struct flux_value value = flux_value_int64(i);
        struct flux_applied applied;
        failing_malloc_arm(2); /* the first is the node */
        assert_int_equal(
            flux_property_set_apply(&set, FLUX_SET, path, strlen(path), &value, 1, 1, &applied), 0);
        assert_int_equal(failing_malloc_disarm(), i >= (int)bucket_count - 1);
    }
    assert_int_equal(set.bucket_count, bucket_count);
    assert_int_equal(set.value_count, 100);
    for (int i = 0; i < 100; i++) {
        char path[16];
        snprintf(path, sizeof(path), "/%d", i);
        assert_non_null(flux_property_set_find(&set, path, strlen(path)));
    }
    flux_property_set_clear(&set);
    assert_int_equal(failing_malloc_live_count(), live);
}

static void test_a_set_that_cannot_begin_leaves_nothing(void **state)
{
    (void)state;
    size_t live = failing_malloc_live_count();
    struct flux_property_set set;
    for (size_t nth = 1; nth <= 2; nth++) {
        failing_malloc_arm(nth);
        assert_int_equal(flux_property_set_init(&set, 8, 1), -ENOMEM);
        assert_true(failing_malloc_disarm());
        assert_int_equal(failing_malloc_live_count(), live);
    }
}

static void test_a_value_that_cannot_be_copied_is_left_as_it_was(void **state)
{
    (void)state;
    size_t live = failing_malloc_live_count();
    struct flux_value value, old = text_of(FLUX_VALUE_STRING, "old");
    struct flux_value newer = text_of(FLUX_VALUE_STRING, "a newer one, of some more bytes");
    struct flux_value untouched = flux_value_int64(5);
    failing_malloc_arm(1);
    assert_int_equal(flux_value_copy(&untouched, &old), -ENOMEM);
    assert_int_equal(untouched.type, FLUX_VALUE_INT64);
    assert_int_equal(flux_value_copy(&value, &old), 0);
    failing_malloc_arm(1);
    assert_int_equal(flux_value_assign(&value, &newer), -ENOMEM);
    assert_true(failing_malloc_disarm());
    assert_string_equal(value.text, "old");
    flux_value_clear(&value);
    assert_int_equal(failing_malloc_live_count(), live);
}

static void write_much(struct flux_json_writer *writer)
{
    flux_json_begin_array(writer);
    for (int i = 0; i < 500; i++)
        flux_json_string_text(writer, "some text");
    flux_json_end_array(writer);
}

static void test_a_writer_without_memory_keeps_its_error(void **state)
{
    (void)state;
    size_t live = failing_malloc_live_count();
    for (size_t nth = 1;; nth++) {
        assert_true(nth < ALLOCATIONS_MAX);
        struct flux_json_writer writer;
        flux_json_writer_init(&writer, 0);
        failing_malloc_arm(nth);
        write_much(&writer);
        bool has_failed = failing_malloc_disarm();
        assert_int_equal(flux_json_writer_error(&writer), has_failed ? -ENOMEM : 0);
        char *text = flux_json_writer_steal(&writer, NULL);
        assert_int_equal(text == NULL, has_failed);
        free(text);
        flux_json_writer_clear(&writer);
        assert_int_equal(failing_malloc_live_count(), live);
        if (!has_failed)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_operation_without_memory_changes_nothing),
        cmocka_unit_test(test_a_number_over_a_number_needs_no_memory),
        cmocka_unit_test(test_more_buckets_are_not_needed),
        cmocka_unit_test(test_a_set_that_cannot_begin_leaves_nothing),
        cmocka_unit_test(test_a_value_that_cannot_be_copied_is_left_as_it_was),
        cmocka_unit_test(test_a_writer_without_memory_keeps_its_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
