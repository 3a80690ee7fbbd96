/* The next update: built when it is due, frozen until the disk holds what it carries, sent. */
#include "daemon/shadow/shadow_private.h"
#include <stdio.h>

void shadow_make_token(struct shadow *shadow, char ret_token[static CLOUD_TOKEN_MAX + 1])
{
    struct connection *connection = shadow->connection;
    (void)snprintf(ret_token, CLOUD_TOKEN_MAX + 1, "%016llx-%llu",
                   (unsigned long long)connection->instance_id,
                   (unsigned long long)++connection->token_count);
}

/* --- building --- */

static struct update_choice choose(struct shadow *shadow)
{
    const struct thing_options *options = &shadow->connection->options;
    return (struct update_choice){
        .base_version = shadow->view.version,
        .entries_max = shadow->suspects_limit,
        .bytes_max = options->max_document_bytes,
        .suspects_only = shadow->suspects_limit > 0,
        .settles = &shadow->settles,
        .desired = &shadow->view.desired,
    };
}

static void stop_narrowing(struct shadow *shadow)
{
    shadow->suspects_limit = 0;
    for (struct flux_property *p = shadow->ledger.pending.first; p; p = slot_of(p)->queue_next)
        slot_of(p)->suspect = false;
    for (struct flux_property *p = shadow->settles.first; p; p = settle_of(p)->next)
        settle_of(p)->suspect = false;
}

static int build(struct shadow *shadow, struct update *update)
{
    struct update_choice choice = choose(shadow);
    int r = update_build(&shadow->ledger, &choice, update);
    if (r == 0 && choice.suspects_only) { /* all of them were accepted or changed meanwhile */
        stop_narrowing(shadow);
        choice = choose(shadow);
        r = update_build(&shadow->ledger, &choice, update);
    }
    bool may_be_unversioned = r == 1 && shadow->conflicts >= CONFLICTS_MAX &&
                              shadow->unsettled_count == 0 && !update->has_cut &&
                              shadow->view.state == SHADOW_VIEW_PROVEN;
    if (!may_be_unversioned)
        return r;
    update_clear(update);
    shadow_make_token(shadow, update->token);
    choice.base_version = -1; /* and so without wishes */
    r = update_build(&shadow->ledger, &choice, update);
    if (r != 0)
        return r;
    choice.base_version = shadow->view.version;
    return update_build(&shadow->ledger, &choice, update);
}

/* An update in which everything had been accepted before only sets back what others changed. */
static enum thing_cause cause_of_update(const struct update *update)
{
    for (size_t i = 0; i < update->entry_count; i++) {
        const struct update_entry *entry = &update->entries[i];
        if (entry->revision > slot_of(entry->property)->settled_revision)
            return THING_CAUSE_UPDATE;
    }
    return THING_CAUSE_RESTORE;
}

/* --- frozen --- */

/* Tell whether updates wait for commits now. */
static bool disk_comes_first(const struct shadow *shadow)
{
    const struct connection *connection = shadow->connection;
    return connection->options.durable && !connection->storage_trouble;
}

static void freeze(struct shadow *shadow, const struct update *update, uint64_t revision)
{
    shadow->prepared = (struct prepared){
        .is_there = true,
        .update = *update,
        .revision = revision,
        .built_revision = shadow->ledger.newest_revision,
        .view_state = shadow->view.state,
        .generation = shadow->view.generation,
        .version = shadow->view.version,
        .unsettled_count = shadow->unsettled_count,
        .was_early = shadow->pacing.early_wanted,
    };
    shadow->pacing.early_wanted = false; /* what asks from here on is about another one */
}

bool shadow_prepared_is_empty(const struct shadow *shadow)
{
    return shadow->prepared.update.entry_count + shadow->prepared.update.settle_count == 0;
}

bool shadow_prepared_is_stored(const struct shadow *shadow)
{
    return shadow->prepared.revision <= shadow->stored_revision;
}

static bool is_built_on_same(const struct shadow *shadow)
{
    return shadow->prepared.generation == shadow->view.generation;
}

/* Others have changed the shadow, and it is known how: what says the same all the same only needs
 * another version. Else a busy writer in the cloud could starve ours while the disk is slow. */
static bool can_be_rebased(const struct shadow *shadow)
{
    return shadow->prepared.view_state == SHADOW_VIEW_PROVEN && shadow->prepared.version >= 0 &&
           shadow->view.version >= 0 && update_is_plain(&shadow->prepared.update);
}

bool shadow_prepared_is_current(const struct shadow *shadow)
{
    const struct prepared *prepared = &shadow->prepared;
    return prepared->is_there && shadow->link == SHADOW_ONLINE &&
           shadow->request == SHADOW_REQUEST_NONE && shadow->doubt == SHADOW_NO_DOUBT &&
           shadow->view.state == prepared->view_state &&
           shadow->unsettled_count == prepared->unsettled_count &&
           (is_built_on_same(shadow) || can_be_rebased(shadow));
}

void shadow_drop_prepared(struct shadow *shadow)
{
    struct prepared *prepared = &shadow->prepared;
    if (!prepared->is_there)
        return;
    shadow->pacing.early_wanted = shadow->pacing.early_wanted || prepared->was_early;
    for (size_t i = 0; i < prepared->update.entry_count; i++)
        ledger_look_again(&shadow->ledger, prepared->update.entries[i].property);
    shadow->settles.fresh = shadow->settles.fresh || prepared->update.settle_count > 0;
    update_clear(&prepared->update);
    prepared->is_there = false;
    shadow_touch(shadow);
}

void shadow_check_prepared(struct shadow *shadow)
{
    struct prepared *prepared = &shadow->prepared;
    if (!prepared->is_there)
        return;
    bool stands = shadow_prepared_is_current(shadow);
    if (stands && !is_built_on_same(shadow))
        stands = update_rebase(&prepared->update, shadow->view.version) == 0;
    if (stands)
        prepared->generation = shadow->view.generation;
    else
        shadow_drop_prepared(shadow);
}

/* --- on the disk --- */

bool shadow_may_accept_unsent(struct shadow *shadow, const struct flux_property *property)
{
    if (!disk_comes_first(shadow) ||
        ledger_is_on_disk(&shadow->ledger, property, shadow->stored_revision))
        return true;
    uint64_t revision = ledger_newest(property);
    if (revision > shadow->deferred_revision)
        shadow->deferred_revision = revision;
    return false;
}

/* Look again at what only waited for its commit to be accepted. */
static void end_deferral(struct shadow *shadow)
{
    shadow->deferred_revision = 0;
    for (struct flux_property *p = shadow->ledger.pending.first; p; p = slot_of(p)->queue_next)
        ledger_look_again(&shadow->ledger, p);
}

void shadow_stored(struct shadow *shadow, uint64_t revision)
{
    struct prepared *prepared = &shadow->prepared;
    if (revision <= shadow->stored_revision)
        return;
    shadow->stored_revision = revision;
    shadow_touch(shadow);
    if (prepared->is_there && shadow_prepared_is_empty(shadow) && shadow_prepared_is_stored(shadow))
        shadow_drop_prepared(shadow);
    if (shadow->deferred_revision > 0 && shadow->deferred_revision <= revision)
        end_deferral(shadow);
}

/* All up to this is on the disk, or will be without another save. */
static uint64_t handed_revision(const struct shadow *shadow)
{
    uint64_t handed = shadow->saves.handed_revision;
    return handed > shadow->stored_revision ? handed : shadow->stored_revision;
}

/* One that a save under way already carries is left alone: made newer with each save, it would
 * never be what the disk holds. */
void shadow_renew_prepared(struct shadow *shadow)
{
    const struct prepared *prepared = &shadow->prepared;
    shadow_check_prepared(shadow);
    bool is_overtaken = prepared->is_there && !shadow_prepared_is_empty(shadow) &&
                        prepared->built_revision < shadow->ledger.newest_revision;
    if (!is_overtaken || prepared->revision <= handed_revision(shadow))
        return;
    shadow_drop_prepared(shadow);
    struct update update = {.base_version = -1};
    shadow_make_token(shadow, update.token);
    if (build(shadow, &update) == 1) /* else there is a next time */
        freeze(shadow, &update, update_newest_revision(&update));
}

void shadow_ask_stored(struct shadow *shadow, uint64_t revision)
{
    uint64_t newest = shadow->ledger.newest_revision;
    revision = revision < newest ? revision : newest;
    if (revision > shadow->asked_revision)
        shadow->asked_revision = revision;
}

bool shadow_wants_save(const struct shadow *shadow)
{
    uint64_t saved = handed_revision(shadow);
    bool waits = shadow->prepared.is_there && shadow->prepared.revision > saved;
    return waits || shadow->asked_revision > saved || shadow->deferred_revision > saved;
}

void shadow_storage_changed(struct shadow *shadow)
{
    shadow_drop_prepared(shadow);
    end_deferral(shadow);
    shadow_touch(shadow);
}

/* --- sent --- */

static int hand_out(struct shadow *shadow, struct update *update, int64_t now_ms,
                    struct thing_request *request)
{
    update->sent_ms = now_ms;
    shadow_life_sent(update, now_ms);
    shadow->update = *update;
    shadow->sent_cause = cause_of_update(&shadow->update);
    shadow->request = SHADOW_REQUEST_UPDATE;
    topic_write_request(shadow->topic, shadow->thing, shadow->name, TOPIC_UPDATE);
    request->kind = THING_PUBLISH;
    request->topic = shadow->topic;
    request->payload = shadow->update.payload;
    request->payload_size = shadow->update.payload_size;
    request->qos = 1;
    pacing_charge_update(&shadow->pacing, now_ms);
    shadow->status.updates_sent++;
    bool is_uncommitted = update_newest_revision(update) > shadow->stored_revision;
    if (shadow->connection->options.durable && is_uncommitted) {
        shadow->status.updates_uncommitted++;
        shadow->connection->updates_uncommitted++;
    }
    return 1;
}

/* All that waits is in the cloud as far as is known: look whether it is, or wait for the commit
 * that lets it be accepted. */
static int wait_for_nothing(struct shadow *shadow, int64_t now_ms)
{
    if (shadow->deferred_revision > shadow->stored_revision) {
        freeze(shadow, &(struct update){.base_version = -1}, shadow->deferred_revision);
        return 0;
    }
    bool is_soon = shadow->unsettled_count == 0 && shadow->ledger.held_count == 0;
    shadow_raise_doubt(shadow, SHADOW_DOUBT_ANSWER, is_soon ? now_ms : now_ms + UNSETTLED_LOOK_MS);
    return 0;
}

static int build_next(struct shadow *shadow, int64_t now_ms, struct thing_request *request)
{
    struct update update = {.base_version = -1};
    shadow_make_token(shadow, update.token);
    int r = build(shadow, &update);
    if (r < 0)
        return r;
    if (r == 0)
        return wait_for_nothing(shadow, now_ms);
    uint64_t revision = update_newest_revision(&update);
    if (!disk_comes_first(shadow) || revision <= shadow->stored_revision)
        return hand_out(shadow, &update, now_ms, request);
    freeze(shadow, &update, revision);
    return 0;
}

int shadow_make_update(struct shadow *shadow, int64_t now_ms, struct thing_request *request)
{
    struct prepared *prepared = &shadow->prepared;
    if (!prepared->is_there)
        return build_next(shadow, now_ms, request);
    bool is_early_wanted = shadow->pacing.early_wanted;
    struct update update = prepared->update;
    *prepared = (struct prepared){0};
    (void)hand_out(shadow, &update, now_ms, request);
    shadow->pacing.early_wanted = is_early_wanted; /* by what came after it was built */
    return 1;
}
