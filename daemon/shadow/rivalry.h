/* Notices when programs alternate on one property. Knows times, not programs. */
#ifndef FLUXAWS_SHADOW_RIVALRY_H
#define FLUXAWS_SHADOW_RIVALRY_H

#include <stdbool.h>
#include <stdint.h>

/* So many changes of the writer within this time are worth a word, one per pause. */
#define RIVALRY_CHANGES   4u
#define RIVALRY_WINDOW_MS 60000
#define RIVALRY_PAUSE_MS  600000

struct rivalry {
    int64_t changed_ms[RIVALRY_CHANGES]; /* the last changes, in a ring */
    unsigned count;                      /* of all changes, until it is full */
    unsigned next;
    int64_t told_ms;
    bool was_told;
};

/* Note that another program than before has reported the property. Returns true if that is to be
 * told now. */
static inline bool rivalry_note(struct rivalry *rivalry, int64_t now_ms)
{
    int64_t oldest_ms = rivalry->changed_ms[(rivalry->next + 1) % RIVALRY_CHANGES];
    rivalry->changed_ms[rivalry->next] = now_ms;
    rivalry->next = (rivalry->next + 1) % RIVALRY_CHANGES;
    if (rivalry->count < RIVALRY_CHANGES)
        rivalry->count++;
    bool alternates = rivalry->count == RIVALRY_CHANGES && now_ms - oldest_ms <= RIVALRY_WINDOW_MS;
    if (!alternates || (rivalry->was_told && now_ms - rivalry->told_ms < RIVALRY_PAUSE_MS))
        return false;
    rivalry->was_told = true;
    rivalry->told_ms = now_ms;
    return true;
}

#endif
