/* The inside of the daemon, shared by the files that make it up. Nobody else includes this. */
#ifndef FLUXAWS_DAEMON_PRIVATE_H
#define FLUXAWS_DAEMON_PRIVATE_H

#include "daemon/base/log_limit.h"
#include "daemon/daemon.h"
#include "daemon/daemon_storage.h"
#include "daemon/daemon_timer.h"
#include "daemon/ipc/listen_socket.h"
#include "daemon/ipc/socket_server.h"
#include "daemon/log_choice.h"
#include "daemon/reload_report.h"
#include "daemon/uplink.h"

struct event;

enum daemon_state {
    DAEMON_RUNNING,
    DAEMON_DRAINING,   /* asked to stop: answering what clients have already sent */
    DAEMON_FLUSHING,   /* sending what is pending */
    DAEMON_HANGING_UP, /* waiting for the link to close, and for what is left to be written */
    DAEMON_STOPPED,
};

struct daemon {
    enum daemon_state state;
    struct daemon_options options;
    struct config config;
    char thing_name[FLUX_THING_NAME_MAX + 1];
    bool awaits_name;     /* the certificate that has it is not there: thing_name is provisional */
    bool starts_over;     /* it is there now: the stop under way is not the end */
    int64_t next_look_ms; /* for the certificate */
    char state_directory[STORE_PATH_MAX]; /* of the storage */
    int state_lock_fd;                    /* keeps other daemons out of it; -1: none */
    bool config_rejected;                 /* the last reload was refused */
    struct log_choice log_choice;
    struct reload_report reload;                    /* the last one; empty before the first */
    bool wants_stop, wants_reload, link_has_events; /* what woke us */
    int64_t started_ms;
    int64_t stop_deadline_ms;
    int64_t watchdog_ms, next_feed_ms; /* 0: no watchdog */
    uint64_t told_changes;             /* of link and storage, to the service manager */
    bool told_status, told_in_memory;
    struct event_base *base;
    struct daemon_timer timer;
    struct event *link_event, *store_event, *signals[3];
    struct access_rules *access; /* owned; NULL: who has the socket may do everything */
    char extra_text[256];        /* of [Thing] Extra, cut into words */
    const char *extra[CONFIG_WORDS_MAX];
    struct log_limit log; /* lines of which many may come */
    struct thing *thing;
    struct daemon_storage storage;
    struct session_host host;
    struct listen_socket socket;
    struct socket_server *server;
    struct uplink *uplink;
};

/* --- daemon_status.c: how things stand, for who asks or has to know --- */

void daemon_answer_statuses(struct daemon *daemon, int64_t now_ms);
void daemon_tell_service_manager(struct daemon *daemon, int64_t now_ms);
/* Tell sessions, and the journal once, whether anything can be STORED. */
void daemon_look_at_storage(struct daemon *daemon, int64_t now_ms);

/* --- daemon_settings.c: the configuration, applied --- */

/* Put the policies per property of the configuration in force. Returns 0 or -ENOMEM. */
int daemon_apply_policies(struct daemon *daemon, int64_t now_ms);
/* Put the access rules of a configuration in force. Returns 0, or -ENOMEM with the old ones. */
int daemon_apply_access(struct daemon *daemon, const struct config *config);
/* What it points to lies in the daemon. */
void daemon_fill_thing_options(struct daemon *daemon, struct thing_options *ret_options);
void daemon_fill_limits(struct daemon *daemon, struct socket_server_limits *ret_limits);
/* Put the configuration of `daemon->config` in force. */
void daemon_apply_settings(struct daemon *daemon, int64_t now_ms);

/* --- daemon_reload.c: the configuration, read again --- */

/* Read configuration and credentials again, without dropping local clients; a bad file keeps the
 * old one. What it did is also logged, for whoever may ask without end no more often than `limit`
 * lets through (NULL: always). Returns it, borrowed until the next reload. */
const struct reload_report *daemon_reload(struct daemon *daemon, struct log_limit *limit,
                                          int64_t now_ms);
/* Log what is wrong with a configuration, no more often than `limit` lets through; NULL: all. */
void daemon_log_problems_limited(const struct config *config, struct log_limit *limit,
                                 int64_t now_ms);

/* --- daemon_admin.c: what operators want --- */

/* Do it, and answer. */
void daemon_answer_admins(struct daemon *daemon, int64_t now_ms);
/* Put the log level in force that was configured, or chosen at run time. */
void daemon_apply_level(struct daemon *daemon);
/* Go back to the configured one when the time of the other is over. */
void daemon_expire_level(struct daemon *daemon, int64_t now_ms);

/* --- daemon_name.c: a name that comes later --- */

/* The engine has to have one meanwhile; nothing is sent under it. */
#define DAEMON_PROVISIONAL_NAME "name-not-known-yet"

/* Look for the certificate now and then, and start over once it has the name. */
void daemon_look_for_name(struct daemon *daemon, int64_t now_ms);
/* Begin again with the configuration as it is now, which has the name. */
void daemon_start_over(struct daemon *daemon, const char *name, int64_t now_ms);
int64_t daemon_name_deadline(const struct daemon *daemon);

/* --- daemon_stop.c: the way out --- */

void daemon_begin_stop(struct daemon *daemon, int64_t now_ms);
/* Take the next step if it is time for it. Returns true if there is more to do right away. */
bool daemon_continue_stop(struct daemon *daemon, int64_t now_ms, int64_t now_us);
int64_t daemon_stop_deadline(const struct daemon *daemon);
/* How much that presses the storage. */
enum storage_stop daemon_storage_stop(const struct daemon *daemon);

/* --- daemon_notices.c: what the operator should hear --- */

void daemon_log_notices(struct daemon *daemon, int64_t now_ms);

#endif
