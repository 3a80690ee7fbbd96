/* Which systemd unit a process belongs to, by the text of /proc/PID/cgroup. Reads no file. What it
 * finds is for people: a process may have moved to a group of its own naming. */
#ifndef FLUXAWS_IPC_PEER_UNIT_H
#define FLUXAWS_IPC_PEER_UNIT_H

#include <stddef.h>

/* Find the last part of the path that names a service or a scope; "" where there is none, or where
 * the name has characters that a unit's cannot have. `size` is at least 1. */
void peer_unit_parse(const char *text, size_t text_size, char *ret_unit, size_t size);

#endif
