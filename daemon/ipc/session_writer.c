#include "daemon/ipc/session_private.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int session_open_writer(struct session *session, int64_t now_ms)
{
    const struct writer_identity identity = {
        .name = session->name,
        .uid = session->uid,
        .unit = session->unit,
    };
    return thing_writer_open(session->host->thing, &identity, now_ms, &session->writer);
}

void session_close_writer(struct session *session, int64_t now_ms)
{
    if (session->writer)
        thing_writer_close(session->host->thing, session->writer, session->said_bye, now_ms);
    session->writer = NULL;
}

static void will_fail(struct session *session, uint64_t request_id, int error)
{
    session_put_failed(session, request_id, -error,
                       error == -E2BIG    ? "more than 4096 values in one will"
                       : error == -ENOSPC ? "no room for a will of that size, or for so many wills"
                                          : "the daemon is out of memory");
}

static void will_refuse(struct session *session, uint64_t request_id,
                        const struct shadow_refusal *refusal)
{
    char text[SESSION_TEXT_MAX];
    const bool has_path = refusal->path[0] != '\0' && strlen(refusal->path) < sizeof(text) / 2;
    (void)snprintf(text, sizeof(text), "%s%s%s", has_path ? refusal->path : "",
                   has_path ? ": " : "", refusal->text);
    session_put_failed(session, request_id, EINVAL, text);
}

size_t session_request_will(struct session *session, const struct flux_frame *frame)
{
    struct flux_will will;
    struct flux_wire_reader operations;
    int count = flux_will_decode(frame, &will, &operations);
    if (count == 0)
        count = session_decode_operations(session->host, &operations);
    if (count == -EPROTO) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed WILL");
        return 1;
    }
    struct session_binding *binding =
        session_find_for_request(session, will.shadow, will.request_id, NULL);
    if (!binding)
        return 1;
    if (count < 0) {
        will_fail(session, will.request_id, count);
        return 1;
    }
    struct session_denial denial;
    const uint64_t effort = shadow_effort(binding->shadow);
    if (session_denies_report(session, binding, session->host->scratch.operations, (size_t)count,
                              &denial)) {
        session_put_denied(session, will.request_id, &denial);
        return (size_t)count + 1 +
               (size_t)(shadow_effort(binding->shadow) - effort) / SESSION_LOOKS_PER_OPERATION;
    }
    struct shadow_refusal refusal;
    const int r = thing_writer_will(session->host->thing, session->writer, binding->shadow,
                                    session->host->scratch.operations, (size_t)count, &refusal);
    if (r == SHADOW_REPORT_QUEUED)
        session_put_done(session, will.request_id);
    else if (r == SHADOW_REPORT_REFUSED)
        will_refuse(session, will.request_id, &refusal);
    else
        will_fail(session, will.request_id, r);
    return (size_t)count + 1 +
           (size_t)(shadow_effort(binding->shadow) - effort) / SESSION_LOOKS_PER_OPERATION;
}

void session_request_bye(struct session *session, const struct flux_frame *frame)
{
    if (flux_bye_decode(frame) < 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed BYE");
        return;
    }
    session->said_bye = true;
    session_end_input(session);
}
