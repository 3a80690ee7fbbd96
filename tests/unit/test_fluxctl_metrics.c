/* The figures of the status as OpenMetrics text. A real parser reads a real daemon's in
 * tests/integration/status. */
#include "client/fluxctl/metrics.h"
#include "client/fluxctl/metrics_table.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static char *print(const char *json)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    assert_int_equal(metrics_print(json, file), 0);
    assert_int_equal(fclose(file), 0);
    return text;
}

static void expect(const char *json, const char *part)
{
    char *text = print(json);
    if (strstr(text, part) == NULL) {
        print_error("expected %s in\n%s", part, text);
        fail();
    }
    free(text);
}

static void expect_not(const char *json, const char *part)
{
    char *text = print(json);
    assert_null(strstr(text, part));
    free(text);
}

static void test_each_reading_has_the_unit_of_its_name(void **state)
{
    (void)state;
    expect("{\"uptime_ms\":1234}", "# TYPE fluxaws_uptime_seconds gauge\n"
                                   "# UNIT fluxaws_uptime_seconds seconds\n"
                                   "# HELP fluxaws_uptime_seconds Since the daemon started.\n"
                                   "fluxaws_uptime_seconds 1.234\n");
    expect("{\"storage\":{\"last_commit_us\":410}}",
           "\nfluxaws_storage_last_commit_duration_seconds 0.000410\n");
    expect("{\"shadows\":[{\"thing\":\"t\",\"name\":null,\"fill_percent\":7}]}",
           "\nfluxaws_shadow_fill_ratio{thing=\"t\",shadow=\"\"} 0.07\n");
    expect("{\"link\":{\"attempts\":5}}", "# TYPE fluxaws_link_attempts counter\n"
                                          "# HELP fluxaws_link_attempts Attempts to connect.\n"
                                          "fluxaws_link_attempts_total 5\n");
    expect(
        "{\"cloud\":{\"causes\":{\"update\":{\"operations\":3},\"get_gap\":{\"operations\":1}}}}",
        "\nfluxaws_cloud_operations_total{cause=\"update\"} 3\n"
        "fluxaws_cloud_operations_total{cause=\"get_gap\"} 1\n#");
}

static void test_texts_become_yes_or_no(void **state)
{
    (void)state;
    expect("{\"summary\":\"healthy\"}", "\nfluxaws_healthy 1\n");
    expect("{\"summary\":\"mend the disk: x\"}", "\nfluxaws_healthy 0\n");
    expect("{\"link\":{\"state\":\"backoff\",\"paused\":true}}", "\nfluxaws_link_up 0\n");
    expect("{\"link\":{\"state\":\"backoff\",\"paused\":true}}", "\nfluxaws_link_paused 1\n");
    expect("{\"link\":{\"state\":\"backoff\"}}", "\nfluxaws_link_state{state=\"backoff\"} 1\n");
    expect("{\"shadows\":[{\"quarantined_for_ms\":null,\"heard\":true}]}",
           "\nfluxaws_shadow_quarantined{thing=\"\",shadow=\"\"} 0\n");
    expect("{\"shadows\":[{\"quarantined_for_ms\":5,\"heard\":true}]}",
           "\nfluxaws_shadow_quarantined{thing=\"\",shadow=\"\"} 1\n");
}

static void test_what_is_not_known_has_no_sample(void **state)
{
    (void)state;
    expect_not("{\"cloud\":{\"daily\":{\"limit\":null}}}",
               "\nfluxaws_cloud_daily_operations_limit ");
    expect_not("{}", "\nfluxaws_link_up ");
    expect_not("{}", "\nfluxaws_healthy ");
}

static void test_labels_are_escaped_and_harmless(void **state)
{
    (void)state;
    expect("{\"shadows\":[{\"thing\":\"a\\\"b\\\\c\",\"name\":\"\\n\\u001b\\u009b\\u202e\xc3\xa4\","
           "\"pending\":1}]}",
           "\nfluxaws_shadow_pending{thing=\"a\\\"b\\\\c\",shadow=\"?"
           "???\xc3\xa4\"} 1\n");
}

static void test_the_end_is_marked(void **state)
{
    (void)state;
    char *text = print("{}");
    assert_string_equal(text + strlen(text) - 6, "# EOF\n");
    free(text);
    assert_int_equal(metrics_print("", stderr), -EINVAL);
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text), end_size = strlen(end);
    return size > end_size && text[size - end_size - 1] == '_' &&
           strcmp(text + size - end_size, end) == 0;
}

/* The rules that OpenMetrics has for names. */
static void test_names_are_as_the_format_wants_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < metrics_count; i++) {
        const struct metric *metric = &metrics_table[i];
        assert_true(strncmp(metric->name, "fluxaws_", 8) == 0);
        assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(metric->name));
        assert_false(ends_with(metric->name, "total"));
        if (metric->unit != NULL)
            assert_true(ends_with(metric->name, metric->unit));
        bool is_seconds =
            metric->reading == METRIC_MILLISECONDS || metric->reading == METRIC_MICROSECONDS;
        if (is_seconds)
            assert_string_equal(metric->unit, "seconds");
        assert_int_equal(metric->expected != NULL, metric->reading == METRIC_IS);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(metric->name, metrics_table[j].name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_reading_has_the_unit_of_its_name),
        cmocka_unit_test(test_texts_become_yes_or_no),
        cmocka_unit_test(test_what_is_not_known_has_no_sample),
        cmocka_unit_test(test_labels_are_escaped_and_harmless),
        cmocka_unit_test(test_the_end_is_marked),
        cmocka_unit_test(test_names_are_as_the_format_wants_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
