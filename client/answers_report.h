/* Reports to one shadow that share an answer: which ids they are. Does not know what was answered.
 */
#ifndef CLIENT_ANSWERS_REPORT_H
#define CLIENT_ANSWERS_REPORT_H

#include "proto/message.h"
#include <stdbool.h>
#include <stdint.h>

/* Reports in a row that are answered together. */
struct answers_report {
    uint64_t first, last;
    uint64_t mask;       /* 0: all from first to last; else bit i stands for first + i, and ids of
                            other shadows lie in between */
    uint64_t until;      /* 0: answered by their own ids. Else they are shared: their values
                            travelled in frames from `first` to `until` */
    uint32_t operations; /* of a single report; 0: not known, or several */
    enum flux_level wanted;
    unsigned reached; /* enum flux_level, or 0 */
};

/* How many reports it stands for. */
uint64_t answers_report_count(const struct answers_report *report);

/* Let a later report share the entry. Returns false if its id lies too far away. */
bool answers_report_extend(struct answers_report *report, uint64_t id);

/* Take out the last report of an entry that has several. */
void answers_report_drop_last(struct answers_report *report);

/* Keep the reports up to `last`, which lies within the entry and before its end; `ret_rest` gets
 * the others. */
void answers_report_split(struct answers_report *report, uint64_t last,
                          struct answers_report *ret_rest);

#endif
