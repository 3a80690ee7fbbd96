#include "daemon/storage/batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What a batch of a few rows needs; it is kept. */
#define CHUNK_BYTES 8192u

struct batch_chunk {
    struct batch_chunk *next;
    size_t size, used;
    _Alignas(max_align_t) char data[];
};

struct batch_item {
    struct batch_item *next;
    struct saved_row row;
};

/* Where the memory for the parts of one row is taken from. */
struct cursor {
    char *at;
};

void batch_init(struct batch *batch)
{
    *batch = (struct batch){.count = 0};
}

static void free_chunks(struct batch *batch, struct batch_chunk *kept)
{
    struct batch_chunk *chunk = batch->chunks;
    while (chunk) {
        struct batch_chunk *next = chunk->next;
        if (chunk != kept)
            free(chunk);
        chunk = next;
    }
}

void batch_clear(struct batch *batch)
{
    free_chunks(batch, NULL);
    batch_init(batch);
}

void batch_empty(struct batch *batch)
{
    struct batch_chunk *kept = NULL;
    for (struct batch_chunk *chunk = batch->chunks; chunk; chunk = chunk->next)
        if (chunk->size == CHUNK_BYTES)
            kept = chunk;
    free_chunks(batch, kept);
    batch_init(batch);
    if (!kept)
        return;
    kept->next = NULL;
    kept->used = 0;
    batch->chunks = kept;
    batch->bytes = kept->size;
}

/* A row goes into one piece, so that it is added whole or not at all. */
static char *take(struct batch *batch, size_t size)
{
    const size_t align = _Alignof(max_align_t);
    size = (size + align - 1) / align * align;
    struct batch_chunk *chunk = batch->chunks;
    if (!chunk || chunk->size - chunk->used < size) {
        const size_t room = size > CHUNK_BYTES ? size : CHUNK_BYTES;
        chunk = malloc(sizeof(*chunk) + room);
        if (!chunk)
            return NULL;
        chunk->size = room;
        chunk->used = 0;
        chunk->next = batch->chunks;
        batch->chunks = chunk;
        batch->bytes += room;
    }
    char *memory = chunk->data + chunk->used;
    chunk->used += size;
    return memory;
}

static bool has_text(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
}

static size_t value_size(const struct flux_value *value)
{
    return has_text(value) ? value->size : 0;
}

static size_t string_size(const char *string)
{
    return string ? strlen(string) + 1 : 0;
}

static size_t row_size(const struct saved_row *row)
{
    size_t size = string_size(row->thing) + string_size(row->shadow) + row->path_size;
    if (row->is_gone)
        return size;
    switch (row->kind) {
    case SAVED_SHADOW:
        break;
    case SAVED_PROPERTY:
        size += row->of_property.cut_cause_size + value_size(&row->of_property.value) +
                value_size(&row->of_property.cloud) + value_size(&row->of_property.form) +
                string_size(row->of_property.refused_text) +
                string_size(row->of_property.writer_name) +
                string_size(row->of_property.writer_unit);
        break;
    case SAVED_DESIRED:
        size += row->of_desired.document_size;
        break;
    case SAVED_SETTLE:
        size += row->of_settle.wishes_size;
        break;
    }
    return size;
}

static void copy_bytes(struct cursor *cursor, const char **bytes, size_t size)
{
    if (!*bytes)
        return;
    if (size > 0)
        memcpy(cursor->at, *bytes, size);
    *bytes = cursor->at;
    cursor->at += size;
}

static void copy_string(struct cursor *cursor, const char **string)
{
    copy_bytes(cursor, string, string_size(*string));
}

static void copy_value(struct cursor *cursor, struct flux_value *value)
{
    if (has_text(value))
        copy_bytes(cursor, &value->text, value->size);
}

static void copy_property(struct cursor *cursor, struct saved_property *property)
{
    copy_value(cursor, &property->value);
    copy_value(cursor, &property->cloud);
    copy_value(cursor, &property->form);
    copy_bytes(cursor, &property->cut_cause, property->cut_cause_size);
    copy_string(cursor, &property->refused_text);
    copy_string(cursor, &property->writer_name);
    copy_string(cursor, &property->writer_unit);
}

static void copy_row(struct cursor *cursor, struct saved_row *row)
{
    copy_string(cursor, &row->thing);
    copy_string(cursor, &row->shadow);
    copy_bytes(cursor, &row->path, row->path_size);
    if (row->is_gone)
        return;
    switch (row->kind) {
    case SAVED_SHADOW:
        break;
    case SAVED_PROPERTY:
        copy_property(cursor, &row->of_property);
        break;
    case SAVED_DESIRED:
        copy_bytes(cursor, &row->of_desired.document, row->of_desired.document_size);
        break;
    case SAVED_SETTLE:
        copy_bytes(cursor, &row->of_settle.wishes, row->of_settle.wishes_size);
        break;
    }
}

int batch_add(struct batch *batch, const struct saved_row *row)
{
    struct batch_item *item = (struct batch_item *)take(batch, sizeof(*item) + row_size(row));
    if (!item)
        return -ENOMEM;
    item->next = NULL;
    item->row = *row;
    struct cursor cursor = {.at = (char *)(item + 1)};
    copy_row(&cursor, &item->row);
    if (batch->last)
        batch->last->next = item;
    else
        batch->first = item;
    batch->last = item;
    batch->count++;
    return 0;
}

void batch_rewind(struct batch *batch)
{
    batch->cursor = batch->first;
}

const struct saved_row *batch_next(struct batch *batch)
{
    const struct batch_item *item = batch->cursor;
    if (!item)
        return NULL;
    batch->cursor = item->next;
    return &item->row;
}
