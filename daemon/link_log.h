/* What the journal is told about the link: every change of state once, with its reason; attempts
 * that fail for the same reason are counted. Decides nothing about the link. */
#ifndef FLUXAWS_LINK_LOG_H
#define FLUXAWS_LINK_LOG_H

#include "daemon/base/log_limit.h"
#include "daemon/mqtt/link_state.h"

/* One step of the link's state table; all borrowed. */
struct link_change {
    enum link_state before, after;
    enum link_input input;
    const char *thing_name, *client_id, *endpoint, *port;
    const char *proxy;  /* host:port; "": none */
    const char *reason; /* of a failure, in words; where we hang up: why */
    int code;           /* MQTT's reason code of a failure; 0 or less: none */
    int64_t wait_ms;    /* until the next attempt; INT64_MAX: none is planned */
};

void link_log_change(struct log_limit *limit, const struct link_change *change, int64_t now_ms);

/* The credentials are not valid by this device's clock, which may be wrong: dialling all the same.
 */
void link_log_doubt(const char *thing_name, enum link_state state, const char *text);

#endif
