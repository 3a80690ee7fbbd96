#include "daemon/base/log.h"
#include "daemon/ipc/socket_server.h"
#include "tests/unit/fake_shadow.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* A server on a socket of its own (an abstract one: it leaves no file behind). */
struct stand {
    struct event_base *base;
    struct session_host host;
    struct socket_server *server;
    struct sockaddr_un address;
    socklen_t address_size;
    int listen_fd;
    int64_t now_ms;
};

static int setup(void **state)
{
    fake_reset();
    log_set_level(LOG_ERR);
    struct stand *stand = calloc(1, sizeof(*stand));
    assert_non_null(stand);
    stand->base = event_base_new();
    assert_non_null(stand->base);
    stand->host.max_frame_bytes = 65536;
    stand->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    stand->address.sun_family = AF_UNIX;
    stand->address_size = sizeof(sa_family_t); /* the kernel finds a name */
    assert_int_equal(
        bind(stand->listen_fd, (struct sockaddr *)&stand->address, stand->address_size), 0);
    stand->address_size = sizeof(stand->address);
    assert_int_equal(
        getsockname(stand->listen_fd, (struct sockaddr *)&stand->address, &stand->address_size), 0);
    assert_int_equal(listen(stand->listen_fd, 64), 0);
    const struct socket_server_limits limits = {.max_clients = 8, .max_clients_per_user = 6};
    assert_int_equal(
        socket_server_new(&stand->server, stand->base, stand->listen_fd, &stand->host, &limits), 0);
    *state = stand;
    return 0;
}

static int teardown(void **state)
{
    struct stand *stand = *state;
    (void)socket_server_free(stand->server);
    assert_int_equal(fake_pins(), 0);
    session_host_clear(&stand->host);
    event_base_free(stand->base);
    (void)close(stand->listen_fd);
    free(stand);
    fake_reset();
    return 0;
}

/* Turn until nothing is left to do. */
static void turn(struct stand *stand)
{
    for (unsigned i = 0; i < 1000; i++) {
        (void)event_base_loop(stand->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
        const bool had_work = socket_server_has_work(stand->server);
        socket_server_turn(stand->server, stand->now_ms, stand->now_ms * 1000);
        socket_server_settle(stand->server);
        if (!had_work && !socket_server_has_work(stand->server))
            return;
    }
    fail_msg("the server never comes to rest");
}

static int connect_client(struct stand *stand)
{
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&stand->address, stand->address_size), 0);
    return fd;
}

static size_t write_hello(uint8_t *buffer, size_t size)
{
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, buffer, size);
    const struct flux_hello hello = {.min_version = 1, .max_version = 1, .name = flux_text("t")};
    assert_int_equal(flux_hello_encode(&writer, &hello), 0);
    return writer.size;
}

static void say_hello(int fd)
{
    uint8_t buffer[256];
    const size_t size = write_hello(buffer, sizeof(buffer));
    assert_int_equal(send(fd, buffer, size, MSG_NOSIGNAL), size);
}

static bool say_report_wanting(int fd, uint64_t id, enum flux_level level)
{
    uint8_t buffer[256];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, buffer, sizeof(buffer));
    const struct flux_report report = {.request_id = id, .level = level};
    struct flux_report_encoder encoder;
    assert_int_equal(flux_report_begin(&encoder, &writer, 65536, &report), 0);
    const struct flux_value value = flux_value_int64((int64_t)id);
    assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &value), 0);
    flux_report_end(&encoder);
    return send(fd, buffer, writer.size, MSG_NOSIGNAL) >= 0;
}

static bool say_report(int fd, uint64_t id)
{
    return say_report_wanting(fd, id, FLUX_LEVEL_QUEUED);
}

/* The type of the next frame that came, 0: none, -1: the connection is closed. */
static int hear_type(int fd, uint8_t buffer[static 4096])
{
    const ssize_t peeked = recv(fd, buffer, FLUX_FRAME_HEADER_BYTES, MSG_PEEK);
    if (peeked == 0)
        return -1;
    if (peeked < (ssize_t)FLUX_FRAME_HEADER_BYTES)
        return errno == EAGAIN ? 0 : -1;
    uint32_t size;
    memcpy(&size, buffer + 4, sizeof(size));
    assert_true(recv(fd, buffer, FLUX_FRAME_HEADER_BYTES + size, 0) > 0);
    return buffer[0];
}

static void say_watch(int fd, uint64_t id)
{
    uint8_t buffer[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, buffer, sizeof(buffer));
    const struct flux_watch watch = {.request_id = id};
    assert_int_equal(flux_watch_encode(&writer, &watch), 0);
    assert_int_equal(send(fd, buffer, writer.size, MSG_NOSIGNAL), writer.size);
}

/* No report has ended, and the client says nothing. */
static void test_watchers_hear_of_wishes_at_any_time(void **state)
{
    struct stand *stand = *state;
    uint8_t buffer[4096];
    const int watching = connect_client(stand), other = connect_client(stand);
    say_hello(watching);
    say_hello(other);
    say_watch(watching, 1);
    turn(stand);
    assert_int_equal(hear_type(watching, buffer), FLUX_MESSAGE_WELCOME);
    assert_int_equal(hear_type(watching, buffer), FLUX_MESSAGE_DONE);
    assert_int_equal(hear_type(other, buffer), FLUX_MESSAGE_WELCOME);
    fake_wish("/led", "on", 1);
    turn(stand);
    assert_int_equal(hear_type(watching, buffer), FLUX_MESSAGE_DESIRED);
    assert_int_equal(hear_type(watching, buffer), 0);
    assert_int_equal(hear_type(other, buffer), 0);
    (void)close(watching);
    (void)close(other);
    turn(stand);
    assert_int_equal(fake_watchers(), 0);
}

/* The other end of these connections is this process. */
static void test_programs_are_known_by_their_user(void **state)
{
    struct stand *stand = *state;
    char expected[64];
    const int fd = connect_client(stand);
    say_hello(fd);
    turn(stand);
    (void)snprintf(expected, sizeof(expected), "open t %u ", (unsigned)getuid());
    assert_memory_equal(fake_writer_story(), expected, strlen(expected));
    (void)close(fd);
    turn(stand);
    assert_non_null(strstr(fake_writer_story(), "\ngone\n"));
    assert_int_equal(fake_writers(), 0);
}

static void test_client_is_greeted_and_served(void **state)
{
    struct stand *stand = *state;
    uint8_t buffer[4096];
    const int fd = connect_client(stand);
    say_hello(fd);
    assert_true(say_report(fd, 1));
    turn(stand);
    assert_int_equal(hear_type(fd, buffer), FLUX_MESSAGE_WELCOME);
    assert_int_equal(hear_type(fd, buffer), FLUX_MESSAGE_ANSWER);
    assert_int_equal(hear_type(fd, buffer), 0);
    struct socket_client_info client;
    assert_non_null(socket_server_next_client(stand->server, NULL, &client));
    assert_int_equal(client.pid, getpid());
    assert_int_equal(client.session.reports, 1);
    (void)close(fd);
    turn(stand);
    assert_null(socket_server_next_client(stand->server, NULL, &client));
}

static void test_what_was_sent_before_hanging_up_counts(void **state)
{
    struct stand *stand = *state;
    const int fd = connect_client(stand);
    say_hello(fd);
    for (uint64_t id = 1; id <= 100; id++)
        assert_true(say_report(fd, id));
    (void)close(fd);
    turn(stand);
    assert_int_equal(stand->host.counters.reports, 100);
}

static void test_one_too_many_is_told_so(void **state)
{
    struct stand *stand = *state;
    uint8_t buffer[4096];
    int fds[8];
    for (size_t i = 0; i < 8; i++)
        fds[i] = connect_client(stand);
    turn(stand);
    size_t refused = 0;
    for (size_t i = 0; i < 8; i++) {
        if (hear_type(fds[i], buffer) == FLUX_MESSAGE_GOODBYE) {
            refused++;
            assert_int_equal(hear_type(fds[i], buffer), -1);
        }
        (void)close(fds[i]);
    }
    assert_int_equal(refused, 2); /* six of one user */
    turn(stand);
    const int fd = connect_client(stand);
    say_hello(fd);
    turn(stand);
    assert_int_equal(hear_type(fd, buffer), FLUX_MESSAGE_WELCOME);
    (void)close(fd);
}

/* Rules that let one user watch /led and nobody else anything. */
static struct access_rules *rules_for(uint32_t uid)
{
    static const char *const watches[] = {"led"};
    const struct access_section section = {.name = "Access led",
                                           .file = "f",
                                           .line = 3,
                                           .users = &uid,
                                           .user_count = 1,
                                           .watches = watches,
                                           .watch_count = 1};
    struct access_rules *rules;
    assert_int_equal(access_rules_new(&rules, "thing"), 0);
    assert_int_equal(access_rules_add(rules, &section), 0);
    return rules;
}

static void test_access_rules_count_by_who_is_at_the_other_end(void **state)
{
    struct stand *stand = *state;
    if (getuid() != 0)
        skip();
    uint8_t buffer[4096];
    struct access_rules *rules = rules_for(65533);
    stand->host.access = rules;
    const int mine = connect_client(stand);
    assert_int_equal(seteuid(65534), 0);
    const int other = connect_client(stand);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(seteuid(65533), 0);
    const int granted = connect_client(stand);
    assert_int_equal(seteuid(0), 0);
    const int fds[] = {mine, other, granted};
    const uint8_t answers[] = {FLUX_MESSAGE_DONE, FLUX_MESSAGE_FAILED, FLUX_MESSAGE_DONE};
    for (size_t i = 0; i < 3; i++) {
        say_hello(fds[i]);
        say_watch(fds[i], 1);
        turn(stand);
        assert_int_equal(hear_type(fds[i], buffer), FLUX_MESSAGE_WELCOME);
        assert_int_equal(hear_type(fds[i], buffer), answers[i]);
        (void)close(fds[i]);
    }
    turn(stand);
    stand->host.access = access_rules_free(rules);
}

static void test_access_rules_that_come_later_count_for_who_is_in(void **state)
{
    struct stand *stand = *state;
    if (getuid() != 0)
        skip();
    uint8_t buffer[4096];
    assert_int_equal(seteuid(65534), 0);
    const int other = connect_client(stand);
    assert_int_equal(seteuid(0), 0);
    say_hello(other);
    say_watch(other, 1);
    turn(stand);
    assert_int_equal(hear_type(other, buffer), FLUX_MESSAGE_WELCOME);
    assert_int_equal(hear_type(other, buffer), FLUX_MESSAGE_DONE);
    struct access_rules *rules = rules_for(65533);
    stand->host.access = rules;
    socket_server_renew_access(stand->server);
    turn(stand);
    assert_int_equal(hear_type(other, buffer), FLUX_MESSAGE_FAILED);
    (void)close(other);
    turn(stand);
    stand->host.access = access_rules_free(rules);
}

static void test_client_that_does_not_read_disturbs_nobody(void **state)
{
    struct stand *stand = *state;
    uint8_t buffer[4096];
    const int deaf = connect_client(stand), other = connect_client(stand);
    say_hello(deaf);
    say_hello(other);
    turn(stand);
    assert_int_equal(hear_type(other, buffer), FLUX_MESSAGE_WELCOME);
    /* It asks without end and reads nothing: sooner or later its socket takes no more. */
    uint64_t id = 0;
    fake_set_document("\"0123456789012345678901234567890123456789\"");
    for (unsigned i = 0; i < 200000; i++) {
        struct flux_wire_writer writer;
        flux_wire_writer_init(&writer, buffer, sizeof(buffer));
        const struct flux_get get = {.request_id = ++id, .section = FLUX_SECTION_REPORTED};
        assert_int_equal(flux_get_encode(&writer, &get), 0);
        if (send(deaf, buffer, writer.size, MSG_NOSIGNAL) < 0) {
            turn(stand);
            if (send(deaf, buffer, writer.size, MSG_NOSIGNAL) < 0)
                break;
        }
    }
    assert_true(id < 200000);
    assert_true(say_report(other, 1));
    turn(stand);
    assert_int_equal(hear_type(other, buffer), FLUX_MESSAGE_ANSWER);

    /* Once it reads, it gets every answer. */
    size_t heard = 0;
    for (int type; (type = hear_type(deaf, buffer)) > 0 || heard + 1 < id;) {
        if (type == FLUX_MESSAGE_DATA)
            heard++;
        else if (type == 0)
            turn(stand);
        else
            assert_int_equal(type, FLUX_MESSAGE_WELCOME);
    }
    assert_int_equal(heard, id - 1); /* the last one was never taken from it */
    (void)close(deaf);
    (void)close(other);
}

static void test_lack_of_descriptors_does_not_spin(void **state)
{
    struct stand *stand = *state;
    const int fd = connect_client(stand);
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    stand->now_ms = 5000;
    turn(stand); /* would fail if the server always had work */
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_false(socket_server_has_work(stand->server));
    assert_int_equal(socket_server_deadline(stand->server), 6000);

    struct socket_server_info info;
    turn(stand);
    socket_server_get_info(stand->server, &info);
    assert_int_equal(info.clients, 0); /* still resting */
    stand->now_ms = 6000;
    turn(stand);
    socket_server_get_info(stand->server, &info);
    assert_int_equal(info.clients, 1);
    assert_true(socket_server_deadline(stand->server) == INT64_MAX);
    (void)close(fd);
}

/* A queue of connections that nobody holds any more does not keep others waiting for seconds. */
static void test_with_few_descriptors_a_queue_of_the_dead_is_passed_at_once(void **state)
{
    struct stand *stand = *state;
    struct rlimit limit;
    uint8_t buffer[4096];
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    stand->now_ms = 5000;
    for (unsigned i = 0; i < 40; i++)
        (void)close(connect_client(stand));
    const int fd = connect_client(stand);
    say_hello(fd);
    struct rlimit tight = {.rlim_cur = (rlim_t)fd + 3, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    turn(stand);
    assert_int_equal(hear_type(fd, buffer), FLUX_MESSAGE_WELCOME);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    (void)close(fd);
    turn(stand);
}

static void test_draining_answers_all_that_was_sent(void **state)
{
    struct stand *stand = *state;
    uint8_t buffer[4096];
    const int first = connect_client(stand), second = connect_client(stand);
    say_hello(first);
    say_hello(second);
    uint64_t sent = 0; /* as much as the sockets hold */
    for (uint64_t id = 1; say_report(first, id); id++)
        sent++;
    for (uint64_t id = 1; say_report(second, id); id++)
        sent++;
    assert_true(sent > 100);
    unsigned rounds = 0;
    while (socket_server_drain(stand->server, 0, 0) && rounds < 1000)
        rounds++;
    assert_true(rounds < 1000);
    assert_int_equal(stand->host.counters.reports, sent);
    socket_server_say_goodbye(stand->server, FLUX_GOODBYE_STOPPING, "bye");
    int type, last = 0;
    while ((type = hear_type(first, buffer)) > 0)
        last = type;
    assert_int_equal(last, FLUX_MESSAGE_GOODBYE);
    (void)close(first);
    (void)close(second);
}

/* Who comes or greets too late to be drained is answered all the same, if it only asks. */
static void test_behind_the_drain_who_asks_is_served(void **state)
{
    struct stand *stand = *state;
    uint8_t buffer[4096];
    const int silent = connect_client(stand);
    turn(stand);
    while (socket_server_drain(stand->server, 0, 0)) {
    }
    say_hello(silent);
    turn(stand);
    assert_true(hear_type(silent, buffer) <= 0); /* what comes now is not read */
    socket_server_only_answer(stand->server);
    turn(stand);
    assert_int_equal(hear_type(silent, buffer), FLUX_MESSAGE_WELCOME);
    const int late = connect_client(stand);
    say_hello(late);
    turn(stand);
    turn(stand);
    assert_int_equal(hear_type(late, buffer), FLUX_MESSAGE_WELCOME);
    assert_true(say_report(late, 1));
    turn(stand);
    assert_int_equal(hear_type(late, buffer), FLUX_MESSAGE_GOODBYE);
    assert_int_equal(stand->host.counters.reports, 0);
    (void)close(silent);
    (void)close(late);
}

static void test_draining_ends_although_a_client_does_not(void **state)
{
    struct stand *stand = *state;
    const int busy = connect_client(stand);
    say_hello(busy);
    uint64_t sent = 0;
    while (sent < 100 && say_report(busy, sent + 1))
        sent++;
    uint64_t more = sent;
    unsigned rounds = 0;
    while (socket_server_drain(stand->server, 0, 0) && rounds++ < 1000)
        more += say_report(busy, more + 1);
    assert_in_range(rounds, 1, 20);
    assert_int_equal(stand->host.counters.reports, sent);
    assert_true(say_report(busy, more + 1));
    turn(stand);
    assert_int_equal(stand->host.counters.reports, sent);
    const int late = connect_client(stand); /* who is in the queue is served */
    say_hello(late);
    assert_true(say_report(late, 1));
    while (socket_server_drain(stand->server, 0, 0)) {
    }
    assert_int_equal(stand->host.counters.reports, sent + 1);
    (void)close(busy);
    (void)close(late);
}

#define SERVER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void test_held_answers_have_their_time(void **state)
{
    struct stand *stand = *state;
    stand->host.durable = true;
    stand->host.hold_queued_ms = 20;
    stand->now_ms = 1000;
    const int fd = connect_client(stand);
    uint8_t bytes[256];
    say_hello(fd);
    turn(stand);
    assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
    assert_int_equal(socket_server_deadline(stand->server), INT64_MAX);
    assert_true(say_report_wanting(fd, 1, FLUX_LEVEL_STORED));
    turn(stand);
    assert_int_equal(recv(fd, bytes, sizeof(bytes), 0), -1);
    assert_int_equal(socket_server_deadline(stand->server), 1020);
    stand->now_ms = 1020;
    turn(stand);
    assert_true(recv(fd, bytes, sizeof(bytes), 0) > 0);
    assert_int_equal(socket_server_deadline(stand->server), INT64_MAX);
    (void)close(fd);
    fake_settle(1);
    turn(stand);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVER_TEST(test_client_is_greeted_and_served),
        SERVER_TEST(test_watchers_hear_of_wishes_at_any_time),
        SERVER_TEST(test_programs_are_known_by_their_user),
        SERVER_TEST(test_what_was_sent_before_hanging_up_counts),
        SERVER_TEST(test_one_too_many_is_told_so),
        SERVER_TEST(test_access_rules_count_by_who_is_at_the_other_end),
        SERVER_TEST(test_access_rules_that_come_later_count_for_who_is_in),
        SERVER_TEST(test_client_that_does_not_read_disturbs_nobody),
        SERVER_TEST(test_lack_of_descriptors_does_not_spin),
        SERVER_TEST(test_with_few_descriptors_a_queue_of_the_dead_is_passed_at_once),
        SERVER_TEST(test_draining_answers_all_that_was_sent),
        SERVER_TEST(test_behind_the_drain_who_asks_is_served),
        SERVER_TEST(test_draining_ends_although_a_client_does_not),
        SERVER_TEST(test_held_answers_have_their_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
