#include "proto/message_code.h"

int flux_history_request_encode(struct flux_wire_writer *writer,
                                const struct flux_history_request *history)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_HISTORY, 0, 0);
    flux_wire_put_u64(writer, history->request_id);
    return flux_frame_end(writer, start);
}

int flux_history_request_decode(const struct flux_frame *frame,
                                struct flux_history_request *ret_history)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_HISTORY, &reader);
    if (r < 0)
        return r;
    uint64_t request_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        ret_history->request_id = request_id;
    return r;
}

int flux_admin_encode(struct flux_wire_writer *writer, const struct flux_admin *admin)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_ADMIN, 0, 0);
    flux_wire_put_u64(writer, admin->request_id);
    flux_wire_put_u8(writer, (uint8_t)admin->action);
    flux_wire_put_u32(writer, admin->argument);
    flux_wire_put_u32(writer, admin->duration_sec);
    return flux_frame_end(writer, start);
}

int flux_admin_decode(const struct flux_frame *frame, struct flux_admin *ret_admin)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_ADMIN, &reader);
    if (r < 0)
        return r;
    struct flux_admin admin;
    admin.request_id = flux_wire_get_u64(&reader);
    admin.action = (enum flux_admin_action)flux_wire_get_u8(&reader);
    admin.argument = flux_wire_get_u32(&reader);
    admin.duration_sec = flux_wire_get_u32(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (admin.action == 0)
        return -EPROTO;
    *ret_admin = admin;
    return 0;
}
