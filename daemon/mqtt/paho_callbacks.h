/* What Paho calls from its threads, under its global lock: each callback copies, pushes into inbox
 * or outbox, and returns. Makes no call of Paho's that could wait. With mqtt_paho.c the only file
 * that uses Paho. */
#ifndef FLUXAWS_MQTT_PAHO_CALLBACKS_H
#define FLUXAWS_MQTT_PAHO_CALLBACKS_H

#include "daemon/mqtt/inbox.h"
#include "daemon/mqtt/outbox.h"
#include "daemon/mqtt/wire_meter.h"
#include <MQTTAsync.h>

/* Paho waits up to a second once the broker's Receive Maximum is reached (20 with mosquitto, 100
 * with AWS IoT), so what is in flight stays below. */
#define PAHO_IN_FLIGHT_MAX 16u

/* With MQTT 3.1.1 the filters of one subscribe are sent one by one, as Paho does not say how many
 * codes a SUBACK of that version held; this gathers the answers. */
struct paho_group {
    size_t members; /* requests that point here; link thread only */
    size_t filter_count;
    atomic_size_t waiting; /* for so many answers */
    atomic_bool failed;
    int codes[MQTT_LINK_FILTERS_MAX]; /* each written by one answer, read after the last */
};

/* One subscribe, unsubscribe or publish under way. Paho may forget to call back for one when a
 * connection ends, so the list owns them, and a callback only marks its own as done. */
struct paho_request {
    struct paho_request *next;
    struct paho_connection *connection;
    uint32_t id;
    size_t filter_count;      /* 0: a publish */
    struct paho_group *group; /* of a subscribe, NULL: it stands alone */
    size_t index;             /* in the group */
    bool is_unsubscribe;
    int qos; /* of a publish */
    atomic_bool done;
};

struct paho_connection {
    MQTTAsync handle;
    struct inbox *inbox;
    struct outbox *outbox;
    struct wire_meter *meter;
    uint64_t number;
    int protocol;
    uint16_t port; /* that the socket is connected to: the endpoint's or the proxy's */
    int keep_alive_sec;
    struct paho_request *requests; /* link thread only */
    size_t request_count;
    atomic_uint in_flight; /* publishes at QoS 1 without an answer */
    atomic_bool leaving;   /* the link thread waits for the last answer */
    atomic_bool ended;     /* its end has been told */
};

/* Name the callbacks in what is handed to Paho. */
void paho_set_callbacks(struct paho_connection *connection);
void paho_set_dial_callbacks(struct paho_connection *connection, MQTTAsync_connectOptions *options);
void paho_set_request_callbacks(struct paho_request *request, MQTTAsync_responseOptions *options);
void paho_set_close_callbacks(struct paho_connection *connection,
                              MQTTAsync_disconnectOptions *options);

/* Answer a request that Paho did not take. */
void paho_request_failed(struct paho_request *request);

/* Answer where there is not even a request. */
void paho_tell(struct paho_connection *connection, enum mqtt_link_event_kind kind,
               uint32_t request_id, int code, const char *text);

/* Tell that hanging up is done. */
void paho_tell_closed(struct paho_connection *connection);

#endif
