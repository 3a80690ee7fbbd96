/* Hears from the kernel when a new route or address may have made the cloud reachable. Sees no
 * traffic, changes nothing; whether it shortens a wait is decided in link_state.h. */
#ifndef FLUXAWS_MQTT_ROUTE_WATCH_H
#define FLUXAWS_MQTT_ROUTE_WATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Returns an fd that is readable when there is something to read, or a negative errno: without a
 * watch the backoff alone decides. */
int route_watch_open(void);

/* Read all that waits. Returns whether a route or an address that leads out of this device is new.
 */
bool route_watch_read(int fd);

/* The same for messages that have been read: netlink, aligned as a struct nlmsghdr. What is cut
 * short ends the list. */
bool route_watch_has_news(const void *messages, size_t size);

#endif
