#include "daemon/base/log_limited.h"
#include "daemon/config_access.h"
#include "daemon/config_property.h"
#include "daemon/daemon_private.h"
#include "daemon/log_kinds.h"
#include "daemon/message_ids.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many lines alike are written of reloads that somebody on the socket wants. */
#define PROBLEMS_TOLD 3

static void log_problem(const struct config_problem *problem, struct log_limit *limit,
                        int64_t now_ms)
{
    char line[16];
    struct log_field fields[3] = {{"MESSAGE_ID", MESSAGE_CONFIGURATION}};
    size_t count = 1;
    if (problem->file)
        fields[count++] = (struct log_field){"CONFIG_FILE", problem->file};
    if (problem->file && problem->line > 0) {
        (void)snprintf(line, sizeof(line), "%u", problem->line);
        fields[count++] = (struct log_field){"CONFIG_LINE", line};
    }
    char *text = reload_report_describe(problem);
    const struct log_line what = {
        .kind = LOG_KIND_RELOAD,
        .key = log_limit_mix(problem->line, problem->text),
        .burst = PROBLEMS_TOLD,
        .level = problem->severity == CONFIG_MISSING ? LOG_ERR : LOG_WARNING,
        .fields = fields,
        .field_count = count,
    };
    log_limited(limit, &what, now_ms, "%s", text ? text : problem->text);
    free(text);
}

void daemon_log_problems_limited(const struct config *config, struct log_limit *limit,
                                 int64_t now_ms)
{
    for (size_t i = 0; i < config->problem_count; i++)
        log_problem(&config->problems[i], limit, now_ms);
}

void daemon_log_problems(const struct config *config)
{
    daemon_log_problems_limited(config, NULL, 0);
}

int daemon_configured_log_level(const struct config *config, const struct daemon_options *options)
{
    int level = options->log_level;
    if (level < 0 && log_level_parse(config_text(config, CONFIG_LOG_LEVEL), &level) < 0)
        level = LOG_INFO;
    return level;
}

void daemon_apply_log_level(const struct config *config, const struct daemon_options *options)
{
    log_set_level(daemon_configured_log_level(config, options));
}

void daemon_fill_thing_options(struct daemon *daemon, struct thing_options *ret_options)
{
    const struct config *config = &daemon->config;
    thing_options_init(ret_options);
    ret_options->name = daemon->thing_name;
    ret_options->durable = !daemon->storage.is_volatile;
    ret_options->in_memory = !daemon->host.durable;
    ret_options->instance_id = daemon->host.instance_id;
    ret_options->interval_ms = config_number(config, CONFIG_INTERVAL_MS);
    ret_options->burst = (unsigned)config_number(config, CONFIG_BURST);
    ret_options->response_timeout_ms = config_number(config, CONFIG_RESPONSE_TIMEOUT_MS);
    ret_options->max_document_bytes = (size_t)config_number(config, CONFIG_MAX_DOCUMENT_BYTES);
    ret_options->max_depth = (unsigned)config_number(config, CONFIG_MAX_DEPTH);
    ret_options->requests_per_sec = (unsigned)config_number(config, CONFIG_REQUESTS_PER_SEC);
    ret_options->messages_per_sec = (unsigned)config_number(config, CONFIG_MESSAGES_PER_SEC);
    ret_options->refresh_ms = config_number(config, CONFIG_REFRESH_SEC) * 1000;
    ret_options->extra = daemon->extra;
    ret_options->extra_count =
        config_split(config_text(config, CONFIG_THING_EXTRA), daemon->extra_text,
                     sizeof(daemon->extra_text), daemon->extra);
    ret_options->max_shadows = (unsigned)config_number(config, CONFIG_MAX_SHADOWS);
    ret_options->max_subscriptions = (unsigned)config_number(config, CONFIG_MAX_SUBSCRIPTIONS);
    ret_options->daily_operations = (uint64_t)config_number(config, CONFIG_DAILY_OPERATIONS);
    ret_options->subscribes_singly = config_number(config, CONFIG_PROTOCOL) != 0;
    ret_options->gone_after_ms = config_number(config, CONFIG_GONE_AFTER_MS);
    ret_options->keep_alive_ms = config_number(config, CONFIG_KEEP_ALIVE_SEC) * 1000;
}

void daemon_fill_limits(struct daemon *daemon, struct socket_server_limits *ret_limits)
{
    const struct config *config = &daemon->config;
    *ret_limits = (struct socket_server_limits){
        .max_clients = (size_t)config_number(config, CONFIG_MAX_CLIENTS),
        .max_clients_per_user = (size_t)config_number(config, CONFIG_MAX_CLIENTS_PER_USER),
    };
}

int daemon_apply_access(struct daemon *daemon, const struct config *config)
{
    struct access_rules *rules;
    const int r = config_make_access(config, daemon->thing_name, &rules);
    if (r < 0)
        return r;
    struct access_rules *old = daemon->access;
    daemon->access = rules;
    daemon->host.access = rules;
    if (daemon->server)
        socket_server_renew_access(daemon->server);
    (void)access_rules_free(old);
    return 0;
}

int daemon_apply_policies(struct daemon *daemon, int64_t now_ms)
{
    struct policies *policies = NULL;
    const int r = config_make_policies(&daemon->config, &policies);
    return r < 0 ? r : thing_set_policies(daemon->thing, policies, now_ms);
}

void daemon_apply_settings(struct daemon *daemon, int64_t now_ms)
{
    const struct config *config = &daemon->config;
    log_choice_reload(&daemon->log_choice);
    daemon_apply_level(daemon);
    struct thing_options thing_options;
    daemon_fill_thing_options(daemon, &thing_options);
    int r = thing_set_options(daemon->thing, &thing_options, now_ms);
    if (r == 0)
        r = daemon_apply_policies(daemon, now_ms);
    if (r < 0)
        log_error("cannot apply the new limits: %s", strerror(-r));
    daemon->host.max_frame_bytes = (uint32_t)config_number(config, CONFIG_MAX_FRAME_BYTES);
    daemon->host.max_depth = (uint32_t)config_number(config, CONFIG_MAX_DEPTH);
    struct socket_server_limits limits;
    daemon_fill_limits(daemon, &limits);
    socket_server_set_limits(daemon->server, &limits);
    uplink_set_config(daemon->uplink, config, now_ms);
    commit_schedule_set_interval(&daemon->storage.schedule,
                                 config_number(config, CONFIG_SYNC_INTERVAL_MS));
}
