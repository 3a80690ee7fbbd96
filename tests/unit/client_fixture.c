#include "tests/unit/client_fixture.h"
#include <dirent.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static int count_descriptors(void)
{
    DIR *directory = opendir("/proc/self/fd");
    assert_non_null(directory);
    int count = 0;
    while (readdir(directory) != NULL)
        count++;
    (void)closedir(directory);
    return count;
}

int client_set_up(void **state)
{
    struct client_fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    f->descriptors = count_descriptors();
    fake_start(&f->daemon);
    *state = f;
    return 0;
}

int client_tear_down(void **state)
{
    struct client_fixture *f = *state;
    f->client = fluxaws_close(f->client);
    fake_stop(&f->daemon);
    assert_int_equal(count_descriptors(), f->descriptors);
    free(f);
    return 0;
}

static void keep_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                        void *data)
{
    struct client_fixture *f = data;
    assert_ptr_equal(client, f->client);
    assert_int_equal(answer->size, sizeof(*answer));
    assert_true(f->answer_count < ANSWERS_MAX);
    (void)snprintf(f->texts[f->answer_count], sizeof(f->texts[0]), "%s: %s", answer->path,
                   answer->text);
    f->answers[f->answer_count++] = *answer;
}

void client_fixture_open(struct client_fixture *f, size_t backlog_bytes)
{
    struct fluxaws_options options = {
        .size = sizeof(options),
        .socket_path = f->daemon.path,
        .name = "test",
        .backlog_bytes = backlog_bytes,
    };
    assert_int_equal(fluxaws_open(&f->client, &options), 0);
    assert_int_equal(fluxaws_on_answer(f->client, keep_answer, f), 0);
}

void client_fixture_open_greeted(struct client_fixture *f, uint32_t flags)
{
    client_fixture_open(f, 0);
    assert_true(fake_accept(&f->daemon));
    fake_greet(&f->daemon, flags);
    assert_int_equal(fluxaws_dispatch(f->client, 0), 0);
    assert_int_equal(fluxaws_is_connected(f->client), 1);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void client_fixture_accept_again(struct client_fixture *f)
{
    int64_t end_ms = now_ms() + 8000;
    while (!fake_accept(&f->daemon)) {
        assert_true(now_ms() < end_ms);
        assert_true(fluxaws_dispatch(f->client, 20) >= 0);
    }
}

void client_fixture_expect_answer(struct client_fixture *f, size_t index, uint64_t first_id,
                                  uint64_t last_id, enum fluxaws_level level)
{
    assert_true(index < f->answer_count);
    assert_false(f->answers[index].rejected);
    assert_int_equal(f->answers[index].first_id, first_id);
    assert_int_equal(f->answers[index].last_id, last_id);
    assert_int_equal(f->answers[index].level, level);
}

int client_prepare(void **state)
{
    (void)state;
    return unsetenv("FLUXAWS_SOCKET");
}

static void *run_helper(void *data)
{
    struct client_helper *helper = data;
    helper->play(helper->daemon);
    return NULL;
}

void client_start_helper(struct client_helper *helper, struct client_fixture *f,
                         void (*play)(struct fake_daemon *daemon))
{
    *helper = (struct client_helper){.daemon = &f->daemon, .play = play};
    assert_int_equal(pthread_create(&helper->thread, NULL, run_helper, helper), 0);
}

void client_finish_helper(struct client_helper *helper)
{
    assert_int_equal(pthread_join(helper->thread, NULL), 0);
}

struct flux_frame client_await_frame(struct fake_daemon *daemon, enum flux_message_type type)
{
    struct flux_frame frame;
    for (;;) {
        if (fake_next(daemon, &frame) && frame.type == type)
            return frame;
        struct pollfd poll_fd = {.fd = daemon->socket_fd, .events = POLLIN};
        (void)poll(&poll_fd, 1, 1000);
    }
}
