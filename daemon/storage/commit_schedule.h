/* When a job of the storage begins, and when it counts as being in trouble: at once for updates and
 * reports that wait for it, after an interval for the rest, again after a pause where it failed.
 * Pure; does not know the rows. */
#ifndef FLUXAWS_STORAGE_COMMIT_SCHEDULE_H
#define FLUXAWS_STORAGE_COMMIT_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

/* A commit that has not come back for so long is trouble. */
#define COMMIT_SLOW_MS      10000
#define COMMIT_RETRY_MIN_MS 1000
#define COMMIT_RETRY_MAX_MS 60000

/* How things stand, asked anew each time. */
struct commit_needs {
    bool load;    /* store_needs_load(): nothing can be written before */
    bool now;     /* thing_wants_save(): an update or a report waits */
    bool reports; /* thing_has_unsaved_reports() */
    bool any;     /* thing_has_unsaved() */
    bool stop;    /* the daemon ends: whatever is unsaved is to be written now */
};

enum commit_trouble {
    COMMIT_GOOD,
    COMMIT_FAILED, /* the last job failed */
    COMMIT_SLOW,   /* the job that runs is older than COMMIT_SLOW_MS */
};

struct commit_schedule {
    int64_t sync_interval_ms;
    bool is_running;
    int64_t running_since_ms;
    bool is_dirty;          /* unsaved reports are known of... */
    int64_t dirty_since_ms; /* ...since then */
    unsigned failures;      /* in a row */
    int64_t retry_ms;       /* not before that, while failures > 0 */
    bool tried_at_stop;
};

void commit_schedule_init(struct commit_schedule *schedule, int64_t sync_interval_ms);
/* Change the interval; what waits already waits by the new one. */
void commit_schedule_set_interval(struct commit_schedule *schedule, int64_t sync_interval_ms);

/* Tell whether a job is to begin now (a load where one is needed, else a commit). To be called
 * whenever needs may have changed: it also notes since when reports are unsaved. */
bool commit_schedule_is_due(struct commit_schedule *schedule, const struct commit_needs *needs,
                            int64_t now_ms);

/* A job begins; it ends, well or not. A load that was waited for may be told by end alone. */
void commit_schedule_begin(struct commit_schedule *schedule, const struct commit_needs *needs,
                           int64_t now_ms);
void commit_schedule_end(struct commit_schedule *schedule, bool is_done, int64_t now_ms);

enum commit_trouble commit_schedule_trouble(const struct commit_schedule *schedule, int64_t now_ms);

/* When to ask again although nothing else happens; INT64_MAX: never. In the past only where
 * commit_schedule_is_due() would say yes. */
int64_t commit_schedule_deadline_ms(const struct commit_schedule *schedule,
                                    const struct commit_needs *needs, int64_t now_ms);

#endif
