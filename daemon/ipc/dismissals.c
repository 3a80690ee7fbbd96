#include "daemon/ipc/dismissals.h"

#include <stdio.h>

/* The one to fold this into; NULL where there is room for one of its own. */
static struct dismissal *find_alike(struct dismissals *dismissals, enum flux_goodbye_code code,
                                    uint32_t uid)
{
    struct dismissal *newest = NULL;
    for (size_t i = 0; i < dismissals->count; i++) {
        newest = &dismissals->ring[(dismissals->first + i) % DISMISSALS_MAX];
        if (newest->code == code && newest->uid == uid)
            return newest;
    }
    return dismissals->count == DISMISSALS_MAX ? newest : NULL;
}

void dismissals_add(struct dismissals *dismissals, enum flux_goodbye_code code, uint32_t uid,
                    int32_t pid, const char *name, const char *unit, const char *text)
{
    if (code == FLUX_GOODBYE_STOPPING)
        return;
    struct dismissal *alike = find_alike(dismissals, code, uid);
    if (alike) {
        alike->repeated++;
        return;
    }
    struct dismissal *added =
        &dismissals->ring[(dismissals->first + dismissals->count++) % DISMISSALS_MAX];
    *added = (struct dismissal){.code = code, .uid = uid, .pid = pid};
    (void)snprintf(added->name, sizeof(added->name), "%s", name);
    (void)snprintf(added->unit, sizeof(added->unit), "%s", unit);
    (void)snprintf(added->text, sizeof(added->text), "%s", text);
}

bool dismissals_next(struct dismissals *dismissals, struct dismissal *ret_dismissal)
{
    if (dismissals->count == 0)
        return false;
    *ret_dismissal = dismissals->ring[dismissals->first];
    dismissals->first = (dismissals->first + 1) % DISMISSALS_MAX;
    dismissals->count--;
    return true;
}
