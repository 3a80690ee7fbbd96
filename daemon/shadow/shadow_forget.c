#include "daemon/shadow/shadow_private.h"
#include <errno.h>

int shadow_forget(struct shadow *shadow, const char *path, size_t path_size, int64_t now_ms)
{
    (void)shadow;
    (void)path;
    (void)path_size;
    (void)now_ms;
    return -EOPNOTSUPP;
}

int shadow_reset(struct shadow *shadow, int64_t now_ms)
{
    (void)shadow;
    (void)now_ms;
    return -EOPNOTSUPP;
}

bool shadow_is_reset(const struct shadow *shadow)
{
    (void)shadow;
    return true;
}
