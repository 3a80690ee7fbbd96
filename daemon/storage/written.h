/* How many bytes went to the disk within the last day. Pure. */
#ifndef FLUXAWS_STORAGE_WRITTEN_H
#define FLUXAWS_STORAGE_WRITTEN_H

#include <stdint.h>

/* The hour that runs, and as many before it as a day has. */
#define WRITTEN_HOURS 25u

struct written {
    uint64_t total;
    uint64_t hours[WRITTEN_HOURS]; /* by number of the hour */
    int64_t hour;                  /* the newest one */
};

void written_init(struct written *written, int64_t now_ms);

/* Note that so many have been written in total. */
void written_note(struct written *written, uint64_t total, int64_t now_ms);

/* Bytes of the last 24 hours, those of one more hour perhaps included. */
uint64_t written_day(const struct written *written, int64_t now_ms);

#endif
