/* The status document as OpenMetrics text. Counts nothing itself. */
#ifndef FLUXCTL_METRICS_H
#define FLUXCTL_METRICS_H

#include <stdio.h>

/* Print the document. Returns 0, -EINVAL: it is none; -ENOMEM. */
int metrics_print(const char *json, FILE *out);

#endif
