#include "client/changes.h"
#include "proto/frame.h"
#include <errno.h>
#include <stdlib.h>

/* More than the head of a report, and of one operation, take on the wire. */
#define HEAD_BYTES_MAX      (FLUX_FRAME_HEADER_BYTES + 24u)
#define OPERATION_BYTES_MAX 16u

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
