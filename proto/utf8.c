#include "proto/utf8.h"

/* The bytes that follow a lead byte, and the range of the first of them, which keeps out overlong
 * forms, surrogates and what lies beyond U+10FFFF. Returns false for a byte that cannot lead. */
static bool utf8_lead(unsigned char lead, size_t *ret_more, unsigned char *ret_low,
                      unsigned char *ret_high)
{
    *ret_low = 0x80;
    *ret_high = 0xbf;
    if (lead >= 0xc2 && lead <= 0xdf) {
        *ret_more = 1;
    } else if (lead >= 0xe0 && lead <= 0xef) {
        *ret_more = 2;
        *ret_low = lead == 0xe0 ? 0xa0 : 0x80;
        *ret_high = lead == 0xed ? 0x9f : 0xbf;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
        *ret_more = 3;
        *ret_low = lead == 0xf0 ? 0x90 : 0x80;
        *ret_high = lead == 0xf4 ? 0x8f : 0xbf;
    } else {
        return false;
    }
    return true;
}

bool flux_utf8_is_valid(const char *text, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t i = 0;
    while (i < size) {
        if (bytes[i] < 0x80) {
            i++;
            continue;
        }
        size_t more;
        unsigned char low, high;
        if (!utf8_lead(bytes[i], &more, &low, &high) || more >= size - i)
            return false;
        if (bytes[i + 1] < low || bytes[i + 1] > high)
            return false;
        for (size_t k = 2; k <= more; k++)
            if ((bytes[i + k] & 0xc0) != 0x80)
                return false;
        i += more + 1;
    }
    return true;
}
