/* Whether this device has a network that may lead to the endpoint, from what the routing table and
 * the way to the endpoint say, and when to look again. Pure. In doubt there is a network: a false
 * "none" would keep a device off for good. */
#ifndef FLUXAWS_MQTT_NETWORK_VIEW_H
#define FLUXAWS_MQTT_NETWORK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#define NETWORK_LOOK_AFTER_MS 100   /* changes come in swarms */
#define NETWORK_LOOK_EVERY_MS 1000  /* at most so often */
#define NETWORK_RECHECK_MS    30000 /* while there is none, should a change go untold */

/* What the routing tables hold. */
enum route_table {
    ROUTE_TABLE_UNKNOWN, /* could not be read */
    ROUTE_TABLE_EMPTY,   /* no route that leads out of this device, over a wire that is there */
    ROUTE_TABLE_LEADS_OUT,
};

/* Where packets for the endpoint would go. */
enum endpoint_way {
    ENDPOINT_UNKNOWN,  /* its name does not resolve, or nobody has asked */
    ENDPOINT_NO_ROUTE, /* none of its addresses has a route */
    ENDPOINT_ROUTED,
    ENDPOINT_LOCAL, /* to this device itself, or no further than the wire */
};

enum network_news { NETWORK_SAME, NETWORK_GONE, NETWORK_FOUND };

enum network_state {
    NETWORK_THERE,
    NETWORK_NO_ROUTE, /* none leads out of this device */
    NETWORK_NO_WAY,   /* none leads to the endpoint; to elsewhere one may */
};

struct network_view {
    enum network_state state;
    bool look_twice; /* a change may be told before it has come to the routing table */
    int64_t looked_ms;
    int64_t look_ms; /* INT64_MAX: nothing to look for */
};

/* Begin with a network, and a look at once. */
void network_view_init(struct network_view *view);

/* Something about links, addresses or routes has changed. */
void network_view_changed(struct network_view *view, int64_t now_ms);

/* Another endpoint: look at once. */
void network_view_retarget(struct network_view *view);

/* When to look; INT64_MAX: only after a change. */
int64_t network_view_deadline(const struct network_view *view);

/* Tell whether the way to the endpoint matters, with the table like this: finding it out may cost a
 * question to the resolver. */
bool network_view_needs_endpoint(const struct network_view *view, enum route_table table);

/* Judge what was seen at `now_ms`. */
enum network_news network_view_judge(struct network_view *view, enum route_table table,
                                     enum endpoint_way way, int64_t now_ms);

/* What a dial has found of the way to the endpoint. */
enum network_news network_view_dialled(struct network_view *view, enum endpoint_way way,
                                       int64_t now_ms);

/* There was no memory to pass the news on: find them out once more, soon. */
void network_view_untold(struct network_view *view, enum network_news news, int64_t now_ms);

#endif
