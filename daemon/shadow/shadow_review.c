#include "daemon/shadow/projection.h"
#include "daemon/shadow/shadow_private.h"

bool shadow_is_known(const struct shadow *shadow, int64_t now_ms)
{
    const struct connection *connection = shadow->connection;
    return shadow->link == SHADOW_ONLINE && shadow->view.state == SHADOW_VIEW_PROVEN &&
           shadow->doubt == SHADOW_NO_DOUBT &&
           now_ms - connection->last_alive_ms < connection->options.keep_alive_ms;
}

void shadow_raise_doubt(struct shadow *shadow, enum shadow_doubt doubt, int64_t at_ms)
{
    if (shadow->doubt != SHADOW_NO_DOUBT && shadow->doubt_at_ms <= at_ms) {
        if (doubt > shadow->doubt)
            shadow->doubt = doubt;
        return;
    }
    shadow->doubt = doubt;
    shadow->doubt_at_ms = at_ms;
    saves_mark_shadow(shadow->ledger.saves);
}

void shadow_end_doubt(struct shadow *shadow)
{
    if (shadow->doubt == SHADOW_NO_DOUBT)
        return;
    shadow->doubt = SHADOW_NO_DOUBT;
    saves_mark_shadow(shadow->ledger.saves);
}

void shadow_contest(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    struct slot *slot = slot_of(property);
    bool quiet = slot->restored_ms == 0 || now_ms - slot->restored_ms > 10 * slot->restore_delay_ms;
    if (slot->restore_delay_ms == 0 || quiet)
        slot->restore_delay_ms = RESTORE_MIN_MS;
    else if (slot->restore_delay_ms < RESTORE_MAX_MS / 2)
        slot->restore_delay_ms *= 2;
    else
        slot->restore_delay_ms = RESTORE_MAX_MS;
    slot->restore_at_ms = now_ms + slot->restore_delay_ms;
    ledger_set_state(&shadow->ledger, property, SLOT_CONTESTED);
}

static void note_foreign(struct shadow *shadow, struct flux_property *property)
{
    shadow->status.foreign_changes++;
    shadow_notify(shadow, THING_NOTICE_FOREIGN, property->path, 0,
                  slot_of(property)->restore_delay_ms, "");
}

static void review_refused(struct shadow *shadow, struct flux_property *property, size_t total)
{
    struct slot *slot = slot_of(property);
    bool fits_now =
        slot->refused_lacking > 0 && total + slot->refused_lacking <= slot->refused_total;
    if (fits_now)
        ledger_retry(&shadow->ledger, property);
}

/* The cloud holds it already, or a number that counts as the same. */
static void accept_unsent(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    struct slot *slot = slot_of(property);
    uint64_t newest = ledger_newest(property);
    if (ledger_value_is_close(property)) {
        slot->close_above = slot->settled_revision;
        slot->close_revision = newest;
    }
    if (slot->confirmed_ms == 0)
        slot->confirmed_ms = now_ms;
    ledger_accept(&shadow->ledger, property, newest, shadow->view.version);
}

static void wait_again(struct shadow *shadow, struct flux_property *property, int64_t now_ms)
{
    ledger_set_state(&shadow->ledger, property, SLOT_PENDING);
    shadow_life_pending(shadow, property, now_ms);
}

/* Whether a program still means what the disk says was accepted, nobody knows: it is not defended.
 * But a cut that still waits above it would take away what the cloud holds in its place: then it
 * goes again together with that. */
static bool is_given_up(const struct flux_property *property)
{
    return slot_of(property)->from_disk && !ledger_is_part_of_cut(property->parent);
}

static void review_property(struct shadow *shadow, struct flux_property *property, bool known,
                            bool recreate, int64_t now_ms)
{
    bool is_proven = shadow->view.state == SHADOW_VIEW_PROVEN;
    switch (slot_of(property)->state) {
    case SLOT_EMPTY:
    case SLOT_REFUSED:
        return;
    case SLOT_PENDING:
        if (known && !ledger_is_unsettled(property) && ledger_is_in_cloud(property) &&
            !shadow_life_wants_resend(property, now_ms)) {
            if (shadow_may_accept_unsent(shadow, property))
                accept_unsent(shadow, property, now_ms);
        } else
            shadow_life_pending(shadow, property, now_ms);
        return;
    case SLOT_SETTLED:
        if (!is_proven || ledger_is_in_cloud(property))
            return;
        if (is_given_up(property)) {
            ledger_forget(&shadow->ledger, property, 0, "");
            return;
        }
        if (recreate || slot_of(property)->from_disk) {
            wait_again(shadow, property, now_ms);
            return;
        }
        shadow_contest(shadow, property, now_ms);
        note_foreign(shadow, property);
        return;
    case SLOT_CONTESTED:
        if (ledger_is_in_cloud(property))
            ledger_set_state(&shadow->ledger, property, SLOT_SETTLED);
        else if (recreate)
            wait_again(shadow, property, now_ms);
        return;
    }
}

void shadow_review(struct shadow *shadow, int64_t now_ms, bool recreate)
{
    struct flux_property *root = shadow->ledger.set.root;
    bool known = shadow_is_known(shadow, now_ms);
    shadow->size.known = false;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        review_property(shadow, p, known, recreate, now_ms);
    if (shadow->ledger.refused_count > 0) {
        size_t total = shadow->view.desired_bytes + projection_measure(&shadow->ledger);
        for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
            if (slot_of(p)->state == SLOT_REFUSED)
                review_refused(shadow, p, total);
        }
    }
    if (shadow->ledger.pending.count == 0)
        shadow->conflicts = 0;
    ledger_prune(&shadow->ledger);
    shadow_review_settles(shadow, now_ms);
    settles_prune(&shadow->settles);
}

void shadow_review_fresh(struct shadow *shadow, int64_t now_ms)
{
    bool known = shadow_is_known(shadow, now_ms);
    struct flux_property *property;
    while ((property = ledger_next_fresh(&shadow->ledger))) {
        if (slot_of(property)->state != SLOT_PENDING)
            continue;
        review_property(shadow, property, known, false, now_ms);
    }
    if (shadow->settles.fresh)
        shadow_review_settles(shadow, now_ms);
}

/* --- updates without an answer --- */

static void remove_unsettled(struct shadow *shadow, size_t index)
{
    update_clear(&shadow->unsettled[index]);
    shadow->unsettled[index] = shadow->unsettled[--shadow->unsettled_count];
    shadow->unsettled[shadow->unsettled_count] = (struct update){.base_version = -1};
}

void shadow_expire_unsettled(struct shadow *shadow, int64_t now_ms)
{
    for (size_t i = shadow->unsettled_count; i-- > 0;) {
        const struct update *update = &shadow->unsettled[i];
        bool dead = update->base_version >= 0 ? shadow->view.state == SHADOW_VIEW_PROVEN &&
                                                    shadow->view.version != update->base_version
                                              : now_ms - update->sent_ms > UNVERSIONED_MS;
        if (dead)
            remove_unsettled(shadow, i);
    }
}

int64_t shadow_flies_until_ms(const struct shadow *shadow)
{
    int64_t until_ms = shadow->request == SHADOW_REQUEST_NONE ? INT64_MIN : INT64_MAX;
    for (size_t i = 0; i < shadow->unsettled_count; i++) {
        int64_t late_ms = shadow->unsettled[i].sent_ms + UNVERSIONED_MS;
        until_ms = late_ms > until_ms ? late_ms : until_ms;
    }
    return until_ms;
}

void shadow_note_answer(struct shadow *shadow, int64_t took_ms)
{
    struct connection *connection = shadow->connection;
    pacing_answered(&shadow->pacing, took_ms);
    connection->answer_ms = pacing_smooth(connection->answer_ms, took_ms);
}

void shadow_give_up(struct shadow *shadow, int64_t now_ms)
{
    (void)now_ms;
    if (shadow->request == SHADOW_REQUEST_UPDATE) {
        shadow_life_not_taken(&shadow->update);
        if (shadow->unsettled_count == UNSETTLED_MAX)
            remove_unsettled(shadow, 0);
        shadow->unsettled[shadow->unsettled_count++] = shadow->update;
        shadow->update = (struct update){.base_version = -1};
    }
    shadow->request = SHADOW_REQUEST_NONE;
}
