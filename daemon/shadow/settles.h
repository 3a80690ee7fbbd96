/* Wishes that programs have answered: the desired value known when the program said so is to be
 * removed, a newer one is not. Keeps what waits for that and how it ended; decides nothing about
 * when to send. */
#ifndef FLUXAWS_SHADOW_SETTLES_H
#define FLUXAWS_SHADOW_SETTLES_H

#include "daemon/shadow/desired.h"
#include "daemon/shadow/ledger.h"

/* The extension of every node: what programs want settled at and below its path. */
struct settle {
    struct flux_property *previous, *next; /* in the queue, while it waits */
    uint64_t oldest_revision;              /* no older operation waits here */
    uint64_t revision;                     /* of the newest operation */
    uint64_t report_first, report_last;    /* of all operations of the newest one's report */
    uint64_t known_serial;                 /* of desired: what changed later is a newer wish */
    /* How the operations up to `ended_revision` ended: those above `refused_above` up to
     * `refused_revision` refused, the others settled, the last ones at `version`. */
    uint64_t ended_revision, refused_above, refused_revision;
    int64_t version;
    int code;
    char *text;            /* of the refusal; owned */
    struct save_mark save; /* whether the disk holds its row as it is */
    bool waits;
    bool suspect; /* was in an update that the service refused as a whole */
};

struct settles {
    struct flux_property_set set;
    struct flux_property *first, *last; /* what waits, oldest first */
    size_t count;                       /* of those */
    size_t crowded_above;               /* nodes; see settles_is_crowded() */
    bool fresh;                         /* something has come that was not looked at */
    struct saves *saves;                /* borrowed; NULL: nothing is saved */
};

static inline struct settle *settle_of(const struct flux_property *node)
{
    return (struct settle *)(void *)node->extension;
}

/* What the row of the node says may have changed. */
static inline void settles_touch(struct settles *settles, struct flux_property *node)
{
    saves_mark(settles->saves, &settle_of(node)->save, SAVED_SETTLE);
}

int settles_init(struct settles *settles, uint64_t hash_seed);
void settles_clear(struct settles *settles);

/* An operation under `revision` settles what has changed in desired up to `known_serial` at and
 * below the path. Returns 0 or -ENOMEM. */
int settles_add(struct settles *settles, const char *path, size_t path_size, uint64_t revision,
                uint64_t known_serial, struct flux_property **ret_node);

/* The same for one that an earlier run has taken, in the order of the revisions. What this run has
 * added at the path stays the newest there. */
int settles_restore(struct settles *settles, const char *path, size_t path_size, uint64_t revision,
                    uint64_t known_serial, struct flux_property **ret_node);

/* Tell whether a leaf of desired is about to be removed. */
bool settles_covers(const struct settles *settles, const struct flux_property *leaf);

/* Tell whether desired still holds something to remove. */
bool settles_has_left(const struct flux_property *node, const struct desired *desired);

/* Mark in desired, by `emit_null`, what is to go at and below a path: what is not newer than
 * `known_serial`. Returns whether there is something. settles_unmark() comes before. */
bool settles_mark(struct desired *desired, const char *path, size_t path_size,
                  uint64_t known_serial);
/* The same for all that waits. */
void settles_mark_all(const struct settles *settles, struct desired *desired);
void settles_unmark(struct desired *desired);

/* It is done, at `version`: nothing is left to remove. */
void settles_end(struct settles *settles, struct flux_property *node, int64_t version);

/* The operations up to `revision` were refused. */
void settles_refuse(struct settles *settles, struct flux_property *node, uint64_t revision,
                    int code, const char *text);

/* Tell how an operation ended. */
enum ledger_fate settles_fate(const struct flux_property *node, uint64_t revision,
                              int64_t *ret_version);

/* Free what nobody waits for any more. */
void settles_prune(struct settles *settles);

/* Tell whether so much has been added since that pruning is worth its walk. */
bool settles_is_crowded(const struct settles *settles);

#endif
