#include "daemon/ipc/session_private.h"

#include <errno.h>
#include <stdlib.h>

static void ask(struct session *session, enum session_question kind, uint64_t request_id)
{
    session->question.kind = kind;
    session->question.request_id = request_id;
}

void session_request_status(struct session *session, const struct flux_frame *frame)
{
    struct flux_status_request request;
    if (flux_status_request_decode(frame, &request) < 0 || request.request_id == 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed STATUS");
        return;
    }
    ask(session, SESSION_ASKS_STATUS, request.request_id);
}

void session_request_history(struct session *session, const struct flux_frame *frame)
{
    struct flux_history_request request;
    if (flux_history_request_decode(frame, &request) < 0 || request.request_id == 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed HISTORY");
        return;
    }
    ask(session, SESSION_ASKS_HISTORY, request.request_id);
}

void session_request_admin(struct session *session, const struct flux_frame *frame)
{
    struct flux_admin admin;
    if (flux_admin_decode(frame, &admin) < 0 || admin.request_id == 0) {
        session_say_goodbye(session, FLUX_GOODBYE_MALFORMED, "malformed ADMIN");
        return;
    }
    session->question.admin = admin;
    ask(session, SESSION_ASKS_ADMIN, admin.request_id);
}

enum session_question session_get_question(const struct session *session)
{
    return session->state == SESSION_OPEN ? session->question.kind : SESSION_ASKS_NOTHING;
}

const struct flux_admin *session_get_admin(const struct session *session)
{
    return &session->question.admin;
}

uint32_t session_get_uid(const struct session *session)
{
    return session->uid;
}

/* Who was dismissed meanwhile hears nothing behind GOODBYE. */
static bool end_question(struct session *session)
{
    const bool is_open = session_get_question(session) != SESSION_ASKS_NOTHING;
    session->question.kind = SESSION_ASKS_NOTHING;
    return is_open;
}

void session_answer_question(struct session *session, char *json, size_t size)
{
    const uint64_t request_id = session->question.request_id;
    if (!end_question(session)) {
        free(json);
        return;
    }
    if (!json) {
        session_put_failed(session, request_id, ENOMEM, "the daemon is out of memory");
    } else if (size > session_stream_room(session)) {
        free(json);
        session_put_failed(session, request_id, ENOBUFS,
                           "too many large answers wait to be read at the moment; try again");
    } else {
        session_begin_stream(session, request_id, 0, json, size);
    }
    session_put_stream(session);
}

void session_refuse_question(struct session *session, int code, const char *text)
{
    if (end_question(session))
        session_put_failed(session, session->question.request_id, code, text);
}
