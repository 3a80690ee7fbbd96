#include "tests/fuzz/fuzz_disk.h"

#include "tests/fuzz/fuzz_input.h"
#include <string.h>

void fuzz_disk_begin(struct fuzz_disk *disk)
{
    *disk = (struct fuzz_disk){.is_saving = false};
    batch_init(&disk->rows);
    batch_init(&disk->saving);
}

void fuzz_disk_end(struct fuzz_disk *disk)
{
    batch_clear(&disk->rows);
    batch_clear(&disk->saving);
}

void fuzz_disk_save(struct fuzz_disk *disk, struct thing *thing)
{
    struct saved_row row;
    if (disk->is_saving)
        return;
    bool is_whole = true;
    thing_begin_save(thing);
    while (thing_next_unsaved(thing, &row)) {
        fuzz_require(row.is_gone || saved_row_is_sound(&row));
        const int r = is_whole ? batch_add(&disk->saving, &row) : 0;
        fuzz_require_done(r);
        is_whole = is_whole && r == 0;
    }
    disk->is_saving = true;
    if (!is_whole)
        fuzz_disk_saved(disk, thing, false);
}

static bool is_replaced(struct fuzz_disk *disk, const struct saved_row *old)
{
    const struct saved_row *row;
    batch_rewind(&disk->saving);
    while ((row = batch_next(&disk->saving))) {
        const bool is_shadow_gone = row->kind == SAVED_SHADOW && row->is_gone &&
                                    strcmp(row->thing, old->thing) == 0 &&
                                    strcmp(row->shadow, old->shadow) == 0;
        if (is_shadow_gone || saved_row_is_same(row, old))
            return true;
    }
    return false;
}

/* Copy the rows that are there after the commit. The test's own memory does not fail. */
static void merge(struct fuzz_disk *disk)
{
    struct batch merged;
    const struct saved_row *row;
    size_t new_count = 0;
    batch_init(&merged);
    struct batch old = disk->rows;
    batch_rewind(&old);
    while ((row = batch_next(&old)))
        if (!is_replaced(disk, row))
            fuzz_require(batch_add(&merged, row) == 0);
    batch_rewind(&disk->saving);
    while ((row = batch_next(&disk->saving))) {
        new_count++;
        if (!row->is_gone)
            fuzz_require(batch_add(&merged, row) == 0);
    }
    fuzz_require(new_count == disk->saving.count);
    batch_clear(&old);
    disk->rows = merged;
}

void fuzz_disk_saved(struct fuzz_disk *disk, struct thing *thing, bool is_stored)
{
    if (!disk->is_saving)
        return;
    fuzz_hold(true);
    if (is_stored)
        merge(disk);
    fuzz_hold(false);
    batch_empty(&disk->saving);
    disk->is_saving = false;
    thing_end_save(thing, is_stored);
}

void fuzz_disk_restore(struct fuzz_disk *disk, struct thing *thing, int64_t now_ms)
{
    const struct saved_row *row;
    batch_rewind(&disk->rows);
    while ((row = batch_next(&disk->rows))) {
        const int r = thing_restore(thing, row, now_ms);
        fuzz_require(r == 0 || r == THING_ORPHANED || fuzz_is_short(r));
    }
    thing_restored(thing, now_ms);
    batch_empty(&disk->saving);
    disk->is_saving = false;
}
