/* What the daemon does not have safe yet of one shadow: the newest value of every property and the
 * wishes to settle, each with the id and the time of the report that made it, within a bound of
 * bytes. Does not send anything. */
#ifndef CLIENT_BACKLOG_H
#define CLIENT_BACKLOG_H

#include "client/changes.h"
#include "proto/property_set.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An operation on the root, which a property set cannot hold. */
struct backlog_root {
    uint64_t id; /* of the report; 0: none */
    int64_t set_us;
};

struct backlog {
    struct flux_property_set set;
    struct flux_property_set settles; /* a cut stands for a settle; without a root: never used */
    struct backlog_root unset, settle;
    size_t bytes;
    size_t bytes_max; /* the owner may change it */
    uint64_t hash_seed;
};

/* One operation to send (again); its text is borrowed until the backlog changes. */
struct backlog_item {
    uint64_t id;    /* of the report that made it */
    int64_t set_us; /* CLOCK_BOOTTIME of that report */
    enum flux_operation kind;
    const char *path;
    uint32_t path_size;
    uint16_t depth;                 /* keys in the path */
    const struct flux_value *value; /* of a set; else NULL */
};

/* Prepare an empty backlog of at most `bytes_max` bytes. Returns 0 or -ENOMEM. */
int backlog_init(struct backlog *backlog, size_t bytes_max, uint64_t hash_seed);
void backlog_clear(struct backlog *backlog);

bool backlog_is_empty(const struct backlog *backlog);

/* Take a whole report; ids rise. Returns 0; -ENOBUFS if it would exceed the bound (nothing is
 * kept); -ENOMEM (a part may be kept). */
int backlog_apply(struct backlog *backlog, const struct changes *changes, uint64_t id,
                  int64_t set_us);

/* Forget what reports up to `id` set and no later one has replaced. */
void backlog_drop(struct backlog *backlog, uint64_t id);

/* Forget what exactly this report set. */
void backlog_drop_one(struct backlog *backlog, uint64_t id);

/* Forget what reports up to `id` set or removed at and below `path` (empty: everything). */
void backlog_forget(struct backlog *backlog, const char *path, size_t path_size, uint64_t id);

/* List what reports after `id` left, in the order in which it must be applied: by id; within one,
 * what replaces a sub-tree before what is set below it, and settles last. `ret_items` is the
 * caller's to free(); NULL for none. Returns 0 or -ENOMEM. */
int backlog_list(const struct backlog *backlog, uint64_t id, struct backlog_item **ret_items,
                 size_t *ret_count);

#endif
