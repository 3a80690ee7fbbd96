/* The inside of a handle, shared by the files of the library. Each file below says which part it
 * looks after; nothing here is for applications. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/answers.h"
#include "client/backlog.h"
#include "client/buffer.h"
#include "client/changes.h"
#include "client/fluxaws.h"
#include "proto/limits.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

enum client_state {
    CLIENT_AWAY,     /* no connection; the next attempt is due at retry_at_ms */
    CLIENT_GREETING, /* connected, HELLO is on its way */
    CLIENT_READY,    /* the daemon said WELCOME */
};

enum client_request_state {
    CLIENT_REQUEST_NONE,
    CLIENT_REQUEST_SENT,
    CLIENT_REQUEST_ENDED, /* `error` says how */
    CLIENT_REQUEST_LOST,  /* with its connection */
};

/* The one question that may be open: only blocking calls ask. */
struct client_request {
    enum client_request_state state;
    uint64_t id;
    int error;
    struct buffer text; /* of DATA */
};

struct fluxaws_client {
    struct sockaddr_un address;
    char name[FLUX_CLIENT_NAME_MAX + 1];
    uint64_t instance_id;
    bool is_debugged;
    bool is_in_callback;

    /* connection.c */
    enum client_state state;
    int away_reason; /* negative errno while away */
    int epoll_fd, socket_fd;
    bool wants_output; /* as told to epoll */
    int64_t retry_at_ms, ready_since_ms;
    unsigned backoff_ms;
    struct buffer in, out;

    /* receive.c: what WELCOME said */
    size_t frame_bytes_max; /* of the daemon; kept over reconnects */
    bool is_durable;

    /* send.c */
    uint64_t last_id; /* given to a report or a request */
    uint64_t last_report_id;
    uint64_t sent_id;      /* reports up to here are written on this connection */
    uint64_t resent_until; /* reports up to here were made before this connection */
    uint64_t queued_id;    /* the newest report that the daemon answered on this connection */
    uint64_t safe_id;      /* reports up to here are safe with the daemon */
    unsigned unread_count; /* reports since the socket was last read */
    struct backlog backlog;

    /* report.c */
    struct changes changes;
    bool is_collecting;
    int collect_error;

    /* request.c and dispatch.c */
    struct answers answers;
    enum flux_level wanted;
    fluxaws_answer_callback callback;
    void *callback_data;
    struct client_request request;
    unsigned rejected_count; /* since the last flush */
    char rejected_text[256];

    /* text.c */
    char error_text[256];
    fluxaws_log_callback log_handler;
    void *log_data;
};

/* Frames that go out before WELCOME stay below every daemon's MaxFrameBytes. */
#define CLIENT_EARLY_FRAME_BYTES 4096u

/* ---- connection.c: from nothing to a greeted socket and back ---- */

int64_t client_now_ms(void);
/* Connect if an attempt is due. Never blocks; the outcome is in `state` and `away_reason`. */
void client_connect(struct fluxaws_client *client);
/* Give the connection up because of `reason` (negative errno) and plan the next attempt. */
void client_disconnect(struct fluxaws_client *client, int reason);
/* Write what the socket takes now. */
void client_write(struct fluxaws_client *client);
/* Read what there is, at most about a megabyte, into `in`. Returns true if the daemon has closed.
 */
bool client_read(struct fluxaws_client *client);
/* Tell epoll whether there is something to write. */
void client_update_events(struct fluxaws_client *client);

/* ---- send.c: frames from reports ---- */

/* Send the report just collected, or leave it in the backlog until the socket takes it. */
void client_send_report(struct fluxaws_client *client, uint64_t id);
/* Send from the backlog what is not on the wire, oldest first, as far as the socket keeps up. */
void client_pump(struct fluxaws_client *client);
/* Tell whether every report is written or in the outgoing buffer, so that a request may follow. */
bool client_has_sent_all(const struct fluxaws_client *client);
/* Append one message to the outgoing buffer; the last three ask a question and set its id. Return 0
 * or a negative errno. */
int client_send_hello(struct fluxaws_client *client);
int client_send_flush(struct fluxaws_client *client, enum flux_level level);
int client_send_get(struct fluxaws_client *client, enum flux_section section, const char *path);
int client_send_status(struct fluxaws_client *client);

/* ---- receive.c: what the daemon says ---- */

/* Handle all complete messages in `in`. */
void client_receive(struct fluxaws_client *client);

/* ---- dispatch.c: one turn ---- */

/* Do all that can be done without waiting, and deliver nothing. */
void client_turn(struct fluxaws_client *client);
/* Wait for the socket or the next attempt, at most until `deadline_ms` (INT64_MAX: no end). */
int client_wait(struct fluxaws_client *client, int64_t deadline_ms);
/* Deliver the answers that wait. Returns how many. */
int client_deliver(struct fluxaws_client *client);

/* ---- debug.c ---- */

/* Show a frame on stderr if FLUXAWS_DEBUG asks for it. */
void client_debug(const struct fluxaws_client *client, const char *direction, const void *data,
                  size_t size);

/* ---- report.c ---- */

/* Make a pointer of what a program wrote. Returns 0, -EINVAL, -EILSEQ, -ENAMETOOLONG. */
int client_canonical_path(struct fluxaws_client *client, const char *path,
                          char ret_pointer[static FLUX_PATH_BYTES_MAX + 1]);

/* ---- text.c ---- */

/* Keep a text for fluxaws_error_text() and return `error`. */
int client_fail(struct fluxaws_client *client, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void client_log(struct fluxaws_client *client, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
