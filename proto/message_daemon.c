#include "proto/message_code.h"

int flux_welcome_encode(struct flux_wire_writer *writer, const struct flux_welcome *welcome)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_WELCOME, 0, 0);
    flux_wire_put_u16(writer, welcome->version);
    flux_wire_put_u64(writer, welcome->instance_id);
    flux_wire_put_u32(writer, welcome->flags);
    flux_wire_put_u32(writer, welcome->max_frame_bytes);
    flux_wire_put_u32(writer, welcome->max_depth);
    return flux_frame_end(writer, start);
}

int flux_welcome_decode(const struct flux_frame *frame, struct flux_welcome *ret_welcome)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_WELCOME, &reader);
    if (r < 0)
        return r;
    struct flux_welcome welcome;
    welcome.version = flux_wire_get_u16(&reader);
    welcome.instance_id = flux_wire_get_u64(&reader);
    welcome.flags = flux_wire_get_u32(&reader);
    welcome.max_frame_bytes = flux_wire_get_u32(&reader);
    welcome.max_depth = flux_wire_get_u32(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_welcome = welcome;
    return r;
}

int flux_opened_encode(struct flux_wire_writer *writer, const struct flux_opened *opened)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_OPENED, 0, opened->handle);
    flux_wire_put_u64(writer, opened->request_id);
    return flux_frame_end(writer, start);
}

int flux_opened_decode(const struct flux_frame *frame, struct flux_opened *ret_opened)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_OPENED, 0, &reader);
    if (r < 0)
        return r;
    struct flux_opened opened;
    opened.handle = frame->shadow;
    opened.request_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (opened.handle == 0)
        return -EPROTO;
    *ret_opened = opened;
    return 0;
}

int flux_answer_encode(struct flux_wire_writer *writer, const struct flux_answer *answer)
{
    uint8_t flags = answer->deadband ? FLUX_ANSWER_DEADBAND : 0;
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_ANSWER, flags, answer->shadow);
    flux_wire_put_u8(writer, (uint8_t)answer->level);
    flux_wire_put_u64(writer, answer->first_id);
    flux_wire_put_u64(writer, answer->last_id);
    flux_wire_put_i64(writer, answer->version);
    return flux_frame_end(writer, start);
}

int flux_answer_decode(const struct flux_frame *frame, struct flux_answer *ret_answer)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_ANSWER, FLUX_ANSWER_DEADBAND, &reader);
    if (r < 0)
        return r;
    struct flux_answer answer;
    answer.shadow = frame->shadow;
    answer.level = (enum flux_level)flux_wire_get_u8(&reader);
    answer.first_id = flux_wire_get_u64(&reader);
    answer.last_id = flux_wire_get_u64(&reader);
    answer.version = flux_wire_get_i64(&reader);
    answer.deadband = (frame->flags & FLUX_ANSWER_DEADBAND) != 0;
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (!flux_level_is_valid(answer.level) || answer.first_id > answer.last_id)
        return -EPROTO;
    if (answer.deadband && answer.level != FLUX_LEVEL_ACCEPTED)
        return -EPROTO;
    *ret_answer = answer;
    return 0;
}

int flux_rejected_encode(struct flux_wire_writer *writer, const struct flux_rejected *rejected)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_REJECTED, 0, rejected->shadow);
    flux_wire_put_u64(writer, rejected->first_id);
    flux_wire_put_u64(writer, rejected->last_id);
    flux_wire_put_u32(writer, rejected->code);
    flux_wire_put_text16(writer, rejected->path);
    flux_wire_put_text16(writer, rejected->text);
    return flux_frame_end(writer, start);
}

int flux_rejected_decode(const struct flux_frame *frame, struct flux_rejected *ret_rejected)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_REJECTED, 0, &reader);
    if (r < 0)
        return r;
    struct flux_rejected rejected;
    rejected.shadow = frame->shadow;
    rejected.first_id = flux_wire_get_u64(&reader);
    rejected.last_id = flux_wire_get_u64(&reader);
    rejected.code = flux_wire_get_u32(&reader);
    rejected.path = flux_wire_get_text16(&reader);
    rejected.text = flux_wire_get_text16(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r < 0)
        return r;
    if (rejected.first_id > rejected.last_id)
        return -EPROTO;
    *ret_rejected = rejected;
    return 0;
}

int flux_safe_encode(struct flux_wire_writer *writer, const struct flux_safe *safe)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_SAFE, 0, safe->shadow);
    flux_wire_put_u64(writer, safe->last_id);
    return flux_frame_end(writer, start);
}

int flux_safe_decode(const struct flux_frame *frame, struct flux_safe *ret_safe)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_SAFE, 0, &reader);
    if (r < 0)
        return r;
    struct flux_safe safe;
    safe.shadow = frame->shadow;
    safe.last_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_safe = safe;
    return r;
}

int flux_data_encode(struct flux_wire_writer *writer, const struct flux_data *data)
{
    uint8_t flags = data->more ? FLUX_DATA_MORE : 0;
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_DATA, flags, data->shadow);
    flux_wire_put_u64(writer, data->request_id);
    flux_wire_put_bytes(writer, data->bytes.text, data->bytes.size);
    return flux_frame_end(writer, start);
}

int flux_data_decode(const struct flux_frame *frame, struct flux_data *ret_data)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_DATA, FLUX_DATA_MORE, &reader);
    if (r < 0)
        return r;
    struct flux_data data;
    data.shadow = frame->shadow;
    data.more = (frame->flags & FLUX_DATA_MORE) != 0;
    data.request_id = flux_wire_get_u64(&reader);
    data.bytes = flux_wire_get_rest(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_data = data;
    return r;
}

int flux_done_encode(struct flux_wire_writer *writer, const struct flux_done *done)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_DONE, 0, 0);
    flux_wire_put_u64(writer, done->request_id);
    return flux_frame_end(writer, start);
}

int flux_done_decode(const struct flux_frame *frame, struct flux_done *ret_done)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_DONE, &reader);
    if (r < 0)
        return r;
    uint64_t request_id = flux_wire_get_u64(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        ret_done->request_id = request_id;
    return r;
}

int flux_failed_encode(struct flux_wire_writer *writer, const struct flux_failed *failed)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_FAILED, 0, 0);
    flux_wire_put_u64(writer, failed->request_id);
    flux_wire_put_u32(writer, failed->code);
    flux_wire_put_text16(writer, failed->text);
    return flux_frame_end(writer, start);
}

int flux_failed_decode(const struct flux_frame *frame, struct flux_failed *ret_failed)
{
    struct flux_wire_reader reader;
    int r = flux_message_open_plain(frame, FLUX_MESSAGE_FAILED, &reader);
    if (r < 0)
        return r;
    struct flux_failed failed;
    failed.request_id = flux_wire_get_u64(&reader);
    failed.code = flux_wire_get_u32(&reader);
    failed.text = flux_wire_get_text16(&reader);
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_failed = failed;
    return r;
}

int flux_desired_encode(struct flux_wire_writer *writer, const struct flux_desired *desired)
{
    bool differs = desired->value.type != FLUX_VALUE_NONE;
    unsigned flags = (differs ? FLUX_DESIRED_DIFFERS : 0) |
                     (desired->stale ? FLUX_DESIRED_STALE : 0) |
                     (desired->complete ? FLUX_DESIRED_COMPLETE : 0);
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_DESIRED, (uint8_t)flags, desired->shadow);
    flux_wire_put_u64(writer, desired->request_id);
    flux_wire_put_i64(writer, desired->version);
    flux_wire_put_u8(writer, (uint8_t)desired->value.type);
    flux_wire_put_text16(writer, desired->path);
    flux_message_put_value(writer, &desired->value);
    return flux_frame_end(writer, start);
}

int flux_desired_decode(const struct flux_frame *frame, struct flux_desired *ret_desired)
{
    struct flux_wire_reader reader;
    int r = flux_message_open(frame, FLUX_MESSAGE_DESIRED,
                              FLUX_DESIRED_DIFFERS | FLUX_DESIRED_STALE | FLUX_DESIRED_COMPLETE,
                              &reader);
    if (r < 0)
        return r;
    const bool differs = (frame->flags & FLUX_DESIRED_DIFFERS) != 0;
    struct flux_desired desired;
    desired.shadow = frame->shadow;
    desired.stale = (frame->flags & FLUX_DESIRED_STALE) != 0;
    desired.complete = (frame->flags & FLUX_DESIRED_COMPLETE) != 0;
    desired.request_id = flux_wire_get_u64(&reader);
    desired.version = flux_wire_get_i64(&reader);
    const uint8_t type = flux_wire_get_u8(&reader);
    desired.path = flux_wire_get_text16(&reader);
    desired.value = (struct flux_value){.type = FLUX_VALUE_NONE};
    if (differs ? !flux_message_get_value(&reader, type, &desired.value) : type != FLUX_VALUE_NONE)
        return -EPROTO;
    if (desired.complete && (differs || desired.path.size > 0))
        return -EPROTO;
    r = flux_wire_reader_finish(&reader);
    if (r == 0)
        *ret_desired = desired;
    return r;
}

int flux_goodbye_encode(struct flux_wire_writer *writer, const struct flux_goodbye *goodbye)
{
    size_t start = flux_frame_begin(writer, FLUX_MESSAGE_GOODBYE, 0, 0);
    flux_wire_put_u32(writer, (uint32_t)goodbye->code);
    flux_wire_put_text16(writer, goodbye->text);
    return flux_frame_end(writer, start);
}

int flux_goodbye_decode(const struct flux_frame *frame, struct flux_goodbye *ret_goodbye)
{
    /* It may come before a version is agreed on: what a later one appends does not matter. */
    if (frame->type != FLUX_MESSAGE_GOODBYE)
        return -EPROTO;
    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, frame->payload, frame->size);
    struct flux_goodbye goodbye;
    goodbye.code = (enum flux_goodbye_code)flux_wire_get_u32(&reader);
    goodbye.text = flux_wire_get_text16(&reader);
    if (reader.error != 0)
        return reader.error;
    *ret_goodbye = goodbye;
    return 0;
}
