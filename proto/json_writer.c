#include "proto/json_writer.h"
#include "proto/json_escape.h"
#include "proto/number.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define INITIAL_CAPACITY 256u

void flux_json_writer_init(struct flux_json_writer *writer, size_t limit)
{
    *writer = (struct flux_json_writer){.limit = limit};
}

void flux_json_writer_clear(struct flux_json_writer *writer)
{
    free(writer->text);
    *writer = (struct flux_json_writer){.limit = writer->limit};
}

void flux_json_writer_reset(struct flux_json_writer *writer)
{
    writer->size = 0;
    writer->error = 0;
    writer->need_comma = false;
    if (writer->text != NULL)
        writer->text[0] = '\0';
}

int flux_json_writer_error(const struct flux_json_writer *writer)
{
    return writer->error;
}

/* Make room for `more` bytes and the NUL. */
static bool reserve(struct flux_json_writer *writer, size_t more)
{
    if (writer->error != 0)
        return false;
    if (more >= SIZE_MAX / 4 - writer->size ||
        (writer->limit != 0 && more > writer->limit - writer->size)) {
        writer->error = -E2BIG;
        return false;
    }
    size_t wanted = writer->size + more + 1;
    if (wanted <= writer->capacity)
        return true;
    size_t capacity = writer->capacity < INITIAL_CAPACITY ? INITIAL_CAPACITY : writer->capacity;
    while (capacity < wanted)
        capacity *= 2;
    char *text = realloc(writer->text, capacity);
    if (text == NULL) {
        writer->error = -ENOMEM;
        return false;
    }
    writer->text = text;
    writer->capacity = capacity;
    return true;
}

static void append(struct flux_json_writer *writer, const char *text, size_t size)
{
    if (!reserve(writer, size))
        return;
    if (size > 0)
        memcpy(writer->text + writer->size, text, size);
    writer->size += size;
    writer->text[writer->size] = '\0';
}

char *flux_json_writer_steal(struct flux_json_writer *writer, size_t *ret_size)
{
    append(writer, "", 0); /* an empty text is a text, too */
    if (writer->error != 0)
        return NULL;
    char *text = writer->text;
    if (ret_size != NULL)
        *ret_size = writer->size;
    flux_json_writer_init(writer, writer->limit);
    return text;
}

static void separate(struct flux_json_writer *writer)
{
    if (writer->need_comma)
        append(writer, ",", 1);
    writer->need_comma = false;
}

static void append_value(struct flux_json_writer *writer, const char *text, size_t size)
{
    separate(writer);
    append(writer, text, size);
    writer->need_comma = true;
}

void flux_json_begin_object(struct flux_json_writer *writer)
{
    append_value(writer, "{", 1);
    writer->need_comma = false;
}

void flux_json_end_object(struct flux_json_writer *writer)
{
    append(writer, "}", 1);
    writer->need_comma = true;
}

void flux_json_begin_array(struct flux_json_writer *writer)
{
    append_value(writer, "[", 1);
    writer->need_comma = false;
}

void flux_json_end_array(struct flux_json_writer *writer)
{
    append(writer, "]", 1);
    writer->need_comma = true;
}

static void append_quoted(struct flux_json_writer *writer, const char *text, size_t size)
{
    append(writer, "\"", 1);
    for (size_t i = 0; i < size && writer->error == 0;) {
        size_t plain = flux_json_plain_size(text + i, size - i);
        append(writer, text + i, plain);
        i += plain;
        if (i == size)
            break;
        char escape[FLUX_JSON_ESCAPE_MAX];
        append(writer, escape, flux_json_escape((unsigned char)text[i++], escape));
    }
    append(writer, "\"", 1);
}

void flux_json_key(struct flux_json_writer *writer, const char *key, size_t size)
{
    separate(writer);
    append_quoted(writer, key, size);
    append(writer, ":", 1);
}

void flux_json_key_text(struct flux_json_writer *writer, const char *key)
{
    flux_json_key(writer, key, strlen(key));
}

void flux_json_null(struct flux_json_writer *writer)
{
    append_value(writer, "null", 4);
}

void flux_json_bool(struct flux_json_writer *writer, bool boolean)
{
    append_value(writer, boolean ? "true" : "false", boolean ? 4 : 5);
}

void flux_json_int64(struct flux_json_writer *writer, int64_t number)
{
    char text[FLUX_NUMBER_TEXT_MAX];
    append_value(writer, text, flux_number_format_int64(text, number));
}

void flux_json_uint64(struct flux_json_writer *writer, uint64_t number)
{
    char text[FLUX_NUMBER_TEXT_MAX];
    append_value(writer, text, flux_number_format_uint64(text, number));
}

void flux_json_double(struct flux_json_writer *writer, double real)
{
    if (!isfinite(real)) {
        if (writer->error == 0)
            writer->error = -EDOM;
        return;
    }
    char text[FLUX_NUMBER_TEXT_MAX];
    append_value(writer, text, flux_number_format(text, real));
}

void flux_json_string(struct flux_json_writer *writer, const char *text, size_t size)
{
    separate(writer);
    append_quoted(writer, text, size);
    writer->need_comma = true;
}

void flux_json_string_text(struct flux_json_writer *writer, const char *text)
{
    flux_json_string(writer, text, strlen(text));
}

void flux_json_value(struct flux_json_writer *writer, const struct flux_value *value)
{
    switch (value->type) {
    case FLUX_VALUE_NONE:
        flux_json_null(writer);
        break;
    case FLUX_VALUE_BOOL:
        flux_json_bool(writer, value->boolean);
        break;
    case FLUX_VALUE_INT64:
        flux_json_int64(writer, value->int64);
        break;
    case FLUX_VALUE_DOUBLE:
        flux_json_double(writer, value->real);
        break;
    case FLUX_VALUE_STRING:
        flux_json_string(writer, value->text, value->size);
        break;
    case FLUX_VALUE_ARRAY:
        flux_json_raw(writer, value->text, value->size);
        break;
    case FLUX_VALUE_EMPTY_OBJECT:
        flux_json_raw(writer, "{}", 2);
        break;
    }
}

void flux_json_raw(struct flux_json_writer *writer, const char *json, size_t size)
{
    append_value(writer, json, size);
}
