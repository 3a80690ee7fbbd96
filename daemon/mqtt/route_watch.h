/* Hears from the kernel when links, addresses or routes change. Sees no traffic, changes nothing;
 * what follows from it is decided in network_view.h and link_state.h. */
#ifndef FLUXAWS_MQTT_ROUTE_WATCH_H
#define FLUXAWS_MQTT_ROUTE_WATCH_H

#include <stddef.h>

enum route_news {
    ROUTE_NEWS_NONE,
    ROUTE_NEWS_CHANGED, /* something may have gone or come: the routing table knows */
    ROUTE_NEWS_FOUND,   /* a route or an address that leads out of this device is new */
};

/* Returns an fd that is readable when there is something to read, or a negative errno: without a
 * watch the backoff alone decides. */
int route_watch_open(void);

/* Read what waits, up to a limit: the rest makes the fd readable again. */
enum route_news route_watch_read(int fd);

/* The same for messages that have been read: netlink, aligned as a struct nlmsghdr. What is cut
 * short ends the list. */
enum route_news route_watch_judge(const void *messages, size_t size);

#endif
