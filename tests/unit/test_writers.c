/* The programs that report: coming, going, wills. */
#include "daemon/shadow/writers.h"

#include "daemon/shadow/rivalry.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GONE_AFTER_MS 100

static struct writers *world(void **state)
{
    return *state;
}

static int setup(void **state)
{
    struct writers *writers = malloc(sizeof(*writers));
    assert_non_null(writers);
    writers_init(writers);
    *state = writers;
    return 0;
}

static int teardown(void **state)
{
    writers_clear(*state);
    free(*state);
    return 0;
}

static struct writer *open_as(struct writers *writers, const char *name, uint32_t uid)
{
    const struct writer_identity identity = {.name = name, .uid = uid, .unit = "u.service"};
    struct writer *writer = NULL;
    assert_int_equal(writers_open(writers, &identity, &writer), 0);
    return writer;
}

static struct shadow_operation set_text(const char *path, const char *text)
{
    return (struct shadow_operation){
        .kind = FLUX_SET,
        .path = path,
        .path_size = strlen(path),
        .value = flux_value_string(text, strlen(text)),
    };
}

static int make_will(struct writers *writers, struct writer *writer, const void *shadow,
                     const char *text)
{
    const struct shadow_operation operation = set_text("/a", text);
    return writers_make_will(writers, writer, (struct shadow *)(uintptr_t)shadow, &operation, 1);
}

static void test_name_and_user_make_a_program(void **state)
{
    struct writer *one = open_as(world(state), "pump", 1);
    assert_ptr_equal(open_as(world(state), "pump", 1), one);
    assert_ptr_not_equal(open_as(world(state), "pump", 2), one);
    assert_ptr_not_equal(open_as(world(state), "pum", 1), one);
    assert_int_equal(world(state)->count, 3);
    assert_int_equal(one->connection_count, 2);
}

static void test_long_names_are_cut_and_stay_one_program(void **state)
{
    char name[200];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct writer *one = open_as(world(state), name, 1);
    assert_int_equal(strlen(one->name), FLUX_CLIENT_NAME_MAX);
    assert_ptr_equal(open_as(world(state), name, 1), one);
}

static void test_program_that_left_nothing_is_forgotten_at_once(void **state)
{
    writers_close(world(state), open_as(world(state), "pump", 1), 0);
    assert_int_equal(world(state)->count, 0);
    assert_true(writers_gone_ms(world(state), GONE_AFTER_MS) == INT64_MAX);
}

static void test_program_is_gone_after_its_time_and_not_before(void **state)
{
    struct writer *writer = open_as(world(state), "pump", 1);
    writer_hold(writer);
    writers_close(world(state), writer, 1000);
    assert_false(writer_is_gone(writer));
    assert_int_equal(writers_gone_ms(world(state), GONE_AFTER_MS), 1100);
    assert_null(writers_next_gone(world(state), GONE_AFTER_MS, 1099));
    assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, 1100), writer);
    assert_true(writer_is_gone(writer));
    assert_null(writers_next_gone(world(state), GONE_AFTER_MS, 5000));
    writer_release(writer);
    assert_int_equal(world(state)->count, 1);
    writer_release(writer);
    assert_int_equal(world(state)->count, 0);
}

static void test_who_comes_back_is_not_gone(void **state)
{
    struct writer *one = open_as(world(state), "one", 1);
    struct writer *two = open_as(world(state), "two", 1);
    struct writer *three = open_as(world(state), "three", 1);
    writer_hold(one);
    writer_hold(two);
    writer_hold(three);
    writers_close(world(state), one, 10);
    writers_close(world(state), two, 20);
    writers_close(world(state), three, 30);
    assert_ptr_equal(open_as(world(state), "two", 1), two);
    assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, 500), one);
    assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, 500), three);
    assert_null(writers_next_gone(world(state), GONE_AFTER_MS, 500));
    for (int i = 0; i < 2; i++) {
        writer_release(one);
        writer_release(three);
    }
    writer_release(two);
    assert_int_equal(world(state)->count, 1);
}

static void test_beyond_the_bound_programs_are_one(void **state)
{
    char name[16];
    for (unsigned i = 0; i < WRITERS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "p%u", i);
        (void)open_as(world(state), name, 1 + i % 2);
    }
    struct writer *other = open_as(world(state), "x", 1);
    assert_ptr_equal(open_as(world(state), "y", 2), other);
    assert_string_equal(other->name, "others");
    assert_ptr_not_equal(open_as(world(state), "p5", 2), other);
    assert_int_equal(make_will(world(state), other, &name, "bye"), -ENOSPC);
    writer_hold(other);
    writers_close(world(state), other, 0);
    writers_close(world(state), other, 0);
    assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, 100), other);
    writer_release(other);
    writer_release(other);
    assert_ptr_equal(open_as(world(state), "z", 3), other);
}

static void test_who_is_put_back_is_gone_in_the_same_order(void **state)
{
    struct writer *one = open_as(world(state), "one", 1), *two = open_as(world(state), "two", 1),
                  *late = open_as(world(state), "late", 1);
    struct writer *all[] = {one, two, late};
    for (size_t i = 0; i < 3; i++) {
        writer_hold(all[i]);
        writers_close(world(state), all[i], i == 2 ? 50 : 0);
    }
    for (size_t i = 0; i < 2; i++)
        assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, GONE_AFTER_MS), all[i]);
    assert_null(writers_next_gone(world(state), GONE_AFTER_MS, GONE_AFTER_MS));
    for (size_t i = 0; i < 2; i++)
        writers_postpone(world(state), all[i], GONE_AFTER_MS, 1000);
    assert_null(writers_next_gone(world(state), GONE_AFTER_MS, 999));
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, 1000), all[i]);
    for (size_t i = 0; i < 3; i++) {
        writer_release(all[i]);
        writer_release(all[i]);
    }
    assert_int_equal(world(state)->count, 0);
}

static void test_one_user_does_not_take_the_names_of_all(void **state)
{
    char name[16];
    for (unsigned i = 0; i < WRITERS_MAX + 5; i++) {
        (void)snprintf(name, sizeof(name), "p%u", i);
        (void)open_as(world(state), name, 1);
    }
    assert_int_equal(world(state)->count, WRITERS_PER_USER_MAX);
    assert_string_equal(open_as(world(state), "late", 1)->name, "others");
    assert_string_equal(open_as(world(state), "decent", 2)->name, "decent");
}

static void test_one_user_does_not_take_the_room_for_all_wills(void **state)
{
    static const int shadows[WILLS_MAX];
    char name[16], *text = calloc(1, 60001);
    assert_non_null(text);
    memset(text, 'x', 60000);
    unsigned refused = 0;
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "p%u", i);
        refused += make_will(world(state), open_as(world(state), name, 1), &shadows[0], text) < 0;
    }
    assert_in_range(refused, 40, 60);
    struct writer *decent = open_as(world(state), "decent", 2);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(make_will(world(state), decent, &shadows[i], text), 0);
    free(text);
}

static void test_will_is_a_copy(void **state)
{
    char path[] = "/state", text[] = "gone";
    const struct shadow_operation operations[] = {
        set_text(path, text),
        {.kind = FLUX_UNSET, .path = "/x", .path_size = 2},
        {.kind = FLUX_SET, .path = "/n", .path_size = 2, .value = flux_value_int64(7)},
    };
    struct writer *writer = open_as(world(state), "pump", 1);
    struct shadow *shadow = (struct shadow *)(void *)path;
    assert_int_equal(writers_make_will(world(state), writer, shadow, operations, 3), 0);
    memset(path, 'x', strlen(path));
    memset(text, 'x', strlen(text));
    struct will *will = writers_take_will(world(state), writer, shadow);
    assert_non_null(will);
    assert_int_equal(will->count, 3);
    assert_int_equal(will->operations[0].path_size, 6);
    assert_memory_equal(will->operations[0].path, "/state", 6);
    assert_memory_equal(will->operations[0].value.text, "gone", 4);
    assert_memory_equal(will->operations[1].path, "/x", 2);
    assert_int_equal(will->operations[1].kind, FLUX_UNSET);
    assert_int_equal(will->operations[2].value.int64, 7);
    will_free(will);
    assert_null(writers_take_will(world(state), writer, NULL));
    assert_int_equal(world(state)->will_bytes, 0);
}

static void test_later_will_replaces_that_of_its_shadow_alone(void **state)
{
    int one, two;
    struct writer *writer = open_as(world(state), "pump", 1);
    assert_int_equal(make_will(world(state), writer, &one, "a"), 0);
    assert_int_equal(make_will(world(state), writer, &two, "b"), 0);
    assert_int_equal(make_will(world(state), writer, &one, "c"), 0);
    struct will *will = writers_take_will(world(state), writer, (struct shadow *)(void *)&one);
    assert_memory_equal(will->operations[0].value.text, "c", 1);
    will_free(will);
    assert_false(writer_has_will(writer, (struct shadow *)(void *)&one));
    assert_true(writer_has_will(writer, (struct shadow *)(void *)&two));
}

static void test_wills_are_bounded(void **state)
{
    struct writer *writer = open_as(world(state), "pump", 1);
    int shadows[WILLS_MAX + 1];
    char *text = calloc(1, WILL_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, 'w', WILL_BYTES_MAX);
    assert_int_equal(make_will(world(state), writer, &shadows[0], text), -ENOSPC);
    text[WILL_BYTES_MAX - 2] = '\0';
    assert_int_equal(make_will(world(state), writer, &shadows[0], text), 0);
    for (unsigned i = 1; i < WILLS_MAX; i++)
        assert_int_equal(make_will(world(state), writer, &shadows[i], "w"), 0);
    assert_int_equal(make_will(world(state), writer, &shadows[WILLS_MAX], "w"), -ENOSPC);
    assert_int_equal(make_will(world(state), writer, &shadows[3], "x"), 0);
    char name[16];
    int refused = 0;
    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "p%u", i);
        refused += make_will(world(state), open_as(world(state), name, 1), &shadows[0], text) < 0;
    }
    assert_true(refused > 30);
    assert_true(world(state)->will_bytes <= WILLS_BYTES_MAX);
    free(text);
}

static void test_will_keeps_its_program_in_the_books(void **state)
{
    int shadow;
    struct writer *writer = open_as(world(state), "pump", 1);
    assert_int_equal(make_will(world(state), writer, &shadow, "w"), 0);
    writers_close(world(state), writer, 0);
    assert_int_equal(world(state)->count, 1);
    assert_ptr_equal(writers_next_gone(world(state), GONE_AFTER_MS, 100), writer);
    will_free(writers_take_will(world(state), writer, NULL));
    writer_release(writer);
    assert_int_equal(world(state)->count, 0);
}

static void test_rate_counts_the_last_minute(void **state)
{
    (void)state;
    struct rate rate = {0};
    assert_int_equal(rate_per_minute(&rate, 1000000), 0);
    for (int i = 0; i < 600; i++)
        rate_note(&rate, 1000000 + i * 100);
    assert_int_equal(rate_per_minute(&rate, 1059999), 600);
    assert_int_equal(rate_per_minute(&rate, 1090000), 300);
    assert_int_equal(rate_per_minute(&rate, 1120000), 0);
    for (int i = 0; i < 1200; i++)
        rate_note(&rate, 1060000 + i * 100);
    uint32_t per_minute = rate_per_minute(&rate, 1180000);
    assert_true(per_minute > 590 && per_minute < 610);
}

static void test_rivalry_takes_four_changes_in_a_minute(void **state)
{
    (void)state;
    struct rivalry rivalry = {0};
    assert_false(rivalry_note(&rivalry, 0));
    assert_false(rivalry_note(&rivalry, 1));
    assert_false(rivalry_note(&rivalry, 2));
    assert_true(rivalry_note(&rivalry, 3));
    for (int i = 4; i < RIVALRY_PAUSE_MS; i += 100)
        assert_false(rivalry_note(&rivalry, i));
    assert_true(rivalry_note(&rivalry, RIVALRY_PAUSE_MS + 3));
    struct rivalry slow = {0};
    for (int i = 0; i < 100; i++)
        assert_false(rivalry_note(&slow, (int64_t)i * 20001));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_name_and_user_make_a_program, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_names_are_cut_and_stay_one_program, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_program_that_left_nothing_is_forgotten_at_once, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_program_is_gone_after_its_time_and_not_before, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_who_comes_back_is_not_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_beyond_the_bound_programs_are_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_user_does_not_take_the_names_of_all, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_one_user_does_not_take_the_room_for_all_wills, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_who_is_put_back_is_gone_in_the_same_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_will_is_a_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_will_replaces_that_of_its_shadow_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_wills_are_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_will_keeps_its_program_in_the_books, setup, teardown),
        cmocka_unit_test(test_rate_counts_the_last_minute),
        cmocka_unit_test(test_rivalry_takes_four_changes_in_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
