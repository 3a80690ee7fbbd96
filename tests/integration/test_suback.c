/* Brokers that answer SUBSCRIBE wrongly, as none should and some may, with both versions of MQTT.
 * The first argument is the path of suback_broker.py. */
#include "daemon/base/clock.h"
#include "tests/integration/broker.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define WAIT_MS      60000
#define FILTER_COUNT 6

static struct broker broker;
static const char *program;

/* Returns false where the connection ended instead. */
static bool wait_event(struct mqtt_link *link, enum mqtt_link_event_kind kind,
                       struct mqtt_link_event *ret_event)
{
    const int64_t deadline_ms = clock_now_ms() + WAIT_MS;
    while (clock_now_ms() < deadline_ms) {
        if (!mqtt_link_next_event(link, ret_event)) {
            struct pollfd poll_fd = {.fd = mqtt_link_event_fd(link), .events = POLLIN};
            (void)poll(&poll_fd, 1, 100);
            continue;
        }
        if (ret_event->kind == kind)
            return true;
        if (ret_event->kind == MQTT_LINK_LOST)
            return false;
        if (ret_event->kind == MQTT_LINK_CONNECT_FAILED)
            fail_msg("no connection: %s", ret_event->text);
    }
    fail_msg("no event %d in time", (int)kind);
    return false;
}

static struct mqtt_link *link_up(const char *how, int protocol)
{
    broker_start_odd(&broker, program, how);
    struct mqtt_link_config config = broker_config(&broker);
    config.protocol = protocol;
    struct mqtt_link *link = NULL;
    struct mqtt_link_event event;
    assert_int_equal(mqtt_link_new(&link), 0);
    assert_int_equal(mqtt_link_connect(link, &config), 0);
    assert_true(wait_event(link, MQTT_LINK_CONNECTED, &event));
    return link;
}

static bool subscribe(struct mqtt_link *link, struct mqtt_link_event *ret_event)
{
    static const char *const filters[FILTER_COUNT] = {"a", "b", "c", "d", "e", "f"};
    static const int qos[FILTER_COUNT] = {0};
    assert_int_equal(mqtt_link_subscribe(link, 7, filters, qos, FILTER_COUNT), 0);
    if (!wait_event(link, MQTT_LINK_SUBSCRIBED, ret_event))
        return false;
    assert_int_equal(ret_event->request_id, 7);
    return true;
}

/* Connect, subscribe to all, hang up. Returns whether that was answered. */
static bool ask(const char *how, int protocol, struct mqtt_link_event *ret_event)
{
    struct mqtt_link *link = link_up(how, protocol);
    const bool is_answered = subscribe(link, ret_event);
    assert_true(mqtt_link_free(link));
    broker_kill(&broker);
    return is_answered;
}

static void expect_granted(const char *how, int protocol)
{
    struct mqtt_link_event event;
    assert_true(ask(how, protocol, &event));
    assert_int_equal(event.code, 0);
    assert_int_equal(event.code_count, FILTER_COUNT);
    for (size_t i = 0; i < FILTER_COUNT; i++)
        assert_int_equal(event.codes[i], 0);
}

static void expect_failed(const char *how, int protocol)
{
    struct mqtt_link_event event;
    assert_true(ask(how, protocol, &event));
    assert_true(event.code < 0);
    assert_int_equal(event.code_count, 0);
}

static void test_right_answers_are_taken(void **state)
{
    (void)state;
    expect_granted("right", 5);
    expect_granted("right", 4);
}

/* Paho reads past the end of a short SUBACK of 3.1.1, unless there is one filter a SUBSCRIBE. */
static void test_short_answer_is_never_read_past_its_end(void **state)
{
    (void)state;
    expect_failed("short", 5);
    expect_granted("short", 4);
}

static void test_with_3_1_1_each_filter_is_subscribed_to_alone(void **state)
{
    (void)state;
    char path[BROKER_PATH_MAX];
    (void)snprintf(path, sizeof(path), "%s/subscribes", broker.directory);
    (void)remove(path);
    expect_granted("right", 4);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    int subscribes = 0, filters = 0;
    while (fscanf(file, "%d", &filters) == 1) {
        assert_int_equal(filters, 1);
        subscribes++;
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(subscribes, FILTER_COUNT);
}

static void test_too_many_codes_are_a_failure(void **state)
{
    (void)state;
    expect_failed("long", 5);
    expect_failed("long", 4);
}

static void test_codes_that_do_not_exist_are_a_failure(void **state)
{
    (void)state;
    expect_failed("strange", 5);
    expect_failed("strange", 4);
}

static void test_refusal_is_told_of_the_filter_that_it_is_about(void **state)
{
    (void)state;
    for (int protocol = 4; protocol <= 5; protocol++) {
        struct mqtt_link_event event;
        assert_true(ask("refuse", protocol, &event));
        assert_int_equal(event.code_count, FILTER_COUNT);
        for (size_t i = 0; i < FILTER_COUNT; i++)
            assert_int_equal(event.codes[i], i == 1 ? 0x80 : 0);
    }
}

static void test_connection_that_ends_between_the_answers_is_lost(void **state)
{
    (void)state;
    struct mqtt_link_event event;
    struct mqtt_link *link = link_up("once", 4);
    if (subscribe(link, &event)) { /* failed as a whole, before the loss is told */
        assert_true(event.code < 0);
        assert_false(wait_event(link, MQTT_LINK_CLOSED, &event));
    }
    assert_true(mqtt_link_free(link));
    broker_kill(&broker);
}

static int begin(void **state)
{
    (void)state;
    broker_prepare(&broker);
    return 0;
}

static int end(void **state)
{
    (void)state;
    broker_clear(&broker);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: test_suback SUBACK_BROKER\n");
        return 2;
    }
    program = argv[1];
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_right_answers_are_taken),
        cmocka_unit_test(test_short_answer_is_never_read_past_its_end),
        cmocka_unit_test(test_with_3_1_1_each_filter_is_subscribed_to_alone),
        cmocka_unit_test(test_too_many_codes_are_a_failure),
        cmocka_unit_test(test_codes_that_do_not_exist_are_a_failure),
        cmocka_unit_test(test_refusal_is_told_of_the_filter_that_it_is_about),
        cmocka_unit_test(test_connection_that_ends_between_the_answers_is_lost),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
