/* Writes a property's last key as JSON. The set keeps keys as they stand in a JSON Pointer,
 * escaped. */
#ifndef FLUXAWS_SHADOW_PROPERTY_JSON_H
#define FLUXAWS_SHADOW_PROPERTY_JSON_H

#include "proto/json_writer.h"
#include "proto/property_set.h"

/* Write the key; not for the root. */
void property_write_key(struct flux_json_writer *writer, const struct flux_property *property);

/* Bytes of the key as a JSON string, quotes included. */
size_t property_key_bytes(const struct flux_property *property);

#endif
