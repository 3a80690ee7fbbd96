/* The kinds of lines of which many may come, each with its own share of the log (base/log_limit.h).
 */
#ifndef FLUXAWS_LOG_KINDS_H
#define FLUXAWS_LOG_KINDS_H

#include "daemon/base/log_limit.h"

enum log_kind {
    LOG_KIND_LINK,        /* up, lost, hung up */
    LOG_KIND_LINK_FAILED, /* attempts in vain */
    LOG_KIND_CLIENT,      /* programs that were turned away or cut off */
    LOG_KIND_ROOT,        /* what root had done */
    LOG_KIND_OPERATOR,    /* who else had what done: no flood of theirs hides what root did */
    LOG_KIND_RELOAD,      /* what came of a reload that somebody on the socket wanted */
    LOG_KIND_STORAGE,
    LOG_KIND_NOTICE, /* and enum thing_notice_kind */
};

#endif
