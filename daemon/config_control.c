#include "daemon/config_control.h"

#include <stddef.h>

/* Returns the size of the control character that `text` begins with; 0: it is none. */
static size_t control_size(const char *text)
{
    const unsigned char first = (unsigned char)text[0], second = first ? (unsigned char)text[1] : 0;
    if (first == 0xc2 && second >= 0x80 && second < 0xa0) /* U+0080 to U+009F */
        return 2;
    return (first > 0 && first < 0x20 && first != '\t') || first == 0x7f;
}

static bool is_line_end(const char *text)
{
    return text[0] == '\n' || (text[0] == '\r' && (text[1] == '\n' || text[1] == '\0'));
}

bool config_control_is_in(const char *text)
{
    for (; *text; text++) {
        if (control_size(text) > 0 && !is_line_end(text))
            return true;
    }
    return false;
}

void config_control_clean(char *text)
{
    for (; *text; text++) {
        const size_t size = control_size(text);
        for (size_t i = 0; i < size; i++)
            text[i] = '?';
    }
}
