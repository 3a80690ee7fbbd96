#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on
#include "tests/unit/fluxctl_run.h"

extern char **environ;

static void make_pipe(int fds[2])
{
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
}

void begin(struct command *command, const char *const *arguments)
{
    int in[2], out[2], err[2];
    make_pipe(in);
    make_pipe(out);
    make_pipe(err);
    posix_spawn_file_actions_t actions;
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    (void)posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    (void)posix_spawn_file_actions_adddup2(&actions, err[1], STDERR_FILENO);
    const char *argv[16] = {"fluxctl", "--socket", command->daemon.path};
    size_t count = 3;
    for (; *arguments != NULL; arguments++) {
        assert_true(count < 15);
        argv[count++] = *arguments;
    }
    assert_int_equal(
        posix_spawn(&command->pid, FLUXCTL, &actions, NULL, (char **)(uintptr_t)argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(in[0]);
    (void)close(out[1]);
    (void)close(err[1]);
    command->in_fd = in[1];
    command->out_fd = out[0];
    command->err_fd = err[0];
}

void give_input(struct command *command, const char *text)
{
    assert_int_equal(write(command->in_fd, text, strlen(text)), (ssize_t)strlen(text));
    (void)close(command->in_fd);
    command->in_fd = -1;
}

void await_connection(struct command *command)
{
    struct fake_daemon *daemon = &command->daemon;
    while (!fake_accept(daemon)) {
        struct pollfd poll_fd = {.fd = daemon->listen_fd, .events = POLLIN};
        assert_true(poll(&poll_fd, 1, 10000) == 1);
    }
    struct pollfd poll_fd = {.fd = daemon->socket_fd, .events = POLLIN};
    assert_int_equal(poll(&poll_fd, 1, 10000), 1);
}

void await_call(struct command *command)
{
    await_connection(command);
    fake_greet(&command->daemon, 0);
}

void expect_line(struct command *command, const char *expected)
{
    char line[1024];
    size_t size = 0;
    do {
        struct pollfd poll_fd = {.fd = command->out_fd, .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, 10000), 1);
        assert_int_equal(read(command->out_fd, &line[size], 1), 1);
        size++;
        assert_true(size < sizeof(line));
    } while (line[size - 1] != '\n');
    line[size - 1] = '\0';
    assert_string_equal(line, expected);
}

static void read_all(int fd, char *text)
{
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, text + size, OUTPUT_MAX - 1 - size)) > 0)
        size += (size_t)got;
    text[size] = '\0';
}

void expect_end(struct command *command, int code, const char *out, const char *err_part)
{
    char text[OUTPUT_MAX];
    if (command->out_fd >= 0) {
        read_all(command->out_fd, text);
        assert_string_equal(text, out);
        (void)close(command->out_fd);
    }
    read_all(command->err_fd, text);
    if (strstr(text, err_part) == NULL || (err_part[0] == '\0' && text[0] != '\0'))
        fail_msg("'%s' on stderr, not '%s'", text, err_part);
    (void)close(command->err_fd);
    if (command->in_fd >= 0)
        (void)close(command->in_fd);
    int status;
    assert_int_equal(waitpid(command->pid, &status, 0), command->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), code);
    fake_hang_up(&command->daemon);
}

int command_set_up(void **state)
{
    struct command *command = calloc(1, sizeof(*command));
    assert_non_null(command);
    fake_start(&command->daemon);
    *state = command;
    return 0;
}

int command_tear_down(void **state)
{
    struct command *command = *state;
    fake_stop(&command->daemon);
    free(command);
    return 0;
}
