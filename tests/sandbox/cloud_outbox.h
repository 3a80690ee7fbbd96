/* Messages on their way out: those of one request are batched, then join the queue all or none.
 * It does not know what they say. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_OUTBOX_H
#define FLUX_TESTS_SANDBOX_CLOUD_OUTBOX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/shadow_service.h"

#define CLOUD_BATCH_MAX 3 /* accepted, documents, delta */

struct cloud_batch {
    struct shadow_service_message messages[CLOUD_BATCH_MAX];
    unsigned count;
};

/* A queue; a zeroed one is empty. */
struct cloud_outbox {
    struct shadow_service_message *messages; /* owned, a ring */
    size_t capacity;
    size_t first;
    size_t count;
};

/* Write the body as the payload of `message`, for topic PREFIX + suffix, and add it to the batch;
 * the topic and payload of `message` are set here. Takes `body` in any case; NULL: out of memory.
 * Returns 0 or -ENOMEM. */
int cloud_batch_add(struct cloud_batch *batch, struct shadow_service_message message,
                    const char *prefix, size_t prefix_size, const char *suffix, json_t *body);

/* Put the messages of the batch in a random order; *seed moves on. */
void cloud_batch_shuffle(struct cloud_batch *batch, uint64_t *seed);

/* Free the messages of the batch and empty it. */
void cloud_batch_clear(struct cloud_batch *batch);

/* Make room for a whole batch, so that the next cloud_outbox_append() cannot fail.
 * Returns 0 or -ENOMEM. */
int cloud_outbox_reserve(struct cloud_outbox *outbox);

/* Take over the messages of the batch, which is empty afterwards. */
void cloud_outbox_append(struct cloud_outbox *outbox, struct cloud_batch *batch);

/* Hand out the oldest message, owned by the caller; false: none. */
bool cloud_outbox_next(struct cloud_outbox *outbox, struct shadow_service_message *ret_message);

/* Free everything and zero the queue. */
void cloud_outbox_clear(struct cloud_outbox *outbox);

#endif
