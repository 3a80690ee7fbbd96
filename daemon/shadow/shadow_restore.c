/* What an earlier run has kept of a shadow, taken back. The disk is not trusted, and it may be
 * late: what this run has heard and was told wins. */
#include "daemon/shadow/shadow_private.h"
#include "proto/siphash.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void begin(struct shadow *shadow)
{
    struct shadow_restore *restore = &shadow->restore;
    if (restore->is_begun)
        return;
    *restore = (struct shadow_restore){
        .is_begun = true,
        .has_view = shadow->view.held || shadow->view.state != SHADOW_VIEW_UNKNOWN,
        .memory_revision = shadow->ledger.newest_revision,
        .row = {.version = -1, .last_accepted_version = -1},
    };
}

static void note_revision(struct shadow *shadow, uint64_t revision)
{
    if (revision > shadow->restore.newest_revision)
        shadow->restore.newest_revision = revision;
}

/* Also of a row that is turned away then: it stays on the disk, and must not be newer than what is
 * reported from now on when it comes back. */
static void note_revisions(struct shadow *shadow, const struct saved_row *row)
{
    const struct saved_property *property = &row->of_property;
    if (row->kind == SAVED_PROPERTY) {
        note_revision(shadow, property->revision);
        note_revision(shadow, property->cut ? property->cut_revision : 0);
    }
    if (row->kind == SAVED_SETTLE)
        note_revision(shadow, row->of_settle.revision);
}

static void note_row(struct shadow *shadow, struct save_mark *mark, const struct saved_row *row)
{
    saves_note_row(mark, row->kind, saved_row_hash(row, shadow->ledger.set.hash_seed));
}

/* --- row by row --- */

static int take_shadow(struct shadow *shadow, const struct saved_row *row)
{
    struct shadow_restore *restore = &shadow->restore;
    if (restore->has_row)
        return -EINVAL;
    restore->has_row = true;
    restore->row = row->of_shadow;
    note_revision(shadow, row->of_shadow.newest_revision);
    note_revision(shadow, row->of_shadow.reset_revision);
    note_row(shadow, &shadow->saves.shadow, row);
    return 0;
}

/* Whose the value is. Without memory for that it is nobody's. */
static void take_writer(struct shadow *shadow, struct flux_property *property,
                        const struct saved_property *saved, int64_t now_ms)
{
    const struct slot *slot = slot_of(property);
    const struct writer_identity identity = {
        .name = saved->writer_name,
        .unit = saved->writer_unit ? saved->writer_unit : "",
        .uid = saved->writer_uid,
    };
    struct writer *writer;
    if (!identity.name || !slot->from_disk || slot->state == SLOT_EMPTY || slot->writer ||
        writers_restore(&shadow->connection->writers, &identity, now_ms, &writer) < 0)
        return;
    ledger_set_writer(property, writer);
}

static int take_property(struct shadow *shadow, const struct saved_row *row, int64_t now_ms)
{
    const struct ledger_restore restore = {
        .with_cloud = !shadow->restore.has_view,
        .shift = shadow->restore.memory_revision,
        .now_ms = now_ms,
    };
    struct flux_property *property;
    int r = ledger_restore(&shadow->ledger, row, &restore, &property);
    if (r < 0)
        return r;
    take_writer(shadow, property, &row->of_property, now_ms);
    return 0;
}

static int take_desired(struct shadow *shadow, const struct saved_row *row, int64_t now_ms)
{
    struct save_mark *mark = &shadow->saves.desired;
    const struct saved_desired *saved = &row->of_desired;
    struct cloud_message message;
    if (mark->hash != SAVE_HASH_NONE)
        return -EINVAL;
    int r = cloud_message_parse_desired(&message, saved->document, saved->document_size);
    if (r != CLOUD_MESSAGE_READ)
        return r < 0 ? r : -EINVAL;
    bool is_past = saved->changed_ms >= 0 && saved->changed_ms <= now_ms;
    if (!shadow->restore.has_view)
        r = desired_restore(&shadow->view.desired, message.desired.object,
                            is_past ? saved->changed_ms : now_ms);
    cloud_message_clear(&message);
    if (r < 0)
        return r == -ENOMEM ? r : -EINVAL;
    note_row(shadow, mark, row);
    shadow->saved_desired.version = saved->version;
    return 0;
}

/* What it answers can only be looked for when desired is there. */
static int keep_wishes(struct shadow *shadow, const struct saved_settle *saved)
{
    struct shadow_kept_wishes *kept = malloc(sizeof(*kept) + saved->wishes_size);
    if (!kept)
        return -ENOMEM;
    kept->size = saved->wishes_size;
    memcpy(kept->text, saved->wishes, saved->wishes_size);
    kept->next = shadow->restore.wishes;
    shadow->restore.wishes = kept;
    return 0;
}

static int take_settle(struct shadow *shadow, const struct saved_row *row)
{
    const struct saved_settle *saved = &row->of_settle;
    struct settles *settles = &shadow->settles;
    uint64_t shift = shadow->restore.memory_revision;
    const struct flux_property *known =
        flux_property_set_find(&settles->set, row->path, row->path_size);
    if (settles->count >= FLUX_PROPERTIES_MAX ||
        (known && settle_of(known)->save.hash != SAVE_HASH_NONE))
        return -EINVAL;
    int r = keep_wishes(shadow, saved);
    if (r < 0)
        return r;
    struct flux_property *node;
    r = settles_restore(settles, row->path, row->path_size, saved->revision + shift,
                        DESIRED_SERIAL_ANSWERED, &node);
    if (r < 0)
        return r;
    note_row(shadow, &settle_of(node)->save, row);
    if (settle_of(node)->revision != saved->revision + shift)
        return 0; /* said again in this run */
    settle_of(node)->report_first = saved->report_first + shift;
    settle_of(node)->report_last = saved->report_last + shift;
    return 0;
}

static int take_row(struct shadow *shadow, const struct saved_row *row, int64_t now_ms)
{
    switch (row->kind) {
    case SAVED_SHADOW:
        return take_shadow(shadow, row);
    case SAVED_PROPERTY:
        return take_property(shadow, row, now_ms);
    case SAVED_DESIRED:
        return take_desired(shadow, row, now_ms);
    case SAVED_SETTLE:
        return take_settle(shadow, row);
    }
    return -EINVAL;
}

int shadow_restore(struct shadow *shadow, const struct saved_row *row, int64_t now_ms)
{
    begin(shadow);
    shadow->saves.has_rows = true;
    bool is_sound = saved_row_is_sound(row);
    if (is_sound)
        note_revisions(shadow, row);
    int r = is_sound ? take_row(shadow, row, now_ms) : -EINVAL;
    if (r < 0)
        shadow->restore.is_doubtful = true; /* something that the cloud holds may be missing */
    return r;
}

/* --- all of it --- */

static void take_wishes(struct shadow *shadow)
{
    struct shadow_kept_wishes *kept;
    while ((kept = shadow->restore.wishes)) {
        struct cloud_message message;
        const char *reason;
        shadow->restore.wishes = kept->next;
        if (cloud_message_parse(&message, kept->text, kept->size, &reason) == CLOUD_MESSAGE_READ) {
            (void)desired_restore_known(&shadow->view.desired, &message); /* else they stay */
            cloud_message_clear(&message);
        }
        free(kept);
    }
}

static void take_view(struct shadow *shadow, int64_t now_ms)
{
    const struct saved_shadow *row = &shadow->restore.row;
    struct view *view = &shadow->view;
    if (shadow->restore.has_view)
        return;
    view->version = row->version;
    view->held = row->held && !shadow->restore.is_doubtful;
    view->from_disk = true;
    view->generation++;
    view->desired_bytes = desired_measure(&view->desired);
    bool is_known = row->followed_ms > 0 && row->followed_ms <= now_ms;
    shadow->followed_ms = is_known ? row->followed_ms : 0;
    if (!is_known || !view->held)
        shadow->get_first = true; /* the version may have begun anew since */
}

static void take_numbers(struct shadow *shadow)
{
    const struct shadow_restore *restore = &shadow->restore;
    uint64_t shift = restore->memory_revision;
    struct ledger *ledger = &shadow->ledger;
    if (restore->row.reset_revision > 0 && shadow->reset_revision == 0)
        shadow->reset_revision = restore->row.reset_revision + shift;
    if (ledger->newest_revision < restore->newest_revision + shift)
        ledger->newest_revision = restore->newest_revision + shift;
    if (shift == 0) /* else the disk knows them under other numbers */
        shadow->stored_revision = ledger->newest_revision;
    if (shadow->status.last_accepted_version < 0)
        shadow->status.last_accepted_version = restore->row.last_accepted_version;
}

/* What is not as the row says has to be written again. */
static void compare(struct shadow *shadow, struct save_mark *mark, struct flux_json_writer *text)
{
    struct saved_row row;
    if (mark->hash == SAVE_HASH_NONE || mark->place != SAVE_CLEAN)
        return;
    int r = shadow_describe(shadow, mark, text, &row);
    uint64_t hash = saves_clean_hash(saved_row_hash(&row, shadow->ledger.set.hash_seed));
    if (r < 0 || row.is_gone || hash != mark->hash)
        saves_enter(&shadow->saves, mark, (enum saved_kind)mark->kind);
}

static void compare_all(struct shadow *shadow)
{
    struct flux_json_writer text;
    flux_json_writer_init(&text, 0);
    /* The version beside a text that was not made here holds as long as the text does. */
    if (desired_write(&shadow->view.desired, "", 0, &text) == 0 && !shadow->restore.has_view)
        shadow->saved_desired.hash =
            flux_siphash(text.text, text.size, shadow->ledger.set.hash_seed);
    compare(shadow, &shadow->saves.shadow, &text);
    compare(shadow, &shadow->saves.desired, &text);
    struct flux_property *root = shadow->ledger.set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        compare(shadow, &slot_of(p)->save, &text);
    root = shadow->settles.set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        compare(shadow, &settle_of(p)->save, &text);
    flux_json_writer_clear(&text);
}

void shadow_restored(struct shadow *shadow, int64_t now_ms)
{
    if (!shadow->restore.is_begun)
        return;
    if (!ledger_restored(&shadow->ledger))
        shadow->restore.is_doubtful = true;
    take_wishes(shadow);
    take_view(shadow, now_ms);
    take_numbers(shadow);
    compare_all(shadow);
    shadow->restored_ms = now_ms;
    shadow->restore = (struct shadow_restore){0};
    shadow_life_restored(shadow, now_ms);
    shadow->settles.fresh = true;
    shadow_review(shadow, now_ms, false);
    shadow_touch(shadow);
}

void shadow_clear_restore(struct shadow *shadow)
{
    struct shadow_kept_wishes *kept;
    while ((kept = shadow->restore.wishes)) {
        shadow->restore.wishes = kept->next;
        free(kept);
    }
}
