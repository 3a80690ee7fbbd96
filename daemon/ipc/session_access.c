/* What the access rules let a session do. */
#include "daemon/ipc/session_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int session_note_peer(struct session *session, const struct session_peer *peer)
{
    session->uid = peer->uid;
    session->pid = peer->pid;
    session->unit = strndup(peer->unit, SESSION_UNIT_MAX);
    session->outer_unit = strndup(peer->outer_unit ? peer->outer_unit : "", SESSION_UNIT_MAX);
    session->groups = malloc((peer->group_count + 1) * sizeof(*session->groups));
    if (!session->unit || !session->outer_unit || !session->groups)
        return -ENOMEM;
    if (peer->group_count > 0)
        memcpy(session->groups, peer->groups, peer->group_count * sizeof(*session->groups));
    session->peer = (struct access_peer){
        .uid = peer->uid,
        .gid = peer->gid,
        .groups = session->groups,
        .group_count = peer->group_count,
        .unit = session->outer_unit,
    };
    access_grant_peer(session->host->access, &session->peer, &session->grant);
    return 0;
}

void session_clear_peer(struct session *session)
{
    free(session->unit);
    free(session->outer_unit);
    free(session->groups);
}

void session_grant_binding(struct session *session, struct session_binding *binding)
{
    access_grant_shadow(&session->grant, shadow_thing_name(binding->shadow),
                        shadow_name(binding->shadow), &binding->grant);
}

void session_renew_access(struct session *session)
{
    access_grant_peer(session->host->access, &session->peer, &session->grant);
    for (size_t i = 0; i < session->binding_count; i++)
        session_grant_binding(session, &session->bindings[i]);
    if (session->state == SESSION_OPEN)
        session_review_watches(session);
}

static void explain(const struct session *session, const struct access_grant *grant,
                    enum access_right right, const char *path, struct session_denial *ret_denial)
{
    access_explain(grant, &session->grant, &session->peer, right, path, ret_denial->text,
                   sizeof(ret_denial->text));
}

bool session_denies_report(const struct session *session, const struct session_binding *binding,
                           const struct shadow_operation *operations, size_t count,
                           struct session_denial *ret_denial)
{
    if (access_is_all(&binding->grant))
        return false;
    struct access_paths paths;
    access_get_paths(&binding->grant, ACCESS_REPORT, &paths);
    for (size_t i = 0; i < count; i++) {
        if (!shadow_find_denied(binding->shadow, &operations[i], &paths.filter, ret_denial->path))
            continue;
        explain(session, &binding->grant, ACCESS_REPORT, ret_denial->path, ret_denial);
        return true;
    }
    return false;
}

bool session_denies_path(const struct session *session, const struct session_binding *binding,
                         enum access_right right, const struct flux_text *path,
                         struct access_paths *ret_paths, struct session_denial *ret_denial)
{
    if (access_is_all(&binding->grant))
        return false;
    access_get_paths(&binding->grant, right, ret_paths);
    if (path_filter_reaches(&ret_paths->filter, path->text, path->size))
        return false;
    (void)snprintf(ret_denial->path, sizeof(ret_denial->path), "%.*s", (int)path->size,
                   path->size > 0 ? path->text : "");
    explain(session, &binding->grant, right, ret_denial->path, ret_denial);
    return true;
}

bool session_denies_removal(const struct session *session, const struct access_grant *grant,
                            struct shadow *shadow, const struct flux_text *path,
                            struct session_denial *ret_denial)
{
    if (access_is_all(grant))
        return false;
    struct access_paths paths;
    access_get_paths(grant, ACCESS_REPORT, &paths);
    const bool reaches = path_filter_reaches(&paths.filter, path->text, path->size);
    (void)snprintf(ret_denial->path, sizeof(ret_denial->path), "%.*s", (int)path->size,
                   path->size > 0 ? path->text : "");
    if (reaches &&
        !shadow_find_denied_held(shadow, path->text, path->size, &paths.filter, ret_denial->path))
        return false;
    explain(session, grant, ACCESS_REPORT, ret_denial->path, ret_denial);
    return true;
}

bool session_denies_right(const struct session *session, enum access_right right,
                          struct session_denial *ret_denial)
{
    if (access_has(&session->grant, right))
        return false;
    ret_denial->path[0] = '\0';
    explain(session, &session->grant, right, NULL, ret_denial);
    return true;
}

bool session_denies_admin(const struct session *session, char *ret_text, size_t size)
{
    struct session_denial denial;
    if (!session_denies_right(session, ACCESS_ADMIN, &denial))
        return false;
    (void)snprintf(ret_text, size, "%s", denial.text);
    return true;
}

void session_put_denied(struct session *session, uint64_t request_id,
                        const struct session_denial *denial)
{
    session_put_failed(session, request_id, EACCES, denial->text);
}
