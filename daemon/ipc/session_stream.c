#include "daemon/ipc/session_private.h"

#include <stdlib.h>

/* One DATA frame carries so much at most, so that answers of others come between. */
#define STREAM_CHUNK_BYTES 16384u

size_t session_stream_room(const struct session *session)
{
    const size_t held = session->host->stream_bytes;
    const size_t room = held < SESSION_STREAMS_BYTES_MAX ? SESSION_STREAMS_BYTES_MAX - held : 0;
    return room < SESSION_STREAM_BYTES_MAX ? room : SESSION_STREAM_BYTES_MAX;
}

void session_begin_stream(struct session *session, uint64_t request_id, uint16_t handle, char *text,
                          size_t size)
{
    session_end_stream(session);
    session->host->stream_bytes += size;
    session->stream.text = text;
    session->stream.size = size;
    session->stream.sent = 0;
    session->stream.request_id = request_id;
    session->stream.shadow = handle;
}

void session_put_stream(struct session *session)
{
    size_t chunk_max = session_frame_max(session) - FLUX_DATA_OVERHEAD_BYTES;
    if (chunk_max > STREAM_CHUNK_BYTES)
        chunk_max = STREAM_CHUNK_BYTES;

    while (session->stream.text && !session_output_is_full(session)) {
        const size_t rest = session->stream.size - session->stream.sent;
        const size_t chunk = rest < chunk_max ? rest : chunk_max;
        struct flux_wire_writer writer;
        if (!session_output_begin(session, FLUX_DATA_OVERHEAD_BYTES + chunk, &writer))
            return;
        const struct flux_data data = {
            .shadow = session->stream.shadow,
            .more = chunk < rest,
            .request_id = session->stream.request_id,
            .bytes = {session->stream.text + session->stream.sent, chunk},
        };
        session_output_end(session, &writer, flux_data_encode(&writer, &data));
        session->stream.sent += chunk;
        if (chunk == rest)
            session_end_stream(session);
    }
}

void session_end_stream(struct session *session)
{
    if (!session->stream.text)
        return;
    session->host->stream_bytes -= session->stream.size;
    free(session->stream.text);
    session->stream.text = NULL;
}
