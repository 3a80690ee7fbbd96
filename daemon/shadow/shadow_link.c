/* What the link, the channels and the service's patience mean for one shadow. */
#include "daemon/shadow/shadow_private.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void shadow_link_up(struct shadow *shadow, int64_t now_ms)
{
    shadow->link = SHADOW_UNHEARD;
    shadow->last_heard_ms = now_ms;
}

/* What is known from now on is what was known; no answer will come. */
static void stop_following(struct shadow *shadow, int64_t now_ms)
{
    if (shadow->view.state == SHADOW_VIEW_PROVEN || shadow->view.state == SHADOW_VIEW_GAP)
        shadow->followed_ms = now_ms;
    shadow_drop_prepared(shadow);
    shadow_give_up(shadow, now_ms);
    if (shadow->doubt !=
        SHADOW_NO_DOUBT) /* an accepted update would prove the version, not the contents */
        shadow->view.held = false;
    view_unprove(&shadow->view);
    shadow_end_doubt(shadow);
    shadow->conflicts = 0;
    shadow->fit_wanted = false;
}

void shadow_link_down(struct shadow *shadow, int64_t now_ms)
{
    stop_following(shadow, now_ms);
    shadow->link = SHADOW_OFFLINE;
}

void shadow_hear(struct shadow *shadow)
{
    shadow->link = SHADOW_ONLINE;
}

void shadow_unhear(struct shadow *shadow, int64_t now_ms)
{
    stop_following(shadow, now_ms);
    shadow->get_first = true;
    shadow->link = SHADOW_UNHEARD;
}

int64_t shadow_blocked_ms(const struct shadow *shadow)
{
    return later(shadow->pacing.blocked_until_ms,
                 shadow->suspicions[SHADOW_REQUEST_UPDATE].until_ms);
}

int64_t shadow_quarantine_ms(const struct shadow *shadow)
{
    int64_t until_ms = later(shadow->suspicions[SHADOW_REQUEST_UPDATE].until_ms,
                             shadow->suspicions[SHADOW_REQUEST_GET].until_ms);
    const struct channel *channel = shadow->listener.own;
    bool is_heard = !channel || subscriptions_is_heard(&shadow->listener);
    return is_heard ? until_ms : later(until_ms, channel->suspicion.until_ms);
}
