#include "daemon/ipc/session_private.h"

#include "proto/path.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session_binding *session_find_binding(struct session *session, uint16_t handle)
{
    if (session->bindings[session->last_binding].handle == handle)
        return &session->bindings[session->last_binding];
    for (size_t i = 0; i < session->binding_count; i++) {
        if (session->bindings[i].handle == handle) {
            session->last_binding = i;
            return &session->bindings[i];
        }
    }
    return NULL;
}

struct session_binding *session_find_for_request(struct session *session, uint16_t handle,
                                                 uint64_t request_id, const struct flux_text *path)
{
    struct session_binding *binding = session_find_binding(session, handle);
    if (!binding) {
        session_put_failed(session, request_id, EBADF, "this shadow handle is not open");
        return NULL;
    }
    if (!path || path->size == 0)
        return binding;
    const enum flux_path_error error = flux_path_check(path->text, path->size, NULL);
    if (error == FLUX_PATH_OK)
        return binding;
    session_put_failed(session, request_id, EINVAL, flux_path_strerror(error));
    return NULL;
}

int session_bind(struct session *session, uint16_t handle, struct shadow *shadow)
{
    if (session->binding_count == SESSION_BINDINGS_MAX)
        return -ENOBUFS;
    const size_t count = session->binding_count + 1;
    struct session_binding *bindings = realloc(session->bindings, count * sizeof(*bindings));
    if (!bindings)
        return -ENOMEM;
    session->bindings = bindings;
    session->binding_count = count;
    struct session_binding *binding = &bindings[count - 1];
    *binding = (struct session_binding){.handle = handle, .shadow = shadow};
    waits_init(&binding->waits, shadow, &session->host->waits);
    interests_init(&binding->interests, shadow, &session->host->waits);
    session_grant_binding(session, binding);
    return 0;
}

void session_clear_bindings(struct session *session)
{
    for (size_t i = 0; i < session->binding_count; i++) {
        struct session_binding *binding = &session->bindings[i];
        waits_clear(&binding->waits);
        interests_clear(&binding->interests);
        thing_close_shadow(session->host->thing, binding->shadow);
    }
    free(session->bindings);
    session->bindings = NULL;
    session->binding_count = 0;
}

static void text_copy(char *ret_text, size_t size, const struct flux_text *text)
{
    (void)snprintf(ret_text, size, "%.*s", (int)text->size, text->text ? text->text : "");
}

/* Say why a shadow cannot be opened, and what to change. */
static void refuse_shadow(struct session *session, uint64_t request_id, int error,
                          const char *thing)
{
    char text[SESSION_TEXT_MAX];
    switch (error) {
    case -EACCES:
        (void)snprintf(text, sizeof(text),
                       "this daemon does not report for the thing %s: name it in [Thing] Extra",
                       thing);
        break;
    case -EINVAL:
        (void)snprintf(text, sizeof(text),
                       "not a name that AWS IoT allows: a thing has 1-128 of a-z A-Z 0-9 : _ -, "
                       "a shadow 1-64 of these and $");
        break;
    case -ENOSPC:
        (void)snprintf(text, sizeof(text),
                       "as many shadows as allowed are in use: raise [Updates] MaxShadows");
        break;
    case -ENOBUFS:
        (void)snprintf(text, sizeof(text), "more than %u shadows on one connection",
                       SESSION_BINDINGS_MAX);
        break;
    default:
        (void)snprintf(text, sizeof(text), "the daemon is out of memory");
        break;
    }
    session_put_failed(session, request_id, -error, text);
}

void session_request_shadow(struct session *session, const struct flux_frame *frame)
{
    struct flux_open_shadow open;
    if (flux_open_shadow_decode(frame, &open) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed OPEN_SHADOW");
        return;
    }
    if (session_find_binding(session, open.handle)) {
        session_put_failed(session, open.request_id, EEXIST, "this handle is taken");
        return;
    }
    /* The decoder has checked the lengths; a NUL inside makes a name that is none. */
    char thing[FLUX_THING_NAME_MAX + 1], name[FLUX_SHADOW_NAME_MAX + 1];
    text_copy(thing, sizeof(thing), &open.thing);
    text_copy(name, sizeof(name), &open.shadow);
    struct access_grant grant;
    struct session_denial denial;
    access_grant_shadow(&session->grant, thing, name, &grant);
    if (!access_has(&grant, ACCESS_SHOW)) {
        access_explain(&grant, &session->grant, &session->peer, ACCESS_SHOW, NULL, denial.text,
                       sizeof(denial.text));
        session_put_denied(session, open.request_id, &denial);
        return;
    }
    struct shadow *shadow;
    int r = -EINVAL;
    if (strlen(thing) == open.thing.size && strlen(name) == open.shadow.size)
        r = thing_open_shadow(session->host->thing, thing, name, &shadow);
    if (r == 0) {
        r = session_bind(session, open.handle, shadow);
        if (r < 0)
            thing_close_shadow(session->host->thing, shadow);
    }
    if (r == 0)
        session_put_opened(session, open.handle, open.request_id);
    else
        refuse_shadow(session, open.request_id, r, thing);
}
