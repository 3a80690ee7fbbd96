#include "daemon/ipc/session_private.h"

#include "proto/path.h"
#include <errno.h>
#include <stdio.h>

/* Longest document that GET answers with. */
#define GET_BYTES_MAX (4u * 1024 * 1024)

static void text_copy(char *ret_text, size_t size, const struct flux_text *text)
{
    (void)snprintf(ret_text, size, "%.*s", (int)text->size, text->text ? text->text : "");
}

void session_request_shadow(struct session *session, const struct flux_frame *frame)
{
    struct flux_open_shadow open;
    if (flux_open_shadow_decode(frame, &open) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed OPEN_SHADOW");
        return;
    }
    if (open.handle == 0 || session_find_binding(session, open.handle)) {
        session_put_failed(session, open.request_id, EEXIST, "this handle is taken");
        return;
    }
    char thing[FLUX_THING_NAME_MAX + 1], name[FLUX_SHADOW_NAME_MAX + 1];
    if (open.thing.size >= sizeof(thing) || open.shadow.size >= sizeof(name)) {
        session_put_failed(session, open.request_id, EINVAL,
                           "a thing's or shadow's name is too long");
        return;
    }
    text_copy(thing, sizeof(thing), &open.thing);
    text_copy(name, sizeof(name), &open.shadow);
    struct shadow *shadow;
    int r = thing_open_shadow(session->host->thing, thing, name, &shadow);
    if (r == 0 && (r = session_bind(session, open.handle, shadow)) < 0)
        thing_close_shadow(session->host->thing, shadow);
    if (r == 0)
        session_put_opened(session, open.handle, open.request_id);
    else
        session_put_failed(session, open.request_id, -r,
                           r == -EACCES
                               ? "this daemon may not report for that thing; see [Thing] Extra"
                           : r == -ENOSPC  ? "no more shadows can be used; see [Updates] MaxShadows"
                           : r == -EINVAL  ? "not a name that AWS IoT allows"
                           : r == -ENOBUFS ? "too many shadows on one connection"
                                           : "the daemon is out of memory");
}

static const char *get_error_text(int error)
{
    switch (error) {
    case -ENOENT:
        return "nothing is there";
    case -ENOTSUP:
        return "only the reported section can be read yet";
    case -E2BIG:
        return "the document is too large to be read whole; ask for a part of it";
    default:
        return "the daemon is out of memory";
    }
}

void session_request_get(struct session *session, const struct flux_frame *frame)
{
    static const enum shadow_section sections[] = {
        [FLUX_SECTION_REPORTED] = SHADOW_SECTION_REPORTED,
        [FLUX_SECTION_DESIRED] = SHADOW_SECTION_DESIRED,
        [FLUX_SECTION_DELTA] = SHADOW_SECTION_DELTA,
    };
    struct flux_get get;
    if (flux_get_decode(frame, &get) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed GET");
        return;
    }
    const struct session_binding *binding = session_find_binding(session, get.shadow);
    if (!binding) {
        session_put_failed(session, get.request_id, EBADF, "this shadow handle is not open");
        return;
    }
    if (get.path.size > 0) {
        const enum flux_path_error error = flux_path_check(get.path.text, get.path.size, NULL);
        if (error != FLUX_PATH_OK) {
            session_put_failed(session, get.request_id, EINVAL, flux_path_strerror(error));
            return;
        }
    }
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, GET_BYTES_MAX);
    const int r =
        shadow_write(binding->shadow, sections[get.section], get.path.text, get.path.size, &writer);
    size_t size = 0;
    char *text = r < 0 ? NULL : flux_json_writer_steal(&writer, &size);
    flux_json_writer_clear(&writer);
    if (text)
        session_begin_stream(session, get.request_id, get.shadow, text, size);
    else
        session_put_failed(session, get.request_id, r < 0 ? -r : ENOMEM, get_error_text(r));
}

void session_request_status(struct session *session, const struct flux_frame *frame)
{
    struct flux_status_request request;
    if (flux_status_request_decode(frame, &request) < 0 || request.request_id == 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed STATUS");
        return;
    }
    session->status_request_id = request.request_id;
}

void session_request_flush(struct session *session, const struct flux_frame *frame, int64_t now_ms)
{
    struct flux_flush flush;
    if (flux_flush_decode(frame, &flush) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed FLUSH");
        return;
    }
    if (flush.level == FLUX_LEVEL_STORED && !session->host->durable) {
        session_put_failed(session, flush.request_id, EOPNOTSUPP,
                           "nothing is ever stored: the daemon's storage is volatile");
        return;
    }
    if (session->flush_count == SESSION_FLUSHES_MAX) {
        session_put_failed(session, flush.request_id, ENOBUFS, "too many flushes at a time");
        return;
    }
    struct shadow *shadow = session->bindings[0].shadow;
    session->flushes[session->flush_count++] = (struct session_flush){
        .request_id = flush.request_id,
        .level = flush.level,
        .revision = shadow_newest_revision(shadow),
    };
    /* Whoever only hands over does not ask for an update of its own, which costs. */
    if (flush.level == FLUX_LEVEL_ACCEPTED)
        shadow_flush(shadow, now_ms);
}

static bool flush_is_done(const struct session *session, const struct session_flush *flush)
{
    const struct shadow *shadow = session->bindings[0].shadow;
    switch (flush->level) {
    case FLUX_LEVEL_QUEUED:
        return true;
    case FLUX_LEVEL_STORED:
        return shadow_stored_revision(shadow) >= flush->revision;
    case FLUX_LEVEL_ACCEPTED:
        return shadow_settled_revision(shadow) >= flush->revision;
    }
    return true;
}

void session_settle_flushes(struct session *session)
{
    size_t kept = 0;
    for (size_t i = 0; i < session->flush_count; i++) {
        if (flush_is_done(session, &session->flushes[i]))
            session_put_done(session, session->flushes[i].request_id);
        else
            session->flushes[kept++] = session->flushes[i];
    }
    session->flush_count = kept;
}
