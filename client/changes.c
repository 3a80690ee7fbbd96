#include "client/changes.h"
#include "proto/frame.h"
#include "proto/property_set.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* More than the head of a report, and of one operation, take on the wire. */
#define HEAD_BYTES_MAX      (FLUX_FRAME_HEADER_BYTES + 24u)
#define OPERATION_BYTES_MAX 16u

/* So many changes are compared each with each. */
#define FEW 32u

struct changes_item {
    struct flux_change change; /* its text pointers are not valid: the buffer moves */
    size_t path_offset, text_offset;
};

bool changes_value_has_text(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
}

void changes_clear(struct changes *changes)
{
    free(changes->items);
    buffer_clear(&changes->text);
    *changes = (struct changes){0};
}

void changes_reset(struct changes *changes)
{
    changes->count = 0;
    changes->frame_bytes = 0;
    buffer_consume(&changes->text, buffer_size(&changes->text));
}

static int grow(struct changes *changes)
{
    if (changes->count < changes->capacity)
        return 0;
    size_t capacity = changes->capacity > 0 ? changes->capacity * 2 : 8;
    struct changes_item *items = realloc(changes->items, capacity * sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    changes->items = items;
    changes->capacity = capacity;
    return 0;
}

int changes_add(struct changes *changes, const struct flux_change *change)
{
    int r = grow(changes);
    if (r < 0)
        return r;
    size_t text_size = changes_value_has_text(&change->value) ? change->value.size : 0;
    struct changes_item item = {.change = *change, .path_offset = changes->text.end};
    item.text_offset = item.path_offset + change->path_size;
    if (buffer_reserve(&changes->text, change->path_size + text_size + 1) == NULL)
        return -ENOMEM;
    (void)buffer_append(&changes->text, change->path, change->path_size);
    if (text_size > 0)
        (void)buffer_append(&changes->text, change->value.text, text_size);
    changes->items[changes->count++] = item;
    if (changes->frame_bytes == 0)
        changes->frame_bytes = HEAD_BYTES_MAX;
    changes->frame_bytes += OPERATION_BYTES_MAX + change->path_size + text_size;
    return 0;
}

struct flux_change changes_get(const struct changes *changes, size_t index)
{
    const struct changes_item *item = &changes->items[index];
    struct flux_change change = item->change;
    change.path = (const char *)changes->text.data + item->path_offset;
    if (changes_value_has_text(&change.value))
        change.value.text = (const char *)changes->text.data + item->text_offset;
    return change;
}

/* ---- contradictions ---- */

static bool is_leaf(const struct flux_value *value)
{
    return value->type != FLUX_VALUE_EMPTY_OBJECT;
}

/* The value of the scratch set that excludes this one, or NULL. */
static const struct flux_property *find_rival(const struct flux_property_set *scratch,
                                              const struct flux_change *change, bool *ret_is_above)
{
    for (size_t size = change->path_size; size > 0;) {
        do
            size--;
        while (size > 0 && change->path[size] != '/');
        const struct flux_property *above = flux_property_set_find(scratch, change->path, size);
        *ret_is_above = true;
        if (above != NULL && flux_property_is_leaf(above))
            return above;
    }
    *ret_is_above = false;
    const struct flux_property *top =
        flux_property_set_find(scratch, change->path, change->path_size);
    const struct flux_property *below = top;
    while (top != NULL && is_leaf(&change->value) &&
           (below = flux_property_next(top, below)) != NULL)
        if (below->value.type != FLUX_VALUE_NONE)
            return below;
    return NULL;
}

/* The revision of a value in the scratch set is the index of its change, plus 1. */
static int try_change(struct flux_property_set *scratch, const struct flux_change *change,
                      size_t index, size_t ret_pair[static 2])
{
    if (change->path_size == 0) {
        flux_property_set_clear(scratch);
        return flux_property_set_init(scratch, 0, 0);
    }
    bool is_above = false;
    const struct flux_property *rival =
        change->kind == FLUX_SET ? find_rival(scratch, change, &is_above) : NULL;
    if (rival != NULL) {
        ret_pair[is_above ? 0 : 1] = (size_t)rival->revision - 1;
        ret_pair[is_above ? 1 : 0] = index;
        return 1;
    }
    struct flux_applied applied;
    int r = flux_property_set_apply(scratch, change->kind, change->path, change->path_size,
                                    change->kind == FLUX_SET ? &change->value : NULL, index + 1, 0,
                                    &applied);
    return r == -ENOSPC ? 0 : r;
}

static bool is_above(const char *text, const struct changes_item *a, const struct changes_item *b)
{
    return a->change.path_size < b->change.path_size &&
           text[b->path_offset + a->change.path_size] == '/' &&
           memcmp(text + b->path_offset, text + a->path_offset, a->change.path_size) == 0;
}

/* Most reports are small, and none of their paths lies below another: that is seen without a set.
 */
static bool is_flat(const struct changes *changes)
{
    const char *text = (const char *)changes->text.data;
    if (changes->count > FEW)
        return false;
    for (size_t i = 1; i < changes->count; i++)
        for (size_t j = 0; j < i; j++)
            if (is_above(text, &changes->items[i], &changes->items[j]) ||
                is_above(text, &changes->items[j], &changes->items[i]))
                return false;
    return true;
}

int changes_find_contradiction(const struct changes *changes, size_t ret_pair[static 2])
{
    if (is_flat(changes))
        return 0;
    struct flux_property_set scratch;
    int r = flux_property_set_init(&scratch, 0, 0);
    if (r < 0)
        return r;
    for (size_t i = 0; i < changes->count && r == 0; i++) {
        struct flux_change change = changes_get(changes, i);
        if (change.kind != FLUX_SETTLE)
            r = try_change(&scratch, &change, i, ret_pair);
    }
    flux_property_set_clear(&scratch);
    return r;
}
