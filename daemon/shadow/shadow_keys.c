#include "daemon/shadow/shadow.h"
#include <errno.h>

int shadow_write_keys(struct shadow *shadow, const char *path, size_t path_size, int64_t now_ms,
                      struct flux_json_writer *writer)
{
    (void)shadow;
    (void)path;
    (void)path_size;
    (void)now_ms;
    (void)writer;
    return -EOPNOTSUPP;
}
