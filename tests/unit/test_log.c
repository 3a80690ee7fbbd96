#include "daemon/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char captured[8192];

/* Run one log call with stderr in a pipe; what was written ends up in `captured`. */
static void capture_begin(int pipe_fds[2], int *ret_saved)
{
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK), 0);
    *ret_saved = dup(STDERR_FILENO);
    assert_true(*ret_saved >= 0);
    assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
}

static void capture_end(int pipe_fds[2], int saved)
{
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    ssize_t size = read(pipe_fds[0], captured, sizeof(captured) - 1);
    captured[size > 0 ? size : 0] = '\0';
    close(saved);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void test_names_of_levels_go_both_ways(void **state)
{
    (void)state;
    static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
    for (size_t i = 0; i < 5; i++) {
        int level = -1;
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_string_equal(log_level_name(level), names[i]);
    }
    int level = 99;
    assert_int_equal(log_level_parse("loud", &level), -EINVAL);
    assert_int_equal(log_level_parse("", &level), -EINVAL);
    assert_int_equal(level, 99);
}

static void test_less_important_lines_are_dropped(void **state)
{
    (void)state;
    int fds[2], saved;
    log_set_level(LOG_WARNING);
    capture_begin(fds, &saved);
    log_info("quiet");
    log_warning("loud %d", 7);
    capture_end(fds, saved);
    log_set_level(LOG_INFO);
    assert_string_equal(captured, "warning: loud 7\n");
}

static void test_text_begins_with_the_name_of_its_level(void **state)
{
    (void)state;
    int fds[2], saved;
    log_set_level(LOG_DEBUG);
    capture_begin(fds, &saved);
    log_error("a");
    log_warning("b");
    log_notice("c");
    log_info("d");
    log_debug("e");
    capture_end(fds, saved);
    log_set_level(LOG_INFO);
    assert_string_equal(captured, "error: a\nwarning: b\nnotice: c\ninfo: d\ndebug: e\n");
}

static void test_outside_text_cannot_forge_a_line(void **state)
{
    (void)state;
    int fds[2], saved;
    capture_begin(fds, &saved);
    log_info("client said %s", "a\nerror: b\x1b[31m");
    capture_end(fds, saved);
    assert_string_equal(captured, "info: client said a?error: b?[31m\n");
}

static void test_long_lines_are_cut_and_errno_is_kept(void **state)
{
    (void)state;
    char text[3000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    int fds[2], saved;
    capture_begin(fds, &saved);
    errno = EXDEV;
    const struct log_field fields[] = {{"THING", "t"}};
    log_event(LOG_INFO, fields, 1, "%s", text);
    int kept = errno;
    capture_end(fds, saved);
    assert_int_equal(kept, EXDEV);
    const size_t prefix = strlen("info: ");
    assert_int_equal(strlen(captured), prefix + LOG_TEXT_BYTES_MAX);
    assert_int_equal(captured[prefix + LOG_TEXT_BYTES_MAX - 1], '\n');
}

int main(void)
{
    unsetenv("JOURNAL_STREAM");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_levels_go_both_ways),
        cmocka_unit_test(test_less_important_lines_are_dropped),
        cmocka_unit_test(test_text_begins_with_the_name_of_its_level),
        cmocka_unit_test(test_outside_text_cannot_forge_a_line),
        cmocka_unit_test(test_long_lines_are_cut_and_errno_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
