#include "daemon/base/entropy.h"

#include "daemon/base/clock.h"
#include "daemon/base/random.h"
#include <sys/random.h>
#include <unistd.h>

uint64_t entropy_u64(void)
{
    uint64_t bits;
    if (getrandom(&bits, sizeof(bits), GRND_NONBLOCK) == (ssize_t)sizeof(bits))
        return bits;
    struct random_source source;
    random_init(&source, (uint64_t)clock_now_us() ^ ((uint64_t)getpid() << 40) ^
                             ((uint64_t)clock_wall_sec() << 20));
    return random_u64(&source);
}
