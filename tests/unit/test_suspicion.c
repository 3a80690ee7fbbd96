#include "daemon/shadow/suspicion.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

/* Go out alone and drop the link `count` times while others survive. Returns the last verdict. */
static bool drop(struct suspicion *suspicion, unsigned count, uint64_t *survivors, int64_t now_ms)
{
    bool is_quarantined = false;
    for (unsigned i = 0; i < count; i++) {
        assert_false(is_quarantined);
        suspicion_sent(suspicion, now_ms);
        is_quarantined = suspicion_dropped(suspicion, true, ++*survivors, now_ms + 100);
    }
    return is_quarantined;
}

static void test_only_what_was_sent_lately_is_suspect(void **state)
{
    (void)state;
    struct suspicion early = {0}, late = {0}, acknowledged = {0};
    suspicion_sent(&early, 0);
    suspicion_sent(&late, 1000);
    suspicion_sent(&acknowledged, 1000);
    (void)suspicion_survived(&acknowledged);
    (void)suspicion_dropped(&early, false, 1, 2001);
    (void)suspicion_dropped(&late, false, 1, 2001);
    (void)suspicion_dropped(&acknowledged, false, 1, 2001);
    assert_false(early.is_suspect);
    assert_true(late.is_suspect);
    assert_false(acknowledged.is_suspect);
}

static void test_three_drops_alone_end_in_quarantine(void **state)
{
    (void)state;
    struct suspicion suspicion = {0};
    uint64_t survivors = 0;
    assert_false(drop(&suspicion, 2, &survivors, 1000));
    assert_true(drop(&suspicion, 1, &survivors, 5000));
    assert_true(suspicion_is_in_quarantine(&suspicion, 5100 + SUSPICION_DELAY_MIN_MS - 1));
    assert_false(suspicion_is_in_quarantine(&suspicion, 5100 + SUSPICION_DELAY_MIN_MS));
}

static void test_drops_together_with_others_prove_nothing(void **state)
{
    (void)state;
    struct suspicion suspicion = {0};
    for (uint64_t i = 1; i < 10; i++) {
        suspicion_sent(&suspicion, 0);
        assert_false(suspicion_dropped(&suspicion, false, i, 1));
    }
}

static void test_where_nothing_survives_the_link_is_to_blame(void **state)
{
    (void)state;
    struct suspicion suspicion = {0};
    for (int i = 0; i < 10; i++) {
        suspicion_sent(&suspicion, 0);
        assert_false(suspicion_dropped(&suspicion, true, 5, 1));
    }
}

static void test_one_that_goes_well_clears_all(void **state)
{
    (void)state;
    struct suspicion suspicion = {0};
    uint64_t survivors = 0;
    (void)drop(&suspicion, 2, &survivors, 0);
    suspicion_sent(&suspicion, 10);
    assert_false(suspicion_survived(&suspicion));
    assert_false(suspicion.is_suspect);
    assert_false(drop(&suspicion, 2, &survivors, 20));
}

static void test_quarantine_doubles_up_to_six_hours(void **state)
{
    (void)state;
    struct suspicion suspicion = {0};
    uint64_t survivors = 0;
    assert_true(drop(&suspicion, 3, &survivors, 0));
    int64_t expected_ms = SUSPICION_DELAY_MIN_MS;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(suspicion.delay_ms, expected_ms);
        assert_true(drop(&suspicion, 1, &survivors, suspicion.until_ms)); /* one is enough now */
        expected_ms *= 2;
        if (expected_ms > SUSPICION_DELAY_MAX_MS)
            expected_ms = SUSPICION_DELAY_MAX_MS;
    }
    suspicion_sent(&suspicion, suspicion.until_ms);
    assert_true(suspicion_survived(&suspicion)); /* released */
    assert_true(drop(&suspicion, 3, &survivors, 0));
    assert_int_equal(suspicion.delay_ms, SUSPICION_DELAY_MIN_MS);
}

static void test_what_the_link_outlives_is_suspect_no_more(void **state)
{
    (void)state;
    struct suspicion suspicion = {0};
    suspicion_sent(&suspicion, 0);
    (void)suspicion_dropped(&suspicion, false, 1, 1);
    suspicion_ease(&suspicion, 5000);
    assert_true(suspicion.is_suspect); /* it has not been tried again */
    suspicion_sent(&suspicion, 5000);
    suspicion_ease(&suspicion, 5000 + SUSPICION_DROP_MS);
    assert_true(suspicion.is_suspect);
    suspicion_ease(&suspicion, 5001 + SUSPICION_DROP_MS);
    assert_false(suspicion.is_suspect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_what_was_sent_lately_is_suspect),
        cmocka_unit_test(test_three_drops_alone_end_in_quarantine),
        cmocka_unit_test(test_drops_together_with_others_prove_nothing),
        cmocka_unit_test(test_where_nothing_survives_the_link_is_to_blame),
        cmocka_unit_test(test_one_that_goes_well_clears_all),
        cmocka_unit_test(test_quarantine_doubles_up_to_six_hours),
        cmocka_unit_test(test_what_the_link_outlives_is_suspect_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
