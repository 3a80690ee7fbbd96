#include "client/answers_queue.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int answers_grow(void **array, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return 0;
    size_t wanted = *capacity > 0 ? *capacity * 2 : 16;
    void *grown = realloc(*array, wanted * size);
    if (grown == NULL)
        return -ENOMEM;
    *array = grown;
    *capacity = wanted;
    return 0;
}

void answers_ready_clear(struct answers_ready *ready)
{
    free(ready->path);
    free(ready->text);
    ready->path = NULL;
    ready->text = NULL;
}

void answers_queue_clear(struct answers_queue *queue)
{
    struct answers_ready ready;
    while (answers_queue_next(queue, &ready))
        answers_ready_clear(&ready);
    free(queue->items);
    *queue = (struct answers_queue){0};
}

static bool continues(const struct answers_ready *newest, const struct answers_ready *ready)
{
    return !newest->rejected && !ready->rejected && newest->shadow == ready->shadow &&
           newest->level == ready->level && newest->version == ready->version &&
           newest->deadband == ready->deadband && newest->last + 1 == ready->first;
}

int answers_queue_push(struct answers_queue *queue, const struct answers_ready *ready)
{
    if (queue->count > 0) {
        struct answers_ready *newest = &queue->items[queue->start + queue->count - 1];
        if (continues(newest, ready)) {
            newest->last = ready->last;
            return 0;
        }
    }
    if (queue->start > 0 && queue->start + queue->count == queue->capacity) {
        memmove(queue->items, queue->items + queue->start, queue->count * sizeof(*queue->items));
        queue->start = 0;
    }
    void *items = queue->items;
    int r =
        answers_grow(&items, queue->start + queue->count, &queue->capacity, sizeof(*queue->items));
    if (r < 0)
        return r;
    queue->items = items;
    queue->items[queue->start + queue->count++] = *ready;
    return 0;
}

bool answers_queue_next(struct answers_queue *queue, struct answers_ready *ret_ready)
{
    if (queue->count == 0)
        return false;
    *ret_ready = queue->items[queue->start++];
    if (--queue->count == 0)
        queue->start = 0;
    return true;
}
