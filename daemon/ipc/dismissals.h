/* Programs that were turned away or cut off, for the journal: a bounded queue in which those of the
 * same user for the same reason fold into one. Pure. */
#ifndef FLUXAWS_IPC_DISMISSALS_H
#define FLUXAWS_IPC_DISMISSALS_H

#include "proto/limits.h"
#include "proto/message.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISMISSALS_MAX     8u
#define DISMISSAL_TEXT_MAX 200u
#define DISMISSAL_UNIT_MAX 64u

struct dismissal {
    enum flux_goodbye_code code;
    uint32_t uid;
    int32_t pid;
    char name[FLUX_CLIENT_NAME_MAX + 1]; /* as the program calls itself; "": it did not say */
    char unit[DISMISSAL_UNIT_MAX];       /* cut to fit; "": not known */
    char text[DISMISSAL_TEXT_MAX];       /* why; cut to fit */
    uint64_t repeated;                   /* how many more were folded into this one */
};

struct dismissals {
    struct dismissal ring[DISMISSALS_MAX];
    size_t first, count;
};

/* Queue one; `name`, `unit` and `text` are copied. That the daemon stops is no dismissal, and is
 * left out. */
void dismissals_add(struct dismissals *dismissals, enum flux_goodbye_code code, uint32_t uid,
                    int32_t pid, const char *name, const char *unit, const char *text);

bool dismissals_next(struct dismissals *dismissals, struct dismissal *ret_dismissal);

#endif
