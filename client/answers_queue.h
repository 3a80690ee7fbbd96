/* The answers that wait to be delivered, in the order in which they came. Delivers nothing itself.
 */
#ifndef CLIENT_ANSWERS_QUEUE_H
#define CLIENT_ANSWERS_QUEUE_H

#include "proto/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer to the reports from `first` to `last` to one shadow. */
struct answers_ready {
    uint16_t shadow; /* handle */
    uint64_t first, last;
    enum flux_level level; /* unless rejected */
    bool rejected;
    bool deadband;
    int64_t version;
    int code;
    char *path, *text; /* owned; NULL stands for "" */
};

struct answers_queue {
    struct answers_ready *items; /* owned */
    size_t start, count, capacity;
};

/* Free all; it can be used again. */
void answers_queue_clear(struct answers_queue *queue);

/* Append an answer; one that continues the newest is merged into it. Takes over its texts on
 * success. Returns 0 or -ENOMEM. */
int answers_queue_push(struct answers_queue *queue, const struct answers_ready *ready);

/* Take the oldest; the caller frees its texts with answers_ready_clear(). Returns false if there is
 * none. */
bool answers_queue_next(struct answers_queue *queue, struct answers_ready *ret_ready);
void answers_ready_clear(struct answers_ready *ready);

/* Make room for one more element of `size` bytes in a growing array. Returns 0 or -ENOMEM. */
int answers_grow(void **array, size_t count, size_t *capacity, size_t size);

#endif
