#include "daemon/mqtt/paho_resolver.h"
#include "daemon/mqtt/paho_tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PORT 8883

/* What a thread of Paho's does with a host: resolve it, make a socket, connect. */
struct dial {
    const char *host;
    uint16_t port;
    int resolved; /* of getaddrinfo() */
    int fd;       /* -1: it did not come to that */
    int error;    /* of connect() */
};

static void *dial_thread(void *argument)
{
    struct dial *dial = argument;
    /* Never a question to a name server, where the host is not replaced. */
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *addresses = NULL;
    dial->fd = -1;
    dial->resolved = getaddrinfo(dial->host, NULL, &hints, &addresses);
    if (dial->resolved != 0)
        return NULL;
    struct sockaddr_in address;
    memcpy(&address, addresses->ai_addr, sizeof(address));
    freeaddrinfo(addresses);
    address.sin_port = htons(dial->port);
    dial->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } to = {.v4 = address};
    dial->error = connect(dial->fd, &to.any, sizeof(address)) < 0 ? errno : 0;
    return NULL;
}

static struct dial dial_elsewhere(const char *host, uint16_t port)
{
    struct dial dial = {.host = host, .port = port};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, dial_thread, &dial), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return dial;
}

/* Returns the other end. */
static int offer(const char *host)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(paho_tunnel_offer(host, PORT, pair[0]), 0);
    return pair[1];
}

static bool is_closed(int other_end)
{
    char byte;
    return recv(other_end, &byte, 1, MSG_DONTWAIT) == 0;
}

static void test_socket_offered_takes_the_place_of_the_callers(void **state)
{
    (void)state;
    const int other_end = offer("iot.example");
    const struct dial dial = dial_elsewhere("iot.example", PORT);
    assert_int_equal(dial.resolved, 0);
    assert_int_equal(dial.error, EINPROGRESS);
    assert_int_equal(fcntl(dial.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    char text[4] = "";
    assert_int_equal(send(dial.fd, "abc", 3, 0), 3);
    assert_int_equal(recv(other_end, text, 3, 0), 3);
    assert_string_equal(text, "abc");
    paho_tunnel_withdraw();
    assert_false(is_closed(other_end)); /* it is the caller's now */
    (void)close(dial.fd);
    assert_true(is_closed(other_end));
    (void)close(other_end);
}

/* A second attempt must not go past the proxy. */
static void test_nothing_but_what_is_offered_is_dialled(void **state)
{
    (void)state;
    const int other_end = offer("iot.example");
    (void)close(dial_elsewhere("iot.example", PORT).fd);
    const struct dial again = dial_elsewhere("iot.example", PORT);
    assert_int_equal(again.resolved, 0);
    assert_int_equal(again.error, ECONNREFUSED);
    (void)close(again.fd);
    (void)close(other_end);
    paho_tunnel_withdraw();
}

static void test_others_are_left_alone(void **state)
{
    (void)state;
    const int other_end = offer("iot.example");
    assert_null(paho_tunnel_stand_in("iot.example")); /* who offers may mean the proxy by it */
    assert_null(paho_tunnel_stand_in("proxy.example"));
    assert_null(paho_tunnel_stand_in(NULL));
    const struct dial other = dial_elsewhere("other.example", PORT);
    assert_int_not_equal(other.resolved, 0);
    struct dial here = {.host = "iot.example", .port = PORT};
    (void)dial_thread(&here);
    assert_int_not_equal(here.resolved, 0);
    assert_false(is_closed(other_end) || errno != EAGAIN);
    paho_tunnel_withdraw();
    assert_true(is_closed(other_end));
    (void)close(other_end);
}

static void test_withdrawn_is_as_never_offered(void **state)
{
    (void)state;
    const int other_end = offer("iot.example");
    paho_tunnel_withdraw();
    assert_int_not_equal(dial_elsewhere("iot.example", PORT).resolved, 0);
    assert_true(is_closed(other_end));
    (void)close(other_end);
}

static void test_new_offer_replaces_the_old_one(void **state)
{
    (void)state;
    const int old_end = offer("iot.example"), new_end = offer("iot2.example");
    assert_true(is_closed(old_end));
    assert_int_not_equal(dial_elsewhere("iot.example", PORT).resolved, 0);
    const struct dial dial = dial_elsewhere("iot2.example", PORT);
    assert_int_equal(dial.error, EINPROGRESS);
    (void)close(dial.fd);
    (void)close(old_end);
    (void)close(new_end);
    paho_tunnel_withdraw();
}

static void test_address_as_endpoint_is_replaced_too(void **state)
{
    (void)state;
    static const char *const hosts[] = {"2001:db8::1", "192.0.2.1", "127.0.0.1"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        const int other_end = offer(hosts[i]);
        const struct dial dial = dial_elsewhere(hosts[i], PORT);
        assert_int_equal(dial.error, EINPROGRESS);
        assert_int_equal(send(dial.fd, "a", 1, 0), 1);
        (void)close(dial.fd);
        (void)close(other_end);
        paho_tunnel_withdraw();
    }
}

static void test_longest_host_is_told(void **state)
{
    (void)state;
    char host[300];
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(paho_tunnel_offer(host, PORT, pair[0]), -ENAMETOOLONG);
    assert_true(is_closed(pair[1])); /* taken over all the same */
    (void)close(pair[1]);
}

int main(void)
{
    paho_resolver_keep();
    int pair[2];
    /* Before it is kept there is nothing to offer to. */
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0 ||
        paho_tunnel_offer("iot.example", PORT, pair[0]) != -ENOSYS)
        return 1;
    (void)close(pair[1]);
    paho_tunnel_keep();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_socket_offered_takes_the_place_of_the_callers),
        cmocka_unit_test(test_nothing_but_what_is_offered_is_dialled),
        cmocka_unit_test(test_others_are_left_alone),
        cmocka_unit_test(test_withdrawn_is_as_never_offered),
        cmocka_unit_test(test_new_offer_replaces_the_old_one),
        cmocka_unit_test(test_address_as_endpoint_is_replaced_too),
        cmocka_unit_test(test_longest_host_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
