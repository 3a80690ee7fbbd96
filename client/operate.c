/* What operators have the daemon do. */
#include "client/client.h"
#include <errno.h>
#include <string.h>
#include <syslog.h>

static int have_done(struct fluxaws_client *client, enum flux_admin_action action, int timeout_ms)
{
    struct flux_admin admin = {.action = action};
    return client_ask_admin(client, &admin, timeout_ms, NULL);
}

int fluxaws_reload(struct fluxaws_client *client, int timeout_ms, char **ret_json)
{
    struct flux_admin admin = {.action = FLUX_ADMIN_RELOAD};
    return client_ask_admin(client, &admin, timeout_ms, ret_json);
}

int fluxaws_reconnect(struct fluxaws_client *client, int timeout_ms)
{
    return have_done(client, FLUX_ADMIN_RECONNECT, timeout_ms);
}

int fluxaws_pause(struct fluxaws_client *client, int timeout_ms)
{
    return have_done(client, FLUX_ADMIN_PAUSE, timeout_ms);
}

int fluxaws_resume(struct fluxaws_client *client, int timeout_ms)
{
    return have_done(client, FLUX_ADMIN_RESUME, timeout_ms);
}

int fluxaws_set_log_level(struct fluxaws_client *client, const char *level, unsigned duration_sec,
                          int timeout_ms)
{
    static const struct {
        const char *name;
        uint32_t number;
    } levels[] = {
        {"error", LOG_ERR}, {"warning", LOG_WARNING}, {"notice", LOG_NOTICE},
        {"info", LOG_INFO}, {"debug", LOG_DEBUG},
    };
    struct flux_admin admin = {.action = FLUX_ADMIN_LOG_LEVEL, .duration_sec = duration_sec};
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
        if (level != NULL && strcmp(levels[i].name, level) == 0)
            admin.argument = levels[i].number;
    if (admin.argument == 0)
        return client_fail(client, -EINVAL,
                           "there is no level '%.64s': they are error, warning, notice, info and "
                           "debug",
                           level != NULL ? level : "");
    return client_ask_admin(client, &admin, timeout_ms, NULL);
}

int fluxaws_get_history(struct fluxaws_client *client, int timeout_ms, char **ret_json)
{
    return client_ask_history(client, timeout_ms, ret_json);
}
