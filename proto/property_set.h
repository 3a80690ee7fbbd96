/* The coalescing property set: the newest value of every property, and the cuts that replaced or
 * removed sub-trees leave behind. Used at both ends of the wire. Does not know answers, clouds or
 * disks; a user hangs its own data on a property through the extension bytes. */
#ifndef FLUX_PROTO_PROPERTY_SET_H
#define FLUX_PROTO_PROPERTY_SET_H

#include "proto/operation.h"
#include "proto/value.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One path of the set. It may hold a value, a cut, both (a cut and `{}`), or nothing (an inner
 * node, or a path kept for its pin or its extension). Fields are for reading; only the functions
 * below write them. */
struct flux_property {
    struct flux_property *parent; /* NULL only for the root, whose path is empty */
    struct flux_property *first_child, *last_child, *next, *previous;
    struct flux_property *hash_next;
    uint64_t hash;
    const char *path; /* JSON Pointer, NUL-terminated */
    uint32_t path_size;
    uint32_t key_offset; /* where the last key's (escaped) bytes begin in `path` */
    uint16_t depth;      /* keys in the path */
    bool cut;            /* all that the cloud holds at and below this path from before is to go */
    bool replaced;       /* the cut stands for a scalar of ours that a set below it replaced */
    uint32_t pin_count;
    struct flux_value value; /* owned */
    uint64_t revision;       /* of the last operation on this very path */
    uint64_t cut_revision;   /* of the operation that made the cut */
    int64_t set_us;          /* CLOCK_BOOTTIME of the last operation on this very path */
    int64_t cleared_us;      /* CLOCK_BOOTTIME of the last one that replaced all below the path */
    int64_t replaced_us;     /* CLOCK_BOOTTIME when an operation below it replaced its scalar */
    _Alignas(max_align_t) unsigned char extension[];
};

struct flux_property_set {
    struct flux_property *root;
    struct flux_property **buckets;
    size_t bucket_count;
    size_t node_count;
    size_t value_count; /* properties that hold a value */
    size_t cut_count;
    size_t extension_size;
    uint64_t hash_seed;
};

/* What one operation did, for a user that keeps its own books per property. */
struct flux_applied {
    struct flux_property *property; /* the path's node, borrowed */
    bool value_changed; /* false: the path held an equal value before (a number may have changed its
                           type), or by an unset, was an unset path before */
    struct flux_property *converted; /* the ancestor whose scalar became a cut, or NULL */
    bool cleared;  /* entries below the path were dropped; their nodes are there to be walked */
    size_t walked; /* nodes below the path that had to be looked at */
};

/* Prepare an empty set whose properties carry `extension_size` zeroed bytes. `hash_seed` is random
 * and secret: it keeps hostile paths from falling into one bucket. Returns 0 or -ENOMEM. */
int flux_property_set_init(struct flux_property_set *set, size_t extension_size,
                           uint64_t hash_seed);

/* Free everything. Extensions must own nothing by then. */
void flux_property_set_clear(struct flux_property_set *set);

/* Apply one operation with a checked path and a checked value (NULL for FLUX_UNSET); the value is
 * copied. Rules (design: sequential truth, cuts, objects merge):
 * - a scalar or array replaces all below the path; a cut on the path itself is then implied and
 *   dropped;
 * - `{}` over a scalar of ours leaves a cut and `{}`; over anything else it only records `{}`;
 * - an unset drops all entries at and below the path and leaves a cut;
 * - an ancestor of ours that holds a scalar or array becomes a cut (with this revision). There is
 *   at most one: no entry ever has a scalar or array above it.
 * Nodes stay, whatever they lose. The empty path names the root, which can only be unset. Returns
 * 0; -ENOMEM; -ENOSPC when values and cuts together would exceed FLUX_PROPERTIES_MAX; -EINVAL for a
 * root that is to be set. On failure the set is unchanged. */
int flux_property_set_apply(struct flux_property_set *set, enum flux_operation operation,
                            const char *path, size_t path_size, const struct flux_value *value,
                            uint64_t revision, int64_t set_us, struct flux_applied *ret_applied);

/* Tell whether that operation would find room now. */
bool flux_property_set_has_room(const struct flux_property_set *set, enum flux_operation operation,
                                const char *path, size_t path_size, const struct flux_value *value);

/* Tell whether an operation on `path` first made at `set_us` has been overtaken (design: resent is
 * not newer): the path itself was set, unset or replaced later; an ancestor was unset, or set to
 * anything but `{}`, later; or something below was set or unset later, which the late operation
 * would take away. Operations of the same microsecond do not overtake each other, so that a report
 * sent again is applied again as a whole. */
bool flux_property_set_is_superseded(const struct flux_property_set *set, const char *path,
                                     size_t path_size, int64_t set_us);

/* Find a path's node, or NULL. The empty path finds the root. Borrowed until it is pruned. */
struct flux_property *flux_property_set_find(const struct flux_property_set *set, const char *path,
                                             size_t path_size);

/* Find or create the node of a path without putting an entry there. Returns 0 or -ENOMEM. */
int flux_property_set_touch(struct flux_property_set *set, const char *path, size_t path_size,
                            struct flux_property **ret_property);

/* Find or create the child of `parent` with this raw (unescaped) key of any bytes. Returns 0,
 * -ENOMEM, or -ENAMETOOLONG beyond FLUX_PATH_BYTES_MAX. */
int flux_property_set_child(struct flux_property_set *set, struct flux_property *parent,
                            const char *key, size_t key_size, struct flux_property **ret_property);

/* Drop the value, or the cut, of one property (it was accepted, forgotten, refused). The node stays
 * until flux_property_set_prune(). */
void flux_property_set_drop_value(struct flux_property_set *set, struct flux_property *property);
void flux_property_set_drop_cut(struct flux_property_set *set, struct flux_property *property);

/* What an earlier run has kept of one path. */
struct flux_property_memory {
    struct flux_value value; /* borrowed; NONE: none */
    bool cut, replaced;
    uint64_t revision, cut_revision;
    int64_t set_us, cleared_us, replaced_us;
};

/* Put back what was kept of a path that holds no entry, whatever stands above and below: that no
 * entry ends up with a scalar above it is for the caller to see to. Returns 0, -ENOMEM, or -ENOSPC
 * as flux_property_set_apply(). */
int flux_property_set_restore(struct flux_property_set *set, struct flux_property *property,
                              const struct flux_property_memory *memory);

/* Turn a value into a cut that replaces all from before it. */
void flux_property_set_cut_value(struct flux_property_set *set, struct flux_property *property);

/* Forget when the path was set, unset or replaced, and under which revision. */
void flux_property_forget_times(struct flux_property *property);

/* Keep a node in the set although it holds nothing; each pin needs one unpin. */
void flux_property_pin(struct flux_property *property);
void flux_property_unpin(struct flux_property *property);

/* Free the one node, if it holds no entry, no child and no pin, and is not the root; its parent
 * stays, the user decides about that one. The caller has made sure that the extension owns nothing.
 * Returns true if it is gone. */
bool flux_property_set_prune(struct flux_property_set *set, struct flux_property *property);

/* Walk the tree in pre-order: the node after `property`, staying below `top`; NULL at the end.
 * Start with property == top. flux_property_skip() does not descend into `property`. */
struct flux_property *flux_property_next(const struct flux_property *top,
                                         const struct flux_property *property);
struct flux_property *flux_property_skip(const struct flux_property *top,
                                         const struct flux_property *property);

/* Tell whether the property's value replaces all below it: anything but `{}` and nothing. */
bool flux_property_is_leaf(const struct flux_property *property);

#endif
