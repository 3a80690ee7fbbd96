/* What kind of file system a directory lies on: whether a power cut takes away what is written
 * there. Follows an overlay to where it writes. */
#ifndef FLUXAWS_STORAGE_FILE_SYSTEM_H
#define FLUXAWS_STORAGE_FILE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* Tell whether it is tmpfs or ramfs, or an overlay (of overlays) that writes to one. Where an
 * overlay writes to a place that cannot be seen from here, as in most containers: false. */
bool file_system_is_memory(const char *directory);

/* Find where the overlay that is the device `device` writes to, in a text like
 * /proc/self/mountinfo. Returns false where there is no such overlay, or it does not write, or the
 * path is too long. */
bool file_system_find_upper(FILE *mounts, dev_t device, char *ret_path, size_t size);

#endif
