/* Which report was the last to set each property, for reports that wait for no more than QUEUED:
 * should the property be refused, that report is told. One entry per property, so a busy client
 * costs no more than a quiet one. Does not know frames or fds. */
#ifndef FLUXAWS_IPC_INTERESTS_H
#define FLUXAWS_IPC_INTERESTS_H

#include "daemon/ipc/waits.h"

/* Properties per session; those beyond are not followed. */
#define INTERESTS_MAX 4096u

struct interest {
    struct shadow_wait wait;
    uint64_t id; /* of the report */
};

struct interests {
    struct shadow *shadow;       /* borrowed */
    struct waits_budget *budget; /* borrowed */
    struct interest *entries;    /* owned */
    uint32_t *index;             /* owned; slots of a hash table, entry + 1, 0: free */
    size_t count, capacity;      /* the table has twice as many slots as `capacity` */
    size_t scanned, kept;
};

void interests_init(struct interests *interests, struct shadow *shadow,
                    struct waits_budget *budget);
void interests_clear(struct interests *interests);

/* Follow the operation behind `wait`, of report `id`, in place of an older one of the same
 * property. Takes the pin over, or releases it where it cannot follow. */
void interests_add(struct interests *interests, uint64_t id, struct shadow_wait *wait);

/* Take the next refusal of a scan over all entries, which forgets those that were accepted. Returns
 * false at the end; a scan that is left before needs interests_end_scan(). */
bool interests_next(struct interests *interests, struct waits_answer *ret_answer);
void interests_end_scan(struct interests *interests);

#endif
