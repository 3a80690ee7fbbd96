#include "client/answers_report.h"

#define MASK_BITS 64u

static uint64_t bit(uint64_t index)
{
    return (uint64_t)1 << index;
}

uint64_t answers_report_count(const struct answers_report *report)
{
    return report->mask != 0 ? (uint64_t)__builtin_popcountll(report->mask)
                             : report->last - report->first + 1;
}

/* Make the entry stand for the ids of the mask, which has one at least, from `base` on. */
static void set_mask(struct answers_report *report, uint64_t base, uint64_t mask)
{
    unsigned skipped = (unsigned)__builtin_ctzll(mask);
    report->first = base + skipped;
    report->mask = mask >> skipped;
    report->last = report->first + (MASK_BITS - 1 - (unsigned)__builtin_clzll(report->mask));
    if (answers_report_count(report) == report->last - report->first + 1)
        report->mask = 0;
}

bool answers_report_extend(struct answers_report *report, uint64_t id)
{
    if (report->mask == 0 && id == report->last + 1) {
        report->last = id;
        report->operations = 0;
        return true;
    }
    if (id - report->first >= MASK_BITS)
        return false;
    report->operations = 0;
    if (report->mask == 0)
        report->mask = bit(report->last - report->first + 1) - 1;
    report->mask |= bit(id - report->first);
    report->last = id;
    return true;
}

void answers_report_drop_last(struct answers_report *report)
{
    if (report->mask == 0)
        report->last--;
    else
        set_mask(report, report->first, report->mask & ~bit(report->last - report->first));
}

void answers_report_split(struct answers_report *report, uint64_t last,
                          struct answers_report *ret_rest)
{
    uint64_t kept = last + 1 - report->first; /* ids */
    report->operations = 0;
    *ret_rest = *report;
    if (report->mask == 0) {
        ret_rest->first = last + 1;
        report->last = last;
        return;
    }
    set_mask(ret_rest, last + 1, report->mask >> kept);
    set_mask(report, report->first, report->mask & (bit(kept) - 1));
}
