#include "daemon/base/log_limited.h"
#include "daemon/daemon_private.h"
#include "daemon/message_ids.h"
#include "daemon/service_manager.h"
#include "daemon/status.h"
#include <stdio.h>

/* What the farewell may take beyond StopTimeoutMs. */
#define FAREWELL_MS 500
/* What ending takes after that, on a slow and busy device. */
#define CLEANING_UP_MS 10000

/* How long a commit may take at a stop before updates do not wait for it any more. */
static int64_t commit_patience(const struct daemon *daemon)
{
    return config_number(&daemon->config, CONFIG_STOP_TIMEOUT_MS) / 4;
}

static enum link_state link_state_now(const struct daemon *daemon)
{
    struct uplink_status status;
    uplink_get_status(daemon->uplink, &status);
    return status.state;
}

void daemon_begin_stop(struct daemon *daemon, int64_t now_ms)
{
    const int64_t timeout_ms = config_number(&daemon->config, CONFIG_STOP_TIMEOUT_MS);
    if (daemon->wants_stop) {
        daemon->wants_stop = daemon->starts_over = false; /* it is the end after all */
        service_manager_stopping(timeout_ms + FAREWELL_MS + CLEANING_UP_MS);
    }
    if (daemon->state != DAEMON_RUNNING)
        return;
    log_info("stopping");
    daemon->state = DAEMON_DRAINING;
    daemon->stop_deadline_ms = now_ms + timeout_ms;
    /* Who waits in the queue of a socket of the service manager's is served by our successor. */
    if (!daemon->socket.path)
        socket_server_stop_accepting(daemon->server);
}

static void begin_flushing(struct daemon *daemon, int64_t now_ms)
{
    socket_server_only_answer(daemon->server);
    thing_flush(daemon->thing, now_ms);
    daemon->state = DAEMON_FLUSHING;
}

/* What becomes of values that were not sent. */
static const char *fate(const struct daemon *daemon, bool is_kept)
{
    if (is_kept)
        return ", and kept on the disk";
    return daemon->storage.is_volatile ? ", and not kept (Mode=volatile)"
                                       : ", and not all of that is on the disk";
}

static void end(struct daemon *daemon)
{
    const size_t pending = status_count_pending(daemon->thing);
    socket_server_say_goodbye(daemon->server, FLUX_GOODBYE_STOPPING, "fluxawsd stops");
    const bool is_kept = !daemon->storage.is_volatile &&
                         !thing_has_unsaved_reports(daemon->thing) &&
                         !daemon_storage_is_busy(&daemon->storage);
    log_limited_flush(&daemon->log, INT64_MAX);
    char number[32];
    (void)snprintf(number, sizeof(number), "%zu", pending);
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_STOPPED},
                                       {"THING", daemon->thing_name},
                                       {"UNSENT", number},
                                       {"KEPT", is_kept ? "yes" : "no"}};
    if (pending == 0)
        log_event(LOG_INFO, fields, 4, "stopped; everything was sent");
    else
        log_event(is_kept ? LOG_INFO : LOG_WARNING, fields, 4, "stopped; %zu value%s not sent%s",
                  pending, pending == 1 ? " was" : "s were", fate(daemon, is_kept));
    daemon->state = DAEMON_STOPPED;
}

bool daemon_continue_stop(struct daemon *daemon, int64_t now_ms, int64_t now_us)
{
    const bool is_late = now_ms >= daemon->stop_deadline_ms;
    switch (daemon->state) {
    case DAEMON_RUNNING:
    case DAEMON_STOPPED:
        return false;
    case DAEMON_DRAINING:
        if (!is_late && socket_server_drain(daemon->server, now_ms, now_us))
            return true;
        begin_flushing(daemon, now_ms);
        return true;
    case DAEMON_FLUSHING:
        daemon_storage_leave_behind(&daemon->storage, daemon->thing, commit_patience(daemon),
                                    now_ms);
        if (!is_late && link_state_now(daemon) == LINK_UP && !thing_has_sent_all(daemon->thing))
            return false;
        uplink_stop(daemon->uplink, now_ms);
        daemon->state = DAEMON_HANGING_UP;
        return true;
    case DAEMON_HANGING_UP:
        /* The farewell is short, and may take a little of its own time; so may the last commit. */
        if ((link_state_now(daemon) != LINK_OFF ||
             !daemon_storage_is_through(&daemon->storage, daemon->thing)) &&
            now_ms < daemon->stop_deadline_ms + FAREWELL_MS)
            return false;
        end(daemon);
        return true;
    }
    return false;
}

static int64_t flush_deadline(const struct daemon *daemon)
{
    const int64_t patience_end_ms =
        daemon_storage_patience_end(&daemon->storage, commit_patience(daemon));
    return patience_end_ms < daemon->stop_deadline_ms ? patience_end_ms : daemon->stop_deadline_ms;
}

int64_t daemon_stop_deadline(const struct daemon *daemon)
{
    switch (daemon->state) {
    case DAEMON_FLUSHING:
        return flush_deadline(daemon);
    case DAEMON_HANGING_UP:
        return daemon->stop_deadline_ms + FAREWELL_MS;
    case DAEMON_RUNNING:
    case DAEMON_DRAINING:
    case DAEMON_STOPPED:
        break;
    }
    return INT64_MAX;
}

enum storage_stop daemon_storage_stop(const struct daemon *daemon)
{
    switch (daemon->state) {
    case DAEMON_RUNNING:
    case DAEMON_DRAINING:
        return STORAGE_RUNS;
    case DAEMON_FLUSHING:
        return STORAGE_HURRIES;
    case DAEMON_HANGING_UP:
    case DAEMON_STOPPED:
        break;
    }
    return STORAGE_ENDS;
}
