/* The link to the cloud as the daemon's turn sees it: feeds the state table with what the link
 * thread tells, does what the table says, carries events into the thing and its requests out, and
 * logs each change of state once. Decides neither when to dial nor what to send. */
#ifndef FLUXAWS_UPLINK_H
#define FLUXAWS_UPLINK_H

#include "daemon/base/log_limit.h"
#include "daemon/config.h"
#include "daemon/mqtt/link_history.h"
#include "daemon/shadow/thing.h"
#include <stdbool.h>
#include <stdint.h>

struct uplink;

/* Where the credentials may lie besides the configured places; borrowed for good. */
struct uplink_directories {
    const char *state;       /* never NULL */
    const char *credentials; /* NULL: none */
};

/* Start the link's thread; the link is off. `thing`, `log` and `config` are borrowed, the last
 * until uplink_set_config(). Returns 0, -ENOMEM, -EMFILE, -EAGAIN. */
int uplink_new(struct uplink **ret_uplink, struct thing *thing, const char *thing_name,
               const struct config *config, const struct uplink_directories *directories,
               struct log_limit *log, uint64_t seed, int64_t now_ms);
/* Returns as mqtt_link_free(). */
bool uplink_free(struct uplink *uplink);

/* An fd that is readable as long as uplink_receive() has something to do. */
int uplink_event_fd(const struct uplink *uplink);

/* Use another configuration from now on. The connection is dialled anew if what it rests on, the
 * credentials' files included, has changed. */
void uplink_set_config(struct uplink *uplink, const struct config *config, int64_t now_ms);

/* Want the link, or do not want it. */
void uplink_start(struct uplink *uplink, int64_t now_ms);
void uplink_stop(struct uplink *uplink, int64_t now_ms);

/* For an operator. Pausing hangs up and stays off, over reloads and new networks, until
 * uplink_resume(); what programs report is taken and stored meanwhile. A restart forgets it.
 * Reconnecting dials anew, without waiting for the backoff; a link that is paused, or that has no
 * network, stays as it is. */
void uplink_pause(struct uplink *uplink, int64_t now_ms);
void uplink_resume(struct uplink *uplink, int64_t now_ms);
void uplink_reconnect(struct uplink *uplink, int64_t now_ms);

/* Take what the link thread has told into the table and the thing; when the event fd is readable.
 */
void uplink_receive(struct uplink *uplink, int64_t now_ms);

/* Feed what is due, and hang up a link whose other end seems dead. */
void uplink_check(struct uplink *uplink, int64_t now_ms);

/* Hand the thing's due requests to the link. */
void uplink_send(struct uplink *uplink, int64_t now_ms);

/* When uplink_check() wants to run again although no event came; INT64_MAX: never. */
int64_t uplink_deadline(const struct uplink *uplink);

struct uplink_status {
    enum link_state state;
    int64_t since_ms;        /* boot time of the last change of state */
    int64_t next_try_ms;     /* boot time; INT64_MAX: none planned */
    const char *reason;      /* why it is not up; "": nothing has failed since it was up, or since
                                the settings were others */
    int failure;             /* enum mqtt_link_failure, or a reason code of MQTT; 0: none */
    bool was_up;             /* that failure ended a link that had been up */
    const char *proxy;       /* host:port of the proxy that the way leads through; "": none */
    const char *credentials; /* state of the last check; "": there was none */
    int64_t not_after_sec;   /* of the certificate, 0: unknown */
    uint64_t attempts, connections;
    uint64_t changes;        /* of the state so far */
    bool paused;             /* by an operator */
    const char *last_reason; /* of the last failure, kept when it is up; "" if it never failed */
    uint64_t bytes_in, bytes_out; /* of all connections, as struct wire_meter counts them */
};

/* The `changes` of the status alone, which costs no system call. */
uint64_t uplink_changes(const struct uplink *uplink);
void uplink_get_status(const struct uplink *uplink, struct uplink_status *ret_status);

/* What happened to the link; borrowed, valid until the next call that takes `now_ms`. */
const struct link_history *uplink_history(const struct uplink *uplink);

/* Write the state in one line for the service manager. */
void uplink_describe(const struct uplink *uplink, int64_t now_ms, char *ret_text, size_t size);

#endif
