#include "client/answers.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static int set_up(void **state)
{
    struct answers *answers = malloc(sizeof(*answers));
    struct answers_queue *queue = calloc(1, sizeof(*queue));
    assert_true(answers != NULL && queue != NULL);
    answers_init(answers, queue, 3);
    *state = answers;
    return 0;
}

static int tear_down(void **state)
{
    struct answers *answers = *state;
    answers_clear(answers);
    answers_queue_clear(answers->queue);
    free(answers->queue);
    free(answers);
    return 0;
}

static void expect(struct answers *answers, uint64_t first, uint64_t last, enum flux_level wanted)
{
    for (uint64_t id = first; id <= last; id++)
        assert_int_equal(answers_expect(answers, id, wanted, 1), 0);
}

static void reach(struct answers *answers, enum flux_level level, uint64_t first, uint64_t last,
                  uint64_t sent)
{
    struct flux_answer answer = {
        .level = level, .first_id = first, .last_id = last, .version = (int64_t)last};
    assert_int_equal(answers_reach(answers, &answer, sent), 0);
}

static void reject(struct answers *answers, uint64_t first, uint64_t last, uint64_t sent)
{
    struct flux_rejected rejected = {
        .first_id = first, .last_id = last, .code = 400, .path = flux_text("/p")};
    assert_int_equal(answers_reject(answers, &rejected, sent), 0);
}

static void expect_ready(struct answers *answers, uint64_t first, uint64_t last,
                         enum flux_level level)
{
    struct answers_ready ready;
    assert_true(answers_queue_next(answers->queue, &ready));
    assert_int_equal(ready.shadow, 3);
    assert_int_equal(ready.first, first);
    assert_int_equal(ready.last, last);
    assert_int_equal(ready.rejected, level == 0);
    if (level != 0)
        assert_int_equal(ready.level, level);
    answers_ready_clear(&ready);
}

static void expect_silence(struct answers *answers)
{
    struct answers_ready ready;
    assert_false(answers_queue_next(answers->queue, &ready));
}

static void test_neighbours_share_an_entry_beyond_the_bound(void **state)
{
    struct answers *answers = *state;
    const uint64_t total = 50000;
    expect(answers, 1, total, FLUX_LEVEL_ACCEPTED);
    assert_true(answers->report_count <= 1024);
    assert_int_equal(answers_waiting(answers), total);
    reach(answers, FLUX_LEVEL_QUEUED, 1, 20000, total);
    expect_ready(answers, 1, 20000, FLUX_LEVEL_QUEUED);
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, 1500, total);
    expect_ready(answers, 1, 1500, FLUX_LEVEL_ACCEPTED);
    assert_int_equal(answers_waiting(answers), total - 1500);
    reject(answers, 1501, 1501, total);
    expect_ready(answers, 1501, 1501, 0);
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, total, total);
    expect_ready(answers, 1502, total, FLUX_LEVEL_ACCEPTED);
    expect_silence(answers);
    assert_int_equal(answers_waiting(answers), 0);
}

static void test_a_wanted_level_ends_the_waiting(void **state)
{
    struct answers *answers = *state;
    expect(answers, 1, 2, FLUX_LEVEL_STORED);
    expect(answers, 3, 3, FLUX_LEVEL_QUEUED);
    reach(answers, FLUX_LEVEL_QUEUED, 1, 3, 3);
    expect_ready(answers, 1, 3, FLUX_LEVEL_QUEUED);
    assert_int_equal(answers_first_waiting(answers), 1);
    assert_int_equal(answers_wanted(answers), FLUX_LEVEL_STORED);
    /* A higher level implies the lower, and what came too high is told as it is. */
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, 3, 3);
    expect_ready(answers, 1, 2, FLUX_LEVEL_ACCEPTED);
    reach(answers, FLUX_LEVEL_STORED, 1, 3, 3);
    expect_silence(answers);
    assert_int_equal(answers_first_waiting(answers), UINT64_MAX);
    /* A rejection is told even then. */
    reject(answers, 3, 3, 3);
    expect_ready(answers, 3, 3, 0);
}

/* Reports 1, 2 and 3 of a, b and a; 1 is whole in 3. */
static void lose_and_send_again(struct answers *answers)
{
    expect(answers, 1, 3, FLUX_LEVEL_ACCEPTED);
    answers_lost(answers);
    assert_int_equal(answers_frame_sent(answers, 2, 1), 0);
    assert_int_equal(answers_frame_sent(answers, 3, 1), 0);
    answers_frames_done(answers, 0, 3, 3);
}

static void test_merged_reports_wait_for_every_frame(void **state)
{
    struct answers *answers = *state;
    lose_and_send_again(answers);
    reach(answers, FLUX_LEVEL_QUEUED, 2, 3, 3);
    expect_ready(answers, 1, 3, FLUX_LEVEL_QUEUED);
    reach(answers, FLUX_LEVEL_ACCEPTED, 3, 3, 3);
    expect_ready(answers, 3, 3, FLUX_LEVEL_ACCEPTED);
    expect_silence(answers);
    reach(answers, FLUX_LEVEL_ACCEPTED, 2, 2, 3);
    expect_ready(answers, 1, 2, FLUX_LEVEL_ACCEPTED);
    assert_int_equal(answers->frame_count, 0);
}

static void test_merged_reports_are_rejected_with_a_frame_of_theirs(void **state)
{
    struct answers *answers = *state;
    lose_and_send_again(answers);
    reject(answers, 3, 3, 3);
    expect_ready(answers, 3, 3, 0);
    expect_ready(answers, 1, 1, 0);
    assert_int_equal(answers_waiting(answers), 1);
    reach(answers, FLUX_LEVEL_ACCEPTED, 2, 2, 3);
    expect_ready(answers, 2, 2, FLUX_LEVEL_ACCEPTED);
    assert_int_equal(answers_waiting(answers), 0);
}

static void test_a_report_that_lost_a_part_is_shared(void **state)
{
    struct answers *answers = *state;
    assert_int_equal(answers_expect(answers, 1, FLUX_LEVEL_ACCEPTED, 2), 0);
    assert_int_equal(answers_expect(answers, 2, FLUX_LEVEL_ACCEPTED, 1), 0);
    answers_lost(answers);
    assert_int_equal(answers_frame_sent(answers, 1, 1), 0);
    assert_int_equal(answers_frame_sent(answers, 2, 1), 0);
    answers_frames_done(answers, 0, 2, 2);
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, 1, 2);
    expect_silence(answers);
    reach(answers, FLUX_LEVEL_ACCEPTED, 2, 2, 2);
    expect_ready(answers, 1, 2, FLUX_LEVEL_ACCEPTED);
}

static void test_what_is_still_unsent_holds_merged_reports_back(void **state)
{
    struct answers *answers = *state;
    expect(answers, 1, 4, FLUX_LEVEL_ACCEPTED);
    answers_lost(answers);
    /* Only report 2 fitted into the socket; the value of report 1 is in report 4. */
    assert_int_equal(answers_frame_sent(answers, 2, 1), 0);
    answers_frames_done(answers, 0, 2, 4);
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, 2, 2);
    expect_ready(answers, 2, 2, FLUX_LEVEL_ACCEPTED);
    expect_silence(answers);
    /* Meanwhile report 5 takes the place of report 4. */
    expect(answers, 5, 5, FLUX_LEVEL_ACCEPTED);
    assert_int_equal(answers_frame_sent(answers, 3, 1), 0);
    assert_int_equal(answers_frame_sent(answers, 5, 1), 0);
    answers_frames_done(answers, 2, 5, 5);
    reach(answers, FLUX_LEVEL_ACCEPTED, 3, 3, 5);
    expect_ready(answers, 3, 3, FLUX_LEVEL_ACCEPTED);
    expect_silence(answers);
    reach(answers, FLUX_LEVEL_ACCEPTED, 5, 5, 5);
    expect_ready(answers, 1, 1, FLUX_LEVEL_ACCEPTED);
    expect_ready(answers, 4, 5, FLUX_LEVEL_ACCEPTED);
    assert_int_equal(answers_waiting(answers), 0);
}

static void test_a_second_loss_keeps_what_is_merged_together(void **state)
{
    struct answers *answers = *state;
    lose_and_send_again(answers);
    answers_lost(answers);
    assert_int_equal(answers_frame_sent(answers, 2, 1), 0);
    assert_int_equal(answers_frame_sent(answers, 3, 1), 0);
    answers_frames_done(answers, 0, 3, 3);
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, 3, 3);
    expect_ready(answers, 1, 3, FLUX_LEVEL_ACCEPTED);
}

static void test_a_report_not_made_is_not_waited_for(void **state)
{
    struct answers *answers = *state;
    expect(answers, 1, 2000, FLUX_LEVEL_QUEUED);
    answers_unexpect(answers, 2000);
    assert_int_equal(answers_waiting(answers), 1999);
    answers_clear(answers);
    expect(answers, 7, 7, FLUX_LEVEL_QUEUED);
    answers_unexpect(answers, 7);
    assert_int_equal(answers_waiting(answers), 0);
    answers_unexpect(answers, 7);
}

/* Other shadows' reports lie between these: every fourth id, then some in a row. */
static void test_neighbours_with_foreign_ids_between_them_are_told_apart(void **state)
{
    struct answers *answers = *state;
    uint64_t count = 0, last = 0;
    for (uint64_t id = 1; id < 40000; id += id % 1000 < 900 ? 4 : 1, count++) {
        assert_int_equal(answers_expect(answers, id, FLUX_LEVEL_ACCEPTED, 1), 0);
        last = id;
    }
    assert_true(answers->report_count < 1024 + count / 10);
    assert_int_equal(answers_waiting(answers), count);
    answers_unexpect(answers, last);
    answers_unexpect(answers, last);
    assert_int_equal(answers_waiting(answers), count - 1);
    assert_int_equal(answers_expect(answers, last, FLUX_LEVEL_ACCEPTED, 1), 0);
    /* A border in the middle of what is shared, and one where a foreign id lies. */
    reach(answers, FLUX_LEVEL_ACCEPTED, 20004, 20004, last);
    expect_ready(answers, 20004, 20004, FLUX_LEVEL_ACCEPTED);
    reach(answers, FLUX_LEVEL_ACCEPTED, 19990, 20002, last);
    reach(answers, FLUX_LEVEL_ACCEPTED, 1, 19989, last);
    assert_int_equal(answers_first_waiting(answers), 20008);
    reach(answers, FLUX_LEVEL_ACCEPTED, 20006, last, last);
    assert_int_equal(answers_waiting(answers), 0);
    assert_int_equal(answers->report_count, 0);
}

static void test_what_was_never_sent_is_not_rejected(void **state)
{
    struct answers *answers = *state;
    expect(answers, 1, 3, FLUX_LEVEL_ACCEPTED);
    reject(answers, 3, 9, 2);
    expect_silence(answers);
    assert_int_equal(answers_waiting(answers), 3);
    /* There is no report 0. */
    reject(answers, 0, 1, 3);
    expect_ready(answers, 1, 1, 0);
    assert_int_equal(answers_waiting(answers), 2);
}

static void test_entries_are_bounded(void **state)
{
    struct answers *answers = *state;
    uint64_t id = 1;
    int r = 0;
    for (; id < 100000 * 100 && r == 0; id += 100)
        r = answers_expect(answers, id, FLUX_LEVEL_ACCEPTED, 1);
    assert_int_equal(r, -ENOBUFS);
    assert_int_equal(answers_waiting(answers), 65536);
    assert_int_equal(answers_reject_all(answers, 13, "no"), 0);
    expect_ready(answers, 1, 65535 * 100 + 1, 0);
    assert_int_equal(answers_waiting(answers), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_neighbours_share_an_entry_beyond_the_bound),
        TEST(test_a_wanted_level_ends_the_waiting),
        TEST(test_merged_reports_wait_for_every_frame),
        TEST(test_merged_reports_are_rejected_with_a_frame_of_theirs),
        TEST(test_a_report_that_lost_a_part_is_shared),
        TEST(test_what_is_still_unsent_holds_merged_reports_back),
        TEST(test_a_second_loss_keeps_what_is_merged_together),
        TEST(test_a_report_not_made_is_not_waited_for),
        TEST(test_neighbours_with_foreign_ids_between_them_are_told_apart),
        TEST(test_what_was_never_sent_is_not_rejected),
        TEST(test_entries_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
