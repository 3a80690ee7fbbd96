/* The insides of a shadow, for the files that make it up (shadow.c and shadow_*.c) and the thing
 * that drives it. Nobody else includes this. */
#ifndef FLUXAWS_SHADOW_SHADOW_PRIVATE_H
#define FLUXAWS_SHADOW_SHADOW_PRIVATE_H

#include "daemon/base/random.h"
#include "daemon/shadow/check.h"
#include "daemon/shadow/ledger.h"
#include "daemon/shadow/notices.h"
#include "daemon/shadow/pacing.h"
#include "daemon/shadow/settles.h"
#include "daemon/shadow/subscriptions.h"
#include "daemon/shadow/topics.h"
#include "daemon/shadow/update.h"
#include "daemon/shadow/view.h"
#include "daemon/shadow/wishes.h"
#include "daemon/shadow/writers.h"

/* Updates without an answer that are remembered; versioned ones leave as soon as the version has
 * moved on. */
#define UNSETTLED_MAX 8u
/* How long an update without a `version` may still arrive after it was given up. */
#define UNVERSIONED_MS 60000
/* How often to look while only an update without an answer keeps something from being settled. */
#define UNSETTLED_LOOK_MS 5000
/* A shadow with nothing to do is got at most so often across reconnects. */
#define IDLE_GET_MS 60000
/* AWS IoT keeps the version of a deleted shadow for 48 h and then begins anew: a version held for
 * longer may meanwhile be that of another document (Developer Guide, device-shadow-data-flow). */
#define VERSION_TRUSTED_MS (47 * INT64_C(3600000))
/* One that is watched has news to look for: it may be got so many times in a row before that. */
#define WATCHED_GETS 3u
/* Pause before a foreign change is set back: 1 s doubling to 1 h. */
#define RESTORE_MIN_MS 1000
#define RESTORE_MAX_MS 3600000
/* After so many conflicts in a row one update may leave `version` out. */
#define CONFLICTS_MAX 3u

/* What all shadows of a connection share; owned by the thing. */
struct connection {
    int64_t last_alive_ms; /* last sign of life */
    int64_t answer_ms;     /* smoothed time that answers take, 0: not known */
    unsigned unanswered;   /* requests timed out in a row without one */
    uint64_t instance_id;
    uint64_t token_count;
    struct random_source random;
    struct notices notices;
    struct thing_options options; /* `name` borrowed from the thing */
    struct writers writers;
    bool storage_trouble;         /* durable: updates do not wait for commits now */
    uint64_t updates_uncommitted; /* that went out before their commit */
    int64_t budget_ms;            /* when the connection's budgets let an update through */
    struct policies *policies;    /* owned; NULL: none */
    struct shadow *touched_first; /* see shadow_touch() */
};

enum shadow_link {
    SHADOW_OFFLINE,
    SHADOW_UNHEARD, /* the link is up; its answers are not subscribed (yet) */
    SHADOW_ONLINE,
};

enum shadow_request {
    SHADOW_REQUEST_NONE,
    SHADOW_REQUEST_UPDATE,
    SHADOW_REQUEST_GET,
    SHADOW_REQUEST_COUNT,
};

/* Why a get is wanted, beyond the state of the view. */
enum shadow_doubt {
    SHADOW_NO_DOUBT,
    SHADOW_DOUBT_CONFLICT, /* a 409: the newer accepted message may still come */
    SHADOW_DOUBT_ANSWER,   /* something went unanswered, or does not fit what is known */
};

/* What desired and reported were like when they were compared last. */
struct shadow_look {
    bool known;
    bool from_disk; /* what is desired was known from the disk alone */
    uint64_t revision, fate_serial, generation;
    size_t refused_count;
};

/* An update that is due and waits for the commit of what it carries. For the books it is on its way
 * (its entries are held) but for what begins with the sending: times, budgets, answers. */
struct prepared {
    bool is_there;
    struct update update;    /* without entries and wishes: only an answer waits for the commit */
    uint64_t revision;       /* goes when the disk holds all up to this one */
    uint64_t built_revision; /* the newest that there was when it was built */
    /* What it was built on. */
    enum shadow_view_state view_state;
    uint64_t generation;
    int64_t version;
    size_t unsettled_count;
    bool was_early; /* goes as an early one */
};

/* The text of desired that was saved last. */
struct shadow_saved_desired {
    uint64_t hash;
    int64_t version; /* since it is like that */
};

/* What a settle answers, until desired is there to be compared. */
struct shadow_kept_wishes {
    struct shadow_kept_wishes *next;
    size_t size;
    char text[];
};

/* An earlier run's rows on their way back. */
struct shadow_restore {
    bool is_begun;
    bool has_view;            /* this run has a view, which stays */
    bool is_doubtful;         /* what the rows say of the cloud may lack something */
    uint64_t memory_revision; /* the newest of the reports that were faster than the disk */
    uint64_t newest_revision; /* of the rows */
    struct saved_shadow row;  /* of the shadow, if `has_row` */
    bool has_row;
    struct shadow_kept_wishes *wishes; /* owned */
};

struct shadow {
    struct connection *connection;
    /* Where the thing keeps it, and who uses it. */
    struct shadow *bucket_next;
    size_t place;
    unsigned user_count;
    uint64_t closed_serial; /* when its last user left */
    struct shadow *touched_next;
    bool is_touched; /* in the connection's list */
    struct thing_group *group;
    struct listener listener;
    struct suspicion suspicions[SHADOW_REQUEST_COUNT]; /* by kind of request */
    enum shadow_request sent_kind;                     /* of the request with request_id */
    enum thing_cause sent_cause;

    char thing[FLUX_THING_NAME_MAX + 1];
    char name[FLUX_SHADOW_NAME_MAX + 1];
    struct ledger ledger;
    struct view view;
    struct check_size size;
    struct pacing pacing;
    struct settles settles;
    struct saves saves; /* idle where nothing is durable */
    struct shadow_saved_desired saved_desired;
    struct shadow_restore restore; /* while rows of an earlier run come in */

    enum shadow_link link;
    bool get_first;      /* not heard for a while: only a get proves the view */
    int64_t followed_ms; /* when the view was last known to be that of the cloud */
    uint32_t request_id; /* of the request in flight */

    enum shadow_request request;
    struct update update; /* in flight, while request is SHADOW_REQUEST_UPDATE */
    struct prepared prepared;
    struct update unsettled[UNSETTLED_MAX];
    size_t unsettled_count;
    char get_token[CLOUD_TOKEN_MAX + 1];
    int64_t get_sent_ms, last_get_ms; /* INT64_MIN: never */
    struct token_bucket idle_gets;    /* of a shadow that is watched and has nothing to send */
    uint64_t get_generation;
    bool get_outdated; /* the shadow was deleted while the get was on its way */

    enum shadow_doubt doubt; /* shadow_raise_doubt(), shadow_end_doubt() */
    int64_t doubt_at_ms;
    unsigned conflicts;    /* in a row */
    bool fit_wanted;       /* a 413: count again after the get */
    size_t suspects_limit; /* entries of the next update while there are suspects */
    int64_t last_heard_ms; /* last message of this shadow */
    uint64_t stored_revision;
    uint64_t deferred_revision; /* in the cloud, accepted once it is on disk; 0: none */
    uint64_t asked_revision;    /* up to which somebody waits for STORED */
    int64_t restored_ms;        /* when the rows of an earlier run were taken back, 0: never */
    uint64_t reset_revision; /* of a reset under way: it and all before have to settle; 0: none */
    struct shadow_status status; /* counters only */
    unsigned watcher_count;
    struct wishes wishes; /* up to date only while there are watchers */
    struct shadow_look look;
    int64_t wish_version;        /* the last one that wishes were told at */
    char topic[TOPIC_BYTES_MAX]; /* of the request handed out last */
    char get_payload[CLOUD_TOKEN_MAX + 32];
};

int shadow_new(struct shadow **ret_shadow, struct connection *connection, const char *thing,
               const char *name, int64_t now_ms);
struct shadow *shadow_free(struct shadow *shadow);

/* --- shadow_review.c: ours against the view --- */
/* Tell whether the view can be relied on now: proven, no gap, the link alive. */
bool shadow_is_known(const struct shadow *shadow, int64_t now_ms);
/* Hold everything of ours against the view: accept what is there, contest what is not. `recreate`:
 * the shadow is gone, so all of ours is to be sent again at once. */
void shadow_review(struct shadow *shadow, int64_t now_ms, bool recreate);
/* Set a value back after a pause, longer each time it has to be. */
void shadow_contest(struct shadow *shadow, struct flux_property *property, int64_t now_ms);
/* Hold what was just reported against the view. */
void shadow_review_fresh(struct shadow *shadow, int64_t now_ms);
/* An answer to a request of ours came after so long. */
void shadow_note_answer(struct shadow *shadow, int64_t took_ms);
/* Give up waiting for the request in flight: an update becomes unsettled. */
void shadow_give_up(struct shadow *shadow, int64_t now_ms);
void shadow_raise_doubt(struct shadow *shadow, enum shadow_doubt doubt, int64_t at_ms);
void shadow_end_doubt(struct shadow *shadow);
/* Until when something of ours is on its way, or may be: INT64_MAX while an answer is awaited,
 * INT64_MIN: nothing is. An update without an answer may lie around for good where nothing raises
 * the version; after this time its answer is not waited for any more. */
int64_t shadow_flies_until_ms(const struct shadow *shadow);
/* Forget unsettled updates that can no longer be applied. */
void shadow_expire_unsettled(struct shadow *shadow, int64_t now_ms);

/* --- shadow.c --- */
/* Something about the shadow has changed from outside: the thing has to look again at what is due
 * when. Every function by which others change a shadow calls this (reports, flushes, watchers,
 * policies, ...); what the thing itself calls (link, answers, shadow_tick()) need not. */
void shadow_touch(struct shadow *shadow);
/* Queue a notice about the shadow; `path` and `text` may be NULL. */
void shadow_notify(struct shadow *shadow, enum thing_notice_kind kind, const char *path, int code,
                   int64_t delay_ms, const char *text);
struct check_limits shadow_limits(const struct shadow *shadow);

/* --- shadow_settles.c --- */
/* Take an operation FLUX_SETTLE; `report_revision` is that of its report's first operation. Returns
 * 0 or -ENOMEM. */
int shadow_add_settle(struct shadow *shadow, const struct shadow_report *report,
                      const struct shadow_operation *op, uint64_t report_revision,
                      struct shadow_wait *ret_wait);
/* Tell how large desired will be after what waits and the report, and refuse the report if it
 * settles more than can be held. Returns an outcome of shadow_report(). */
int shadow_check_settles(struct shadow *shadow, const struct shadow_report *report,
                         size_t *ret_desired_bytes, struct shadow_refusal *ret_refusal);
/* The bytes of desired once all that waits to be settled is gone. */
size_t shadow_desired_bytes_left(struct shadow *shadow);
/* Drop what waits to be settled at and below a path. Returns how many. */
size_t shadow_forget_settles(struct shadow *shadow, const char *path, size_t path_size);
/* Tell whether the wish for a property of reported waits to be settled. */
bool shadow_is_settling(const struct shadow *shadow, const struct flux_property *property);
/* Tell whether a wish may be removed now: one whose values are held back has to wait for them. */
bool shadow_has_settle_to_send(const struct shadow *shadow);
/* Properties and wishes that wait. */
size_t shadow_pending_count(const struct shadow *shadow);
void shadow_review_settles(struct shadow *shadow, int64_t now_ms);
void shadow_refuse_settle(struct shadow *shadow, struct flux_property *node, uint64_t revision,
                          int code, const char *text);
/* A value was refused: the wishes that its report was to settle there stay. */
void shadow_refuse_settles_with(struct shadow *shadow, const struct flux_property *property,
                                uint64_t revision, int code, const char *text);
struct shadow_fate shadow_settle_fate(const struct shadow_wait *wait);

/* --- shadow_wishes.c --- */
/* Write SHADOW_SECTION_DELTA; changes nothing but scratch fields. */
int shadow_write_delta(struct shadow *shadow, const char *path, size_t path_size,
                       const struct path_filter *filter, struct flux_json_writer *writer);

/* Check a report as shadow_report() would, without taking it. */
int shadow_check_report(struct shadow *shadow, const struct shadow_report *report,
                        struct shadow_refusal *ret_refusal);

/* --- shadow_life.c: what policies and programs do to single values --- */
/* A program has reported the property. */
void shadow_life_reported(struct shadow *shadow, struct flux_property *property,
                          struct writer *writer, int64_t now_ms);
/* The property waits to be sent: hold it back or hurry, as its policy wants. */
void shadow_life_pending(struct shadow *shadow, struct flux_property *property, int64_t now_ms);
/* Tell whether a value that the cloud holds is to be sent again all the same (RefreshSec). */
bool shadow_life_wants_resend(const struct flux_property *property, int64_t now_ms);
/* The update goes out now; it was refused or given up, so that what it carried counts as not sent;
 * it was accepted after that all the same. */
void shadow_life_sent(struct update *update, int64_t now_ms);
void shadow_life_not_taken(struct update *update);
void shadow_life_taken_late(const struct update *update);
/* Handle what is due: values that expire, or need not be held back any more. */
void shadow_life_tick(struct shadow *shadow, int64_t now_ms);
/* Remove what the programs that are ending have reported under OnExit=unset. Returns false where
 * there was no memory for some of it: to be done again. */
bool shadow_life_exit(struct shadow *shadow);
/* Values have come back from the disk. */
void shadow_life_restored(struct shadow *shadow, int64_t now_ms);
/* The connection has new policies. */
void shadow_life_set_policies(struct shadow *shadow, int64_t now_ms);

/* --- shadow_follow.c: the cloud's view, in version order --- */
/* Bring an accepted update into the view, `ours` being the update it answers, or NULL. Takes the
 * message over where it came early. */
void shadow_follow(struct shadow *shadow, struct cloud_message *message, const struct update *ours,
                   int64_t now_ms);
/* Merge what had come early, then see whether a version is still missing. */
void shadow_catch_up(struct shadow *shadow, int64_t now_ms);
/* The view could not be held (-E2BIG, -ENOMEM): it is unreadable until a get. */
void shadow_view_failed(struct shadow *shadow, int error, int64_t now_ms);

/* --- shadow_saved.c: what is kept on a disk --- */
/* Say what a mark stands for. Text that is made for it lies in `text`. Returns 0 or -ENOMEM. */
int shadow_describe(struct shadow *shadow, const struct save_mark *mark,
                    struct flux_json_writer *text, struct saved_row *ret_row);
/* A save begins or takes more rows: all that is unsaved now belongs to it. */
void shadow_begin_save(struct shadow *shadow, unsigned save);
/* Returns 1 and a row, 0 where there are no more, or -ENOMEM. */
int shadow_next_unsaved(struct shadow *shadow, const struct save_order *order,
                        struct flux_json_writer *text, struct saved_row *ret_row);
/* The newest save is not on the disk, as far as is known. */
void shadow_drop_save(struct shadow *shadow, const struct save_order *order);
/* The oldest save is on the disk. */
void shadow_end_save(struct shadow *shadow, unsigned save);
void shadow_save_all(struct shadow *shadow);

/* --- shadow_restore.c: what an earlier run has kept --- */
/* Take a row of this shadow. Returns as thing_restore(). */
int shadow_restore(struct shadow *shadow, const struct saved_row *row, int64_t now_ms);
/* All rows have come. */
void shadow_restored(struct shadow *shadow, int64_t now_ms);
/* Free what waits for shadow_restored(). */
void shadow_clear_restore(struct shadow *shadow);

/* --- shadow_answers.c --- */
void shadow_receive(struct shadow *shadow, enum topic_kind kind, const void *payload, size_t size,
                    int64_t now_ms);
/* The request in flight was refused by the broker (an MQTT reason code), or could not be sent. */
void shadow_publish_failed(struct shadow *shadow, int code, int64_t now_ms);

/* --- shadow_refusals.c: answers by code --- */
/* The update in flight was refused with `code`; it is cleared. */
void shadow_update_refused(struct shadow *shadow, int code, const char *text, int64_t now_ms);
void shadow_get_refused(struct shadow *shadow, int code, const char *text, int64_t now_ms);
/* After a 413 and a get: refuse by our count, largest growth first, or halve. */
void shadow_fit(struct shadow *shadow);
/* Start or go on with finding the offender among the suspects. */
void shadow_narrow_suspects(struct shadow *shadow);

/* --- shadow_forget.c --- */
/* Empty the local state if a reset has come through. */
void shadow_finish_reset(struct shadow *shadow);

/* --- shadow_link.c, shadow_requests.c --- */
void shadow_link_up(struct shadow *shadow, int64_t now_ms);
void shadow_link_down(struct shadow *shadow, int64_t now_ms);
/* Its answers arrive from now on, or do so no more. */
void shadow_hear(struct shadow *shadow);
void shadow_unhear(struct shadow *shadow, int64_t now_ms);
/* Until when it may send nothing although it has something to send: backing off, or in quarantine.
 */
int64_t shadow_blocked_ms(const struct shadow *shadow);
/* Until when a kind of its requests, or its subscription, is in quarantine; may be past. */
int64_t shadow_quarantine_ms(const struct shadow *shadow);
/* The time at which shadow_next_request() has something, INT64_MAX: never as things stand.
 * `ret_is_get` tells whether that is a get. */
int64_t shadow_request_ms(struct shadow *shadow, int64_t now_ms, bool *ret_is_get);
/* Take the request that is due. Returns 1, 0 where nothing is due, -ENOMEM. */
int shadow_next_request(struct shadow *shadow, int64_t now_ms, struct thing_request *ret_request);
/* Handle what is overdue: answers, pauses. */
void shadow_tick(struct shadow *shadow, int64_t now_ms);
/* The next time that shadow_tick() will matter. */
int64_t shadow_tick_ms(struct shadow *shadow);
/* Tell whether something waits that could be sent (after its commit, where that comes first). */
bool shadow_has_work(const struct shadow *shadow);

/* --- shadow_prepared.c: the next update --- */
void shadow_make_token(struct shadow *shadow, char ret_token[static CLOUD_TOKEN_MAX + 1]);
/* Hand out the update that is due: the one that was prepared, its commit being there, or a new one.
 * Returns 1; 0 where it has to wait for its commit first, or where there is nothing; -ENOMEM. */
int shadow_make_update(struct shadow *shadow, int64_t now_ms, struct thing_request *request);
/* Tell whether there is a prepared update and what it was built on stands. */
bool shadow_prepared_is_current(const struct shadow *shadow);
/* Tell whether the disk holds what the prepared update carries. */
bool shadow_prepared_is_stored(const struct shadow *shadow);
bool shadow_prepared_is_empty(const struct shadow *shadow);
/* Drop the prepared update if what it was built on has moved. */
void shadow_check_prepared(struct shadow *shadow);
/* Drop it in any case, as if it had not been built; the next one takes its place when it is due. */
void shadow_drop_prepared(struct shadow *shadow);
/* A save begins: a prepared update that waits for it is to carry just what it holds. Until then
 * what was reported after the update was built can still get into it. */
void shadow_renew_prepared(struct shadow *shadow);
/* Storage has come into trouble or out of it. */
void shadow_storage_changed(struct shadow *shadow);
bool shadow_wants_save(const struct shadow *shadow);
/* Tell whether a value that the cloud is known to hold may be accepted now. Else it waits for its
 * commit: what the disk holds there would set the cloud back after a crash. */
bool shadow_may_accept_unsent(struct shadow *shadow, const struct flux_property *property);

#endif
