/* A client's end of a session under test: what it says, and what it hears as lines of text. */
#ifndef FLUXAWS_TESTS_TALK_H
#define FLUXAWS_TESTS_TALK_H

#include "daemon/ipc/session.h"
#include "tests/unit/fake_shadow.h"

#define NOW_MS 1000
#define NOW_US 1000000

struct talk {
    struct session_host host;
    struct session *session;
    uint8_t bytes[1 << 20];
    struct flux_wire_writer said;
    char heard[65536];
};

/* Of every test: a session that has heard nothing yet; at the end nothing may be pinned. */
int talk_setup(void **state);
int talk_teardown(void **state);

/* End the session, as the shell does when the connection has ended. */
void talk_end(struct talk *talk);

/* Say HELLO and hear WELCOME. */
void greet(struct talk *talk);

/* Add a message to what will be sent. */
void say_hello(struct talk *talk);
void say_report(struct talk *talk, uint64_t id, enum flux_level level, const char *path,
                int64_t number);

/* A report of one number to the shadow with this handle. */
void say_report_to(struct talk *talk, uint16_t handle, uint64_t id, enum flux_level level,
                   const char *path, int64_t number);
void say_open(struct talk *talk, uint16_t handle, uint64_t id, const char *shadow);
void say_watch(struct talk *talk, uint16_t handle, uint64_t id, const char *path);

/* Hand bytes to the session, `step` at a time, without listening. */
void talk_push(struct talk *talk, const void *bytes, size_t size, size_t step);
/* Take all that the session has to say. */
void talk_listen(struct talk *talk);
/* Send what was said, `step` bytes at a time, and listen until the session rests. */
void talk_on(struct talk *talk, size_t step);

/* Compare with what was heard since, and forget it. */
#define assert_heard(talk, text)                                                                   \
    do {                                                                                           \
        assert_string_equal((talk)->heard, text);                                                  \
        (talk)->heard[0] = '\0';                                                                   \
    } while (0)

#define SESSION_TEST(name) cmocka_unit_test_setup_teardown(name, talk_setup, talk_teardown)

#endif
