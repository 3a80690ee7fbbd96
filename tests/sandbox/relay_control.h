/* The relay's control socket: one line with a command, one line with the answer, then it closes.
 * It decides nothing about connections. */
#ifndef FLUX_TESTS_SANDBOX_RELAY_CONTROL_H
#define FLUX_TESTS_SANDBOX_RELAY_CONTROL_H

#include <event2/event.h>

#include "tests/sandbox/relay_net.h"

struct relay_control;

/* Listen on a Unix socket, replacing one that is left over there. Returns 0 or a negative errno. */
int relay_control_new(struct event_base *base, const char *path, struct relay_net *net,
                      struct relay_control **ret_control);

/* Stop listening and remove the socket. Returns NULL. */
struct relay_control *relay_control_free(struct relay_control *control);

#endif
