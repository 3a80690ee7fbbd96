/* The intrusive queues of a ledger, linked through the slots. Knows order, not meaning. */
#ifndef FLUXAWS_SHADOW_LEDGER_QUEUE_H
#define FLUXAWS_SHADOW_LEDGER_QUEUE_H

#include "daemon/shadow/ledger.h"

static inline void ledger_queue_append(struct ledger_queue *queue, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    slot->queue_previous = queue->last;
    slot->queue_next = NULL;
    if (queue->last)
        slot_of(queue->last)->queue_next = property;
    else
        queue->first = property;
    queue->last = property;
    queue->count++;
}

static inline void ledger_queue_remove(struct ledger_queue *queue, struct flux_property *property)
{
    struct slot *slot = slot_of(property);
    if (slot->queue_previous)
        slot_of(slot->queue_previous)->queue_next = slot->queue_next;
    else
        queue->first = slot->queue_next;
    if (slot->queue_next)
        slot_of(slot->queue_next)->queue_previous = slot->queue_previous;
    else
        queue->last = slot->queue_previous;
    slot->queue_previous = NULL;
    slot->queue_next = NULL;
    queue->count--;
}

#endif
