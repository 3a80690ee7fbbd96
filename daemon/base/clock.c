#include "daemon/base/clock.h"

#include <time.h>

int64_t clock_now_us(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_BOOTTIME, &now) < 0)
        return 0;
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_ms(void)
{
    return clock_now_us() / 1000;
}

int64_t clock_wall_sec(void)
{
    return (int64_t)time(NULL);
}
