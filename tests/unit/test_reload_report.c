#include "daemon/reload_report.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void config_make(struct config *ret_config, enum config_id id, const char *value)
{
    assert_int_equal(config_init(ret_config), 0);
    const struct config_key *key = config_key(id);
    assert_int_equal(config_set(ret_config, key->section, key->name, value, "f", 7), 0);
}

static void test_key_that_needs_a_restart_keeps_its_running_value(void **state)
{
    struct config running, fresh;
    struct reload_report report = {0};
    config_make(&running, CONFIG_SOCKET_PATH, "/run/old.sock");
    config_make(&fresh, CONFIG_SOCKET_PATH, "/run/new.sock");
    assert_int_equal(reload_report_keep_running(&report, &running, &fresh, true, true), 0);
    assert_int_equal(report.needs_restart_count, 1);
    assert_string_equal(report.needs_restart[0], "[Socket] Path");
    assert_string_equal(config_text(&fresh, CONFIG_SOCKET_PATH), "/run/old.sock");
    config_clear(&running);
    reload_report_clear(&report);

    /* Asked again with the same file it is still so; set back it is not. */
    struct config third;
    config_make(&third, CONFIG_SOCKET_PATH, "/run/new.sock");
    assert_int_equal(reload_report_keep_running(&report, &fresh, &third, true, true), 0);
    assert_int_equal(report.needs_restart_count, 1);
    config_clear(&fresh);
    reload_report_clear(&report);
    config_make(&fresh, CONFIG_SOCKET_PATH, "/run/old.sock");
    assert_int_equal(reload_report_keep_running(&report, &third, &fresh, true, true), 0);
    assert_int_equal(report.needs_restart_count, 0);
    config_clear(&third);
    config_clear(&fresh);
    (void)state;
}

static void test_socket_of_the_service_manager_needs_no_restart(void **state)
{
    struct config running, fresh;
    struct reload_report report = {0};
    config_make(&running, CONFIG_SOCKET_MODE, "0600");
    config_make(&fresh, CONFIG_SOCKET_MODE, "0666");
    assert_int_equal(reload_report_keep_running(&report, &running, &fresh, true, false), 0);
    assert_int_equal(report.needs_restart_count, 0);
    config_clear(&running);
    config_clear(&fresh);
    (void)state;
}

static void test_other_keys_take_the_fresh_value(void **state)
{
    struct config running, fresh;
    struct reload_report report = {0};
    config_make(&running, CONFIG_INTERVAL_MS, "1000");
    config_make(&fresh, CONFIG_INTERVAL_MS, "2000");
    assert_int_equal(reload_report_keep_running(&report, &running, &fresh, true, true), 0);
    assert_int_equal(report.needs_restart_count, 0);
    assert_int_equal(config_number(&fresh, CONFIG_INTERVAL_MS), 2000);
    config_clear(&running);
    config_clear(&fresh);
    (void)state;
}

static void test_name_from_elsewhere_is_no_change_while_it_is_the_same(void **state)
{
    struct config running, fresh;
    struct reload_report report = {0};
    config_make(&running, CONFIG_THING_NAME, "lamp");
    config_make(&fresh, CONFIG_THING_NAME_FROM, "hostname");
    assert_int_equal(reload_report_keep_running(&report, &running, &fresh, true, true), 0);
    assert_int_equal(report.needs_restart_count, 0);
    assert_string_equal(config_text(&fresh, CONFIG_THING_NAME_FROM), "hostname");
    config_clear(&running);
    config_clear(&fresh);
    (void)state;
}

static void test_another_name_from_the_same_source_needs_a_restart(void **state)
{
    struct config running, fresh;
    struct reload_report report = {0};
    config_make(&running, CONFIG_THING_NAME_FROM, "certificate-cn");
    config_make(&fresh, CONFIG_THING_NAME_FROM, "certificate-cn");
    assert_int_equal(reload_report_keep_running(&report, &running, &fresh, false, true), 0);
    assert_int_equal(report.needs_restart_count, 1);
    assert_string_equal(report.needs_restart[0], "[Thing] NameFrom");
    config_clear(&running);
    config_clear(&fresh);
    reload_report_clear(&report);
    (void)state;
}

static void test_problems_carry_file_and_line(void **state)
{
    struct config config;
    struct reload_report report = {0};
    config_make(&config, CONFIG_PORT, "none");
    config_add_problem(&config, CONFIG_UNPARSED, "dir", 0, "cannot be read");
    config_add_problem(&config, CONFIG_MISSING, NULL, 0, "Endpoint is missing");
    config_add_problem(&config, CONFIG_UNKNOWN, "f", 9, "unknown key");
    assert_int_equal(reload_report_add_problems(&report, &config), 0);
    assert_int_equal(report.problem_count, 4);
    assert_int_equal(report.mistake_count, 3);
    assert_memory_equal(report.problems[0], "f:7: Port=none", 14);
    assert_string_equal(report.problems[1], "dir: cannot be read");
    assert_string_equal(report.problems[2], "Endpoint is missing");
    assert_int_equal(report.gravest, 2);
    config_clear(&config);
    reload_report_clear(&report);
    assert_int_equal(report.problem_count, 0);
    (void)state;
}

static void set_property(struct config *config, const char *section, const char *key,
                         const char *value)
{
    assert_int_equal(config_begin_section(config, section, "f", 1), 0);
    assert_int_equal(config_set(config, section, key, value, "f", 2), 0);
}

static void test_what_has_changed_is_named_and_what_waits_is_not(void **state)
{
    struct config running, fresh;
    struct reload_report report = {0};
    config_make(&running, CONFIG_INTERVAL_MS, "1000");
    config_make(&fresh, CONFIG_SOCKET_PATH, "/run/new.sock");
    assert_int_equal(reload_report_add_changes(&report, &running, &fresh), 0);
    assert_int_equal(report.changed_count, 1);
    assert_string_equal(report.changed[0], "[Updates] IntervalMs");
    config_clear(&running);
    reload_report_clear(&report);
    assert_int_equal(report.changed_count, 0);
    assert_int_equal(reload_report_add_changes(&report, &fresh, &fresh), 0);
    assert_int_equal(report.changed_count, 0);
    config_clear(&fresh);
    (void)state;
}

static void test_sections_that_differ_in_anything_have_changed(void **state)
{
    static const char *const rows[][3] = {{"Property b", "Deadband", "1"},
                                          {"Property a", "Deadband", "2"},
                                          {"Property a", "MinIntervalMs", "1"},
                                          {"Property a", "Shadow", "config"}};
    struct config running;
    config_make(&running, CONFIG_INTERVAL_MS, "1000");
    set_property(&running, "Property a", "Deadband", "1");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct config fresh;
        struct reload_report report = {0};
        config_make(&fresh, CONFIG_INTERVAL_MS, "1000");
        set_property(&fresh, rows[i][0], rows[i][1], rows[i][2]);
        assert_int_equal(reload_report_add_changes(&report, &running, &fresh), 0);
        assert_int_equal(report.changed_count, 1);
        assert_string_equal(report.changed[0], "[Property ...]");
        config_clear(&fresh);
        reload_report_clear(&report);
    }
    struct config same;
    struct reload_report report = {0};
    config_make(&same, CONFIG_INTERVAL_MS, "1000");
    set_property(&same, "Property a", "Deadband", "1");
    assert_int_equal(reload_report_add_changes(&report, &running, &same), 0);
    assert_int_equal(report.changed_count, 0);
    config_clear(&same);
    config_clear(&running);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_that_needs_a_restart_keeps_its_running_value),
        cmocka_unit_test(test_socket_of_the_service_manager_needs_no_restart),
        cmocka_unit_test(test_other_keys_take_the_fresh_value),
        cmocka_unit_test(test_name_from_elsewhere_is_no_change_while_it_is_the_same),
        cmocka_unit_test(test_another_name_from_the_same_source_needs_a_restart),
        cmocka_unit_test(test_problems_carry_file_and_line),
        cmocka_unit_test(test_what_has_changed_is_named_and_what_waits_is_not),
        cmocka_unit_test(test_sections_that_differ_in_anything_have_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
