/* Whether the requests of one kind, of one shadow or channel, drop the link. Whatever was on its
 * way unacknowledged when the link dropped is suspect, and goes alone after that; what drops it
 * alone, time and again while others survive, is put into quarantine. Pure; counts, sends nothing.
 */
#ifndef FLUXAWS_SHADOW_SUSPICION_H
#define FLUXAWS_SHADOW_SUSPICION_H

#include <stdbool.h>
#include <stdint.h>

/* A drop so long after a publish or subscribe makes it suspect. */
#define SUSPICION_DROP_MS 2000
/* What is not sent at all is suspect for so long. */
#define SUSPICION_KEPT_MS 600000
/* So many drops by a lone request end in quarantine. */
#define SUSPICION_STRIKES_MAX  3u
#define SUSPICION_DELAY_MIN_MS INT64_C(300000)
#define SUSPICION_DELAY_MAX_MS INT64_C(21600000)

struct suspicion {
    int64_t sent_ms;
    int64_t until_ms; /* in quarantine until then, 0: never was */
    int64_t delay_ms; /* of the last quarantine, 0: none since one went well */
    uint64_t mark;    /* survivors counted at the last strike */
    unsigned strikes;
    bool is_open; /* sent, not acknowledged */
    bool is_suspect;
};

void suspicion_sent(struct suspicion *suspicion, int64_t now_ms);
/* It was acknowledged or answered. Returns whether it had been in quarantine before. */
bool suspicion_survived(struct suspicion *suspicion);
/* Tell whether it may have to do with a drop now: sent lately, not acknowledged. */
bool suspicion_is_in_the_air(const struct suspicion *suspicion, int64_t now_ms);
/* The link dropped. `alone`: this was the only one in the air; `survivors`: requests of others that
 * were acknowledged so far, ever rising. Returns whether it is in quarantine from now on. */
bool suspicion_dropped(struct suspicion *suspicion, bool alone, uint64_t survivors, int64_t now_ms);
/* Time has passed: what the link has outlived, or what has not been sent for long, is suspect no
 * more. */
void suspicion_ease(struct suspicion *suspicion, int64_t now_ms);
/* Tell whether it may not be sent now. */
bool suspicion_is_in_quarantine(const struct suspicion *suspicion, int64_t now_ms);

#endif
