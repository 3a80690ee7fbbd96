/* The inside of the link, for the two files that make it up: the loop's side and the thread's.
 * Nobody else's. */
#ifndef FLUXAWS_MQTT_MQTT_LINK_PRIVATE_H
#define FLUXAWS_MQTT_MQTT_LINK_PRIVATE_H

#include "daemon/mqtt/inbox.h"
#include "daemon/mqtt/mqtt_link.h"
#include "daemon/mqtt/network_watch.h"
#include "daemon/mqtt/outbox.h"
#include "daemon/mqtt/wire_meter.h"
#include <pthread.h>
#include <stdatomic.h>

struct mqtt_link {
    struct inbox inbox;
    struct outbox outbox;
    struct wire_meter meter;
    pthread_t thread;
    uint64_t connection;        /* loop only: number of the newest connection, 0: none */
    _Atomic uint64_t abandoned; /* connections up to this one are to be dropped */
    atomic_bool quit;
    _Atomic(struct network_target *) new_target; /* to be watched from now on; NULL: as before */
    /* Link thread only: */
    struct paho_connection *paho;
    struct proxy_dial *proxy_dial; /* before there is a `paho`, where there is a proxy */
    struct network_watch network;
    int64_t farewell_ms;            /* hang up then, or when all is answered; 0: not asked to */
    int64_t dialled_ms;             /* when the attempt began */
    struct outbox_command *dialled; /* the OUTBOX_CONNECT behind `paho`, for its config */
};

/* What the thread runs; `argument` is the link. Ends once `quit` is set. */
void *mqtt_link_thread(void *argument);

#endif
