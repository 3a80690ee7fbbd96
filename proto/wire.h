/* Bounded little-endian reading and writing of bytes. Errors stick, so that a message is read or
 * written in one go and checked once. Knows no frames and no messages, allocates nothing. */
#ifndef FLUX_PROTO_WIRE_H
#define FLUX_PROTO_WIRE_H

#include <stddef.h>
#include <stdint.h>

struct flux_wire_reader {
    const uint8_t *next, *end; /* borrowed */
    int error;                 /* 0, or -EPROTO: a field reached beyond the end */
};

/* A piece of text in the bytes read; not NUL-terminated. */
struct flux_text {
    const char *text;
    size_t size;
};

struct flux_wire_writer {
    uint8_t *data; /* borrowed */
    size_t size, capacity;
    int error; /* 0, or -ENOBUFS: a field did not fit; -EMSGSIZE: a text is longer than its length
                  field can say */
};

struct flux_text flux_text(const char *text);

void flux_wire_reader_init(struct flux_wire_reader *reader, const void *data, size_t size);
/* After an error they return 0, and texts are empty. */
uint8_t flux_wire_get_u8(struct flux_wire_reader *reader);
uint16_t flux_wire_get_u16(struct flux_wire_reader *reader);
uint32_t flux_wire_get_u32(struct flux_wire_reader *reader);
uint64_t flux_wire_get_u64(struct flux_wire_reader *reader);
int64_t flux_wire_get_i64(struct flux_wire_reader *reader);
double flux_wire_get_double(struct flux_wire_reader *reader);
/* Bytes behind a length of 16 or 32 bits; borrowed from what is read. */
struct flux_text flux_wire_get_text16(struct flux_wire_reader *reader);
struct flux_text flux_wire_get_text32(struct flux_wire_reader *reader);
/* All bytes that are left. */
struct flux_text flux_wire_get_rest(struct flux_wire_reader *reader);
/* Returns 0 if all bytes were read and none was missing, else -EPROTO. */
int flux_wire_reader_finish(const struct flux_wire_reader *reader);

void flux_wire_writer_init(struct flux_wire_writer *writer, void *data, size_t capacity);
void flux_wire_put_u8(struct flux_wire_writer *writer, uint8_t number);
void flux_wire_put_u16(struct flux_wire_writer *writer, uint16_t number);
void flux_wire_put_u32(struct flux_wire_writer *writer, uint32_t number);
void flux_wire_put_u64(struct flux_wire_writer *writer, uint64_t number);
void flux_wire_put_i64(struct flux_wire_writer *writer, int64_t number);
void flux_wire_put_double(struct flux_wire_writer *writer, double real);
void flux_wire_put_bytes(struct flux_wire_writer *writer, const void *data, size_t size);
void flux_wire_put_text16(struct flux_wire_writer *writer, struct flux_text text);
void flux_wire_put_text32(struct flux_wire_writer *writer, struct flux_text text);

#endif
