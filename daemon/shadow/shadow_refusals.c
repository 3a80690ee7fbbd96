#include "daemon/shadow/projection.h"
#include "daemon/shadow/shadow_private.h"

/* --- finding the offender of an update that was refused as a whole --- */

static void clear_suspects(struct shadow *shadow)
{
    for (struct flux_property *p = shadow->ledger.pending.first; p; p = slot_of(p)->queue_next)
        slot_of(p)->suspect = false;
    for (struct flux_property *p = shadow->settles.first; p; p = settle_of(p)->next)
        settle_of(p)->suspect = false;
    shadow->suspects_limit = 0;
}

void shadow_narrow_suspects(struct shadow *shadow)
{
    size_t count = 0;
    for (struct flux_property *p = shadow->ledger.pending.first; p; p = slot_of(p)->queue_next)
        count += slot_of(p)->suspect;
    for (struct flux_property *p = shadow->settles.first; p; p = settle_of(p)->next)
        count += settle_of(p)->suspect;
    shadow->suspects_limit = (count + 1) / 2;
}

static void mark_suspects(struct shadow *shadow)
{
    clear_suspects(shadow);
    for (size_t i = 0; i < shadow->update.entry_count; i++) {
        if (!shadow->update.entries[i].rides_along)
            slot_of(shadow->update.entries[i].property)->suspect = true;
    }
    for (size_t i = 0; i < shadow->update.settle_count; i++)
        settle_of(shadow->update.settles[i].node)->suspect = true;
    shadow_narrow_suspects(shadow);
}

static void refuse_entry(struct shadow *shadow, struct flux_property *property, uint64_t revision,
                         int code, const char *text)
{
    struct flux_property *cause = slot_of(property)->cut_cause;
    bool is_cut_refused = cause && property->cut_revision <= revision;
    if (is_cut_refused &&
        slot_of(cause)->state == SLOT_PENDING) /* what made the cut goes with it */
        ledger_refuse(&shadow->ledger, cause, ledger_newest(cause), code, text);
    ledger_refuse(&shadow->ledger, property, revision, code, text);
    shadow_notify(shadow, THING_NOTICE_REFUSED, property->path, code, 0, text);
    shadow_refuse_settles_with(shadow, property, revision, code, text);
}

/* The one entry that put something into the update, or NULL where there were several. */
static const struct update_entry *only_sent(const struct update *update)
{
    if (update->settle_count > 0)
        return NULL;
    const struct update_entry *only = NULL;
    for (size_t i = 0; i < update->entry_count; i++) {
        if (update->entries[i].rides_along)
            continue;
        if (only)
            return NULL;
        only = &update->entries[i];
    }
    return only;
}

/* The one wish that the update was all about, or NULL. */
static const struct update_settle *only_settle(const struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        if (!update->entries[i].rides_along)
            return NULL;
    }
    return update->settle_count == 1 ? &update->settles[0] : NULL;
}

static void isolate(struct shadow *shadow, int code, const char *text, int64_t now_ms)
{
    const struct update_settle *settle = only_settle(&shadow->update);
    if (settle) {
        clear_suspects(shadow);
        shadow_refuse_settle(shadow, settle->node, settle->revision, code, text);
        return;
    }
    const struct update_entry *only = only_sent(&shadow->update);
    if (!only) {
        mark_suspects(shadow);
        return;
    }
    struct flux_property *property = only->property;
    uint64_t revision = only->revision;
    clear_suspects(shadow);
    const struct flux_property *decider;
    int64_t version;
    bool was_accepted = ledger_fate(property, revision, &decider, &version) == LEDGER_ACCEPTED;
    if (was_accepted && ledger_newest(property) == revision)
        shadow_contest(shadow, property,
                       now_ms); /* it was good once: try again, ever more rarely */
    else
        refuse_entry(shadow, property, revision, code, text);
}

/* --- size --- */

/* Bytes that the property's value adds to what the cloud holds there. */
static long growth_of(const struct flux_property *property)
{
    const struct slot *slot = slot_of(property);
    if (property->value.type == FLUX_VALUE_NONE)
        return 0;
    long held = slot->cloud.type == FLUX_VALUE_NONE ? 0 : (long)flux_value_json_size(&slot->cloud);
    long key = slot->cloud.type == FLUX_VALUE_NONE
                   ? (long)(property->path_size - property->key_offset) + 4
                   : 0;
    return key + (long)flux_value_json_size(&property->value) - held;
}

static struct flux_property *largest_growth(const struct shadow *shadow)
{
    struct flux_property *found = NULL;
    for (struct flux_property *p = shadow->ledger.pending.first; p; p = slot_of(p)->queue_next) {
        if (growth_of(p) > 0 && (!found || growth_of(p) > growth_of(found)))
            found = p;
    }
    return found;
}

static size_t total_bytes(struct shadow *shadow)
{
    return shadow_desired_bytes_left(shadow) + projection_measure(&shadow->ledger);
}

static void refuse_for_size(struct shadow *shadow, struct flux_property *property, size_t total)
{
    struct check_limits limits = shadow_limits(shadow);
    char text[256];
    check_describe_size(text, sizeof(text), &limits, &shadow->ledger, total);
    refuse_entry(shadow, property, ledger_newest(property), 413, text);
    struct slot *slot = slot_of(property);
    slot->refused_total = total_bytes(shadow);
    slot->refused_lacking = total - limits.max_document_bytes;
}

void shadow_fit(struct shadow *shadow)
{
    size_t limit = shadow->connection->options.max_document_bytes;
    shadow->fit_wanted = false;
    size_t total = total_bytes(shadow);
    if (total <= limit)
        return; /* by our count it fits: the suspects are halved */
    struct flux_property *property = largest_growth(shadow);
    if (!property)
        return; /* nothing of ours makes it larger: the suspects are halved as well */
    clear_suspects(shadow);
    while (total > limit && property) {
        refuse_for_size(shadow, property, total);
        total = total_bytes(shadow);
        property = largest_growth(shadow);
    }
}

static void handle_too_large(struct shadow *shadow, const char *text, int64_t now_ms)
{
    bool counted_before = shadow->suspects_limit > 0;
    bool is_alone = only_sent(&shadow->update) || only_settle(&shadow->update);
    if (is_alone && counted_before) {
        isolate(shadow, 413, text, now_ms);
        return;
    }
    mark_suspects(shadow);
    shadow->fit_wanted = true;
    shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, now_ms);
}

/* --- answers by code --- */

static void back_off(struct shadow *shadow, int code, const char *text, int64_t now_ms)
{
    struct connection *connection = shadow->connection;
    bool forbidden = code == 401 || code == 403;
    int64_t delay = forbidden ? pacing_forbid(&shadow->pacing, &connection->random, now_ms)
                              : pacing_back_off(&shadow->pacing, &connection->random, now_ms);
    shadow_notify(shadow, THING_NOTICE_BACKOFF, NULL, code, delay, text);
}

static void handle_conflict(struct shadow *shadow, int64_t now_ms)
{
    shadow->conflicts++;
    shadow->status.conflicts++;
    bool moved_on = shadow->view.state == SHADOW_VIEW_PROVEN &&
                    shadow->view.version > shadow->update.base_version &&
                    shadow->update.base_version >= 0;
    if (moved_on)
        return;
    bool proven = shadow->view.state == SHADOW_VIEW_PROVEN;
    shadow_raise_doubt(shadow, SHADOW_DOUBT_CONFLICT, proven ? now_ms + VIEW_GAP_MS : now_ms);
}

void shadow_update_refused(struct shadow *shadow, int code, const char *text, int64_t now_ms)
{
    shadow->status.updates_rejected++;
    shadow->status.last_code = code;
    bool ours_to_mend = code >= 400 && code < 500 && code != 401 && code != 403 && code != 404 &&
                        code != 409 && code != 429;
    if (code == 409)
        handle_conflict(shadow, now_ms);
    else if (code == 413)
        handle_too_large(shadow, text, now_ms);
    else if (ours_to_mend)
        isolate(shadow, code, text, now_ms);
    else
        back_off(shadow, code, text, now_ms);
    /* The answer may be that of a duplicate, the accepted of the other still to come. */
    shadow_give_up(shadow, now_ms);
    shadow_review(shadow, now_ms, false);
}

void shadow_get_refused(struct shadow *shadow, int code, const char *text, int64_t now_ms)
{
    shadow->request = SHADOW_REQUEST_NONE;
    if (code != 404) {
        shadow->status.last_code = code;
        back_off(shadow, code, text, now_ms);
        return;
    }
    shadow_end_doubt(shadow);
    shadow->get_first = false;
    pacing_relax(&shadow->pacing);
    view_empty(&shadow->view, &shadow->ledger);
    if (shadow->fit_wanted)
        shadow_fit(shadow);
    shadow_review(shadow, now_ms, true);
}
