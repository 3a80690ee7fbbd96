/* A mosquitto of the test's own on a free port of the loopback, with certificates made by openssl.
 * Everything lies in a temporary directory and goes with broker_free(). */
#ifndef FLUXAWS_TEST_BROKER_H
#define FLUXAWS_TEST_BROKER_H

#include "daemon/mqtt/mqtt_link.h"
#include <stdbool.h>
#include <sys/types.h>

#define BROKER_PATH_MAX   256
#define BROKER_PACKET_MAX 131300 /* bytes; 128 KiB and a short topic fit */

struct broker {
    char directory[64];
    char ca[BROKER_PATH_MAX], other_ca[BROKER_PATH_MAX];
    char certificate[BROKER_PATH_MAX], key[BROKER_PATH_MAX];                   /* of the device */
    char stranger_certificate[BROKER_PATH_MAX], stranger_key[BROKER_PATH_MAX]; /* by the other CA */
    uint16_t port;
    pid_t pid;      /* 0: not running */
    bool is_closed; /* set before the start: refuses every CONNECT as not authorized */
};

/* Make certificates and choose a port; nothing runs yet. Asserts. */
void broker_prepare(struct broker *broker);
void broker_start(struct broker *broker);
/* Start something that speaks TLS there, but no MQTT: it takes a CONNECT and says nothing. */
void broker_start_mute(struct broker *broker);
/* Start one that answers SUBSCRIBE as suback_broker.py, whose path is `program`, is told. */
void broker_start_odd(struct broker *broker, const char *program, const char *how);
/* End it at once, as a crash would. */
void broker_kill(struct broker *broker);
/* Stop and go on: a broker that is there but silent. */
void broker_freeze(struct broker *broker);
void broker_thaw(struct broker *broker);
/* Connect another client under this id, publish something and leave. */
void broker_connect_as(const struct broker *broker, const char *client_id);
void broker_clear(struct broker *broker);

/* A configuration that works. Pointers into `broker`. */
struct mqtt_link_config broker_config(const struct broker *broker);

#endif
