/* Asks the kernel whether any route leads out of this device. Changes nothing, keeps nothing open;
 * what follows from it is decided in network_view.h. */
#ifndef FLUXAWS_MQTT_ROUTE_TABLE_H
#define FLUXAWS_MQTT_ROUTE_TABLE_H

#include "daemon/mqtt/network_view.h"
#include <stddef.h>

/* Read the routes of IPv4 and IPv6, of all tables, up to the first that leads out. Waits for the
 * kernel alone. ROUTE_TABLE_UNKNOWN where it may not ask. */
enum route_table route_table_read(void);

/* What one answer of the kernel holds. */
enum route_answer {
    ROUTE_ANSWER_MORE,      /* none so far */
    ROUTE_ANSWER_LEADS_OUT, /* a route that does */
    ROUTE_ANSWER_END,       /* none, and that was all */
    ROUTE_ANSWER_BROKEN,    /* refused, interrupted, or not understood */
};

/* Judge messages that have been read: netlink, aligned as a struct nlmsghdr. */
enum route_answer route_table_scan(const void *messages, size_t size);

#endif
