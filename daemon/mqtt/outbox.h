/* What the loop tells the link thread: commands, copied into one block each, carried out in order.
 * Also how Paho's threads hand a finished connection over to the link thread. Decides nothing. */
#ifndef FLUXAWS_MQTT_OUTBOX_H
#define FLUXAWS_MQTT_OUTBOX_H

#include "daemon/mqtt/mailbox.h"
#include "daemon/mqtt/mqtt_link.h"

#define OUTBOX_COMMANDS_MAX 4096u
#define OUTBOX_BYTES_MAX    (8u * 1024 * 1024)

enum outbox_kind {
    OUTBOX_CONNECT,     /* config */
    OUTBOX_SUBSCRIBE,   /* request_id, filters, qos, count */
    OUTBOX_UNSUBSCRIBE, /* request_id, filters, count */
    OUTBOX_PUBLISH,     /* request_id, topic, payload, size, qos[0] */
    OUTBOX_DISCONNECT,  /* hang up politely */
    OUTBOX_DIAL_ENDED, /* from Paho: the attempt failed with `code` and `text`; say why, clean up */
    OUTBOX_LINK_ENDED, /* from Paho: the connection is gone; clean up */
};

struct outbox_command {
    enum outbox_kind kind;
    uint64_t connection; /* the one it is for */
    uint32_t request_id;
    int code;
    const char *text;
    const char *topic;
    const void *payload;
    size_t size;
    size_t count;
    const char *filters[MQTT_LINK_FILTERS_MAX];
    int qos[MQTT_LINK_FILTERS_MAX];
    struct mqtt_link_config config;
};

struct outbox {
    struct mailbox box;
};

int outbox_init(struct outbox *outbox, size_t commands_max, size_t bytes_max);
void outbox_clear(struct outbox *outbox);

/* Copy a command, with all it points to, into the queue. Returns 0, -ENOMEM, or -ENOBUFS: for
 * a request where too much waits already. */
int outbox_push(struct outbox *outbox, const struct outbox_command *command);

/* Take the oldest command; end it with outbox_command_free(). NULL, and a cleared eventfd, when
 * there is none. */
struct outbox_command *outbox_pop(struct outbox *outbox);
struct outbox_command *outbox_command_free(struct outbox_command *command);

#endif
