/* Asks the kernel where packets for the endpoint would go. Sends none, but where rules of routing
 * tell TCP or this port from others: then a connection is begun and given up. */
#ifndef FLUXAWS_MQTT_ENDPOINT_WAY_H
#define FLUXAWS_MQTT_ENDPOINT_WAY_H

#include "daemon/mqtt/network_view.h"
#include <stdint.h>

struct addrinfo;

/* The best way to any of the addresses, each with its port. */
enum endpoint_way endpoint_way_to(const struct addrinfo *addresses);

/* The same for a name, or an address as text. Blocks as long as the resolver does. */
enum endpoint_way endpoint_way_find(const char *host, uint16_t port);

#endif
