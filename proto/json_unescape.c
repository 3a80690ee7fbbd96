#include "proto/json_unescape.h"
#include "proto/hex.h"
#include "proto/json_escape.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

const char flux_json_unescape_too_long[] = "a string is too long";

/* Longest UTF-8 of one character. */
#define CHARACTER_BYTES_MAX 4u

/* Read `\uXXXX` at `text`. Returns false if that is not there. */
static bool read_unit(const char *text, size_t size, uint32_t *ret_unit)
{
    if (size < 6 || text[0] != '\\' || text[1] != 'u')
        return false;
    uint32_t unit = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = flux_hex_digit(text[i]);
        if (digit < 0)
            return false;
        unit = unit << 4 | (uint32_t)digit;
    }
    *ret_unit = unit;
    return true;
}

static size_t encode_utf8(uint32_t code_point, char ret_bytes[static CHARACTER_BYTES_MAX])
{
    if (code_point < 0x80) {
        ret_bytes[0] = (char)code_point;
        return 1;
    }
    size_t more = code_point < 0x800 ? 1 : code_point < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    ret_bytes[0] = (char)(leads[more] | code_point >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        ret_bytes[i] = (char)(0x80 | (code_point >> (6 * (more - i)) & 0x3f));
    return more + 1;
}

/* Read one `\u` escape, or the two of a pair. Returns NULL with the character's UTF-8 in ret_bytes,
 * its size in *ret_size and the escape's own in *ret_read; or what is wrong. */
static const char *read_unicode(const char *text, size_t size,
                                char ret_bytes[static CHARACTER_BYTES_MAX], size_t *ret_size,
                                size_t *ret_read)
{
    uint32_t unit, low;
    if (!read_unit(text, size, &unit))
        return "a \\u escape needs four hexadecimal digits";
    if (unit == 0)
        return "\\u0000 in a string";
    *ret_read = 6;
    if (unit >= 0xd800 && unit <= 0xdfff) {
        if (unit > 0xdbff || !read_unit(text + 6, size - 6, &low) || low < 0xdc00 || low > 0xdfff)
            return "half of a surrogate pair";
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        *ret_read = 12;
    }
    *ret_size = encode_utf8(unit, ret_bytes);
    return NULL;
}

/* Read one escape; see read_unicode(). */
static const char *read_escape(const char *text, size_t size,
                               char ret_bytes[static CHARACTER_BYTES_MAX], size_t *ret_size,
                               size_t *ret_read)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (size >= 2 && text[1] == 'u')
        return read_unicode(text, size, ret_bytes, ret_size, ret_read);
    const char *letter = size >= 2 ? memchr(letters, text[1], sizeof(letters) - 1) : NULL;
    if (letter == NULL)
        return "an unknown escape in a string";
    ret_bytes[0] = meanings[letter - letters];
    *ret_size = 1;
    *ret_read = 2;
    return NULL;
}

const char *flux_json_unescape(const char *text, size_t size, char *buffer, size_t buffer_size,
                               size_t *ret_size, size_t *ret_fault)
{
    size_t written = 0;
    for (size_t i = 0; i < size;) {
        char bytes[CHARACTER_BYTES_MAX];
        const char *piece = text + i;
        size_t piece_size = flux_json_plain_size(piece, size - i);
        size_t read = piece_size;
        *ret_fault = i;
        if (piece_size == 0) {
            const char *error = read_escape(text + i, size - i, bytes, &piece_size, &read);
            if (error != NULL)
                return error;
            piece = bytes;
        }
        if (piece_size > buffer_size - written)
            return flux_json_unescape_too_long;
        memcpy(buffer + written, piece, piece_size);
        written += piece_size;
        i += read;
    }
    *ret_size = written;
    return NULL;
}
