/* The inside of a session, shared by the files that make it up. Nobody else includes this. */
#ifndef FLUXAWS_IPC_SESSION_PRIVATE_H
#define FLUXAWS_IPC_SESSION_PRIVATE_H

#include "daemon/ipc/interests.h"
#include "daemon/ipc/session.h"

/* Handles that one connection may open, the default one included. */
#define SESSION_BINDINGS_MAX 16u
/* FLUSH requests that may wait at a time. */
#define SESSION_FLUSHES_MAX 16u
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
};

/* Several reports in a row with the same answer, not sent yet; none while first_id is 0. */
struct session_range {
    uint64_t first_id, last_id;
    int64_t version;
};

#define BINDING_UNSCANNED UINT64_MAX

/* A shadow that the client has a handle for. */
struct session_binding {
    uint16_t handle;
    struct shadow *shadow; /* borrowed */
    struct waits waits;
    struct interests interests;
    uint64_t fate_serial; /* as of the last complete scan; BINDING_UNSCANNED: scan anyway */
    struct session_range queued, accepted;
    struct session_mark marks[SESSION_MARKS_MAX];
    size_t mark_count;
    uint64_t safe_id; /* the last one told */
};

struct session_flush {
    uint64_t request_id;
    enum flux_level level;
    uint64_t revision;
};

struct session {
    struct session_host *host; /* borrowed */
    enum session_state state;
    bool input_ended;
    struct session_buffer input, output;
    char name[FLUX_CLIENT_NAME_MAX + 1];
    uint64_t last_request_id;
    struct session_binding *bindings; /* owned; the first is the default shadow */
    size_t binding_count;
    struct session_flush flushes[SESSION_FLUSHES_MAX];
    size_t flush_count;
    struct {
        char *text; /* owned; NULL: nothing is being streamed */
        size_t size, sent;
        uint64_t request_id;
        uint16_t shadow;
    } stream;
    uint64_t status_request_id; /* 0: none */
    bool settle_again;          /* the output was full before all was said */
    uint64_t reports, rejected;
};

/* --- session_output.c: what is said --- */

bool session_output_is_full(const struct session *session);
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
/* Stream `text` (taken over) as DATA frames; session_put_stream() sends on while there is room. */
void session_begin_stream(struct session *session, uint64_t request_id, uint16_t handle, char *text,
                          size_t size);
void session_put_stream(struct session *session);

/* --- session_report.c: reports and what becomes of them --- */

/* Handle one REPORT frame. Returns what it counts against the share of a turn, in operations. */
size_t session_report(struct session *session, const struct flux_frame *frame, int64_t now_ms,
                      int64_t now_us);
/* Say the ranges that were gathered, and remember how far the shadow's revisions have come. */
void session_end_batch(struct session *session);
struct session_binding *session_find_binding(struct session *session, uint16_t handle);
int session_bind(struct session *session, uint16_t handle, struct shadow *shadow);
void session_settle_bindings(struct session *session);

/* --- session_request.c: what is asked besides reports --- */

void session_request_shadow(struct session *session, const struct flux_frame *frame);
void session_request_get(struct session *session, const struct flux_frame *frame);
void session_request_status(struct session *session, const struct flux_frame *frame);
void session_request_flush(struct session *session, const struct flux_frame *frame, int64_t now_ms);
/* Say which flushes are done. */
void session_settle_flushes(struct session *session);

#endif
