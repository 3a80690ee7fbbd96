/* The last events of the link, for an operator who asks what happened: what, when, why, how long
 * and how many bytes. Pure: both clocks are arguments. Writes no text, decides nothing. */
#ifndef FLUXAWS_MQTT_LINK_HISTORY_H
#define FLUXAWS_MQTT_LINK_HISTORY_H

#include "daemon/mqtt/link_state.h"
#include <stddef.h>
#include <stdint.h>

#define LINK_HISTORY_MAX  50u
#define LINK_REASON_BYTES 321u /* of a reason, with its NUL */

enum link_event {
    LINK_EVENT_NONE,
    LINK_EVENT_UP,            /* connected */
    LINK_EVENT_DIAL_FAILED,   /* an attempt ended without a connection */
    LINK_EVENT_LOST,          /* the connection ended, not by us */
    LINK_EVENT_HUNG_UP,       /* by us: reconnect, new settings, stop */
    LINK_EVENT_PAUSED,        /* by an operator */
    LINK_EVENT_RESUMED,       /* by an operator */
    LINK_EVENT_CREDENTIALS,   /* missing or unusable */
    LINK_EVENT_NETWORK_GONE,  /* there is no route any more */
    LINK_EVENT_NETWORK_FOUND, /* there is one again */
    LINK_EVENT_COUNT,
};

struct link_history_entry {
    enum link_event event;
    int64_t wall_sec;    /* when it happened last, as the device believed then */
    int64_t boot_ms;     /* the same by the clock that nobody sets */
    int64_t first_ms;    /* boot time: when it happened first, where it repeated */
    int64_t duration_ms; /* how long what it ended had lasted: the link up, the time without a
                            link, the attempts together, the pause, the time without a network */
    uint64_t bytes_in;   /* of the connection that ended; else 0 */
    uint64_t bytes_out;
    uint64_t repeats; /* how often in a row: 1 or more */
    char reason[LINK_REASON_BYTES];
};

struct link_history {
    struct link_history_entry entries[LINK_HISTORY_MAX];
    size_t first; /* the oldest */
    size_t count;
    uint64_t event_count; /* all that ever happened, repeats included */
};

/* What a step of the state table is to the history; `network_before`: as it was.
 * LINK_EVENT_NONE: nothing to note. */
enum link_event link_history_event(enum link_state before, const struct link_machine *after,
                                   enum link_input input, enum link_network network_before);

/* Add an event; `event->repeats` is ignored, a reason that is too long ends in "..." behind a whole
 * character. The oldest gives way. A failed attempt or bad credentials for the same reason as the
 * event before is counted there instead, its duration added. */
void link_history_add(struct link_history *history, const struct link_history_entry *event,
                      const char *reason);

/* The entry at `index`, 0 being the oldest; NULL beyond the newest. */
const struct link_history_entry *link_history_at(const struct link_history *history, size_t index);

/* Stable: "up", "dial-failed", "lost", ... */
const char *link_event_name(enum link_event event);

#endif
