/* One device shadow: what the programs reported, what the cloud is known to hold, and what to send
 * next to bring the cloud in line. Pure: time, randomness and messages come in as arguments,
 * requests are pulled. Knows no sessions, no topics of other shadows, no disk. */
#ifndef FLUXAWS_SHADOW_SHADOW_H
#define FLUXAWS_SHADOW_SHADOW_H

#include "proto/json_writer.h"
#include "proto/limits.h"
#include "proto/property_set.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shadow;
struct path_filter; /* path_glob.h */
struct writer;      /* a program that reports; writers.h, thing_writer_open() */

/* How an operation of a report ended so far. A higher state implies the lower ones. */
enum shadow_fate_state {
    SHADOW_WAITING,  /* held; neither accepted nor refused yet */
    SHADOW_ACCEPTED, /* it, or a newer value of the same property, is in the cloud */
    SHADOW_REFUSED,  /* the shadow service refused it, or a value that had replaced it */
};

struct shadow_fate {
    enum shadow_fate_state state;
    int64_t version; /* accepted: the shadow's version, 0: there is no shadow, and none is needed */
    int code;        /* refused: the shadow service's code (400, 413, ...) */
    const char *text; /* refused: in words; borrowed until the next call into the shadow */
    const struct flux_property *property; /* refused: the property that was refused */
    bool deadband; /* accepted, because what the cloud holds is within the property's Deadband */
};

/* One operation of a report, with a canonical path. Text is borrowed for the call. */
struct shadow_operation {
    enum flux_operation kind;
    const char *path;
    size_t path_size;
    struct flux_value value; /* FLUX_VALUE_NONE for an unset */
};

struct shadow_report {
    const struct shadow_operation *operations; /* applied in order */
    size_t operation_count;
    int64_t set_us; /* CLOCK_BOOTTIME, microseconds: now, or the original set if `resent` */
    bool resent;    /* sent again after a lost connection: must not overtake newer operations */
    struct writer *writer; /* whose it is, borrowed for the call; NULL: nobody in particular */
};

/* What a report waits for: one per operation. The property is pinned until shadow_release(). */
struct shadow_wait {
    struct flux_property *property;
    uint64_t revision;
    bool is_settle; /* the property is not one of reported, but a wish that is to go */
};

/* Why a report was refused whole by the daemon's own check. */
struct shadow_refusal {
    int code; /* as the shadow service would answer: 400 malformed or too deep, 413 too large */
    char path[FLUX_PATH_BYTES_MAX + 1];
    char text[256];
};

/* Outcomes of shadow_report(). */
enum shadow_report_outcome {
    SHADOW_REPORT_QUEUED = 0,
    SHADOW_REPORT_REFUSED = 1, /* nothing of it was taken; the refusal says why */
};

/* Check a report and merge it into the newest state. `ret_waits` (may be NULL) holds
 * operation_count entries and is filled and pinned on SHADOW_REPORT_QUEUED; `ret_refusal` is filled
 * on SHADOW_REPORT_REFUSED. Returns an outcome above, or -ENOMEM: then nothing waits, but the
 * operations before the one that found no memory have been taken. */
int shadow_report(struct shadow *shadow, const struct shadow_report *report, int64_t now_ms,
                  struct shadow_wait *ret_waits, struct shadow_refusal *ret_refusal);

/* How many properties had to be looked at so far to check and merge reports, beyond those that the
 * reports name: what a fair share of a turn has to count. */
uint64_t shadow_effort(const struct shadow *shadow);

/* Tell how the operation behind `wait` stands now. */
struct shadow_fate shadow_fate(const struct shadow *shadow, const struct shadow_wait *wait);

/* Give up waiting: unpin the property. */
void shadow_release(struct shadow *shadow, struct shadow_wait *wait);

/* A number that changes whenever shadow_fate() may answer differently than before. */
uint64_t shadow_fate_serial(const struct shadow *shadow);

/* The newest revision given out, and the newest that is on disk (0 where storage is volatile). A
 * report is STORED when all its revisions are at or below the latter. */
uint64_t shadow_newest_revision(const struct shadow *shadow);
uint64_t shadow_stored_revision(const struct shadow *shadow);

/* All revisions up to the returned one have been accepted or refused. */
uint64_t shadow_settled_revision(const struct shadow *shadow);

/* Tell that all revisions up to `revision` are on disk now. */
void shadow_stored(struct shadow *shadow, uint64_t revision);

/* Durable: a report, or a flush, waits until all revisions up to `revision` are on disk; see
 * thing_wants_save(). One above the newest given out counts as that one. */
void shadow_ask_stored(struct shadow *shadow, uint64_t revision);

/* Ask that what is pending goes out as soon as the budget of early updates allows (fluxctl flush).
 */
void shadow_flush(struct shadow *shadow, int64_t now_ms);

/* Tell whether everything reported so far has been accepted or refused. */
bool shadow_is_settled(const struct shadow *shadow);

/* Drop what this device holds at and below `path` (empty: all) and leave the cloud alone: what the
 * cloud holds there counts as another writer's from now on. Reports that wait for something there
 * end as refused with SHADOW_CODE_FORGOTTEN. Returns 0, or -ENOENT: nothing of ours is there. */
int shadow_forget(struct shadow *shadow, const char *path, size_t path_size, int64_t now_ms);
#define SHADOW_CODE_FORGOTTEN 125 /* ECANCELED of Linux: the shadow service has no such code */

/* Begin to take everything that this device reported out of the cloud: each property becomes null;
 * what other writers put beside it stays. Returns 0 or -ENOMEM (some may be unset already). */
int shadow_reset(struct shadow *shadow, int64_t now_ms);
/* Tell whether the last reset is through: accepted by the cloud, and the local state emptied. */
bool shadow_is_reset(const struct shadow *shadow);

/* Sections of the document that shadow_write() knows. */
enum shadow_section { SHADOW_SECTION_REPORTED, SHADOW_SECTION_DESIRED, SHADOW_SECTION_DELTA };

/* Write what the daemon knows now of a section at and below `path` (empty: all) as one JSON value:
 * for reported, the programs' newest values over what the cloud holds; for desired, as the cloud is
 * known to hold it; for delta, the desired values that differ from that reported. Returns 0,
 * -ENOENT where nothing is there, or the writer's error. */
int shadow_write(const struct shadow *shadow, enum shadow_section section, const char *path,
                 size_t path_size, struct flux_json_writer *writer);

/* The same, of that what the filter has (NULL: all); objects around it are written as such. */
int shadow_write_shown(const struct shadow *shadow, enum shadow_section section, const char *path,
                       size_t path_size, const struct path_filter *filter,
                       struct flux_json_writer *writer);

/* Write where each property of ours at and below `path` (empty: all) that the filter has (NULL:
 * all) stands as one JSON array, an object a property; fluxctl(1) documents its fields. What only
 * the cloud holds is not in it. On -ENOENT (a path is given and nothing of ours is there) the array
 * is empty. Returns 0, -ENOENT, or the writer's error. */
int shadow_write_keys(struct shadow *shadow, const char *path, size_t path_size,
                      const struct path_filter *filter, int64_t now_ms,
                      struct flux_json_writer *writer);

/* Find something that a report's operation would set or remove, as far as is known now, and that
 * the filter lacks: the operation's own path; what stands below, where a value, an array or a
 * removal takes its place; a value above, which makes room for the object; of a settle the wishes.
 * Returns true and its path, cut to fit; false: there is none. */
bool shadow_find_denied(struct shadow *shadow, const struct shadow_operation *operation,
                        const struct path_filter *filter,
                        char ret_path[static FLUX_PATH_BYTES_MAX + 1]);
/* The same for shadow_forget() of a path, wishes that wait there to be settled included, and with
 * an empty one for shadow_reset(). */
bool shadow_find_denied_held(struct shadow *shadow, const char *path, size_t path_size,
                             const struct path_filter *filter,
                             char ret_path[static FLUX_PATH_BYTES_MAX + 1]);

/* --- what the cloud wishes --- */

/* A wish: a leaf of `desired` (a scalar, an array, `{}` with nothing below) that differs from the
 * reported value that shadow_write() shows, or that did when the watcher was told of it last. */
struct shadow_wish {
    const char *path; /* JSON Pointer, NUL-terminated; "" only with `value` NULL */
    size_t path_size;
    const struct flux_value *value; /* NULL: nothing at or below the path differs any more */
    int64_t version;                /* of the shadow that is known now, 0: none */
    bool stale;                     /* nothing of this connection has confirmed it yet */
};

/* Wishes that no longer differ are remembered for those who have not heard of it yet; beyond so
 * many the oldest go, and who was that slow is told everything anew. */
#define SHADOW_WISHES_ENDED_MAX 256u

/* What a watcher of one path has been told; zeroed: nothing yet. Its contents are the engine's. */
struct shadow_wish_cursor {
    uint64_t serial;    /* of the last news */
    uint64_t forgotten; /* of the newest end that was not remembered any more then */
    uint64_t told[(FLUX_PROPERTIES_MAX + SHADOW_WISHES_ENDED_MAX) / 64u]; /* a bit per wish */
};

/* Watchers keep the shadow followed and its wishes compared: each one needs to be taken away
 * again. A cursor is good as long as its watcher stands. */
void shadow_add_watcher(struct shadow *shadow);
void shadow_remove_watcher(struct shadow *shadow);

/* A number that changes whenever shadow_next_wish() may have news for a watcher. To be asked once a
 * turn: where reports or the cloud changed something, it compares. */
uint64_t shadow_wish_serial(struct shadow *shadow);

/* Take the next news for a watcher of `path` (empty: everything): what differs at or below the path
 * or covers it from above, in the order of the last changes. What a slow watcher has missed in
 * between is left out; what no longer differs is told, with `value` NULL, to those only who were
 * told that it did. Returns false where there is none now. The wish is borrowed until the next call
 * into the shadow. */
bool shadow_next_wish(struct shadow *shadow, const char *path, size_t path_size,
                      struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish);

/* Tell whether what shadow_next_wish() tells is all that differs: some connection of this run has
 * proved what the cloud wishes. Until then nothing told does not mean that nothing is wished.
 * `ret_version` gets the shadow's version, as a wish has it. */
bool shadow_knows_wishes(struct shadow *shadow, int64_t *ret_version);

/* Where the cloud's view stands; shadow_view_name() says it in words. */
enum shadow_view_state {
    SHADOW_VIEW_UNKNOWN,    /* this connection has not proved it */
    SHADOW_VIEW_PROVEN,     /* known as it is */
    SHADOW_VIEW_GAP,        /* a version is missing; waiting for it, then a get */
    SHADOW_VIEW_UNREADABLE, /* the cloud's document cannot be read; nothing is sent or claimed */
};
const char *shadow_view_name(enum shadow_view_state state);

/* Figures for status and metrics. */
struct shadow_status {
    const char *thing, *name; /* name: "" for the classic shadow; borrowed */
    enum shadow_view_state view;
    int64_t version; /* of the view held, -1: none */
    size_t properties, pending, in_flight, refused, cuts;
    size_t document_bytes, document_bytes_max; /* merged desired + reported */
    int64_t last_accepted_version;             /* of an update of ours, -1: none */
    int64_t last_accepted_ms;                  /* boot time, -1: none */
    int64_t oldest_pending_ms; /* boot time of the oldest value that waits for nothing but its turn,
                                  -1: none */
    int64_t blocked_until_ms;  /* backing off until, 0: not */
    int64_t quarantined_until_ms; /* its requests drop the link: left alone until, 0: never */
    bool heard;                   /* its answers are subscribed now */
    int last_code;                /* of a rejection since the last accepted update, 0: none */
    uint64_t updates_sent, updates_accepted, updates_rejected, updates_timed_out, gets_sent,
        conflicts;
    uint64_t updates_uncommitted; /* of those sent: went out before what they carry was on disk */
    uint64_t reports, operations, reports_refused, foreign_changes;
    uint64_t expired, exited; /* properties removed by ExpireSec; by OnExit=unset */
    size_t users, watchers;
};
/* Whose shadow it is, and which ("": the classic one). Live as long as the shadow. */
const char *shadow_thing_name(const struct shadow *shadow);
const char *shadow_name(const struct shadow *shadow);

/* How many values are reported that the cloud has not taken yet. */
size_t shadow_count_unsent(const struct shadow *shadow);
void shadow_get_status(const struct shadow *shadow, struct shadow_status *ret_status);
/* How full the document is, of MaxDocumentBytes; rounded down, so that 100 is full. */
size_t shadow_fill_percent(const struct shadow_status *status);

#endif
