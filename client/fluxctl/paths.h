/* Paths as people write them, compared and shown. Leaves the judgement to the library. */
#ifndef FLUXCTL_PATHS_H
#define FLUXCTL_PATHS_H

#include <stdbool.h>
#include <stddef.h>

/* Tell whether `path` is `top` or lies below it, whichever way each is written. */
bool fluxctl_path_covers(const char *top, const char *path);

/* Write a JSON Pointer (JSON text without its quotes) as keys with dots where that names the same,
 * else as it is. The caller frees it; NULL without memory. */
char *fluxctl_path_for_people(const char *pointer, size_t size);

#endif
