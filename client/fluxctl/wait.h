/* Follows the reports of a command to the level it waits for, and says how they ended. */
#ifndef FLUXCTL_WAIT_H
#define FLUXCTL_WAIT_H

#include "client/fluxctl/fluxctl.h"
#include <stdbool.h>
#include <stdint.h>

struct fluxctl_wait {
    const struct fluxctl_arguments *arguments; /* borrowed */
    struct fluxaws_client *client;             /* borrowed */
    int64_t version;                           /* of the newest ACCEPTED */
    bool deadband;                             /* a value was within its Deadband */
    uint64_t rejected_count;
    int code; /* of the first rejection */
    char path[256], text[256];
};

/* Have the answers of the reports that follow noted. Returns FLUXCTL_DONE, or FLUXCTL_REFUSED with
 * the reason on stderr when the level cannot be reached. */
enum fluxctl_exit fluxctl_wait_begin(struct fluxctl_wait *wait,
                                     const struct fluxctl_arguments *arguments,
                                     struct fluxaws_client *client);

/* Wait until all reports have reached the level or one was rejected. `quick`: give up at the first
 * rejection. Returns the exit code; says on stderr what went wrong and on stdout what was reached.
 */
enum fluxctl_exit fluxctl_wait_end(struct fluxctl_wait *wait, bool quick);

/* Say why a call that reports failed, and return the exit code. */
enum fluxctl_exit fluxctl_explain_report(struct fluxaws_client *client, int error);

#endif
