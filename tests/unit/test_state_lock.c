#include "daemon/storage/state_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static char directory[] = "/tmp/fluxaws-lock.XXXXXX";

static int setup(void **state)
{
    (void)state;
    memcpy(strrchr(directory, '.') + 1, "XXXXXX", 6);
    return mkdtemp(directory) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return rmdir(directory); /* it must not have put anything there */
}

/* A process that holds the lock until it is killed. */
static pid_t hold_elsewhere(void)
{
    int ready[2];
    char byte = 0;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        pid_t holder;
        byte = state_lock_take(directory, &holder) >= 0;
        (void)!write(ready[1], &byte, 1);
        for (;;)
            (void)pause();
    }
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_true(byte);
    (void)close(ready[0]);
    return child;
}

static void test_second_process_is_told_who_holds_it(void **state)
{
    (void)state;
    const pid_t child = hold_elsewhere();
    pid_t holder = -1;
    assert_int_equal(state_lock_take(directory, &holder), -EWOULDBLOCK);
    if (holder != 0) /* a file system of layers, or /proc, may not tell */
        assert_int_equal(holder, child);
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void test_lock_ends_with_its_process(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        const pid_t child = hold_elsewhere();
        pid_t holder;
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        const int fd = state_lock_take(directory, &holder);
        assert_true(fd >= 0);
        assert_int_equal(holder, 0);
        (void)close(fd);
    }
}

static void test_lock_is_on_the_directory_by_whatever_name(void **state)
{
    (void)state;
    char other[64], dotted[64];
    pid_t holder;
    (void)snprintf(other, sizeof(other), "%s.link", directory);
    (void)snprintf(dotted, sizeof(dotted), "%s/.", directory);
    assert_int_equal(symlink(directory, other), 0);
    const int fd = state_lock_take(other, &holder);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(state_lock_take(dotted, &holder), -EWOULDBLOCK);
    (void)close(fd);
    assert_int_equal(unlink(other), 0);
}

static void test_what_cannot_be_locked_is_told_apart(void **state)
{
    (void)state;
    pid_t holder;
    assert_int_equal(state_lock_take("/nonexistent/state", &holder), -ENOENT);
    assert_int_equal(state_lock_take("/dev/null", &holder), -ENOTDIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_second_process_is_told_who_holds_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_ends_with_its_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lock_is_on_the_directory_by_whatever_name, setup,
                                        teardown),
        cmocka_unit_test(test_what_cannot_be_locked_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
