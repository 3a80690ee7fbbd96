/* A growing buffer of bytes with a consumed front, for both directions of a socket. Does no I/O. */
#ifndef CLIENT_BUFFER_H
#define CLIENT_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer {
    uint8_t *data; /* owned */
    size_t start;  /* bytes already consumed */
    size_t end;    /* bytes written */
    size_t capacity;
};

/* Free what it holds; it can be used again. */
void buffer_clear(struct buffer *buffer);

/* Bytes written and not consumed. */
size_t buffer_size(const struct buffer *buffer);
const uint8_t *buffer_data(const struct buffer *buffer);

/* Make room for `size` more bytes behind the end. Returns where they go, or NULL without memory. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);

/* Count `size` bytes of the reserved room as written. */
void buffer_commit(struct buffer *buffer, size_t size);

/* Drop `size` bytes from the front. An emptied buffer that had grown large gives its memory back.
 */
void buffer_consume(struct buffer *buffer, size_t size);

/* Append a copy. Returns 0 or -ENOMEM. */
int buffer_append(struct buffer *buffer, const void *data, size_t size);

#endif
