#include "proto/wire.h"
#include <endian.h>
#include <errno.h>
#include <string.h>

struct flux_text flux_text(const char *text)
{
    return (struct flux_text){.text = text, .size = strlen(text)};
}

void flux_wire_reader_init(struct flux_wire_reader *reader, const void *data, size_t size)
{
    reader->next = data;
    reader->end = reader->next + size;
    reader->error = 0;
}

/* Step over `size` bytes; NULL if they are not there, then nothing is there from now on. */
static const uint8_t *wire_take(struct flux_wire_reader *reader, size_t size)
{
    if (size > (size_t)(reader->end - reader->next)) {
        reader->error = -EPROTO;
        reader->next = reader->end;
        return NULL;
    }
    const uint8_t *taken = reader->next;
    reader->next += size;
    return taken;
}

uint8_t flux_wire_get_u8(struct flux_wire_reader *reader)
{
    const uint8_t *bytes = wire_take(reader, 1);
    return bytes != NULL ? bytes[0] : 0;
}

uint16_t flux_wire_get_u16(struct flux_wire_reader *reader)
{
    uint16_t number = 0;
    const uint8_t *bytes = wire_take(reader, sizeof(number));
    if (bytes != NULL)
        memcpy(&number, bytes, sizeof(number));
    return le16toh(number);
}

uint32_t flux_wire_get_u32(struct flux_wire_reader *reader)
{
    uint32_t number = 0;
    const uint8_t *bytes = wire_take(reader, sizeof(number));
    if (bytes != NULL)
        memcpy(&number, bytes, sizeof(number));
    return le32toh(number);
}

uint64_t flux_wire_get_u64(struct flux_wire_reader *reader)
{
    uint64_t number = 0;
    const uint8_t *bytes = wire_take(reader, sizeof(number));
    if (bytes != NULL)
        memcpy(&number, bytes, sizeof(number));
    return le64toh(number);
}

int64_t flux_wire_get_i64(struct flux_wire_reader *reader)
{
    return (int64_t)flux_wire_get_u64(reader);
}

double flux_wire_get_double(struct flux_wire_reader *reader)
{
    uint64_t bits = flux_wire_get_u64(reader);
    double real;
    memcpy(&real, &bits, sizeof(real));
    return real;
}

static struct flux_text wire_take_text(struct flux_wire_reader *reader, size_t size)
{
    const uint8_t *bytes = wire_take(reader, size);
    if (bytes == NULL)
        return (struct flux_text){.text = "", .size = 0};
    return (struct flux_text){.text = (const char *)bytes, .size = size};
}

struct flux_text flux_wire_get_text16(struct flux_wire_reader *reader)
{
    return wire_take_text(reader, flux_wire_get_u16(reader));
}

struct flux_text flux_wire_get_text32(struct flux_wire_reader *reader)
{
    return wire_take_text(reader, flux_wire_get_u32(reader));
}

struct flux_text flux_wire_get_rest(struct flux_wire_reader *reader)
{
    return wire_take_text(reader, (size_t)(reader->end - reader->next));
}

int flux_wire_reader_finish(const struct flux_wire_reader *reader)
{
    return reader->error != 0 || reader->next != reader->end ? -EPROTO : 0;
}

void flux_wire_writer_init(struct flux_wire_writer *writer, void *data, size_t capacity)
{
    *writer = (struct flux_wire_writer){.data = data, .capacity = capacity};
}

void flux_wire_put_bytes(struct flux_wire_writer *writer, const void *data, size_t size)
{
    if (writer->error != 0)
        return;
    if (size > writer->capacity - writer->size) {
        writer->error = -ENOBUFS;
        return;
    }
    if (size > 0)
        memcpy(writer->data + writer->size, data, size);
    writer->size += size;
}

void flux_wire_put_u8(struct flux_wire_writer *writer, uint8_t number)
{
    flux_wire_put_bytes(writer, &number, sizeof(number));
}

void flux_wire_put_u16(struct flux_wire_writer *writer, uint16_t number)
{
    number = htole16(number);
    flux_wire_put_bytes(writer, &number, sizeof(number));
}

void flux_wire_put_u32(struct flux_wire_writer *writer, uint32_t number)
{
    number = htole32(number);
    flux_wire_put_bytes(writer, &number, sizeof(number));
}

void flux_wire_put_u64(struct flux_wire_writer *writer, uint64_t number)
{
    number = htole64(number);
    flux_wire_put_bytes(writer, &number, sizeof(number));
}

void flux_wire_put_i64(struct flux_wire_writer *writer, int64_t number)
{
    flux_wire_put_u64(writer, (uint64_t)number);
}

void flux_wire_put_double(struct flux_wire_writer *writer, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof(bits));
    flux_wire_put_u64(writer, bits);
}

/* Texts that their length field cannot describe must not be cut silently. */
static void wire_put_text(struct flux_wire_writer *writer, struct flux_text text, size_t size_max)
{
    if (text.size > size_max && writer->error == 0)
        writer->error = -EMSGSIZE;
    flux_wire_put_bytes(writer, text.text, text.size);
}

void flux_wire_put_text16(struct flux_wire_writer *writer, struct flux_text text)
{
    flux_wire_put_u16(writer, (uint16_t)text.size);
    wire_put_text(writer, text, UINT16_MAX);
}

void flux_wire_put_text32(struct flux_wire_writer *writer, struct flux_text text)
{
    flux_wire_put_u32(writer, (uint32_t)text.size);
    wire_put_text(writer, text, UINT32_MAX);
}
