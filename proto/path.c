#include "proto/path.h"
#include "proto/utf8.h"
#include <string.h>

_Static_assert(FLUX_PATH_BYTES_MAX == 1024u, "flux_path_strerror() names the limit");

const char *flux_path_strerror(enum flux_path_error error)
{
    switch (error) {
    case FLUX_PATH_OK:
        return "the path is fine";
    case FLUX_PATH_EMPTY:
        return "the path is empty";
    case FLUX_PATH_EMPTY_KEY:
        return "the path contains an empty key";
    case FLUX_PATH_TOO_LONG:
        return "the path is longer than 1024 bytes";
    case FLUX_PATH_TOO_DEEP:
        return "the path has too many levels";
    case FLUX_PATH_NOT_UTF8:
        return "the path is not valid UTF-8";
    case FLUX_PATH_CONTROL:
        return "the path contains a control character";
    case FLUX_PATH_BAD_ESCAPE:
        return "the path contains a '~' that neither 0 nor 1 follows";
    case FLUX_PATH_NO_SLASH:
        return "the path is a JSON Pointer that does not begin with '/'";
    }
    return "unknown path error";
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Check one escaped key, which ends at `end` or at the next slash. Returns its size in *ret_size.
 */
static enum flux_path_error path_check_key(const char *key, const char *end, size_t *ret_size,
                                           unsigned char *all_bits)
{
    const char *c = key;
    for (; c < end && *c != '/'; c++) {
        *all_bits |= (unsigned char)*c;
        if (is_control(*c))
            return FLUX_PATH_CONTROL;
        if (*c == '~' && (c + 1 == end || (c[1] != '0' && c[1] != '1')))
            return FLUX_PATH_BAD_ESCAPE;
    }
    *ret_size = (size_t)(c - key);
    return c == key ? FLUX_PATH_EMPTY_KEY : FLUX_PATH_OK;
}

enum flux_path_error flux_path_check(const char *pointer, size_t size, unsigned *ret_depth)
{
    if (size == 0)
        return FLUX_PATH_EMPTY;
    if (size > FLUX_PATH_BYTES_MAX)
        return FLUX_PATH_TOO_LONG;
    if (pointer[0] != '/')
        return FLUX_PATH_NO_SLASH;

    const char *end = pointer + size;
    unsigned char all_bits = 0;
    unsigned depth = 0;
    for (const char *slash = pointer; slash < end;) {
        size_t key_size;
        enum flux_path_error error = path_check_key(slash + 1, end, &key_size, &all_bits);
        if (error != FLUX_PATH_OK)
            return error;
        if (++depth > FLUX_PATH_DEPTH_MAX)
            return FLUX_PATH_TOO_DEEP;
        slash += 1 + key_size;
    }
    if (all_bits >= 0x80 && !flux_utf8_is_valid(pointer, size))
        return FLUX_PATH_NOT_UTF8;
    if (ret_depth != NULL)
        *ret_depth = depth;
    return FLUX_PATH_OK;
}

enum flux_path_error flux_path_append(char *pointer, size_t *size, const char *key, size_t key_size)
{
    if (key_size == 0)
        return FLUX_PATH_EMPTY_KEY;
    if (*size >= FLUX_PATH_BYTES_MAX)
        return FLUX_PATH_TOO_LONG;
    if (!flux_utf8_is_valid(key, key_size))
        return FLUX_PATH_NOT_UTF8;

    size_t at = *size;
    pointer[at++] = '/';
    for (size_t i = 0; i < key_size; i++) {
        bool escaped = key[i] == '~' || key[i] == '/';
        if (is_control(key[i]))
            return FLUX_PATH_CONTROL;
        if (at + (escaped ? 2 : 1) > FLUX_PATH_BYTES_MAX)
            return FLUX_PATH_TOO_LONG;
        if (escaped)
            pointer[at++] = '~';
        pointer[at++] = !escaped ? key[i] : key[i] == '~' ? '0' : '1';
    }
    pointer[at] = '\0';
    *size = at;
    return FLUX_PATH_OK;
}

enum flux_path_error flux_path_canonical(const char *text,
                                         char ret_pointer[static FLUX_PATH_BYTES_MAX + 1])
{
    size_t size = 0;
    if (text[0] == '/') {
        /* One byte more than is allowed is enough to tell that it is too long. */
        size = strnlen(text, FLUX_PATH_BYTES_MAX + 1);
        enum flux_path_error error = flux_path_check(text, size, NULL);
        if (error == FLUX_PATH_OK)
            memcpy(ret_pointer, text, size + 1);
        return error;
    }
    if (text[0] == '\0')
        return FLUX_PATH_EMPTY;

    unsigned depth = 0;
    for (const char *key = text;; key++) {
        const char *dot = strchrnul(key, '.');
        if (++depth > FLUX_PATH_DEPTH_MAX)
            return FLUX_PATH_TOO_DEEP;
        enum flux_path_error error = flux_path_append(ret_pointer, &size, key, (size_t)(dot - key));
        if (error != FLUX_PATH_OK || *dot == '\0')
            return error;
        key = dot;
    }
}

bool flux_path_next_key(const char **cursor, const char *end,
                        char ret_key[static FLUX_PATH_BYTES_MAX + 1], size_t *ret_size)
{
    const char *c = *cursor;
    if (c >= end)
        return false;
    size_t size = 0;
    for (c++; c < end && *c != '/' && size < FLUX_PATH_BYTES_MAX; c++) {
        char plain = *c;
        if (plain == '~' && c + 1 < end)
            plain = *++c == '0' ? '~' : '/';
        ret_key[size++] = plain;
    }
    ret_key[size] = '\0';
    *ret_size = size;
    *cursor = c;
    return true;
}

bool flux_path_is_below(const char *pointer, size_t size, const char *ancestor,
                        size_t ancestor_size)
{
    return size > ancestor_size && pointer[ancestor_size] == '/' &&
           memcmp(pointer, ancestor, ancestor_size) == 0;
}
