/* Socket options that Paho does not set and gives no way to set. Closes nothing. */
#ifndef FLUXAWS_MQTT_TCP_TUNE_H
#define FLUXAWS_MQTT_TCP_TUNE_H

#include <stdint.h>

/* Tune this process's TCP connections to `port`. Without TCP_NODELAY a second publish right after a
 * first may wait for a round trip, or for the peer's delayed ACK. Without TCP_USER_TIMEOUT a
 * connection whose packets vanish is noticed after more than two keep-alives, when Paho misses the
 * answer to its second ping; with it after `unacknowledged_ms` from the first. Found through
 * /proc/self/fd; does nothing where that is not there. Returns a descriptor of the caller's own of
 * such a connection, or -1. */
int tcp_tune(uint16_t port, unsigned unacknowledged_ms);

/* The port that a TCP socket is connected to; 0: it is not. */
uint16_t tcp_tune_port(int fd);

#endif
