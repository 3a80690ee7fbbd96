#include "client/answers.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SINGLE_REPORTS_MAX 1024u
#define REPORT_ENTRIES_MAX 65536u

void answers_init(struct answers *answers, struct answers_queue *queue, uint16_t shadow)
{
    *answers = (struct answers){.queue = queue, .shadow = shadow};
}

void answers_clear(struct answers *answers)
{
    free(answers->reports);
    free(answers->frames);
    answers_init(answers, answers->queue, answers->shadow);
}

/* ---- the reports that wait ---- */

static int insert_report(struct answers *answers, size_t index, const struct answers_report *report)
{
    void *reports = answers->reports;
    int r = answers_grow(&reports, answers->report_count, &answers->report_capacity,
                         sizeof(*answers->reports));
    if (r < 0)
        return r;
    answers->reports = reports;
    memmove(&answers->reports[index + 1], &answers->reports[index],
            (answers->report_count - index) * sizeof(*answers->reports));
    answers->reports[index] = *report;
    answers->report_count++;
    return 0;
}

/* Drop the entries marked by `last` 0, and the frames once nobody needs them. */
static void sweep(struct answers *answers)
{
    size_t kept = 0;
    answers->shared_count = 0;
    answers->ended_count = 0;
    for (size_t i = 0; i < answers->report_count; i++) {
        if (answers->reports[i].last == 0)
            continue;
        answers->shared_count += answers->reports[i].until != 0 ? 1 : 0;
        answers->reports[kept++] = answers->reports[i];
    }
    answers->report_count = kept;
    if (answers->shared_count == 0)
        answers->frame_count = 0;
}

int answers_expect(struct answers *answers, uint64_t id, enum flux_level wanted, size_t operations)
{
    struct answers_report report = {
        .first = id,
        .last = id,
        .operations = operations <= UINT32_MAX ? (uint32_t)operations : 0,
        .wanted = wanted,
    };
    if (answers->report_count >= SINGLE_REPORTS_MAX) {
        struct answers_report *newest = &answers->reports[answers->report_count - 1];
        if (newest->wanted == wanted && newest->reached == 0 && newest->until == 0 &&
            answers_report_extend(newest, id))
            return 0;
    }
    if (answers->report_count >= REPORT_ENTRIES_MAX)
        return -ENOBUFS;
    return insert_report(answers, answers->report_count, &report);
}

void answers_unexpect(struct answers *answers, uint64_t id)
{
    if (answers->report_count == 0)
        return;
    struct answers_report *newest = &answers->reports[answers->report_count - 1];
    if (newest->last != id)
        return;
    if (newest->first == newest->last)
        answers->report_count--;
    else
        answers_report_drop_last(newest);
}

uint64_t answers_waiting(const struct answers *answers)
{
    uint64_t count = 0;
    for (size_t i = 0; i < answers->report_count; i++)
        count += answers_report_count(&answers->reports[i]);
    return count;
}

uint64_t answers_first_waiting(const struct answers *answers)
{
    return answers->report_count > 0 ? answers->reports[0].first : UINT64_MAX;
}

enum flux_level answers_wanted(const struct answers *answers)
{
    enum flux_level wanted = FLUX_LEVEL_QUEUED;
    for (size_t i = 0; i < answers->report_count; i++)
        if (answers->reports[i].wanted > wanted)
            wanted = answers->reports[i].wanted;
    return wanted;
}

/* ---- the frames that carry shared reports ---- */

void answers_lost(struct answers *answers)
{
    answers->frame_count = 0;
}

int answers_frame_sent(struct answers *answers, uint64_t id, size_t operations)
{
    if (answers->report_count == 0)
        return 0;
    void *frames = answers->frames;
    int r = answers_grow(&frames, answers->frame_count, &answers->frame_capacity,
                         sizeof(*answers->frames));
    if (r < 0)
        return r;
    answers->frames = frames;
    answers->frames[answers->frame_count++] = (struct answers_frame){
        .id = id,
        .operations = operations <= UINT32_MAX ? (uint32_t)operations : 0,
    };
    return 0;
}

/* The first frame with an id of at least `id`. */
static size_t find_frame(const struct answers *answers, uint64_t id)
{
    size_t low = 0, high = answers->frame_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (answers->frames[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool travels_whole(const struct answers *answers, const struct answers_report *report)
{
    if (report->first != report->last || report->operations == 0)
        return false;
    size_t index = find_frame(answers, report->first);
    return index < answers->frame_count && answers->frames[index].id == report->first &&
           answers->frames[index].operations == report->operations;
}

void answers_frames_done(struct answers *answers, uint64_t from, uint64_t to, uint64_t newest)
{
    for (size_t i = 0; i < answers->report_count; i++) {
        struct answers_report *report = &answers->reports[i];
        if (report->until > from) {
            /* Some of the values it waits for were not sent yet, and may have been replaced. */
            report->until = newest;
            continue;
        }
        if (report->last <= from || report->first > to)
            continue;
        report->until = travels_whole(answers, report) ? 0 : newest;
    }
    sweep(answers);
}

/* The level that all frames of a shared report have reached; 0 if some is not even sent. */
static unsigned shared_level(const struct answers *answers, const struct answers_report *report,
                             uint64_t sent)
{
    if (sent < report->until)
        return 0;
    unsigned level = FLUX_LEVEL_ACCEPTED;
    for (size_t i = find_frame(answers, report->first);
         i < answers->frame_count && answers->frames[i].id <= report->until; i++)
        if (answers->frames[i].reached < level)
            level = answers->frames[i].reached;
    return level;
}

/* ---- what the daemon says ---- */

static void end_report(struct answers *answers, struct answers_report *report)
{
    report->last = 0;
    answers->ended_count++;
}

/* Tell one entry a level; it is marked for the sweep when that was all it wanted. */
static int tell_level(struct answers *answers, struct answers_report *report, unsigned level,
                      const struct flux_answer *answer)
{
    if (level > report->wanted && level != FLUX_LEVEL_ACCEPTED)
        level = report->wanted;
    if (level <= report->reached)
        return 0;
    struct answers_ready ready = {
        .shadow = answers->shadow,
        .first = report->first,
        .last = report->last,
        .level = (enum flux_level)level,
        .deadband = level == FLUX_LEVEL_ACCEPTED && answer->deadband,
        .version = level == FLUX_LEVEL_ACCEPTED ? answer->version : 0,
    };
    int r = answers_queue_push(answers->queue, &ready);
    if (r < 0)
        return r;
    report->reached = level;
    if (level >= report->wanted)
        end_report(answers, report);
    return 0;
}

/* The first entry that ends at `id` or later. */
static size_t find_report(const struct answers *answers, uint64_t id)
{
    size_t low = 0, high = answers->report_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (answers->reports[middle].last < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Split the entry so that a border lies between `last` and the report after it. */
static int split_after(struct answers *answers, uint64_t last)
{
    size_t index = find_report(answers, last);
    if (index == answers->report_count)
        return 0;
    struct answers_report *report = &answers->reports[index];
    if (report->until != 0 || report->first > last || report->last <= last)
        return 0;
    struct answers_report kept = *report, rest;
    answers_report_split(&kept, last, &rest);
    int r = insert_report(answers, index + 1, &rest);
    if (r == 0)
        answers->reports[index] = kept;
    return r;
}

/* Make the range end and begin at entries of its own. */
static int split_around(struct answers *answers, uint64_t first, uint64_t last)
{
    int r = first > 0 ? split_after(answers, first - 1) : 0;
    return r < 0 ? r : split_after(answers, last);
}

static bool is_own(const struct answers_report *report, uint64_t first, uint64_t last)
{
    return report->until == 0 && report->first >= first && report->last <= last;
}

static int reach_own(struct answers *answers, uint64_t first, uint64_t last,
                     const struct flux_answer *answer)
{
    int r = 0;
    for (size_t i = find_report(answers, first);
         i < answers->report_count && answers->reports[i].first <= last && r == 0; i++)
        if (is_own(&answers->reports[i], first, last))
            r = tell_level(answers, &answers->reports[i], answer->level, answer);
    return r;
}

static int reach_all(struct answers *answers, uint64_t first, uint64_t last,
                     const struct flux_answer *answer, uint64_t sent)
{
    int r = 0;
    for (size_t i = 0; i < answers->report_count && r == 0; i++) {
        struct answers_report *report = &answers->reports[i];
        if (is_own(report, first, last))
            r = tell_level(answers, report, answer->level, answer);
        else if (report->until != 0)
            r = tell_level(answers, report, shared_level(answers, report, sent), answer);
    }
    return r;
}

int answers_reach(struct answers *answers, const struct flux_answer *answer, uint64_t sent)
{
    uint64_t first = answer->first_id, last = answer->last_id < sent ? answer->last_id : sent;
    int r = split_around(answers, first, last);
    if (r < 0)
        return r;
    for (size_t i = find_frame(answers, first);
         i < answers->frame_count && answers->frames[i].id <= last; i++)
        if (answers->frames[i].reached < answer->level)
            answers->frames[i].reached = answer->level;
    /* While reports are shared, any frame may be the last one that such a report waited for. */
    r = answers->shared_count > 0 ? reach_all(answers, first, last, answer, sent)
                                  : reach_own(answers, first, last, answer);
    if (answers->ended_count > 0)
        sweep(answers);
    return r;
}

static char *copy_text(struct flux_text text)
{
    return text.size > 0 ? strndup(text.text, text.size) : NULL;
}

static int tell_rejection(struct answers *answers, uint64_t first, uint64_t last,
                          const struct flux_rejected *rejected)
{
    struct answers_ready ready = {
        .shadow = answers->shadow,
        .first = first,
        .last = last,
        .rejected = true,
        .code = (int)rejected->code,
        .path = copy_text(rejected->path),
        .text = copy_text(rejected->text),
    };
    int r = answers_queue_push(answers->queue, &ready);
    if (r < 0)
        answers_ready_clear(&ready);
    return r;
}

/* A rejection is told even to reports that had reached what they wanted. */
int answers_reject(struct answers *answers, const struct flux_rejected *rejected, uint64_t sent)
{
    uint64_t first = rejected->first_id > 0 ? rejected->first_id : 1;
    uint64_t last = rejected->last_id < sent ? rejected->last_id : sent;
    if (first > last)
        return 0; /* none of them was sent */
    int r = split_around(answers, first, last);
    if (r == 0)
        r = tell_rejection(answers, first, last, rejected);
    if (r < 0)
        return r;
    /* A rejected frame has ended: it holds nobody back. */
    for (size_t i = find_frame(answers, first);
         i < answers->frame_count && answers->frames[i].id <= last; i++)
        answers->frames[i].reached = FLUX_LEVEL_ACCEPTED;
    for (size_t i = 0; i < answers->report_count && r == 0; i++) {
        struct answers_report *report = &answers->reports[i];
        if (is_own(report, first, last)) {
            end_report(answers, report);
        } else if (report->until != 0 && report->first <= last && report->until >= first) {
            if (report->first < first || report->last > last)
                r = tell_rejection(answers, report->first, report->last, rejected);
            end_report(answers, report);
        }
    }
    sweep(answers);
    return r;
}

int answers_reject_all(struct answers *answers, uint32_t code, const char *text)
{
    if (answers->report_count == 0)
        return 0;
    struct flux_rejected rejected = {.code = code, .text = flux_text(text)};
    uint64_t first = answers->reports[0].first;
    uint64_t last = answers->reports[answers->report_count - 1].last;
    int r = tell_rejection(answers, first, last, &rejected);
    if (r < 0)
        return r;
    answers->report_count = 0;
    answers->frame_count = 0;
    answers->shared_count = 0;
    return 0;
}
