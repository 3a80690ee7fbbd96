/* All shadows as one JSON value, and back: so that a restarted sandbox is the cloud it was.
 * It does not touch files. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_ARCHIVE_H
#define FLUX_TESTS_SANDBOX_CLOUD_ARCHIVE_H

#include <jansson.h>

#include "tests/sandbox/cloud_store.h"

/* Write down all shadows and tombstones. Owned by the caller. NULL when out of memory. */
json_t *cloud_archive_new(const struct cloud_store *store);

/* Put what was written down into the store. Returns 0, -EINVAL or -ENOMEM. */
int cloud_archive_read(const json_t *archive, struct cloud_store *store);

#endif
