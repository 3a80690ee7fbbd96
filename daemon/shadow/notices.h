/* A bounded queue of what the operator should hear; the same about the same path folds into one.
 * Pure. */
#ifndef FLUXAWS_SHADOW_NOTICES_H
#define FLUXAWS_SHADOW_NOTICES_H

#include "daemon/shadow/thing.h"

#define NOTICES_MAX 32u

struct notices {
    struct thing_notice ring[NOTICES_MAX];
    size_t first, count;
};

/* Queue a notice; `path` and `text` may be NULL and are cut to fit. */
void notices_add(struct notices *notices, enum thing_notice_kind kind, const char *thing_name,
                 const char *shadow_name, const char *path, int code, int64_t delay_ms,
                 const char *text);

bool notices_next(struct notices *notices, struct thing_notice *ret_notice);

#endif
