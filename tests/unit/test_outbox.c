#include "daemon/mqtt/outbox.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool is_readable(const struct outbox *outbox, int wait_ms)
{
    struct pollfd poll_fd = {.fd = outbox->box.event_fd, .events = POLLIN};
    return poll(&poll_fd, 1, wait_ms) == 1;
}

static int push_publish(struct outbox *outbox, uint32_t id)
{
    struct outbox_command command = {
        .kind = OUTBOX_PUBLISH, .request_id = id, .topic = "t", .payload = "abc", .size = 3};
    return outbox_push(outbox, &command);
}

static void test_commands_are_copied_with_all_they_point_to(void **state)
{
    (void)state;
    struct outbox outbox;
    assert_int_equal(outbox_init(&outbox, 10, 10000), 0);
    char host[] = "host", filter[] = "t/+";
    struct outbox_command command = {
        .kind = OUTBOX_SUBSCRIBE,
        .connection = 3,
        .count = 2,
        .filters = {filter, "t/two"},
        .qos = {1, 0},
        .payload = "a\0b",
        .size = 3,
        .config = {.host = host, .port = 8883, .credentials = {.private_key = "key"}},
    };
    assert_int_equal(outbox_push(&outbox, &command), 0);
    memset(host, 'x', sizeof(host));
    memset(filter, 'x', sizeof(filter));

    struct outbox_command *copy = outbox_pop(&outbox);
    assert_non_null(copy);
    assert_int_equal(copy->connection, 3);
    assert_string_equal(copy->filters[0], "t/+");
    assert_string_equal(copy->filters[1], "t/two");
    assert_int_equal(copy->qos[0], 1);
    assert_memory_equal(copy->payload, "a\0b", 3);
    assert_string_equal(copy->config.host, "host");
    assert_string_equal(copy->config.credentials.private_key, "key");
    assert_null(copy->config.credentials.ca_file);
    assert_null(outbox_command_free(copy));
    assert_null(outbox_command_free(NULL));
    outbox_clear(&outbox);
}

static void test_full_outbox_refuses_publishes_but_takes_a_disconnect(void **state)
{
    (void)state;
    struct outbox outbox;
    assert_int_equal(outbox_init(&outbox, 2, 100000), 0);
    assert_int_equal(push_publish(&outbox, 1), 0);
    assert_int_equal(push_publish(&outbox, 2), 0);
    assert_int_equal(push_publish(&outbox, 3), -ENOBUFS);
    struct outbox_command command = {.kind = OUTBOX_DISCONNECT};
    assert_int_equal(outbox_push(&outbox, &command), 0);
    uint32_t ids[] = {1, 2, 0};
    for (size_t i = 0; i < 3; i++) {
        struct outbox_command *next = outbox_pop(&outbox);
        assert_int_equal(next->request_id, ids[i]);
        assert_null(outbox_command_free(next));
    }
    assert_null(outbox_pop(&outbox));
    outbox_clear(&outbox);
}

static void test_bytes_are_bounded_and_given_back(void **state)
{
    (void)state;
    struct outbox outbox;
    assert_int_equal(outbox_init(&outbox, 1000, 3000), 0);
    for (int round = 0; round < 50; round++) {
        uint32_t taken = 0;
        while (push_publish(&outbox, taken) == 0)
            assert_true(++taken < 1000);
        assert_true(taken > 0);
        mailbox_empty(&outbox.box);
    }
    outbox_clear(&outbox);
}

static void test_reader_is_woken_by_the_first_command_and_by_a_wake(void **state)
{
    (void)state;
    struct outbox outbox;
    assert_int_equal(outbox_init(&outbox, 10, 10000), 0);
    assert_false(is_readable(&outbox, 0));
    assert_int_equal(push_publish(&outbox, 1), 0);
    assert_true(is_readable(&outbox, 0));
    mailbox_rest(&outbox.box);
    assert_false(is_readable(&outbox, 0));
    mailbox_wake(&outbox.box);
    assert_true(is_readable(&outbox, 0));
    assert_null(outbox_command_free(outbox_pop(&outbox)));
    assert_null(outbox_pop(&outbox));
    assert_false(is_readable(&outbox, 0));
    outbox_clear(&outbox);
}

#define THREADS    4
#define PER_THREAD 5000u

static void *pusher(void *argument)
{
    for (uint32_t i = 0; i < PER_THREAD; i++) {
        while (push_publish(argument, i) == -ENOBUFS)
            continue;
    }
    return NULL;
}

static void test_nothing_is_lost_or_slept_over_between_threads(void **state)
{
    (void)state;
    struct outbox outbox;
    pthread_t threads[THREADS];
    assert_int_equal(outbox_init(&outbox, 100, 1000000), 0);
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pusher, &outbox), 0);
    unsigned count = 0;
    while (count < THREADS * PER_THREAD) {
        /* A lost wake-up would end here. */
        assert_true(is_readable(&outbox, 10000));
        struct outbox_command *command;
        while ((command = outbox_pop(&outbox))) {
            assert_memory_equal(command->payload, "abc", 3);
            assert_null(outbox_command_free(command));
            count++;
        }
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(count, THREADS * PER_THREAD);
    outbox_clear(&outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_are_copied_with_all_they_point_to),
        cmocka_unit_test(test_full_outbox_refuses_publishes_but_takes_a_disconnect),
        cmocka_unit_test(test_bytes_are_bounded_and_given_back),
        cmocka_unit_test(test_reader_is_woken_by_the_first_command_and_by_a_wake),
        cmocka_unit_test(test_nothing_is_lost_or_slept_over_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
