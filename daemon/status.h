/* The status document: how the daemon stands, as JSON with stable field names (docs/operating.md).
 * Collects, decides nothing. */
#ifndef FLUXAWS_STATUS_H
#define FLUXAWS_STATUS_H

#include "daemon/config.h"
#include "daemon/daemon_storage.h"
#include "daemon/ipc/socket_server.h"
#include "daemon/log_choice.h"
#include "daemon/mqtt/link_history.h"
#include "daemon/reload_report.h"
#include "daemon/uplink.h"

/* What there is to tell about; all borrowed. */
struct status_source {
    bool is_stopping;
    const char *thing_name;
    struct thing *thing;
    const struct config *config;
    bool awaits_name;     /* thing_name is provisional */
    bool config_rejected; /* the last reload was refused; an older configuration is in force */
    const struct reload_report *reload; /* of the last one; zeroed before */
    const struct uplink *uplink;
    const struct socket_server *server;
    const struct session_host *host;
    const struct daemon_storage *storage;
    const struct log_choice *log_choice; /* the log level in force is log_level() */
    int64_t started_ms;
};

/* Write the document. Returns it, for the caller to free, with its length; NULL without memory. */
char *status_write(const struct status_source *source, int64_t now_ms, size_t *ret_size);

/* Write the last events of the link; returns as status_write(). */
char *status_write_history(const struct link_history *history, int64_t now_ms, size_t *ret_size);

/* Values reported that the cloud has not taken yet. */
size_t status_count_pending(struct thing *thing);

#endif
