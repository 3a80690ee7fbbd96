/* What of the thing is kept on a disk: saves over all shadows, one after another, and rows that
 * come back at the start. */
#include "daemon/shadow/thing_private.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Shadows that were given up and have rows on the disk. While there are more, none is given up. */
#define GONE_MAX 1000u

static bool is_durable(const struct thing *thing)
{
    return thing->connection.options.durable;
}

static const char *name_on_disk(const struct thing *thing, const char *thing_name)
{
    return strcmp(thing_name, thing->name) == 0 ? "" : thing_name;
}

/* --- shadows that were given up --- */

bool thing_note_gone(struct thing *thing, const struct shadow *shadow)
{
    struct thing_save *save = &thing->save;
    if (!shadow->saves.has_rows)
        return true;
    struct gone_shadow *gone = save->gone_count < GONE_MAX ? calloc(1, sizeof(*gone)) : NULL;
    if (!gone)
        return false;
    const char *thing_name = name_on_disk(thing, shadow->thing);
    memcpy(gone->thing, thing_name, strlen(thing_name) + 1);
    memcpy(gone->name, shadow->name, strlen(shadow->name) + 1);
    gone->next = save->gone_first;
    save->gone_first = gone;
    save->gone_count++;
    return true;
}

static bool next_gone(struct thing *thing, struct saved_row *ret_row)
{
    struct gone_shadow *gone = thing->save.gone_first;
    while (gone && gone->is_under_way)
        gone = gone->next;
    if (!gone)
        return false;
    gone->is_under_way = true;
    gone->save = thing->save.newest;
    *ret_row = (struct saved_row){.kind = SAVED_SHADOW,
                                  .thing = gone->thing,
                                  .shadow = gone->name,
                                  .path = "",
                                  .is_gone = true};
    return true;
}

static bool is_of_save(const struct gone_shadow *gone, unsigned save)
{
    return gone->is_under_way && gone->save == save;
}

/* Their rows are gone, too: of the save that has ended, or (SAVES_UNDER_WAY_MAX) of all. */
static void free_gone(struct thing *thing, unsigned save)
{
    struct gone_shadow **link = &thing->save.gone_first;
    while (*link) {
        struct gone_shadow *gone = *link;
        if (save < SAVES_UNDER_WAY_MAX && !is_of_save(gone, save)) {
            link = &gone->next;
            continue;
        }
        *link = gone->next;
        thing->save.gone_count--;
        free(gone);
    }
}

static void drop_gone(struct thing *thing, unsigned save)
{
    for (struct gone_shadow *gone = thing->save.gone_first; gone; gone = gone->next)
        gone->is_under_way = gone->is_under_way && !is_of_save(gone, save);
}

/* --- saves --- */

/* The newest one. */
static struct save_order newest_of(const struct thing_save *save)
{
    return (struct save_order){.save = save->newest, .ahead = save->under_way - 1};
}

void thing_extend_save(struct thing *thing)
{
    struct thing_save *save = &thing->save;
    if (save->under_way == 0)
        return;
    save->place = 0;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        shadow_renew_prepared(shadow);
        shadow_begin_save(shadow, save->newest);
    }
}

void thing_begin_save(struct thing *thing)
{
    struct thing_save *save = &thing->save;
    if (save->under_way == SAVES_UNDER_WAY_MAX)
        thing_end_save(thing, false);
    if (!is_durable(thing))
        return;
    save->newest = (save->newest + 1) % SAVES_UNDER_WAY_MAX;
    save->under_way++;
    save->has_failed = false;
    thing_extend_save(thing);
}

bool thing_next_unsaved(struct thing *thing, struct saved_row *ret_row)
{
    struct thing_save *save = &thing->save;
    if (save->under_way == 0 || save->has_failed)
        return false;
    const struct save_order order = newest_of(save);
    /* First: what they leave behind may be that of a shadow which has been opened anew. */
    if (next_gone(thing, ret_row))
        return true;
    for (; save->place < thing->places; save->place++) {
        struct shadow *shadow = thing->shadows[save->place];
        int r = shadow ? shadow_next_unsaved(shadow, &order, &save->text, ret_row) : 0;
        save->has_failed = r < 0;
        if (r != 0)
            return r > 0;
    }
    return false;
}

bool thing_save_is_whole(const struct thing *thing)
{
    return !thing->save.has_failed;
}

void thing_drop_save(struct thing *thing)
{
    struct thing_save *save = &thing->save;
    if (save->under_way == 0)
        return;
    const struct save_order order = newest_of(save);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        shadow_drop_save(shadow, &order);
    drop_gone(thing, order.save);
    save->under_way--;
    save->newest = (save->newest + 1) % SAVES_UNDER_WAY_MAX;
    save->has_failed = false;
}

void thing_end_save(struct thing *thing, bool is_stored)
{
    struct thing_save *save = &thing->save;
    if (save->has_failed)
        thing_drop_save(thing);
    while (!is_stored && save->under_way > 0)
        thing_drop_save(thing);
    if (save->under_way == 0)
        return;
    const unsigned oldest =
        (save->newest + SAVES_UNDER_WAY_MAX + 1 - save->under_way) % SAVES_UNDER_WAY_MAX;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        shadow_end_save(shadow, oldest);
    free_gone(thing, oldest);
    save->under_way--;
}

void thing_save_all(struct thing *thing)
{
    if (!is_durable(thing))
        return;
    free_gone(thing, SAVES_UNDER_WAY_MAX);
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        shadow_save_all(shadow);
        thing->outcomes_of_gone += shadow->stored_revision; /* the count of outcomes only rises */
        shadow->stored_revision = 0;
        shadow_touch(shadow);
    }
}

bool thing_has_unsaved(const struct thing *thing)
{
    for (const struct gone_shadow *gone = thing->save.gone_first; gone; gone = gone->next) {
        if (!gone->is_under_way)
            return true;
    }
    for (size_t i = 0; i < thing->places; i++) {
        if (thing->shadows[i] && thing->shadows[i]->saves.unsaved.first)
            return true;
    }
    return false;
}

bool thing_has_unsaved_reports(const struct thing *thing)
{
    for (size_t i = 0; is_durable(thing) && i < thing->places; i++) {
        const struct shadow *shadow = thing->shadows[i];
        if (!shadow)
            continue;
        bool has_wishes = shadow->saves.desired.place == SAVE_UNSAVED;
        if (has_wishes || shadow->ledger.newest_revision > shadow->stored_revision)
            return true;
    }
    return false;
}

void thing_clear_save(struct thing *thing)
{
    free_gone(thing, SAVES_UNDER_WAY_MAX);
    flux_json_writer_clear(&thing->save.text);
}

/* --- the start --- */

/* What a shadow that was not taken back has on the disk is older than what is still to come. */
static void note_orphan(struct thing *thing, const struct saved_row *row)
{
    const struct saved_property *property = &row->of_property;
    uint64_t revision = 0;
    if (row->kind == SAVED_SHADOW)
        revision = row->of_shadow.newest_revision;
    if (row->kind == SAVED_PROPERTY)
        revision = property->revision;
    if (row->kind == SAVED_PROPERTY && property->cut && property->cut_revision > revision)
        revision = property->cut_revision;
    if (revision < SAVED_REVISION_MAX && revision > thing->save.revision_floor)
        thing->save.revision_floor = revision;
}

static int find_or_add(struct thing *thing, const char *thing_name, const char *shadow_name,
                       struct shadow **ret_shadow)
{
    *ret_shadow = thing_find_shadow(thing, thing_name, shadow_name);
    if (*ret_shadow)
        return 0;
    if (thing->shadow_count >= thing->connection.options.max_shadows)
        return THING_ORPHANED;
    int r = thing_add_shadow(thing, thing_name, shadow_name, ret_shadow);
    if (r < 0)
        return r == -ENOSPC ? THING_ORPHANED : r;
    if (thing->link_up)
        shadow_link_up(*ret_shadow, thing->connection.last_alive_ms);
    return 0;
}

int thing_restore(struct thing *thing, const struct saved_row *row, int64_t now_ms)
{
    if (!row->thing || !row->shadow)
        return -EINVAL;
    bool is_own = row->thing[0] == '\0';
    const char *thing_name = is_own ? thing->name : row->thing;
    bool is_named = topic_is_thing_name(thing_name) &&
                    (row->shadow[0] == '\0' || topic_is_shadow_name(row->shadow));
    if (!is_named || row->is_gone)
        return -EINVAL;
    /* Under its old name it was another thing than the own one. */
    bool was_another = !is_own && strcmp(thing_name, thing->name) == 0;
    struct shadow *shadow;
    int r = THING_ORPHANED;
    if (is_durable(thing) && !was_another && thing_may_report_for(thing, thing_name))
        r = find_or_add(thing, thing_name, row->shadow, &shadow);
    if (r != 0)
        note_orphan(thing, row);
    return r == 0 ? shadow_restore(shadow, row, now_ms) : r;
}

void thing_restored(struct thing *thing, int64_t now_ms)
{
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        shadow_restored(shadow, now_ms);
}
