#include "daemon/shadow/shadow_private.h"
#include <stdio.h>
#include <string.h>

static void note_bad_answer(struct shadow *shadow, const char *what, const char *reason)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s: %s", what, reason);
    shadow_notify(shadow, THING_NOTICE_BAD_ANSWER, NULL, 0, 0, text);
}

static const char *message_text(const struct cloud_message *message)
{
    const char *text = json_string_value(json_object_get(message->root, "message"));
    return text ? text : "no reason given";
}

/* The update of ours that a token belongs to: in flight, or given up earlier. */
static struct update *find_update(struct shadow *shadow, const char *token)
{
    if (!*token)
        return NULL;
    if (shadow->request == SHADOW_REQUEST_UPDATE && strcmp(shadow->update.token, token) == 0)
        return &shadow->update;
    for (size_t i = 0; i < shadow->unsettled_count; i++) {
        if (strcmp(shadow->unsettled[i].token, token) == 0)
            return &shadow->unsettled[i];
    }
    return NULL;
}

static void end_update(struct shadow *shadow, struct update *update)
{
    if (update == &shadow->update) {
        update_clear(update);
        shadow->request = SHADOW_REQUEST_NONE;
        return;
    }
    update_clear(update);
    *update = shadow->unsettled[--shadow->unsettled_count];
    shadow->unsettled[shadow->unsettled_count] = (struct update){.base_version = -1};
}

/* --- update/accepted --- */

static void settle(struct shadow *shadow, struct update *update, int64_t version, bool in_view,
                   int64_t now_ms)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        struct update_entry *entry = &update->entries[i];
        slot_of(entry->property)->suspect = false;
        if (!entry->rides_along)
            slot_of(entry->property)->confirmed_ms = now_ms;
        if (!entry->is_partial)
            ledger_accept(&shadow->ledger, entry->property, entry->revision, version);
    }
    bool in_flight = update == &shadow->update;
    for (size_t i = 0; !in_flight && in_view && i < update->entry_count; i++) {
        struct update_entry *entry = &update->entries[i];
        (void)ledger_reassert(&shadow->ledger, entry->property, entry->revision);
    }
    if (in_flight)
        shadow_note_answer(shadow, now_ms - update->sent_ms);
    else
        shadow_life_taken_late(update);
    end_update(shadow, update);
    shadow->conflicts = 0;
    pacing_relax(&shadow->pacing);
    shadow->status.updates_accepted++;
    shadow->status.last_code = 0;
    shadow->status.last_accepted_version = version;
    saves_mark_shadow(shadow->ledger.saves);
    shadow->status.last_accepted_ms = now_ms;
    if (shadow->suspects_limit > 0)
        shadow_narrow_suspects(shadow);
}

static void handle_update_accepted(struct shadow *shadow, struct cloud_message *message,
                                   int64_t now_ms)
{
    if (message->version < 0) {
        note_bad_answer(shadow, "update/accepted", "no version in it");
        shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms + VIEW_GAP_MS);
        return;
    }
    int64_t version = message->version;
    struct update *ours = find_update(shadow, message->token);
    bool was_new = version > shadow->view.version;
    if (was_new && cloud_message_tells_nothing(message))
        shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
    shadow_follow(shadow, message, ours, now_ms);
    bool in_view = was_new && shadow->view.version >= version;
    bool is_late = ours && ours != &shadow->update; /* given up, and applied all the same */
    if (ours) {
        bool unversioned = ours->base_version < 0;
        settle(shadow, ours, version, in_view, now_ms);
        if (unversioned && !in_view) /* created, but who knows what else is there */
            shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
    }
    shadow_expire_unsettled(shadow, now_ms);
    shadow_review(shadow, now_ms, is_late && in_view);
}

static void handle_update_rejected(struct shadow *shadow, const struct cloud_message *message,
                                   int64_t now_ms)
{
    struct update *ours = find_update(shadow, message->token);
    if (!ours)
        return; /* somebody else's, or not to be told apart: ours times out */
    if (ours != &shadow->update)
        return; /* given up already, and a copy of it may still be accepted */
    shadow_note_answer(shadow, now_ms - ours->sent_ms);
    shadow_update_refused(shadow, message->code, message_text(message), now_ms);
}

/* --- get --- */

static void handle_get_accepted(struct shadow *shadow, const struct cloud_message *message,
                                int64_t now_ms)
{
    struct view *view = &shadow->view;
    bool is_ours =
        shadow->request == SHADOW_REQUEST_GET && strcmp(message->token, shadow->get_token) == 0;
    if (!is_ours)
        return;
    shadow->request = SHADOW_REQUEST_NONE;
    shadow_note_answer(shadow, now_ms - shadow->get_sent_ms);
    bool moved_on = view->generation != shadow->get_generation;
    bool outdated = shadow->get_outdated || (moved_on && message->version < view->version);
    if (message->version < 0 || outdated) {
        if (!outdated) {
            note_bad_answer(shadow, "get/accepted", "no version in it");
            (void)pacing_back_off(&shadow->pacing, &shadow->connection->random, now_ms);
        }
        shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms + VIEW_GAP_MS);
        return;
    }
    bool was_unreadable = view->state == SHADOW_VIEW_UNREADABLE;
    shadow_end_doubt(shadow);
    shadow->get_first = false;
    int r = view_replace(view, &shadow->ledger, message, now_ms);
    if (r < 0) {
        shadow_view_failed(shadow, r, now_ms);
        return;
    }
    pacing_relax(&shadow->pacing);
    if (was_unreadable)
        shadow_notify(shadow, THING_NOTICE_READABLE, NULL, 0, 0, NULL);
    shadow_catch_up(shadow, now_ms);
    shadow_expire_unsettled(shadow, now_ms);
    if (shadow->fit_wanted)
        shadow_fit(shadow);
    shadow_review(shadow, now_ms, false);
}

static void handle_get_rejected(struct shadow *shadow, const struct cloud_message *message,
                                int64_t now_ms)
{
    bool is_ours =
        shadow->request == SHADOW_REQUEST_GET && strcmp(message->token, shadow->get_token) == 0;
    if (!is_ours)
        return;
    const struct view *view = &shadow->view;
    bool moved_on = view->generation != shadow->get_generation && view->version >= 0;
    if (message->code == 404 && (moved_on || view->seen_version > view->asked_version)) {
        /* created since the get was answered */
        shadow->request = SHADOW_REQUEST_NONE;
        shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms + VIEW_GAP_MS);
        return;
    }
    shadow_note_answer(shadow, now_ms - shadow->get_sent_ms);
    shadow_get_refused(shadow, message->code, message_text(message), now_ms);
}

/* --- delete, delta --- */

static void handle_deleted(struct shadow *shadow, const struct cloud_message *message,
                           int64_t now_ms)
{
    struct view *view = &shadow->view;
    if (shadow->request == SHADOW_REQUEST_GET)
        shadow->get_outdated = true;
    bool is_late = message->version < view->version;
    bool follows = view->state == SHADOW_VIEW_PROVEN || view->state == SHADOW_VIEW_GAP;
    if (is_late || !follows) {
        shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
        return;
    }
    shadow_notify(shadow, THING_NOTICE_DELETED, NULL, 0, 0, NULL);
    view_empty(view, &shadow->ledger);
    shadow_review(shadow, now_ms, true);
}

/* A delta tells of a version whose accepted message may have been lost. */
static void handle_delta(struct shadow *shadow, const struct cloud_message *message, int64_t now_ms)
{
    struct view *view = &shadow->view;
    bool news = message->version > view->version && message->version > view->seen_version;
    if (!news)
        return;
    view->seen_version = message->version;
    if (view->state != SHADOW_VIEW_PROVEN)
        return;
    view->state = SHADOW_VIEW_GAP;
    view->gap_until_ms = now_ms + VIEW_GAP_MS;
}

/* --- all of them --- */

static void handle_unreadable(struct shadow *shadow, enum topic_kind kind, const char *reason,
                              int64_t now_ms)
{
    bool is_document = kind == TOPIC_GET_ACCEPTED && shadow->request == SHADOW_REQUEST_GET;
    if (!is_document) {
        note_bad_answer(shadow, "answer", reason);
        if (kind == TOPIC_UPDATE_ACCEPTED)
            shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms + VIEW_GAP_MS);
        return;
    }
    shadow->request = SHADOW_REQUEST_NONE;
    shadow_end_doubt(shadow);
    shadow->view.state = SHADOW_VIEW_UNREADABLE;
    int64_t delay = pacing_back_off(&shadow->pacing, &shadow->connection->random, now_ms);
    shadow_notify(shadow, THING_NOTICE_UNREADABLE, NULL, 0, delay, reason);
}

void shadow_receive(struct shadow *shadow, enum topic_kind kind, const void *payload, size_t size,
                    int64_t now_ms)
{
    struct cloud_message message;
    const char *reason = "out of memory";
    shadow->last_heard_ms = now_ms;
    if (shadow->link != SHADOW_ONLINE) {
        /* Of an earlier subscription, or before the rest is granted: a get will tell it all. */
        shadow->get_first = shadow->get_first || kind == TOPIC_DELETE_ACCEPTED;
        return;
    }
    int r = cloud_message_parse(&message, payload, size, &reason);
    if (r != CLOUD_MESSAGE_READ) {
        handle_unreadable(shadow, kind, reason, now_ms);
        return;
    }
    switch (kind) {
    case TOPIC_UPDATE_ACCEPTED:
        handle_update_accepted(shadow, &message, now_ms);
        break;
    case TOPIC_UPDATE_REJECTED:
        handle_update_rejected(shadow, &message, now_ms);
        break;
    case TOPIC_UPDATE_DELTA:
        handle_delta(shadow, &message, now_ms);
        break;
    case TOPIC_GET_ACCEPTED:
        handle_get_accepted(shadow, &message, now_ms);
        break;
    case TOPIC_GET_REJECTED:
        handle_get_rejected(shadow, &message, now_ms);
        break;
    case TOPIC_DELETE_ACCEPTED:
        handle_deleted(shadow, &message, now_ms);
        break;
    case TOPIC_KIND_COUNT:
        break;
    }
    cloud_message_clear(&message);
}

/* What an MQTT reason code means in the service's terms. */
static int code_of_reason(int reason)
{
    switch (reason) {
    case 0x87: /* not authorized */
        return 403;
    case 0x97: /* quota exceeded */
        return 429;
    case 0x95: /* packet too large */
        return 413;
    case 0x99: /* payload format invalid */
        return 400;
    default:
        return 503;
    }
}

void shadow_publish_failed(struct shadow *shadow, int code, int64_t now_ms)
{
    if (shadow->request == SHADOW_REQUEST_NONE)
        return;
    if (code < 0) { /* perhaps sent, perhaps not: as if no answer had come */
        shadow_give_up(shadow, now_ms);
        (void)pacing_back_off(&shadow->pacing, &shadow->connection->random, now_ms);
        shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
        return;
    }
    char text[64];
    (void)snprintf(text, sizeof(text), "the broker refused the publish, reason 0x%02x",
                   (unsigned)code);
    if (shadow->request == SHADOW_REQUEST_GET)
        shadow_get_refused(shadow, code_of_reason(code), text, now_ms);
    else
        shadow_update_refused(shadow, code_of_reason(code), text, now_ms);
}
