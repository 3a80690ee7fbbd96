/* What the journal is told about the state on disk. Decides nothing about it. */
#ifndef FLUXAWS_STORAGE_LOG_H
#define FLUXAWS_STORAGE_LOG_H

#include "daemon/base/log_limit.h"
#include "proto/limits.h"
#include <stdbool.h>

/* What a load brought. */
struct storage_restored {
    size_t rows, properties;
    size_t bad;     /* rows that made no sense or were too many */
    size_t orphans; /* rows that stay on the disk and are not used */
    char orphan_thing[FLUX_THING_NAME_MAX + 1];
    bool is_begun; /* nothing was there, and nothing that had to be set aside */
};

void storage_log_restored(const struct storage_restored *restored, const char *directory);
/* It could not be read, and has got this path. */
void storage_log_set_aside(const char *path);
/* It was written for this thing and endpoint, not for ours. */
void storage_log_moved(const char *from);
/* It was taken away under the daemon. */
void storage_log_gone(const char *directory);
/* The disk takes nothing, for this reason; it took so long until it was well again. */
void storage_log_trouble(struct log_limit *limit, const char *directory, const char *text,
                         int64_t now_ms);
void storage_log_recovery(struct log_limit *limit, const char *directory, int64_t lasted_ms,
                          int64_t now_ms);
/* Mode=volatile: what an earlier run left has got this path; or a negative errno: it has not. */
void storage_log_volatile(const char *directory, const char *path, int error);

#endif
