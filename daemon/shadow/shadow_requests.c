#include "daemon/shadow/shadow_private.h"
#include <errno.h>
#include <stdio.h>

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* --- what is needed, and when --- */

bool shadow_has_settle_to_send(const struct shadow *shadow)
{
    for (const struct flux_property *p = shadow->settles.first; p; p = settle_of(p)->next) {
        if (!update_waits_for_values(&shadow->ledger, p))
            return true;
    }
    return false;
}

bool shadow_has_work(const struct shadow *shadow)
{
    return shadow->ledger.pending.count > shadow->ledger.held_count ||
           shadow_has_settle_to_send(shadow);
}

static int64_t get_ms(struct shadow *shadow, int64_t wanted_ms, int64_t now_ms)
{
    int64_t quarantine_ms = shadow->suspicions[SHADOW_REQUEST_GET].until_ms;
    return later(later(wanted_ms, quarantine_ms), pacing_next_get_ms(&shadow->pacing, now_ms));
}

static int64_t update_ms(struct shadow *shadow, int64_t now_ms)
{
    return pacing_next_update_ms(&shadow->pacing, now_ms);
}

/* A held version and something to send: that update itself proves the view. Not where an update may
 * still be on its way, or a size has to be counted again, or the version may have begun anew: those
 * want a look first. */
static bool can_prove_by_update(const struct shadow *shadow, int64_t now_ms)
{
    if (suspicion_is_in_quarantine(&shadow->suspicions[SHADOW_REQUEST_UPDATE], now_ms))
        return false;
    if (now_ms - shadow->followed_ms > VERSION_TRUSTED_MS)
        return false;
    return shadow->view.held && !shadow->get_first && shadow->view.version >= 0 &&
           shadow->unsettled_count == 0 && shadow->doubt == SHADOW_NO_DOUBT &&
           !shadow->fit_wanted && shadow_has_work(shadow);
}

/* When a shadow that has nothing to send may look what has changed while the link was away. */
static int64_t idle_get_ms(struct shadow *shadow, int64_t now_ms)
{
    if (shadow->last_get_ms == INT64_MIN)
        return now_ms;
    if (shadow->watcher_count > 0)
        return token_bucket_next_ms(&shadow->idle_gets, 1, now_ms);
    return shadow->last_get_ms + IDLE_GET_MS;
}

/* Something has happened to an unproven shadow on this connection, and there is somebody whom it
 * may concern: that is worth a look now. */
static bool has_heard_for_watchers(const struct shadow *shadow)
{
    return shadow->watcher_count > 0 && shadow->view.early_count > 0;
}

/* Decide what comes next and when; the kind is SHADOW_REQUEST_NONE where nothing does. */
static enum shadow_request decide(struct shadow *shadow, int64_t now_ms, int64_t *ret_when_ms)
{
    *ret_when_ms = INT64_MAX;
    if (shadow->link != SHADOW_ONLINE || shadow->request != SHADOW_REQUEST_NONE)
        return SHADOW_REQUEST_NONE;
    if (shadow_prepared_is_current(shadow)) {
        bool may_go = shadow_prepared_is_stored(shadow); /* it has its token */
        *ret_when_ms = may_go ? pacing_next_get_ms(&shadow->pacing, now_ms) : INT64_MAX;
        return SHADOW_REQUEST_UPDATE;
    }
    if (shadow->doubt != SHADOW_NO_DOUBT) {
        *ret_when_ms = get_ms(shadow, shadow->doubt_at_ms, now_ms);
        return SHADOW_REQUEST_GET;
    }
    switch (shadow->view.state) {
    case SHADOW_VIEW_UNREADABLE:
        *ret_when_ms = get_ms(shadow, now_ms, now_ms);
        return SHADOW_REQUEST_GET;
    case SHADOW_VIEW_GAP:
        *ret_when_ms = get_ms(shadow, shadow->view.gap_until_ms, now_ms);
        return SHADOW_REQUEST_GET;
    case SHADOW_VIEW_UNKNOWN:
        if (can_prove_by_update(shadow, now_ms)) {
            *ret_when_ms = update_ms(shadow, now_ms);
            return SHADOW_REQUEST_UPDATE;
        }
        *ret_when_ms = get_ms(shadow, now_ms, now_ms);
        if (!shadow_has_work(shadow) && !has_heard_for_watchers(shadow))
            *ret_when_ms = later(*ret_when_ms, idle_get_ms(shadow, now_ms));
        return SHADOW_REQUEST_GET;
    case SHADOW_VIEW_PROVEN:
        break;
    }
    const struct suspicion *suspicion = &shadow->suspicions[SHADOW_REQUEST_UPDATE];
    bool has_work = shadow_has_work(shadow);
    if (has_work && !suspicion_is_in_quarantine(suspicion, now_ms)) {
        *ret_when_ms = update_ms(shadow, now_ms);
        return SHADOW_REQUEST_UPDATE;
    }
    int64_t refresh_ms = shadow->connection->options.refresh_ms;
    if (refresh_ms > 0)
        *ret_when_ms = get_ms(shadow, shadow->last_heard_ms + refresh_ms, now_ms);
    if (has_work)
        *ret_when_ms = earlier(*ret_when_ms, suspicion->until_ms);
    return SHADOW_REQUEST_GET;
}

/* Why a get is made that decide() wants. */
static enum thing_cause cause_of_get(const struct shadow *shadow)
{
    if (shadow->doubt != SHADOW_NO_DOUBT)
        return shadow->doubt == SHADOW_DOUBT_CONFLICT ? THING_CAUSE_GET_CONFLICT
                                                      : THING_CAUSE_GET_DOUBT;
    switch (shadow->view.state) {
    case SHADOW_VIEW_UNREADABLE:
        return THING_CAUSE_GET_DOUBT;
    case SHADOW_VIEW_GAP:
        return THING_CAUSE_GET_GAP;
    case SHADOW_VIEW_UNKNOWN:
        return THING_CAUSE_GET_CONNECT;
    case SHADOW_VIEW_PROVEN:
        break;
    }
    return THING_CAUSE_GET_REFRESH;
}

int64_t shadow_request_ms(struct shadow *shadow, int64_t now_ms, bool *ret_is_get)
{
    int64_t when_ms;
    *ret_is_get = decide(shadow, now_ms, &when_ms) == SHADOW_REQUEST_GET;
    return when_ms;
}

/* --- making requests --- */

static int make_get(struct shadow *shadow, int64_t now_ms, struct thing_request *request)
{
    shadow->sent_cause = cause_of_get(shadow);
    shadow_make_token(shadow, shadow->get_token);
    int size = snprintf(shadow->get_payload, sizeof(shadow->get_payload),
                        "{\"clientToken\":\"%s\"}", shadow->get_token);
    topic_write_request(shadow->topic, shadow->thing, shadow->name, TOPIC_GET);
    request->kind = THING_PUBLISH;
    request->topic = shadow->topic;
    request->payload = shadow->get_payload;
    request->payload_size = (size_t)size;
    request->qos = 1;
    pacing_charge_get(&shadow->pacing, now_ms);
    shadow->request = SHADOW_REQUEST_GET;
    shadow->get_sent_ms = now_ms;
    shadow->last_get_ms = now_ms;
    (void)token_bucket_take(&shadow->idle_gets, 1, now_ms);
    shadow->get_generation = shadow->view.generation;
    shadow->view.asked_version = shadow->view.seen_version;
    shadow->get_outdated = false;
    shadow->status.gets_sent++;
    return 1;
}

int shadow_next_request(struct shadow *shadow, int64_t now_ms, struct thing_request *ret_request)
{
    pacing_expect(&shadow->pacing, shadow->connection->answer_ms);
    int64_t when_ms;
    enum shadow_request kind = decide(shadow, now_ms, &when_ms);
    if (when_ms > now_ms)
        return 0;
    switch (kind) {
    case SHADOW_REQUEST_NONE:
    case SHADOW_REQUEST_COUNT:
        return 0;
    case SHADOW_REQUEST_GET:
        return make_get(shadow, now_ms, ret_request);
    case SHADOW_REQUEST_UPDATE:
        return shadow_make_update(shadow, now_ms, ret_request);
    }
    return 0;
}

/* --- time --- */

static int64_t answer_deadline(const struct shadow *shadow)
{
    int64_t timeout = pacing_timeout_ms(&shadow->pacing);
    switch (shadow->request) {
    case SHADOW_REQUEST_NONE:
    case SHADOW_REQUEST_COUNT:
        return INT64_MAX;
    case SHADOW_REQUEST_UPDATE:
        return shadow->update.sent_ms + timeout;
    case SHADOW_REQUEST_GET:
        return shadow->get_sent_ms + timeout;
    }
    return INT64_MAX;
}

static void time_out(struct shadow *shadow, int64_t now_ms)
{
    bool is_update = shadow->request == SHADOW_REQUEST_UPDATE;
    shadow_give_up(shadow, now_ms);
    shadow->connection->unanswered++;
    shadow->status.updates_timed_out += is_update;
    pacing_unanswered(&shadow->pacing);
    int64_t delay =
        is_update ? 0 : pacing_back_off(&shadow->pacing, &shadow->connection->random, now_ms);
    shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
    shadow_notify(shadow, THING_NOTICE_TIMEOUT, NULL, 0, delay, is_update ? "update" : "get");
}

static int64_t first_restore_ms(const struct shadow *shadow)
{
    int64_t first = INT64_MAX;
    for (const struct flux_property *p = shadow->ledger.contested.first; p;
         p = slot_of(p)->queue_next)
        first = earlier(first, slot_of(p)->restore_at_ms);
    return first;
}

static void restore_due(struct shadow *shadow, int64_t now_ms)
{
    struct flux_property *p = shadow->ledger.contested.first;
    while (p) {
        struct flux_property *next = slot_of(p)->queue_next;
        if (slot_of(p)->restore_at_ms <= now_ms) {
            slot_of(p)->restored_ms = now_ms;
            ledger_set_state(&shadow->ledger, p, SLOT_PENDING);
            shadow_life_pending(shadow, p, now_ms);
        }
        p = next;
    }
}

void shadow_tick(struct shadow *shadow, int64_t now_ms)
{
    if (answer_deadline(shadow) <= now_ms)
        time_out(shadow, now_ms);
    shadow_expire_unsettled(shadow, now_ms);
    shadow_check_prepared(shadow);
    if (shadow->ledger.contested.count > 0)
        restore_due(shadow, now_ms);
    shadow_life_tick(shadow, now_ms);
    shadow_review_fresh(shadow, now_ms);
    if (shadow->reset_revision > 0)
        shadow_finish_reset(shadow);
}

int64_t shadow_tick_ms(struct shadow *shadow)
{
    if (shadow->link == SHADOW_OFFLINE)
        return timers_first_ms(&shadow->ledger.timers); /* all else waits for the link */
    int64_t deadline = answer_deadline(shadow);
    if (shadow->ledger.contested.count > 0)
        deadline = earlier(deadline, first_restore_ms(shadow));
    deadline = earlier(deadline, timers_first_ms(&shadow->ledger.timers));
    return deadline;
}
