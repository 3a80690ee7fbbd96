#include "daemon/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static int setup(void **state)
{
    struct config *config = malloc(sizeof(*config));
    assert_non_null(config);
    assert_int_equal(config_init(config), 0);
    *state = config;
    return 0;
}

static int teardown(void **state)
{
    config_clear(*state);
    free(*state);
    return 0;
}

static void test_defaults_are_the_contracts(void **state)
{
    struct config *config = *state;
    assert_int_equal(config_number(config, CONFIG_PORT), 8883);
    assert_int_equal(config_number(config, CONFIG_KEEP_ALIVE_SEC), 240);
    assert_int_equal(config_number(config, CONFIG_INTERVAL_MS), 10000);
    assert_int_equal(config_number(config, CONFIG_BURST), 10);
    assert_int_equal(config_number(config, CONFIG_SOCKET_MODE), 0660);
    assert_string_equal(config_text(config, CONFIG_SOCKET_PATH), "/run/fluxaws/fluxawsd.sock");
    assert_string_equal(config_text(config, CONFIG_STORAGE_MODE), "durable");
    assert_false(config_is_degraded(config));
    assert_int_equal(config->problem_count, 0);
}

static void test_every_default_passes_its_own_check(void **state)
{
    struct config *config = *state;
    for (unsigned id = 0; id < CONFIG_ID_COUNT; id++) {
        const struct config_key *key = config_key((enum config_id)id);
        assert_non_null(key->name);
        assert_int_equal(config_set(config, key->section, key->name, key->value, "f", id), 0);
        assert_true(config_is_set(config, (enum config_id)id));
    }
    assert_int_equal(config->problem_count, 0);
}

static void test_later_layer_wins(void **state)
{
    struct config *config = *state;
    config_set(config, "Updates", "Burst", "3", "first", 1);
    config_set(config, "Updates", "Burst", "4", "second", 2);
    assert_int_equal(config_number(config, CONFIG_BURST), 4);
    assert_string_equal(config->values[CONFIG_BURST].file, "second");
    assert_int_equal(config->values[CONFIG_BURST].line, 2);
}

static void test_endpoint_is_a_name_or_an_address(void **state)
{
    static const char *const good[] = {"a1-ats.iot.eu-west-1.amazonaws.com", "localhost",
                                       "127.0.0.1", "::1", "fd00::1:2"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        config_set(&config, "Connection", "Endpoint", good[i], "file.conf", 1);
        assert_int_equal(config.problem_count, 0);
        config_clear(&config);
    }
    (void)state;
}

static void test_bad_value_keeps_the_default_and_degrades(void **state)
{
    static const struct {
        const char *section, *name, *value;
        enum config_id id;
    } bad[] = {
        {"Connection", "Port", "0", CONFIG_PORT},
        {"Connection", "Port", "65536", CONFIG_PORT},
        {"Connection", "Port", "88x", CONFIG_PORT},
        {"Connection", "Port", "", CONFIG_PORT},
        {"Connection", "Port", " 1", CONFIG_PORT},
        {"Connection", "Port", "+1", CONFIG_PORT},
        {"Connection", "Port", "-1", CONFIG_PORT},
        {"Connection", "Port", "99999999999999999999", CONFIG_PORT},
        {"Connection", "Protocol", "4", CONFIG_PROTOCOL},
        {"Connection", "Endpoint", "https://host", CONFIG_ENDPOINT},
        {"Connection", "Endpoint", "host:8883", CONFIG_ENDPOINT},
        {"Connection", "Endpoint", "\"host\"", CONFIG_ENDPOINT},
        {"Socket", "Path", "here.sock", CONFIG_SOCKET_PATH},
        {"Socket", "Path", "", CONFIG_SOCKET_PATH},
        {"Socket", "Mode", "888", CONFIG_SOCKET_MODE},
        {"Socket", "Mode", "1777", CONFIG_SOCKET_MODE},
        {"Storage", "Mode", "Durable", CONFIG_STORAGE_MODE},
        {"Log", "Level", "loud", CONFIG_LOG_LEVEL},
        {"Updates", "ResponseTimeoutMs", "1999", CONFIG_RESPONSE_TIMEOUT_MS},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        config_set(&config, bad[i].section, bad[i].name, bad[i].value, "file.conf", 7);
        assert_string_equal(config_text(&config, bad[i].id), config_key(bad[i].id)->value);
        assert_true(config_is_degraded(&config));
        assert_int_equal(config.problem_count, 1);
        assert_int_equal(config.problems[0].severity, CONFIG_BAD_VALUE);
        assert_string_equal(config.problems[0].file, "file.conf");
        assert_int_equal(config.problems[0].line, 7);
        assert_non_null(strstr(config.problems[0].text, bad[i].name));
        config_clear(&config);
    }
    (void)state;
}

static void test_unknown_names_are_told_but_do_not_degrade(void **state)
{
    struct config *config = *state;
    config_set(config, "Updates", "Brust", "3", "f", 4);
    config_begin_section(config, "Updtaes", "f", 5);
    config_set(config, "Updtaes", "Burst", "3", "f", 6);
    assert_int_equal(config->problem_count, 2);
    assert_true(config_has_problem(config, CONFIG_UNKNOWN));
    assert_false(config_is_degraded(config));
    assert_int_equal(config_number(config, CONFIG_BURST), 10);
}

static void test_later_key_says_not_yet(void **state)
{
    struct config *config = *state;
    config_set(config, "Connection", "Proxy", "http://proxy:3128", "f", 1);
    assert_true(config_has_problem(config, CONFIG_NOT_YET));
    assert_false(config_is_degraded(config));
}

static void test_extra_is_a_list_of_things(void **state)
{
    struct config *config = *state;
    char buffer[256];
    const char *words[CONFIG_WORDS_MAX];
    config_set(config, "Thing", "Extra", "gateway-*, boiler\tpump:2", "f", 1);
    assert_int_equal(config->problem_count, 0);
    assert_int_equal(
        config_split(config_text(config, CONFIG_THING_EXTRA), buffer, sizeof(buffer), words), 3);
    assert_string_equal(words[0], "gateway-*");
    assert_string_equal(words[1], "boiler");
    assert_string_equal(words[2], "pump:2");
    config_set(config, "Thing", "Extra", "gate*way", "f", 2);
    assert_true(config_has_problem(config, CONFIG_BAD_VALUE));
    assert_string_equal(config_text(config, CONFIG_THING_EXTRA), "");
}

static void test_access_section_is_remembered(void **state)
{
    struct config *config = *state;
    assert_false(config->has_access);
    config_begin_section(config, "Access sensors", "f", 1);
    config_set(config, "Access sensors", "User", "root", "f", 2);
    assert_true(config->has_access);
    assert_int_equal(config->problem_count, 1);
}

static void test_missing_endpoint_is_told(void **state)
{
    struct config *config = *state;
    config_finish(config);
    assert_true(config_has_problem(config, CONFIG_MISSING));
}

static void test_backoff_bounds_are_checked_together(void **state)
{
    struct config *config = *state;
    config_set(config, "Connection", "Endpoint", "localhost", "f", 1);
    config_set(config, "Connection", "BackoffMinMs", "5000", "f", 2);
    config_set(config, "Connection", "BackoffMaxMs", "4000", "f", 3);
    config_finish(config);
    assert_true(config_is_degraded(config));
    assert_int_equal(config->problems[0].line, 3);
}

static void test_problems_are_bounded_and_keep_the_worst(void **state)
{
    struct config *config = *state;
    for (unsigned i = 0; i < 1000; i++)
        config_begin_section(config, "Nonsense", "f", i);
    config_set(config, "Connection", "Port", "x", "f", 1000);
    assert_int_equal(config->problem_count, CONFIG_PROBLEMS_MAX);
    assert_true(config_is_degraded(config));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults_are_the_contracts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_default_passes_its_own_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_layer_wins, setup, teardown),
        cmocka_unit_test(test_endpoint_is_a_name_or_an_address),
        cmocka_unit_test_setup_teardown(test_bad_value_keeps_the_default_and_degrades, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unknown_names_are_told_but_do_not_degrade, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_later_key_says_not_yet, setup, teardown),
        cmocka_unit_test_setup_teardown(test_extra_is_a_list_of_things, setup, teardown),
        cmocka_unit_test_setup_teardown(test_access_section_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing_endpoint_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backoff_bounds_are_checked_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_problems_are_bounded_and_keep_the_worst, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
