#include "tests/sandbox/cloud_json.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INT64_DIGITS 19

/* Return the position after the string that begins at `at`; `size` if it never ends. */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++) {
        if (text[at] == '\\')
            at++;
    }
    return at < size ? at + 1 : size;
}

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

/* Whether the number token is an integer that 64 bits cannot hold. */
static bool overflows(const char *token, size_t size)
{
    if (size < INT64_DIGITS || memchr(token, '.', size) || memchr(token, 'e', size) ||
        memchr(token, 'E', size))
        return false;
    if (size > INT64_DIGITS + 1)
        return true;
    char digits[INT64_DIGITS + 2];
    memcpy(digits, token, size);
    digits[size] = '\0';
    errno = 0;
    (void)strtoll(digits, NULL, 10);
    return errno == ERANGE;
}

/* Copy the text, giving integers too long for Jansson a fraction, and stop at excessive nesting.
 * `copy` holds size + size / INT64_DIGITS * 2 + 2 bytes. Returns 0 or CLOUD_JSON_TOO_DEEP. */
static int prepare(const char *text, size_t size, char *copy, size_t *ret_size)
{
    size_t out = 0;
    unsigned nesting = 0;
    for (size_t at = 0; at < size;) {
        size_t end = at + 1;
        if (text[at] == '"')
            end = skip_string(text, size, at);
        else if (text[at] == '{' || text[at] == '[')
            nesting++;
        else if ((text[at] == '}' || text[at] == ']') && nesting > 0)
            nesting--;
        while (is_number_byte(text[at]) && end < size && is_number_byte(text[end]))
            end++;
        if (nesting > CLOUD_JSON_MAX_NESTING)
            return CLOUD_JSON_TOO_DEEP;

        memcpy(copy + out, text + at, end - at);
        out += end - at;
        if (is_number_byte(text[at]) && overflows(text + at, end - at)) {
            memcpy(copy + out, ".0", 2);
            out += 2;
        }
        at = end;
    }
    *ret_size = out;
    return 0;
}

int cloud_json_parse(const char *text, size_t size, bool refuse_duplicates, json_t **ret_value)
{
    char *copy = malloc(size + size / INT64_DIGITS * 2 + 2);
    if (!copy)
        return -ENOMEM;
    size_t copy_size = 0;
    int r = prepare(text, size, copy, &copy_size);
    json_error_t error = {0};
    json_t *value = NULL;
    if (r == 0) {
        size_t flags = JSON_ALLOW_NUL | JSON_DECODE_ANY;
        if (refuse_duplicates)
            flags |= JSON_REJECT_DUPLICATES;
        value = json_loadb(copy, copy_size, flags, &error);
    }
    free(copy);
    if (value) {
        *ret_value = value;
        return 0;
    }
    if (r != 0)
        return r;
    if (json_error_code(&error) == json_error_out_of_memory)
        return -ENOMEM;
    return json_error_code(&error) == json_error_invalid_utf8 ? CLOUD_JSON_NOT_UTF8
                                                              : CLOUD_JSON_INVALID;
}

static void add(struct cloud_text *text, const char *bytes, size_t size)
{
    if (text->failed)
        return;
    if (text->capacity - text->size <= size) {
        size_t capacity = (text->size + size + 64) * 2;
        char *data = realloc(text->data, capacity);
        if (!data) {
            text->failed = true;
            return;
        }
        text->data = data;
        text->capacity = capacity;
    }
    memcpy(text->data + text->size, bytes, size);
    text->size += size;
    text->data[text->size] = '\0';
}

void cloud_text_add(struct cloud_text *text, const char *string)
{
    add(text, string, strlen(string));
}

/* Write the shortest escape of a byte that cannot stand in a string as it is. */
static void add_escape(struct cloud_text *text, unsigned char c)
{
    static const char plain[] = "\"\\\b\f\n\r\t";
    static const char letters[] = "\"\\bfnrt";
    const char *at = c ? strchr(plain, c) : NULL;
    char escape[8];
    if (at)
        snprintf(escape, sizeof(escape), "\\%c", letters[at - plain]);
    else
        snprintf(escape, sizeof(escape), "\\u%04x", c);
    cloud_text_add(text, escape);
}

static void add_string(struct cloud_text *text, const char *string, size_t size)
{
    add(text, "\"", 1);
    size_t start = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)string[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        add(text, string + start, i - start);
        add_escape(text, c);
        start = i + 1;
    }
    add(text, string + start, size - start);
    add(text, "\"", 1);
}

static void add_real(struct cloud_text *text, double value)
{
    char digits[40];
    /* 15 digits are the fewest that need trying, but for subnormals, which carry fewer. */
    for (int precision = fabs(value) < 2.3e-308 ? 1 : 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    cloud_text_add(text, digits);
    if (!strpbrk(digits, ".e"))
        cloud_text_add(text, ".0"); /* a real stays one for whoever reads it */
}

/* How a text is laid out: compact if `indent` is negative, else that many levels in. */
static void write_value(struct cloud_text *text, const json_t *value, int indent);

static void new_line(struct cloud_text *text, int indent)
{
    if (indent < 0)
        return;
    add(text, "\n", 1);
    for (int i = 0; i < indent; i++)
        add(text, "  ", 2);
}

static void add_object(struct cloud_text *text, const json_t *object, int indent)
{
    int inner = indent < 0 ? indent : indent + 1;
    const char *key;
    json_t *member;
    const char *separator = "{";
    json_object_foreach((json_t *)object, key, member)
    {
        cloud_text_add(text, separator);
        new_line(text, inner);
        add_string(text, key, strlen(key));
        cloud_text_add(text, indent < 0 ? ":" : ": ");
        write_value(text, member, inner);
        separator = ",";
    }
    if (json_object_size(object) == 0)
        add(text, "{", 1);
    else
        new_line(text, indent);
    add(text, "}", 1);
}

static void add_array(struct cloud_text *text, const json_t *array, int indent)
{
    add(text, "[", 1);
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (i > 0)
            cloud_text_add(text, indent < 0 ? "," : ", ");
        write_value(text, json_array_get(array, i), indent);
    }
    add(text, "]", 1);
}

static void write_value(struct cloud_text *text, const json_t *value, int indent)
{
    char digits[24];
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        add_object(text, value, indent);
        break;
    case JSON_ARRAY:
        add_array(text, value, indent);
        break;
    case JSON_STRING:
        add_string(text, json_string_value(value), json_string_length(value));
        break;
    case JSON_INTEGER:
        snprintf(digits, sizeof(digits), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        cloud_text_add(text, digits);
        break;
    case JSON_REAL:
        add_real(text, json_real_value(value));
        break;
    case JSON_TRUE:
        cloud_text_add(text, "true");
        break;
    case JSON_FALSE:
        cloud_text_add(text, "false");
        break;
    case JSON_NULL:
        cloud_text_add(text, "null");
        break;
    }
}

void cloud_json_write(struct cloud_text *text, const json_t *value)
{
    write_value(text, value, -1);
}

void cloud_json_write_pretty(struct cloud_text *text, const json_t *value)
{
    write_value(text, value, 0);
}

size_t cloud_json_size(const json_t *value)
{
    if (!value)
        return 0;
    struct cloud_text text = {0};
    cloud_json_write(&text, value);
    free(text.data);
    return text.failed ? SIZE_MAX / 4 : text.size;
}

static bool numbers_equal(const json_t *a, const json_t *b, bool exact)
{
    if (json_typeof(a) == json_typeof(b))
        return json_is_integer(a) ? json_integer_value(a) == json_integer_value(b)
                                  : json_real_value(a) == json_real_value(b);
    if (exact)
        return false;
    const json_t *integer = json_is_integer(a) ? a : b;
    double real = json_real_value(json_is_integer(a) ? b : a);
    /* Compared as integers: 2^63 - 1 and 2^63 are the same double. */
    return real >= -0x1p63 && real < 0x1p63 && real == trunc(real) &&
           (json_int_t)real == json_integer_value(integer);
}

static bool objects_equal(const json_t *a, const json_t *b, bool exact)
{
    if (json_object_size(a) != json_object_size(b))
        return false;
    const char *key;
    json_t *member;
    json_object_foreach((json_t *)a, key, member)
    {
        const json_t *other = json_object_get(b, key);
        if (!other || !cloud_json_equal(member, other, exact))
            return false;
    }
    return true;
}

bool cloud_json_equal(const json_t *a, const json_t *b, bool exact)
{
    if (json_is_number(a) && json_is_number(b))
        return numbers_equal(a, b, exact);
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_object(a))
        return objects_equal(a, b, exact);
    if (!json_is_array(a))
        return json_equal(a, b);
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
        if (!cloud_json_equal(json_array_get(a, i), json_array_get(b, i), exact))
            return false;
    }
    return true;
}

/* The integer that a whole real is, or NULL if it is none (or out of memory, which *ret_r tells).
 */
static json_t *whole_number(const json_t *value, int *ret_r)
{
    if (!json_is_real(value))
        return NULL;
    double real = json_real_value(value);
    if (real != trunc(real) || fabs(real) > 0x1p53)
        return NULL;
    json_t *integer = json_integer((json_int_t)real);
    if (!integer)
        *ret_r = -ENOMEM;
    return integer;
}

int cloud_json_normalise(json_t *value)
{
    int r = 0;
    if (json_is_array(value)) {
        for (size_t i = 0; r == 0 && i < json_array_size(value); i++) {
            json_t *integer = whole_number(json_array_get(value, i), &r);
            if (integer)
                r = json_array_set_new(value, i, integer) ? -ENOMEM : 0;
            else if (r == 0)
                r = cloud_json_normalise(json_array_get(value, i));
        }
        return r;
    }
    for (void *at = json_object_iter(value); r == 0 && at; at = json_object_iter_next(value, at)) {
        json_t *integer = whole_number(json_object_iter_value(at), &r);
        if (integer)
            r = json_object_iter_set_new(value, at, integer) ? -ENOMEM : 0;
        else if (r == 0)
            r = cloud_json_normalise(json_object_iter_value(at));
    }
    return r;
}

bool cloud_json_has_key(const json_t *value, const char *key)
{
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            if (cloud_json_has_key(json_array_get(value, i), key))
                return true;
        }
        return false;
    }
    const char *name;
    json_t *member;
    json_object_foreach((json_t *)value, name, member)
    {
        if (strcmp(name, key) == 0 || cloud_json_has_key(member, key))
            return true;
    }
    return false;
}
