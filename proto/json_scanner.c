#include "proto/json_scanner.h"
#include "proto/json_escape.h"
#include "proto/json_unescape.h"
#include "proto/number.h"
#include "proto/utf8.h"
#include <errno.h>
#include <string.h>

/* What may come next. */
enum scanner_state {
    SCANNER_DOCUMENT,     /* a value at top level, or the end of the input */
    SCANNER_DOCUMENT_END, /* the value at top level is complete */
    SCANNER_FIRST_KEY,    /* behind '{' */
    SCANNER_KEY,          /* behind ',' in an object */
    SCANNER_COLON,        /* behind a key */
    SCANNER_FIRST_VALUE,  /* behind '[' */
    SCANNER_VALUE,        /* behind ':', or behind ',' in an array */
    SCANNER_AFTER_VALUE,  /* ',' or the end of the object or array */
    SCANNER_FAILED,
};

void flux_json_scanner_init(struct flux_json_scanner *scanner, char *buffer, size_t buffer_size,
                            unsigned nesting_max)
{
    *scanner = (struct flux_json_scanner){
        .input = "",
        .buffer = buffer,
        .buffer_size = buffer_size,
        .nesting_max = nesting_max < FLUX_JSON_NESTING_MAX ? nesting_max : FLUX_JSON_NESTING_MAX,
        .state = SCANNER_DOCUMENT,
    };
}

void flux_json_scanner_feed(struct flux_json_scanner *scanner, const char *text, size_t size,
                            bool is_last)
{
    scanner->input_offset += scanner->position;
    scanner->position = 0;
    scanner->input = text;
    scanner->input_size = size;
    scanner->is_last = is_last;
}

static enum flux_json_event scanner_fail(struct flux_json_scanner *scanner, size_t position,
                                         int error, const char *text)
{
    scanner->state = SCANNER_FAILED;
    scanner->error = error;
    scanner->error_offset = scanner->input_offset + position;
    scanner->error_text = text;
    return FLUX_JSON_ERROR;
}

static enum flux_json_event scanner_malformed(struct flux_json_scanner *scanner, size_t position,
                                              const char *text)
{
    return scanner_fail(scanner, position, -EINVAL, text);
}

/* The input ends where it must not. */
static enum flux_json_event scanner_more(struct flux_json_scanner *scanner)
{
    if (!scanner->is_last)
        return FLUX_JSON_MORE;
    return scanner_malformed(scanner, scanner->input_size, "the text ends too early");
}

static bool scanner_is_in_object(const struct flux_json_scanner *scanner)
{
    unsigned level = scanner->depth - 1;
    return (scanner->in_object[level / 8] >> (level % 8) & 1) != 0;
}

/* A value is complete; the next step depends on what it stands in. */
static void scanner_finish_value(struct flux_json_scanner *scanner)
{
    scanner->state = scanner->depth == 0 ? SCANNER_DOCUMENT_END : SCANNER_AFTER_VALUE;
}

static enum flux_json_event scanner_open(struct flux_json_scanner *scanner, bool is_object)
{
    if (scanner->depth >= scanner->nesting_max)
        return scanner_fail(scanner, scanner->position, -E2BIG, "nested too deep");
    unsigned level = scanner->depth++;
    unsigned char bit = (unsigned char)(1u << (level % 8));
    if (is_object)
        scanner->in_object[level / 8] |= bit;
    else
        scanner->in_object[level / 8] &= (unsigned char)~bit;
    scanner->position++;
    scanner->state = is_object ? SCANNER_FIRST_KEY : SCANNER_FIRST_VALUE;
    return is_object ? FLUX_JSON_BEGIN_OBJECT : FLUX_JSON_BEGIN_ARRAY;
}

static enum flux_json_event scanner_close(struct flux_json_scanner *scanner)
{
    bool is_object = scanner_is_in_object(scanner);
    scanner->depth--;
    scanner->position++;
    scanner_finish_value(scanner);
    return is_object ? FLUX_JSON_END_OBJECT : FLUX_JSON_END_ARRAY;
}

/* Find the end of the string token at `position`. Returns 1 with the offset of its closing quote, 0
 * if it is cut off, -1 after an error. */
static int scanner_find_quote(struct flux_json_scanner *scanner, size_t *ret_end,
                              bool *ret_has_escapes)
{
    const char *input = scanner->input;
    size_t i = scanner->position + 1;
    *ret_has_escapes = false;
    for (;;) {
        i += flux_json_plain_size(input + i, scanner->input_size - i);
        if (i == scanner->input_size)
            return 0;
        if (input[i] == '"') {
            *ret_end = i;
            return 1;
        }
        if (input[i] != '\\') {
            scanner_malformed(scanner, i, "a control character in a string");
            return -1;
        }
        if (i + 1 == scanner->input_size)
            return 0;
        *ret_has_escapes = true;
        i += 2;
    }
}

static enum flux_json_event scanner_string(struct flux_json_scanner *scanner,
                                           enum flux_json_event event)
{
    size_t end;
    bool has_escapes;
    int found = scanner_find_quote(scanner, &end, &has_escapes);
    if (found <= 0)
        return found == 0 ? scanner_more(scanner) : FLUX_JSON_ERROR;

    size_t begin = scanner->position + 1;
    const char *text = scanner->input + begin;
    size_t size = end - begin;
    if (!flux_utf8_is_valid(text, size))
        return scanner_malformed(scanner, begin, "a string is not valid UTF-8");
    if (has_escapes) {
        size_t fault;
        const char *error = flux_json_unescape(text, size, scanner->buffer, scanner->buffer_size,
                                               &scanner->size, &fault);
        if (error != NULL)
            return scanner_fail(scanner, begin + fault,
                                error == flux_json_unescape_too_long ? -E2BIG : -EINVAL, error);
        scanner->text = scanner->buffer;
    } else {
        scanner->text = text;
        scanner->size = size;
    }
    scanner->position = end + 1;
    if (event == FLUX_JSON_KEY)
        scanner->state = SCANNER_COLON;
    else
        scanner_finish_value(scanner);
    return event;
}

/* Tell whether a number or a literal may end before the byte at `position`. */
static bool scanner_is_delimited(const struct flux_json_scanner *scanner, size_t position)
{
    return position == scanner->input_size ||
           memchr(" \t\r\n,]}", scanner->input[position], 7) != NULL;
}

static bool is_number_byte(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static enum flux_json_event scanner_number(struct flux_json_scanner *scanner)
{
    const char *text = scanner->input + scanner->position;
    size_t rest = scanner->input_size - scanner->position;
    size_t size = 0;
    bool is_integer = true;
    while (size < rest && is_number_byte(text[size])) {
        if (text[size] == '.' || (text[size] | 0x20) == 'e')
            is_integer = false;
        size++;
    }
    if (size > FLUX_NUMBER_INPUT_MAX)
        return scanner_fail(scanner, scanner->position, -E2BIG, "a number is too long");
    if (size == rest && !scanner->is_last)
        return FLUX_JSON_MORE;
    enum flux_number_kind kind = flux_number_parse(text, size, &scanner->int64, &scanner->real);
    if (kind == FLUX_NUMBER_INVALID || !scanner_is_delimited(scanner, scanner->position + size))
        return scanner_malformed(scanner, scanner->position,
                                 "not a number, or beyond the range of a double");
    scanner->is_overflow = kind == FLUX_NUMBER_DOUBLE && is_integer;
    scanner->position += size;
    scanner_finish_value(scanner);
    return kind == FLUX_NUMBER_INT64 ? FLUX_JSON_INT64 : FLUX_JSON_DOUBLE;
}

static enum flux_json_event scanner_literal(struct flux_json_scanner *scanner, const char *literal,
                                            enum flux_json_event event)
{
    size_t size = strlen(literal);
    size_t rest = scanner->input_size - scanner->position;
    size_t present = rest < size ? rest : size;
    if (memcmp(scanner->input + scanner->position, literal, present) != 0)
        return scanner_malformed(scanner, scanner->position, "an unknown word");
    if (rest < size || (rest == size && !scanner->is_last))
        return scanner_more(scanner);
    if (!scanner_is_delimited(scanner, scanner->position + size))
        return scanner_malformed(scanner, scanner->position, "an unknown word");
    scanner->boolean = literal[0] == 't';
    scanner->position += size;
    scanner_finish_value(scanner);
    return event;
}

static enum flux_json_event scanner_value(struct flux_json_scanner *scanner)
{
    char c = scanner->input[scanner->position];
    switch (c) {
    case '{':
    case '[':
        return scanner_open(scanner, c == '{');
    case '"':
        return scanner_string(scanner, FLUX_JSON_STRING);
    case 't':
        return scanner_literal(scanner, "true", FLUX_JSON_BOOL);
    case 'f':
        return scanner_literal(scanner, "false", FLUX_JSON_BOOL);
    case 'n':
        return scanner_literal(scanner, "null", FLUX_JSON_NULL);
    default:
        if (c == '-' || (c >= '0' && c <= '9'))
            return scanner_number(scanner);
        return scanner_malformed(scanner, scanner->position, "a value is expected");
    }
}

static void scanner_skip_whitespace(struct flux_json_scanner *scanner)
{
    size_t i = scanner->position;
    while (i < scanner->input_size && memchr(" \t\r\n", scanner->input[i], 4) != NULL)
        i++;
    scanner->position = i;
}

/* Step over a comma or a colon. Returns false if there was none and an event is to be told. */
static bool scanner_punctuate(struct flux_json_scanner *scanner, char c)
{
    size_t position = scanner->position;
    if (scanner->state == SCANNER_COLON) {
        if (c != ':') {
            scanner_malformed(scanner, position, "':' is expected behind a key");
            return false;
        }
        scanner->state = SCANNER_VALUE;
    } else {
        bool is_in_object = scanner_is_in_object(scanner);
        if (c != ',') {
            scanner_malformed(scanner, position,
                              is_in_object ? "',' or '}' is expected" : "',' or ']' is expected");
            return false;
        }
        scanner->state = is_in_object ? SCANNER_KEY : SCANNER_VALUE;
    }
    scanner->position++;
    return true;
}

/* Tell whether `c` may close the innermost object or array right here. */
static bool scanner_may_close(const struct flux_json_scanner *scanner, char c)
{
    switch ((enum scanner_state)scanner->state) {
    case SCANNER_FIRST_KEY:
        return c == '}';
    case SCANNER_FIRST_VALUE:
        return c == ']';
    case SCANNER_AFTER_VALUE:
        return c == (scanner_is_in_object(scanner) ? '}' : ']');
    case SCANNER_DOCUMENT:
    case SCANNER_DOCUMENT_END:
    case SCANNER_KEY:
    case SCANNER_COLON:
    case SCANNER_VALUE:
    case SCANNER_FAILED:
        break;
    }
    return false;
}

enum flux_json_event flux_json_scanner_next(struct flux_json_scanner *scanner)
{
    for (;;) {
        if (scanner->state == SCANNER_FAILED)
            return FLUX_JSON_ERROR;
        if (scanner->state == SCANNER_DOCUMENT_END) {
            scanner->state = SCANNER_DOCUMENT;
            return FLUX_JSON_END_DOCUMENT;
        }
        scanner_skip_whitespace(scanner);
        scanner->token_offset = scanner->input_offset + scanner->position;
        if (scanner->position == scanner->input_size)
            return scanner->state == SCANNER_DOCUMENT ? FLUX_JSON_END_INPUT : scanner_more(scanner);
        char c = scanner->input[scanner->position];
        if (scanner_may_close(scanner, c))
            return scanner_close(scanner);
        if (scanner->state == SCANNER_FIRST_KEY || scanner->state == SCANNER_KEY) {
            if (c == '"')
                return scanner_string(scanner, FLUX_JSON_KEY);
            return scanner_malformed(scanner, scanner->position, "a key is expected");
        }
        if (scanner->state != SCANNER_COLON && scanner->state != SCANNER_AFTER_VALUE)
            return scanner_value(scanner);
        if (!scanner_punctuate(scanner, c))
            return FLUX_JSON_ERROR;
    }
}

int flux_json_depth_check(const char *text, size_t size, unsigned nesting_max)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > nesting_max)
                return -E2BIG;
        } else if ((c == '}' || c == ']') && depth > 0) {
            depth--;
        }
    }
    return 0;
}
