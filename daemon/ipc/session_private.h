/* The inside of a session, shared by the files that make it up. Nobody else includes this. */
#ifndef FLUXAWS_IPC_SESSION_PRIVATE_H
#define FLUXAWS_IPC_SESSION_PRIVATE_H

#include "daemon/ipc/interests.h"
#include "daemon/ipc/session.h"

/* Handles that one connection may open, the default one included. */
#define SESSION_BINDINGS_MAX 64u
/* FLUSH and RESET requests that may wait at a time. */
#define SESSION_FLUSHES_MAX 16u
#define SESSION_RESETS_MAX  4u
/* Watches that one connection may have. */
#define SESSION_WATCHES_MAX 64u
/* Longest answer that is streamed, and so much of all sessions may be unsent at a time. */
#define SESSION_STREAM_BYTES_MAX  (4u * 1024 * 1024)
#define SESSION_STREAMS_BYTES_MAX (16u * 1024 * 1024)
/* Marks for SAFE; beyond them the newest one moves on: later, never falser. */
#define SESSION_MARKS_MAX 64u
/* With so much unsent, nothing more is read or answered. */
#define SESSION_OUTPUT_PAUSE_BYTES 65536u
/* A session's share of a turn. */
#define SESSION_TURN_BYTES      65536u
#define SESSION_TURN_OPERATIONS 2048u
/* What counts as one operation: so many properties that had to be looked at for others. */
#define SESSION_LOOKS_PER_OPERATION 4u
/* A GET counts as so many operations: the whole document is looked at for it. */
#define SESSION_GET_OPERATIONS 64u
/* And so many bytes of an answer as one more. */
#define SESSION_BYTES_PER_OPERATION 64u
/* Largest text in an answer of ours. */
#define SESSION_TEXT_MAX 512u

enum session_state {
    SESSION_GREETING, /* HELLO has not come */
    SESSION_OPEN,
    SESSION_CLOSING, /* GOODBYE is in the output */
    SESSION_BROKEN,  /* out of memory: nothing more can be said */
};

struct session_buffer {
    uint8_t *data; /* owned */
    size_t begin, end, capacity;
};

/* Reports up to `id` are behind revisions up to `revision`. */
struct session_mark {
    uint64_t id;
    uint64_t revision;
    bool is_asked; /* one of the reports waits for STORED */
};

/* Several reports in a row with the same answer, not sent yet; none while first_id is 0. */
struct session_range {
    uint64_t first_id, last_id;
    int64_t version;
    bool deadband;
};

#define BINDING_UNSCANNED UINT64_MAX

/* A shadow that the client has a handle for. */
struct session_binding {
    uint16_t handle;
    struct shadow *shadow; /* borrowed; we are one of its users */
    struct access_grant grant;
    struct waits waits;
    struct interests interests;
    uint64_t fate_serial; /* as of the last complete scan; BINDING_UNSCANNED: scan anyway */
    struct session_range queued, accepted;
    bool asks_less;            /* one of `queued` does not wait for STORED */
    struct session_range held; /* QUEUED that STORED may say as well, until then: */
    int64_t held_until_ms;
    struct session_mark marks[SESSION_MARKS_MAX];
    size_t mark_count;
    bool asks_stored; /* a report since the last mark waits for STORED */
    uint64_t safe_id; /* the last one told */
};

/* A shadow that a flush waits for. */
struct session_flush_part {
    struct shadow *shadow; /* borrowed; we are one of its users */
    uint64_t revision;
};

struct session_flush {
    uint64_t request_id;
    enum flux_level level;
    struct session_flush_part *parts; /* owned; those that are not through yet */
    size_t count;
};

struct session_reset {
    uint64_t request_id;
    struct shadow *shadow; /* borrowed; we are one of its users. NULL: all */
};

struct session_watch {
    uint64_t request_id;
    uint16_t handle;
    struct shadow *shadow; /* borrowed from the binding */
    char *path;            /* owned */
    size_t path_size;
    struct shadow_wish_cursor cursor;
    uint64_t serial;  /* of the wishes, when all were told */
    bool is_complete; /* the client knows that it has been told all */
};

struct session {
    struct session_host *host; /* borrowed */
    enum session_state state;
    bool input_ended;
    uint32_t max_frame_bytes; /* as WELCOME told; 0 before it */
    struct session_buffer input, output;
    uint32_t uid;
    int32_t pid;
    char *unit, *outer_unit; /* owned */
    uint32_t *groups;        /* owned */
    struct access_peer peer; /* of these */
    struct access_grant grant;
    char name[FLUX_CLIENT_NAME_MAX + 1];
    struct writer *writer; /* of the program; NULL before HELLO */
    bool said_bye;
    bool only_asks; /* greeted while the daemon ends */
    uint64_t last_request_id;
    struct session_binding *bindings; /* owned; the first is the default shadow */
    size_t binding_count;
    size_t last_binding;           /* the one used last, for most messages go to the same */
    struct session_watch *watches; /* owned */
    size_t watch_count;
    size_t next_watch; /* whose turn it is */
    struct session_flush flushes[SESSION_FLUSHES_MAX];
    size_t flush_count;
    struct session_reset resets[SESSION_RESETS_MAX];
    size_t reset_count;
    struct {
        char *text; /* owned; NULL: nothing is being streamed */
        size_t size, sent;
        uint64_t request_id;
        uint16_t shadow;
    } stream;
    struct {
        enum session_question kind;
        uint64_t request_id;
        struct flux_admin admin;
    } question;
    bool settle_again; /* the output was full before all was said */
    uint64_t reports, rejected;
    int64_t now_ms; /* of the work in hand */
};

uint32_t session_frame_max(const struct session *session);

/* --- session_output.c: what is said --- */

bool session_output_is_full(const struct session *session);
/* Prepare to append one frame of at most `size` bytes. Without memory the session ends. */
bool session_output_begin(struct session *session, size_t size,
                          struct flux_wire_writer *ret_writer);
void session_output_end(struct session *session, const struct flux_wire_writer *writer, int result);
void session_put_answer(struct session *session, uint16_t handle, enum flux_level level,
                        const struct session_range *range);
void session_put_rejected(struct session *session, uint16_t handle, uint64_t first_id,
                          uint64_t last_id, int code, const char *path, const char *text);
void session_put_safe(struct session *session, uint16_t handle, uint64_t last_id);
void session_put_done(struct session *session, uint64_t request_id);
void session_put_failed(struct session *session, uint64_t request_id, int code, const char *text);
void session_put_opened(struct session *session, uint16_t handle, uint64_t request_id);
void session_put_welcome(struct session *session, uint16_t version);
void session_put_goodbye(struct session *session, enum flux_goodbye_code code, const char *text);
void session_put_desired(struct session *session, const struct flux_desired *desired);

/* --- session_stream.c: large answers, piece by piece --- */

/* Stream `text` (taken over) as DATA frames; session_put_stream() sends on while there is room. */
void session_begin_stream(struct session *session, uint64_t request_id, uint16_t handle, char *text,
                          size_t size);
void session_put_stream(struct session *session);
void session_end_stream(struct session *session);
/* How long an answer may be at the moment. */
size_t session_stream_room(const struct session *session);

/* --- session_access.c: what it may do --- */

/* Why something is denied. */
struct session_denial {
    char path[FLUX_PATH_BYTES_MAX + 1];
    char text[SESSION_TEXT_MAX + 1];
};

/* Returns 0, or -ENOMEM: session_clear_peer() frees what is there. */
int session_note_peer(struct session *session, const struct session_peer *peer);
void session_clear_peer(struct session *session);
void session_grant_binding(struct session *session, struct session_binding *binding);

/* Each returns true with the reason where the right is not granted: to set and to remove all that a
 * report does; to see anything at or below a path (then `ret_paths` has what, unless everything is
 * granted); to remove all that is held at and below a path; one right on whatever path. */
bool session_denies_report(const struct session *session, const struct session_binding *binding,
                           const struct shadow_operation *operations, size_t count,
                           struct session_denial *ret_denial);
bool session_denies_path(const struct session *session, const struct session_binding *binding,
                         enum access_right right, const struct flux_text *path,
                         struct access_paths *ret_paths, struct session_denial *ret_denial);
bool session_denies_removal(const struct session *session, const struct access_grant *grant,
                            struct shadow *shadow, const struct flux_text *path,
                            struct session_denial *ret_denial);
bool session_denies_right(const struct session *session, enum access_right right,
                          struct session_denial *ret_denial);
/* Answer a request with FAILED. */
void session_put_denied(struct session *session, uint64_t request_id,
                        const struct session_denial *denial);

/* --- session_binding.c: the shadows of a session --- */

void session_request_shadow(struct session *session, const struct flux_frame *frame);
int session_bind(struct session *session, uint16_t handle, struct shadow *shadow);
struct session_binding *session_find_binding(struct session *session, uint16_t handle);
/* The same for a request, with a path to check besides (NULL: none). Answers it with FAILED and
 * returns NULL where it cannot go on. */
struct session_binding *session_find_for_request(struct session *session, uint16_t handle,
                                                 uint64_t request_id, const struct flux_text *path);
void session_clear_bindings(struct session *session);

/* --- session_report.c: reports and what becomes of them --- */

/* Handle one REPORT frame. Returns what it counts against the share of a turn, in operations. */
size_t session_report(struct session *session, const struct flux_frame *frame, int64_t now_ms,
                      int64_t now_us);
/* Decode all operations into the host's scratch. Returns their number, -EPROTO, -E2BIG or -ENOMEM.
 */
int session_decode_operations(struct session_host *host, struct flux_wire_reader *reader);
/* Say the ranges that were gathered, and remember how far the shadow's revisions have come. */
void session_end_batch(struct session *session);
/* Say what of QUEUED was held back: of one shadow, of all. */
void session_put_held(struct session *session, struct session_binding *binding);
void session_put_all_held(struct session *session);

/* --- session_answer.c: what became of the reports --- */

void session_settle_bindings(struct session *session);
/* Why STORED cannot be reached, for whoever asks for it. */
const char *session_volatile_text(const struct session *session);
/* Add the reports from `first_id` to `last_id` to the range that is being gathered, or begin a new
 * one. */
void session_add_accepted(struct session *session, struct session_binding *binding,
                          const struct session_range *accepted);
void session_put_range(struct session *session, struct session_binding *binding,
                       enum flux_level level, struct session_range *range);

/* --- session_request.c: what is asked besides reports. What returns a size tells what it counts
 * against the share of a turn --- */

size_t session_request_get(struct session *session, const struct flux_frame *frame);
size_t session_request_keys(struct session *session, const struct flux_frame *frame,
                            int64_t now_ms);

/* --- session_question.c: what the daemon as a whole is asked --- */

void session_request_status(struct session *session, const struct flux_frame *frame);
void session_request_history(struct session *session, const struct flux_frame *frame);
void session_request_admin(struct session *session, const struct flux_frame *frame);

/* --- session_flush.c --- */

void session_request_flush(struct session *session, const struct flux_frame *frame, int64_t now_ms);
/* Say which flushes are done. */
void session_settle_flushes(struct session *session);
void session_clear_flushes(struct session *session);

/* --- session_cleanup.c: forgetting and resetting --- */

size_t session_request_forget(struct session *session, const struct flux_frame *frame,
                              int64_t now_ms);
size_t session_request_reset(struct session *session, const struct flux_frame *frame,
                             int64_t now_ms);
/* Say which resets are done. */
void session_settle_resets(struct session *session);
void session_clear_resets(struct session *session);

/* --- session_watch.c: the wishes of the cloud --- */

void session_request_watch(struct session *session, const struct flux_frame *frame);
void session_request_unwatch(struct session *session, const struct flux_frame *frame);
/* The rules have changed: end those that nothing may be told of, and begin the others anew. */
void session_review_watches(struct session *session);
/* Tell what is new while there is room. */
void session_settle_watches(struct session *session);
void session_clear_watches(struct session *session);

/* --- session_writer.c: the program behind the session --- */

/* Returns 0 or -ENOMEM. */
int session_open_writer(struct session *session, int64_t now_ms);
void session_close_writer(struct session *session, int64_t now_ms);
size_t session_request_will(struct session *session, const struct flux_frame *frame);
void session_request_bye(struct session *session, const struct flux_frame *frame);

#endif
