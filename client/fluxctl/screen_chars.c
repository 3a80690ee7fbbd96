#include "client/fluxctl/screen_chars.h"

#define REPLACEMENT 0xfffdu

struct range {
    uint32_t first, last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++)
        if (character >= ranges[i].first && character <= ranges[i].last)
            return true;
    return false;
}

bool screen_is_harmless(uint32_t character)
{
    static const struct range harmful[] =
        {
            {0x00, 0x1f},   /* C0: escape sequences, new lines */
            {0x7f, 0x9f},   /* DEL, and C1 with the one-byte CSI */
            {0xad, 0xad},   /* soft hyphen */
            {0x300, 0x36f}, /* what combines can grow over other lines */
            {0x61c, 0x61c}, /* directions */
            {0x180e, 0x180e}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
            {0x200b, 0x200f},                   /* invisible, directions */
            {0x2028, 0x202e},                   /* separators, directions */
            {0x2060, 0x206f},                   /* invisible, directions */
            {0x20d0, 0x20ff}, {0xd800, 0xdfff}, /* surrogates */
            {0xe000, 0xf8ff},                   /* private */
            {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
            {0xfff0, 0xfffb}, {0xfffe, 0xffff}, {0xe0000, 0x10ffff}, /* tags, variations, private */
        };
    return !is_in(harmful, sizeof(harmful) / sizeof(harmful[0]), character);
}

unsigned screen_columns_of(uint32_t character)
{
    static const struct range wide[] = {
        {0x1100, 0x11ff}, {0x2300, 0x23ff}, {0x25a0, 0x27bf},   {0x2b00, 0x2bff},
        {0x2e80, 0xa4cf}, {0xa960, 0xa97f}, {0xac00, 0xd7ff},   {0xf900, 0xfaff},
        {0xfe30, 0xfe6f}, {0xff00, 0xffef}, {0x16fe0, 0x1b2ff}, {0x1f000, 0x3ffff},
    };
    return is_in(wide, sizeof(wide) / sizeof(wide[0]), character) ? 2 : 1;
}

size_t screen_take_utf8(const char *text, size_t size, uint32_t *ret_character)
{
    if (size == 0)
        return 0;
    const unsigned char *bytes = (const unsigned char *)text;
    *ret_character = REPLACEMENT;
    if (bytes[0] < 0x80) {
        *ret_character = bytes[0];
        return 1;
    }
    size_t length = bytes[0] >= 0xf0 ? 4 : bytes[0] >= 0xe0 ? 3 : 2;
    if (bytes[0] < 0xc2 || bytes[0] > 0xf4 || length > size)
        return 1;
    uint32_t character = bytes[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 1;
        character = character << 6 | (bytes[i] & 0x3f);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (character >= smallest[length] && character <= 0x10ffff)
        *ret_character = character;
    return length;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX. Returns false where they are none. */
static bool take_unit(const char *text, size_t size, uint32_t *ret_unit)
{
    if (size < 6 || text[0] != '\\' || text[1] != 'u')
        return false;
    *ret_unit = 0;
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return false;
        *ret_unit = *ret_unit << 4 | (uint32_t)digit;
    }
    return true;
}

static size_t take_escape(const char *text, size_t size, uint32_t *ret_character)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    uint32_t low;
    if (take_unit(text, size, ret_character)) {
        if (*ret_character < 0xd800 || *ret_character > 0xdbff)
            return 6;
        if (!take_unit(text + 6, size - 6, &low) || low < 0xdc00 || low > 0xdfff)
            return 6;
        *ret_character = 0x10000 + ((*ret_character - 0xd800) << 10) + (low - 0xdc00);
        return 12;
    }
    if (size < 2)
        return screen_take_utf8(text, size, ret_character);
    for (size_t i = 0; letters[i] != '\0'; i++) {
        if (text[1] == letters[i]) {
            *ret_character = (unsigned char)meanings[i];
            return 2;
        }
    }
    return 1 + screen_take_utf8(text + 1, size - 1, ret_character);
}

size_t screen_take_json(const char *text, size_t size, uint32_t *ret_character)
{
    if (size > 0 && text[0] == '\\')
        return take_escape(text, size, ret_character);
    return screen_take_utf8(text, size, ret_character);
}

size_t screen_write_utf8(uint32_t character, char ret_bytes[static 4])
{
    if (character < 0x80) {
        ret_bytes[0] = (char)character;
        return 1;
    }
    size_t length = character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    for (size_t i = length - 1; i > 0; i--) {
        ret_bytes[i] = (char)(0x80 | (character & 0x3f));
        character >>= 6;
    }
    ret_bytes[0] = (char)((0xf00u >> length & 0xff) | character);
    return length;
}
