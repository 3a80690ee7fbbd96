#include "daemon/storage/gather.h"

void gather_begin(struct gather *gather, size_t rows, int64_t took_us, int64_t now_us)
{
    const int64_t wait_us = took_us < GATHER_MAX_US ? took_us : GATHER_MAX_US;
    *gather = (struct gather){.rows = rows, .until_us = now_us + wait_us};
}

bool gather_is_enough(const struct gather *gather, size_t rows, int64_t now_us)
{
    return rows >= gather->rows / 2 || now_us >= gather->until_us;
}
