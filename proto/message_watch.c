#include "proto/message_code.h"

/* What requests about a part of a shadow are made of: u64 request id, text16 path. */
struct path_request {
    uint64_t request_id;
    struct flux_text path;
};

static int path_request_encode(struct flux_wire_writer *writer, enum flux_message_type type,
                               uint16_t shadow, uint64_t request_id, struct flux_text path)
{
    size_t start = flux_frame_begin(writer, (uint8_t)type, 0, shadow);
    flux_wire_put_u64(writer, request_id);
    flux_wire_put_text16(writer, path);
    return flux_frame_end(writer, start);
}

static int path_request_decode(const struct flux_frame *frame, enum flux_message_type type,
                               struct path_request *ret_request)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, type, 0, &reader);
    if (r < 0)
        return r;
    ret_request->request_id = flux_wire_get_u64(&reader);
    ret_request->path = flux_wire_get_text16(&reader);
    return flux_wire_reader_finish(&reader);
}

int flux_watch_encode(struct flux_wire_writer *writer, const struct flux_watch *watch)
{
    return path_request_encode(writer, FLUX_MESSAGE_WATCH, watch->shadow, watch->request_id,
                               watch->path);
}

int flux_watch_decode(const struct flux_frame *frame, struct flux_watch *ret_watch)
{
    struct path_request request;
    int r = path_request_decode(frame, FLUX_MESSAGE_WATCH, &request);
    if (r < 0)
        return r;
    *ret_watch = (struct flux_watch){frame->shadow, request.request_id, request.path};
    return 0;
}

int flux_unwatch_encode(struct flux_wire_writer *writer, const struct flux_unwatch *unwatch)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_UNWATCH, 0, unwatch->shadow);
    flux_wire_put_u64(writer, unwatch->request_id);
    return flux_frame_end(writer, start);
}

int flux_unwatch_decode(const struct flux_frame *frame, struct flux_unwatch *ret_unwatch)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_UNWATCH, 0, &reader);
    if (r < 0)
        return r;
    uint64_t request_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_unwatch = (struct flux_unwatch){frame->shadow, request_id};
    return r;
}

int flux_keys_encode(struct flux_wire_writer *writer, const struct flux_keys *keys)
{
    return path_request_encode(writer, FLUX_MESSAGE_KEYS, keys->shadow, keys->request_id,
                               keys->path);
}

int flux_keys_decode(const struct flux_frame *frame, struct flux_keys *ret_keys)
{
    struct path_request request;
    int r = path_request_decode(frame, FLUX_MESSAGE_KEYS, &request);
    if (r < 0)
        return r;
    *ret_keys = (struct flux_keys){frame->shadow, request.request_id, request.path};
    return 0;
}

int flux_forget_encode(struct flux_wire_writer *writer, const struct flux_forget *forget)
{
    return path_request_encode(writer, FLUX_MESSAGE_FORGET, forget->shadow, forget->request_id,
                               forget->path);
}

int flux_forget_decode(const struct flux_frame *frame, struct flux_forget *ret_forget)
{
    struct path_request request;
    int r = path_request_decode(frame, FLUX_MESSAGE_FORGET, &request);
    if (r < 0)
        return r;
    *ret_forget = (struct flux_forget){frame->shadow, request.request_id, request.path};
    return 0;
}

int flux_reset_encode(struct flux_wire_writer *writer, const struct flux_reset *reset)
{
    uint8_t flags = reset->all ? FLUX_RESET_ALL : 0;
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_RESET, flags, reset->shadow);
    flux_wire_put_u64(writer, reset->request_id);
    return flux_frame_end(writer, start);
}

int flux_reset_decode(const struct flux_frame *frame, struct flux_reset *ret_reset)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_RESET, FLUX_RESET_ALL, &reader);
    if (r < 0)
        return r;
    struct flux_reset reset;
    reset.shadow = frame->shadow;
    reset.all = (frame->flags & FLUX_RESET_ALL) != 0;
    reset.request_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_reset = reset;
    return r;
}

int flux_bye_encode(struct flux_wire_writer *writer)
{
    return flux_frame_end(writer, flux_frame_begin(writer, FLUX_MESSAGE_BYE, 0, 0));
}

int flux_bye_decode(const struct flux_frame *frame)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_BYE, &reader);
    return r < 0 ? r : flux_wire_reader_finish(&reader);
}
