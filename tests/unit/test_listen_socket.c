#include "daemon/ipc/listen_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct place {
    char directory[64];
    char path[96];
};

static int setup(void **state)
{
    struct place *place = calloc(1, sizeof(*place));
    assert_non_null(place);
    (void)snprintf(place->directory, sizeof(place->directory), "/tmp/fluxaws-listen.XXXXXX");
    assert_non_null(mkdtemp(place->directory));
    (void)snprintf(place->path, sizeof(place->path), "%s/run/s", place->directory);
    *state = place;
    return 0;
}

static int teardown(void **state)
{
    struct place *place = *state;
    char command[128];
    (void)snprintf(command, sizeof(command), "rm -rf %s", place->directory);
    const int r = system(command);
    free(place);
    return r;
}

static int try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    const int r = connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
    (void)close(fd);
    return r;
}

static void test_socket_has_its_mode_and_takes_clients(void **state)
{
    struct place *place = *state;
    struct listen_socket sock;
    char text[512];
    assert_int_equal(listen_socket_open(&sock, place->path, 0640, "", text, sizeof(text)), 0);
    assert_string_equal(text, "");
    struct stat status;
    assert_int_equal(stat(place->path, &status), 0);
    assert_true(S_ISSOCK(status.st_mode));
    assert_int_equal(status.st_mode & 0777, 0640);
    assert_int_equal(try_connect(place->path), 0);
    assert_true(fcntl(sock.fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(sock.fd, F_GETFL) & O_NONBLOCK);
    listen_socket_close(&sock);
    assert_int_equal(stat(place->path, &status), -1);
}

static void test_second_daemon_is_told_of_the_first(void **state)
{
    struct place *place = *state;
    struct listen_socket sock, second;
    char text[512];
    assert_int_equal(listen_socket_open(&sock, place->path, 0600, "", text, sizeof(text)), 0);
    assert_int_equal(listen_socket_open(&second, place->path, 0600, "", text, sizeof(text)),
                     -EADDRINUSE);
    assert_non_null(strstr(text, "another fluxawsd"));
    assert_int_equal(try_connect(place->path), 0); /* the first one's socket is untouched */
    listen_socket_close(&sock);
}

static void bind_at(const char *path, int *ret_fd)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    *ret_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(*ret_fd >= 0);
    assert_int_equal(bind(*ret_fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(*ret_fd, 1), 0);
}

static void test_leftover_of_a_dead_daemon_is_replaced(void **state)
{
    struct place *place = *state;
    char directory[96];
    (void)snprintf(directory, sizeof(directory), "%s/run", place->directory);
    assert_int_equal(mkdir(directory, 0700), 0);
    int fd;
    bind_at(place->path, &fd);
    struct listen_socket sock;
    char text[512];
    /* As long as something listens there, it is not touched. */
    assert_int_equal(listen_socket_open(&sock, place->path, 0600, "", text, sizeof(text)),
                     -EADDRINUSE);
    assert_int_equal(close(fd), 0);
    assert_int_equal(try_connect(place->path), -ECONNREFUSED);
    assert_int_equal(listen_socket_open(&sock, place->path, 0600, "", text, sizeof(text)), 0);
    assert_int_equal(try_connect(place->path), 0);
    listen_socket_close(&sock);
}

static void test_a_file_of_another_kind_is_left_alone(void **state)
{
    struct place *place = *state;
    char path[96];
    (void)snprintf(path, sizeof(path), "%s/file", place->directory);
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(close(fd), 0);
    struct listen_socket sock;
    char text[512];
    assert_int_equal(listen_socket_open(&sock, path, 0600, "", text, sizeof(text)), -ENOTSOCK);
    assert_non_null(strstr(text, path));
    assert_int_equal(access(path, F_OK), 0);
}

static void test_impossible_paths_are_refused_in_words(void **state)
{
    struct place *place = *state;
    struct listen_socket sock;
    char text[512], path[256];
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(listen_socket_open(&sock, path, 0600, "", text, sizeof(text)), -ENAMETOOLONG);
    assert_non_null(strstr(text, "107 bytes"));
    assert_int_equal(listen_socket_open(&sock, "relative", 0600, "", text, sizeof(text)), -EINVAL);
    (void)snprintf(path, sizeof(path), "%s/no/such/s", place->directory);
    assert_int_equal(listen_socket_open(&sock, path, 0600, "", text, sizeof(text)), -ENOENT);
    assert_non_null(strstr(text, "/no/such"));
}

static void test_unknown_group_is_a_warning(void **state)
{
    struct place *place = *state;
    struct listen_socket sock;
    char text[512];
    assert_int_equal(
        listen_socket_open(&sock, place->path, 0600, "no-such-group", text, sizeof(text)), 0);
    assert_non_null(strstr(text, "no-such-group"));
    listen_socket_close(&sock);
}

#define LISTEN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LISTEN_TEST(test_socket_has_its_mode_and_takes_clients),
        LISTEN_TEST(test_second_daemon_is_told_of_the_first),
        LISTEN_TEST(test_leftover_of_a_dead_daemon_is_replaced),
        LISTEN_TEST(test_a_file_of_another_kind_is_left_alone),
        LISTEN_TEST(test_impossible_paths_are_refused_in_words),
        LISTEN_TEST(test_unknown_group_is_a_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
