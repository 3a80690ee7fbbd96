#include "client/buffer.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEPT_CAPACITY 65536u

void buffer_clear(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer){0};
}

size_t buffer_size(const struct buffer *buffer)
{
    return buffer->end - buffer->start;
}

const uint8_t *buffer_data(const struct buffer *buffer)
{
    return buffer->data + buffer->start;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (buffer->data != NULL && buffer->capacity - buffer->end >= size)
        return buffer->data + buffer->end;
    if (buffer->start > 0) {
        memmove(buffer->data, buffer->data + buffer->start, buffer_size(buffer));
        buffer->end -= buffer->start;
        buffer->start = 0;
        if (buffer->capacity - buffer->end >= size)
            return buffer->data + buffer->end;
    }
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : 4096;
    while (capacity - buffer->end < size)
        capacity *= 2;
    uint8_t *data = realloc(buffer->data, capacity);
    if (data == NULL)
        return NULL;
    buffer->data = data;
    buffer->capacity = capacity;
    return data + buffer->end;
}

void buffer_commit(struct buffer *buffer, size_t size)
{
    buffer->end += size;
}

void buffer_consume(struct buffer *buffer, size_t size)
{
    buffer->start += size;
    if (buffer->start < buffer->end)
        return;
    buffer->start = 0;
    buffer->end = 0;
    if (buffer->capacity > KEPT_CAPACITY)
        buffer_clear(buffer);
}

int buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return 0;
    uint8_t *room = buffer_reserve(buffer, size);
    if (room == NULL)
        return -ENOMEM;
    memcpy(room, data, size);
    buffer_commit(buffer, size);
    return 0;
}
