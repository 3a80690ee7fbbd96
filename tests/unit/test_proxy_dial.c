/* The proxy is a socket of the test's own on loopback, and the time is the test's. */
#include "daemon/base/clock.h"
#include "daemon/mqtt/proxy_dial.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMEOUT_MS 600000 /* longer than any machine is slow */

struct world {
    int listener, fd; /* the proxy's */
    char url[64];
    struct mqtt_link_config config;
    struct proxy_dial *dial;
};

static uint16_t port_of(int fd)
{
    union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } own = {0};
    socklen_t size = sizeof(own);
    assert_int_equal(getsockname(fd, &own.any, &size), 0);
    return ntohs(own.v4.sin_port);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    assert_non_null(world);
    const union {
        struct sockaddr_in v4;
        struct sockaddr any;
    } own = {.v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}};
    world->fd = -1;
    world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(world->listener, &own.any, sizeof(own.v4)), 0);
    assert_int_equal(listen(world->listener, 4), 0);
    (void)snprintf(world->url, sizeof(world->url), "http://u:p@127.0.0.1:%u",
                   (unsigned)port_of(world->listener));
    world->config =
        (struct mqtt_link_config){.host = "iot.example", .port = 8883, .proxy = world->url};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    (void)proxy_dial_free(world->dial);
    if (world->fd >= 0)
        (void)close(world->fd);
    (void)close(world->listener);
    free(world);
    return 0;
}

static void begin(struct world *world)
{
    enum endpoint_way way;
    struct tls_probe probe;
    if (proxy_dial_new(&world->dial, &world->config, TIMEOUT_MS, &way, &probe) < 0)
        fail_msg("%s", probe.text);
    assert_int_equal(way, ENDPOINT_LOCAL);
    world->fd = accept(world->listener, NULL, NULL);
    assert_true(world->fd >= 0);
}

/* Step until it is in this state, or fail. */
static void step_to(struct world *world, enum proxy_dial_state state)
{
    enum proxy_dial_state now;
    while ((now = proxy_dial_step(world->dial, clock_now_ms())) != state) {
        assert_true(now < PROXY_DIAL_OPEN);
        struct pollfd poll_fd = {0};
        int timeout_ms;
        poll_fd.fd = proxy_dial_poll(world->dial, clock_now_ms(), &poll_fd.events, &timeout_ms);
        assert_true(timeout_ms > 0);
        assert_true(poll(&poll_fd, 1, timeout_ms) > 0);
    }
}

static void say(struct world *world, const char *text)
{
    assert_int_equal(send(world->fd, text, strlen(text), 0), strlen(text));
}

static void expect_reason(struct world *world, const char *words)
{
    const struct tls_probe *reason = proxy_dial_reason(world->dial);
    assert_true(reason->code < 0);
    if (!strstr(reason->text, words))
        fail_msg("%s", reason->text);
    assert_null(strstr(reason->text, "u:p"));
}

static void test_open_one_asked_well_and_took_no_byte_too_many(void **state)
{
    struct world *world = *state;
    char text[256] = "";
    begin(world);
    step_to(world, PROXY_DIAL_READING);
    assert_true(recv(world->fd, text, sizeof(text) - 1, 0) > 0);
    assert_string_equal(text, "CONNECT iot.example:8883 HTTP/1.1\r\nHost: iot.example:8883\r\n"
                              "Proxy-Authorization: Basic dTpw\r\n\r\n");
    say(world, "HTTP/1.1 200 OK\r\n");
    assert_int_equal(proxy_dial_step(world->dial, clock_now_ms()), PROXY_DIAL_READING);
    say(world, "\r\nTLS");
    step_to(world, PROXY_DIAL_OPEN);
    const int fd = proxy_dial_take(world->dial);
    world->dial = proxy_dial_free(world->dial);
    memset(text, 0, sizeof(text));
    assert_int_equal(recv(fd, text, sizeof(text) - 1, 0), 3);
    assert_string_equal(text, "TLS");
    assert_int_equal(send(fd, "hello", 5, 0), 5);
    assert_int_equal(recv(world->fd, text, sizeof(text) - 1, 0), 5);
    (void)close(fd);
}

static void test_silence_ends_with_the_time(void **state)
{
    struct world *world = *state;
    begin(world);
    step_to(world, PROXY_DIAL_READING);
    short events;
    int timeout_ms;
    (void)proxy_dial_poll(world->dial, clock_now_ms(), &events, &timeout_ms);
    assert_int_equal(events, POLLIN);
    assert_true(timeout_ms > 0 && timeout_ms <= TIMEOUT_MS);
    say(world, "HTTP/1.1 200 OK\r\nA: ");
    assert_int_equal(proxy_dial_step(world->dial, clock_now_ms() + TIMEOUT_MS), PROXY_DIAL_FAILED);
    expect_reason(world, "does not answer CONNECT in time");
}

static void test_end_without_an_answer_is_told(void **state)
{
    struct world *world = *state;
    begin(world);
    step_to(world, PROXY_DIAL_READING);
    (void)shutdown(world->fd, SHUT_RDWR);
    step_to(world, PROXY_DIAL_FAILED);
    expect_reason(world, "without an answer to CONNECT");
}

static void test_end_within_an_answer_is_told(void **state)
{
    struct world *world = *state;
    begin(world);
    step_to(world, PROXY_DIAL_READING);
    say(world, "HTTP/1.1 200 OK\r\n");
    (void)shutdown(world->fd, SHUT_RDWR);
    step_to(world, PROXY_DIAL_FAILED);
    expect_reason(world, "has no end");
}

static void test_refusal_ends_it_at_once(void **state)
{
    struct world *world = *state;
    begin(world);
    step_to(world, PROXY_DIAL_READING);
    say(world, "HTTP/1.1 403 No\r\n\r\n");
    step_to(world, PROXY_DIAL_FAILED);
    expect_reason(world, "(403 No)");
    assert_int_equal(proxy_dial_reason(world->dial)->code, MQTT_LINK_FAILED_PROXY_REFUSED);
}

static void test_port_without_a_listener_is_told(void **state)
{
    struct world *world = *state;
    enum endpoint_way way;
    struct tls_probe probe = {0};
    (void)close(world->listener);
    world->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* for teardown */
    if (proxy_dial_new(&world->dial, &world->config, TIMEOUT_MS, &way, &probe) == 0) {
        step_to(world, PROXY_DIAL_FAILED);
        probe = *proxy_dial_reason(world->dial);
    }
    assert_int_equal(probe.code, MQTT_LINK_FAILED_PROXY);
    assert_non_null(strstr(probe.text, "no TCP connection to the proxy 127.0.0.1:"));
    assert_non_null(strstr(probe.text, "nothing listens there"));
}

static void test_what_cannot_be_dialled_is_told(void **state)
{
    struct world *world = *state;
    enum endpoint_way way;
    struct tls_probe probe = {0};
    world->config.proxy = "http://u:secret@proxy";
    assert_int_equal(proxy_dial_new(&world->dial, &world->config, TIMEOUT_MS, &way, &probe), -1);
    assert_null(world->dial);
    assert_non_null(strstr(probe.text, "there is no port"));
    world->config.proxy = world->url;
    world->config.host = "iot.example\r\nX: y";
    assert_int_equal(proxy_dial_new(&world->dial, &world->config, TIMEOUT_MS, &way, &probe), -1);
    assert_null(world->dial);
    /* 255.255.255.255 cannot be reached without SO_BROADCAST, on any machine. */
    world->config.host = "iot.example";
    world->config.proxy = "http://255.255.255.255:1";
    assert_int_equal(proxy_dial_new(&world->dial, &world->config, TIMEOUT_MS, &way, &probe), -1);
    assert_int_equal(way, ENDPOINT_NO_ROUTE);
    assert_non_null(strstr(probe.text, "no TCP connection to the proxy 255.255.255.255:1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_open_one_asked_well_and_took_no_byte_too_many, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_silence_ends_with_the_time, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_without_an_answer_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_end_within_an_answer_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusal_ends_it_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_port_without_a_listener_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_cannot_be_dialled_is_told, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
