#include "daemon/shadow/shadow_private.h"
#include <errno.h>
#include <string.h>

void shadow_view_failed(struct shadow *shadow, int error, int64_t now_ms)
{
    const char *reason = error == -E2BIG ? "more keys than can be held" : "out of memory";
    shadow->view.state = SHADOW_VIEW_UNREADABLE;
    (void)pacing_back_off(&shadow->pacing, &shadow->connection->random, now_ms);
    shadow_notify(shadow, THING_NOTICE_UNREADABLE, NULL, 0, 0, reason);
}

/* Merge what had come early, then see whether a version is still missing. */
void shadow_catch_up(struct shadow *shadow, int64_t now_ms)
{
    struct view *view = &shadow->view;
    struct cloud_message message;
    while (view_next_early(view, &message)) {
        int r = view_merge(view, &shadow->ledger, &message, now_ms);
        if (cloud_message_tells_nothing(&message))
            shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
        cloud_message_clear(&message);
        if (r < 0) {
            shadow_view_failed(shadow, r, now_ms);
            return;
        }
    }
    if (view->seen_version > view->version) {
        view->state = SHADOW_VIEW_GAP;
        view->gap_until_ms = now_ms + VIEW_GAP_MS;
    } else if (shadow->doubt == SHADOW_DOUBT_CONFLICT) {
        shadow_end_doubt(shadow); /* the newer accepted message has come */
    }
}

/* Merge what an update of ours carried: an answer need not repeat the nulls. */
static int merge_own(struct shadow *shadow, const struct update *update, int64_t now_ms)
{
    struct cloud_message own;
    const char *reason;
    int r = cloud_message_parse(&own, update->payload, update->payload_size, &reason);
    if (r != CLOUD_MESSAGE_READ)
        return r < 0 ? r : 0;
    r = view_merge_own(&shadow->view, &shadow->ledger, &own, now_ms);
    cloud_message_clear(&own);
    return r;
}

/* The service may store a number in another form; that form counts as ours. To be learnt while the
 * view is that of our own update, before anything newer is merged. */
static void learn_forms(struct shadow *shadow, const struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        struct flux_property *property = update->entries[i].property;
        struct slot *slot = slot_of(property);
        bool is_current = ledger_newest(property) == update->entries[i].revision;
        bool is_scalar = slot->cloud.type != FLUX_VALUE_NONE &&
                         slot->cloud.type != FLUX_VALUE_EMPTY_OBJECT &&
                         flux_property_is_leaf(property);
        if (!is_current || !is_scalar || flux_value_equal(&property->value, &slot->cloud))
            continue;
        ledger_mark(&shadow->ledger, property);
        flux_value_clear(&slot->form);
        (void)flux_value_copy(&slot->form, &slot->cloud); /* else the value is set back once more */
    }
}

static bool is_next(const struct view *view, int64_t version)
{
    return version == view_next_version(view);
}

/* Bring an accepted update into the view, in version order. Takes the message over where it came
 * early. */
void shadow_follow(struct shadow *shadow, struct cloud_message *message, const struct update *ours,
                   int64_t now_ms)
{
    struct view *view = &shadow->view;
    bool proves = ours && view->state == SHADOW_VIEW_UNKNOWN && view->held &&
                  ours->base_version >= 0 && ours->base_version == view->version &&
                  message->version == view->version + 1;
    if (proves)
        view->state = SHADOW_VIEW_PROVEN;
    bool follows = view->state == SHADOW_VIEW_PROVEN || view->state == SHADOW_VIEW_GAP;
    if (follows && message->version <= view->version)
        return;
    if (!follows || !is_next(view, message->version)) {
        view_keep_early(view, message, now_ms);
        return;
    }
    int r = ours ? merge_own(shadow, ours, now_ms) : 0;
    if (r == 0)
        r = view_merge(view, &shadow->ledger, message, now_ms);
    if (r < 0) {
        shadow_view_failed(shadow, r, now_ms);
        return;
    }
    if (ours)
        learn_forms(shadow, ours);
    shadow_catch_up(shadow, now_ms);
}
