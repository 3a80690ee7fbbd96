/* The inside of the uplink, for the files that make it up. Nobody else's. */
#ifndef FLUXAWS_UPLINK_PRIVATE_H
#define FLUXAWS_UPLINK_PRIVATE_H

#include "daemon/base/log_limit.h"
#include "daemon/credential_paths.h"
#include "daemon/mqtt/clock_doubt.h"
#include "daemon/mqtt/mqtt_link.h"
#include "daemon/mqtt/proxy_address.h"
#include "daemon/uplink.h"

struct uplink {
    struct thing *thing;         /* borrowed */
    const char *thing_name;      /* borrowed */
    const struct config *config; /* borrowed */
    struct uplink_directories directories;
    struct mqtt_link *link;
    struct link_machine machine;
    struct credential_paths paths;
    char proxy[PROXY_TEXT_MAX + 8]; /* host:port of the one in use, without what is secret; "" */
    uint64_t fingerprint;           /* of what the connection rests on */
    int64_t since_ms;
    uint64_t changes;
    char reason[512];
    int failure;           /* what the reason is about; 0: none */
    bool was_up;           /* and whether it ended a link that had been up */
    bool is_past;          /* that outage is over, or was of other settings */
    struct log_limit *log; /* borrowed */
    enum credentials_state credentials_state;
    bool has_checked; /* certificate and key, at least once */
    int64_t not_after_sec;
    struct clock_doubt clock_doubt;
    struct link_history history;
    const char *why_hung_up; /* by ourselves, the last time */
    int64_t down_since_ms;   /* when there was no link last, where there is one */
    int64_t network_ms;      /* when the network came or went */
    uint64_t bytes_in;       /* of all connections before this one */
    uint64_t bytes_out;
};

/* A step of the state table as the journal and the history tell it. */
struct uplink_step {
    enum link_state before;
    enum link_network network_before;
    enum link_input input;
    int64_t before_ms; /* since when it had been in that state */
};

/* Note in the history what has just happened. */
void uplink_note(struct uplink *uplink, const struct uplink_step *step, int64_t now_ms);

#endif
