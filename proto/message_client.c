#include "proto/limits.h"
#include "proto/message_code.h"

int flux_hello_encode(struct flux_wire_writer *writer, const struct flux_hello *hello)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_HELLO, 0, 0);
    flux_wire_put_u16(writer, hello->min_version);
    flux_wire_put_u16(writer, hello->max_version);
    flux_wire_put_u64(writer, hello->instance_id);
    flux_wire_put_text16(writer, hello->name);
    return flux_frame_end(writer, start);
}

int flux_hello_decode(const struct flux_frame *frame, struct flux_hello *ret_hello)
{
    /* Whatever a later version appends must not keep both ends from finding a common one. */
    if (frame->type != FLUX_MESSAGE_HELLO)
        return -EPROTO;
    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, frame->payload, frame->size);
    struct flux_hello hello;
    hello.min_version = flux_wire_get_u16(&reader);
    hello.max_version = flux_wire_get_u16(&reader);
    hello.instance_id = flux_wire_get_u64(&reader);
    hello.name = flux_wire_get_text16(&reader);
    if (reader.error != 0)
        return reader.error;
    if (hello.min_version == 0 || hello.min_version > hello.max_version ||
        hello.name.size > FLUX_CLIENT_NAME_MAX)
        return -EPROTO;
    *ret_hello = hello;
    return 0;
}

int flux_open_shadow_encode(struct flux_wire_writer *writer, const struct flux_open_shadow *open)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_OPEN_SHADOW, 0, open->handle);
    flux_wire_put_u64(writer, open->request_id);
    flux_wire_put_text16(writer, open->thing);
    flux_wire_put_text16(writer, open->shadow);
    return flux_frame_end(writer, start);
}

int flux_open_shadow_decode(const struct flux_frame *frame, struct flux_open_shadow *ret_open)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_OPEN_SHADOW, 0, &reader);
    if (r < 0)
        return r;
    struct flux_open_shadow open;
    open.handle = frame->shadow;
    open.request_id = flux_wire_get_u64(&reader);
    open.thing = flux_wire_get_text16(&reader);
    open.shadow = flux_wire_get_text16(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (open.handle == 0 || open.thing.size > FLUX_THING_NAME_MAX ||
        open.shadow.size > FLUX_SHADOW_NAME_MAX)
        return -EPROTO;
    *ret_open = open;
    return 0;
}

int flux_get_encode(struct flux_wire_writer *writer, const struct flux_get *get)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_GET, 0, get->shadow);
    flux_wire_put_u64(writer, get->request_id);
    flux_wire_put_u8(writer, (uint8_t)get->section);
    flux_wire_put_text16(writer, get->path);
    return flux_frame_end(writer, start);
}

int flux_get_decode(const struct flux_frame *frame, struct flux_get *ret_get)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_GET, 0, &reader);
    if (r < 0)
        return r;
    struct flux_get get;
    get.shadow = frame->shadow;
    get.request_id = flux_wire_get_u64(&reader);
    get.section = (enum flux_section)flux_wire_get_u8(&reader);
    get.path = flux_wire_get_text16(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (get.section < FLUX_SECTION_REPORTED || get.section > FLUX_SECTION_DELTA)
        return -EPROTO;
    *ret_get = get;
    return 0;
}

int flux_status_request_encode(struct flux_wire_writer *writer,
                               const struct flux_status_request *status)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_STATUS, 0, 0);
    flux_wire_put_u64(writer, status->request_id);
    return flux_frame_end(writer, start);
}

int flux_status_request_decode(const struct flux_frame *frame,
                               struct flux_status_request *ret_status)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_STATUS, &reader);
    if (r < 0)
        return r;
    uint64_t request_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        ret_status->request_id = request_id;
    return r;
}

int flux_flush_encode(struct flux_wire_writer *writer, const struct flux_flush *flush)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_FLUSH, 0, 0);
    flux_wire_put_u64(writer, flush->request_id);
    flux_wire_put_u8(writer, (uint8_t)flush->level);
    return flux_frame_end(writer, start);
}

int flux_flush_decode(const struct flux_frame *frame, struct flux_flush *ret_flush)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_FLUSH, &reader);
    if (r < 0)
        return r;
    struct flux_flush flush;
    flush.request_id = flux_wire_get_u64(&reader);
    flush.level = (enum flux_level)flux_wire_get_u8(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (!flux_level_is_valid(flush.level))
        return -EPROTO;
    *ret_flush = flush;
    return 0;
}
