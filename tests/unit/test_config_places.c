#include "daemon/config_places.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void make_file(const char *path)
{
    FILE *stream = fopen(path, "we");
    assert_non_null(stream);
    assert_int_equal(fclose(stream), 0);
}

/* What --check-config says of places, for the user who asks: the number of problems and whether one
 * of them is a mistake. */
static void look_at_places(const char *directory, const char *socket, size_t count,
                           const char *says)
{
    struct config config;
    assert_int_equal(config_init(&config), 0);
    if (directory)
        config_set(&config, "Storage", "Directory", directory, "f", 3);
    if (socket)
        config_set(&config, "Socket", "Path", socket, "f", 4);
    assert_int_equal(config_check_places(&config, "/nonexistent/state"), 0);
    assert_int_equal(config.problem_count, count);
    assert_int_equal(config_has_problem(&config, CONFIG_BAD_PLACE), count > 0);
    if (count > 0) {
        if (!strstr(config.problems[0].text, says))
            fail_msg("'%s' does not say '%s'", config.problems[0].text, says);
        assert_string_equal(config.problems[0].file, "f");
    }
    config_clear(&config);
}

static void test_places_that_cannot_be_are_told(void **state)
{
    char work[] = "/tmp/fluxaws-places.XXXXXX", path[128], open_to_all[128];
    assert_non_null(mkdtemp(work));
    (void)snprintf(path, sizeof(path), "%s/file", work);
    make_file(path);
    look_at_places(NULL, NULL, 0, ""); /* systemd makes what no file has set */
    look_at_places(work, NULL, 0, "");
    look_at_places(path, NULL, 1, "is no directory");
    look_at_places(NULL, path, 1, "is there and is no socket");
    look_at_places("/nonexistent/a", NULL, 1, "/nonexistent neither");
    look_at_places(NULL, "/nonexistent/a/b.sock", 1, "/nonexistent neither");
    look_at_places(NULL, "/fluxawsd.sock", 0, "");
    (void)snprintf(path, sizeof(path), "%s/new", work);
    look_at_places(path, NULL, 0, "");
    (void)snprintf(path, sizeof(path), "%s/new/s.sock", work);
    look_at_places(NULL, path, 0, "");
    (void)snprintf(open_to_all, sizeof(open_to_all), "%s/open", work);
    assert_int_equal(mkdir(open_to_all, 0700), 0);
    assert_int_equal(chmod(open_to_all, 0777), 0);
    look_at_places(open_to_all, NULL, 1, "everybody may write");
    assert_int_equal(rmdir(open_to_all), 0);
    (void)snprintf(path, sizeof(path), "%s/file", work);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(work), 0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places_that_cannot_be_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
