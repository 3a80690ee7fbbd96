/* The link thread's eye on the network: what the kernel tells, what the routing table and the way
 * to the endpoint say. Judges by network_view.h; dials nothing. One thread. */
#ifndef FLUXAWS_MQTT_NETWORK_WATCH_H
#define FLUXAWS_MQTT_NETWORK_WATCH_H

#include "daemon/mqtt/network_view.h"

struct network_target {
    uint16_t port;
    char host[];
};

struct network_watch {
    int fd;                        /* of route_watch.h; -1: nobody tells, a network is assumed */
    struct network_target *target; /* the endpoint; NULL: not known yet */
    struct network_view view;
};

void network_watch_init(struct network_watch *watch);
void network_watch_clear(struct network_watch *watch);

/* Make a target on the heap. Returns NULL without memory. */
struct network_target *network_target_new(const char *host, uint16_t port);

/* Name the endpoint; takes over `target`. */
void network_watch_target(struct network_watch *watch, struct network_target *target);

/* How long to sleep at most, -1: until the descriptor is readable. */
int network_watch_timeout_ms(const struct network_watch *watch, int64_t now_ms);

/* Read what the kernel told; when the descriptor is readable. NETWORK_FOUND: a route or an address
 * is new, where there was a network before. */
enum network_news network_watch_read(struct network_watch *watch, int64_t now_ms);

/* A dial has found this way to the endpoint. */
enum network_news network_watch_dialled(struct network_watch *watch, enum endpoint_way way,
                                        int64_t now_ms);

/* Look where it is time to. May wait for the resolver where no route leads out. */
enum network_news network_watch_look(struct network_watch *watch, int64_t now_ms);

#endif
