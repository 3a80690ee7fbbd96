/* Counts the bytes of the connections to the cloud, as the kernel counts them: TLS and what was
 * sent again included, without the headers of TCP and IP. Sees no content. */
#ifndef FLUXAWS_MQTT_WIRE_METER_H
#define FLUXAWS_MQTT_WIRE_METER_H

#include <stdatomic.h>
#include <stdint.h>

/* Keeps a descriptor of its own of the newest connection, so that it can be asked after the library
 * has closed its one. */
struct wire_meter {
    atomic_int offered; /* a connection that the loop has not taken yet, -1: none */
    int fd;             /* loop only; -1: none */
    uint64_t past_in, past_out;
};

void wire_meter_init(struct wire_meter *meter);
void wire_meter_clear(struct wire_meter *meter);

/* Hand over a descriptor of a connection that has come up. Any thread. */
void wire_meter_offer(struct wire_meter *meter, int fd);

/* The connection has ended: keep its count, let go of it. Loop only. */
void wire_meter_end(struct wire_meter *meter);

/* The bytes of all connections so far. Loop only. */
void wire_meter_read(struct wire_meter *meter, uint64_t *ret_in, uint64_t *ret_out);

#endif
