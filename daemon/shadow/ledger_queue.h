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

/* Move what was appended last before all that is newer: to where it had been appended if it had
 * come in time. What this run has reported is newer than all from the disk. */
static inline void ledger_queue_sink(struct ledger_queue *queue, struct flux_property *property)
{
    struct flux_property *before = slot_of(property)->queue_previous;
    uint64_t age = slot_of(property)->oldest_revision;
    while (before && (!slot_of(before)->from_disk || slot_of(before)->oldest_revision > age))
        before = slot_of(before)->queue_previous;
    if (before == slot_of(property)->queue_previous)
        return;
    ledger_queue_remove(queue, property);
    struct flux_property *after = before ? slot_of(before)->queue_next : queue->first;
    slot_of(property)->queue_previous = before;
    slot_of(property)->queue_next = after;
    slot_of(after)->queue_previous = property;
    if (before)
        slot_of(before)->queue_next = property;
    else
        queue->first = property;
    queue->count++;
}

#endif
