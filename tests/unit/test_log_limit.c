#include "daemon/base/log_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#define WINDOW LOG_LIMIT_WINDOW_MS

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct log_limit));
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static bool admit(struct log_limit *limit, unsigned kind, uint64_t key, int64_t now_ms)
{
    const struct log_line line = {
        .kind = kind, .key = key, .burst = 1, .level = LOG_WARNING, .text = "text"};
    return log_limit_admit(limit, &line, now_ms);
}

static void test_first_line_is_written_and_equal_ones_are_counted(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    assert_true(admit(limit, 1, 1, 1000));
    assert_int_equal(log_limit_deadline(limit), INT64_MAX);
    for (unsigned i = 0; i < 1234; i++)
        assert_false(admit(limit, 1, 1, 1001 + i));
    assert_int_equal(log_limit_deadline(limit), 1000 + WINDOW);
    assert_false(log_limit_next(limit, 999 + WINDOW, &summary));
    assert_true(log_limit_next(limit, 1000 + WINDOW, &summary));
    assert_int_equal(summary.count, 1234);
    assert_int_equal(summary.over_ms, WINDOW);
    assert_int_equal(summary.level, LOG_WARNING);
    assert_false(log_limit_next(limit, 1000 + WINDOW, &summary));
    assert_int_equal(log_limit_deadline(limit), INT64_MAX);
}

static void test_burst_of_lines_alike_is_written(void **state)
{
    struct log_limit *limit = *state;
    const struct log_line line = {.key = 7, .burst = 3, .level = LOG_INFO, .text = "up"};
    for (unsigned i = 0; i < 3; i++)
        assert_true(log_limit_admit(limit, &line, i));
    assert_false(log_limit_admit(limit, &line, 3));
}

static void test_steady_stream_costs_one_line_a_window(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    uint64_t written = 0, lines = 0, told = 0, summaries = 0;
    for (int64_t now_ms = 0; now_ms <= 6 * WINDOW; now_ms += 1000) {
        while (log_limit_next(limit, now_ms, &summary)) {
            summaries++;
            told += summary.count;
        }
        written += admit(limit, 0, 5, now_ms);
        lines++;
    }
    assert_int_equal(written, 1);
    assert_int_equal(summaries, 6);
    assert_true(log_limit_next(limit, INT64_MAX, &summary));
    assert_int_equal(written + told + summary.count, lines);
}

static void test_line_after_a_quiet_window_is_news(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    assert_true(admit(limit, 0, 5, 0));
    assert_false(admit(limit, 0, 5, 1));
    assert_true(log_limit_next(limit, WINDOW, &summary));
    assert_false(admit(limit, 0, 5, 2 * WINDOW - 1));
    assert_true(log_limit_next(limit, 2 * WINDOW, &summary));
    assert_true(admit(limit, 0, 5, 3 * WINDOW));
    assert_true(admit(limit, 0, 5, 4 * WINDOW));
}

static void test_other_lines_are_not_held_back(void **state)
{
    struct log_limit *limit = *state;
    assert_true(admit(limit, 1, 1, 0));
    assert_false(admit(limit, 1, 1, 0));
    assert_true(admit(limit, 1, 2, 0));
    assert_true(admit(limit, 2, 1, 0));
}

static void test_flood_of_different_lines_of_a_kind_is_bounded(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    unsigned written = 0;
    for (uint64_t key = 0; key < 100000; key++)
        written += admit(limit, 3, key, 10);
    assert_int_equal(written, LOG_LIMIT_PER_KIND);
    assert_true(admit(limit, 4, 1, 10)); /* the first of another kind all the same */
    assert_true(log_limit_next(limit, 10 + WINDOW, &summary));
    assert_int_equal(summary.count, 100000 - LOG_LIMIT_PER_KIND);
    assert_false(log_limit_next(limit, 10 + WINDOW, &summary));
    assert_true(admit(limit, 3, 1, 10 + WINDOW));
}

static void test_flood_that_goes_on_gets_less_of_the_log(void **state)
{
    struct log_limit *limit = *state;
    static const unsigned expected[] = {20, 10, 5, 5};
    uint64_t key = 0;
    for (size_t window = 0; window < 4; window++) {
        unsigned written = 0;
        for (unsigned i = 0; i < 1000; i++)
            written += admit(limit, 3, key++, (int64_t)window * WINDOW);
        assert_int_equal(written, expected[window]);
    }
    for (unsigned i = 0; i < 5; i++)
        assert_true(admit(limit, 3, key++, 4 * WINDOW));
    for (unsigned i = 0; i < LOG_LIMIT_PER_KIND; i++) /* and all of it when it was calm */
        assert_true(admit(limit, 3, key++, 5 * WINDOW));
}

static void test_every_kind_is_told_when_the_table_is_full(void **state)
{
    struct log_limit *limit = *state;
    for (unsigned kind = 0; kind < LOG_LIMIT_KINDS; kind++) {
        unsigned written = 0;
        assert_true(admit(limit, kind, 0, 0));
        for (uint64_t key = 1; key < 1000; key++)
            written += admit(limit, kind, key / 2, 0);
        assert_true(written < LOG_LIMIT_PER_KIND);
    }
}

static void test_summary_tells_the_newest_line_and_the_gravest_level(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    const struct log_field up[] = {{"THING", "lamp"}, {"LINK_STATE", "up"}};
    const struct log_field down[] = {{"THING", "lamp"}, {"LINK_STATE", "backoff"}};
    struct log_line line = {
        .burst = 1, .level = LOG_INFO, .text = "up", .fields = up, .field_count = 2};
    assert_true(log_limit_admit(limit, &line, 0));
    line.level = LOG_WARNING;
    assert_false(log_limit_admit(limit, &line, 1));
    line = (struct log_line){
        .burst = 1, .level = LOG_INFO, .text = "down", .fields = down, .field_count = 2};
    assert_false(log_limit_admit(limit, &line, 2));
    assert_true(log_limit_next(limit, WINDOW, &summary));
    assert_string_equal(summary.text, "down");
    assert_int_equal(summary.level, LOG_WARNING);
    assert_int_equal(summary.field_count, 2);
    assert_string_equal(summary.fields[0].name, "THING");
    assert_string_equal(summary.fields[0].value, "lamp");
    assert_string_equal(summary.fields[1].value, "backoff");
}

static void test_summaries_come_in_the_order_of_their_newest_line(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    for (int64_t now_ms = 0; now_ms < 10; now_ms++) {
        (void)admit(limit, 1, 1, now_ms);
        if (now_ms < 5)
            (void)admit(limit, 2, 2, now_ms);
    }
    (void)admit(limit, 1, 9, 11);
    assert_true(log_limit_next(limit, INT64_MAX, &summary));
    assert_int_equal(summary.count, 4);
    assert_true(log_limit_next(limit, INT64_MAX, &summary));
    assert_int_equal(summary.count, 9);
}

static void test_what_is_over_is_forgotten(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    for (unsigned i = 0; i < 10; i++) {
        (void)admit(limit, 1, 1, 0);
        (void)admit(limit, 2, 1, 0);
    }
    for (uint64_t key = 100; key < 200; key++)
        (void)admit(limit, 1, key, 0);
    assert_int_equal(log_limit_forget(limit, 1), 9 + 100 - (LOG_LIMIT_PER_KIND - 1));
    assert_int_equal(log_limit_forget(limit, 1), 0);
    assert_true(log_limit_next(limit, INT64_MAX, &summary)); /* the other kind's */
    assert_int_equal(summary.count, 9);
    assert_false(log_limit_next(limit, INT64_MAX, &summary));
    assert_false(admit(limit, 1, 1, 1)); /* the kind's share is used up all the same */
    assert_true(admit(limit, 1, 1, WINDOW));
}

static void test_too_much_is_cut_to_fit(void **state)
{
    struct log_limit *limit = *state;
    struct log_limit_summary summary;
    static char text[LOG_LIMIT_TEXT_MAX * 2], value[LOG_LIMIT_FIELDS_MAX];
    memset(text, 'x', sizeof(text) - 1);
    memset(value, 'y', sizeof(value) - 1);
    const struct log_field fields[] = {{"BIG", value}, {"CODE", "9"}};
    const struct log_line line = {
        .burst = 1, .level = LOG_INFO, .text = text, .fields = fields, .field_count = 2};
    assert_true(log_limit_admit(limit, &line, 0));
    assert_false(log_limit_admit(limit, &line, 0));
    assert_true(log_limit_next(limit, INT64_MAX, &summary));
    assert_int_equal(strlen(summary.text), LOG_LIMIT_TEXT_MAX - 1);
    assert_int_equal(summary.field_count, 1);
    assert_string_equal(summary.fields[0].name, "CODE");
    assert_string_equal(summary.fields[0].value, "9");
}

static void test_hash_tells_where_texts_end(void **state)
{
    (void)state;
    assert_true(log_limit_mix(log_limit_mix(0, "ab"), "c") !=
                log_limit_mix(log_limit_mix(0, "a"), "bc"));
    assert_true(log_limit_mix(0, "") != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_first_line_is_written_and_equal_ones_are_counted,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_burst_of_lines_alike_is_written, setup, teardown),
        cmocka_unit_test_setup_teardown(test_steady_stream_costs_one_line_a_window, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_line_after_a_quiet_window_is_news, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_lines_are_not_held_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_flood_of_different_lines_of_a_kind_is_bounded, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_flood_that_goes_on_gets_less_of_the_log, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_every_kind_is_told_when_the_table_is_full, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_summary_tells_the_newest_line_and_the_gravest_level,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_summaries_come_in_the_order_of_their_newest_line,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_over_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_much_is_cut_to_fit, setup, teardown),
        cmocka_unit_test(test_hash_tells_where_texts_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
