#include "tests/sandbox/cloud_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int cloud_window_take(struct cloud_window *window, unsigned limit, int64_t span_ms, int64_t now_ms)
{
    if (limit == 0 || span_ms <= 0)
        return 0;
    if (window->capacity != limit) {
        cloud_window_clear(window);
        window->times_ms = calloc(limit, sizeof(*window->times_ms));
        if (!window->times_ms)
            return -ENOMEM;
        window->capacity = limit;
    }
    /* The ring is as long as the limit, so the slot to be used next holds the oldest that counts.
     */
    if (window->count == limit && now_ms - window->times_ms[window->next] < span_ms)
        return 1;
    window->times_ms[window->next] = now_ms;
    window->next = (window->next + 1) % limit;
    if (window->count < limit)
        window->count++;
    return 0;
}

void cloud_window_clear(struct cloud_window *window)
{
    free(window->times_ms);
    memset(window, 0, sizeof(*window));
}
