#include "proto/json_escape.h"
#include <stdbool.h>
#include <string.h>

static bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte != '"' && byte != '\\';
}

/* The letter of a two-byte escape, or 0. */
static char short_escape(unsigned char byte)
{
    switch (byte) {
    case '"':
    case '\\':
        return (char)byte;
    case '\b':
        return 'b';
    case '\f':
        return 'f';
    case '\n':
        return 'n';
    case '\r':
        return 'r';
    case '\t':
        return 't';
    default:
        return 0;
    }
}

size_t flux_json_escape(unsigned char byte, char ret_text[static FLUX_JSON_ESCAPE_MAX])
{
    if (is_plain(byte)) {
        ret_text[0] = (char)byte;
        return 1;
    }
    ret_text[0] = '\\';
    char letter = short_escape(byte);
    if (letter != 0) {
        ret_text[1] = letter;
        return 2;
    }
    static const char hex[] = "0123456789abcdef";
    memcpy(ret_text + 1, "u00", 3);
    ret_text[4] = hex[byte >> 4];
    ret_text[5] = hex[byte & 15];
    return 6;
}

size_t flux_json_plain_size(const char *text, size_t size)
{
    size_t plain = 0;
    while (plain < size && is_plain((unsigned char)text[plain]))
        plain++;
    return plain;
}

size_t flux_json_string_size(const char *text, size_t size)
{
    char escape[FLUX_JSON_ESCAPE_MAX];
    size_t total = size + 2;
    for (size_t i = 0; i < size; i++) {
        if (!is_plain((unsigned char)text[i]))
            total += flux_json_escape((unsigned char)text[i], escape) - 1;
    }
    return total;
}
