/* SipHash-1-3: a keyed hash for tables whose keys come from outside. Not for signing anything. */
#ifndef FLUX_PROTO_SIPHASH_H
#define FLUX_PROTO_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/* Hash `size` bytes. Whoever does not know the seed cannot choose colliding keys. The result is the
 * same on every machine. */
uint64_t flux_siphash(const void *data, size_t size, uint64_t seed);

#endif
