/* The insides of the thing, for the files that make it up (thing.c and thing_*.c). Nobody else
 * includes this. */
#ifndef FLUXAWS_SHADOW_THING_PRIVATE_H
#define FLUXAWS_SHADOW_THING_PRIVATE_H

#include "daemon/shadow/shadow_private.h"

/* The bounds of MaxShadows and of MaxSubscriptions. */
#define THING_SHADOWS_MAX       1000u
#define THING_SUBSCRIPTIONS_MAX 500u
#define THING_BUCKETS           256u /* of the table of names; a power of two */
/* A request's id is a serial number and the place of its shadow. */
#define THING_PLACE_BITS 10u
#define THING_PLACE_MASK ((1u << THING_PLACE_BITS) - 1)

struct thing {
    char name[FLUX_THING_NAME_MAX + 1];
    char **extra; /* owned; patterns of [Thing] Extra */
    size_t extra_count;
    struct connection connection;
    struct token_bucket messages;
    struct shadow *shadows[THING_SHADOWS_MAX]; /* by place; NULL: free. The first is the own
                                                  classic one */
    size_t places;                             /* in use up to here */
    size_t shadow_count;
    struct shadow *buckets[THING_BUCKETS];
    uint64_t hash_seed;
    size_t turn; /* the place whose turn it is */
    bool link_up;
    uint32_t request_count; /* ids given out */
    uint64_t close_count;
    uint64_t outcomes_of_gone; /* of shadows that were given up */
    struct thing_status status;
};

/* --- thing_shadows.c: which shadows there are --- */
int thing_set_extra(struct thing *thing, const char *const *extra, size_t count);
void thing_clear_extra(struct thing *thing);
/* Find an open shadow, or NULL. */
struct shadow *thing_find_shadow(const struct thing *thing, const char *thing_name,
                                 const char *shadow_name);
/* Make a shadow in a free place. Returns 0, -ENOSPC, -ENOMEM. */
int thing_add_shadow(struct thing *thing, const char *thing_name, const char *shadow_name,
                     struct shadow **ret_shadow);
/* Free every shadow. */
void thing_clear_shadows(struct thing *thing);

/* --- thing_writers.c: programs that come and go --- */
/* When the next program that is away will be gone, INT64_MAX: never. */
int64_t thing_writers_deadline(const struct thing *thing);

#endif
