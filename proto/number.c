#include "proto/number.h"
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

size_t flux_number_format_uint64(char ret_text[static FLUX_NUMBER_TEXT_MAX], uint64_t number)
{
    char digits[FLUX_NUMBER_TEXT_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number != 0);
    for (size_t i = 0; i < count; i++)
        ret_text[i] = digits[count - 1 - i];
    ret_text[count] = '\0';
    return count;
}

size_t flux_number_format_int64(char ret_text[static FLUX_NUMBER_TEXT_MAX], int64_t number)
{
    if (number >= 0)
        return flux_number_format_uint64(ret_text, (uint64_t)number);
    char digits[FLUX_NUMBER_TEXT_MAX];
    size_t size = flux_number_format_uint64(digits, (uint64_t)0 - (uint64_t)number);
    ret_text[0] = '-';
    memcpy(ret_text + 1, digits, size + 1);
    return size + 1;
}

/* Turn what printf wrote into JSON: the locale's decimal point (of any length) becomes ".", and the
 * exponent loses its leading zeros. */
static size_t to_json(char ret_text[static FLUX_NUMBER_TEXT_MAX], const char *printed)
{
    size_t size = 0;
    for (const char *c = printed; *c != '\0' && size + 1 < FLUX_NUMBER_TEXT_MAX; c++) {
        bool in_exponent = size >= 2 && ret_text[size - 2] == 'e';
        if (in_exponent && *c == '0' && c[1] != '\0')
            continue;
        bool plain = is_digit(*c) || *c == '-' || *c == '+' || *c == 'e';
        if (plain)
            ret_text[size++] = *c;
        else if (size == 0 || ret_text[size - 1] != '.')
            ret_text[size++] = '.';
    }
    ret_text[size] = '\0';
    return size;
}

#define SHORT_DECIMALS_MAX 6u

static uint64_t nearest(double magnitude)
{
    return (uint64_t)(magnitude + 0.5); /* below 1e15: no libm for this */
}

/* Write a number with few decimals, as sensors give them, without the costly detour over printf.
 * Both `scaled` and the power of ten are exact, so their quotient is the double nearest to the
 * decimal; and no two decimals of at most 15 digits are nearest to the same double: what is written
 * reads back equal, and nothing shorter does. Returns 0 where the number is not of this kind. */
static size_t format_short(char ret_text[static FLUX_NUMBER_TEXT_MAX], double real)
{
    static const double powers[SHORT_DECIMALS_MAX + 1] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    double magnitude = fabs(real);
    if (!(magnitude >= 1e-4 && magnitude < 1e9)) /* printf leaves out the exponent in this range */
        return 0;
    size_t decimals = 1;
    while (decimals <= SHORT_DECIMALS_MAX &&
           (double)nearest(magnitude * powers[decimals]) / powers[decimals] != magnitude)
        decimals++;
    if (decimals > SHORT_DECIMALS_MAX)
        return 0;
    uint64_t power = (uint64_t)powers[decimals];
    uint64_t scaled = nearest(magnitude * powers[decimals]);
    size_t size = flux_number_format_int64(ret_text, (int64_t)(scaled / power));
    if (real < 0) {
        memmove(ret_text + 1, ret_text, size);
        ret_text[0] = '-';
        size++;
    }
    ret_text[size++] = '.';
    uint64_t fraction = scaled % power;
    for (size_t i = decimals; i-- > 0; fraction /= 10)
        ret_text[size + i] = (char)('0' + fraction % 10);
    size += decimals;
    ret_text[size] = '\0';
    return size;
}

size_t flux_number_format(char ret_text[static FLUX_NUMBER_TEXT_MAX], double real)
{
    if (fabs(real) < 1e15 && real == (double)(int64_t)real)
        return flux_number_format_int64(ret_text, (int64_t)real);
    size_t size = format_short(ret_text, real);
    if (size > 0)
        return size;
    /* Fifteen digits survive decimal -> double -> decimal, so for a normal double fewer are never
     * needed: trailing zeros are not printed. A subnormal one may need only one. */
    int digits = fabs(real) < DBL_MIN ? 1 : DBL_DIG;
    char printed[64];
    do {
        snprintf(printed, sizeof(printed), "%.*g", digits, real);
    } while (digits++ < DBL_DECIMAL_DIG && strtod(printed, NULL) != real);
    return to_json(ret_text, printed);
}

/* Check JSON's grammar of numbers; tell apart the integers. */
static enum flux_number_kind number_grammar(const char *text, size_t size)
{
    enum flux_number_kind kind = FLUX_NUMBER_INT64;
    size_t i = size > 0 && text[0] == '-' ? 1 : 0;
    if (i == size || !is_digit(text[i]))
        return FLUX_NUMBER_INVALID;
    if (text[i++] != '0')
        while (i < size && is_digit(text[i]))
            i++;
    if (i < size && text[i] == '.') {
        kind = FLUX_NUMBER_DOUBLE;
        size_t begin = ++i;
        while (i < size && is_digit(text[i]))
            i++;
        if (i == begin)
            return FLUX_NUMBER_INVALID;
    }
    if (i < size && (text[i] == 'e' || text[i] == 'E')) {
        kind = FLUX_NUMBER_DOUBLE;
        i++;
        if (i < size && (text[i] == '+' || text[i] == '-'))
            i++;
        size_t begin = i;
        while (i < size && is_digit(text[i]))
            i++;
        if (i == begin)
            return FLUX_NUMBER_INVALID;
    }
    return i == size ? kind : FLUX_NUMBER_INVALID;
}

/* Returns false when it does not fit. The grammar has been checked. */
static bool parse_int64(const char *text, size_t size, int64_t *ret_int64)
{
    bool negative = text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    uint64_t magnitude = 0;
    for (size_t i = negative ? 1 : 0; i < size; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (magnitude > (limit - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    if (negative)
        *ret_int64 = magnitude == limit ? INT64_MIN : -(int64_t)magnitude;
    else
        *ret_int64 = (int64_t)magnitude;
    return true;
}

/* strtod() of another locale stops at the point: give it the one it expects, which printf knows. */
static double parse_with_locale_point(const char *text, const char *point)
{
    char printed[32];
    snprintf(printed, sizeof(printed), "%.1f", 0.5);
    char buffer[FLUX_NUMBER_INPUT_MAX + sizeof(printed)];
    int point_size = (int)strlen(printed) - 2;
    snprintf(buffer, sizeof(buffer), "%.*s%.*s%s", (int)(point - text), text, point_size,
             printed + 1, point + 1);
    return strtod(buffer, NULL);
}

enum flux_number_kind flux_number_parse(const char *text, size_t size, int64_t *ret_int64,
                                        double *ret_real)
{
    enum flux_number_kind kind = number_grammar(text, size);
    if (kind == FLUX_NUMBER_INVALID)
        return kind;
    if (kind == FLUX_NUMBER_INT64 && parse_int64(text, size, ret_int64))
        return kind;
    if (size > FLUX_NUMBER_INPUT_MAX)
        return FLUX_NUMBER_INVALID;
    char buffer[FLUX_NUMBER_INPUT_MAX + 1];
    memcpy(buffer, text, size);
    buffer[size] = '\0';
    char *end;
    double real = strtod(buffer, &end);
    if (*end == '.')
        real = parse_with_locale_point(buffer, end);
    if (!isfinite(real))
        return FLUX_NUMBER_INVALID;
    *ret_real = real;
    return FLUX_NUMBER_DOUBLE;
}

bool flux_number_equal(int64_t int64, double real)
{
    /* 2^63 is exact as a double, INT64_MAX is not: below it, an integral double converts without
     * loss, while the integer converted to double might round onto a neighbour. */
    if (!(real >= -0x1p63 && real < 0x1p63))
        return false;
    return (int64_t)real == int64 && (double)int64 == real;
}
