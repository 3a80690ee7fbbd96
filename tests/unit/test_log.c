#include "daemon/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
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

/* In place of the journal: the lines of the last entry, each "FIELD=value\n". */
static char entry[65536];
static int journal_result;

int sd_journal_sendv(const struct iovec *vector, int count);

int sd_journal_sendv(const struct iovec *vector, int count)
{
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        assert_true(used + vector[i].iov_len + 2 < sizeof(entry));
        memcpy(entry + used, vector[i].iov_base, vector[i].iov_len);
        used += vector[i].iov_len;
        entry[used++] = '\n';
    }
    entry[used] = '\0';
    return journal_result;
}

/* Have stderr be the journal's stream from now on. */
static void pretend_journal(void)
{
    struct stat status;
    char stream[64];
    assert_int_equal(fstat(STDERR_FILENO, &status), 0);
    (void)snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
    entry[0] = '\0';
}

static void test_journal_gets_fields_and_stderr_nothing(void **state)
{
    (void)state;
    int fds[2], saved;
    capture_begin(fds, &saved);
    pretend_journal();
    const struct log_field fields[] = {
        {"MESSAGE_ID", "00"}, {"THING", "lamp"}, {"SHADOW", ""}, {"CODE", "4\n13\x01"}};
    log_event(LOG_WARNING, fields, 4, "property %s", "a\nPRIORITY=0");
    capture_end(fds, saved);
    (void)unsetenv("JOURNAL_STREAM");
    assert_string_equal(captured, "");
    assert_string_equal(entry, "MESSAGE=property a?PRIORITY=0\nPRIORITY=4\nMESSAGE_ID=00\n"
                               "THING=lamp\nSHADOW=\nCODE=4?13?\n");
}

static void test_journal_that_takes_nothing_is_replaced_by_stderr(void **state)
{
    (void)state;
    int fds[2], saved;
    capture_begin(fds, &saved);
    pretend_journal();
    journal_result = -ENOBUFS;
    log_error("lost?");
    journal_result = 0;
    capture_end(fds, saved);
    (void)unsetenv("JOURNAL_STREAM");
    assert_string_equal(captured, "error: lost?\n");
}

static void test_redirected_stderr_is_no_journal(void **state)
{
    (void)state;
    int fds[2], saved;
    pretend_journal();
    capture_begin(fds, &saved); /* another file than the one that the variable names */
    log_info("plain");
    capture_end(fds, saved);
    (void)unsetenv("JOURNAL_STREAM");
    assert_string_equal(entry, "");
    assert_string_equal(captured, "info: plain\n");
}

static void test_more_fields_than_fit_are_left_away(void **state)
{
    (void)state;
    int fds[2], saved;
    static char value[LOG_FIELD_BYTES_MAX * 2];
    memset(value, 'v', sizeof(value) - 1);
    struct log_field fields[LOG_FIELDS_MAX + 3];
    for (size_t i = 0; i < LOG_FIELDS_MAX + 3; i++)
        fields[i] = (struct log_field){"F", value};
    capture_begin(fds, &saved);
    pretend_journal();
    log_event(LOG_INFO, fields, LOG_FIELDS_MAX + 3, "m");
    capture_end(fds, saved);
    (void)unsetenv("JOURNAL_STREAM");
    assert_int_equal(strlen(entry), strlen("MESSAGE=m\nPRIORITY=6\n") +
                                        LOG_FIELDS_MAX * (strlen("F=\n") + LOG_FIELD_BYTES_MAX));
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
        cmocka_unit_test(test_journal_gets_fields_and_stderr_nothing),
        cmocka_unit_test(test_journal_that_takes_nothing_is_replaced_by_stderr),
        cmocka_unit_test(test_redirected_stderr_is_no_journal),
        cmocka_unit_test(test_more_fields_than_fit_are_left_away),
        cmocka_unit_test(test_long_lines_are_cut_and_errno_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
