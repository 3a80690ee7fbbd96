#include "daemon/service_manager.h"

#include "proto/utf8.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* The service manager: a datagram socket of no directory. */
static int listen_as_manager(void)
{
    char name[64];
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int size = snprintf(name, sizeof(name), "@fluxaws-test-%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)size - 1);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address,
                          (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)size)),
                     0);
    assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
    return fd;
}

static void hear(int fd, char *ret_text, size_t size)
{
    const ssize_t got = recv(fd, ret_text, size - 1, 0);
    assert_true(got >= 0);
    ret_text[got] = '\0';
}

/* systemd drops a status that is not UTF-8 as a whole. */
static void test_status_is_always_one_line_of_utf8(void **state)
{
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"link up", "STATUS=link up"},
        {"", "STATUS="},
        {"Gr\xc3\xbc\xc3\x9f\x65, \xe2\x82\xac, \xf0\x9f\x98\x80",
         "STATUS=Gr\xc3\xbc\xc3\x9f\x65, \xe2\x82\xac, \xf0\x9f\x98\x80"},
        {"cut inside \xc3; degraded", "STATUS=cut inside ?; degraded"},
        {"cut inside \xf0\x9f\x98; degraded", "STATUS=cut inside ???; degraded"},
        {"cut at the end \xe2\x82", "STATUS=cut at the end ??"},
        {"latin \xfc", "STATUS=latin ?"},
        {"one line\nREADY=1", "STATUS=one line"},
    };
    const int fd = listen_as_manager();
    char told[4096];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        service_manager_status(cases[i].text);
        hear(fd, told, sizeof(told));
        assert_string_equal(told, cases[i].told);
    }
    close(fd);
    (void)state;
}

static void test_long_status_is_cut_between_characters(void **state)
{
    const int fd = listen_as_manager();
    char text[6001] = "", told[8192];
    for (size_t shift = 0; shift < 3; shift++) {
        memset(text, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof(text); i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        service_manager_status(text);
        hear(fd, told, sizeof(told));
        assert_in_range(strlen(told), 2000, 2100);
        assert_true(flux_utf8_is_valid(told, strlen(told)));
        assert_null(strchr(told, '?'));
    }
    close(fd);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_is_always_one_line_of_utf8),
        cmocka_unit_test(test_long_status_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
