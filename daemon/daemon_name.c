#include "daemon/base/log.h"
#include "daemon/config_name.h"
#include "daemon/daemon_private.h"
#include "daemon/message_ids.h"

#define LOOK_MS 2000

void daemon_start_over(struct daemon *daemon, const char *name, int64_t now_ms)
{
    if (daemon->state != DAEMON_RUNNING)
        return;
    const struct log_field fields[] = {{"MESSAGE_ID", MESSAGE_NAMED}, {"THING", name}};
    log_event(LOG_INFO, fields, 2,
              "this device's name is known now, %s: beginning again under it; programs connect "
              "again by themselves",
              name);
    daemon->starts_over = true;
    daemon_begin_stop(daemon, now_ms);
}

void daemon_look_for_name(struct daemon *daemon, int64_t now_ms)
{
    char name[FLUX_THING_NAME_MAX + 1];
    if (now_ms < daemon_name_deadline(daemon))
        return;
    daemon->next_look_ms = now_ms + LOOK_MS;
    if (config_name_by_certificate(&daemon->config, daemon->options.state_directory,
                                   daemon->options.credentials_directory, name) == 0)
        daemon_start_over(daemon, name, now_ms);
}

int64_t daemon_name_deadline(const struct daemon *daemon)
{
    return daemon->awaits_name && daemon->state == DAEMON_RUNNING ? daemon->next_look_ms
                                                                  : INT64_MAX;
}
