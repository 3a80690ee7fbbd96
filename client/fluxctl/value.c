#include "client/fluxctl/value.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t count_digits(const char *text)
{
    return strspn(text, "0123456789");
}

/* Tell whether people would call it a number: digits with a sign, a point or an exponent. */
static bool looks_like_number(const char *text)
{
    if (*text == '-' || *text == '+')
        text++;
    size_t whole = count_digits(text), fraction = 0;
    text += whole;
    if (*text == '.') {
        fraction = count_digits(++text);
        text += fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        if (*text == '-' || *text == '+')
            text++;
        size_t exponent = count_digits(text);
        if (exponent == 0)
            return false;
        text += exponent;
    }
    return *text == '\0';
}

static bool parse_int64(const char *text, int64_t *ret_int64)
{
    char printed[32], *end = NULL;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    (void)snprintf(printed, sizeof(printed), "%lld", number);
    *ret_int64 = number;
    return strcmp(printed, text) == 0;
}

/* The exponent as the shadow shows it has no leading zeros: 1e-7, not 1e-07. */
static void trim_exponent(char *text)
{
    char *exponent = strchr(text, 'e');
    if (exponent == NULL)
        return;
    char *digits = exponent + 2;
    size_t zeros = strspn(digits, "0");
    memmove(digits, digits + zeros, strlen(digits + zeros) + 1);
}

static void print_shortest(double real, char ret_text[static FLUXCTL_NUMBER_SIZE])
{
    for (int digits = 1; digits <= 17; digits++) {
        (void)snprintf(ret_text, FLUXCTL_NUMBER_SIZE, "%.*g", digits, real);
        if (strtod(ret_text, NULL) == real)
            break;
    }
    trim_exponent(ret_text);
}

/* The shortest text that reads back equal must be the text that was given. */
static bool parse_double(const char *text, double *ret_real)
{
    char printed[FLUXCTL_NUMBER_SIZE];
    double real = strtod(text, NULL);
    if (!isfinite(real) || real == 0)
        return false;
    print_shortest(real, printed);
    *ret_real = real;
    return strcmp(printed, text) == 0;
}

static int parse_bare(const char *text, struct fluxctl_value *value)
{
    value->kind = FLUXCTL_VALUE_BOOL;
    value->boolean = strcmp(text, "true") == 0;
    if (value->boolean || strcmp(text, "false") == 0)
        return 0;
    if (!looks_like_number(text)) {
        value->kind = FLUXCTL_VALUE_STRING;
        return 0;
    }
    value->kind = FLUXCTL_VALUE_INT64;
    if (parse_int64(text, &value->int64))
        return 0;
    value->kind = FLUXCTL_VALUE_DOUBLE;
    if (strpbrk(text, ".e") != NULL && parse_double(text, &value->real))
        return 0;
    return -ERANGE;
}

/* Tell whether text that looks like a number is JSON that any 64-bit reader takes. */
static bool is_json_number(const char *text)
{
    const char *digits = text + (*text == '-' ? 1 : 0);
    size_t whole = count_digits(digits);
    const char *rest = digits + whole;
    if (whole == 0 || (whole > 1 && digits[0] == '0'))
        return false;
    if (*rest == '\0')
        return whole <= 18;
    return *rest != '.' || count_digits(rest + 1) > 0;
}

bool fluxctl_value_number(const char *text, char ret_number[static FLUXCTL_NUMBER_SIZE])
{
    double real = strtod(text, NULL);
    if (!isfinite(real))
        return false;
    /* Without a plus and zeros at its front the text may do as it is. */
    bool is_negative = *text == '-';
    text += *text == '-' || *text == '+' ? 1 : 0;
    while (text[0] == '0' && text[1] >= '0' && text[1] <= '9')
        text++;
    int size = snprintf(ret_number, FLUXCTL_NUMBER_SIZE, "%s%s", is_negative ? "-" : "", text);
    if (size < (int)FLUXCTL_NUMBER_SIZE && is_json_number(ret_number))
        return true;
    print_shortest(real, ret_number);
    return true;
}

int fluxctl_value_parse(const char *argument, bool string, struct fluxctl_value *ret_value)
{
    const char *equals = strchr(argument, '=');
    if (equals == NULL || equals == argument)
        return -EINVAL;
    struct fluxctl_value value = {
        .path_size = (size_t)(equals - argument),
        .text = equals + 1,
    };
    int r = 0;
    if (equals[-1] == ':') {
        value.path_size--;
        value.kind = FLUXCTL_VALUE_JSON;
        r = value.path_size > 0 ? 0 : -EINVAL;
    } else if (string) {
        value.kind = FLUXCTL_VALUE_STRING;
    } else {
        r = parse_bare(value.text, &value);
    }
    *ret_value = value;
    return r;
}
