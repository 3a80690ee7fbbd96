#include "daemon/ipc/session_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* No serial of the engine's: there may be news. */
#define WATCH_UNTOLD UINT64_MAX

static void watch_clear(struct session *session, struct session_watch *watch)
{
    shadow_remove_watcher(watch->shadow);
    session->host->watch_count--;
    free(watch->path);
}

void session_clear_watches(struct session *session)
{
    for (size_t i = 0; i < session->watch_count; i++)
        watch_clear(session, &session->watches[i]);
    free(session->watches);
    session->watches = NULL;
    session->watch_count = 0;
}

bool session_is_watching(const struct session *session)
{
    return session->watch_count > 0;
}

static struct session_watch *watch_find(struct session *session, uint64_t request_id)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        if (session->watches[i].request_id == request_id)
            return &session->watches[i];
    }
    return NULL;
}

/* Returns 0, -ENOBUFS or -ENOMEM. */
static int watch_add(struct session *session, const struct session_binding *binding,
                     const struct flux_watch *request)
{
    if (session->watch_count == SESSION_WATCHES_MAX)
        return -ENOBUFS;
    struct session_watch *watches =
        realloc(session->watches, (session->watch_count + 1) * sizeof(*watches));
    if (!watches)
        return -ENOMEM;
    session->watches = watches;
    char *path = malloc(request->path.size + 1);
    if (!path)
        return -ENOMEM;
    if (request->path.size > 0)
        memcpy(path, request->path.text, request->path.size);
    path[request->path.size] = '\0';
    watches[session->watch_count++] = (struct session_watch){
        .request_id = request->request_id,
        .handle = binding->handle,
        .shadow = binding->shadow,
        .path = path,
        .path_size = request->path.size,
        .serial = WATCH_UNTOLD,
    };
    session->host->watch_count++;
    shadow_add_watcher(binding->shadow);
    return 0;
}

void session_request_watch(struct session *session, const struct flux_frame *frame)
{
    struct flux_watch request;
    if (flux_watch_decode(frame, &request) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed WATCH");
        return;
    }
    struct session_binding *binding =
        session_find_for_request(session, request.shadow, request.request_id, &request.path);
    if (!binding)
        return;
    struct access_paths paths;
    struct session_denial denial;
    if (session_denies_path(session, binding, ACCESS_WATCH, &request.path, &paths, &denial)) {
        session_put_denied(session, request.request_id, &denial);
        return;
    }
    int r = -EEXIST;
    if (!watch_find(session, request.request_id))
        r = watch_add(session, binding, &request);
    if (r == 0)
        session_put_done(session, request.request_id);
    else
        session_put_failed(session, request.request_id, -r,
                           r == -EEXIST    ? "a watch with this request id is there"
                           : r == -ENOBUFS ? "more than 64 watches on one connection"
                                           : "the daemon is out of memory");
}

static void watch_remove(struct session *session, struct session_watch *watch)
{
    watch_clear(session, watch);
    session->watch_count--;
    memmove(watch, watch + 1,
            (size_t)(&session->watches[session->watch_count] - watch) * sizeof(*watch));
}

void session_request_unwatch(struct session *session, const struct flux_frame *frame)
{
    struct flux_unwatch request;
    if (flux_unwatch_decode(frame, &request) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed UNWATCH");
        return;
    }
    struct session_watch *watch = watch_find(session, request.request_id);
    if (!watch || watch->handle != request.shadow)
        return; /* it may have failed, which the client did not know yet */
    watch_remove(session, watch);
}

/* All that was told is taken back, and told again as far as it may be. */
static void watch_begin_anew(struct session *session, struct session_watch *watch)
{
    const struct flux_desired nothing = {
        .shadow = watch->handle,
        .request_id = watch->request_id,
        .path = {watch->path, watch->path_size},
        .value = {.type = FLUX_VALUE_NONE},
    };
    if (watch->serial != WATCH_UNTOLD)
        session_put_desired(session, &nothing);
    watch->cursor = (struct shadow_wish_cursor){0};
    watch->serial = WATCH_UNTOLD;
    watch->is_complete = false;
}

void session_review_watches(struct session *session)
{
    for (size_t i = session->watch_count; i-- > 0;) {
        struct session_watch *watch = &session->watches[i];
        const struct session_binding *binding = session_find_binding(session, watch->handle);
        const struct flux_text path = {watch->path, watch->path_size};
        struct access_paths paths;
        struct session_denial denial;
        if (!session_denies_path(session, binding, ACCESS_WATCH, &path, &paths, &denial)) {
            watch_begin_anew(session, watch);
            continue;
        }
        session_put_denied(session, watch->request_id, &denial);
        watch_remove(session, watch);
    }
    session->settle_again = true;
}

/* Tell whether the client may hear of it. That nothing at its own path differs is no secret. */
static bool may_tell(const struct session_watch *watch, const struct shadow_wish *wish,
                     const struct path_filter *filter)
{
    const bool is_own_path = wish->path_size == watch->path_size &&
                             memcmp(wish->path, watch->path, watch->path_size) == 0;
    return !filter || path_filter_has(filter, wish->path, wish->path_size) ||
           (!wish->value && is_own_path);
}

static void watch_tell(struct session *session, const struct session_watch *watch,
                       const struct shadow_wish *wish)
{
    struct flux_desired desired = {
        .shadow = watch->handle,
        .request_id = watch->request_id,
        .version = wish->version,
        .stale = wish->stale,
        .path = {wish->path, wish->path_size},
        .value = {.type = FLUX_VALUE_NONE},
    };
    if (wish->value)
        desired.value = *wish->value;
    session_put_desired(session, &desired);
}

/* All there is was told: say so once, as soon as it is known to be all. A client that was here
 * before learns from it what does not differ any more. */
static void watch_end_round(struct session *session, struct session_watch *watch)
{
    struct flux_desired desired = {
        .shadow = watch->handle, .request_id = watch->request_id, .complete = true};
    if (watch->is_complete || session_output_is_full(session) ||
        !shadow_knows_wishes(watch->shadow, &desired.version))
        return;
    session_put_desired(session, &desired);
    watch->is_complete = true;
}

/* Returns true if all was told. */
static bool watch_settle(struct session *session, struct session_watch *watch)
{
    const uint64_t serial = shadow_wish_serial(watch->shadow);
    if (serial == watch->serial) {
        watch_end_round(session, watch);
        return true;
    }
    const struct session_binding *binding = session_find_binding(session, watch->handle);
    const bool is_all = access_is_all(&binding->grant);
    struct access_paths paths;
    if (!is_all)
        access_get_paths(&binding->grant, ACCESS_WATCH, &paths);
    struct shadow_wish wish;
    while (!session_output_is_full(session)) {
        if (!shadow_next_wish(watch->shadow, watch->path, watch->path_size, &watch->cursor,
                              &wish)) {
            watch->serial = serial;
            watch_end_round(session, watch);
            return true;
        }
        if (may_tell(watch, &wish, is_all ? NULL : &paths.filter))
            watch_tell(session, watch, &wish);
    }
    return false;
}

/* Where the output had no room for all of one, the next one begins the next time: a flood for one
 * does not keep the others waiting for its end. */
void session_settle_watches(struct session *session)
{
    if (session->next_watch >= session->watch_count)
        session->next_watch = 0;
    for (size_t i = 0; i < session->watch_count; i++) {
        struct session_watch *watch = &session->watches[session->next_watch];
        session->next_watch = (session->next_watch + 1) % session->watch_count;
        if (!watch_settle(session, watch))
            return;
    }
}
