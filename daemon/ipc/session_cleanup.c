#include "daemon/ipc/session_private.h"

#include <errno.h>

size_t session_request_forget(struct session *session, const struct flux_frame *frame,
                              int64_t now_ms)
{
    struct flux_forget forget;
    if (flux_forget_decode(frame, &forget) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed FORGET");
        return 1;
    }
    struct session_binding *binding =
        session_find_for_request(session, forget.shadow, forget.request_id, &forget.path);
    if (!binding)
        return 1;
    struct session_denial denial;
    if (session_denies_removal(session, &binding->grant, binding->shadow, &forget.path, &denial)) {
        session_put_denied(session, forget.request_id, &denial);
        return SESSION_GET_OPERATIONS;
    }
    const int r = shadow_forget(binding->shadow, forget.path.text, forget.path.size, now_ms);
    if (r == 0)
        session_put_done(session, forget.request_id);
    else
        session_put_failed(session, forget.request_id, -r,
                           r == -ENOENT ? "nothing that was reported from here is there"
                                        : "the daemon is out of memory");
    return SESSION_GET_OPERATIONS;
}

/* Begin everywhere. Returns 0, or the first error, after which the others were begun too. */
static int reset_all(struct thing *thing, int64_t now_ms)
{
    int result = 0;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        const int r = shadow_reset(shadow, now_ms);
        result = result < 0 ? result : r;
    }
    return result;
}

/* Tell whether something is held that it may not remove, in one shadow or (NULL) in any of them. */
static bool denies_reset(const struct session *session, struct shadow *only,
                         struct session_denial *ret_denial)
{
    const struct flux_text everything = {"", 0};
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(session->host->thing, shadow))) {
        struct access_grant grant;
        access_grant_shadow(&session->grant, shadow_thing_name(shadow), shadow_name(shadow),
                            &grant);
        if ((!only || only == shadow) &&
            session_denies_removal(session, &grant, shadow, &everything, ret_denial))
            return true;
    }
    return false;
}

size_t session_request_reset(struct session *session, const struct flux_frame *frame,
                             int64_t now_ms)
{
    struct thing *thing = session->host->thing;
    struct flux_reset reset;
    if (flux_reset_decode(frame, &reset) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed RESET");
        return 1;
    }
    struct session_binding *binding =
        session_find_for_request(session, reset.shadow, reset.request_id, NULL);
    if (!binding)
        return 1;
    struct session_denial denial;
    if (!access_is_all(&session->grant) &&
        denies_reset(session, reset.all ? NULL : binding->shadow, &denial)) {
        session_put_denied(session, reset.request_id, &denial);
        return SESSION_GET_OPERATIONS;
    }
    if (session->reset_count == SESSION_RESETS_MAX) {
        session_put_failed(session, reset.request_id, ENOBUFS, "too many resets at a time");
        return 1;
    }
    const int r = reset.all ? reset_all(thing, now_ms) : shadow_reset(binding->shadow, now_ms);
    if (r < 0) {
        session_put_failed(session, reset.request_id, -r, "the daemon is out of memory");
        return SESSION_GET_OPERATIONS;
    }
    struct shadow *shadow = reset.all ? NULL : binding->shadow;
    if (shadow)
        thing_hold_shadow(thing, shadow);
    session->resets[session->reset_count++] = (struct session_reset){reset.request_id, shadow};
    return SESSION_GET_OPERATIONS;
}

/* A shadow that is not there any more holds nothing. */
static bool reset_is_done(struct thing *thing, const struct session_reset *reset)
{
    if (reset->shadow)
        return shadow_is_reset(reset->shadow);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        if (!shadow_is_reset(shadow))
            return false;
    }
    return true;
}

static void reset_clear(struct thing *thing, struct session_reset *reset)
{
    if (reset->shadow)
        thing_close_shadow(thing, reset->shadow);
    reset->shadow = NULL;
}

void session_settle_resets(struct session *session)
{
    struct thing *thing = session->host->thing;
    size_t kept = 0;
    for (size_t i = 0; i < session->reset_count; i++) {
        struct session_reset *reset = &session->resets[i];
        if (!reset_is_done(thing, reset)) {
            session->resets[kept++] = *reset;
            continue;
        }
        session_put_done(session, reset->request_id);
        reset_clear(thing, reset);
    }
    session->reset_count = kept;
}

void session_clear_resets(struct session *session)
{
    for (size_t i = 0; i < session->reset_count; i++)
        reset_clear(session->host->thing, &session->resets[i]);
    session->reset_count = 0;
}
