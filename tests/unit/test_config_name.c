#include "daemon/config_name.h"

#include "daemon/shadow/topics.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_thing_name_is_found_out(void **state)
{
    char file[] = "/tmp/fluxaws-name.XXXXXX";
    const int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, " pump-7 \nmore\n", 14), 14);
    assert_int_equal(close(fd), 0);
    char from_file[64];
    (void)snprintf(from_file, sizeof(from_file), "file:%s", file);
    const struct {
        const char *name, *from;
        const char *found; /* NULL: refused */
    } cases[] = {
        {"lamp:1_a-b", "", "lamp:1_a-b"},
        {"lamp 1", "", NULL},
        {"", "", NULL},
        {"", from_file, "pump-7"},
        {"", "file:/nonexistent", NULL},
        {"", "dice", NULL},
        {"wins", from_file, "wins"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        config_set(&config, "Thing", "Name", cases[i].name, "f", 1);
        config_set(&config, "Thing", "NameFrom", cases[i].from, "f", 2);
        char name[FLUX_THING_NAME_MAX + 1] = "";
        const int r = config_resolve_name(&config, "/nonexistent", NULL, name);
        assert_int_equal(r, cases[i].found ? 0 : -ENOENT);
        assert_string_equal(name, cases[i].found ? cases[i].found : "");
        assert_int_equal(config_has_problem(&config, CONFIG_MISSING), !cases[i].found);
        config_clear(&config);
    }
    assert_int_equal(unlink(file), 0);
    (void)state;
}

/* A drop-in must not keep the daemon from starting. */
static void test_name_that_cannot_be_gives_way_to_an_earlier_one(void **state)
{
    static const struct {
        const char *names[4], *from;
        const char *found; /* NULL: refused */
        bool is_degraded;
    } cases[] = {
        {{"lamp-1", ""}, "", "lamp-1", true},
        {{"lamp-1", "lamp 2"}, "", "lamp-1", true},
        {{"lamp-1", "lamp-2", "", "lamp 3"}, "", "lamp-2", true},
        {{"lamp-1", "lamp 2", ""}, "", "lamp-1", true},
        {{"", "lamp-1"}, "", "lamp-1", false},
        {{"lamp-1", "lamp-2"}, "", "lamp-2", false},
        {{"lamp-1", ""}, "file:/nonexistent", NULL, false}, /* emptied for NameFrom's sake */
        {{"lamp 1", ""}, "", NULL, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        for (unsigned j = 0; j < 4 && cases[i].names[j]; j++)
            assert_int_equal(config_set(&config, "Thing", "Name", cases[i].names[j], "f", j + 1),
                             0);
        config_set(&config, "Thing", "NameFrom", cases[i].from, "f", 9);
        char name[FLUX_THING_NAME_MAX + 1] = "";
        const int r = config_resolve_name(&config, "/nonexistent", NULL, name);
        assert_int_equal(r, cases[i].found ? 0 : -ENOENT);
        assert_string_equal(name, cases[i].found ? cases[i].found : "");
        assert_int_equal(config_is_degraded(&config), cases[i].is_degraded);
        assert_int_equal(config_has_problem(&config, CONFIG_MISSING), !cases[i].found);
        if (cases[i].found)
            assert_string_equal(config_text(&config, CONFIG_THING_NAME), cases[i].found);
        config_clear(&config);
    }
    (void)state;
}

/* A device gets its certificate when it gets it: until then it runs without a name. */
static void test_certificate_that_is_not_there_yet_is_waited_for(void **state)
{
    (void)state;
    char file[] = "/tmp/fluxaws-name.XXXXXX";
    const int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    const char *const paths[] = {"/nonexistent/c.pem", "/dev/null/c.pem", file};
    for (size_t i = 0; i < 3; i++) {
        struct config config;
        assert_int_equal(config_init(&config), 0);
        config_set(&config, "Thing", "NameFrom", "certificate-cn", "f", 2);
        config_set(&config, "Connection", "CertificateFile", paths[i], "f", 4);
        char name[FLUX_THING_NAME_MAX + 1] = "x";
        const bool is_there = i == 2; /* and has no name in it: that is a mistake */
        assert_int_equal(config_resolve_name(&config, "/nonexistent", NULL, name),
                         is_there ? -ENOENT : 0);
        assert_string_equal(name, is_there ? "x" : "");
        assert_int_equal(config_has_problem(&config, CONFIG_MISSING), is_there);
        assert_int_equal(config_has_problem(&config, CONFIG_NOTE), !is_there);
        assert_false(config_is_degraded(&config));
        assert_true(config_name_by_certificate(&config, "/nonexistent", NULL, name) < 0);
        config_clear(&config);
    }
    assert_int_equal(unlink(file), 0);
}

static void test_name_comes_from_host_and_machine(void **state)
{
    char host[256] = "", machine[64] = "", name[FLUX_THING_NAME_MAX + 1];
    assert_int_equal(gethostname(host, sizeof(host) - 1), 0);
    FILE *stream = fopen("/etc/machine-id", "re");
    if (stream && fgets(machine, sizeof(machine), stream))
        machine[strcspn(machine, "\n")] = '\0';
    if (stream)
        (void)fclose(stream);
    static const char *const sources[] = {"hostname", "machine-id"};
    for (size_t i = 0; i < 2; i++) {
        const char *expected = i == 0 ? host : machine;
        struct config config;
        assert_int_equal(config_init(&config), 0);
        config_set(&config, "Thing", "NameFrom", sources[i], "f", 2);
        const int r = config_resolve_name(&config, "/nonexistent", NULL, name);
        if (r == 0)
            assert_string_equal(name, expected);
        else /* with a dot, or none: it says so */
            assert_true(config_has_problem(&config, CONFIG_MISSING));
        assert_int_equal(r == 0, topic_is_thing_name(expected));
        config_clear(&config);
    }
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_thing_name_is_found_out),
        cmocka_unit_test(test_name_that_cannot_be_gives_way_to_an_earlier_one),
        cmocka_unit_test(test_certificate_that_is_not_there_yet_is_waited_for),
        cmocka_unit_test(test_name_comes_from_host_and_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
