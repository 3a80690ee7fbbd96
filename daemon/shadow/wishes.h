/* The news for watchers: which wishes of the cloud differ from what is reported, in the order of
 * their last changes. Keeps for every path when it was news; does not know the watchers, each of
 * which pulls with a cursor of its own. */
#ifndef FLUXAWS_SHADOW_WISHES_H
#define FLUXAWS_SHADOW_WISHES_H

#include "daemon/shadow/desired.h"
#include "daemon/shadow/shadow.h"

/* The extension of every node. */
struct wish {
    struct flux_property *previous, *next; /* in the order of `serial`, while that is not 0 */
    struct flux_value value;               /* as it differed last; owned */
    uint64_t serial;                       /* of the last news */
    uint64_t round;                        /* the last comparison that found it */
    uint32_t bit;                          /* its place in the cursors */
    bool differs;
};

#define WISHES_MAX (FLUX_PROPERTIES_MAX + SHADOW_WISHES_ENDED_MAX)

struct wishes {
    struct flux_property_set set;
    struct flux_property *first, *last; /* in the order of `serial` */
    struct flux_property *hint;         /* where the last reader stood, or NULL */
    size_t differing_count, ended_count;
    uint64_t serial;    /* of the newest news */
    uint64_t forgotten; /* of the newest end that is not remembered any more */
    uint64_t round;
    uint64_t used[WISHES_MAX / 64u]; /* the bits in use */
};

static inline struct wish *wish_of(const struct flux_property *node)
{
    return (struct wish *)(void *)node->extension;
}

int wishes_init(struct wishes *wishes, uint64_t hash_seed);
void wishes_clear(struct wishes *wishes);

/* Note which leaves of `desired` differ now: those whose scratch `differs` is set. Returns 0, or
 * -ENOMEM: then what found no room is news only after the next time. */
int wishes_note(struct wishes *wishes, const struct desired *desired);

/* What was told of a document that only the disk knew is confirmed: it is news once more. */
void wishes_renew(struct wishes *wishes);

/* Nobody watches any more: forget all; serials go on. */
void wishes_forget(struct wishes *wishes);

/* Take the next news for a watcher of `path`; as shadow_next_wish(), without version and stale. */
bool wishes_next(struct wishes *wishes, const char *path, size_t path_size,
                 struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish);

#endif
