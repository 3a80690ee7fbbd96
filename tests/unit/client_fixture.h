/* One client of the library and a daemon that the test plays, for the test_client_*.c. Tests
 * nothing itself, but that no descriptor is left behind. */
#ifndef TESTS_UNIT_CLIENT_FIXTURE_H
#define TESTS_UNIT_CLIENT_FIXTURE_H

#include "client/fluxaws.h"
#include "tests/unit/fake_daemon.h"
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWERS_MAX 64

struct client_fixture {
    struct fake_daemon daemon;
    struct fluxaws_client *client;
    struct fluxaws_answer answers[ANSWERS_MAX]; /* as delivered; their texts are gone */
    char texts[ANSWERS_MAX][120];               /* "path: text" */
    size_t answer_count;
    int descriptors;
};

int client_prepare(void **state);
int client_set_up(void **state);
int client_tear_down(void **state);

/* Open the handle, with `backlog_bytes` (0: the default), and keep its answers. */
void client_fixture_open(struct client_fixture *f, size_t backlog_bytes);
/* Open it, accept it and say WELCOME with these flags. */
void client_fixture_open_greeted(struct client_fixture *f, uint32_t flags);
/* Turn the client until it has called again. */
void client_fixture_accept_again(struct client_fixture *f);
void client_fixture_expect_answer(struct client_fixture *f, size_t index, uint64_t first_id,
                                  uint64_t last_id, enum fluxaws_level level);

/* A daemon in a thread of its own, for calls that block. */
struct client_helper {
    struct fake_daemon *daemon;
    void (*play)(struct fake_daemon *daemon);
    pthread_t thread;
};

void client_start_helper(struct client_helper *helper, struct client_fixture *f,
                         void (*play)(struct fake_daemon *daemon));
void client_finish_helper(struct client_helper *helper);
/* Wait for a message of this type, and pass over others. */
struct flux_frame client_await_frame(struct fake_daemon *daemon, enum flux_message_type type);

#endif
