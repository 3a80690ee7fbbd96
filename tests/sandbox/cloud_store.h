/* The shadows of the account, found by thing and name, with their tombstones and request rates.
 * It applies no rule of the service. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_STORE_H
#define FLUX_TESTS_SANDBOX_CLOUD_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/cloud_document.h"
#include "tests/sandbox/cloud_window.h"

#define CLOUD_STORE_MAX_SHADOWS 16384

/* One shadow that was ever asked for; not all of them exist. */
struct cloud_shadow {
    char *key;
    bool exists;
    struct cloud_document document; /* if it exists */
    int64_t tombstone_version;      /* 0: never deleted */
    int64_t deleted_at_ms;
    struct cloud_window rate;      /* requests to this shadow */
    struct cloud_window in_flight; /* requests to its thing; kept with the classic shadow */
};

struct cloud_store {
    struct cloud_shadow **shadows; /* sorted by key */
    size_t count;
    size_t capacity;
};

/* Find a shadow; name NULL or empty: the classic one. Borrowed. NULL: never asked for. */
struct cloud_shadow *cloud_store_find(const struct cloud_store *store, const char *thing,
                                      const char *name);

/* Find or add a shadow. Returns 0, -ENOSPC (too many) or -ENOMEM. */
int cloud_store_ensure(struct cloud_store *store, const char *thing, const char *name,
                       struct cloud_shadow **ret_shadow);

/* Remove a shadow and all that is known about it. */
void cloud_store_remove(struct cloud_store *store, const char *thing, const char *name);

/* Free everything and zero the store. */
void cloud_store_clear(struct cloud_store *store);

#endif
