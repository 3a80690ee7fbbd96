/* Runs fluxctl against a daemon that the test plays, for the tests of its commands. To be included
 * after cmocka.h. */
#ifndef FLUX_TESTS_UNIT_FLUXCTL_RUN_H
#define FLUX_TESTS_UNIT_FLUXCTL_RUN_H

#include "tests/unit/client_fixture.h"
#include <stddef.h>
#include <sys/types.h>

#define OUTPUT_MAX 8192u

struct command {
    struct fake_daemon daemon;
    pid_t pid;
    int in_fd, out_fd, err_fd; /* our ends */
};

/* Start fluxctl with these arguments behind --socket. */
void begin(struct command *command, const char *const *arguments);
#define BEGIN(command, ...) begin(command, (const char *const[]){__VA_ARGS__, NULL})

/* Say something on standard input, and close it. */
void give_input(struct command *command, const char *text);

/* Take its connection, once it has said something. */
void await_connection(struct command *command);

/* Take its connection, and greet it. */
void await_call(struct command *command);

/* Take a line of standard output. */
void expect_line(struct command *command, const char *expected);

/* Wait for the end, and expect this exit code, rest of standard output, and part of stderr. */
void expect_end(struct command *command, int code, const char *out, const char *err_part);

int command_set_up(void **state);
int command_tear_down(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, command_set_up, command_tear_down)

#endif
