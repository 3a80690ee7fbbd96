/* The value of a hexadecimal digit, for whoever undoes an escape. Knows no escapes. */
#ifndef FLUX_PROTO_HEX_H
#define FLUX_PROTO_HEX_H

/* 0 to 15, or -1 where it is none. */
static inline int flux_hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

#endif
