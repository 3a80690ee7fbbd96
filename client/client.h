/* The inside of a handle, shared by the files of the library. Each file below says which part it
 * looks after; nothing here is for applications. */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "client/answers_queue.h"
#include "client/buffer.h"
#include "client/changes.h"
#include "client/fluxaws.h"
#include "client/shadow.h"
#include "client/watch.h"
#include "proto/limits.h"
#include "proto/message.h"
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

    /* shadows.c */
    struct client_shadow
        *shadows[CLIENT_SHADOWS_MAX]; /* owned; by handle; the first is the default */
    size_t shadow_count;
    struct client_shadow *shadow; /* in use */
    uint64_t hash_seed;
    size_t backlog_bytes_max; /* of all shadows */

    /* watches.c */
    struct client_watches watches;

    /* send.c */
    uint64_t last_id; /* given to a report or a request */
    uint64_t last_report_id;
    uint64_t sent_id;      /* reports up to here are written on this connection */
    uint64_t resent_until; /* reports up to here were made before this connection */
    unsigned unread_count; /* reports since the socket was last read */

    /* report.c */
    struct changes changes;
    bool is_collecting;
    int collect_error;

    /* request.c and dispatch.c */
    struct answers_queue answers; /* to be delivered */
    enum flux_level wanted;
    fluxaws_answer_callback callback;
    void *callback_data;
    struct client_request request;
    unsigned rejected_count; /* since the last flush */
    char rejected_text[512];

    /* text.c */
    char error_text[512];
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

/* ---- shadows.c ---- */

/* Add a shadow of this name ("": the default) behind the others. Returns 0 or -ENOMEM. */
int client_add_shadow(struct fluxaws_client *client, const char *thing, const char *shadow,
                      struct client_shadow **ret_shadow);
void client_free_shadows(struct fluxaws_client *client);
/* Forget what belonged to the connection. */
void client_lose_shadows(struct fluxaws_client *client);
/* Ask for those that are not open on this connection yet. */
void client_open_shadows(struct fluxaws_client *client);
/* Tell whether an answer to OPEN_SHADOW is awaited. */
bool client_is_opening(const struct fluxaws_client *client);
/* Take the answer to OPEN_SHADOW; `error` is 0 or a negative errno. Returns false if this is not
 * the answer to one. */
bool client_shadow_opened(struct fluxaws_client *client, uint64_t request_id, int error,
                          const char *text, size_t text_size);
/* Bytes in the backlogs of all shadows. */
size_t client_backlog_bytes(const struct fluxaws_client *client);

/* ---- watches.c ---- */

void client_free_watches(struct fluxaws_client *client);
/* Forget what belonged to the connection. */
void client_lose_watches(struct fluxaws_client *client);
/* Watch what is not watched yet, once it is due. */
void client_send_watches(struct fluxaws_client *client);
/* The shadow was refused, or is open again after it was. */
void client_refuse_watches(struct fluxaws_client *client, const struct client_shadow *shadow);
void client_renew_watches(struct fluxaws_client *client, const struct client_shadow *shadow);
/* Take the answer to WATCH; as client_shadow_opened(). */
bool client_watch_answered(struct fluxaws_client *client, uint64_t request_id, int error,
                           const char *text, size_t text_size);
/* Take a wish. Returns 0 or -ENOMEM. */
int client_take_desired(struct fluxaws_client *client, const struct flux_desired *desired);
/* Tell whether there are wishes to deliver, and whether so many that no more should be read. */
bool client_has_wishes(const struct fluxaws_client *client);
bool client_has_many_wishes(const struct fluxaws_client *client);
/* Deliver them. Returns how many. */
int client_deliver_wishes(struct fluxaws_client *client);

/* ---- will.c ---- */

/* Leave the wills that are due on this connection. */
void client_send_wills(struct fluxaws_client *client);
/* Tell whether no will waits to be sent. */
bool client_has_sent_wills(const struct fluxaws_client *client);
/* Take the answer to WILL; as client_shadow_opened(). */
bool client_will_answered(struct fluxaws_client *client, uint64_t request_id, int error,
                          const char *text, size_t text_size);

/* ---- send.c: frames from reports ---- */

/* Send the report just collected, or leave it in the backlog until the socket takes it. */
void client_send_report(struct fluxaws_client *client, uint64_t id);
/* Send from the backlogs what is not on the wire, oldest first, as far as the socket keeps up. */
void client_pump(struct fluxaws_client *client);
/* Tell whether a report just collected could go straight to the socket. */
bool client_may_send_directly(const struct fluxaws_client *client);
/* Tell whether every report is written or in the outgoing buffer, so that a request may follow. */
bool client_has_sent_all(const struct fluxaws_client *client);
/* Append an operation to a report or will. Returns 0, -ENOBUFS, -EMSGSIZE. */
int client_add_change(struct flux_report_encoder *encoder, const struct flux_change *change);

/* ---- frames.c: all other messages ---- */

/* Room for a frame of `size` bytes in the outgoing buffer. Returns 0 or -ENOMEM. */
int client_begin_frame(struct fluxaws_client *client, struct flux_wire_writer *writer, size_t size);
/* The frame is complete and may go. */
void client_end_frame(struct fluxaws_client *client, const struct flux_wire_writer *writer);

/* Append one message to the outgoing buffer; those that are answered set the id of whoever waits.
 * Return 0 or a negative errno. */
int client_send_hello(struct fluxaws_client *client);
int client_send_bye(struct fluxaws_client *client);
int client_send_open(struct fluxaws_client *client, struct client_shadow *shadow);
int client_send_watch(struct fluxaws_client *client, struct client_watch *watch);
int client_send_unwatch(struct fluxaws_client *client, const struct client_watch *watch);
/* These ask the question in `request`, about the shadow in use. */
int client_send_flush(struct fluxaws_client *client, enum flux_level level);
int client_send_get(struct fluxaws_client *client, enum flux_section section, const char *path);
int client_send_keys(struct fluxaws_client *client, const char *path);
int client_send_status(struct fluxaws_client *client);
int client_send_forget(struct fluxaws_client *client, const char *path);
int client_send_reset(struct fluxaws_client *client, bool all);
int client_send_history(struct fluxaws_client *client);
/* `admin`: all but the id. */
int client_send_admin(struct fluxaws_client *client, const struct flux_admin *admin);

/* ---- request.c: asking, and waiting for the answer ---- */

/* Ask for the events of the link, or (`admin`, all but the id) have something done. `ret_json` gets
 * the answer; NULL: it does not matter. Blocks; returns as fluxaws_get(). */
int client_ask_history(struct fluxaws_client *client, int timeout_ms, char **ret_json);
int client_ask_admin(struct fluxaws_client *client, const struct flux_admin *admin, int timeout_ms,
                     char **ret_json);

/* ---- receive.c: what the daemon says ---- */

/* Handle all complete messages in `in`. */
void client_receive(struct fluxaws_client *client);

/* ---- dispatch.c: one turn ---- */

/* Do all that can be done without waiting, and deliver nothing. */
void client_turn(struct fluxaws_client *client);
/* Wait for the socket or the next attempt, at most until `deadline_ms` (INT64_MAX: no end). */
int client_wait(struct fluxaws_client *client, int64_t deadline_ms);
/* Deliver the answers and wishes that wait. Returns how many. */
int client_deliver(struct fluxaws_client *client);

/* ---- debug.c ---- */

/* Show a frame on stderr if FLUXAWS_DEBUG asks for it. */
void client_debug(const struct fluxaws_client *client, const char *direction, const void *data,
                  size_t size);

/* ---- report.c ---- */

/* Make a pointer of what a program wrote. Returns 0, -EINVAL, -EILSEQ, -ENAMETOOLONG. */
int client_canonical_path(struct fluxaws_client *client, const char *path,
                          char ret_pointer[static FLUX_PATH_BYTES_MAX + 1]);
/* The same where NULL stands for everything: the empty pointer. "" does not: it is what is left of
 * a path that somebody forgot to fill in, and everything is too much to lose. */
int client_canonical_part(struct fluxaws_client *client, const char *path,
                          char ret_pointer[static FLUX_PATH_BYTES_MAX + 1]);
/* End a call that added to the changes (0) or failed to: report, unless a report is being
 * collected. Returns the result of the call. */
int client_finish_report(struct fluxaws_client *client, int r);

/* ---- report_json.c ---- */

/* Add the operations of a document to `changes`. An empty `pointer` stands for the whole shadow.
 * Returns 0, -EINVAL, -EILSEQ, -E2BIG, -ENOMEM. */
int client_add_json(struct fluxaws_client *client, struct changes *changes, const char *pointer,
                    const char *json);

/* ---- text.c ---- */

/* Keep a text for fluxaws_error_text() and return `error`. */
int client_fail(struct fluxaws_client *client, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void client_log(struct fluxaws_client *client, int priority, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
