/* Says in one line how the daemon stands: "healthy", or the one thing to do. Pure: facts come in,
 * words go out; collects nothing. */
#ifndef FLUXAWS_STATUS_SUMMARY_H
#define FLUXAWS_STATUS_SUMMARY_H

#include "daemon/mqtt/link_state.h"
#include "daemon/shadow/shadow.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_SUMMARY_MAX 1024

/* What scripts and people compare the summary with. */
#define STATUS_HEALTHY "healthy"

/* How many shadows something is true of, and one of them; borrowed names. */
struct status_finding {
    size_t count;
    const char *thing, *shadow; /* shadow "": the classic one */
    int code;                   /* of the service, where there is one */
    size_t number;              /* values, or percent */
    int64_t for_ms;
};

struct status_facts {
    bool is_stopping, is_paused;
    bool awaits_name;            /* the certificate that has the thing's name is not there */
    const char *storage_trouble; /* what it is; NULL: none */
    bool config_rejected;        /* the last reload was refused */
    bool config_degraded;        /* a value of it cannot be used */
    const char *config_problem;  /* where the gravest mistake is: "FILE:LINE"; "": not known */
    size_t config_mistakes;      /* how many there are, that one included; 0: not known */
    const char *needs_restart;   /* a key that waits for a restart; NULL: none */

    enum link_state link;
    int64_t link_for_ms;     /* in this state */
    const char *link_reason; /* why it is not up, or was lost last; "": it never failed */
    int link_failure;        /* enum mqtt_link_failure or a reason code of MQTT; 0: none */
    bool link_was_up;        /* that failure ended a link that had been up */
    bool has_proxy;          /* the way leads through one */
    bool credentials_missing;
    int64_t certificate_ends_in_sec; /* INT64_MAX: not known */

    const char *own_thing;
    int64_t interval_ms; /* [Updates] IntervalMs */
    bool is_spread;      /* DailyOperations would not last: updates are spread */
    size_t shadows, shadows_unheard;
    struct status_finding quarantined, denied, unreadable, refused, slowed, waiting, full;
};

/* Take the facts of one more shadow. `status` is borrowed for as long as the facts are used. */
void status_facts_add(struct status_facts *facts, const struct shadow_status *status,
                      int64_t now_ms);

/* Write the line. */
void status_summarize(const struct status_facts *facts, char *ret_text, size_t size);

#endif
