/* The link against a real mosquitto, over mutual TLS. */
#include "daemon/base/clock.h"
#include "daemon/mqtt/mqtt_link.h"
#include "tests/integration/broker.h"

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define WAIT_MS 60000

static struct broker broker;
static atomic_int resolver_delay_ms;

/* Asked in place of libc's, by Paho too: the resolver that hangs. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **ret_addresses);
__attribute__((visibility("default"))) int getaddrinfo(const char *host, const char *service,
                                                       const struct addrinfo *hints,
                                                       struct addrinfo **ret_addresses)
{
    int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        (__typeof__(next))(uintptr_t)dlsym(RTLD_NEXT, "getaddrinfo");
    int delay_ms = atomic_load(&resolver_delay_ms);
    if (delay_ms > 0)
        usleep((useconds_t)delay_ms * 1000);
    if (host && strcmp(host, "nowhere.invalid") == 0)
        return EAI_NONAME;
    return next(host, service, hints, ret_addresses);
}

static void wait_event(struct mqtt_link *link, enum mqtt_link_event_kind kind,
                       struct mqtt_link_event *ret_event)
{
    int64_t deadline_ms = clock_now_ms() + WAIT_MS;
    while (clock_now_ms() < deadline_ms) {
        if (!mqtt_link_next_event(link, ret_event)) {
            struct pollfd poll_fd = {.fd = mqtt_link_event_fd(link), .events = POLLIN};
            (void)poll(&poll_fd, 1, 100);
            continue;
        }
        if (ret_event->kind == kind)
            return;
        if (ret_event->kind != MQTT_LINK_CREDENTIALS && ret_event->kind != MQTT_LINK_NETWORK_FOUND)
            fail_msg("event %d, code %d (%s) instead of %d", (int)ret_event->kind, ret_event->code,
                     ret_event->text, (int)kind);
    }
    fail_msg("no event %d in time", (int)kind);
}

static bool comes_within(struct mqtt_link *link, int wait_ms, struct mqtt_link_event *ret_event)
{
    int64_t deadline_ms = clock_now_ms() + wait_ms;
    while (clock_now_ms() < deadline_ms) {
        while (mqtt_link_next_event(link, ret_event)) {
            if (ret_event->kind != MQTT_LINK_NETWORK_FOUND)
                return true;
        }
        struct pollfd poll_fd = {.fd = mqtt_link_event_fd(link), .events = POLLIN};
        (void)poll(&poll_fd, 1, 10);
    }
    return false;
}

static struct mqtt_link *link_up(const struct mqtt_link_config *config)
{
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    assert_int_equal(mqtt_link_connect(link, config), 0);
    wait_event(link, MQTT_LINK_CONNECTED, &event);
    return link;
}

static void expect_failure(const struct mqtt_link_config *config, int code, const char *words)
{
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    assert_int_equal(mqtt_link_connect(link, config), 0);
    wait_event(link, MQTT_LINK_CONNECT_FAILED, &event);
    if (event.code != code || !strstr(event.text, words))
        fail_msg("code %d, text: %s", event.code, event.text);
    assert_true(mqtt_link_free(link));
}

static int setup(void **state)
{
    (void)state;
    atomic_store(&resolver_delay_ms, 0);
    if (broker.pid == 0)
        broker_start(&broker);
    return 0;
}

static void subscribe_publish_receive(int protocol)
{
    struct mqtt_link_config config = broker_config(&broker);
    config.protocol = protocol;
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;

    const char *filters[] = {"t/one", "t/two/+"};
    const int qos[] = {0, 1};
    assert_int_equal(mqtt_link_subscribe(link, 7, filters, qos, 2), 0);
    wait_event(link, MQTT_LINK_SUBSCRIBED, &event);
    assert_int_equal(event.request_id, 7);
    assert_int_equal(event.code_count, 2);
    assert_int_equal(event.codes[0], 0);
    assert_int_equal(event.codes[1], 1);
    assert_int_equal(mqtt_link_subscribe(link, 8, filters, qos, 1), 0);
    wait_event(link, MQTT_LINK_SUBSCRIBED, &event);
    assert_int_equal(event.code_count, 1);
    assert_int_equal(event.codes[0], 0);

    assert_int_equal(mqtt_link_publish(link, 9, "t/two/x", "a\0b", 3, 0), 0);
    wait_event(link, MQTT_LINK_PUBLISHED, &event);
    assert_int_equal(event.request_id, 9);
    assert_int_equal(event.code, 0);
    wait_event(link, MQTT_LINK_MESSAGE, &event);
    assert_string_equal(event.topic, "t/two/x");
    assert_int_equal(event.size, 3);
    assert_memory_equal(event.payload, "a\0b", 3);
    assert_true(mqtt_link_free(link));
}

/* A second one of the same filters is answered too: they are gone already. */
static void unsubscribe_and_hear_no_more(int protocol)
{
    struct mqtt_link_config config = broker_config(&broker);
    config.protocol = protocol;
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    const char *filters[] = {"u/one", "u/two"};
    const int qos[] = {0, 0};
    assert_int_equal(mqtt_link_subscribe(link, 1, filters, qos, 2), 0);
    wait_event(link, MQTT_LINK_SUBSCRIBED, &event);
    for (uint32_t id = 2; id <= 3; id++) {
        assert_int_equal(mqtt_link_unsubscribe(link, id, filters, 1), 0);
        wait_event(link, MQTT_LINK_UNSUBSCRIBED, &event);
        assert_int_equal(event.request_id, id);
        assert_int_equal(event.code, 0);
    }
    assert_int_equal(mqtt_link_publish(link, 4, "u/one", "1", 1, 0), 0);
    wait_event(link, MQTT_LINK_PUBLISHED, &event);
    assert_int_equal(mqtt_link_publish(link, 5, "u/two", "2", 1, 0), 0);
    wait_event(link, MQTT_LINK_PUBLISHED, &event);
    wait_event(link, MQTT_LINK_MESSAGE, &event);
    assert_string_equal(event.topic, "u/two");
    assert_true(mqtt_link_free(link));
}

static void test_what_was_taken_back_is_heard_no_more(void **state)
{
    (void)state;
    unsubscribe_and_hear_no_more(5);
    unsubscribe_and_hear_no_more(4);
}

static void test_subscribe_publish_and_receive_with_mqtt_5(void **state)
{
    (void)state;
    subscribe_publish_receive(5);
}

static void test_subscribe_publish_and_receive_with_mqtt_3_1_1(void **state)
{
    (void)state;
    subscribe_publish_receive(4);
}

static void test_publish_nobody_listens_to_is_acknowledged(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_publish(link, 1, "t/nobody", "", 0, 1), 0);
    wait_event(link, MQTT_LINK_PUBLISHED, &event);
    assert_int_equal(event.request_id, 1);
    assert_in_range(event.code, 0, 0x7f);
    assert_true(mqtt_link_free(link));
}

static void test_every_publish_is_answered_and_comes_back_whole(void **state)
{
    (void)state;
    enum { COUNT = 2000 };
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    const char *filter = "t/many";
    const int qos = 0;
    assert_int_equal(mqtt_link_subscribe(link, 1, &filter, &qos, 1), 0);
    wait_event(link, MQTT_LINK_SUBSCRIBED, &event);
    static bool answered[COUNT];
    memset(answered, 0, sizeof(answered));
    unsigned answers = 0, messages = 0;
    for (uint32_t i = 0; i < COUNT; i++)
        assert_int_equal(mqtt_link_publish(link, i, "t/many", &i, sizeof(i), 1), 0);
    while (answers < COUNT || messages < COUNT) {
        assert_true(comes_within(link, WAIT_MS, &event));
        if (event.kind == MQTT_LINK_PUBLISHED) {
            assert_true(event.request_id < COUNT && !answered[event.request_id]);
            answered[event.request_id] = true;
            answers++;
        } else {
            uint32_t number;
            assert_int_equal(event.kind, MQTT_LINK_MESSAGE);
            assert_int_equal(event.size, sizeof(number));
            memcpy(&number, event.payload, sizeof(number));
            assert_int_equal(number, messages++);
        }
    }
    assert_true(mqtt_link_free(link));
}

static void test_largest_payload_passes_and_a_larger_one_is_refused(void **state)
{
    (void)state;
    size_t size = 128u * 1024;
    char *payload = malloc(size + 1);
    assert_non_null(payload);
    memset(payload, 'x', size + 1);
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    const char *filter = "t/large";
    const int qos = 0;
    assert_int_equal(mqtt_link_subscribe(link, 1, &filter, &qos, 1), 0);
    wait_event(link, MQTT_LINK_SUBSCRIBED, &event);
    assert_true(mqtt_link_publish(link, 2, "t/large", payload, size + 1, 0) < 0);
    assert_int_equal(mqtt_link_publish(link, 3, "t/large", payload, size, 0), 0);
    wait_event(link, MQTT_LINK_PUBLISHED, &event);
    assert_int_equal(event.request_id, 3);
    wait_event(link, MQTT_LINK_MESSAGE, &event);
    assert_int_equal(event.size, size);
    assert_memory_equal(event.payload, payload, size);
    free(payload);
    assert_true(mqtt_link_free(link));
}

static void test_server_of_another_authority_is_refused(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.credentials.ca_file = broker.other_ca;
    expect_failure(&config, MQTT_LINK_FAILED_SERVER_CA, broker.other_ca);
}

static void test_server_of_another_name_is_refused(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.host = "127.0.0.1";
    expect_failure(&config, MQTT_LINK_FAILED_SERVER_NAME, "127.0.0.1");
}

static void test_certificate_that_the_server_does_not_know_is_named(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.credentials.certificate_file = broker.stranger_certificate;
    config.credentials.private_key = broker.stranger_key;
    expect_failure(&config, MQTT_LINK_FAILED_REFUSED_US, broker.stranger_certificate);
}

static void test_key_of_another_certificate_is_not_even_dialled_with(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.credentials.private_key = broker.stranger_key;
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CREDENTIALS, &event);
    assert_int_equal(event.credentials->state, CREDENTIALS_MISMATCH);
    assert_false(comes_within(link, 300, &event));
    config.credentials.private_key = broker.key;
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECTED, &event);
    assert_true(mqtt_link_free(link));
}

static void test_broker_down_says_refused_and_the_link_works_when_it_is_back(void **state)
{
    (void)state;
    broker_kill(&broker);
    struct mqtt_link_config config = broker_config(&broker);
    expect_failure(&config, MQTT_LINK_FAILED_TCP, "refused");
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECT_FAILED, &event);
    broker_start(&broker);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECTED, &event);
    assert_true(mqtt_link_free(link));
}

static void test_broker_killed_ends_the_connection_once(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    broker_kill(&broker);
    wait_event(link, MQTT_LINK_LOST, &event);
    assert_false(comes_within(link, 300, &event));
    broker_start(&broker);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECTED, &event);
    assert_true(mqtt_link_free(link));
}

static void test_silent_broker_times_out(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.connect_timeout_ms = 1000;
    broker_freeze(&broker);
    expect_failure(&config, MQTT_LINK_FAILED_TIMEOUT, "does not answer");
    broker_thaw(&broker);
}

static void test_server_that_does_not_answer_connect_times_out(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.connect_timeout_ms = 1000;
    broker_kill(&broker);
    broker_start_mute(&broker);
    expect_failure(&config, MQTT_LINK_FAILED_TIMEOUT, "CONNECT");
    broker_kill(&broker);
}

static void test_broker_that_refuses_says_why(void **state)
{
    (void)state;
    broker_kill(&broker);
    broker.is_closed = true;
    broker_start(&broker);
    broker.is_closed = false;
    struct mqtt_link_config config = broker_config(&broker);
    expect_failure(&config, 0x87, "policy");
    config.protocol = 4;
    expect_failure(&config, 0x80, "not authorized");
    broker_kill(&broker);
}

static void test_connection_taken_over_under_the_same_client_id_ends(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    broker_connect_as(&broker, config.client_id);
    wait_event(link, MQTT_LINK_LOST, &event);
    assert_true(event.text[0] != '\0');
    assert_true(mqtt_link_free(link));
}

/* Send more than the broker takes; returns the code with which the link is lost. */
static int lose_link_by_size(struct mqtt_link *link)
{
    struct mqtt_link_event event;
    char topic[BROKER_PACKET_MAX - 128 * 1024 + 1];
    memset(topic, 't', sizeof(topic) - 1);
    topic[sizeof(topic) - 1] = '\0';
    char *payload = calloc(1, 128u * 1024);
    assert_non_null(payload);
    assert_int_equal(mqtt_link_publish(link, 1, topic, payload, 128u * 1024, 1), 0);
    free(payload);
    do {
        assert_true(comes_within(link, WAIT_MS, &event));
    } while (event.kind == MQTT_LINK_PUBLISHED);
    assert_int_equal(event.kind, MQTT_LINK_LOST);
    if (event.code == 0x95)
        assert_non_null(strstr(event.text, "0x95"));
    return event.code;
}

static void test_reason_that_the_broker_gives_is_passed_on(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    int code = -1;
    /* On a busy machine Paho may see its write fail before it reads the broker's DISCONNECT. */
    for (int attempt = 0; attempt < 50 && code != 0x95; attempt++) {
        struct mqtt_link *link = link_up(&config);
        code = lose_link_by_size(link);
        assert_true(mqtt_link_free(link));
    }
    assert_int_equal(code, 0x95);
}

static void test_name_that_does_not_resolve_is_named(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    config.host = "nowhere.invalid";
    expect_failure(&config, MQTT_LINK_FAILED_NAME, "nowhere.invalid");
}

static void test_hanging_up_answers_what_was_published_before(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(mqtt_link_publish(link, i, "t/last", "x", 1, 1), 0);
    assert_int_equal(mqtt_link_disconnect(link), 0);
    for (uint32_t i = 0; i < 20; i++) {
        wait_event(link, MQTT_LINK_PUBLISHED, &event);
        assert_in_range(event.code, 0, 0x7f);
    }
    wait_event(link, MQTT_LINK_CLOSED, &event);
    assert_false(comes_within(link, 200, &event));
    assert_true(mqtt_link_free(link));
}

static void test_disconnecting_without_a_connection_is_closed_at_once(void **state)
{
    (void)state;
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    mqtt_link_abandon(link);
    assert_int_equal(mqtt_link_disconnect(link), 0);
    wait_event(link, MQTT_LINK_CLOSED, &event);
    assert_true(mqtt_link_free(link));
}

static void test_abandoned_connection_tells_nothing_more(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(mqtt_link_publish(link, i, "t/gone", "x", 1, 1), 0);
    mqtt_link_abandon(link);
    assert_false(comes_within(link, 500, &event));
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECTED, &event);
    assert_true(mqtt_link_free(link));
}

/* With so much in flight the thread takes no commands from the queue: one to dial must not be left
 * there. */
static void test_dialling_anew_does_not_wait_for_a_silent_broker(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    broker_freeze(&broker);
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(mqtt_link_publish(link, i, "t/silent", "x", 1, 1), 0);
    assert_false(comes_within(link, 200, &event));
    config.port = 1; /* nobody there: it is told at once */
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECT_FAILED, &event);
    broker_thaw(&broker);
    assert_int_equal(event.code, MQTT_LINK_FAILED_TCP);
    assert_true(mqtt_link_free(link));
}

static void test_hung_resolver_blocks_no_call_of_the_loop(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    const int stall_ms = 20000;
    atomic_store(&resolver_delay_ms, stall_ms);
    int64_t start_ms = clock_now_ms();
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    for (uint32_t i = 0; i < 10; i++) {
        (void)mqtt_link_publish(link, i, "t/x", "x", 1, 1);
        (void)comes_within(link, 20, &event);
    }
    mqtt_link_abandon(link);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    assert_int_equal(mqtt_link_disconnect(link), 0);
    assert_false(mqtt_link_free(link)); /* its thread is left behind */
    assert_true(clock_now_ms() - start_ms < stall_ms);
}

/* Connections are counted once, however many descriptors they have: one is for counting bytes. */
static unsigned count_fds(int *ret_nodelay)
{
    unsigned count = 0;
    ino_t last = 0;
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    const struct dirent *entry;
    while ((entry = readdir(directory))) {
        int on = 0;
        socklen_t size = sizeof(on);
        count++;
        struct stat node;
        if (getsockopt(atoi(entry->d_name), IPPROTO_TCP, TCP_NODELAY, &on, &size) < 0 || !on ||
            fstat(atoi(entry->d_name), &node) < 0 || node.st_ino == last)
            continue;
        last = node.st_ino;
        *ret_nodelay += 1;
    }
    closedir(directory);
    return count;
}

static void test_small_messages_are_not_held_back_and_no_descriptor_leaks(void **state)
{
    (void)state;
    int nodelay = 0;
    unsigned before = count_fds(&nodelay);
    assert_int_equal(nodelay, 0);
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    (void)count_fds(&nodelay);
    assert_int_equal(nodelay, 1);
    assert_true(mqtt_link_free(link));
    assert_int_equal(count_fds(&nodelay), before);
}

/* Publish so many bytes at QoS 1 to nobody. */
static void publish_bytes(struct mqtt_link *link, size_t size)
{
    static char payload[100000];
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_publish(link, 1, "t/x", payload, size, 1), 0);
    wait_event(link, MQTT_LINK_PUBLISHED, &event);
}

static void test_bytes_on_the_wire_are_counted_over_connections(void **state)
{
    (void)state;
    struct mqtt_link_config config = broker_config(&broker);
    struct mqtt_link *link = link_up(&config);
    struct mqtt_link_event event;
    uint64_t in, out, more_in, more_out;
    mqtt_link_traffic(link, &in, &out);
    assert_in_range(out, 500, 20000); /* shaking hands, with a certificate each way */
    assert_in_range(in, 500, 20000);
    publish_bytes(link, 100000);
    mqtt_link_traffic(link, &more_in, &more_out);
    assert_in_range(more_out - out, 100000, 120000);
    assert_in_range(more_in - in, 4, 1000);

    assert_int_equal(mqtt_link_disconnect(link), 0);
    wait_event(link, MQTT_LINK_CLOSED, &event);
    mqtt_link_traffic(link, &in, &out);
    assert_true(out >= more_out && in >= more_in);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    wait_event(link, MQTT_LINK_CONNECTED, &event);
    broker_kill(&broker);
    wait_event(link, MQTT_LINK_LOST, &event);
    mqtt_link_traffic(link, &more_in, &more_out);
    assert_in_range(more_out - out, 500, 20000);
    assert_true(mqtt_link_free(link));
}

static void test_impossible_settings_are_refused(void **state)
{
    (void)state;
    struct mqtt_link *link = NULL;
    assert_int_equal(mqtt_link_new(&link), 0);
    struct mqtt_link_config config = broker_config(&broker);
    config.host = "";
    assert_true(mqtt_link_connect(link, &config) < 0);
    config = broker_config(&broker);
    config.protocol = 3;
    assert_true(mqtt_link_connect(link, &config) < 0);
    const char *filters[9] = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
    const int qos[9] = {0};
    assert_true(mqtt_link_subscribe(link, 1, filters, qos, 9) < 0);
    assert_true(mqtt_link_subscribe(link, 1, filters, qos, 0) < 0);
    assert_true(mqtt_link_free(link));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_subscribe_publish_and_receive_with_mqtt_5, setup),
        cmocka_unit_test_setup(test_what_was_taken_back_is_heard_no_more, setup),
        cmocka_unit_test_setup(test_subscribe_publish_and_receive_with_mqtt_3_1_1, setup),
        cmocka_unit_test_setup(test_publish_nobody_listens_to_is_acknowledged, setup),
        cmocka_unit_test_setup(test_every_publish_is_answered_and_comes_back_whole, setup),
        cmocka_unit_test_setup(test_largest_payload_passes_and_a_larger_one_is_refused, setup),
        cmocka_unit_test_setup(test_server_of_another_authority_is_refused, setup),
        cmocka_unit_test_setup(test_server_of_another_name_is_refused, setup),
        cmocka_unit_test_setup(test_certificate_that_the_server_does_not_know_is_named, setup),
        cmocka_unit_test_setup(test_key_of_another_certificate_is_not_even_dialled_with, setup),
        cmocka_unit_test_setup(test_broker_down_says_refused_and_the_link_works_when_it_is_back,
                               setup),
        cmocka_unit_test_setup(test_broker_killed_ends_the_connection_once, setup),
        cmocka_unit_test_setup(test_silent_broker_times_out, setup),
        cmocka_unit_test_setup(test_server_that_does_not_answer_connect_times_out, setup),
        cmocka_unit_test_setup(test_broker_that_refuses_says_why, setup),
        cmocka_unit_test_setup(test_connection_taken_over_under_the_same_client_id_ends, setup),
        cmocka_unit_test_setup(test_reason_that_the_broker_gives_is_passed_on, setup),
        cmocka_unit_test_setup(test_name_that_does_not_resolve_is_named, setup),
        cmocka_unit_test_setup(test_hanging_up_answers_what_was_published_before, setup),
        cmocka_unit_test_setup(test_disconnecting_without_a_connection_is_closed_at_once, setup),
        cmocka_unit_test_setup(test_abandoned_connection_tells_nothing_more, setup),
        cmocka_unit_test_setup(test_small_messages_are_not_held_back_and_no_descriptor_leaks,
                               setup),
        cmocka_unit_test_setup(test_bytes_on_the_wire_are_counted_over_connections, setup),
        cmocka_unit_test_setup(test_impossible_settings_are_refused, setup),
        cmocka_unit_test_setup(test_dialling_anew_does_not_wait_for_a_silent_broker, setup),
        cmocka_unit_test_setup(test_hung_resolver_blocks_no_call_of_the_loop, setup),
    };
    broker_prepare(&broker);
    if (getenv("LINK_TEST"))
        cmocka_set_test_filter(getenv("LINK_TEST"));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    broker_clear(&broker);
    return failed;
}
