#include "proto/value.h"
#include "proto/json_escape.h"
#include "proto/json_scanner.h"
#include "proto/json_text.h"
#include "proto/limits.h"
#include "proto/utf8.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct flux_value flux_value_bool(bool boolean)
{
    return (struct flux_value){.type = FLUX_VALUE_BOOL, .boolean = boolean};
}

struct flux_value flux_value_int64(int64_t int64)
{
    return (struct flux_value){.type = FLUX_VALUE_INT64, .int64 = int64};
}

struct flux_value flux_value_double(double real)
{
    return (struct flux_value){.type = FLUX_VALUE_DOUBLE, .real = real};
}

/* A size beyond 32 bits stays beyond every limit, so that the check refuses it. */
static struct flux_value text_value(enum flux_value_type type, const char *text, size_t size)
{
    uint32_t size32 = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size;
    return (struct flux_value){.type = type, .size = size32, .text = text};
}

struct flux_value flux_value_string(const char *text, size_t size)
{
    return text_value(FLUX_VALUE_STRING, text, size);
}

struct flux_value flux_value_array(const char *json, size_t size)
{
    return text_value(FLUX_VALUE_ARRAY, json, size);
}

struct flux_value flux_value_empty_object(void)
{
    return (struct flux_value){.type = FLUX_VALUE_EMPTY_OBJECT};
}

static bool has_text(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_STRING || value->type == FLUX_VALUE_ARRAY;
}

/* Texts live in steps of 16 bytes, so that flux_value_assign() knows from the size alone what fits
 * into the memory of a value. */
static size_t text_capacity(uint32_t size)
{
    return ((size_t)size / 16 + 1) * 16;
}

int flux_value_copy(struct flux_value *ret_value, const struct flux_value *source)
{
    struct flux_value copy = *source;
    if (has_text(source)) {
        char *text = malloc(text_capacity(source->size));
        if (text == NULL)
            return -ENOMEM;
        if (source->size > 0)
            memcpy(text, source->text, source->size);
        text[source->size] = '\0';
        copy.text = text;
    }
    *ret_value = copy;
    return 0;
}

int flux_value_assign(struct flux_value *value, const struct flux_value *source)
{
    if (has_text(value) && has_text(source) &&
        text_capacity(value->size) == text_capacity(source->size)) {
        char *text = (char *)value->text; /* owned, so ours to write */
        if (source->size > 0)
            memmove(text, source->text, source->size);
        text[source->size] = '\0';
        value->type = source->type;
        value->size = source->size;
        return 0;
    }
    struct flux_value copy;
    int r = flux_value_copy(&copy, source);
    if (r < 0)
        return r;
    flux_value_clear(value);
    *value = copy;
    return 0;
}

void flux_value_clear(struct flux_value *value)
{
    if (has_text(value))
        free((char *)value->text);
    *value = (struct flux_value){.type = FLUX_VALUE_NONE};
}

static bool texts_equal(const struct flux_value *a, const struct flux_value *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->text, b->text, a->size) == 0);
}

bool flux_value_equal(const struct flux_value *a, const struct flux_value *b)
{
    if (a->type == FLUX_VALUE_INT64 && b->type == FLUX_VALUE_DOUBLE)
        return flux_number_equal(a->int64, b->real);
    if (a->type == FLUX_VALUE_DOUBLE && b->type == FLUX_VALUE_INT64)
        return flux_number_equal(b->int64, a->real);
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case FLUX_VALUE_NONE:
    case FLUX_VALUE_EMPTY_OBJECT:
        return true;
    case FLUX_VALUE_BOOL:
        return a->boolean == b->boolean;
    case FLUX_VALUE_INT64:
        return a->int64 == b->int64;
    case FLUX_VALUE_DOUBLE:
        return a->real == b->real;
    case FLUX_VALUE_STRING:
        return texts_equal(a, b);
    case FLUX_VALUE_ARRAY:
        return texts_equal(a, b) || flux_json_text_equal(a->text, a->size, b->text, b->size);
    }
    return false;
}

/* A form that this code writes itself has no whitespace outside strings; two texts of one form
 * compare cheaply, and are counted as they are sent. */
static bool is_compact(const char *text, size_t size)
{
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"')
            in_string = !in_string;
        else if (in_string && text[i] == '\\')
            i++;
        else if (!in_string &&
                 (text[i] == ' ' || text[i] == '\t' || text[i] == '\n' || text[i] == '\r'))
            return false;
    }
    return true;
}

/* Scan one array to its end. */
static int scan_array(struct flux_json_scanner *scanner)
{
    if (flux_json_scanner_next(scanner) != FLUX_JSON_BEGIN_ARRAY)
        return -EINVAL;
    for (;;) {
        switch (flux_json_scanner_next(scanner)) {
        case FLUX_JSON_KEY:
            if (scanner->size == 0)
                return -EINVAL;
            break;
        case FLUX_JSON_DOUBLE:
            if (scanner->is_overflow)
                return -EINVAL;
            break;
        case FLUX_JSON_BEGIN_OBJECT:
        case FLUX_JSON_END_OBJECT:
        case FLUX_JSON_BEGIN_ARRAY:
        case FLUX_JSON_END_ARRAY:
        case FLUX_JSON_STRING:
        case FLUX_JSON_INT64:
        case FLUX_JSON_BOOL:
            break;
        case FLUX_JSON_END_DOCUMENT:
            return flux_json_scanner_next(scanner) == FLUX_JSON_END_INPUT ? 0 : -EINVAL;
        case FLUX_JSON_NULL:
        case FLUX_JSON_END_INPUT:
        case FLUX_JSON_MORE:
        case FLUX_JSON_ERROR:
            return -EINVAL;
        }
    }
}

static int check_array(const char *text, uint32_t size)
{
    if (size == 0 || !is_compact(text, size))
        return -EINVAL;
    char *buffer = NULL; /* only escapes need one */
    if (memchr(text, '\\', size) != NULL) {
        buffer = malloc(size);
        if (buffer == NULL)
            return -ENOMEM;
    }
    struct flux_json_scanner scanner;
    flux_json_scanner_init(&scanner, buffer, buffer != NULL ? size : 0, FLUX_JSON_TEXT_NESTING_MAX);
    flux_json_scanner_feed(&scanner, text, size, true);
    int r = scan_array(&scanner);
    free(buffer);
    return r;
}

int flux_value_check(const struct flux_value *value)
{
    if (value->type == FLUX_VALUE_NONE || value->type > FLUX_VALUE_EMPTY_OBJECT)
        return -EINVAL;
    if (value->type == FLUX_VALUE_DOUBLE && !isfinite(value->real))
        return -EDOM;
    if (!has_text(value))
        return 0;
    if (value->size > FLUX_VALUE_BYTES_MAX)
        return -E2BIG;
    if (!flux_utf8_is_valid(value->text, value->size))
        return -EILSEQ;
    if (value->type == FLUX_VALUE_STRING)
        return value->size > 0 && memchr(value->text, '\0', value->size) != NULL ? -EINVAL : 0;
    return check_array(value->text, value->size);
}

size_t flux_value_json_size(const struct flux_value *value)
{
    char text[FLUX_NUMBER_TEXT_MAX];
    switch (value->type) {
    case FLUX_VALUE_NONE:
        return strlen("null");
    case FLUX_VALUE_BOOL:
        return strlen(value->boolean ? "true" : "false");
    case FLUX_VALUE_INT64:
        return flux_number_format_int64(text, value->int64);
    case FLUX_VALUE_DOUBLE:
        return flux_number_format(text, value->real);
    case FLUX_VALUE_STRING:
        return flux_json_string_size(value->text, value->size);
    case FLUX_VALUE_ARRAY:
        return value->size;
    case FLUX_VALUE_EMPTY_OBJECT:
        return strlen("{}");
    }
    return 0;
}

unsigned flux_value_depth(const struct flux_value *value)
{
    return value->type == FLUX_VALUE_ARRAY ? flux_json_text_depth(value->text, value->size) : 0;
}
