#include "daemon/ipc/session_private.h"

#include <stdlib.h>
#include <string.h>

/* Room for any frame of ours but DATA: its fixed fields, a path and a text. */
#define FRAME_FIXED_BYTES 64u

static bool buffer_reserve(struct session_buffer *buffer, size_t size)
{
    if (buffer->begin == buffer->end) {
        buffer->begin = 0;
        buffer->end = 0;
    }
    if (buffer->capacity - buffer->end >= size)
        return true;
    const size_t held = buffer->end - buffer->begin;
    if (held > 0)
        memmove(buffer->data, buffer->data + buffer->begin, held);
    buffer->begin = 0;
    buffer->end = held;
    size_t capacity = buffer->capacity ? buffer->capacity : 1024;
    while (capacity - held < size)
        capacity *= 2;
    if (capacity == buffer->capacity)
        return true;
    uint8_t *data = realloc(buffer->data, capacity);
    if (!data)
        return false;
    buffer->data = data;
    buffer->capacity = capacity;
    return true;
}

bool session_output_begin(struct session *session, size_t size, struct flux_wire_writer *ret_writer)
{
    if (session->state == SESSION_BROKEN)
        return false;
    struct session_buffer *output = &session->output;
    if (!buffer_reserve(output, size)) {
        session->state = SESSION_BROKEN;
        return false;
    }
    flux_wire_writer_init(ret_writer, output->data + output->end, output->capacity - output->end);
    return true;
}

void session_output_end(struct session *session, const struct flux_wire_writer *writer, int result)
{
    /* All our frames fit into what was reserved; one that does not is a mistake of ours that must
     * not go unnoticed by the client. */
    if (result < 0)
        session->state = SESSION_BROKEN;
    else
        session->output.end += writer->size;
}

bool session_output_is_full(const struct session *session)
{
    return session->output.end - session->output.begin >= SESSION_OUTPUT_PAUSE_BYTES;
}

size_t session_output(const struct session *session, const void **ret_data)
{
    if (session->state == SESSION_BROKEN || session->output.begin == session->output.end)
        return 0;
    *ret_data = session->output.data + session->output.begin;
    return session->output.end - session->output.begin;
}

void session_sent(struct session *session, size_t size)
{
    struct session_buffer *output = &session->output;
    output->begin += size;
    if (output->begin < output->end)
        return;
    output->begin = 0;
    output->end = 0;
    if (output->capacity > 4096) { /* an idle client holds little */
        free(output->data);
        *output = (struct session_buffer){0};
    }
}

void session_put_answer(struct session *session, uint16_t handle, enum flux_level level,
                        const struct session_range *range)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES, &writer))
        return;
    const struct flux_answer answer = {
        .shadow = handle,
        .level = level,
        .first_id = range->first_id,
        .last_id = range->last_id,
        .version = level == FLUX_LEVEL_ACCEPTED && range->version > 0 ? range->version : 0,
        .deadband = level == FLUX_LEVEL_ACCEPTED && range->deadband,
    };
    session_output_end(session, &writer, flux_answer_encode(&writer, &answer));
}

void session_put_rejected(struct session *session, uint16_t handle, uint64_t first_id,
                          uint64_t last_id, int code, const char *path, const char *text)
{
    session->rejected++;
    session->host->counters.reports_rejected++;
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES + strlen(path) + strlen(text), &writer))
        return;
    const struct flux_rejected rejected = {
        .shadow = handle,
        .first_id = first_id,
        .last_id = last_id,
        .code = (uint32_t)code,
        .path = flux_text(path),
        .text = flux_text(text),
    };
    session_output_end(session, &writer, flux_rejected_encode(&writer, &rejected));
}

void session_put_safe(struct session *session, uint16_t handle, uint64_t last_id)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES, &writer))
        return;
    const struct flux_safe safe = {.shadow = handle, .last_id = last_id};
    session_output_end(session, &writer, flux_safe_encode(&writer, &safe));
}

void session_put_done(struct session *session, uint64_t request_id)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES, &writer))
        return;
    const struct flux_done done = {.request_id = request_id};
    session_output_end(session, &writer, flux_done_encode(&writer, &done));
}

void session_put_failed(struct session *session, uint64_t request_id, int code, const char *text)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES + strlen(text), &writer))
        return;
    const struct flux_failed failed = {
        .request_id = request_id,
        .code = (uint32_t)code,
        .text = flux_text(text),
    };
    session_output_end(session, &writer, flux_failed_encode(&writer, &failed));
}

void session_put_opened(struct session *session, uint16_t handle, uint64_t request_id)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES, &writer))
        return;
    const struct flux_opened opened = {.handle = handle, .request_id = request_id};
    session_output_end(session, &writer, flux_opened_encode(&writer, &opened));
}

void session_put_welcome(struct session *session, uint16_t version)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES, &writer))
        return;
    session->max_frame_bytes = session->host->max_frame_bytes;
    const struct flux_welcome welcome = {
        .version = version,
        .instance_id = session->host->instance_id,
        .flags = session->host->durable ? FLUX_WELCOME_DURABLE : 0,
        .max_frame_bytes = session->max_frame_bytes,
        .max_depth = session->host->max_depth,
    };
    session_output_end(session, &writer, flux_welcome_encode(&writer, &welcome));
}

void session_put_goodbye(struct session *session, enum flux_goodbye_code code, const char *text)
{
    struct flux_wire_writer writer;
    if (!session_output_begin(session, FRAME_FIXED_BYTES + strlen(text), &writer))
        return;
    const struct flux_goodbye goodbye = {.code = code, .text = flux_text(text)};
    session_output_end(session, &writer, flux_goodbye_encode(&writer, &goodbye));
}

void session_put_desired(struct session *session, const struct flux_desired *desired)
{
    const bool is_text =
        desired->value.type == FLUX_VALUE_STRING || desired->value.type == FLUX_VALUE_ARRAY;
    const size_t size =
        FLUX_DESIRED_OVERHEAD_BYTES + 8 + desired->path.size + (is_text ? desired->value.size : 0);
    if (size > session_frame_max(session) || desired->path.size > FLUX_PATH_BYTES_MAX) {
        session->host->counters.wishes_too_long++; /* it can be read with GET */
        return;
    }
    struct flux_wire_writer writer;
    if (!session_output_begin(session, size, &writer))
        return;
    session_output_end(session, &writer, flux_desired_encode(&writer, desired));
    session->host->counters.wishes_told++;
}
