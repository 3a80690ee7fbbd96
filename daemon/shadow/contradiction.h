/* Finds two values in one report that exclude each other: a scalar or array at a path, and a value
 * below it. Judges the report by itself, not what is held already. */
#ifndef FLUXAWS_SHADOW_CONTRADICTION_H
#define FLUXAWS_SHADOW_CONTRADICTION_H

#include "daemon/shadow/shadow.h"

struct contradiction {
    const struct shadow_operation *above, *below; /* borrowed from the report */
};

/* Look for one. Two values do not exclude each other when an unset between them, of the one that
 * comes first or of something above it, has taken that one away again. Returns 1 and the pair, 0
 * where there is none, or -ENOMEM. */
int contradiction_find(const struct shadow_report *report, struct contradiction *ret_contradiction);

#endif
