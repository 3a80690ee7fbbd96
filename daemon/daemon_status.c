#include "daemon/base/log.h"
#include "daemon/daemon_private.h"
#include "daemon/message_ids.h"
#include "daemon/service_manager.h"
#include "daemon/status.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How things stand, in one line. */
#define SUMMARY_MAX 1536

static void append(char *text, size_t size, const char *what, const char *more)
{
    const size_t used = strlen(text);
    (void)snprintf(text + used, size - used, "; %s%s", what, more);
}

/* Write how things stand in one line: the link, and what else lasts until somebody acts: the disk
 * in trouble, mistakes of the configuration, what waits for a restart. */
static void describe(const struct daemon *daemon, int64_t now_ms, char *ret_text, size_t size)
{
    const struct reload_report *reload = &daemon->reload;
    if (daemon->awaits_name)
        (void)snprintf(ret_text, size, "waiting for the certificate, which has the thing's name");
    else
        uplink_describe(daemon->uplink, now_ms, ret_text, size);
    if (daemon->storage.trouble != COMMIT_GOOD)
        append(ret_text, size, "storage in trouble: ", daemon->storage.trouble_text);
    if (daemon->config_rejected)
        append(ret_text, size, "the last reload was refused", "");
    else if (config_is_degraded(&daemon->config))
        append(ret_text, size, "configuration: degraded", "");
    if (reload->needs_restart_count > 0)
        append(ret_text, size, "a restart is needed by ", reload->needs_restart[0]);
}

void daemon_answer_statuses(struct daemon *daemon, int64_t now_ms)
{
    const struct status_source source = {
        .is_stopping = daemon->state != DAEMON_RUNNING,
        .awaits_name = daemon->awaits_name,
        .thing_name = daemon->thing_name,
        .thing = daemon->thing,
        .config = &daemon->config,
        .config_rejected = daemon->config_rejected,
        .reload = &daemon->reload,
        .uplink = daemon->uplink,
        .server = daemon->server,
        .host = &daemon->host,
        .storage = &daemon->storage,
        .log_choice = &daemon->log_choice,
        .started_ms = daemon->started_ms,
    };
    /* Written once a turn, however many ask. */
    size_t size = 0;
    char *json = NULL;
    struct session *session;
    while ((session = socket_server_next_question(daemon->server, SESSION_ASKS_STATUS))) {
        if (!json)
            json = status_write(&source, now_ms, &size);
        session_answer_question(session, json ? strndup(json, size) : NULL, size);
    }
    free(json);
    while ((session = socket_server_next_question(daemon->server, SESSION_ASKS_HISTORY))) {
        json = status_write_history(uplink_history(daemon->uplink), now_ms, &size);
        session_answer_question(session, json, size);
    }
}

void daemon_tell_service_manager(struct daemon *daemon, int64_t now_ms)
{
    const uint64_t changes = uplink_changes(daemon->uplink) + daemon->storage.changes;
    if (!daemon->told_status || changes != daemon->told_changes) {
        char text[SUMMARY_MAX];
        describe(daemon, now_ms, text, sizeof(text));
        service_manager_status(text);
        daemon->told_status = true;
        daemon->told_changes = changes;
    }
    if (daemon->watchdog_ms > 0 && now_ms >= daemon->next_feed_ms) {
        service_manager_feed_watchdog();
        daemon->next_feed_ms = now_ms + daemon->watchdog_ms;
    }
}

void daemon_look_at_storage(struct daemon *daemon, int64_t now_ms)
{
    const char *reason = daemon_storage_volatile_reason(&daemon->storage);
    struct session_host *host = &daemon->host;
    host->volatile_reason = reason;
    const bool is_in_memory = reason && !daemon->storage.is_volatile;
    if (is_in_memory && !daemon->told_in_memory) {
        const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_NOT_DURABLE},
                                           {"THING", daemon->thing_name},
                                           {"DIRECTORY", daemon->state_directory}};
        log_event(LOG_WARNING, fields, 3,
                  "%s lies in memory: what is kept there does not survive a power cut, so nothing "
                  "counts as STORED",
                  daemon->state_directory);
        daemon->told_in_memory = true;
    }
    if (host->durable == !reason)
        return;
    host->durable = !reason;
    if (daemon->thing) {
        struct thing_options options;
        daemon_fill_thing_options(daemon, &options);
        (void)thing_set_options(daemon->thing, &options, now_ms);
    }
    /* Programs learn anew what they may wait for. */
    if (daemon->server)
        socket_server_say_goodbye(daemon->server, FLUX_GOODBYE_STOPPING,
                                  "the storage has changed; connect again");
}
