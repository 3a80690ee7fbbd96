/* The watchers' side of a shadow. */
#include "daemon/shadow/shadow_private.h"

void shadow_add_watcher(struct shadow *shadow)
{
    shadow->watcher_count++;
}

void shadow_remove_watcher(struct shadow *shadow)
{
    shadow->watcher_count--;
}

uint64_t shadow_wish_serial(struct shadow *shadow)
{
    (void)shadow;
    return 0;
}

bool shadow_next_wish(struct shadow *shadow, const char *path, size_t path_size,
                      struct shadow_wish_cursor *cursor, struct shadow_wish *ret_wish)
{
    (void)shadow;
    (void)path;
    (void)path_size;
    (void)cursor;
    (void)ret_wish;
    return false;
}
