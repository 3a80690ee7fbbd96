/* What of a shadow is kept on a disk: which rows it makes, and which of them a save hands out. */
#include "daemon/shadow/shadow_private.h"
#include "proto/siphash.h"
#include <errno.h>
#include <string.h>

/* --- what the rows say --- */

static uint64_t seed_of(const struct shadow *shadow)
{
    return shadow->ledger.set.hash_seed;
}

static bool follows(const struct shadow *shadow)
{
    return shadow->view.state == SHADOW_VIEW_PROVEN || shadow->view.state == SHADOW_VIEW_GAP;
}

static void describe_shadow(const struct shadow *shadow, struct saved_row *row)
{
    const struct view *view = &shadow->view;
    row->of_shadow = (struct saved_shadow){
        .version = view->version,
        /* An accepted update would prove the version, but not the contents. */
        .held = view->held && shadow->doubt == SHADOW_NO_DOUBT,
        .followed_ms = follows(shadow) ? shadow->connection->last_alive_ms : shadow->followed_ms,
        .newest_revision = shadow->ledger.newest_revision,
        .reset_revision = shadow->reset_revision,
        .last_accepted_version = shadow->status.last_accepted_version,
    };
}

static enum saved_state state_of(const struct slot *slot)
{
    switch (slot->state) {
    case SLOT_EMPTY:
        return SAVED_NOTHING;
    case SLOT_PENDING:
        return SAVED_PENDING;
    case SLOT_SETTLED:
    case SLOT_CONTESTED:
        return SAVED_ACCEPTED;
    case SLOT_REFUSED:
        return SAVED_REFUSED;
    }
    return SAVED_NOTHING;
}

static void describe_refusal(const struct slot *slot, struct saved_property *ret)
{
    ret->refused_code = slot->refused_code;
    ret->refused_text = slot->refused_text;
    ret->refused_lacking = slot->refused_lacking;
    ret->refused_total = slot->refused_total;
}

static void describe_writer(const struct slot *slot, struct saved_property *ret)
{
    const struct writer *writer = slot->writer;
    if (!writer || writer == &writer->writers->others)
        return; /* nobody in particular */
    ret->writer_name = writer->name;
    ret->writer_unit = writer->unit;
    ret->writer_uid = writer->uid;
}

/* Returns whether there is anything to keep. */
static bool describe_property(const struct flux_property *property, struct saved_row *row)
{
    const struct slot *slot = slot_of(property);
    struct saved_property *ret = &row->of_property;
    *ret = (struct saved_property){
        .state = state_of(slot),
        .value = property->value,
        .cut = property->cut,
        .cut_replaced = property->cut && property->replaced,
        .cut_scalar_only = property->cut && slot->cuts_scalar_only,
        .cut_revision = property->cut ? property->cut_revision : 0,
        .revision = property->revision,
        .set_us = property->set_us,
        .cleared_us = property->cleared_us,
        .replaced_us = property->replaced_us,
        .cloud = slot->cloud,
        .form = slot->form,
    };
    if (property->cut && slot->cut_cause) {
        ret->cut_cause = slot->cut_cause->path;
        ret->cut_cause_size = slot->cut_cause->path_size;
    }
    if (ret->state == SAVED_ACCEPTED || ret->state == SAVED_NOTHING)
        ret->accepted_version = slot->accepted_version;
    if (ret->state == SAVED_REFUSED)
        describe_refusal(slot, ret);
    describe_writer(slot, ret);
    bool has_times = ret->set_us != 0 || ret->cleared_us != 0 || ret->replaced_us != 0;
    return ret->state != SAVED_NOTHING || ret->cloud.type != FLUX_VALUE_NONE || has_times;
}

/* Returns 1, 0 where there is nothing to keep, or the writer's error. */
static int describe_desired(struct shadow *shadow, struct flux_json_writer *text,
                            struct saved_row *row)
{
    const struct desired *desired = &shadow->view.desired;
    flux_json_writer_reset(text);
    if (desired_measure(desired) == 0)
        return 0;
    int r = desired_write(desired, "", 0, text);
    if (r < 0)
        return r;
    struct shadow_saved_desired *saved = &shadow->saved_desired;
    uint64_t hash = flux_siphash(text->text, text->size, seed_of(shadow));
    if (hash != saved->hash)
        *saved = (struct shadow_saved_desired){.hash = hash, .version = shadow->view.version};
    row->of_desired = (struct saved_desired){
        .version = saved->version,
        .changed_ms = desired_changed_ms(desired),
        .document = text->text,
        .document_size = text->size,
    };
    return 1;
}

static int describe_settle(struct shadow *shadow, const struct flux_property *node,
                           struct flux_json_writer *text, struct saved_row *row)
{
    const struct settle *settle = settle_of(node);
    if (!settle->waits)
        return 0;
    flux_json_writer_reset(text);
    int r = desired_write_known(&shadow->view.desired, node->path, node->path_size,
                                settle->known_serial, text);
    if (r < 0)
        return r;
    row->of_settle = (struct saved_settle){
        .revision = settle->revision,
        .report_first = settle->report_first,
        .report_last = settle->report_last,
        .wishes = text->text,
        .wishes_size = text->size,
    };
    return 1;
}

static const struct flux_property *node_of(const struct save_mark *mark)
{
    size_t offset = offsetof(struct flux_property, extension);
    offset +=
        mark->kind == SAVED_PROPERTY ? offsetof(struct slot, save) : offsetof(struct settle, save);
    return (const struct flux_property *)(const void *)((const char *)mark - offset);
}

int shadow_describe(struct shadow *shadow, const struct save_mark *mark,
                    struct flux_json_writer *text, struct saved_row *ret_row)
{
    *ret_row = (struct saved_row){
        .kind = (enum saved_kind)mark->kind,
        .thing = shadow->connection->options.name,
        .shadow = shadow->name,
        .path = "",
    };
    ret_row->thing = strcmp(ret_row->thing, shadow->thing) == 0 ? "" : shadow->thing;
    bool has_path = ret_row->kind == SAVED_PROPERTY || ret_row->kind == SAVED_SETTLE;
    const struct flux_property *node = has_path ? node_of(mark) : NULL;
    if (node) {
        ret_row->path = node->path;
        ret_row->path_size = node->path_size;
    }
    int r = 1;
    switch (ret_row->kind) {
    case SAVED_SHADOW:
        describe_shadow(shadow, ret_row);
        break;
    case SAVED_PROPERTY:
        r = describe_property(node, ret_row);
        break;
    case SAVED_DESIRED:
        r = describe_desired(shadow, text, ret_row);
        break;
    case SAVED_SETTLE:
        r = describe_settle(shadow, node, text, ret_row);
        break;
    }
    ret_row->is_gone = r == 0;
    return r < 0 ? r : 0;
}

/* --- one save --- */

/* What a settle answers is told by the values of desired. */
static void mark_settles(struct shadow *shadow)
{
    for (struct flux_property *p = shadow->settles.first; p; p = settle_of(p)->next)
        settles_touch(&shadow->settles, p);
}

void shadow_begin_save(struct shadow *shadow, unsigned save)
{
    struct saves *saves = &shadow->saves;
    saves->newest_revision[save] = saves->handed_revision = shadow->ledger.newest_revision;
    if (!saves->unsaved.first)
        return;
    if (saves->desired.place == SAVE_UNSAVED)
        mark_settles(shadow);
    if (saves->shadow.hash == SAVE_HASH_NONE)
        saves_mark_shadow(saves);
    saves_put_first(saves, &saves->shadow);
}

/* The row says what the disk holds, or there never was one. */
static bool is_as_stored(const struct saves *saves, const struct save_mark *mark,
                         const struct saved_row *row, unsigned save, uint64_t hash)
{
    if (row->is_gone)
        return mark->hash == SAVE_HASH_NONE;
    bool is_alone = saves->unsaved.first == saves->unsaved.last && !saves->under_way[save].first;
    bool is_nothing = row->kind == SAVED_SHADOW && row->of_shadow.version < 0 &&
                      !row->of_shadow.held && row->of_shadow.reset_revision == 0 &&
                      mark->hash == SAVE_HASH_NONE;
    return mark->hash == hash || (is_nothing && is_alone);
}

static void skip(struct shadow *shadow, struct save_mark *mark)
{
    saves_skip(&shadow->saves, mark);
    if (mark->kind == SAVED_PROPERTY)
        ledger_prune_one(&shadow->ledger, (struct flux_property *)node_of(mark));
}

int shadow_next_unsaved(struct shadow *shadow, const struct save_order *order,
                        struct flux_json_writer *text, struct saved_row *ret_row)
{
    struct saves *saves = &shadow->saves;
    struct save_mark *mark;
    while ((mark = saves->unsaved.first)) {
        int r = shadow_describe(shadow, mark, text, ret_row);
        if (r < 0)
            return r;
        uint64_t hash = saves_clean_hash(saved_row_hash(ret_row, seed_of(shadow)));
        if (is_as_stored(saves, mark, ret_row, order->save, hash)) {
            skip(shadow, mark);
            continue;
        }
        if (mark->kind == SAVED_PROPERTY)
            ledger_note_row(&shadow->ledger, (struct flux_property *)node_of(mark), order->ahead);
        saves_hand_out(saves, mark, order->save, ret_row->is_gone ? SAVE_HASH_UNKNOWN : hash);
        return 1;
    }
    return 0;
}

void shadow_drop_save(struct shadow *shadow, const struct save_order *order)
{
    struct saves *saves = &shadow->saves;
    saves_fail(saves, order->save);
    saves->handed_revision = order->ahead > 0 ? saves->newest_revision[!order->save] : 0;
}

void shadow_end_save(struct shadow *shadow, unsigned save)
{
    struct saves *saves = &shadow->saves;
    struct save_mark *mark;
    while ((mark = saves_next_stored(saves, save))) {
        if (mark->kind == SAVED_PROPERTY && mark->hash == SAVE_HASH_NONE)
            ledger_row_is_gone(&shadow->ledger, (struct flux_property *)node_of(mark));
    }
    ledger_note_saved(&shadow->ledger);
    shadow_stored(shadow, saves->newest_revision[save]);
}

/* --- all of it --- */

static void forget_hash(struct saves *saves, struct save_mark *mark, enum saved_kind kind)
{
    mark->hash = SAVE_HASH_NONE;
    saves_mark(saves, mark, kind);
}

void shadow_save_all(struct shadow *shadow)
{
    struct saves *saves = &shadow->saves;
    struct flux_property *root = shadow->ledger.set.root;
    forget_hash(saves, &saves->shadow, SAVED_SHADOW);
    forget_hash(saves, &saves->desired, SAVED_DESIRED);
    for (struct flux_property *p = root; p; p = flux_property_next(root, p)) {
        ledger_forget_row(p);
        forget_hash(saves, &slot_of(p)->save, SAVED_PROPERTY);
    }
    root = shadow->settles.set.root;
    for (struct flux_property *p = root; p; p = flux_property_next(root, p))
        forget_hash(saves, &settle_of(p)->save, SAVED_SETTLE);
    saves->has_rows = false;
    saves->handed_revision = 0;
}
