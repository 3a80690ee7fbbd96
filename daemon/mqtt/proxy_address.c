#include "daemon/mqtt/proxy_address.h"

#include "proto/hex.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "http://";
#define SCHEME_SIZE (sizeof(scheme) - 1)

/* A part of the text. */
struct part {
    const char *start;
    size_t size;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* RFC 3986: what may stand in user and password as it is. */
static bool stands_for_itself(char c)
{
    return is_letter_or_digit(c) || (c != '\0' && strchr("-._~!$&'()*+,;=:", c));
}

/* Read one character of user or password, `*at` moves behind it. Returns NULL, or what is wrong. */
static const char *decode_one(struct part from, size_t *at, char *ret_byte)
{
    if (from.start[*at] != '%') {
        *ret_byte = from.start[(*at)++];
        return stands_for_itself(*ret_byte)
                   ? NULL
                   : "a character in user or password has to be percent-encoded, such as %20 for "
                     "a blank";
    }
    const int high = *at + 1 < from.size ? flux_hex_digit(from.start[*at + 1]) : -1;
    const int low = *at + 2 < from.size ? flux_hex_digit(from.start[*at + 2]) : -1;
    if (high < 0 || low < 0)
        return "a % in user or password is not followed by two hexadecimal digits (a % itself is "
               "%25)";
    *at += 3;
    *ret_byte = (char)(high * 16 + low);
    /* RFC 7617; and whoever decodes them must not find a line's end. */
    if (high < 2 || (high == 7 && low == 15))
        return "a control character in user or password";
    return NULL;
}

/* `to` takes as much as `from` holds, and a NUL. Returns NULL, or what is wrong. */
static const char *decode(struct part from, char *to)
{
    size_t size = 0;
    for (size_t at = 0; at < from.size;) {
        const char *why = decode_one(from, &at, &to[size++]);
        if (why)
            return why;
    }
    to[size] = '\0';
    return NULL;
}

static const char *parse_login(struct part text, struct proxy_address *address)
{
    const char *colon = memchr(text.start, ':', text.size);
    if (!colon)
        return "a user without a password: user:password@ is meant";
    const struct part user = {text.start, (size_t)(colon - text.start)};
    const struct part password = {colon + 1, text.size - user.size - 1};
    if (user.size == 0)
        return "there is no user before the password";
    const char *why = decode(user, address->login);
    if (why)
        return why;
    if (strchr(address->login, ':'))
        return "the user holds a colon, which no proxy could tell from the one before the password";
    const size_t used = strlen(address->login);
    address->login[used] = ':';
    address->has_login = true;
    return decode(password, address->login + used + 1);
}

static bool is_host_name(const char *host)
{
    for (const char *c = host; *c; c++) {
        if (!is_letter_or_digit(*c) && !strchr("-._", *c))
            return false;
    }
    return *host != '\0';
}

static const char *parse_host(struct part text, bool has_brackets, struct proxy_address *address)
{
    struct in6_addr ignored;
    memcpy(address->host, text.start, text.size);
    address->host[text.size] = '\0';
    if (has_brackets)
        return inet_pton(AF_INET6, address->host, &ignored) == 1
                   ? NULL
                   : "what stands in brackets is no IPv6 address";
    if (text.size == 0)
        return "there is no host";
    if (strchr(address->host, ':'))
        return "an IPv6 address has to stand in brackets, and the port behind them";
    return is_host_name(address->host) ? NULL : "there is a character in the host that no name has";
}

static const char *parse_port(struct part text, uint16_t *ret_port)
{
    uint32_t port = 0;
    if (text.size == 0)
        return "there is no port; many proxies have 3128 or 8080";
    for (size_t i = 0; i < text.size; i++) {
        if (text.start[i] == '/')
            return "nothing may follow the port, not even a slash";
        if (!is_digit(text.start[i]))
            return "the port is not a number";
        port = port * 10 + (uint32_t)(text.start[i] - '0');
        if (port > UINT16_MAX)
            break;
    }
    if (port == 0 || port > UINT16_MAX)
        return "the port is not between 1 and 65535";
    *ret_port = (uint16_t)port;
    return NULL;
}

/* host:port, or [address]:port */
static const char *parse_place(struct part text, struct proxy_address *address)
{
    const bool has_brackets = text.size > 0 && text.start[0] == '[';
    const char *end = text.start + text.size;
    const char *close = has_brackets ? memchr(text.start, ']', text.size) : NULL;
    if (has_brackets && !close)
        return "a bracket is not closed";
    if (close && close + 1 < end && close[1] != ':')
        return "only a colon and the port may follow the bracket";
    const char *colon = has_brackets ? close + 1 : memrchr(text.start, ':', text.size);
    if (!colon)
        colon = end;
    const struct part host = {
        text.start + has_brackets,
        (size_t)((has_brackets ? close : colon) - text.start) - has_brackets,
    };
    const char *why = parse_host(host, has_brackets, address);
    if (why)
        return why;
    const char *start = colon < end ? colon + 1 : end;
    return parse_port((struct part){start, (size_t)(end - start)}, &address->port);
}

static const char *check_scheme(const char *text)
{
    if (strncasecmp(text, scheme, SCHEME_SIZE) == 0)
        return NULL;
    if (strncasecmp(text, "https://", 8) == 0)
        return "TLS towards the proxy is not supported, only http:// (the connection through it is "
               "encrypted all the same)";
    if (strncasecmp(text, "socks", 5) == 0)
        return "SOCKS is not supported, only http://";
    return "it does not begin with http://";
}

static const char *parse(const char *text, struct proxy_address *address)
{
    const size_t size = strlen(text);
    if (size > PROXY_TEXT_MAX)
        return "it is longer than 190 bytes";
    const char *why = check_scheme(text);
    if (why)
        return why;
    struct part place = {text + SCHEME_SIZE, size - SCHEME_SIZE};
    const char *at = memchr(place.start, '@', place.size);
    if (at) {
        const struct part login = {place.start, (size_t)(at - place.start)};
        place = (struct part){at + 1, place.size - login.size - 1};
        if (memchr(place.start, '@', place.size))
            return "there is more than one @: one in user or password is written %40";
        why = parse_login(login, address);
    }
    return why ? why : parse_place(place, address);
}

int proxy_address_parse(const char *text, struct proxy_address *ret_address, const char **ret_why)
{
    struct proxy_address address = {0};
    const char *why = parse(text, &address);
    if (ret_why)
        *ret_why = why;
    if (!why) {
        const bool is_ipv6 = strchr(address.host, ':') != NULL;
        (void)snprintf(address.shown, sizeof(address.shown), is_ipv6 ? "[%s]:%u" : "%s:%u",
                       address.host, (unsigned)address.port);
        *ret_address = address;
    }
    explicit_bzero(&address, sizeof(address));
    return why ? -EINVAL : 0;
}

void proxy_address_mask(const char *text, char *ret_masked, size_t size)
{
    struct proxy_address address;
    if (proxy_address_parse(text, &address, NULL) < 0) {
        (void)snprintf(ret_masked, size, "%s", *text ? "***" : "");
        return;
    }
    /* The user as it was written. */
    const char *user = text + SCHEME_SIZE;
    const int user_size = address.has_login ? (int)strcspn(user, ":") : 0;
    (void)snprintf(ret_masked, size, "%s%.*s%s%s", scheme, user_size, user,
                   address.has_login ? ":***@" : "", address.shown);
    explicit_bzero(&address, sizeof(address));
}
