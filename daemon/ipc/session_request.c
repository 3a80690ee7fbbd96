#include "daemon/ipc/session_private.h"

#include <errno.h>

static const char *read_error_text(int error, size_t room)
{
    switch (error) {
    case -ENOENT:
        return "nothing is there";
    case -EOPNOTSUPP:
        return "this cannot be read yet";
    case -E2BIG:
        return room < SESSION_STREAM_BYTES_MAX
                   ? "too many large answers wait to be read at the moment; try again"
                   : "the answer is too long; ask for a part of it";
    default:
        return "the daemon is out of memory";
    }
}

/* Answer with what was written, or with why it could not be. Returns what it counts. */
static size_t answer_read(struct session *session, uint16_t handle, uint64_t request_id, int result,
                          size_t room, struct flux_json_writer *writer)
{
    size_t size = 0;
    char *text = result < 0 ? NULL : flux_json_writer_steal(writer, &size);
    flux_json_writer_clear(writer);
    if (text)
        session_begin_stream(session, request_id, handle, text, size);
    else
        session_put_failed(session, request_id, result < 0 ? -result : ENOMEM,
                           read_error_text(result, room));
    return SESSION_GET_OPERATIONS + size / SESSION_BYTES_PER_OPERATION;
}

size_t session_request_get(struct session *session, const struct flux_frame *frame)
{
    static const enum shadow_section sections[] = {
        [FLUX_SECTION_REPORTED] = SHADOW_SECTION_REPORTED,
        [FLUX_SECTION_DESIRED] = SHADOW_SECTION_DESIRED,
        [FLUX_SECTION_DELTA] = SHADOW_SECTION_DELTA,
    };
    struct flux_get get;
    if (flux_get_decode(frame, &get) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed GET");
        return 1;
    }
    const struct session_binding *binding =
        session_find_for_request(session, get.shadow, get.request_id, &get.path);
    if (!binding)
        return 1;
    struct access_paths paths;
    struct session_denial denial;
    if (session_denies_path(session, binding, ACCESS_SHOW, &get.path, &paths, &denial)) {
        session_put_denied(session, get.request_id, &denial);
        return 1;
    }
    const size_t room = session_stream_room(session);
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, room);
    const int r =
        shadow_write_shown(binding->shadow, sections[get.section], get.path.text, get.path.size,
                           access_is_all(&binding->grant) ? NULL : &paths.filter, &writer);
    return answer_read(session, get.shadow, get.request_id, r, room, &writer);
}

size_t session_request_keys(struct session *session, const struct flux_frame *frame, int64_t now_ms)
{
    struct flux_keys keys;
    if (flux_keys_decode(frame, &keys) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed KEYS");
        return 1;
    }
    const struct session_binding *binding =
        session_find_for_request(session, keys.shadow, keys.request_id, &keys.path);
    if (!binding)
        return 1;
    struct access_paths paths;
    struct session_denial denial;
    if (session_denies_path(session, binding, ACCESS_SHOW, &keys.path, &paths, &denial)) {
        session_put_denied(session, keys.request_id, &denial);
        return 1;
    }
    const size_t room = session_stream_room(session);
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, room);
    const int r =
        shadow_write_keys(binding->shadow, keys.path.text, keys.path.size,
                          access_is_all(&binding->grant) ? NULL : &paths.filter, now_ms, &writer);
    return answer_read(session, keys.shadow, keys.request_id, r, room, &writer);
}
