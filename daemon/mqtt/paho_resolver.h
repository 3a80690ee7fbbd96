/* Addresses for Paho that it can reach: it takes the first IPv4 address of a name whatever else
 * there is, and on a network with IPv6 alone it would dial that for ever. Resolves nothing itself.
 */
#ifndef FLUXAWS_MQTT_PAHO_RESOLVER_H
#define FLUXAWS_MQTT_PAHO_RESOLVER_H

struct addrinfo;

/* From now on getaddrinfo(), for this program and the libraries it loads, leaves out IPv4 addresses
 * that have no route where an IPv6 address has one. Once, before Paho is used. */
void paho_resolver_keep(void);

/* The same for a list that getaddrinfo() has made; frees what it takes out. Returns the list. */
struct addrinfo *paho_resolver_prune(struct addrinfo *addresses);

#endif
