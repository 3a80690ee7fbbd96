/* Log lines of which many may come: what log_limit.h lets through is written, the others are
 * counted, and seen at the level debug. Decides nothing itself. */
#ifndef FLUXAWS_BASE_LOG_LIMITED_H
#define FLUXAWS_BASE_LOG_LIMITED_H

#include "daemon/base/log_limit.h"

/* Log a line as log_event() does, if it may be written now; `line` without its text. `limit`
 * may be NULL: then it is written. */
void log_limited(struct log_limit *limit, const struct log_line *line, int64_t now_ms,
                 const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Write the summaries that are due: "TEXT (and 1,234 more like it in the last 10 minutes)", with
 * the fields of the newest and REPEATED. `now_ms` of INT64_MAX: all, at the end. */
void log_limited_flush(struct log_limit *limit, int64_t now_ms);

#endif
