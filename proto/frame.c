#include "proto/frame.h"
#include <errno.h>

int flux_frame_next(const void *buffer, size_t size, size_t frame_bytes_max,
                    struct flux_frame *ret_frame)
{
    if (size == 0)
        return 0;
    const uint8_t *bytes = buffer;
    if (bytes[0] == 0 || bytes[0] == '{')
        return -EPROTO;
    if (size < FLUX_FRAME_HEADER_BYTES)
        return 0;

    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, buffer, size);
    struct flux_frame frame;
    frame.type = flux_wire_get_u8(&reader);
    frame.flags = flux_wire_get_u8(&reader);
    frame.shadow = flux_wire_get_u16(&reader);
    frame.size = flux_wire_get_u32(&reader);
    frame.payload = bytes + FLUX_FRAME_HEADER_BYTES;
    if (frame_bytes_max > FLUX_FRAME_BYTES_MAX)
        frame_bytes_max = FLUX_FRAME_BYTES_MAX;
    if (frame_bytes_max < FLUX_FRAME_HEADER_BYTES ||
        frame.size > frame_bytes_max - FLUX_FRAME_HEADER_BYTES)
        return -EMSGSIZE;
    if (frame.size > size - FLUX_FRAME_HEADER_BYTES)
        return 0;
    *ret_frame = frame;
    return (int)(FLUX_FRAME_HEADER_BYTES + frame.size);
}

size_t flux_frame_begin(struct flux_wire_writer *writer, uint8_t type, uint8_t flags,
                        uint16_t shadow)
{
    size_t start = writer->size;
    flux_wire_put_u8(writer, type);
    flux_wire_put_u8(writer, flags);
    flux_wire_put_u16(writer, shadow);
    flux_wire_put_u32(writer, 0);
    return start;
}

int flux_frame_end(struct flux_wire_writer *writer, size_t start)
{
    int error = writer->error;
    size_t end = writer->size;
    if (error == 0 && end - start > FLUX_FRAME_BYTES_MAX)
        error = -EMSGSIZE;
    if (error != 0) {
        writer->error = 0;
        writer->size = start;
        return error;
    }
    writer->size = start + 4;
    flux_wire_put_u32(writer, (uint32_t)(end - start - FLUX_FRAME_HEADER_BYTES));
    writer->size = end;
    return 0;
}
