/* What there is to know about this machine, from /proc and /sys, told to a fluxaws handle in groups
 * of values that belong together. Does not decide when, and sends nothing by itself. */
#ifndef EXAMPLES_MACHINE_H
#define EXAMPLES_MACHINE_H

#include "client/fluxaws.h"
#include <stdint.h>

#define MACHINE_CORES_MAX 16 /* a shadow has 8 KB for everything */
#define MACHINE_GROUPS    8u

struct machine_core {
    uint64_t busy, total; /* jiffies, at the beginning of the window */
    double percent;       /* of the last complete window */
};

struct machine {
    struct machine_core all, cores[MACHINE_CORES_MAX];
    int core_count;
    int64_t window_ms; /* when the window began */
};

/* Add group number `group` (modulo MACHINE_GROUPS) to the report being collected. `now_ms` is any
 * monotonic clock. What this machine does not have is left out. Returns how many values were added.
 */
unsigned machine_add_group(struct machine *machine, struct fluxaws_client *client, unsigned group,
                           int64_t now_ms);

#endif
