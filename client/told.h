/* What one watch was told and what it is still to be told: per path the newest wish, and the one
 * that the program has heard. Finds out what is news. Bounded by the caller. Does no I/O and calls
 * nobody back. */
#ifndef CLIENT_TOLD_H
#define CLIENT_TOLD_H

#include "proto/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One path. */
struct told_wish {
    char *path; /* owned */
    size_t path_size;
    struct flux_value heard; /* by the program; NONE: nothing, or that it no longer differs */
    bool heard_stale;
    struct flux_value newest; /* NONE: it does not differ */
    int64_t version;          /* of the newest */
    bool stale;
    bool is_pending;   /* heard and newest are not the same */
    bool is_confirmed; /* told by the daemon on this connection */
    struct told_wish *next_pending, *previous_pending;
};

struct told {
    struct told_wish **wishes; /* owned, by path */
    size_t count, capacity;
    size_t bytes; /* of all that is held */
    struct told_wish *first_pending, *last_pending;
    size_t pending_count;
    int64_t version; /* the highest one heard on any path */
};

void told_clear(struct told *told);

/* Take a wish from the daemon; NONE says that nothing at or below the path (empty: at all) differs
 * any more. A value takes the place of what was told above and below its path. Returns 0 or
 * -ENOMEM. */
int told_take(struct told *told, const char *path, size_t path_size, const struct flux_value *value,
              int64_t version, bool stale);

/* Begin a new connection: the daemon is going to tell what differs now. */
void told_begin(struct told *told);

/* Take that the daemon has told on this connection all that differs: what it did not mention does
 * not differ any more, as of `version`. */
void told_complete(struct told *told, int64_t version);

/* The next news for the program, or NULL; borrowed until told_hear(). */
struct told_wish *told_next(struct told *told);

/* Note that the program has heard it. `is_kept`: remember it, so as not to tell it twice; what no
 * longer differs is never kept. */
void told_hear(struct told *told, struct told_wish *wish, bool is_kept);

#endif
