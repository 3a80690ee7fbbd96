/* What the reports of one session to one shadow wait for, and in which order they are answered.
 * Bounded: beyond WAITS_ENTRIES_MAX neighbours share an entry and are answered together, later.
 * Does not know frames or fds. */
#ifndef FLUXAWS_IPC_WAITS_H
#define FLUXAWS_IPC_WAITS_H

#include "daemon/shadow/shadow.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAITS_ENTRIES_MAX 1024u

/* Pairs of property and revision that one session, and all together, wait for at most. */
#define WAITS_PAIRS_MAX       8192u
#define WAITS_PAIRS_TOTAL_MAX 65536u
/* So many a session may always have, whatever the others hold. */
#define WAITS_PAIRS_ASSURED 256u

/* Shared by all sessions; begins as zeroes. */
struct waits_budget {
    size_t pair_count;
};

struct waits_entry;

struct waits {
    struct shadow *shadow;       /* borrowed */
    struct waits_budget *budget; /* borrowed */
    struct waits_entry *entries; /* owned, oldest first */
    size_t count, capacity;
    size_t scanned, kept; /* of a scan that is under way */
    size_t pair_count;
};

struct waits_answer {
    uint64_t first_id, last_id; /* the reports it covers */
    bool refused;
    int64_t version; /* accepted at */
    bool deadband;   /* accepted because the cloud's value is near enough */
    int code;        /* refused with */
    char path[FLUX_PATH_BYTES_MAX + 1];
    char text[256];
};

/* Fill in a refusal of the reports from `first_id` to `last_id`. */
void waits_answer_refuse(struct waits_answer *ret_answer, const struct shadow_fate *fate,
                         uint64_t first_id, uint64_t last_id);

/* Begin, waiting for nothing. */
void waits_init(struct waits *waits, struct shadow *shadow, struct waits_budget *budget);

/* Give up all waiting and free what is held. */
void waits_clear(struct waits *waits);

/* Tell whether `count` more operations are within the bounds on pairs. */
bool waits_has_room(const struct waits *waits, size_t count);

/* Wait for the `count` operations of report `id`, newer than all before. Takes over the pins in
 * `pairs` and releases those it need not keep. Returns 0; -ENOBUFS (the bounds on pairs) or -ENOMEM
 * with nothing taken: the pins stay the caller's. */
int waits_add(struct waits *waits, uint64_t id, struct shadow_wait *pairs, size_t count);

/* Take the next answer of a scan over all entries, oldest first. Returns false at the end of the
 * scan; a scan that is left before needs waits_end_scan(). */
bool waits_next(struct waits *waits, struct waits_answer *ret_answer);
void waits_end_scan(struct waits *waits);

#endif
