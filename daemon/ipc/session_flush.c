#include "daemon/ipc/session_private.h"

#include <errno.h>
#include <stdlib.h>

static void flush_clear(struct session *session, struct session_flush *flush)
{
    for (size_t i = 0; i < flush->count; i++)
        thing_close_shadow(session->host->thing, flush->parts[i].shadow);
    free(flush->parts);
    *flush = (struct session_flush){0};
}

static uint64_t reached_revision(const struct shadow *shadow, enum flux_level level)
{
    switch (level) {
    case FLUX_LEVEL_QUEUED:
        break;
    case FLUX_LEVEL_STORED:
        return shadow_stored_revision(shadow);
    case FLUX_LEVEL_ACCEPTED:
        return shadow_settled_revision(shadow);
    }
    return UINT64_MAX;
}

/* Note the shadows that have something on the way. Each is held, so that it stays what it is until
 * it is through. */
static int flush_gather(struct session *session, struct session_flush *flush)
{
    struct thing *thing = session->host->thing;
    size_t capacity = 0;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        const uint64_t revision = shadow_newest_revision(shadow);
        if (reached_revision(shadow, flush->level) >= revision)
            continue;
        if (flush->count == capacity) {
            capacity = capacity ? capacity * 2 : 4;
            struct session_flush_part *parts =
                realloc(flush->parts, capacity * sizeof(*flush->parts));
            if (!parts)
                return -ENOMEM;
            flush->parts = parts;
        }
        if (flush->level == FLUX_LEVEL_STORED)
            shadow_ask_stored(shadow, revision);
        thing_hold_shadow(thing, shadow);
        flush->parts[flush->count++] = (struct session_flush_part){shadow, revision};
    }
    return 0;
}

void session_request_flush(struct session *session, const struct flux_frame *frame, int64_t now_ms)
{
    struct flux_flush request;
    if (flux_flush_decode(frame, &request) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed FLUSH");
        return;
    }
    if (request.level == FLUX_LEVEL_STORED && !session->host->durable) {
        session_put_failed(session, request.request_id, EOPNOTSUPP, session_volatile_text(session));
        return;
    }
    struct session_denial denial;
    if (session_denies_right(session, ACCESS_REPORT, &denial)) {
        session_put_denied(session, request.request_id, &denial);
        return;
    }
    if (session->flush_count == SESSION_FLUSHES_MAX) {
        session_put_failed(session, request.request_id, ENOBUFS, "too many flushes at a time");
        return;
    }
    struct session_flush flush = {.request_id = request.request_id, .level = request.level};
    if (flush_gather(session, &flush) < 0) {
        flush_clear(session, &flush);
        session_put_failed(session, request.request_id, ENOMEM, "the daemon is out of memory");
        return;
    }
    session->flushes[session->flush_count++] = flush;
    /* Whoever only hands over does not ask for an update of its own, which costs. */
    if (request.level == FLUX_LEVEL_ACCEPTED)
        thing_flush(session->host->thing, now_ms);
}

/* Let go what is through. Returns true if that is all. */
static bool flush_is_done(struct session *session, struct session_flush *flush)
{
    size_t kept = 0;
    for (size_t i = 0; i < flush->count; i++) {
        const struct session_flush_part part = flush->parts[i];
        if (reached_revision(part.shadow, flush->level) >= part.revision)
            thing_close_shadow(session->host->thing, part.shadow);
        else
            flush->parts[kept++] = part;
    }
    flush->count = kept;
    return kept == 0;
}

void session_settle_flushes(struct session *session)
{
    size_t kept = 0;
    for (size_t i = 0; i < session->flush_count; i++) {
        struct session_flush *flush = &session->flushes[i];
        if (!flush_is_done(session, flush)) {
            session->flushes[kept++] = *flush;
            continue;
        }
        session_put_done(session, flush->request_id);
        flush_clear(session, flush);
    }
    session->flush_count = kept;
}

void session_clear_flushes(struct session *session)
{
    for (size_t i = 0; i < session->flush_count; i++)
        flush_clear(session, &session->flushes[i]);
    session->flush_count = 0;
}
