/* What the cloud is known to hold in `desired`: a document, with what of it changed when. Takes
 * what messages say; does not compare it with anything. */
#ifndef FLUXAWS_SHADOW_DESIRED_H
#define FLUXAWS_SHADOW_DESIRED_H

#include "daemon/shadow/cloud_message.h"
#include "proto/json_writer.h"
#include "proto/property_set.h"

struct path_filter;

/* The extension of every node. */
struct desire {
    uint64_t serial;    /* of the message that set the value here last */
    int64_t changed_ms; /* when that came */
    int64_t timestamp;  /* the service's own, seconds; 0: unknown */
    uint64_t round;     /* the last merge that named the node */
    bool left_over;     /* an object that is there only because all below it was removed */
    /* Scratch of one walk: */
    bool differs, stays, emit_null, emit_below;
};

struct desired {
    struct flux_property_set set; /* values only, `{}` at every object */
    uint64_t serial;              /* rises with every message that sets values */
    uint64_t change_count;        /* rises whenever something has changed, be it only a time */
    uint64_t round;
};

static inline struct desire *desire_of(const struct flux_property *node)
{
    return (struct desire *)(void *)node->extension;
}

int desired_init(struct desired *desired, uint64_t hash_seed);
void desired_clear(struct desired *desired);

/* Merge what an accepted update carried, as the service does. What it names counts as changed, even
 * if the value is the same: somebody has said it again. `metadata` (any JSON, or NULL) tells when,
 * by the service's clock. Returns 0, -ENOMEM, -ENOSPC or
 * -ENAMETOOLONG (more than can be held); then it has been merged in part. */
int desired_merge(struct desired *desired, const json_t *object, const json_t *metadata,
                  int64_t now_ms);

/* Take a whole section (of the answer to a get) as the truth. What is equal stays unchanged, unless
 * its time shows that somebody has said it again. Returns as desired_merge(). */
int desired_replace(struct desired *desired, const json_t *object, const json_t *metadata,
                    int64_t now_ms);

/* All is gone. */
void desired_empty(struct desired *desired);

/* Tell whether the node is a leaf of the document: a scalar, an array, or `{}` with nothing below.
 */
bool desired_is_leaf(const struct flux_property *node);

/* Write what stands at and below a path (empty: all). Returns 0, -ENOENT, or the writer's error. */
int desired_write(const struct desired *desired, const char *path, size_t path_size,
                  struct flux_json_writer *writer);
/* The same, of that what the filter has; objects around it are written as such. */
int desired_write_shown(struct desired *desired, const char *path, size_t path_size,
                        const struct path_filter *filter, struct flux_json_writer *writer);

/* Write the nodes whose `emit_null` is set as null, in an object of the objects around them; the
 * whole section as null where the root's is. Returns the writer's error. */
int desired_write_nulls(struct desired *desired, struct flux_json_writer *writer);

/* Write the leaves whose `differs` is set, at and below a path. Returns 0, -ENOENT where there are
 * none, or the writer's error. */
int desired_write_differing(struct desired *desired, const char *path, size_t path_size,
                            struct flux_json_writer *writer);

/* Write what a later run is to be told of the wishes that a settle answers, those at and below a
 * path up to `known_serial`: a message with the leaves, and when each was wished. Returns the
 * writer's error. */
int desired_write_known(struct desired *desired, const char *path, size_t path_size,
                        uint64_t known_serial, struct flux_json_writer *writer);

/* The other way: take a document that an earlier run has kept as what is desired, last changed at
 * `changed_ms`; all of it is newer than DESIRED_SERIAL_ANSWERED. Returns as desired_merge(). */
#define DESIRED_SERIAL_ANSWERED 0u
int desired_restore(struct desired *desired, const json_t *object, int64_t changed_ms);
/* And what desired_write_known() has written of it: what still stands there is no newer than
 * DESIRED_SERIAL_ANSWERED. Returns as desired_merge(). */
int desired_restore_known(struct desired *desired, const struct cloud_message *known);

/* When the last of it was wished, 0: nothing is, or unknown. */
int64_t desired_changed_ms(const struct desired *desired);

/* Count the bytes of the section's compact JSON, 0: absent; and without the nodes whose `emit_null`
 * is set. */
size_t desired_measure(const struct desired *desired);
size_t desired_measure_rest(const struct desired *desired);

#endif
