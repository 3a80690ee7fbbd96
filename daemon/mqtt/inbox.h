/* What the link tells the loop: events, copied into one block each, in the order they happened.
 * Filled by the link thread and Paho's threads, drained by the loop. Decides nothing. */
#ifndef FLUXAWS_MQTT_INBOX_H
#define FLUXAWS_MQTT_INBOX_H

#include "daemon/mqtt/mailbox.h"
#include "daemon/mqtt/mqtt_link.h"
#include <stdatomic.h>

#define INBOX_EVENTS_MAX 8192u
#define INBOX_BYTES_MAX  (8u * 1024 * 1024)

struct inbox_item;

struct inbox {
    struct mailbox box;
    _Atomic uint64_t broken;    /* the connection of which an event was lost, 0: none */
    struct inbox_item *current; /* loop only: what the last event points into */
};

int inbox_init(struct inbox *inbox, size_t events_max, size_t bytes_max);
void inbox_clear(struct inbox *inbox);

/* Copy an event of a connection into the queue; number 0: of none, delivered in any case. Never
 * blocks on the loop. Where there is no room or no memory, the connection counts as broken: what
 * the inbox holds is still delivered, then one MQTT_LINK_LOST, and nothing after it; so no event is
 * lost silently. Any thread. Returns whether the connection is whole. */
bool inbox_push(struct inbox *inbox, uint64_t connection, const struct mqtt_link_event *event);

/* Take the next event of `connection`; those of others are dropped. Pointers stay valid until the
 * next call. Returns false, and clears the eventfd, when there is none. Loop only. */
bool inbox_next(struct inbox *inbox, uint64_t connection, struct mqtt_link_event *ret_event);

#endif
