#include "tests/scenario/sim_rows.h"

#include "tests/scenario/oracle.h"
#include "tests/scenario/sim_events.h"
#include <stdlib.h>
#include <string.h>

static char *rows_text(const char *text, size_t size)
{
    return text != NULL ? sim_copy(text, size) : NULL;
}

static char *rows_string(const char *text)
{
    return text != NULL ? sim_copy(text, strlen(text)) : NULL;
}

static struct flux_value rows_value(const struct flux_value *value)
{
    struct flux_value copy = {0};
    if (flux_value_copy(&copy, value) < 0)
        abort();
    return copy;
}

static void rows_copy_property(struct saved_property *copy, const struct saved_property *from)
{
    copy->value = rows_value(&from->value);
    copy->cloud = rows_value(&from->cloud);
    copy->form = rows_value(&from->form);
    copy->cut_cause = rows_text(from->cut_cause, from->cut_cause_size);
    copy->refused_text = rows_string(from->refused_text);
    copy->writer_name = rows_string(from->writer_name);
    copy->writer_unit = rows_string(from->writer_unit);
}

static struct saved_row rows_copy(const struct saved_row *from)
{
    struct saved_row copy = *from;
    copy.thing = rows_string(from->thing);
    copy.shadow = rows_string(from->shadow);
    copy.path = rows_text(from->path != NULL ? from->path : "", from->path_size);
    if (from->is_gone)
        return copy;
    switch (from->kind) {
    case SAVED_SHADOW:
        break;
    case SAVED_PROPERTY:
        rows_copy_property(&copy.of_property, &from->of_property);
        break;
    case SAVED_DESIRED:
        copy.of_desired.document =
            rows_text(from->of_desired.document, from->of_desired.document_size);
        break;
    case SAVED_SETTLE:
        copy.of_settle.wishes = rows_text(from->of_settle.wishes, from->of_settle.wishes_size);
        break;
    }
    return copy;
}

static void rows_clear_property(struct saved_property *property)
{
    flux_value_clear(&property->value);
    flux_value_clear(&property->cloud);
    flux_value_clear(&property->form);
    free((char *)property->cut_cause);
    free((char *)property->refused_text);
    free((char *)property->writer_name);
    free((char *)property->writer_unit);
}

static void rows_clear_row(struct saved_row *row)
{
    free((char *)row->thing);
    free((char *)row->shadow);
    free((char *)row->path);
    if (row->is_gone)
        return;
    switch (row->kind) {
    case SAVED_SHADOW:
        break;
    case SAVED_PROPERTY:
        rows_clear_property(&row->of_property);
        break;
    case SAVED_DESIRED:
        free((char *)row->of_desired.document);
        break;
    case SAVED_SETTLE:
        free((char *)row->of_settle.wishes);
        break;
    }
}

uint64_t sim_rows_hash(const struct saved_row *row)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ (uint64_t)row->kind;
    const char *texts[] = {row->thing, row->shadow};
    for (size_t i = 0; i < 2; i++)
        for (const char *c = texts[i]; *c != '\0'; c++)
            hash = (hash ^ (unsigned char)*c) * UINT64_C(1099511628211) + i;
    for (size_t i = 0; i < row->path_size; i++)
        hash = (hash ^ (unsigned char)row->path[i]) * UINT64_C(1099511628211);
    return hash;
}

size_t sim_rows_index(const struct sim_rows *rows, const struct saved_row *row, uint64_t hash)
{
    size_t i = 0;
    while (i < rows->count &&
           !(rows->rows[i].hash == hash && saved_row_is_same(&rows->rows[i].row, row)))
        i++;
    return i;
}

void sim_rows_push(struct sim_rows *rows, const struct saved_row *row)
{
    rows->rows = oracle_grow(rows->rows, rows->count, &rows->capacity, sizeof(*rows->rows));
    rows->rows[rows->count++] = (struct sim_row){.row = rows_copy(row), .hash = sim_rows_hash(row)};
}

static void rows_drop(struct sim_rows *rows, size_t index)
{
    rows_clear_row(&rows->rows[index].row);
    rows->rows[index] = rows->rows[--rows->count];
}

void sim_rows_clear(struct sim_rows *rows)
{
    while (rows->count > 0)
        rows_drop(rows, rows->count - 1);
    free(rows->rows);
    *rows = (struct sim_rows){0};
}

static void rows_drop_shadow(struct sim_rows *rows, const struct saved_row *gone)
{
    for (size_t i = rows->count; i-- > 0;)
        if (strcmp(rows->rows[i].row.thing, gone->thing) == 0 &&
            strcmp(rows->rows[i].row.shadow, gone->shadow) == 0)
            rows_drop(rows, i);
}

void sim_rows_apply(struct sim_rows *disk, const struct sim_rows *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct saved_row *row = &batch->rows[i].row;
        size_t at = sim_rows_index(disk, row, batch->rows[i].hash);
        if (at < disk->count)
            rows_drop(disk, at);
        if (!row->is_gone)
            sim_rows_push(disk, row);
        else if (row->kind == SAVED_SHADOW)
            rows_drop_shadow(disk, row);
    }
}

json_t *sim_rows_value(const struct flux_value *value)
{
    switch (value->type) {
    case FLUX_VALUE_NONE:
        break;
    case FLUX_VALUE_BOOL:
        return json_boolean(value->boolean);
    case FLUX_VALUE_INT64:
        return json_integer(value->int64);
    case FLUX_VALUE_DOUBLE:
        return json_real(value->real);
    case FLUX_VALUE_STRING:
        return json_stringn(value->text, value->size);
    case FLUX_VALUE_ARRAY:
        return json_loadb(value->text, value->size, JSON_DECODE_ANY, NULL);
    case FLUX_VALUE_EMPTY_OBJECT:
        return json_object();
    }
    return NULL;
}
