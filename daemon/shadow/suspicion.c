#include "daemon/shadow/suspicion.h"

void suspicion_sent(struct suspicion *suspicion, int64_t now_ms)
{
    suspicion->is_open = true;
    suspicion->sent_ms = now_ms;
}

bool suspicion_survived(struct suspicion *suspicion)
{
    bool is_released = suspicion->delay_ms > 0;
    *suspicion = (struct suspicion){.sent_ms = suspicion->sent_ms};
    return is_released;
}

bool suspicion_is_in_the_air(const struct suspicion *suspicion, int64_t now_ms)
{
    return suspicion->is_open && now_ms - suspicion->sent_ms <= SUSPICION_DROP_MS;
}

bool suspicion_dropped(struct suspicion *suspicion, bool alone, uint64_t survivors, int64_t now_ms)
{
    bool was_in_the_air = suspicion_is_in_the_air(suspicion, now_ms);
    suspicion->is_open = false;
    if (!was_in_the_air)
        return false;
    suspicion->is_suspect = true;
    /* Where nothing else gets through either, the link is to blame. */
    if (!alone || survivors == suspicion->mark)
        return false;
    suspicion->mark = survivors;
    if (++suspicion->strikes < SUSPICION_STRIKES_MAX)
        return false;
    suspicion->strikes = SUSPICION_STRIKES_MAX - 1; /* one more is enough the next time */
    int64_t delay = suspicion->delay_ms * 2;
    if (delay < SUSPICION_DELAY_MIN_MS)
        delay = SUSPICION_DELAY_MIN_MS;
    suspicion->delay_ms = delay < SUSPICION_DELAY_MAX_MS ? delay : SUSPICION_DELAY_MAX_MS;
    suspicion->until_ms = now_ms + suspicion->delay_ms;
    return true;
}

void suspicion_ease(struct suspicion *suspicion, int64_t now_ms)
{
    int64_t age_ms = now_ms - suspicion->sent_ms;
    bool outlived = suspicion->is_open && age_ms > SUSPICION_DROP_MS;
    bool forgotten = suspicion->strikes == 0 && age_ms > SUSPICION_KEPT_MS;
    if (outlived || forgotten)
        suspicion->is_suspect = false;
}

bool suspicion_is_in_quarantine(const struct suspicion *suspicion, int64_t now_ms)
{
    return suspicion->until_ms > now_ms;
}
