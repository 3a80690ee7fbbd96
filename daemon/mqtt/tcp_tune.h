/* Socket options that Paho does not set and gives no way to set. Opens and closes nothing. */
#ifndef FLUXAWS_MQTT_TCP_TUNE_H
#define FLUXAWS_MQTT_TCP_TUNE_H

#include <stdint.h>

/* Set TCP_NODELAY on this process's TCP connections to `port`. Without it a second publish right
 * after a first may wait for a round trip, or for the peer's delayed ACK. Found through
 * /proc/self/fd; does nothing where that is not there. */
void tcp_tune_nodelay(uint16_t port);

#endif
