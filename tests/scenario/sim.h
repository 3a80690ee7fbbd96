/* A virtual world around one daemon and its shadows: a clock, a random generator, the shadow
 * service as the cloud and a link between both that delays, loses, duplicates and reorders.
 * Everything the engine says is judged by the oracle (oracle.h) while it happens. Does not sleep,
 * open or read anything.
 *
 * The first broken rule is kept in `failure` and ends the run; sim_run() then does nothing more. */
#ifndef FLUX_TESTS_SCENARIO_SIM_H
#define FLUX_TESTS_SCENARIO_SIM_H

#include "daemon/shadow/shadow.h"
#include "daemon/shadow/thing.h"
#include "tests/sandbox/shadow_service.h"
#include "tests/scenario/doc.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define SIM_THING   "sim"
#define SIM_PREFIX  "$aws/things/" SIM_THING "/shadow/"
#define SIM_FILTERS 512u
#define SIM_NOTICES 48u
#define SIM_SECOND  INT64_C(1000)
#define SIM_MINUTE  (60 * SIM_SECOND)
#define SIM_HOUR    (60 * SIM_MINUTE)
#define SIM_UNIX_MS INT64_C(1700000000000) /* what the cloud's clock says at virtual time 0 */

/* What the link does to messages; percentages of 0-100. */
struct sim_faults {
    unsigned lose_requests, lose_answers;
    unsigned repeat_requests, repeat_answers;
    unsigned refuse_requests;           /* the broker or the link says no to a publish */
    int64_t delay_min_ms, delay_max_ms; /* one way, each message for itself: so they overtake */
    int64_t zombie_max_ms; /* a request in flight at a cut may still arrive, so much later */
};

struct sim_options {
    struct thing_options thing; /* name, ids and seed are filled in by sim_new() */
    struct shadow_service_options cloud;
    struct sim_faults faults;
    uint64_t seed;
    int64_t commit_ms;        /* durable: how long a commit takes */
    int64_t sync_interval_ms; /* durable: when nothing else asks for a commit */
    int64_t redial_ms;        /* how long the link is away after the engine doubted it */
    FILE *trace;              /* where to print what happens; NULL: nowhere */
};

/* One version of the shadow, as the oracle saw it come to be. */
struct sim_version {
    int64_t version, at_ms;
    json_t *reported; /* owned; {} where absent */
    json_t *marks;    /* owned; same shape, each leaf the index in the history of its writer */
    json_t *desired, *desired_marks;   /* owned; the same for `desired` */
    json_t *phantom, *phantom_desired; /* owned; NULL: none. See oracle_phantom.c */
    unsigned era;                      /* how many shadows there had been when it came to be */
    bool exists;
    bool ours;        /* an update of the engine */
    bool versionless; /* of the engine and without `version` */
};

/* What a program waits for, and so sends again when the daemon did not say so before its end. */
enum sim_level { SIM_QUEUED, SIM_STORED, SIM_ACCEPTED };

/* What the reports made of the shadow up to one of them. */
/* What a commit holds of a shadow. */
struct sim_commit {
    json_t *model; /* NULL: there was none, or the shadow was not open */
    uint64_t revision;
    size_t ops, settles;
};

struct sim_moment {
    json_t *model; /* owned */
    size_t ops;    /* so many */
};

/* One operation of a report, and how it was answered. */
struct sim_op {
    enum flux_operation kind;
    char *path;    /* owned */
    json_t *value; /* owned; NULL for an unset */
    int64_t set_us;
    size_t report; /* operations of one report share it */
    bool resent, superseded;
    struct shadow_wait wait;
    bool waiting; /* the wait is held and not yet answered */
    bool seen;    /* it was waiting when last looked at */
    enum shadow_fate_state fate;
    int64_t version; /* accepted at */
    size_t index;    /* accepted: that version's place in the history */
    size_t born;     /* the newest version of the history when it was received */
    size_t ended_by; /* the operation that replaced or removed its value, SIZE_MAX: none */
    unsigned instance;
    int program; /* who reported it, from 1; 0: nobody in particular */
    enum sim_level level;
    bool stored;     /* the engine said so */
    bool lost;       /* with a daemon that ended: it counts no more */
    bool restored;   /* it is from before this daemon's start */
    bool pending;    /* and waited to be sent then */
    int64_t life_us; /* when its time began to run for this daemon */
    int code;
    char refused_path[128];
};

/* A program settled what was desired at a path. */
struct sim_settle {
    char *path; /* owned */
    int64_t set_us;
    size_t report;
    size_t born;   /* the newest version of the history when it was received */
    bool informed; /* the engine had heard of that version */
    bool waiting;
    bool lost, restored; /* as of operations */
    unsigned instance;
    struct shadow_wait wait;
    enum shadow_fate_state fate;
};

/* A deletion that the engine may not have noticed; see oracle_phantom.c. */
struct sim_unseen {
    int64_t version; /* of the document that was deleted, 0: there is nothing to notice */
    int64_t told;    /* the newest version above it that the engine was told of, 0: none */
    int64_t at_ms;
    size_t index; /* its place in the history */
};

struct sim_event;
struct sim_watcher;
struct sim_program;

/* A request without an answer. */
struct sim_flight {
    struct sim *sim;
    uint32_t request_id;
    bool is_get;
    int64_t sent_ms;
    char token[72];
};

/* What a request costs in messages, both ways. */
struct sim_charge {
    int64_t at_ms;
    unsigned messages;
};

/* What one shadow of the world is, has been and was told: the cloud's side, the programs' side and
 * what the oracle counts. The first one also holds what all share, and stands for the world where a
 * function is about the link, the time or the daemon. */
struct sim {
    struct sim *net;  /* the first one */
    struct sim *next; /* the others follow it */

    /* --- shared: of the first one only --- */
    struct sim_options options;
    int64_t now_ms;
    int64_t last_us; /* the newest CLOCK_BOOTTIME given out */
    uint64_t random;
    struct thing *thing;
    struct shadow_service *cloud;
    char failure[2048]; /* "" while all is well */

    /* the link */
    bool up;
    unsigned connection;        /* counts link-ups; messages belong to one */
    char *filters[SIM_FILTERS]; /* granted on this connection, owned */
    size_t filter_count;
    size_t filters_most;        /* that were granted or asked for at a time */
    int64_t subscribed_ms;      /* when the last (UN)SUBSCRIBE arrives at the broker */
    int suback_code;            /* given to every filter; 0: granted */
    const char *refused_filter; /* filters that contain this are refused; NULL: none */
    unsigned drop_requests;     /* lose the next so many publishes of the engine */
    unsigned drop_answers;      /* lose the next so many messages to the engine */
    int64_t hold_request_ms;    /* one-shot: the next publish takes so long */
    const char *mangle_get;     /* one-shot: told in place of the next answer to a get of the first
                                   shadow; %s: the token */
    const char *poisoned;       /* a publish that contains this drops the link; NULL: none */
    int64_t hold_answer_ms;     /* one-shot: the next message to the engine takes so long */
    struct sim_event *events;
    size_t event_count, event_capacity;
    uint64_t event_serial;
    size_t spins; /* turns in a row without progress of the clock */
    size_t turns;
    bool asleep; /* the daemon's turns are put off: sim_turn() does nothing */
    size_t links, notices[SIM_NOTICES];
    int64_t last_in_ms; /* when the engine last heard from the cloud */
    unsigned instance;  /* counts the daemon's restarts */

    struct sim_store *store;      /* owned; sim_store.h */
    enum sim_level level;         /* of the reports from here on */
    unsigned keep_waits;          /* percent of the waits that are held on to */
    bool careless;                /* reports are not recorded: only the budgets are judged */
    struct writer *writer;        /* who reports from here on; NULL: nobody in particular */
    struct sim_program *programs; /* owned; sim_programs.h, NULL: none that come and go */
    uint64_t away_serial;         /* counts programs that went */
    int program;                  /* the number of who reports, from 1; 0: nobody */
    bool quiet;                   /* all is settled: only what is vague may still be sent */
    bool allow_refusals;          /* a whole report may be refused by the local checks */

    /* the budgets of the connection */
    struct sim_flight *flights; /* requests without an answer on this connection */
    size_t flight_count, flight_capacity;
    struct sim_charge *charges; /* of the last second */
    size_t charge_count, charge_capacity;
    size_t operations, messages; /* sent so far */

    /* --- of one shadow --- */
    char thing_name[129], shadow_name[65]; /* "": the classic one */
    char prefix[256];                      /* of its topics, up to "shadow/" or "name/NAME/" */
    struct shadow *shadow;

    /* durable: what the last commit holds, the one under way, and the one behind it */
    uint64_t stored_revision;
    size_t stored_ops, stored_settles;
    json_t *stored_model;
    struct sim_commit commit, next_commit;
    struct sim_moment *moments; /* since the last update, oldest first */
    size_t moment_count, moment_capacity;
    bool heard_gone;    /* this daemon was told that there is no shadow, be it late */
    size_t restored_at; /* the newest version of the history when this daemon began */

    /* oracle */
    struct sim_version *history; /* [0] is "nothing yet" */
    size_t history_count, history_capacity;
    struct sim_op *ops;
    size_t op_count, op_capacity, report_count;
    size_t *waiting; /* indices of ops */
    size_t waiting_count, waiting_capacity;
    size_t *kept; /* indices of ops */
    size_t kept_count, kept_capacity;
    uint64_t serial; /* of the fates last seen */
    bool serial_known;
    struct sim_settle *settles;
    size_t settle_count, settle_capacity;
    struct sim_watcher *watchers; /* sim_watch.h */
    unsigned era;                 /* counts deletions: versions begin anew */
    int64_t heard_version;        /* the newest the engine was told of on this connection */
    struct sim_unseen unseen;
    json_t *model; /* what the reports of this instance make, one by one */
    char **vague;  /* paths for which more than one end is right */
    size_t vague_count;

    /* what was sent */
    json_t *tokens;         /* set of all clientTokens of updates */
    char flight_token[128]; /* the last update */
    char get_token[128];    /* the last get */
    bool flight_open;       /* not answered yet, on this connection */
    int64_t flight_at_ms, get_at_ms;
    bool get_outdated;     /* the shadow was deleted while the get was on its way */
    size_t flight_gets;    /* gets answered since it was sent */
    bool may_omit_version; /* the cloud said on this connection that there is no shadow */
    unsigned conflicts;    /* 409s in a row */
    int64_t early_ms;      /* when the last urgent update went early */
    double bucket;
    int64_t bucket_ms;
    unsigned flushes;
    int64_t request_times[20];
    size_t request_count;
    size_t updates, gets, versionless_updates;
    json_t *last_update; /* owned: the last update's whole payload */
    char *last_text;     /* owned: its bytes */
};

/* The defaults of the contract with quick figures for tests: IntervalMs 1000, Burst 5, 10 ms one
 * way, no faults. */
void sim_options_init(struct sim_options *ret_options, uint64_t seed);

/* Make the world; the link is down, the shadow does not exist. Dies when out of memory. */
struct sim *sim_new(const struct sim_options *options);
/* Open one more shadow; NULL: the own thing, the classic shadow. Freed with the first one. Dies if
 * the engine refuses. */
struct sim *sim_open(struct sim *sim, const char *thing, const char *shadow);
/* Find the shadow that a topic belongs to, or NULL. */
struct sim *sim_find(struct sim *sim, const char *topic);
/* A program asks for all that waits to go early (every shadow). */
void sim_flush(struct sim *sim);
struct sim *sim_free(struct sim *sim);

/* Note that a rule was broken (the first one counts). */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Print a line about what happens, where asked for. */
void sim_trace(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define sim_is_broken(sim) ((sim)->net->failure[0] != '\0')

/* A random number below `limit` (> 0). */
uint64_t sim_random(struct sim *sim, uint64_t limit);
bool sim_chance(struct sim *sim, unsigned percent);

/* --- the world's events; each also lets the engine have its turn --- */
void sim_link_up(struct sim *sim);
void sim_link_down(struct sim *sim);
/* A cloud application publishes this update now. Returns the version it made, 0 if rejected. */
int64_t sim_foreign(struct sim *sim, const char *payload);
/* A cloud application deletes the shadow now. */
void sim_delete(struct sim *sim);
/* The cloud forgets that there ever was a shadow: as 48 hours after a deletion. */
void sim_forget(struct sim *sim);
/* Put a shadow in place before the first connection. */
void sim_seed(struct sim *sim, const char *document, int64_t version);
/* Hand the engine a message as if it came from the cloud; `topic` without "$aws/.../shadow/". */
void sim_inject(struct sim *sim, const char *topic, const char *payload);
/* Let `ms` pass. */
void sim_run(struct sim *sim, int64_t ms);
void sim_turn(struct sim *sim);
/* End the daemon and start a new one, which knows what is on the disk, if there is one; what was
 * not answered is sent again by the programs that are still there. */
enum sim_end {
    SIM_KILLED,    /* in the middle of whatever it did */
    SIM_STOPPED,   /* it wrote all that it knew before */
    SIM_POWER_CUT, /* the whole machine: programs begin anew, too */
};
void sim_restart(struct sim *sim);
void sim_restart_after(struct sim *sim, enum sim_end end);

/* --- reports --- */
struct sim_operation {
    const char *path;
    const char *json; /* NULL: unset; SIM_SETTLE: settle what is desired there */
};
extern const char sim_settle_mark[];
#define SIM_SETTLE sim_settle_mark
/* Send one report. Returns the index of its first operation in ops[], or SIZE_MAX if refused whole.
 */
size_t sim_report(struct sim *sim, const struct sim_operation *operations, size_t count);
size_t sim_set(struct sim *sim, const char *path, const char *json);
size_t sim_unset(struct sim *sim, const char *path);
/* Report a value (NULL: none) and settle what is desired there. Returns the place in settles[]. */
size_t sim_settle(struct sim *sim, const char *path, const char *json);
/* The same, sent again by a client that lost its connection: first made at `set_us`. */
size_t sim_resend(struct sim *sim, const char *path, const char *json, int64_t set_us);
size_t sim_resend_all(struct sim *sim, const struct sim_operation *operations, size_t count,
                      int64_t set_us);
/* Send a whole report of the past again. */
void sim_resend_report(struct sim *sim, size_t report);
/* A CLOCK_BOOTTIME for an operation that will be sent later. */
int64_t sim_take_us(struct sim *sim);
/* Send any struct shadow_report without recording it; returns what shadow_report() did. */
int sim_report_raw(struct sim *sim, const struct shadow_operation *operations, size_t count,
                   struct shadow_refusal *ret_refusal);

/* --- asking --- */
/* The cloud's `reported` ({} where absent); borrowed until the next request. */
const json_t *sim_reported(struct sim *sim);
int64_t sim_version_now(struct sim *sim);
struct shadow_status sim_status(struct sim *sim);

#endif
