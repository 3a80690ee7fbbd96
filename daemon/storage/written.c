#include "daemon/storage/written.h"

#define HOUR_MS INT64_C(3600000)

void written_init(struct written *written, int64_t now_ms)
{
    *written = (struct written){.hour = now_ms / HOUR_MS};
}

void written_note(struct written *written, uint64_t total, int64_t now_ms)
{
    const int64_t hour = now_ms / HOUR_MS;
    for (unsigned i = 0; i < WRITTEN_HOURS && written->hour < hour; i++)
        written->hours[++written->hour % WRITTEN_HOURS] = 0;
    if (written->hour < hour) /* all are cleared */
        written->hour = hour;
    written->hours[written->hour % WRITTEN_HOURS] += total - written->total;
    written->total = total;
}

uint64_t written_day(const struct written *written, int64_t now_ms)
{
    const int64_t oldest = now_ms / HOUR_MS - (int64_t)WRITTEN_HOURS + 1;
    uint64_t sum = 0;
    for (unsigned i = 0; i < WRITTEN_HOURS; i++)
        if (written->hour - i >= oldest && written->hour >= i)
            sum += written->hours[(written->hour - i) % WRITTEN_HOURS];
    return sum;
}
