/* The storage port: what the daemon asks of a place where values survive. This version has but the
 * null store, which keeps nothing and says so; nothing is STORED with it. */
#ifndef FLUXAWS_STORAGE_STORE_H
#define FLUXAWS_STORAGE_STORE_H

#include <stdbool.h>
#include <stdint.h>

struct store;

/* The store that keeps nothing. Returns 0 or -ENOMEM. */
int null_store_new(struct store **ret_store);
struct store *store_free(struct store *store);

/* Tell whether commits reach a disk. Where not, no report is ever STORED, and updates do not wait
 * for commits. */
bool store_is_durable(const struct store *store);

/* Ask that everything up to `revision` gets onto the disk. Returns 0, or -EOPNOTSUPP where the
 * store keeps nothing. */
int store_commit(struct store *store, uint64_t revision);

/* The newest revision that is on the disk; 0: none. */
uint64_t store_stored_revision(const struct store *store);

/* "volatile" or "durable", for status. */
const char *store_mode_name(const struct store *store);

#endif
