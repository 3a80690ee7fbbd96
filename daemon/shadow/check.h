/* The local checks of a report, before a value replaces an older one: form, depth, and the size of
 * the document that the shadow would have. Changes nothing. */
#ifndef FLUXAWS_SHADOW_CHECK_H
#define FLUXAWS_SHADOW_CHECK_H

#include "daemon/shadow/ledger.h"
#include "daemon/shadow/shadow.h"

struct check_limits {
    unsigned max_depth;        /* keys below `reported`, those inside arrays too */
    size_t max_document_bytes; /* desired + reported, compact JSON */
    size_t desired_bytes;
};

/* Keeps an upper bound of the document's size, so that most reports need no exact count. */
struct check_size {
    bool known;
    bool fine;       /* values counted by their text, numbers not by the longest of their kind */
    size_t bytes;    /* desired + reported, at most */
    uint64_t effort; /* properties looked at for exact counts so far */
};

/* Check a report as a whole. Returns SHADOW_REPORT_QUEUED, SHADOW_REPORT_REFUSED with the refusal
 * filled in, or -ENOMEM. `size` is brought up to date on SHADOW_REPORT_QUEUED. */
int check_report(struct ledger *ledger, const struct check_limits *limits, struct check_size *size,
                 const struct shadow_report *report, struct shadow_refusal *ret_refusal);

/* Write the text of a refusal for size: what the document would need, and which properties need
 * most of it. `measured` is the ledger that projection_measure() looked at last. */
void check_describe_size(char *ret_text, size_t text_size, const struct check_limits *limits,
                         const struct ledger *measured, size_t total);

#endif
