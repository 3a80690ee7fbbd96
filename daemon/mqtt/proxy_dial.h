/* One connection through an HTTP proxy: dials the proxy, asks it to be let through, ends with a
 * socket on which the endpoint itself answers. Never blocks but in the resolver; sends no TLS. */
#ifndef FLUXAWS_MQTT_PROXY_DIAL_H
#define FLUXAWS_MQTT_PROXY_DIAL_H

#include "daemon/mqtt/network_view.h"
#include "daemon/mqtt/tls_probe.h"

enum proxy_dial_state {
    PROXY_DIAL_CONNECTING,
    PROXY_DIAL_SENDING,
    PROXY_DIAL_READING,
    PROXY_DIAL_OPEN,
    PROXY_DIAL_FAILED,
};

struct proxy_dial;

/* Resolve the proxy's name and begin, with the proxy and the endpoint of `config`. Blocks as long
 * as the resolver does; `timeout_ms` counts from then on. `*ret_way` is the way to the proxy, as
 * far as it is known. Returns 0, or -1 with the reason in the probe and `*ret_dial` NULL. */
int proxy_dial_new(struct proxy_dial **ret_dial, const struct mqtt_link_config *config,
                   int64_t timeout_ms, enum endpoint_way *ret_way, struct tls_probe *ret_probe);
/* Closes the socket if it was not taken. Returns NULL; `dial` may be NULL. */
struct proxy_dial *proxy_dial_free(struct proxy_dial *dial);

/* What to poll for, until proxy_dial_step() is called again; the time in ms, 0 and more. */
int proxy_dial_poll(const struct proxy_dial *dial, int64_t now_ms, short *ret_events,
                    int *ret_timeout_ms);

/* Go on as far as it goes now. */
enum proxy_dial_state proxy_dial_step(struct proxy_dial *dial, int64_t now_ms);

/* Why it has failed; borrowed. */
const struct tls_probe *proxy_dial_reason(const struct proxy_dial *dial);

/* Take the socket of an open one, non-blocking: the caller's to close. */
int proxy_dial_take(struct proxy_dial *dial);

#endif
