/* The other end of the socket, played by a test: accepts, decodes what the library sends and says
 * what the test tells it to. Keeps no state and decides nothing. */
#ifndef TESTS_UNIT_FAKE_DAEMON_H
#define TESTS_UNIT_FAKE_DAEMON_H

#include "proto/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_OPERATIONS_MAX 64u

struct fake_daemon {
    char directory[64], path[96];
    int listen_fd, socket_fd;
    uint16_t shadow; /* handle that answers are about */
    uint8_t *buffer;
    size_t size;     /* bytes in the buffer */
    size_t consumed; /* of the frame last handed out */
};

/* A report as it came, its operations as "path=json", "path!" for an unset, "path?" for a settle.
 */
struct fake_report {
    struct flux_report head;
    size_t count;
    char operations[FAKE_OPERATIONS_MAX][160];
};

/* Make a directory and listen on a socket in it; fake_stop() removes both. */
void fake_start(struct fake_daemon *daemon);
void fake_stop(struct fake_daemon *daemon);

/* Stop listening (the socket file stays), and listen again. */
void fake_close_listener(struct fake_daemon *daemon);
void fake_listen(struct fake_daemon *daemon);

/* Take the connection that waits; false if there is none. */
bool fake_accept(struct fake_daemon *daemon);
/* Drop the connection. */
void fake_hang_up(struct fake_daemon *daemon);

/* Read what there is and take the next frame; false if there is none. Borrowed until the next call.
 */
bool fake_next(struct fake_daemon *daemon, struct flux_frame *ret_frame);
/* Read a REPORT frame. */
void fake_read_report(const struct flux_frame *frame, struct fake_report *ret_report);
/* Take the next frame, which must be a report. */
void fake_expect_report(struct fake_daemon *daemon, struct fake_report *ret_report);
/* Take the next frame, which must be of this type. */
struct flux_frame fake_expect(struct fake_daemon *daemon, enum flux_message_type type);
/* Tell that nothing more has come. */
bool fake_is_quiet(struct fake_daemon *daemon);
/* Take an OPEN_SHADOW for these names; returns its handle and, if wanted, the id. */
uint16_t fake_expect_open(struct fake_daemon *daemon, const char *thing, const char *shadow,
                          uint64_t *ret_id);
/* Take a WATCH of this path; returns its id. */
uint64_t fake_expect_watch(struct fake_daemon *daemon, uint16_t shadow, const char *path);
/* Take the HELLO and answer it. */
void fake_greet(struct fake_daemon *daemon, uint32_t flags);
void fake_greet_with_limit(struct fake_daemon *daemon, uint32_t flags, uint32_t frame_bytes_max);

void fake_answer(struct fake_daemon *daemon, enum flux_level level, uint64_t first_id,
                 uint64_t last_id, int64_t version);
void fake_reject(struct fake_daemon *daemon, uint64_t first_id, uint64_t last_id, uint32_t code,
                 const char *path, const char *text);
void fake_safe(struct fake_daemon *daemon, uint64_t last_id);
void fake_data(struct fake_daemon *daemon, uint64_t request_id, bool more, const char *text);
void fake_done(struct fake_daemon *daemon, uint64_t request_id);
void fake_opened(struct fake_daemon *daemon, uint16_t handle, uint64_t request_id);
/* Tell a wish; `number` 0: it no longer differs. */
void fake_desired(struct fake_daemon *daemon, uint64_t watch_id, const char *path, int64_t number,
                  int64_t version, bool stale);
/* Tell that all that differs has been told. */
void fake_complete(struct fake_daemon *daemon, uint64_t watch_id, int64_t version);
void fake_failed(struct fake_daemon *daemon, uint64_t request_id, uint32_t code, const char *text);
void fake_goodbye(struct fake_daemon *daemon, enum flux_goodbye_code code, const char *text);
/* Send bytes if the socket takes all of them; returns false if it takes none. */
bool fake_try_send(struct fake_daemon *daemon, const void *data, size_t size);
/* Send bytes as they are. */
void fake_send(struct fake_daemon *daemon, const void *data, size_t size);

#endif
