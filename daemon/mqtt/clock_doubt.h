/* Whether the device's clock may be what keeps a connection from being made, and whether it has
 * been set since. Pure: both clocks are arguments. Does not dial. */
#ifndef FLUXAWS_MQTT_CLOCK_DOUBT_H
#define FLUXAWS_MQTT_CLOCK_DOUBT_H

#include <stdbool.h>
#include <stdint.h>

#define CLOCK_DOUBT_LOOK_MS  2000 /* while in doubt the clock is looked at so often ... */
#define CLOCK_DOUBT_STEP_SEC 5    /* ... and a change by more is no drift */

struct clock_doubt {
    bool is_open;
    int64_t ahead_sec; /* of the wall clock before the one that nobody sets, when looked at last */
    int64_t next_look_ms;
};

/* An attempt to connect begins at `now_ms` (boot time), with the wall clock as it is. */
void clock_doubt_begin(struct clock_doubt *doubt, int64_t wall_sec, int64_t now_ms);

/* It has failed, with a certificate that was not valid by the wall clock or for another reason. */
void clock_doubt_judge(struct clock_doubt *doubt, bool clock_may_be_why);

/* When clock_doubt_look() wants to be called; INT64_MAX: never. */
int64_t clock_doubt_deadline(const struct clock_doubt *doubt);

/* Tell, where it is time to look, whether the clock was set since the last look. */
bool clock_doubt_look(struct clock_doubt *doubt, int64_t wall_sec, int64_t now_ms);

#endif
