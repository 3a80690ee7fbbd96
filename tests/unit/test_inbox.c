#include "daemon/mqtt/inbox.h"

#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool is_readable(const struct inbox *inbox)
{
    struct pollfd poll_fd = {.fd = inbox->box.event_fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

static bool push_message(struct inbox *inbox, uint64_t connection, const char *topic)
{
    struct mqtt_link_event event = {
        .kind = MQTT_LINK_MESSAGE, .topic = topic, .payload = "payload", .size = 7};
    return inbox_push(inbox, connection, &event);
}

static void test_events_come_out_whole_and_in_order(void **state)
{
    (void)state;
    struct inbox inbox;
    struct mqtt_link_event event;
    assert_int_equal(inbox_init(&inbox, 10, 10000), 0);
    assert_false(is_readable(&inbox));
    assert_false(inbox_next(&inbox, 1, &event));

    char topic[] = "t/one";
    assert_true(push_message(&inbox, 1, topic));
    memset(topic, 'x', sizeof(topic) - 1);
    struct credentials credentials = {.state = CREDENTIALS_BAD_KEY, .not_after_sec = 42};
    struct mqtt_link_event other = {
        .kind = MQTT_LINK_CREDENTIALS, .text = "why", .credentials = &credentials};
    assert_true(inbox_push(&inbox, 1, &other));
    memset(&credentials, 0, sizeof(credentials));

    assert_true(is_readable(&inbox));
    assert_true(inbox_next(&inbox, 1, &event));
    assert_int_equal(event.kind, MQTT_LINK_MESSAGE);
    assert_string_equal(event.topic, "t/one");
    assert_string_equal(event.text, "");
    assert_int_equal(event.size, 7);
    assert_memory_equal(event.payload, "payload", 7);
    assert_null(event.credentials);
    assert_true(inbox_next(&inbox, 1, &event));
    assert_string_equal(event.text, "why");
    assert_int_equal(event.credentials->state, CREDENTIALS_BAD_KEY);
    assert_int_equal(event.credentials->not_after_sec, 42);
    assert_false(inbox_next(&inbox, 1, &event));
    assert_false(is_readable(&inbox));
    inbox_clear(&inbox);
}

static void test_events_of_older_connections_are_dropped(void **state)
{
    (void)state;
    struct inbox inbox;
    struct mqtt_link_event event;
    assert_int_equal(inbox_init(&inbox, 10, 10000), 0);
    assert_true(push_message(&inbox, 1, "old"));
    assert_true(push_message(&inbox, 2, "new"));
    assert_true(push_message(&inbox, 1, "old"));
    assert_true(inbox_next(&inbox, 2, &event));
    assert_string_equal(event.topic, "new");
    assert_false(inbox_next(&inbox, 2, &event));
    inbox_clear(&inbox);
}

static void test_events_of_no_connection_are_always_delivered(void **state)
{
    (void)state;
    struct inbox inbox;
    struct mqtt_link_event event;
    assert_int_equal(inbox_init(&inbox, 10, 10000), 0);
    struct mqtt_link_event news = {.kind = MQTT_LINK_NETWORK_FOUND};
    assert_true(inbox_push(&inbox, 0, &news));
    assert_true(inbox_next(&inbox, 0, &event));
    assert_true(inbox_push(&inbox, 0, &news));
    assert_true(inbox_next(&inbox, 7, &event));
    assert_int_equal(event.kind, MQTT_LINK_NETWORK_FOUND);
    assert_false(inbox_next(&inbox, 7, &event));
    inbox_clear(&inbox);
}

/* Fill until a push is refused, and expect: all that was taken, one end, nothing more. */
static void overflow(size_t events_max, size_t bytes_max)
{
    struct inbox inbox;
    struct mqtt_link_event event;
    assert_int_equal(inbox_init(&inbox, events_max, bytes_max), 0);
    unsigned taken = 0;
    while (push_message(&inbox, 5, "t/full"))
        assert_true(++taken < 1000);
    assert_true(taken > 0);
    for (unsigned i = 0; i < taken; i++) {
        assert_true(inbox_next(&inbox, 5, &event));
        assert_int_equal(event.kind, MQTT_LINK_MESSAGE);
        assert_false(push_message(&inbox, 5, "after the gap"));
    }
    assert_true(is_readable(&inbox));
    assert_true(inbox_next(&inbox, 5, &event));
    assert_int_equal(event.kind, MQTT_LINK_LOST);
    assert_true(event.text[0] != '\0');
    assert_false(inbox_next(&inbox, 5, &event));
    assert_false(is_readable(&inbox));

    assert_true(push_message(&inbox, 6, "next connection"));
    assert_true(inbox_next(&inbox, 6, &event));
    inbox_clear(&inbox);
}

static void test_too_many_events_end_the_connection_not_silently(void **state)
{
    (void)state;
    overflow(4, 100000);
}

static void test_too_many_bytes_end_the_connection_not_silently(void **state)
{
    (void)state;
    overflow(1000, 2000);
}

static void test_overflow_of_an_older_connection_is_not_told(void **state)
{
    (void)state;
    struct inbox inbox;
    struct mqtt_link_event event;
    assert_int_equal(inbox_init(&inbox, 1, 10000), 0);
    assert_true(push_message(&inbox, 1, "x"));
    assert_false(push_message(&inbox, 1, "x"));
    assert_false(inbox_next(&inbox, 2, &event));
    inbox_clear(&inbox);
}

static void test_answers_pass_where_messages_do_not(void **state)
{
    (void)state;
    struct inbox inbox;
    assert_int_equal(inbox_init(&inbox, 1, 10000), 0);
    assert_true(push_message(&inbox, 1, "x"));
    for (uint32_t i = 0; i < 5; i++) {
        struct mqtt_link_event event = {.kind = MQTT_LINK_PUBLISHED, .request_id = i};
        assert_true(inbox_push(&inbox, 1, &event));
    }
    inbox_clear(&inbox);
}

/* --- between threads --- */

#define EVENTS 20000u

static void *push_events(void *argument)
{
    struct inbox *inbox = argument;
    for (uint32_t i = 0; i < EVENTS; i++) {
        struct mqtt_link_event event = {.kind = MQTT_LINK_PUBLISHED, .request_id = i, .text = "t"};
        (void)inbox_push(inbox, 1, &event);
    }
    return NULL;
}

static void test_two_threads_fill_it_while_the_loop_reads(void **state)
{
    (void)state;
    struct inbox inbox;
    struct mqtt_link_event event;
    assert_int_equal(inbox_init(&inbox, 10, 10000), 0);
    pthread_t threads[2];
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, push_events, &inbox), 0);
    uint32_t sum = 0;
    for (uint32_t count = 0; count < 2 * EVENTS;) {
        struct pollfd poll_fd = {.fd = inbox.box.event_fd, .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, 60000), 1);
        while (inbox_next(&inbox, 1, &event)) {
            assert_int_equal(event.kind, MQTT_LINK_PUBLISHED);
            sum += event.request_id;
            count++;
        }
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(sum, EVENTS * (EVENTS - 1));
    inbox_clear(&inbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_come_out_whole_and_in_order),
        cmocka_unit_test(test_events_of_older_connections_are_dropped),
        cmocka_unit_test(test_events_of_no_connection_are_always_delivered),
        cmocka_unit_test(test_too_many_events_end_the_connection_not_silently),
        cmocka_unit_test(test_too_many_bytes_end_the_connection_not_silently),
        cmocka_unit_test(test_overflow_of_an_older_connection_is_not_told),
        cmocka_unit_test(test_answers_pass_where_messages_do_not),
        cmocka_unit_test(test_two_threads_fill_it_while_the_loop_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
