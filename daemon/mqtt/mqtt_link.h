/* The MQTT connection, on a thread of its own: takes commands, answers with events over an eventfd.
 * Never blocks the caller, never calls back, never reconnects by itself and keeps nothing across
 * connections. Decides nothing: link_state.h says when to dial. */
#ifndef FLUXAWS_MQTT_MQTT_LINK_H
#define FLUXAWS_MQTT_MQTT_LINK_H

#include "daemon/mqtt/credentials.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MQTT_LINK_FILTERS_MAX 8u

struct mqtt_link;

/* How to connect. Everything is copied by mqtt_link_connect(). */
struct mqtt_link_config {
    const char *host; /* name or address; its certificate must carry it; also sent as SNI */
    uint16_t port;    /* 443 offers the ALPN protocol x-amzn-mqtt-ca */
    const char *client_id;
    int protocol; /* 5, or 4 for 3.1.1 */
    int keep_alive_sec;
    int64_t connect_timeout_ms;
    const char *proxy; /* as proxy_address.h takes it; NULL or empty: none */
    struct credentials_paths credentials;
};

enum mqtt_link_event_kind {
    MQTT_LINK_CREDENTIALS, /* the check is done: `credentials`; dialling if it let us */
    MQTT_LINK_CONNECTED,
    MQTT_LINK_CONNECT_FAILED, /* text says why and what to try; code, see below */
    MQTT_LINK_LOST,           /* text, code: a reason code of MQTT 5 where one came, else -1 */
    MQTT_LINK_SUBSCRIBED,     /* request_id; codes, or code < 0 and no codes: failed as a whole */
    MQTT_LINK_UNSUBSCRIBED,   /* request_id; code: < 0 failed, the filters may still be in force */
    MQTT_LINK_PUBLISHED, /* request_id; code: < 0x80 acknowledged, >= 0x80 refused, < 0 failed */
    MQTT_LINK_MESSAGE,   /* topic, payload, size */
    MQTT_LINK_CLOSED,    /* answer to mqtt_link_disconnect() */
    MQTT_LINK_NETWORK_FOUND, /* a route or an address of this device is new; of no connection */
    MQTT_LINK_NETWORK_GONE,  /* no route leads to the endpoint any more; of no connection */
};

/* What `code` means in MQTT_LINK_CONNECT_FAILED; CONNACK codes of MQTT 5 are 0x80 and above. */
enum mqtt_link_failure {
    MQTT_LINK_FAILED = -1,                /* some other reason, see the text */
    MQTT_LINK_FAILED_NAME = -2,           /* the name does not resolve */
    MQTT_LINK_FAILED_TCP = -3,            /* refused, unreachable, no answer */
    MQTT_LINK_FAILED_SERVER_CA = -4,      /* the server's certificate is not trusted */
    MQTT_LINK_FAILED_SERVER_NAME = -5,    /* it belongs to another name */
    MQTT_LINK_FAILED_REFUSED_US = -6,     /* the server did not take our certificate */
    MQTT_LINK_FAILED_TIMEOUT = -7,        /* no CONNACK in time */
    MQTT_LINK_FAILED_SERVER_TIME = -8,    /* its certificate is not valid by this device's clock */
    MQTT_LINK_FAILED_PROXY = -9,          /* the proxy cannot be reached, or is none */
    MQTT_LINK_FAILED_PROXY_LOGIN = -10,   /* it does not take who we are */
    MQTT_LINK_FAILED_PROXY_REFUSED = -11, /* it does not let us through to there */
    MQTT_LINK_FAILED_PROXY_BEYOND = -12,  /* it does not reach the endpoint itself */
};

/* One event; pointers are borrowed until the next mqtt_link_next_event(). */
struct mqtt_link_event {
    enum mqtt_link_event_kind kind;
    uint32_t request_id;
    int code;
    const char *text; /* never NULL */
    const struct credentials *credentials;
    int codes[MQTT_LINK_FILTERS_MAX];
    size_t code_count;
    const char *topic; /* NUL-terminated */
    const void *payload;
    size_t size;
};

/* Start the thread. Returns 0, -ENOMEM, -EMFILE, -EAGAIN. */
int mqtt_link_new(struct mqtt_link **ret_link);

/* Hang up, end the thread and free all. Waits 1.5 s at most: a thread that hangs in the
 * resolver is left behind with all that it uses. Returns false then: the process has to leave by
 * _exit(), for exit handlers would clear away what the thread still uses. `link` may be NULL. */
bool mqtt_link_free(struct mqtt_link *link);

/* An eventfd, readable while there are events. Do not read it: mqtt_link_next_event() does. */
int mqtt_link_event_fd(const struct mqtt_link *link);

/* Name the endpoint, or the proxy before it, whose way is watched: MQTT_LINK_NETWORK_GONE and
 * _FOUND tell of it. Nothing is dialled while it is gone. Copied. Returns 0 or -ENOMEM. */
int mqtt_link_watch_network(struct mqtt_link *link, const char *host, uint16_t port);

/* Check the credentials and dial. A connection or attempt that still stands is dropped first;
 * events of it that were not fetched yet are discarded. Ends in MQTT_LINK_CREDENTIALS with a state
 * that forbids dialling, MQTT_LINK_NETWORK_GONE, MQTT_LINK_CONNECT_FAILED or MQTT_LINK_CONNECTED.
 * Returns 0, -EINVAL, -ENOMEM. */
int mqtt_link_connect(struct mqtt_link *link, const struct mqtt_link_config *config);

/* Hang up: DISCONNECT where there is a connection, after what was given out before. Ends in
 * MQTT_LINK_CLOSED; other events of the connection may come before it. */
int mqtt_link_disconnect(struct mqtt_link *link);

/* Drop connection or attempt and discard all its events; nothing comes back. */
void mqtt_link_abandon(struct mqtt_link *link);

/* Subscribe to up to MQTT_LINK_FILTERS_MAX filters (copied). Ends in MQTT_LINK_SUBSCRIBED with
 * `request_id`, unless the connection ends first. Returns 0, -EINVAL, -ENOMEM, -ENOBUFS: so much
 * is waiting already that the link counts as stalled; nothing was taken. */
int mqtt_link_subscribe(struct mqtt_link *link, uint32_t request_id, const char *const *filters,
                        const int *qos, size_t count);

/* Take back up to MQTT_LINK_FILTERS_MAX filters. Ends in MQTT_LINK_UNSUBSCRIBED with `request_id`,
 * unless the connection ends first. Returns as mqtt_link_subscribe(). */
int mqtt_link_unsubscribe(struct mqtt_link *link, uint32_t request_id, const char *const *filters,
                          size_t count);

/* Publish (copied; at most 128 KiB, as AWS IoT). Ends in MQTT_LINK_PUBLISHED with `request_id`,
 * unless the connection ends first. Returns as mqtt_link_subscribe(). */
int mqtt_link_publish(struct mqtt_link *link, uint32_t request_id, const char *topic,
                      const void *payload, size_t size, int qos);

/* The bytes of all connections that came up, as struct wire_meter counts them. */
void mqtt_link_traffic(struct mqtt_link *link, uint64_t *ret_in, uint64_t *ret_out);

/* Take the next event. Returns false, and clears the eventfd, when there is none. Of
 * connections, only the newest one's events are delivered. */
bool mqtt_link_next_event(struct mqtt_link *link, struct mqtt_link_event *ret_event);

#endif
