/* Gives Paho a connection that stands already, in place of one that it would make: what it dials is
 * a stand-in for the endpoint, and the socket it uses is the one that leads through the proxy.
 * Dials nothing; Paho learns of no proxy and of no password. */
#ifndef FLUXAWS_MQTT_PAHO_TUNNEL_H
#define FLUXAWS_MQTT_PAHO_TUNNEL_H

#include <stdbool.h>
#include <stdint.h>

/* From now on let connect(), for this program and the libraries it loads, take what is offered.
 * Once, before any thread starts. */
void paho_tunnel_keep(void);

/* Offer a socket to the thread, other than the calling one, that next connects to `host` and
 * `port`. Until paho_tunnel_withdraw() such a thread gets no other connection to them, and resolves
 * nothing for them. Takes over `fd`. Returns 0; -ENAMETOOLONG; -ENOSYS: this program cannot do it,
 * as something else stands where Paho looks for connect() or getaddrinfo(). Nothing is offered
 * then. */
int paho_tunnel_offer(const char *host, uint16_t port, int fd);
void paho_tunnel_withdraw(void);

/* For the resolver: what the calling thread is to resolve in place of `host`. NULL: `host` itself.
 */
const char *paho_tunnel_stand_in(const char *host);

#endif
