#include "proto/message_code.h"

/* An operation: u8 kind, u8 value type, u16 + path, and what the type needs. */

int flux_report_begin(struct flux_report_encoder *encoder, struct flux_wire_writer *writer,
                      size_t frame_bytes_max, const struct flux_report *report)
{
    uint8_t flags = report->resent ? FLUX_REPORT_RESENT : 0;
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_REPORT, flags, report->shadow);
    flux_wire_put_u64(writer, report->request_id);
    flux_wire_put_u8(writer, (uint8_t)report->level);
    if (report->resent)
        flux_wire_put_i64(writer, report->set_us);
    int r = flux_frame_end(writer, start);
    if (r < 0)
        return r;
    *encoder = (struct flux_report_encoder){
        .writer = writer,
        .start = start,
        .frame_bytes_max = frame_bytes_max,
    };
    return 0;
}

static int report_add(struct flux_report_encoder *encoder, enum flux_operation kind,
                      const char *path, size_t path_size, const struct flux_value *value)
{
    struct flux_wire_writer *writer = encoder->writer;
    size_t before = writer->size;
    flux_wire_put_u8(writer, (uint8_t)kind);
    flux_wire_put_u8(writer, (uint8_t)value->type);
    flux_wire_put_text16(writer, (struct flux_text){.text = path, .size = path_size});
    flux_message_put_value(writer, value);
    int r = writer->error;
    if (r == 0 && writer->size - encoder->start > encoder->frame_bytes_max)
        r = -EMSGSIZE;
    if (r < 0) {
        writer->error = 0;
        writer->size = before;
        return r;
    }
    encoder->operation_count++;
    return 0;
}

int flux_report_add_set(struct flux_report_encoder *encoder, const char *path, size_t path_size,
                        const struct flux_value *value)
{
    if (value->type == FLUX_VALUE_NONE)
        return -EINVAL;
    return report_add(encoder, FLUX_SET, path, path_size, value);
}

int flux_report_add_unset(struct flux_report_encoder *encoder, const char *path, size_t path_size)
{
    const struct flux_value none = {.type = FLUX_VALUE_NONE};
    return report_add(encoder, FLUX_UNSET, path, path_size, &none);
}

int flux_report_add_settle(struct flux_report_encoder *encoder, const char *path, size_t path_size)
{
    const struct flux_value none = {.type = FLUX_VALUE_NONE};
    return report_add(encoder, FLUX_SETTLE, path, path_size, &none);
}

int flux_report_end(struct flux_report_encoder *encoder)
{
    return flux_frame_end(encoder->writer, encoder->start);
}

void flux_report_cancel(struct flux_report_encoder *encoder)
{
    encoder->writer->size = encoder->start;
}

int flux_report_decode(const struct flux_frame *frame, struct flux_report *ret_report,
                       struct flux_wire_reader *ret_operations)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_REPORT, FLUX_REPORT_RESENT, &reader);
    if (r < 0)
        return r;
    struct flux_report report;
    report.shadow = frame->shadow;
    report.request_id = flux_wire_get_u64(&reader);
    report.level = (enum flux_level)flux_wire_get_u8(&reader);
    report.resent = (frame->flags & FLUX_REPORT_RESENT) != 0;
    report.set_us = report.resent ? flux_wire_get_i64(&reader) : 0;
    if (reader.error != 0 || !flux_level_is_valid(report.level))
        return -EPROTO;
    *ret_report = report;
    *ret_operations = reader;
    return 0;
}

int flux_will_begin(struct flux_report_encoder *encoder, struct flux_wire_writer *writer,
                    size_t frame_bytes_max, const struct flux_will *will)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_WILL, 0, will->shadow);
    flux_wire_put_u64(writer, will->request_id);
    int r = flux_frame_end(writer, start);
    if (r < 0)
        return r;
    *encoder = (struct flux_report_encoder){
        .writer = writer,
        .start = start,
        .frame_bytes_max = frame_bytes_max,
    };
    return 0;
}

int flux_will_decode(const struct flux_frame *frame, struct flux_will *ret_will,
                     struct flux_wire_reader *ret_operations)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_WILL, 0, &reader);
    if (r < 0)
        return r;
    const struct flux_will will = {
        .shadow = frame->shadow,
        .request_id = flux_wire_get_u64(&reader),
    };
    if (reader.error != 0)
        return reader.error;
    *ret_will = will;
    *ret_operations = reader;
    return 0;
}

int flux_report_next(struct flux_wire_reader *operations, struct flux_change *ret_change)
{
    if (operations->next == operations->end)
        return operations->error;
    uint8_t kind = flux_wire_get_u8(operations);
    uint8_t type = flux_wire_get_u8(operations);
    struct flux_text path = flux_wire_get_text16(operations);
    struct flux_value value = {.type = FLUX_VALUE_NONE};
    bool is_known = kind == FLUX_SET
                        ? flux_message_get_value(operations, type, &value)
                        : (kind == FLUX_UNSET || kind == FLUX_SETTLE) && type == FLUX_VALUE_NONE;
    if (!is_known || operations->error != 0) {
        operations->error = -EPROTO;
        operations->next = operations->end;
        return -EPROTO;
    }
    *ret_change = (struct flux_change){
        .kind = (enum flux_operation)kind,
        .path = path.text,
        .path_size = path.size,
        .value = value,
    };
    return 1;
}
