/* The books of one shadow: per property what the cloud is known to hold, what of ours waits, and
 * how each revision ended. Decides nothing about when or what to send; knows no messages and no
 * time but what it is told. */
#ifndef FLUXAWS_SHADOW_LEDGER_H
#define FLUXAWS_SHADOW_LEDGER_H

#include "daemon/shadow/policies.h"
#include "daemon/shadow/rate.h"
#include "daemon/shadow/rivalry.h"
#include "daemon/shadow/saves.h"
#include "daemon/shadow/timers.h"
#include "proto/property_set.h"

struct writer;

/* Properties kept in memory, empty ones that remember the time of a removal included. */
#define LEDGER_NODES_KEPT 6144u

/* Where the property's newest operation stands. */
enum slot_state {
    SLOT_EMPTY,     /* nothing of ours here */
    SLOT_PENDING,   /* waits to be sent, or is in flight */
    SLOT_SETTLED,   /* the cloud accepted our value and holds it */
    SLOT_CONTESTED, /* accepted, then changed by another writer: set back after a pause */
    SLOT_REFUSED,   /* refused; kept to be seen, left out of every difference */
};

const char *slot_state_name(enum slot_state state);

/* The extension of every property in a ledger's set. */
struct slot {
    /* --- what every report looks at --- */
    enum slot_state state;
    bool fresh;            /* in the queue of properties to hold against the view */
    bool cuts_scalar_only; /* the cut here takes away a scalar, but no object */
    bool suspect;          /* was in an update that the service refused as a whole */
    bool policy_known;     /* `policy` has been looked up */
    bool from_disk;        /* of an earlier run, and not reported since */
    bool going;            /* forgotten; kept until the disk has no row of it any more */
    struct save_mark save; /* whether the disk holds its row as it is */
    /* The property whose set turned our scalar here into a cut. Pinned. */
    struct flux_property *cut_cause;
    struct flux_property *fresh_next; /* the next of those that are fresh */
    /* How revisions ended: a lower bound of those that have not; those up to `settled` have; of
     * these, those above `refused_above` up to `refused` ended refused. */
    uint64_t oldest_revision, settled_revision;
    /* The last operation that took our value here away; the last one here that replaced or removed
     * all below. */
    uint64_t removed_revision, clearing_revision;
    struct writer *writer;       /* reported it last; held (writers.h) */
    struct rate reports;         /* of it a minute */
    const struct policy *policy; /* borrowed from the connection's; NULL: none, or not known yet */
    uint32_t timer_place;        /* in ledger.timers, 0: no deadline */
    uint32_t unsettled_count;    /* updates without an answer that name this property */
    uint32_t unsettled_below;    /* sum of the former over all properties below */
    /* The form in which the service stored our accepted value, if not as sent. Owned. */
    struct flux_value form;

    /* --- what sending and answers are about --- */
    /* What the cloud holds in `reported`: NONE absent, EMPTY_OBJECT any object. Owned. */
    struct flux_value cloud;
    /* Neighbours in the queue of the state, if it has one. */
    struct flux_property *queue_previous, *queue_next;
    uint64_t refused_above, refused_revision;
    /* The version at which the newest settled ones were accepted (0: there was no shadow), and the
     * one of those up to `earlier_revision`. */
    int64_t accepted_version, earlier_version;
    uint64_t earlier_revision;
    int64_t restore_at_ms, restore_delay_ms, restored_ms;
    size_t refused_lacking; /* 413: bytes by which the document was too large, 0: another reason */
    size_t refused_total;   /* 413: bytes of the document without this value, when it was refused */
    int refused_code;
    char *refused_text; /* owned */

    /* --- what programs and policies are about --- */
    struct rivalry *rivalry; /* owned; once the writer has changed */
    int64_t sent_ms;         /* when an update last carried it, 0: never */
    int64_t confirmed_ms;    /* when the cloud took the copy that it holds, 0: not known */
    /* Revisions above the former up to the latter ended because the cloud's number is close. */
    uint64_t close_above, close_revision;
    /* Durable storage: the value that the row says which was given last (of a text, only size and a
     * hash), NONE: none, or one that was refused; and the save that it was given to. */
    struct flux_value row_value;
    uint64_t row_save;
    bool held;   /* pending, but MinIntervalMs is not over */
    bool resend; /* pending, to be sent although the cloud holds it: RefreshSec */

    /* --- scratch of one walk --- */
    bool covered, present, emit_null, emit_value, emit_below, in_flight;
    size_t walk_bytes, walk_children;
};

struct ledger_queue {
    struct flux_property *first, *last;
    size_t count;
};

struct ledger {
    struct flux_property_set set;
    struct ledger_queue pending, contested; /* in the order they came in: oldest first */
    struct flux_property *fresh_first; /* just reported, not yet held against the cloud's view */
    uint64_t newest_revision;
    uint64_t fate_serial;        /* rises whenever a revision may have ended */
    uint64_t forgotten_revision; /* removals up to it are not remembered any more */
    uint64_t settled_revision;   /* while `settled_known`: see ledger_settled_revision() */
    bool settled_known;          /* nothing has ended or left the pending since it was counted */
    size_t refused_count;
    size_t held_count;    /* of the pending */
    struct timers timers; /* of properties that are not SLOT_EMPTY */
    size_t crowded_above; /* nodes; see ledger_is_crowded() */
    uint64_t save_count;  /* saves that have succeeded */
    uint64_t effort;      /* properties below those of operations that had to be looked at so far */
    struct saves *saves;  /* borrowed; NULL: nothing is saved */
    size_t going_count;   /* nodes that are only kept until their row is gone */
};

/* How one revision ended. */
enum ledger_fate { LEDGER_WAITING, LEDGER_ACCEPTED, LEDGER_REFUSED };

static inline struct slot *slot_of(const struct flux_property *property)
{
    return (struct slot *)(void *)property->extension;
}

int ledger_init(struct ledger *ledger, uint64_t hash_seed);
void ledger_clear(struct ledger *ledger);

/* Apply a checked operation of a program under a new revision; the property becomes pending and
 * fresh. Returns as flux_property_set_apply(). */
int ledger_apply(struct ledger *ledger, enum flux_operation kind, const char *path,
                 size_t path_size, const struct flux_value *value, int64_t set_us,
                 struct flux_property **ret_property);

/* What the property's row says may have changed. */
static inline void ledger_mark(struct ledger *ledger, struct flux_property *property)
{
    saves_mark(ledger->saves, &slot_of(property)->save, SAVED_PROPERTY);
}

/* The disk has no row of the property any more. */
void ledger_row_is_gone(struct ledger *ledger, struct flux_property *property);

/* Tell whether the property has a value that counts: present and not refused. */
bool ledger_has_value(const struct flux_property *property);

/* Tell whether a value of ours that counts stands at or below the property. */
bool ledger_has_value_below(const struct flux_property *property);

/* Tell whether the cloud holds what we want here: value and cut. */
bool ledger_is_in_cloud(const struct flux_property *property);

/* Tell whether the cloud holds the property's value, or a number within its Deadband; there being
 * none counts as held. */
bool ledger_value_is_in_cloud(const struct flux_property *property);

/* Tell whether the cloud holds another number, but one within the property's Deadband. */
bool ledger_value_is_close(const struct flux_property *property);

/* Hold a pending property back from updates, or let it go again. */
void ledger_set_held(struct ledger *ledger, struct flux_property *property, bool held);

/* Let `writer` (may be NULL) be the one who reported the property last. */
void ledger_set_writer(struct flux_property *property, struct writer *writer);

/* Let a pending property be held against the view again. */
void ledger_look_again(struct ledger *ledger, struct flux_property *property);

/* Take the next fresh property, or NULL. */
struct flux_property *ledger_next_fresh(struct ledger *ledger);

/* Tell whether a cut, here or above, has a say in what the cloud may hold below the property. */
bool ledger_is_cut(const struct flux_property *property);

/* Tell whether the property has a cut, or one above it has. */
bool ledger_is_part_of_cut(const struct flux_property *property);

/* What a walk over a cut is for. */
enum ledger_cut_mode {
    LEDGER_CUT_COUNT,        /* count what is left to do */
    LEDGER_CUT_MARK,         /* and mark, by emit_null, the cloud's keys that have to go */
    LEDGER_CUT_AFTER_UPDATE, /* count what will be left after the update that is marked now */
};

/* Look at what the property's cut still has to remove. Returns how many things are left to do, 0:
 * the cut has done its work. */
size_t ledger_mark_cut(struct flux_property *property, enum ledger_cut_mode mode);

/* Tell whether the cuts that the property's newest operation made, here or of a scalar above, have
 * done their work (LEDGER_CUT_AFTER_UPDATE: will have done it with the update that is marked now).
 */
bool ledger_is_cut_done(const struct flux_property *property, enum ledger_cut_mode mode);

/* --- ledger_disk.c: what a crash would leave --- */
/* The property's row, as the property is now, is given to a save that has `ahead` others to wait
 * for, or was read from the disk. */
void ledger_note_row(struct ledger *ledger, struct flux_property *property, unsigned ahead);
void ledger_note_stored_row(struct ledger *ledger, struct flux_property *property);
/* What the property's row says is not known. */
void ledger_forget_row(struct flux_property *property);
/* The oldest save has succeeded; one that has not gives all its rows again. */
void ledger_note_saved(struct ledger *ledger);
/* Tell whether after a crash the disk would make of the property what it holds now: the same value,
 * or one within the Deadband of the cloud's; nothing at and below it where it holds none.
 * `stored_revision`: all up to it is on the disk. */
bool ledger_is_on_disk(const struct ledger *ledger, const struct flux_property *property,
                       uint64_t stored_revision);

/* Tell whether two values are numbers that count as the same under the property's Deadband. */
bool ledger_is_within_deadband(const struct flux_property *property, const struct flux_value *a,
                               const struct flux_value *b);

/* Tell whether an update without an answer names the property, an ancestor or something below it.
 */
bool ledger_is_unsettled(const struct flux_property *property);

/* Note, or forget, that an update without an answer names the property. */
void ledger_hold(struct flux_property *property);
void ledger_unhold(struct flux_property *property);

/* The newest revision of what the property holds, its cut included. */
uint64_t ledger_newest(const struct flux_property *property);

/* The property's revisions up to `revision` are in the cloud, at `version`. */
void ledger_accept(struct ledger *ledger, struct flux_property *property, uint64_t revision,
                   int64_t version);

/* The property's revisions up to `revision` were refused. Size is no matter of the ledger: for a
 * 413 the caller sets refused_lacking and refused_total afterwards. */
void ledger_refuse(struct ledger *ledger, struct flux_property *property, uint64_t revision,
                   int code, const char *text);

/* An update of ours that carried the property's `revision` was applied only after a newer one:
 * remove again what was removed since. Returns as flux_property_set_apply(). */
int ledger_reassert(struct ledger *ledger, struct flux_property *property, uint64_t revision);

/* Drop what is ours at the property, value and cut, and leave the cloud alone. What waited ends as
 * refused with `code`. */
void ledger_forget(struct ledger *ledger, struct flux_property *property, int code,
                   const char *text);

/* A refused value gets another chance: it becomes pending. */
void ledger_retry(struct ledger *ledger, struct flux_property *property);

/* Drop the property's cut: it is done, replaced or refused. */
void ledger_drop_cut(struct ledger *ledger, struct flux_property *property);

/* Move a property between the queues, or out of them (SLOT_SETTLED and the like have none). */
void ledger_set_state(struct ledger *ledger, struct flux_property *property, enum slot_state state);

/* Tell how a revision of a property ended. `ret_decider` gets the property whose end it is: the
 * same, or the ancestor whose operation replaced it. */
enum ledger_fate ledger_fate(const struct flux_property *property, uint64_t revision,
                             const struct flux_property **ret_decider, int64_t *ret_version);

/* All revisions up to the returned one have ended. Counted anew only after something has: every
 * session asks after every turn. */
uint64_t ledger_settled_revision(struct ledger *ledger);

/* How rows of an earlier run are put back. */
struct ledger_restore {
    bool with_cloud; /* what they say of the cloud, too */
    uint64_t shift;  /* added to every revision */
    int64_t now_ms;
};

/* Put back a sound row (saved_row_is_sound()), unless a report of this run has decided what stands
 * there. Nothing above or below it counts until ledger_restored(). Returns 0, -EINVAL (too many, or
 * the same path twice), -ENOMEM. */
int ledger_restore(struct ledger *ledger, const struct saved_row *row,
                   const struct ledger_restore *restore, struct flux_property **ret_property);

/* All rows have come: make what was put back fit together. Returns whether what they said of the
 * cloud did. */
bool ledger_restored(struct ledger *ledger);

/* Free the nodes that hold nothing any more. */
void ledger_prune(struct ledger *ledger);
/* Tell whether there are so many more nodes than after the last pruning that it is time for one:
 * programs can leave empty ones behind for as long as no message from the cloud leads to it. */
bool ledger_is_crowded(const struct ledger *ledger);
/* Free this one, and its parents, if they hold nothing any more. */
void ledger_prune_one(struct ledger *ledger, struct flux_property *property);

#endif
