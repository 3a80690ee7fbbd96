/* One index of OpenSSL's extra data for Paho, however many connections it makes. Changes nothing of
 * what anybody else asks OpenSSL for. */
#ifndef FLUXAWS_MQTT_PAHO_INDEX_H
#define FLUXAWS_MQTT_PAHO_INDEX_H

/* From now on give Paho, whenever it asks for a new index, the one that it has already. Paho asks
 * anew with its first handle after its last one is gone, that is with every connection, and OpenSSL
 * has no way to give an index back. Once, before Paho is used. */
void paho_index_keep(void);

#endif
