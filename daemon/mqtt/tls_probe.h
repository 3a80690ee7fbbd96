/* Find out why a connection failed: dial once more, up to the end of the TLS handshake, and put the
 * reason into words. Sends no MQTT. Used after a failure only, since Paho does not tell. */
#ifndef FLUXAWS_MQTT_TLS_PROBE_H
#define FLUXAWS_MQTT_TLS_PROBE_H

#include "daemon/mqtt/mqtt_link.h"
#include "daemon/mqtt/network_view.h"

struct tls_probe {
    int code;       /* enum mqtt_link_failure; 0: up to TLS all is well */
    char text[512]; /* in words, with what to try */
};

/* Tell whether the way leads through a proxy. */
bool tls_probe_has_proxy(const struct mqtt_link_config *config);

/* Resolve the endpoint's name, and ask for the way there; without a proxy. Returns 0, or fills in
 * the probe and returns -1. Blocks as long as the resolver does. */
int tls_probe_name(const struct mqtt_link_config *config, struct tls_probe *ret_probe,
                   enum endpoint_way *ret_way);

/* Resolve, connect, through the proxy where there is one, shake hands. Blocks for up to
 * `timeout_ms` beyond the resolver. */
void tls_probe_run(const struct mqtt_link_config *config, int timeout_ms,
                   struct tls_probe *ret_probe);

/* The same, with a reason where up to TLS all is well and yet there was no session. */
void tls_probe_explain(const struct mqtt_link_config *config, int timeout_ms, bool timed_out,
                       struct tls_probe *ret_probe);

#endif
