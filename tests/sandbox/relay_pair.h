/* One relayed connection: a device's socket, the broker's, and the bytes under way between them.
 * It does not know why it is paused. */
#ifndef FLUX_TESTS_SANDBOX_RELAY_PAIR_H
#define FLUX_TESTS_SANDBOX_RELAY_PAIR_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct relay_pair;

/* Called when a pair has ended by itself; it must not be used afterwards. */
typedef void (*relay_pair_ended)(struct relay_pair *pair, void *data);

struct relay_pair_options {
    struct event_base *base;
    const char *broker_path; /* borrowed for the life of the pair */
    const int64_t *delay_ms; /* borrowed, read for every chunk */
    relay_pair_ended on_end;
    void *data;
};

/* Relay for `device_fd`, which is taken over in any case. paused: no byte moves and the broker is
 * not connected before relay_pair_set_paused(false). Returns 0 or a negative errno. */
int relay_pair_new(const struct relay_pair_options *options, int device_fd, bool paused,
                   struct relay_pair **ret_pair);

/* Stop or let go on both directions. Returns 0 or a negative errno: the broker cannot be reached.
 */
int relay_pair_set_paused(struct relay_pair *pair, bool paused);

/* Reset both connections and free the pair, without calling on_end. */
void relay_pair_free(struct relay_pair *pair);

#endif
