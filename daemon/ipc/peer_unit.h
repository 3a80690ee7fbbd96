/* Which systemd unit a process belongs to, by the text of /proc/PID/cgroup. Reads no file, and does
 * not know whose text it is. */
#ifndef FLUXAWS_IPC_PEER_UNIT_H
#define FLUXAWS_IPC_PEER_UNIT_H

#include <stdbool.h>
#include <stddef.h>

/* Tell whether a text is the name of a service or of a scope. */
bool peer_unit_is_name(const char *text, size_t size);

/* For people, who look for the innermost: a user may have named it.
 * Find the last part of the path that names a service or a scope; "" where there is none, or where
 * the name has characters that a unit's cannot have. `size` is at least 1. */
void peer_unit_parse(const char *text, size_t text_size, char *ret_unit, size_t size);

/* For rules: find the part that names a service or a scope and has nothing but slices above it, so
 * that none but the system's manager can have named it; "" where there is none. What users and
 * services make below a unit of theirs belongs to that unit. `size` is at least 1. */
void peer_unit_parse_outer(const char *text, size_t text_size, char *ret_unit, size_t size);

#endif
