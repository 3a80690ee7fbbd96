/* One client connection as a state machine: bytes in, reports into the engine, frames out. Pure:
 * reads and writes no fd, looks up no process, calls nobody back. Everything it holds is bounded: a
 * client that does not read its answers is not read from either. */
#ifndef FLUXAWS_IPC_SESSION_H
#define FLUXAWS_IPC_SESSION_H

#include "daemon/ipc/access_rules.h"
#include "daemon/ipc/dismissals.h"
#include "daemon/ipc/waits.h"
#include "daemon/shadow/thing.h"
#include "proto/limits.h"
#include "proto/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;

/* What all sessions share. Set up by the daemon, borrowed by the sessions; `scratch` begins as
 * zeroes and is freed with session_host_clear(). */
struct session_host {
    struct thing *thing; /* borrowed */
    uint64_t instance_id;
    const struct access_rules *access; /* borrowed; NULL: who has the socket may do everything */
    bool durable;                      /* STORED can be reached */
    const char *volatile_reason; /* else why not, in words; borrowed. NULL: it is configured so */
    bool is_ending;           /* who greets from now on may ask how it stands, and nothing else */
    uint32_t max_frame_bytes; /* of those that say HELLO from now on */
    uint32_t max_depth;
    /* For so long QUEUED is held back from reports that wait for STORED: that most often comes
     * meanwhile and says QUEUED, too. 0: not at all. */
    int64_t hold_queued_ms;
    int64_t held_until_ms; /* when session_tell_held() is to be called for all; 0: never */
    struct waits_budget waits;
    size_t stream_bytes; /* of large answers that clients have not taken yet */
    size_t watch_count;  /* of all sessions */
    struct dismissals dismissals;
    struct {
        uint64_t reports, operations, reports_rejected, messages, goodbyes;
        uint64_t wishes_told, wishes_too_long;
    } counters;
    struct {
        struct shadow_operation *operations;
        struct shadow_wait *waits;
        size_t capacity;
    } scratch;
};
void session_host_clear(struct session_host *host);

/* Longest name of a systemd unit. */
#define SESSION_UNIT_MAX 255u

/* Who is at the other end, as the shell found out. */
struct session_peer {
    uint32_t uid, gid;
    const uint32_t *groups; /* the supplementary ones */
    size_t group_count;
    int32_t pid;            /* for people: it may be another's by now */
    const char *unit;       /* of systemd, for people; "" where it is not known */
    const char *outer_unit; /* for access rules: that of the system's manager; NULL as "" */
};

/* Begin, waiting for HELLO; `peer` is copied. Returns 0, -ENOMEM, or what thing_open_shadow() says.
 */
int session_new(struct session **ret_session, struct session_host *host,
                const struct session_peer *peer);
/* End it: a program that did not say BYE may have a will. */
struct session *session_free(struct session *session, int64_t now_ms);

/* Where the next bytes from the client go, and how many at most: 0 while nothing more may be read.
 * Valid until the next call on the session. */
size_t session_input_space(struct session *session, void **ret_space);

/* Take `size` bytes that were put there. */
void session_receive(struct session *session, size_t size);

/* The client sends nothing more: answer what came, then finish. */
void session_end_input(struct session *session);

/* Handle the messages received, no more than a fair share of a turn. Follow with session_settle().
 */
void session_work(struct session *session, int64_t now_ms, int64_t now_us);

/* Answer what the engine has decided since the last call. Cheap when that is nothing. */
void session_settle(struct session *session);

/* Say QUEUED where it was held back until now. Returns whether anything was said. The caller sets
 * the host's `held_until_ms` to 0 before it goes round all sessions; they set it again. */
bool session_tell_held(struct session *session, int64_t now_ms);

/* Tell whether session_work() and session_settle() would do more right away. */
bool session_has_work(const struct session *session);

/* The bytes to send next; 0: none. Valid until the next call on the session. */
size_t session_output(const struct session *session, const void **ret_data);
/* Tell that the first `size` of them were sent. */
void session_sent(struct session *session, size_t size);

/* What a client may ask that only the daemon as a whole can answer; one question at a time. */
enum session_question {
    SESSION_ASKS_NOTHING,
    SESSION_ASKS_STATUS,
    SESSION_ASKS_HISTORY,
    SESSION_ASKS_ADMIN,
};
enum session_question session_get_question(const struct session *session);

/* What is to be done, where it asks ADMIN, and the user who wants it. Valid until it is answered.
 */
const struct flux_admin *session_get_admin(const struct session *session);
/* Tell whether it lacks the right to that; then why, in at most `size` bytes. */
bool session_denies_admin(const struct session *session, char *ret_text, size_t size);
uint32_t session_get_uid(const struct session *session);

/* Answer the question. `json` is taken over (NULL: there was no memory for it); `code` is a
 * positive errno number, `text` has at most 512 bytes. */
void session_answer_question(struct session *session, char *json, size_t size);
void session_refuse_question(struct session *session, int code, const char *text);

/* Say goodbye with this code and text (at most 512 bytes), after the answers that are ready. */
void session_say_goodbye(struct session *session, enum flux_goodbye_code code, const char *format,
                         ...) __attribute__((format(printf, 3, 4)));

/* The host has other access rules: they count from now on, for what was begun as well. A watch of
 * which nothing may be told any more ends; the others begin anew. Follow with session_settle(). */
void session_renew_access(struct session *session);

/* Let it ask how it stands from now on, and nothing else, where it has reported nothing; what has
 * reported stays as it is. Returns whether it may only ask. */
bool session_only_asks(struct session *session);

/* Tell whether the connection can be closed: all is said, or nothing can be. */
bool session_is_finished(const struct session *session);

/* Tell whether it watches wishes, so that it is to be settled when they may have changed. */
bool session_is_watching(const struct session *session);

struct session_info {
    const char *name, *unit; /* borrowed; UTF-8 */
    uint64_t reports, rejected;
    size_t waiting, shadows, watches;
};
void session_get_info(const struct session *session, struct session_info *ret_info);

#endif
