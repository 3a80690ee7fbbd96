/* One connection made by Paho: dial, subscribe, publish, hang up. With paho_callbacks.c the only
 * file that uses Paho. All
 * calls come from the link thread; Paho's own threads only copy results into inbox and outbox. Does
 * not dial again, buffers nothing, keeps nothing on disk. */
#ifndef FLUXAWS_MQTT_MQTT_PAHO_H
#define FLUXAWS_MQTT_MQTT_PAHO_H

#include "daemon/mqtt/inbox.h"
#include "daemon/mqtt/outbox.h"
#include "daemon/mqtt/wire_meter.h"

struct paho_connection;

/* Keep Paho from taking a proxy out of the environment, and from leaving something behind with each
 * connection. Once, before any thread starts. */
void paho_prepare(void);

/* Begin to dial, `late_ms` after the attempt began; `tunnel_fd` is a socket that leads to the
 * endpoint through a proxy (taken over), -1: there is none. Inbox, outbox and meter outlive the
 * connection. Ends in MQTT_LINK_CONNECTED in the
 * inbox or OUTBOX_DIAL_ENDED in the outbox; a connection that ends later puts MQTT_LINK_LOST into
 * the inbox and OUTBOX_LINK_ENDED into the outbox. Returns 0 or a negative errno, -ENOSYS: as
 * paho_tunnel_offer(). */
int paho_connection_new(struct paho_connection **ret_connection, struct inbox *inbox,
                        struct outbox *outbox, struct wire_meter *meter, uint64_t number,
                        const struct mqtt_link_config *config, int tunnel_fd, int64_t late_ms);

/* Close what is open, without a farewell where none was said, and release all. May wait about a
 * second for Paho's threads, longer while the resolver hangs. Returns NULL. */
struct paho_connection *paho_connection_free(struct paho_connection *connection);

uint64_t paho_connection_number(const struct paho_connection *connection);

/* Tell whether to wait with further commands until what is in flight is answered; the outbox wakes
 * its reader then. */
bool paho_is_full(struct paho_connection *connection);

/* Each ends in an event that carries the request's id, unless the connection ends first. */
void paho_subscribe(struct paho_connection *connection, const struct outbox_command *command);
void paho_unsubscribe(struct paho_connection *connection, const struct outbox_command *command);
void paho_publish(struct paho_connection *connection, const struct outbox_command *command);

/* Tell whether every publish has been answered; if not, the outbox wakes its reader once it is so.
 */
bool paho_is_settled(struct paho_connection *connection);

/* Say goodbye; ends in MQTT_LINK_CLOSED and OUTBOX_LINK_ENDED. What is not answered yet fails. */
void paho_hang_up(struct paho_connection *connection);

#endif
