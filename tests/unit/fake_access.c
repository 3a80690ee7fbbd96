/* The part of the fake shadow that is asked what may be done and seen. */
#include "daemon/shadow/path_glob.h"
#include "tests/unit/fake_shadow.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *shadow_thing_name(const struct shadow *shadow)
{
    (void)shadow;
    return "thing";
}

bool shadow_find_denied(struct shadow *shadow, const struct shadow_operation *operation,
                        const struct path_filter *filter,
                        char ret_path[static FLUX_PATH_BYTES_MAX + 1])
{
    (void)shadow;
    (void)snprintf(ret_path, FLUX_PATH_BYTES_MAX + 1, "%.*s", (int)operation->path_size,
                   operation->path);
    return !path_filter_has(filter, operation->path, operation->path_size);
}

bool shadow_find_denied_held(struct shadow *shadow, const char *path, size_t path_size,
                             const struct path_filter *filter,
                             char ret_path[static FLUX_PATH_BYTES_MAX + 1])
{
    (void)path;
    (void)path_size;
    const char *held;
    for (size_t i = 0; (held = fake_held(shadow, i)); i++) {
        (void)snprintf(ret_path, FLUX_PATH_BYTES_MAX + 1, "%s", held);
        if (!path_filter_has(filter, held, strlen(held)))
            return true;
    }
    return false;
}

/* The document stands at its filter's mercy as a whole, as if it were all at `path`. */
int shadow_write_shown(const struct shadow *shadow, enum shadow_section section, const char *path,
                       size_t path_size, const struct path_filter *filter,
                       struct flux_json_writer *writer)
{
    if (filter && !path_filter_has(filter, path, path_size))
        return -ENOENT;
    return shadow_write(shadow, section, path, path_size, writer);
}

int shadow_write_keys(struct shadow *shadow, const char *path, size_t path_size,
                      const struct path_filter *filter, int64_t now_ms,
                      struct flux_json_writer *writer)
{
    (void)now_ms;
    return shadow_write_shown(shadow, SHADOW_SECTION_REPORTED, path, path_size, filter, writer);
}
