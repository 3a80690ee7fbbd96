/* A bare Paho connection to the sandbox's broker, as a device or as its operator: the floor under
 * what the daemon does. A failure ends the program. */
#ifndef BENCH_BROKER_LINK_H
#define BENCH_BROKER_LINK_H

#include <MQTTAsync.h>
#include <semaphore.h>

struct broker_link {
    MQTTAsync handle;
    sem_t done; /* posted when a request is done, and by who shares it */
};

/* Connect. `directory` is the sandbox's; `certificate` a name in it without its ending, as in
 * "things/lamp". Messages go to `on_message`, on a thread of Paho's, with `data`. */
void broker_link_open(struct broker_link *link, const char *directory, const char *port,
                      const char *certificate, const char *client_id,
                      MQTTAsync_messageArrived *on_message, void *data);

void broker_link_subscribe(struct broker_link *link, const char *filter, int qos);

/* Publish at QoS 1; does not wait. */
void broker_link_publish(struct broker_link *link, const char *topic, const char *payload,
                         int size);

/* Wait until `done` is posted. */
void broker_link_wait(struct broker_link *link);

#endif
