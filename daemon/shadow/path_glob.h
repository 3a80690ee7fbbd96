/* Globs of paths and of names: `*` stands for any bytes of one key, `**` for any number of keys.
 * Matches text alone; does not know what a match grants or leads to. */
#ifndef FLUXAWS_SHADOW_PATH_GLOB_H
#define FLUXAWS_SHADOW_PATH_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/* The longest glob of paths. */
#define PATH_GLOB_BYTES_MAX 190u

/* Tell what is wrong with a glob as people write it (dotted, or a JSON Pointer) in words; NULL:
 * nothing. Such a one becomes a pointer with flux_path_canonical(). */
const char *path_glob_check(const char *glob);

/* Tell whether a glob, as a JSON Pointer, matches a path. */
bool path_glob_matches(const char *glob, const char *path, size_t path_size);

/* Tell whether a glob, as a JSON Pointer, matches the path or may match something below it. */
bool path_glob_reaches(const char *glob, const char *path, size_t path_size);

/* Tell whether a glob matches the name of a thing or of a shadow. */
bool name_glob_matches(const char *glob, const char *name);

/* Globs of paths, compiled once: what matches one of them is in. */
struct path_globs;

/* Compile globs as people write them, all of them good by path_glob_check(). Returns 0, -EINVAL or
 * -ENOMEM. */
int path_globs_new(struct path_globs **ret_globs, const char *const *texts, size_t count);
struct path_globs *path_globs_free(struct path_globs *globs);

/* What of a document somebody may see or change: the paths that are in one of the lists. */
struct path_filter {
    const struct path_globs *const *lists; /* borrowed */
    size_t count;
};
bool path_filter_has(const struct path_filter *filter, const char *path, size_t path_size);
/* Tell whether the path, or something that may be below it, is in. */
bool path_filter_reaches(const struct path_filter *filter, const char *path, size_t path_size);

#endif
