/* At most so many events within a span of time that slides along: how the service throttles.
 * It knows no shadows and no answers. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_WINDOW_H
#define FLUX_TESTS_SANDBOX_CLOUD_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed window has seen nothing. */
struct cloud_window {
    int64_t *times_ms; /* owned; of the newest events, a ring */
    unsigned capacity;
    unsigned next; /* where the next event goes */
    unsigned count;
};

/* Take an event at `now_ms` unless `limit` were taken in the last `span_ms`. limit or span 0: no
 * limit. A changed limit begins anew. Returns 0 taken, 1 refused, -ENOMEM. */
int cloud_window_take(struct cloud_window *window, unsigned limit, int64_t span_ms, int64_t now_ms);

/* Free what the window holds and zero it. */
void cloud_window_clear(struct cloud_window *window);

#endif
