#include "daemon/ipc/peer_unit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void assert_unit(const char *text, const char *unit)
{
    char found[64];
    peer_unit_parse(text, strlen(text), found, sizeof(found));
    assert_string_equal(found, unit);
}

static void test_the_last_service_or_scope_counts(void **state)
{
    (void)state;
    assert_unit("0::/system.slice/weather.service\n", "weather.service");
    assert_unit("0::/system.slice/weather.service/inner\n", "weather.service");
    assert_unit("0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.service\n",
                "app.service");
    assert_unit("0::/user.slice/user-0.slice/session-1.scope", "session-1.scope");
    assert_unit("0::/system.slice/system-modem.slice/modem@tty\\x2d0.service\n",
                "modem@tty\\x2d0.service");
}

static void test_older_hierarchies_are_read_too(void **state)
{
    (void)state;
    assert_unit("12:cpu:/a.service\n1:name=systemd:/system.slice/b.service\n0::/c.service\n",
                "b.service");
    assert_unit("12:cpu:/a.service\n", "");
}

static void test_no_unit_is_none(void **state)
{
    (void)state;
    assert_unit("", "");
    assert_unit("\n\n", "");
    assert_unit("0::/\n", "");
    assert_unit("0::", "");
    assert_unit("0:", "");
    assert_unit("nonsense", "");
    assert_unit("0::/.service\n", "");
    assert_unit("0::/system.slice\n", "");
}

static void assert_outer(const char *text, const char *unit)
{
    char found[64];
    peer_unit_parse_outer(text, strlen(text), found, sizeof(found));
    assert_string_equal(found, unit);
}

/* Whoever was given a group may make others in it, and call them what it likes. */
static void test_for_rules_the_unit_is_the_managers(void **state)
{
    (void)state;
    assert_outer("0::/system.slice/weather.service\n", "weather.service");
    assert_outer("0::/system.slice/system-modem.slice/modem@a.service\n", "modem@a.service");
    assert_outer("0::/system.slice/weather.service/sensors.service\n", "weather.service");
    assert_outer("0::/user.slice/user-1000.slice/user@1000.service/app.slice/sensors.service\n",
                 "user@1000.service");
    assert_outer("0::/user.slice/user-0.slice/session-1.scope", "session-1.scope");
    assert_outer("0::/system.slice/group/sensors.service\n", "");
    assert_outer("0::/../system.slice/sensors.service\n", ""); /* beyond our own namespace */
    assert_outer("0::/\n", "");
    assert_outer("12:cpu:/a.service\n1:name=systemd:/system.slice/b.service\n", "b.service");
}

/* Whoever may make groups of its own may name them as it likes. */
static void test_a_name_that_no_unit_can_have_is_none(void **state)
{
    (void)state;
    assert_unit("0::/evil\x1b[31m.service\n", "");
    assert_unit("0::/caf\xc3\xa9.service\n", "");
    assert_unit("0::/a b.service\n", "");
    assert_unit("0::/01234567890123456789012345678901234567890123456789012345.service\n", "");
    char found[64];
    peer_unit_parse("0::/a\0b.service", 15, found, sizeof(found));
    assert_string_equal(found, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_service_or_scope_counts),
        cmocka_unit_test(test_older_hierarchies_are_read_too),
        cmocka_unit_test(test_for_rules_the_unit_is_the_managers),
        cmocka_unit_test(test_no_unit_is_none),
        cmocka_unit_test(test_a_name_that_no_unit_can_have_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
