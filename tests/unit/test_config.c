#include "daemon/config.h"
#include "daemon/config_property.h"
#include "daemon/config_suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
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

static void test_bad_endpoint_keeps_the_earlier_one(void **state)
{
    static const char *const bad[] = {"", "https://e", "e:8883"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        config_set(&config, "Connection", "Endpoint", "e", "main", 1);
        config_set(&config, "Connection", "Endpoint", bad[i], "drop-in", 2);
        assert_int_equal(config_finish(&config), 0);
        assert_string_equal(config_text(&config, CONFIG_ENDPOINT), "e");
        assert_string_equal(config.values[CONFIG_ENDPOINT].file, "main");
        assert_true(config_is_degraded(&config));
        assert_false(config_has_problem(&config, CONFIG_MISSING));
        assert_non_null(strstr(config.problems[0].text, "; using e"));
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
        {"Storage", "Directory", "state", CONFIG_STORAGE_DIRECTORY},
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

static void test_bad_proxy_is_told_without_its_password(void **state)
{
    struct config *config = *state;
    config_set(config, "Connection", "Proxy", "http://user:secret@proxy:3128", "f", 1);
    assert_int_equal(config->problem_count, 0);
    assert_string_equal(config_text(config, CONFIG_PROXY), "http://user:secret@proxy:3128");
    config_set(config, "Connection", "Proxy", "http://user:secret@proxy", "f", 2);
    assert_int_equal(config->problem_count, 1);
    assert_int_equal(config->problems[0].severity, CONFIG_BAD_VALUE);
    assert_non_null(strstr(config->problems[0].text, "Proxy"));
    assert_non_null(strstr(config->problems[0].text, "there is no port"));
    assert_null(strstr(config->problems[0].text, "secret"));
    assert_string_equal(config_text(config, CONFIG_PROXY), "");
    config_set(config, "Connection", "Proxy", "", "f", 3);
    assert_int_equal(config->problem_count, 1);
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
    assert_int_equal(config->problem_count, 0);
}

static void test_what_may_be_meant_is_suggested(void **state)
{
    static const struct {
        const char *section, *name, *hint; /* "": none */
    } cases[] = {
        {"Updates", "Brust", "; did you mean Burst?"},
        {"Updates", "burst", "; did you mean Burst?"},
        {"Updates", "IntervallMs", "; did you mean IntervalMs?"},
        {"Connection", "KeepAlive", "; did you mean KeepAliveSec?"},
        {"Connection", "connecttimeout", "; did you mean ConnectTimeoutMs?"},
        {"Storage", "Max", ""},
        {"Updates", "KeepAlive", ""},
        {"Updates", "MaxDetph", "; did you mean MaxDepth?"},
        {"Socket", "MaxDepth", "; MaxDepth belongs to [Updates]"},
        {"Socket", "Mod", "; did you mean Mode?"},
        {"Updates", "Mode2", ""},
        {"Updates", "", ""},
        {"Updates", "x", ""},
        {"Updates", "IntervalMsIntervalMsIntervalMsIntervalMsIntervalMs", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char hint[96];
        config_suggest_key(cases[i].section, cases[i].name, hint, sizeof(hint));
        assert_string_equal(hint, cases[i].hint);
    }
    assert_string_equal(config_suggest_section("updates"), "Updates");
    assert_string_equal(config_suggest_section("Propery a.b"), "Property");
    assert_null(config_suggest_section("Nowhere"));
    assert_null(config_suggest_section(""));
    struct config *config = *state;
    config_set(config, "Updates", "Brust", "3", "f", 4);
    assert_string_equal(config->problems[0].text,
                        "unknown key Brust in [Updates]; did you mean Burst?");
}

static void test_mistyped_access_section_grants_nothing(void **state)
{
    struct config *config = *state;
    config_begin_section(config, "Updtaes", "f", 1);
    assert_false(config->has_access);
    config_begin_section(config, "acess sensors", "f", 2);
    assert_true(config->has_access);
    assert_true(config_has_problem(config, CONFIG_BAD_VALUE)); /* status says degraded */
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

static const struct policy *policy_of(const struct config *config, struct policies **ret_policies,
                                      const char *path)
{
    const struct policy *policy = NULL;
    assert_int_equal(config_make_policies(config, ret_policies), 0);
    if (*ret_policies)
        assert_int_equal(policies_find(*ret_policies, "lamp", "", path, strlen(path), &policy), 0);
    return policy;
}

static void test_property_section_makes_a_policy(void **state)
{
    struct config *config = *state;
    const char *section = "Property battery.**";
    config_begin_section(config, section, "f", 1);
    config_set(config, section, "MinIntervalMs", "500", "f", 2);
    config_set(config, section, "Deadband", "0.25", "f", 3);
    config_set(config, section, "RefreshSec", "60", "f", 4);
    config_set(config, section, "Urgent", "yes", "f", 5);
    config_set(config, section, "ExpireSec", "90", "f", 6);
    config_set(config, section, "OnExit", "unset", "f", 7);
    assert_int_equal(config->problem_count, 0);
    struct policies *policies = NULL;
    const struct policy *policy = policy_of(config, &policies, "/battery/level");
    assert_non_null(policy);
    assert_int_equal(policy->min_interval_ms, 500);
    assert_true(policy->deadband > 0.24 && policy->deadband < 0.26);
    assert_int_equal(policy->refresh_ms, 60000);
    assert_int_equal(policy->expire_ms, 90000);
    assert_true(policy->urgent && policy->unset_on_exit);
    policies_free(policies);
}

static void test_no_property_section_makes_no_policies(void **state)
{
    struct policies *policies = NULL;
    assert_int_equal(config_make_policies(*state, &policies), 0);
    assert_null(policies);
}

static void test_bad_property_value_leaves_the_key_out(void **state)
{
    static const char *const bad[][2] = {
        {"MinIntervalMs", "-1"}, {"MinIntervalMs", "86400001"}, {"MinIntervalMs", "1s"},
        {"Deadband", "-0.5"},    {"Deadband", "nan"},           {"Deadband", "1,5"},
        {"Deadband", "1e999"},   {"RefreshSec", "31536001"},    {"RefreshSec", ""},
        {"Urgent", "maybe"},     {"ExpireSec", "1.5"},          {"OnExit", "null"},
    };
    struct config *config = *state;
    config_begin_section(config, "Property a", "f", 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        config_set(config, "Property a", bad[i][0], bad[i][1], "f", 2);
        assert_int_equal(config->problem_count, i + 1);
        assert_int_equal(config->problems[i].severity, CONFIG_BAD_VALUE);
        assert_int_equal(config->problems[i].line, 2);
    }
    assert_true(config_is_degraded(config));
    struct policies *policies = NULL;
    const struct policy *policy = policy_of(config, &policies, "/a");
    assert_non_null(policy);
    assert_memory_equal(policy, &(struct policy){0}, sizeof(*policy));
    policies_free(policies);
}

static void test_bad_glob_ignores_its_section_alone(void **state)
{
    struct config *config = *state;
    config_begin_section(config, "Property a", "f", 1);
    config_set(config, "Property a", "Urgent", "yes", "f", 2);
    config_begin_section(config, "Property b..c", "f", 3);
    assert_int_equal(config->problem_count, 1);
    assert_int_equal(config->problems[0].severity, CONFIG_BAD_VALUE);
    config_set(config, "Property b..c", "Urgent", "no", "f", 4);
    config_begin_section(config, "Property", "f", 5);
    assert_int_equal(config->problem_count, 2);
    struct policies *policies = NULL;
    assert_true(policy_of(config, &policies, "/a")->urgent);
    assert_int_equal(policies_count(policies), 1);
    policies_free(policies);
}

static void test_same_property_section_again_overrides_key_by_key(void **state)
{
    struct config *config = *state;
    config_begin_section(config, "Property a", "first", 1);
    config_set(config, "Property a", "ExpireSec", "1", "first", 2);
    config_set(config, "Property a", "MinIntervalMs", "7", "first", 3);
    config_begin_section(config, "Property a", "second", 1);
    config_set(config, "Property a", "ExpireSec", "2", "second", 2);
    struct policies *policies = NULL;
    const struct policy *policy = policy_of(config, &policies, "/a");
    assert_int_equal(policy->expire_ms, 2000);
    assert_int_equal(policy->min_interval_ms, 7);
    policies_free(policies);
}

static void test_property_names_and_unknown_keys(void **state)
{
    struct config *config = *state;
    config_begin_section(config, "Property a", "f", 1);
    config_set(config, "Property a", "Thing", "gw-*", "f", 2);
    config_set(config, "Property a", "Shadow", "", "f", 3);
    assert_int_equal(config->problem_count, 0);
    config_set(config, "Property a", "MinInterval", "1", "f", 4);
    assert_int_equal(config->problems[0].severity, CONFIG_UNKNOWN);
    struct policies *policies = NULL;
    assert_null(policy_of(config, &policies, "/a"));
    const struct policy *policy = NULL;
    assert_int_equal(policies_find(policies, "gw-7", "", "/a", 2, &policy), 0);
    assert_non_null(policy);
    policies_free(policies);
}

static void test_too_many_property_sections_are_told(void **state)
{
    struct config *config = *state;
    char section[32];
    for (unsigned i = 0; i < 2 * POLICIES_MAX; i++) {
        (void)snprintf(section, sizeof(section), "Property k%u", i);
        assert_int_equal(config_begin_section(config, section, "f", i), 0);
        assert_int_equal(config_set(config, section, "ExpireSec", "5", "f", i), 0);
    }
    assert_int_equal(config->problem_count, 1);
    assert_true(config_is_degraded(config));
    struct policies *policies = NULL;
    assert_non_null(policy_of(config, &policies, "/k255"));
    assert_int_equal(policies_count(policies), POLICIES_MAX);
    policies_free(policies);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_defaults_are_the_contracts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_default_passes_its_own_check, setup, teardown),
        cmocka_unit_test_setup_teardown(test_later_layer_wins, setup, teardown),
        cmocka_unit_test(test_endpoint_is_a_name_or_an_address),
        cmocka_unit_test(test_bad_endpoint_keeps_the_earlier_one),
        cmocka_unit_test_setup_teardown(test_bad_value_keeps_the_default_and_degrades, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_unknown_names_are_told_but_do_not_degrade, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_bad_proxy_is_told_without_its_password, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_extra_is_a_list_of_things, setup, teardown),
        cmocka_unit_test_setup_teardown(test_access_section_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_may_be_meant_is_suggested, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mistyped_access_section_grants_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_missing_endpoint_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_backoff_bounds_are_checked_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_problems_are_bounded_and_keep_the_worst, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_property_section_makes_a_policy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_property_section_makes_no_policies, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_bad_property_value_leaves_the_key_out, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_bad_glob_ignores_its_section_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_property_section_again_overrides_key_by_key,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_property_names_and_unknown_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_property_sections_are_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
