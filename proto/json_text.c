#include "proto/json_text.h"
#include "proto/number.h"
#include <stdint.h>
#include <string.h>

/* Bytes of text that one comparison may look at in search of keys in another order. */
#define SEARCH_BYTES_MAX (1u << 20)

/* Characters of a string token that are none. */
#define CHAR_END     (-1) /* the closing quote */
#define CHAR_INVALID (-2)

struct cursor {
    const char *at;
    const char *end;
};

static char peek(const struct cursor *cursor)
{
    return cursor->at < cursor->end ? *cursor->at : '\0';
}

static bool take(struct cursor *cursor, char c)
{
    if (peek(cursor) != c || cursor->at == cursor->end)
        return false;
    cursor->at++;
    return true;
}

static int32_t next_hex4(struct cursor *cursor)
{
    if (cursor->end - cursor->at < 4)
        return CHAR_INVALID;
    int32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        char c = *cursor->at++;
        int digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20) - 'a' + 10;
        else
            return CHAR_INVALID;
        unit = unit * 16 + digit;
    }
    return unit;
}

/* Behind the backslash. */
static int32_t next_escaped(struct cursor *cursor)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (take(cursor, 'u')) {
        int32_t unit = next_hex4(cursor);
        if (unit < 0xd800 || unit > 0xdbff)
            return unit;
        if (!take(cursor, '\\') || !take(cursor, 'u'))
            return CHAR_INVALID;
        int32_t low = next_hex4(cursor);
        if (low < 0xdc00 || low > 0xdfff)
            return CHAR_INVALID;
        return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    char c = peek(cursor);
    const char *letter = c != '\0' ? strchr(letters, c) : NULL;
    if (letter == NULL)
        return CHAR_INVALID;
    cursor->at++;
    return meanings[letter - letters];
}

/* Step over one character of a string token. The UTF-8 has been checked; only the end is watched.
 */
static int32_t next_char(struct cursor *cursor)
{
    if (cursor->at == cursor->end)
        return CHAR_INVALID;
    unsigned char lead = (unsigned char)*cursor->at++;
    if (lead == '"')
        return CHAR_END;
    if (lead == '\\')
        return next_escaped(cursor);
    if (lead < 0x80)
        return lead;
    int more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
    int32_t code = lead & (0x3f >> more);
    while (more-- > 0) {
        if (cursor->at == cursor->end)
            return CHAR_INVALID;
        code = (code << 6) | ((unsigned char)*cursor->at++ & 0x3f);
    }
    return code;
}

/* Compare two string tokens and step over them; after false the cursors are anywhere inside. */
static bool strings_equal(struct cursor *a, struct cursor *b)
{
    if (!take(a, '"') || !take(b, '"'))
        return false;
    for (;;) {
        int32_t from_a = next_char(a);
        int32_t from_b = next_char(b);
        if (from_a != from_b || from_a == CHAR_INVALID)
            return false;
        if (from_a == CHAR_END)
            return true;
    }
}

static bool skip_string(struct cursor *cursor)
{
    if (!take(cursor, '"'))
        return false;
    while (cursor->at < cursor->end) {
        char c = *cursor->at++;
        if (c == '"')
            return true;
        if (c == '\\' && cursor->at < cursor->end)
            cursor->at++;
    }
    return false;
}

static bool ends_scalar(char c)
{
    return c == ',' || c == ']' || c == '}';
}

/* Step over a value of any kind. */
static bool skip_value(struct cursor *cursor)
{
    size_t open = 0;
    while (cursor->at < cursor->end) {
        char c = peek(cursor);
        if (open == 0 && ends_scalar(c))
            return true;
        if (c == '"') {
            if (!skip_string(cursor))
                return false;
            continue;
        }
        if (c == '[' || c == '{')
            open++;
        else if (c == ']' || c == '}')
            open--;
        cursor->at++;
    }
    return open == 0;
}

/* Compare two numbers or literals and step over them. */
static bool scalars_equal(struct cursor *a, struct cursor *b)
{
    const char *a_text = a->at, *b_text = b->at;
    while (a->at < a->end && !ends_scalar(*a->at))
        a->at++;
    while (b->at < b->end && !ends_scalar(*b->at))
        b->at++;
    size_t a_size = (size_t)(a->at - a_text), b_size = (size_t)(b->at - b_text);
    if (a_size == b_size && memcmp(a_text, b_text, a_size) == 0)
        return true;
    int64_t a_int64 = 0, b_int64 = 0;
    double a_real = 0, b_real = 0;
    enum flux_number_kind a_kind = flux_number_parse(a_text, a_size, &a_int64, &a_real);
    enum flux_number_kind b_kind = flux_number_parse(b_text, b_size, &b_int64, &b_real);
    if (a_kind == FLUX_NUMBER_INVALID || b_kind == FLUX_NUMBER_INVALID)
        return false;
    if (a_kind == b_kind)
        return a_kind == FLUX_NUMBER_INT64 ? a_int64 == b_int64 : a_real == b_real;
    return a_kind == FLUX_NUMBER_INT64 ? flux_number_equal(a_int64, b_real)
                                       : flux_number_equal(b_int64, a_real);
}

/* An open container on both sides. */
struct frame {
    bool is_object;
    bool fresh;          /* nothing has been read in it */
    bool reordered;      /* some key of b was found out of turn */
    const char *a_begin; /* behind the opening brace */
    const char *b_begin;
};

struct comparison {
    struct cursor a, b;
    struct frame stack[FLUX_JSON_TEXT_NESTING_MAX];
    size_t open;
    size_t searched_bytes;
};

/* Search an object, from behind its opening brace, for the key at `key`. Leaves `object` at the
 * value found. */
static bool find_key(struct comparison *comparison, struct cursor *object, struct cursor key)
{
    while (peek(object) == '"') {
        const char *begin = object->at;
        struct cursor wanted = key, candidate = *object;
        if (strings_equal(&wanted, &candidate) && take(&candidate, ':')) {
            *object = candidate;
            return true;
        }
        if (!skip_string(object) || !take(object, ':') || !skip_value(object))
            return false;
        comparison->searched_bytes += (size_t)(object->at - begin);
        if (comparison->searched_bytes > SEARCH_BYTES_MAX)
            return false;
        if (!take(object, ','))
            return false;
    }
    return false;
}

/* Both cursors stand at a member's key of a, and at the member of b whose turn it would be. Leaves
 * both at the values to compare. */
static bool match_member(struct comparison *comparison, struct frame *frame, bool b_has_member)
{
    struct cursor key = comparison->a, in_turn = comparison->b;
    if (!b_has_member || !strings_equal(&key, &in_turn)) {
        key = comparison->a;
        in_turn = (struct cursor){frame->b_begin, comparison->b.end};
        frame->reordered = true;
        if (!find_key(comparison, &in_turn, key))
            return false;
        comparison->b = in_turn;
        return skip_string(&comparison->a) && take(&comparison->a, ':');
    }
    comparison->a = key;
    comparison->b = in_turn;
    return take(&comparison->a, ':') && take(&comparison->b, ':');
}

/* All members of a have been found in b. Is there more in b? */
static bool close_object(struct comparison *comparison, const struct frame *frame)
{
    if (!frame->reordered)
        return take(&comparison->b, '}');
    struct cursor b = {frame->b_begin, comparison->b.end};
    do {
        struct cursor a = {frame->a_begin, comparison->a.end};
        if (!find_key(comparison, &a, b))
            return false;
        if (!skip_string(&b) || !take(&b, ':') || !skip_value(&b))
            return false;
    } while (take(&b, ','));
    comparison->b = b;
    return take(&comparison->b, '}');
}

/* Behind a value, or behind the opening of a container: go on to the next pair of values, closing
 * containers on the way. *ret_done says that there is none. */
static bool go_on(struct comparison *comparison, bool *ret_done)
{
    while (comparison->open > 0) {
        struct frame *frame = &comparison->stack[comparison->open - 1];
        if (take(&comparison->a, frame->is_object ? '}' : ']')) {
            if (frame->is_object ? !close_object(comparison, frame) : !take(&comparison->b, ']'))
                return false;
            comparison->open--;
            continue;
        }
        bool fresh = frame->fresh;
        frame->fresh = false;
        if (!fresh && !take(&comparison->a, ','))
            return false;
        bool b_has_more = fresh || take(&comparison->b, ',');
        if (frame->is_object)
            return match_member(comparison, frame, b_has_more);
        return b_has_more;
    }
    *ret_done = true;
    return true;
}

static bool open_container(struct comparison *comparison, bool is_object)
{
    if (comparison->open == FLUX_JSON_TEXT_NESTING_MAX)
        return false;
    comparison->a.at++;
    comparison->b.at++;
    comparison->stack[comparison->open++] = (struct frame){
        .is_object = is_object,
        .fresh = true,
        .a_begin = comparison->a.at,
        .b_begin = comparison->b.at,
    };
    return true;
}

bool flux_json_text_equal(const char *a, size_t a_size, const char *b, size_t b_size)
{
    struct comparison comparison;
    comparison.a = (struct cursor){a, a + a_size};
    comparison.b = (struct cursor){b, b + b_size};
    comparison.open = 0;
    comparison.searched_bytes = 0;
    bool done = false;
    while (!done) {
        char first = peek(&comparison.a);
        bool same;
        if (first == '[' || first == '{')
            same = peek(&comparison.b) == first && open_container(&comparison, first == '{');
        else if (first == '"')
            same = strings_equal(&comparison.a, &comparison.b);
        else
            same = scalars_equal(&comparison.a, &comparison.b);
        if (!same || !go_on(&comparison, &done))
            return false;
    }
    return comparison.a.at == comparison.a.end && comparison.b.at == comparison.b.end;
}

unsigned flux_json_text_depth(const char *text, size_t size)
{
    struct cursor cursor = {text, text + size};
    unsigned open = 0, deepest = 0;
    while (cursor.at < cursor.end) {
        char c = *cursor.at;
        if (c == '"') {
            if (!skip_string(&cursor))
                break;
            continue;
        }
        if (c == '{')
            open++;
        else if (c == '}' && open > 0)
            open--;
        else if (c == ':' && open > deepest)
            deepest = open;
        cursor.at++;
    }
    return deepest;
}
