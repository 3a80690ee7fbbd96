#include "daemon/base/log_limited.h"
#include "daemon/daemon_private.h"
#include "daemon/log_kinds.h"
#include "daemon/message_ids.h"
#include "proto/json_writer.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Longest reason for which something is not done. */
#define REASON_MAX 480
/* So many wishes alike of a user are told one by one within ten minutes. */
#define WISHES_TOLD 10

/* What an operator wants, and what comes of it. */
struct wish {
    const struct flux_admin *admin; /* borrowed from the session */
    uint32_t uid;
    struct flux_json_writer answer;
    const struct reload_report **reload; /* of this turn; points to NULL before the first */
    char reason[REASON_MAX];             /* where it is not done */
};

void daemon_apply_level(struct daemon *daemon)
{
    const int configured = daemon_configured_log_level(&daemon->config, &daemon->options);
    log_set_level(log_choice_level(&daemon->log_choice, configured));
}

void daemon_expire_level(struct daemon *daemon, int64_t now_ms)
{
    if (!log_choice_expire(&daemon->log_choice, now_ms))
        return;
    daemon_apply_level(daemon);
    log_info("the time is over: log level %s again", log_level_name(log_level()));
}

static int refuse(struct wish *wish, int error, const char *reason)
{
    (void)snprintf(wish->reason, sizeof(wish->reason), "%s", reason);
    return error;
}

static int check_right(const struct session *session, struct wish *wish)
{
    const bool is_denied = session_denies_admin(session, wish->reason, sizeof(wish->reason));
    return is_denied ? -EACCES : 0;
}

static void write_texts(struct flux_json_writer *writer, const char *key, char *const *texts,
                        size_t count)
{
    flux_json_key_text(writer, key);
    flux_json_begin_array(writer);
    for (size_t i = 0; i < count; i++)
        flux_json_string_text(writer, texts[i]);
    flux_json_end_array(writer);
}

static int refuse_reload(struct wish *wish, const struct reload_report *report)
{
    if (report->problem_count == 0)
        return refuse(wish, report->result, strerror(-report->result));
    int size =
        snprintf(wish->reason, sizeof(wish->reason), "%s", report->problems[report->gravest]);
    if (report->problem_count > 1 && size >= 0 && size < REASON_MAX)
        (void)snprintf(wish->reason + size, sizeof(wish->reason) - (size_t)size,
                       " (and %zu more, in the journal)", report->problem_count - 1);
    return report->result;
}

static int do_reload(struct daemon *daemon, struct wish *wish, int64_t now_ms)
{
    if (!*wish->reload) /* one reload serves all who want it at the same time */
        *wish->reload = daemon_reload(daemon, &daemon->log, now_ms);
    const struct reload_report *report = *wish->reload;
    if (report->result < 0)
        return refuse_reload(wish, report);
    struct flux_json_writer *answer = &wish->answer;
    write_texts(answer, "changed", report->changed, report->changed_count);
    write_texts(answer, "needs_restart", report->needs_restart, report->needs_restart_count);
    write_texts(answer, "problems", report->problems, report->problem_count);
    return 0;
}

static int do_log_level(struct daemon *daemon, struct wish *wish, int64_t now_ms)
{
    const struct flux_admin *admin = wish->admin;
    const int r =
        log_choice_make(&daemon->log_choice, admin->argument, admin->duration_sec, now_ms);
    if (r < 0)
        return refuse(wish, r, "a level is one from error to debug, and for at most 366 days");
    daemon_apply_level(daemon);
    flux_json_key_text(&wish->answer, "log_level");
    flux_json_string_text(&wish->answer, log_level_name(log_level()));
    flux_json_key_text(&wish->answer, "for_sec");
    if (admin->duration_sec > 0)
        flux_json_uint64(&wish->answer, admin->duration_sec);
    else
        flux_json_null(&wish->answer);
    return 0;
}

static int do_reconnect(struct daemon *daemon, struct wish *wish, int64_t now_ms)
{
    struct uplink_status status;
    uplink_get_status(daemon->uplink, &status);
    if (status.paused)
        return refuse(wish, -ENETDOWN, "the link is paused");
    uplink_reconnect(daemon->uplink, now_ms);
    return 0;
}

static int act(struct daemon *daemon, struct wish *wish, int64_t now_ms)
{
    if (daemon->state != DAEMON_RUNNING)
        return refuse(wish, -ECANCELED, "fluxawsd is stopping");
    switch (wish->admin->action) {
    case FLUX_ADMIN_RELOAD:
        return do_reload(daemon, wish, now_ms);
    case FLUX_ADMIN_LOG_LEVEL:
        return do_log_level(daemon, wish, now_ms);
    case FLUX_ADMIN_RECONNECT:
        return do_reconnect(daemon, wish, now_ms);
    case FLUX_ADMIN_PAUSE:
        uplink_pause(daemon->uplink, now_ms);
        return 0;
    case FLUX_ADMIN_RESUME:
        uplink_resume(daemon->uplink, now_ms);
        return 0;
    }
    return refuse(wish, -EOPNOTSUPP, "fluxawsd " FLUX_VERSION " cannot do that");
}

/* What was wanted, as it was given to fluxctl. */
static void describe_wish(const struct wish *wish, int result, char *ret_text, size_t size)
{
    const struct flux_admin *admin = wish->admin;
    const char *name = flux_admin_action_name(admin->action);
    if (admin->action != FLUX_ADMIN_LOG_LEVEL || result < 0)
        (void)snprintf(ret_text, size, "%s", name);
    else if (admin->duration_sec == 0)
        (void)snprintf(ret_text, size, "%s %s", name, log_level_name(log_level()));
    else
        (void)snprintf(ret_text, size, "%s %s for %u s", name, log_level_name(log_level()),
                       (unsigned)admin->duration_sec);
}

/* Who had what done, and what was refused, is for the journal: of a user who asks without end no
 * more than of others. */
static void log_wish(struct daemon *daemon, const struct wish *wish, const struct session *session,
                     int result, int64_t now_ms)
{
    struct session_info info;
    session_get_info(session, &info);
    const char *action = flux_admin_action_name(wish->admin->action);
    const char *name = *info.name ? info.name : "a program without a name";
    char uid[16], wanted[64];
    describe_wish(wish, result, wanted, sizeof(wanted));
    (void)snprintf(uid, sizeof(uid), "%u", wish->uid);
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_OPERATOR},
                                       {"ACTION", action},
                                       {"CLIENT", info.name},
                                       {"CLIENT_UID", uid}};
    const struct log_line line = {
        .kind = wish->uid == 0 ? LOG_KIND_ROOT : LOG_KIND_OPERATOR,
        .key = (uint64_t)wish->uid << 8 | (unsigned)wish->admin->action << 1 | (result == 0),
        .burst = WISHES_TOLD,
        .level = result == 0 ? LOG_NOTICE : LOG_WARNING,
        .fields = fields,
        .field_count = sizeof(fields) / sizeof(*fields),
    };
    if (result == 0)
        log_limited(&daemon->log, &line, now_ms, "%s by %s (uid %s)", wanted, name, uid);
    else
        log_limited(&daemon->log, &line, now_ms, "%s by %s (uid %s) refused: %s", wanted, name, uid,
                    wish->reason);
}

static void answer_wish(struct daemon *daemon, struct session *session,
                        const struct reload_report **reload, int64_t now_ms)
{
    struct wish wish = {
        .admin = session_get_admin(session), .uid = session_get_uid(session), .reload = reload};
    flux_json_writer_init(&wish.answer, 0);
    flux_json_begin_object(&wish.answer);
    int r = check_right(session, &wish);
    if (r == 0)
        r = act(daemon, &wish, now_ms);
    flux_json_end_object(&wish.answer);
    log_wish(daemon, &wish, session, r, now_ms);
    if (r < 0) {
        session_refuse_question(session, -r, wish.reason);
    } else {
        size_t size = 0;
        char *json = flux_json_writer_steal(&wish.answer, &size);
        session_answer_question(session, json, size);
    }
    flux_json_writer_clear(&wish.answer);
}

void daemon_answer_admins(struct daemon *daemon, int64_t now_ms)
{
    const struct reload_report *reload = NULL;
    struct session *session;
    while ((session = socket_server_next_question(daemon->server, SESSION_ASKS_ADMIN)))
        answer_wish(daemon, session, &reload, now_ms);
}
