#include "daemon/base/log_limited.h"
#include "daemon/config_access.h"
#include "daemon/config_file.h"
#include "daemon/config_name.h"
#include "daemon/daemon_private.h"
#include "daemon/log_kinds.h"
#include "daemon/message_ids.h"
#include "daemon/service_manager.h"
#include <errno.h>
#include <string.h>
#include <time.h>

/* So many lines alike are written of reloads that somebody on the socket wants. */
#define RELOADS_TOLD 5

/* Read all files again. What is wrong with them is logged and reported. Returns 0 with a
 * configuration that the daemon could start with, or a negative errno with none. */
static int load_again(struct daemon *daemon, struct reload_report *report, struct log_limit *limit,
                      int64_t now_ms, struct config *ret_config,
                      char ret_name[static FLUX_THING_NAME_MAX + 1])
{
    struct config config;
    int r = config_load(&config, daemon->options.config_file, daemon->options.state_directory);
    if (r == -ENOMEM)
        return r;
    if (r == 0)
        r = config_resolve_name(&config, daemon->options.state_directory,
                                daemon->options.credentials_directory, ret_name);
    daemon_log_problems_limited(&config, limit, now_ms);
    if (r == 0 || r == -ENOENT)
        r = config_has_problem(&config, CONFIG_MISSING) ? -EINVAL : r;
    if (reload_report_add_problems(report, &config) < 0)
        r = -ENOMEM;
    if (r < 0) {
        config_clear(&config);
        return r;
    }
    *ret_config = config;
    return 0;
}

static void tell_of_restart(const struct daemon *daemon, const struct reload_report *report,
                            struct log_limit *limit, int64_t now_ms)
{
    for (size_t i = 0; i < report->needs_restart_count; i++) {
        const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_NEEDS_RESTART},
                                           {"THING", daemon->thing_name},
                                           {"KEY", report->needs_restart[i]}};
        const struct log_line line = {
            .kind = LOG_KIND_RELOAD,
            .key = log_limit_mix(1, report->needs_restart[i]),
            .burst = RELOADS_TOLD,
            .level = LOG_WARNING,
            .fields = fields,
            .field_count = 3,
        };
        log_limited(limit, &line, now_ms, "%s needs a restart to change; the old value stays",
                    report->needs_restart[i]);
    }
}

/* A certificate that is away for the moment does not change the name. */
static bool is_same_name(const struct daemon *daemon, const char *name)
{
    return *name == '\0' || daemon->awaits_name || strcmp(name, daemon->thing_name) == 0;
}

/* Before anything else is taken over: a reload that cannot close what it is to close is none. */
static int apply_access(struct daemon *daemon, const struct config *fresh)
{
    return config_access_is_same(&daemon->config, fresh) ? 0 : daemon_apply_access(daemon, fresh);
}

static int reload(struct daemon *daemon, struct reload_report *report, struct log_limit *limit,
                  int64_t now_ms)
{
    struct config config;
    char name[FLUX_THING_NAME_MAX + 1] = "";
    int r = load_again(daemon, report, limit, now_ms, &config, name);
    if (r < 0)
        return r;
    r = reload_report_add_changes(report, &daemon->config, &config);
    if (r == 0)
        r = reload_report_keep_running(report, &daemon->config, &config, is_same_name(daemon, name),
                                       daemon->socket.path != NULL);
    if (r == 0)
        r = apply_access(daemon, &config);
    if (r < 0) {
        config_clear(&config);
        return r;
    }
    tell_of_restart(daemon, report, limit, now_ms);
    struct config old = daemon->config;
    daemon->config = config;
    daemon_apply_settings(daemon, now_ms);
    const char *endpoint = config_text(&config, CONFIG_ENDPOINT);
    if (strcmp(config_text(&old, CONFIG_ENDPOINT), endpoint) != 0) {
        thing_change_cloud(daemon->thing); /* the link is down by now, to dial the other one */
        daemon_storage_change_cloud(&daemon->storage, daemon->thing, endpoint);
    }
    config_clear(&old);
    if (daemon->awaits_name && *name)
        daemon_start_over(daemon, name, now_ms);
    return 0;
}

static void tell_result(const struct daemon *daemon, int result, struct log_limit *limit,
                        int64_t now_ms)
{
    const struct log_field fields[] = {
        {"MESSAGE_ID", result < 0 ? MESSAGE_RELOAD_REFUSED : MESSAGE_RELOADED},
        {"THING", daemon->thing_name}};
    const struct log_line line = {
        .kind = LOG_KIND_RELOAD,
        .key = (unsigned)-result,
        .burst = RELOADS_TOLD,
        .level = result < 0 ? LOG_ERR : LOG_INFO,
        .fields = fields,
        .field_count = 2,
    };
    if (result < 0)
        log_limited(limit, &line, now_ms,
                    "the configuration was not reloaded, the old one stays in force: %s",
                    result == -EINVAL ? "it has mistakes" : strerror(-result));
    else
        log_limited(limit, &line, now_ms, "configuration reloaded");
}

const struct reload_report *daemon_reload(struct daemon *daemon, struct log_limit *limit,
                                          int64_t now_ms)
{
    const bool is_told = daemon->state == DAEMON_RUNNING; /* at the end it is not ready again */
    struct timespec monotonic = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &monotonic);
    if (is_told)
        service_manager_reloading(monotonic.tv_sec * INT64_C(1000000) + monotonic.tv_nsec / 1000);

    struct reload_report *report = &daemon->reload;
    reload_report_clear(report);
    report->result = reload(daemon, report, limit, now_ms);
    daemon->config_rejected = report->result < 0;
    daemon->told_status = false; /* what the service manager shows is about it, too */
    tell_result(daemon, report->result, limit, now_ms);
    if (is_told)
        service_manager_ready();
    return report;
}
