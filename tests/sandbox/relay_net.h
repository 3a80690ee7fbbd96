/* The relayed connections and the state of the emulated network between devices and broker.
 * It takes no commands itself and knows nothing of TLS or MQTT. */
#ifndef FLUX_TESTS_SANDBOX_RELAY_NET_H
#define FLUX_TESTS_SANDBOX_RELAY_NET_H

#include <event2/event.h>
#include <stddef.h>
#include <stdint.h>

enum relay_net_state {
    RELAY_NET_UP,
    RELAY_NET_DOWN,      /* connections are reset, new ones refused; the port stays ours */
    RELAY_NET_BLACKHOLE, /* connections stand, new ones are taken, no byte moves */
};

struct relay_net;

/* Listen on 127.0.0.1:port (0: any free one) and connect what comes to the broker's Unix socket.
 * Returns 0 or a negative errno. */
int relay_net_new(struct event_base *base, unsigned port, const char *broker_path,
                  struct relay_net **ret_net);

/* Reset all connections and free everything. Returns NULL. */
struct relay_net *relay_net_free(struct relay_net *net);

/* The port listened on. */
unsigned relay_net_port(const struct relay_net *net);

/* Change the network. Back to up: what hung goes on where it stopped. Returns 0 or a negative
 * errno. */
int relay_net_set_state(struct relay_net *net, enum relay_net_state state);

/* Let every byte arrive so much later, each way; 0 ends it. */
void relay_net_set_delay(struct relay_net *net, int64_t delay_ms);

enum relay_net_state relay_net_get_state(const struct relay_net *net);
int64_t relay_net_delay_ms(const struct relay_net *net);

/* Connections open now. */
size_t relay_net_count(const struct relay_net *net);

const char *relay_net_state_name(enum relay_net_state state);

#endif
