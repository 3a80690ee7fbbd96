#include "daemon/status.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void assert_document(const struct link_history *history, int64_t now_ms,
                            const char *expected)
{
    size_t size = 0;
    char *text = status_write_history(history, now_ms, &size);
    assert_non_null(text);
    assert_string_equal(text, expected);
    assert_int_equal(size, strlen(expected));
    free(text);
}

static void test_no_event_is_an_empty_list(void **state)
{
    (void)state;
    static const struct link_history history;
    assert_document(&history, 1000, "{\"events\":[],\"events_ever\":0}");
}

static void test_each_event_has_the_documented_fields(void **state)
{
    (void)state;
    struct link_history history = {0};
    link_history_add(&history,
                     &(struct link_history_entry){.event = LINK_EVENT_DIAL_FAILED,
                                                  .wall_sec = 1795449600,
                                                  .boot_ms = 10000,
                                                  .duration_ms = 1500},
                     "the name does not resolve");
    link_history_add(&history,
                     &(struct link_history_entry){.event = LINK_EVENT_DIAL_FAILED,
                                                  .wall_sec = 1795449602,
                                                  .boot_ms = 12000,
                                                  .duration_ms = 500},
                     "the name does not resolve");
    link_history_add(&history,
                     &(struct link_history_entry){.event = LINK_EVENT_LOST,
                                                  .wall_sec = 1795449700,
                                                  .boot_ms = 110000,
                                                  .duration_ms = 90000,
                                                  .bytes_in = 5000,
                                                  .bytes_out = 0},
                     "");
    assert_document(&history, 111000,
                    "{\"events\":["
                    "{\"event\":\"dial-failed\",\"time_sec\":1795449602,\"ago_ms\":99000,"
                    "\"first_ago_ms\":101000,\"repeats\":2,\"duration_ms\":2000,\"bytes_in\":null,"
                    "\"bytes_out\":null,\"reason\":\"the name does not resolve\"},"
                    "{\"event\":\"lost\",\"time_sec\":1795449700,\"ago_ms\":1000,"
                    "\"first_ago_ms\":1000,\"repeats\":1,\"duration_ms\":90000,\"bytes_in\":5000,"
                    "\"bytes_out\":0,\"reason\":null}],\"events_ever\":3}");
}

static void test_a_full_history_fits_into_one_answer(void **state)
{
    (void)state;
    struct link_history history = {0};
    char reason[LINK_REASON_BYTES];
    for (unsigned i = 0; i < 2 * LINK_HISTORY_MAX; i++) {
        memset(reason, '\\', sizeof(reason) - 1); /* doubled in JSON */
        reason[sizeof(reason) - 1] = '\0';
        reason[0] = (char)('0' + i % 10);
        link_history_add(&history,
                         &(struct link_history_entry){.event = LINK_EVENT_LOST,
                                                      .wall_sec = INT64_C(99999999999),
                                                      .boot_ms = i,
                                                      .duration_ms = INT64_C(99999999999),
                                                      .bytes_in = UINT64_C(1) << 60,
                                                      .bytes_out = UINT64_C(1) << 60},
                         reason);
    }
    size_t size = 0;
    char *text = status_write_history(&history, INT64_C(99999999999), &size);
    assert_non_null(text);
    assert_in_range(size, 1000, 64 * 1024);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_event_is_an_empty_list),
        cmocka_unit_test(test_each_event_has_the_documented_fields),
        cmocka_unit_test(test_a_full_history_fits_into_one_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
