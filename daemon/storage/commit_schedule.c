#include "daemon/storage/commit_schedule.h"

void commit_schedule_init(struct commit_schedule *schedule, int64_t sync_interval_ms)
{
    *schedule = (struct commit_schedule){.sync_interval_ms = sync_interval_ms};
}

void commit_schedule_set_interval(struct commit_schedule *schedule, int64_t sync_interval_ms)
{
    schedule->sync_interval_ms = sync_interval_ms;
}

/* What began to be unsaved during a commit counts from then: at worst it is saved a little early.
 */
static void note_dirty(struct commit_schedule *schedule, const struct commit_needs *needs,
                       int64_t now_ms)
{
    if (!needs->reports)
        schedule->is_dirty = false;
    else if (!schedule->is_dirty) {
        schedule->is_dirty = true;
        schedule->dirty_since_ms = now_ms;
    }
}

/* Tell whether there is something to be done as soon as it may be tried. */
static bool is_urgent(const struct commit_schedule *schedule, const struct commit_needs *needs)
{
    return needs->load || needs->now || (needs->stop && needs->any) ||
           (schedule->failures > 0 && needs->any);
}

/* Before the pause after a failure is over only the end of the daemon is a reason, once. */
static bool must_wait(const struct commit_schedule *schedule, const struct commit_needs *needs,
                      int64_t now_ms)
{
    return schedule->failures > 0 && now_ms < schedule->retry_ms &&
           !(needs->stop && !schedule->tried_at_stop);
}

bool commit_schedule_is_due(struct commit_schedule *schedule, const struct commit_needs *needs,
                            int64_t now_ms)
{
    note_dirty(schedule, needs, now_ms);
    return commit_schedule_deadline_ms(schedule, needs, now_ms) <= now_ms && !schedule->is_running;
}

void commit_schedule_begin(struct commit_schedule *schedule, const struct commit_needs *needs,
                           int64_t now_ms)
{
    schedule->is_running = true;
    schedule->running_since_ms = now_ms;
    schedule->is_dirty = false;
    if (needs->stop)
        schedule->tried_at_stop = true;
}

void commit_schedule_end(struct commit_schedule *schedule, bool is_done, int64_t now_ms)
{
    schedule->is_running = false;
    if (is_done) {
        schedule->failures = 0;
        return;
    }
    int64_t pause_ms = COMMIT_RETRY_MIN_MS;
    for (unsigned i = 0; i < schedule->failures && pause_ms < COMMIT_RETRY_MAX_MS; i++)
        pause_ms *= 2;
    if (pause_ms > COMMIT_RETRY_MAX_MS)
        pause_ms = COMMIT_RETRY_MAX_MS;
    schedule->failures++;
    schedule->retry_ms = now_ms + pause_ms;
}

enum commit_trouble commit_schedule_trouble(const struct commit_schedule *schedule, int64_t now_ms)
{
    if (schedule->is_running && now_ms - schedule->running_since_ms >= COMMIT_SLOW_MS)
        return COMMIT_SLOW;
    return schedule->failures > 0 ? COMMIT_FAILED : COMMIT_GOOD;
}

int64_t commit_schedule_deadline_ms(const struct commit_schedule *schedule,
                                    const struct commit_needs *needs, int64_t now_ms)
{
    if (schedule->is_running) {
        const int64_t slow_ms = schedule->running_since_ms + COMMIT_SLOW_MS;
        return now_ms < slow_ms ? slow_ms : INT64_MAX;
    }
    if (is_urgent(schedule, needs))
        return must_wait(schedule, needs, now_ms) ? schedule->retry_ms : now_ms;
    if (!needs->reports)
        return INT64_MAX;
    return (schedule->is_dirty ? schedule->dirty_since_ms : now_ms) + schedule->sync_interval_ms;
}
