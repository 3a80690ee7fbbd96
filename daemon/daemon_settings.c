#include "daemon/base/log.h"
#include "daemon/config_file.h"
#include "daemon/config_name.h"
#include "daemon/config_property.h"
#include "daemon/daemon_private.h"
#include "daemon/message_ids.h"
#include "daemon/service_manager.h"
#include <errno.h>
#include <string.h>
#include <time.h>

void daemon_log_problems(const struct config *config)
{
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_CONFIGURATION}};
    for (size_t i = 0; i < config->problem_count; i++) {
        const struct config_problem *problem = &config->problems[i];
        const int level = problem->severity == CONFIG_MISSING ? LOG_ERR : LOG_WARNING;
        if (problem->file && problem->line > 0)
            log_event(level, fields, 1, "%s:%u: %s", problem->file, problem->line, problem->text);
        else if (problem->file)
            log_event(level, fields, 1, "%s: %s", problem->file, problem->text);
        else
            log_event(level, fields, 1, "%s", problem->text);
    }
}

void daemon_apply_log_level(const struct config *config, const struct daemon_options *options)
{
    int level = options->log_level;
    if (level < 0 && log_level_parse(config_text(config, CONFIG_LOG_LEVEL), &level) < 0)
        level = LOG_INFO;
    log_set_level(level);
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
    ret_options->gone_after_ms = config_number(config, CONFIG_GONE_AFTER_MS);
    ret_options->keep_alive_ms = config_number(config, CONFIG_KEEP_ALIVE_SEC) * 1000;
}

void daemon_fill_limits(const struct config *config, struct socket_server_limits *ret_limits)
{
    *ret_limits = (struct socket_server_limits){
        .max_clients = (size_t)config_number(config, CONFIG_MAX_CLIENTS),
        .max_clients_per_user = (size_t)config_number(config, CONFIG_MAX_CLIENTS_PER_USER),
        .root_only = config->has_access,
    };
}

/* What cannot change while we run keeps its old value; say so. */
static void warn_of_fixed_keys(const struct config *before, const struct config *after)
{
    static const enum config_id fixed[] = {CONFIG_SOCKET_PATH,       CONFIG_SOCKET_MODE,
                                           CONFIG_SOCKET_GROUP,      CONFIG_STORAGE_MODE,
                                           CONFIG_STORAGE_DIRECTORY, CONFIG_STORAGE_MAX_BYTES};
    for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++) {
        if (strcmp(config_text(before, fixed[i]), config_text(after, fixed[i])) != 0)
            log_warning("[%s] %s needs a restart to change", config_key(fixed[i])->section,
                        config_key(fixed[i])->name);
    }
}

/* Returns 0 with a configuration that can be used, or a negative errno with none. */
static int load_again(struct daemon *daemon, struct config *ret_config)
{
    struct config config;
    int r = config_load(&config, daemon->options.config_file, daemon->options.state_directory);
    if (r == -ENOMEM)
        return r;
    char name[FLUX_THING_NAME_MAX + 1] = "";
    if (r == 0)
        r = config_resolve_name(&config, daemon->options.state_directory,
                                daemon->options.credentials_directory, name);
    daemon_log_problems(&config);
    if (r == 0 && config_has_problem(&config, CONFIG_MISSING))
        r = -EINVAL;
    if (r < 0) {
        config_clear(&config);
        return r;
    }
    if (strcmp(name, daemon->thing_name) != 0)
        log_warning("the thing's name needs a restart to change; it stays %s", daemon->thing_name);
    *ret_config = config;
    return 0;
}

int daemon_apply_policies(struct daemon *daemon, int64_t now_ms)
{
    struct policies *policies = NULL;
    const int r = config_make_policies(&daemon->config, &policies);
    return r < 0 ? r : thing_set_policies(daemon->thing, policies, now_ms);
}

static void daemon_apply(struct daemon *daemon, int64_t now_ms)
{
    const struct config *config = &daemon->config;
    daemon_apply_log_level(config, &daemon->options);
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
    daemon_fill_limits(config, &limits);
    socket_server_set_limits(daemon->server, &limits);
    uplink_set_config(daemon->uplink, config, now_ms);
    commit_schedule_set_interval(&daemon->storage.schedule,
                                 config_number(config, CONFIG_SYNC_INTERVAL_MS));
}

void daemon_reload(struct daemon *daemon, int64_t now_ms)
{
    struct timespec monotonic = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &monotonic);
    service_manager_reloading(monotonic.tv_sec * INT64_C(1000000) + monotonic.tv_nsec / 1000);

    struct config config;
    const int r = load_again(daemon, &config);
    daemon->config_rejected = r < 0;
    if (r < 0) {
        log_error("the configuration was not reloaded, the old one stays in force: %s",
                  r == -EINVAL ? "it has mistakes" : strerror(-r));
    } else {
        warn_of_fixed_keys(&daemon->config, &config);
        struct config old = daemon->config;
        daemon->config = config;
        daemon_apply(daemon, now_ms);
        config_clear(&old);
        log_info("configuration reloaded");
    }
    service_manager_ready();
}
