/* A bounded queue of heap blocks from threads to one reader, with an eventfd that is readable while
 * something waits: the only lock between the loop and the link thread. Knows nothing of what it
 * carries. */
#ifndef FLUXAWS_MQTT_MAILBOX_H
#define FLUXAWS_MQTT_MAILBOX_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

/* First member of every block; the block was made by one malloc() and ends by one free(). */
struct mailbox_item {
    struct mailbox_item *next;
    size_t bytes; /* what the block counts against the limit */
};

struct mailbox {
    pthread_mutex_t mutex;
    int event_fd;
    atomic_bool woken; /* the eventfd may be readable */
    struct mailbox_item *first, *last;
    size_t count, bytes;
    size_t count_max, bytes_max;
};

/* What may not wait for room: few and small. */
enum mailbox_class { MAILBOX_BOUNDED, MAILBOX_CONTROL };

/* Returns 0, or a negative errno with nothing to clear. */
int mailbox_init(struct mailbox *mailbox, size_t count_max, size_t bytes_max);
/* Free all that waits. Nobody may use the mailbox any more. */
void mailbox_clear(struct mailbox *mailbox);

/* Append a block; it belongs to the mailbox then. Returns 0, or -ENOBUFS (only MAILBOX_BOUNDED):
 * the block stays the caller's. */
int mailbox_push(struct mailbox *mailbox, struct mailbox_item *item, enum mailbox_class kind);

/* Take the oldest block (free() it), or NULL after the eventfd was cleared. */
struct mailbox_item *mailbox_pop(struct mailbox *mailbox);

/* Free all that waits. */
void mailbox_empty(struct mailbox *mailbox);

/* Clear the eventfd although something may wait, to sleep until the next mailbox_wake(): look at
 * what that tells of after this call. */
void mailbox_rest(struct mailbox *mailbox);

/* Make the eventfd readable, to have the reader look at something else than the queue. */
void mailbox_wake(struct mailbox *mailbox);

#endif
