/* The messages on the socket and all their numbers. docs/protocol.md shows every byte. Encodes and
 * decodes; does not judge: paths and values are checked by the receiver (path.h, value.h).
 *
 * Numbers are explicit and never reused; a retired one stays in its list with a remark.
 *
 * Encoders append one whole frame to a writer; on failure (-ENOBUFS: does not fit, -EMSGSIZE: a
 * text too long for its field) the writer is as before. Decoders take a frame of their type and
 * borrow text from it; they return 0, or -EPROTO for a length or a number that cannot be. */
#ifndef FLUX_PROTO_MESSAGE_H
#define FLUX_PROTO_MESSAGE_H

#include "proto/frame.h"
#include "proto/operation.h"
#include "proto/wire.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The versions of the protocol that this code speaks. */
#define FLUX_PROTOCOL_VERSION_MIN 1u
#define FLUX_PROTOCOL_VERSION_MAX 1u

enum flux_message_type {
    /* 0x00 is never sent. */

    /* client to daemon: 0x01 to 0x3f */
    FLUX_MESSAGE_HELLO = 0x01,
    FLUX_MESSAGE_OPEN_SHADOW = 0x02,
    FLUX_MESSAGE_REPORT = 0x03,
    FLUX_MESSAGE_GET = 0x04,
    FLUX_MESSAGE_STATUS = 0x05,
    FLUX_MESSAGE_FLUSH = 0x06,
    FLUX_MESSAGE_WATCH = 0x07,
    FLUX_MESSAGE_UNWATCH = 0x08,
    FLUX_MESSAGE_KEYS = 0x09,
    FLUX_MESSAGE_FORGET = 0x0a,
    FLUX_MESSAGE_RESET = 0x0b,
    FLUX_MESSAGE_WILL = 0x0c,
    FLUX_MESSAGE_BYE = 0x0d,
    FLUX_MESSAGE_ADMIN = 0x0e,
    FLUX_MESSAGE_HISTORY = 0x0f,

    /* daemon to client: 0x40 to 0x7a */
    FLUX_MESSAGE_WELCOME = 0x41,
    FLUX_MESSAGE_OPENED = 0x42,
    FLUX_MESSAGE_ANSWER = 0x43,
    FLUX_MESSAGE_REJECTED = 0x44,
    FLUX_MESSAGE_SAFE = 0x45,
    FLUX_MESSAGE_DATA = 0x46,
    FLUX_MESSAGE_DONE = 0x47,
    FLUX_MESSAGE_FAILED = 0x48,
    FLUX_MESSAGE_GOODBYE = 0x49,
    FLUX_MESSAGE_DESIRED = 0x4a,

    /* 0x7b is '{' and never a frame: kept for JSON lines on the same socket. */
};

/* Name of a type for logs and FLUXAWS_DEBUG; "unknown" for others. */
const char *flux_message_name(uint8_t type);

/* Flags of single types, in the frame's flags. */
#define FLUX_REPORT_RESENT   0x01u /* REPORT: sent again after a lost connection; has `set_us` */
#define FLUX_RESET_ALL       0x01u /* RESET: every shadow of the daemon, not only this one */
#define FLUX_ANSWER_DEADBAND 0x01u /* ANSWER: accepted because within the Deadband */
#define FLUX_DATA_MORE       0x01u /* DATA: more frames of this answer follow */
#define FLUX_DESIRED_DIFFERS                                                                       \
    0x01u /* DESIRED: the wish differs from what is reported; has a value */
#define FLUX_DESIRED_STALE    0x02u /* DESIRED: known from before the link was lost */
#define FLUX_DESIRED_COMPLETE 0x04u /* DESIRED: all that differs has been told */

/* Levels of acknowledgement, as asked for and as reached. */
enum flux_level {
    FLUX_LEVEL_QUEUED = 1,
    FLUX_LEVEL_STORED = 2,
    FLUX_LEVEL_ACCEPTED = 3,
};
const char *flux_level_name(enum flux_level level);

/* Sections of a shadow that GET reads. */
enum flux_section {
    FLUX_SECTION_REPORTED = 1,
    FLUX_SECTION_DESIRED = 2,
    FLUX_SECTION_DELTA = 3,
};

/* Bits of WELCOME's flags. */
#define FLUX_WELCOME_DURABLE 0x00000001u /* STORED can be reached; else the daemon is volatile */

/* What an operator may have done. */
enum flux_admin_action {
    FLUX_ADMIN_RELOAD = 1,
    FLUX_ADMIN_RECONNECT = 2,
    FLUX_ADMIN_PAUSE = 3,
    FLUX_ADMIN_RESUME = 4,
    FLUX_ADMIN_LOG_LEVEL = 5,
};
/* Name of an action for logs; "unknown" for others. */
const char *flux_admin_action_name(enum flux_admin_action action);

/* Why the daemon says GOODBYE, after which it closes. */
enum flux_goodbye_code {
    FLUX_GOODBYE_VERSION = 1,    /* no common version */
    FLUX_GOODBYE_MALFORMED = 2,  /* not a frame, or not a well-formed message */
    FLUX_GOODBYE_TOO_LONG = 3,   /* a frame over max_frame_bytes */
    FLUX_GOODBYE_UNKNOWN = 4,    /* a type that this daemon does not know, not marked ignorable */
    FLUX_GOODBYE_UNEXPECTED = 5, /* a known message at the wrong time, or an unknown handle */
    FLUX_GOODBYE_TOO_MANY = 6,   /* a limit on clients or on what one may hold */
    FLUX_GOODBYE_STOPPING = 7,   /* the daemon stops; connect again later */
    FLUX_GOODBYE_DENIED = 8,     /* this user may not use the socket */
};

/* ---- client to daemon (message_client.c) ---- */

/* First message of a client; nothing else before WELCOME is needed: the client may go on at once.
 */
struct flux_hello {
    uint16_t min_version, max_version;
    uint64_t instance_id;  /* random, kept by the client across its reconnects */
    struct flux_text name; /* of the program, at most FLUX_CLIENT_NAME_MAX bytes; may be empty */
};
int flux_hello_encode(struct flux_wire_writer *writer, const struct flux_hello *hello);
int flux_hello_decode(const struct flux_frame *frame, struct flux_hello *ret_hello);

/* Give a shadow a handle of this connection (not 0). Answered by OPENED or FAILED. */
struct flux_open_shadow {
    uint16_t handle;
    uint64_t request_id;
    struct flux_text thing;  /* empty: the daemon's own thing */
    struct flux_text shadow; /* empty: the classic shadow */
};
int flux_open_shadow_encode(struct flux_wire_writer *writer, const struct flux_open_shadow *open);
int flux_open_shadow_decode(const struct flux_frame *frame, struct flux_open_shadow *ret_open);

/* Head of a report; its operations are appended and read one by one, see below. */
struct flux_report {
    uint16_t shadow;
    uint64_t request_id; /* rises within a connection */
    enum flux_level
        level; /* answered when this level is reached, and most often the levels below on the way */
    bool resent;
    int64_t set_us; /* CLOCK_BOOTTIME, microseconds, of the original set; only if resent, else 0 */
};

/* A report being written. */
struct flux_report_encoder {
    struct flux_wire_writer *writer; /* borrowed */
    size_t start;
    size_t frame_bytes_max;
    unsigned operation_count; /* added so far */
};

/* Begin a report frame of at most `frame_bytes_max` bytes behind what the writer holds. Returns 0
 * or -ENOBUFS. */
int flux_report_begin(struct flux_report_encoder *encoder, struct flux_wire_writer *writer,
                      size_t frame_bytes_max, const struct flux_report *report);
/* Append one operation. Returns 0; -ENOBUFS if the writer's buffer is full, -EMSGSIZE if the frame
 * would be too long: what was there before stays, and the report can be ended. */
int flux_report_add_set(struct flux_report_encoder *encoder, const char *path, size_t path_size,
                        const struct flux_value *value);
int flux_report_add_unset(struct flux_report_encoder *encoder, const char *path, size_t path_size);
int flux_report_add_settle(struct flux_report_encoder *encoder, const char *path, size_t path_size);
/* Complete the frame. Returns 0. */
int flux_report_end(struct flux_report_encoder *encoder);
/* Take the whole frame back. */
void flux_report_cancel(struct flux_report_encoder *encoder);

/* Decode the head and prepare `ret_operations` for flux_report_next(). */
int flux_report_decode(const struct flux_frame *frame, struct flux_report *ret_report,
                       struct flux_wire_reader *ret_operations);
/* Take the next operation; text is borrowed from the frame. Copy the reader to read them twice
 * (first check all, then apply). Returns 1, 0 at the end, -EPROTO. */
int flux_report_next(struct flux_wire_reader *operations, struct flux_change *ret_change);

/* Ask for a section at and below `path` (empty: all of it); answered by DATA, or FAILED. */
struct flux_get {
    uint16_t shadow;
    uint64_t request_id;
    enum flux_section section;
    struct flux_text path; /* canonical pointer */
};
int flux_get_encode(struct flux_wire_writer *writer, const struct flux_get *get);
int flux_get_decode(const struct flux_frame *frame, struct flux_get *ret_get);

/* Be told of the wishes at and below `path` (empty: all) that differ from what is reported: those
 * there are at once, then every change. Answered by DONE or FAILED, then DESIRED with the same id
 * until UNWATCH or the end of the connection. */
struct flux_watch {
    uint16_t shadow;
    uint64_t request_id;
    struct flux_text path; /* canonical pointer */
};
int flux_watch_encode(struct flux_wire_writer *writer, const struct flux_watch *watch);
int flux_watch_decode(const struct flux_frame *frame, struct flux_watch *ret_watch);

/* End a watch. Not answered; DESIRED that were on their way may still come. */
struct flux_unwatch {
    uint16_t shadow;
    uint64_t request_id; /* of the watch */
};
int flux_unwatch_encode(struct flux_wire_writer *writer, const struct flux_unwatch *unwatch);
int flux_unwatch_decode(const struct flux_frame *frame, struct flux_unwatch *ret_unwatch);

/* Ask for all that is known of the properties at and below `path` (empty: all); answered by DATA
 * (a JSON array), or FAILED. */
struct flux_keys {
    uint16_t shadow;
    uint64_t request_id;
    struct flux_text path; /* canonical pointer */
};
int flux_keys_encode(struct flux_wire_writer *writer, const struct flux_keys *keys);
int flux_keys_decode(const struct flux_frame *frame, struct flux_keys *ret_keys);

/* Forget what is held of the properties at and below `path`, here only: the cloud keeps what it
 * has. Answered by DONE or FAILED (ENOENT: nothing is held there). */
struct flux_forget {
    uint16_t shadow;
    uint64_t request_id;
    struct flux_text path; /* canonical pointer */
};
int flux_forget_encode(struct flux_wire_writer *writer, const struct flux_forget *forget);
int flux_forget_decode(const struct flux_frame *frame, struct flux_forget *ret_forget);

/* Remove all that was reported from here, in the cloud and then here. Answered by DONE once the
 * cloud has accepted that, or FAILED. */
struct flux_reset {
    uint16_t shadow;
    bool all; /* every shadow of the daemon */
    uint64_t request_id;
};
int flux_reset_encode(struct flux_wire_writer *writer, const struct flux_reset *reset);
int flux_reset_decode(const struct flux_frame *frame, struct flux_reset *ret_reset);

/* Head of a will: operations that are reported if the connection ends without BYE. They are
 * appended and read like those of a report; none: no will any more. Answered by DONE or FAILED. */
struct flux_will {
    uint16_t shadow;
    uint64_t request_id;
};
/* Begin a will frame; go on with flux_report_add_…() and flux_report_end(). */
int flux_will_begin(struct flux_report_encoder *encoder, struct flux_wire_writer *writer,
                    size_t frame_bytes_max, const struct flux_will *will);
int flux_will_decode(const struct flux_frame *frame, struct flux_will *ret_will,
                     struct flux_wire_reader *ret_operations);

/* The last message of a client that ends as it should. Not answered. */
int flux_bye_encode(struct flux_wire_writer *writer);
int flux_bye_decode(const struct flux_frame *frame);

/* Ask for the status document; answered by DATA, or FAILED. */
struct flux_status_request {
    uint64_t request_id;
};
int flux_status_request_encode(struct flux_wire_writer *writer,
                               const struct flux_status_request *status);
int flux_status_request_decode(const struct flux_frame *frame,
                               struct flux_status_request *ret_status);

/* Ask for the last events of the link; answered by DATA, or FAILED. */
struct flux_history_request {
    uint64_t request_id;
};
int flux_history_request_encode(struct flux_wire_writer *writer,
                                const struct flux_history_request *history);
int flux_history_request_decode(const struct flux_frame *frame,
                                struct flux_history_request *ret_history);

/* Have something done that takes the admin right. Answered by DATA (a JSON object that says what
 * was done), or FAILED: EACCES (an access rule), EINVAL (it cannot be done like that, or a reload
 * was refused), EOPNOTSUPP (an action that this daemon does not know). */
struct flux_admin {
    uint64_t request_id;
    enum flux_admin_action action; /* not 0; may be one that this version does not know */
    uint32_t argument;             /* LOG_LEVEL: the level as syslog(3) numbers it; else 0 */
    uint32_t duration_sec;         /* LOG_LEVEL: for so long; 0: until told otherwise; else 0 */
};
int flux_admin_encode(struct flux_wire_writer *writer, const struct flux_admin *admin);
int flux_admin_decode(const struct flux_frame *frame, struct flux_admin *ret_admin);

/* Send early, and answer DONE when every report of every client made before has reached `level` (or
 * was rejected); FAILED where the level cannot be reached. */
struct flux_flush {
    uint64_t request_id;
    enum flux_level level;
};
int flux_flush_encode(struct flux_wire_writer *writer, const struct flux_flush *flush);
int flux_flush_decode(const struct flux_frame *frame, struct flux_flush *ret_flush);

/* ---- daemon to client (message_daemon.c) ---- */

/* Answer to HELLO. */
struct flux_welcome {
    uint16_t version;     /* the one to speak from here on */
    uint64_t instance_id; /* random per start of the daemon */
    uint32_t flags;       /* FLUX_WELCOME_… */
    uint32_t max_frame_bytes;
    uint32_t max_depth;
};
int flux_welcome_encode(struct flux_wire_writer *writer, const struct flux_welcome *welcome);
int flux_welcome_decode(const struct flux_frame *frame, struct flux_welcome *ret_welcome);

/* A handle is ready. */
struct flux_opened {
    uint16_t handle;
    uint64_t request_id;
};
int flux_opened_encode(struct flux_wire_writer *writer, const struct flux_opened *opened);
int flux_opened_decode(const struct flux_frame *frame, struct flux_opened *ret_opened);

/* Every report to that shadow in first_id..last_id that has not ended and asked for this level or a
 * higher one has reached this level. */
struct flux_answer {
    uint16_t shadow;
    enum flux_level level;
    uint64_t first_id, last_id;
    int64_t version; /* of the shadow, with ACCEPTED; else 0 */
    bool deadband;   /* with ACCEPTED: the cloud keeps its value, which is near enough */
};
int flux_answer_encode(struct flux_wire_writer *writer, const struct flux_answer *answer);
int flux_answer_decode(const struct flux_frame *frame, struct flux_answer *ret_answer);

/* Ends the reports to that shadow in first_id..last_id that have not ended. */
struct flux_rejected {
    uint16_t shadow;
    uint64_t first_id, last_id;
    uint32_t code;         /* the shadow service's, or what it would have said: 400, 413, … */
    struct flux_text path; /* the property at fault; may be empty */
    struct flux_text text;
};
int flux_rejected_encode(struct flux_wire_writer *writer, const struct flux_rejected *rejected);
int flux_rejected_decode(const struct flux_frame *frame, struct flux_rejected *ret_rejected);

/* All reports to that shadow up to last_id are safe with the daemon (STORED; ACCEPTED or REJECTED
 * where it is volatile), so the library may forget them; sent whatever level was asked for. */
struct flux_safe {
    uint16_t shadow;
    uint64_t last_id;
};
int flux_safe_encode(struct flux_wire_writer *writer, const struct flux_safe *safe);
int flux_safe_decode(const struct flux_frame *frame, struct flux_safe *ret_safe);

/* A piece of JSON text that answers GET, KEYS, STATUS, HISTORY or ADMIN; the one without `more`
 * ends the request. */
struct flux_data {
    uint16_t shadow;
    bool more;
    uint64_t request_id;
    struct flux_text bytes;
};
int flux_data_encode(struct flux_wire_writer *writer, const struct flux_data *data);
int flux_data_decode(const struct flux_frame *frame, struct flux_data *ret_data);
/* Bytes of a DATA frame beside its text. */
#define FLUX_DATA_OVERHEAD_BYTES (FLUX_FRAME_HEADER_BYTES + 8u)

/* A request is done that has no other answer (FLUSH, WATCH, FORGET, RESET, WILL). */
struct flux_done {
    uint64_t request_id;
};
int flux_done_encode(struct flux_wire_writer *writer, const struct flux_done *done);
int flux_done_decode(const struct flux_frame *frame, struct flux_done *ret_done);

/* A request failed (never a report: that is REJECTED). */
struct flux_failed {
    uint64_t request_id;
    uint32_t code; /* a positive errno number of this machine */
    struct flux_text text;
};
int flux_failed_encode(struct flux_wire_writer *writer, const struct flux_failed *failed);
int flux_failed_decode(const struct flux_frame *frame, struct flux_failed *ret_failed);

/* What the cloud wishes of one property that the watch covers. */
struct flux_desired {
    uint16_t shadow;
    uint64_t request_id; /* of the watch */
    int64_t version;     /* of the shadow */
    bool complete;       /* of no wish: what the watch was not told on this connection does not
                            differ; path and value are empty */
    bool stale;          /* known from before the link was lost: the cloud may wish otherwise */
    struct flux_text path;
    struct flux_value value; /* FLUX_VALUE_NONE: nothing at or below the path differs any more */
};
int flux_desired_encode(struct flux_wire_writer *writer, const struct flux_desired *desired);
int flux_desired_decode(const struct flux_frame *frame, struct flux_desired *ret_desired);
/* Bytes of a DESIRED frame beside its path and its value; the longest value but text has 8. */
#define FLUX_DESIRED_OVERHEAD_BYTES (FLUX_FRAME_HEADER_BYTES + 8u + 8u + 1u + 2u)

/* The daemon's last message on this connection. */
struct flux_goodbye {
    enum flux_goodbye_code code; /* may be one that this version does not know */
    struct flux_text text;
};
int flux_goodbye_encode(struct flux_wire_writer *writer, const struct flux_goodbye *goodbye);
int flux_goodbye_decode(const struct flux_frame *frame, struct flux_goodbye *ret_goodbye);

#endif
