/* The thing and its shadows: opens shadows, routes the cloud's messages to them, shares the
 * connection's budgets and hands out the requests to send. The only face of the engine that the
 * daemon's turn sees. Pure.
 *
 * Order of a turn: link events in (thing_link_up ... thing_receive), reports in (shadow_report),
 * then thing_next_request() until it has none, thing_next_notice() until it has none, and sleep
 * until thing_deadline(). */
#ifndef FLUXAWS_SHADOW_THING_H
#define FLUXAWS_SHADOW_THING_H

#include "daemon/shadow/saved.h"
#include "daemon/shadow/shadow.h"

struct thing;

/* Limits and manners; the names are those of fluxawsd.conf. Copied by thing_new(). */
struct thing_options {
    const char *name;     /* AWS IoT thing name, 1-128 of [a-zA-Z0-9:_-] */
    uint64_t instance_id; /* random per daemon start; part of every clientToken */
    uint64_t random_seed;
    bool durable;   /* updates carry only what shadow_stored() announced */
    bool in_memory; /* durable, but not across a power cut: nothing is called stored */
    int64_t interval_ms;
    unsigned burst;
    int64_t response_timeout_ms;
    size_t max_document_bytes;
    unsigned max_depth;
    unsigned requests_per_sec; /* a shadow */
    unsigned messages_per_sec; /* the connection, in and out */
    int64_t refresh_ms;
    int64_t keep_alive_ms;
    int64_t backoff_min_ms, backoff_max_ms; /* of requests the service told us to slow down on */
    const char *const *extra;               /* further things: names, or `prefix-*` */
    size_t extra_count;
    unsigned max_shadows, max_subscriptions;
    uint64_t daily_operations; /* 0: no limit */
    bool subscribes_singly;    /* the link sends a SUBSCRIBE for each filter: more messages */
    int64_t gone_after_ms;     /* a program away for longer is gone */
};

/* Fill in the defaults of the contract; name and ids stay zero. */
void thing_options_init(struct thing_options *ret_options);

/* Returns 0, -EINVAL (a bad name or a number out of range), -ENOMEM. */
int thing_new(struct thing **ret_thing, const struct thing_options *options);
struct thing *thing_free(struct thing *thing);

/* Change what may change while running (everything but name, ids and durable). */
int thing_set_options(struct thing *thing, const struct thing_options *options, int64_t now_ms);

/* Find or open a shadow, and count one more user of it. NULL or "" as thing_name: the own thing;
 * NULL or "" as shadow_name: the classic shadow. Returns 0 and a borrowed shadow that lives until
 * thing_close_shadow(), -EINVAL (malformed name), -EACCES (a thing this daemon may not report for),
 * -ENOSPC (MaxShadows are in use), -ENOMEM. */
int thing_open_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                      struct shadow **ret_shadow);

/* Count one more user of an open shadow. */
void thing_hold_shadow(struct thing *thing, struct shadow *shadow);

/* One user less. A shadow without users, without values of ours and without work is given up when
 * its place is needed; until then it is followed on. The own classic shadow always stays. */
void thing_close_shadow(struct thing *thing, struct shadow *shadow);

/* Walk over the open shadows, in the order of their places; NULL begins and ends. The pointer may
 * end with the next thing_open_shadow() unless it has a user. */
struct shadow *thing_next_shadow(struct thing *thing, const struct shadow *previous);

/* --- the programs that report (writers.h) --- */
struct policies;

/* Who a program is. Connections with the same name and user are the same program. Borrowed for the
 * call. */
struct writer_identity {
    const char *name; /* as it calls itself, may be empty; cut at FLUX_CLIENT_NAME_MAX */
    uint32_t uid;
    const char *unit; /* systemd unit, "" if unknown */
};

/* One more connection of a program; it is not gone, or not any more. Returns 0 and a borrowed
 * writer that lives until the matching thing_writer_close() at least, or -ENOMEM. Beyond
 * WRITERS_MAX programs all further ones are one, called "others". */
int thing_writer_open(struct thing *thing, const struct writer_identity *identity, int64_t now_ms,
                      struct writer **ret_writer);

/* A connection of the program has ended; `clean`: it said so. After its last one, unless it comes
 * back within GoneAfterMs, the program is gone: what it reported under OnExit=unset is removed,
 * and, where the last one did not end clean, its wills are reported. */
void thing_writer_close(struct thing *thing, struct writer *writer, bool clean, int64_t now_ms);

/* Keep a report for the time when the program is gone; it replaces the one kept for this shadow,
 * and `count` 0 drops that. Checked now as a report would be. Operations are copied. Returns
 * SHADOW_REPORT_QUEUED; SHADOW_REPORT_REFUSED with the refusal filled in, the old will being kept;
 * -ENOSPC (more than WILL_BYTES_MAX, or too much in all), -ENOMEM. */
int thing_writer_will(struct thing *thing, struct writer *writer, struct shadow *shadow,
                      const struct shadow_operation *operations, size_t count,
                      struct shadow_refusal *ret_refusal);

/* Put new policies per property (policies.h) in force, for what is held already too. Takes them
 * over, NULL: none. Returns 0 or -ENOMEM with the old ones in force and the new ones freed. */
int thing_set_policies(struct thing *thing, struct policies *policies, int64_t now_ms);

/* --- events of the link, in the order they happened --- */
void thing_link_up(struct thing *thing, int64_t now_ms);
void thing_link_down(struct thing *thing, int64_t now_ms);
/* A SUBSCRIBE was answered; `codes` has one MQTT reason code per filter (0x80 and above: refused).
 * A NULL `codes` means the request failed as a whole. */
void thing_subscribed(struct thing *thing, uint32_t request_id, const int *codes, size_t count,
                      int64_t now_ms);
/* An UNSUBSCRIBE was answered. */
void thing_unsubscribed(struct thing *thing, uint32_t request_id, int64_t now_ms);
/* A publish was acknowledged (code below 0x80), refused by the broker (0x80 and above) or failed
 * (negative). */
void thing_published(struct thing *thing, uint32_t request_id, int code, int64_t now_ms);
/* A message arrived. `topic` is NUL-terminated; payload need not be. Unknown topics are counted and
 * dropped. */
void thing_receive(struct thing *thing, const char *topic, const void *payload, size_t size,
                   int64_t now_ms);

/* --- what to send --- */
enum thing_request_kind { THING_SUBSCRIBE, THING_PUBLISH, THING_UNSUBSCRIBE };
#define THING_FILTERS_MAX 8 /* AWS IoT: at most 8 filters in a SUBSCRIBE */
struct thing_request {
    enum thing_request_kind kind;
    uint32_t id; /* comes back in thing_subscribed(), _unsubscribed() or thing_published() */
    /* subscribe, unsubscribe: */
    size_t filter_count;
    const char *filters[THING_FILTERS_MAX];
    int filter_qos[THING_FILTERS_MAX]; /* subscribe only */
    /* publish: */
    const char *topic;
    const char *payload;
    size_t payload_size;
    int qos;
};

/* Do what is due whether there is a link or not: values that expire, programs that are gone. Once a
 * turn, before thing_next_request(), which does it too. */
void thing_tick(struct thing *thing, int64_t now_ms);

/* Take the next request that is due and within budget. Everything in `ret_request` is borrowed
 * until the next call into the thing. Returns 1 and a request, 0 where nothing is due, or -ENOMEM.
 */
int thing_next_request(struct thing *thing, int64_t now_ms, struct thing_request *ret_request);

/* The time of the next deadline, INT64_MAX: none. */
int64_t thing_deadline(struct thing *thing, int64_t now_ms);

/* Tell whether so many requests went unanswered, with no other sign of life, that the link should
 * be dropped. */
bool thing_doubts_link(const struct thing *thing);

/* Tell whether all shadows are settled: nothing pending that could still be sent. */
bool thing_is_settled(const struct thing *thing);

/* The same, but for values that their MinIntervalMs holds back: a stop does not wait for these. */
bool thing_has_sent_all(const struct thing *thing);

/* A number that rises whenever a report of any program may have come to its end or been stored, so
 * that sessions need not be asked to look otherwise. */
uint64_t thing_outcome_count(const struct thing *thing);

/* Ask every shadow to send now (stop, flush). */
void thing_flush(struct thing *thing, int64_t now_ms);

/* --- disk before cloud (durable only) --- */
/* Tell whether a commit should begin without waiting for SyncIntervalMs: an update is ready and
 * waits only for what it carries to be on disk, or somebody asked for that (shadow_ask_stored()),
 * and no save under way holds it.
 * To be asked after thing_next_request(), which makes updates ready. */
bool thing_wants_save(const struct thing *thing);

/* Tell that the disk takes nothing (an error, a commit that is overdue), or takes it again:
 * meanwhile updates do not wait for commits. */
void thing_set_storage_trouble(struct thing *thing, bool in_trouble, int64_t now_ms);

/* --- what is kept on a disk (saved.h), where the thing is durable --- */
/* Saves come one after another: thing_begin_save(); thing_next_unsaved() until it has none, with
 * nothing else in between, so that the rows are those of one moment; and once they are on the disk,
 * or cannot be got there, thing_end_save(). What changes meanwhile belongs to the next save, which
 * may begin before this one has ended, so that it is ready when the disk is; not a third one. */
void thing_begin_save(struct thing *thing);
/* Nobody writes the newest save yet: have it take what has changed since, by thing_next_unsaved().
 */
void thing_extend_save(struct thing *thing);
/* Take the next row of that save: rows that say what the disk holds already are left out. Borrowed
 * until the next call into the thing. Returns false where there are no more. */
bool thing_next_unsaved(struct thing *thing, struct saved_row *ret_row);
/* Tell whether there was memory for all rows of that save; else the others are not to be written,
 * as they may be half of a report. */
bool thing_save_is_whole(const struct thing *thing);
/* The oldest save has ended. Stored: its reports are on the disk (shadow_stored_revision() rises).
 * Else its rows are unsaved again, as nobody knows what became of them, and so are those of the
 * save after it, which are not to be written any more. */
void thing_end_save(struct thing *thing, bool is_stored);
/* The newest save is not written: its rows are unsaved again. */
void thing_drop_save(struct thing *thing);
/* The disk holds nothing any more: every row is unsaved. Not while a save is under way. */
void thing_save_all(struct thing *thing);
/* Tell whether a save may have rows; whether there are reports, or wishes of the cloud, that are
 * not stored yet: what the cloud reports, and that it accepted something, is no reason for a save.
 */
bool thing_has_unsaved(const struct thing *thing);
bool thing_has_unsaved_reports(const struct thing *thing);

/* Outcomes of thing_restore(). */
#define THING_ORPHANED 1 /* not allowed any more, or no room: left on the disk, and not sent */
/* Take back a row that an earlier run has saved, in any order of rows; reports may have come before
 * (the disk was late): what they say wins. Text is copied. The rows are one after the other, with
 * nothing else in between, and then thing_restored(): until that nothing is decided. Returns 0,
 * THING_ORPHANED, -EINVAL (makes no sense: skipped), or -ENOMEM. */
int thing_restore(struct thing *thing, const struct saved_row *row, int64_t now_ms);
void thing_restored(struct thing *thing, int64_t now_ms);

/* --- what the operator should hear; the shell logs it --- */
enum thing_notice_kind {
    THING_NOTICE_SUBSCRIBED,     /* all filters granted */
    THING_NOTICE_FILTER_REFUSED, /* the broker refused a filter: text names it */
    THING_NOTICE_REFUSED,        /* a property was refused: path, code, text */
    THING_NOTICE_FOREIGN,    /* another writer changed a property that this device reported: path */
    THING_NOTICE_UNREADABLE, /* the cloud's document cannot be read: text says why */
    THING_NOTICE_READABLE,   /* and now it can again */
    THING_NOTICE_BACKOFF,    /* the service said 429, 500, 503, 401, 403: code, delay_ms */
    THING_NOTICE_DELETED,    /* the shadow was deleted in the cloud */
    THING_NOTICE_TIMEOUT,    /* a request went unanswered: text says which */
    THING_NOTICE_RIVALRY,    /* two programs alternate on a property: path, text names both */
    THING_NOTICE_GONE,       /* a program is gone: text says who, and what comes of it */
    THING_NOTICE_BAD_ANSWER, /* a message on an answer topic could not be understood: text */
    THING_NOTICE_BUDGET,     /* DailyOperations would not last: updates are spread; text, delay_ms
                                between two */
    THING_NOTICE_QUARANTINED, /* its requests drop the link: left alone for delay_ms; text */
    THING_NOTICE_RELEASED,    /* and now one went well */
    THING_NOTICE_CROWDED,     /* no subscription is left for this shadow: text */
};
const char *thing_notice_name(enum thing_notice_kind kind);
/* What it may be about, to put behind it: "; ...", or "". */
const char *thing_notice_hint(enum thing_notice_kind kind, int code);
struct thing_notice {
    enum thing_notice_kind kind;
    char thing_name[FLUX_THING_NAME_MAX + 1];   /* "": of no thing in particular */
    char shadow_name[FLUX_SHADOW_NAME_MAX + 1]; /* "" for the classic shadow */
    char path[256];                             /* may be cut, for display */
    char text[256];
    int code;
    int64_t delay_ms;
    uint64_t repeated; /* how many of the same kind were folded into this one */
};
/* The link leads to another cloud from now on: what is held of the one before proves nothing there.
 * Call it while the link is down. */
void thing_change_cloud(struct thing *thing);

/* Take the next notice. Returns false where there is none. Bounded: further ones of a kind fold
 * into one. */
bool thing_next_notice(struct thing *thing, struct thing_notice *ret_notice);

/* Why something was sent or came in. The names are those of status and metrics. */
enum thing_cause {
    THING_CAUSE_UPDATE,       /* an update with something new from the programs */
    THING_CAUSE_RESTORE,      /* an update that only sets back what others changed */
    THING_CAUSE_GET_CONNECT,  /* a get that proves the view after a connect, or of a new shadow */
    THING_CAUSE_GET_REFRESH,  /* a get after a long silence */
    THING_CAUSE_GET_CONFLICT, /* a get after a 409 */
    THING_CAUSE_GET_GAP,      /* a get for a version that was missed */
    THING_CAUSE_GET_DOUBT,    /* a get after a timeout, or what could not be understood */
    THING_CAUSE_SUBSCRIBE,    /* SUBSCRIBE and UNSUBSCRIBE: messages, not operations */
    THING_CAUSE_ANSWER,       /* in: answers to our requests */
    THING_CAUSE_FOREIGN,      /* in: what others did to our shadows, and deltas */
    THING_CAUSE_UNKNOWN,      /* in: for shadows that nobody opened, or not understood */
    THING_CAUSE_COUNT,
};
const char *thing_cause_name(enum thing_cause cause);
struct thing_traffic {
    uint64_t operations; /* shadow operations: updates and gets */
    uint64_t messages;   /* metered: SUBSCRIBE, UNSUBSCRIBE and PUBLISH */
    uint64_t bytes;      /* payload + topic, or filters */
};

/* Counters of the connection for status and metrics. */
struct thing_status {
    uint64_t operations;          /* shadow operations: updates + gets */
    uint64_t messages_out;        /* metered: SUBSCRIBE and PUBLISH */
    uint64_t messages_in;         /* metered: PUBLISH received */
    uint64_t bytes_out, bytes_in; /* payload + topic */
    uint64_t unknown_messages;
    uint64_t updates_uncommitted; /* sent before what they carry was on disk: a sick disk */
    bool subscribed;              /* every open shadow can be heard */
    struct thing_traffic causes[THING_CAUSE_COUNT];
    uint64_t daily_operations, daily_operations_max; /* of the last 24 hours; max 0: no limit */
    uint64_t daily_messages;  /* metered ones of the last 24 hours, in and out */
    int64_t daily_spacing_ms; /* time between two operations so that they last, 0: not needed */
    size_t shadows, shadows_max;
    size_t subscriptions, subscriptions_max; /* filters */
    size_t shadows_unheard;                  /* that wait for a subscription */
    size_t quarantined;                      /* shadows */
    size_t programs, programs_away;          /* known; with no connection, and not gone yet */
    size_t will_bytes;                       /* of all last wills */
};
void thing_get_status(const struct thing *thing, struct thing_status *ret_status);

#endif
