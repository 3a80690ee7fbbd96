/* Asks the kernel where packets for the endpoint would go, without sending any. */
#ifndef FLUXAWS_MQTT_ENDPOINT_WAY_H
#define FLUXAWS_MQTT_ENDPOINT_WAY_H

#include "daemon/mqtt/network_view.h"

struct addrinfo;

/* The best way to any of the addresses. */
enum endpoint_way endpoint_way_to(const struct addrinfo *addresses);

/* The same for a name, or an address as text. Blocks as long as the resolver does. */
enum endpoint_way endpoint_way_find(const char *host);

#endif
