#include "daemon/shadow/timers.h"

#include "daemon/shadow/ledger.h"
#include <errno.h>
#include <stdlib.h>

void timers_clear(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}

/* Places are counted from 1, so that 0 means: none. */
static void put(struct timers *timers, size_t place, struct timer timer)
{
    timers->heap[place - 1] = timer;
    slot_of(timer.property)->timer_place = (uint32_t)place;
}

static void rise(struct timers *timers, size_t place, struct timer timer)
{
    while (place > 1 && timers->heap[place / 2 - 1].at_ms > timer.at_ms) {
        put(timers, place, timers->heap[place / 2 - 1]);
        place /= 2;
    }
    put(timers, place, timer);
}

static void sink(struct timers *timers, size_t place, struct timer timer)
{
    while (2 * place <= timers->count) {
        size_t child = 2 * place;
        if (child < timers->count && timers->heap[child].at_ms < timers->heap[child - 1].at_ms)
            child++;
        if (timers->heap[child - 1].at_ms >= timer.at_ms)
            break;
        put(timers, place, timers->heap[child - 1]);
        place = child;
    }
    put(timers, place, timer);
}

static int grow(struct timers *timers)
{
    size_t capacity = timers->capacity ? 2 * timers->capacity : 16;
    struct timer *heap = realloc(timers->heap, capacity * sizeof(*heap));
    if (!heap)
        return -ENOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return 0;
}

int timers_set(struct timers *timers, struct flux_property *property, int64_t at_ms)
{
    size_t place = slot_of(property)->timer_place;
    struct timer timer = {at_ms, property};
    if (place > 0) {
        if (at_ms < timers->heap[place - 1].at_ms)
            rise(timers, place, timer);
        return 0;
    }
    if (timers->count == timers->capacity && grow(timers) < 0)
        return -ENOMEM;
    rise(timers, ++timers->count, timer);
    return 0;
}

void timers_remove(struct timers *timers, struct flux_property *property)
{
    size_t place = slot_of(property)->timer_place;
    if (place == 0)
        return;
    slot_of(property)->timer_place = 0;
    struct timer last = timers->heap[--timers->count];
    if (last.property == property)
        return;
    if (place > 1 && timers->heap[place / 2 - 1].at_ms > last.at_ms)
        rise(timers, place, last);
    else
        sink(timers, place, last);
}

int64_t timers_first_ms(const struct timers *timers)
{
    return timers->count > 0 ? timers->heap[0].at_ms : INT64_MAX;
}

struct flux_property *timers_next(struct timers *timers, int64_t now_ms)
{
    if (timers->count == 0 || timers->heap[0].at_ms > now_ms)
        return NULL;
    struct flux_property *property = timers->heap[0].property;
    timers_remove(timers, property);
    return property;
}
