/* Which figure of the status document is which metric. */
#ifndef FLUXCTL_METRICS_TABLE_H
#define FLUXCTL_METRICS_TABLE_H

#include <stddef.h>

enum metric_type { METRIC_GAUGE, METRIC_COUNTER };

/* Of what there is one sample each. */
enum metric_scope {
    METRIC_ONE,    /* one in all */
    METRIC_SHADOW, /* a shadow: labels thing and shadow ("": the classic one) */
    METRIC_CAUSE,  /* a cause of cloud.causes: label cause */
};

/* How the field becomes a number. One that is null or not there has no sample. */
enum metric_reading {
    METRIC_NUMBER,
    METRIC_MILLISECONDS, /* to seconds */
    METRIC_MICROSECONDS, /* to seconds */
    METRIC_PERCENT,      /* to a ratio */
    METRIC_TRUE,         /* 1 for true, else 0 */
    METRIC_IS,           /* 1 where the text is `expected`, else 0 */
    METRIC_IS_SET,       /* 0 for null, else 1 */
};

struct metric {
    const char *name; /* of the family; a counter's sample has _total behind it */
    const char *unit; /* NULL: none; else the name ends with it */
    enum metric_type type;
    enum metric_scope scope;
    enum metric_reading reading;
    const char *path; /* in the document, in the shadow, in the cause */
    const char *expected;
    const char *help;
};

extern const struct metric metrics_table[];
extern const size_t metrics_count;

#endif
