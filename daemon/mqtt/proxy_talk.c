#include "daemon/mqtt/proxy_talk.h"

#include "daemon/mqtt/mqtt_link.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PHRASE_MAX 48u /* of what the proxy says about its answer */

/* RFC 4648. `to` takes 4 bytes for each 3 begun, and a NUL. */
static void encode_base64(const char *from, size_t size, char *to)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t group = (uint32_t)(unsigned char)from[i] << 16 |
                               (left > 1 ? (uint32_t)(unsigned char)from[i + 1] << 8 : 0) |
                               (left > 2 ? (uint32_t)(unsigned char)from[i + 2] : 0);
        *to++ = digits[group >> 18];
        *to++ = digits[group >> 12 & 63];
        *to++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *to++ = left > 2 ? digits[group & 63] : '=';
    }
    *to = '\0';
}

static bool may_stand_in_line(const char *host)
{
    for (const char *c = host; *c; c++) {
        if ((unsigned char)*c <= ' ' || *c == 0x7f)
            return false;
    }
    return *host != '\0';
}

int proxy_request_write(const struct proxy_address *proxy, const char *host, uint16_t port,
                        char ret_request[static PROXY_REQUEST_MAX])
{
    char login[(PROXY_TEXT_MAX + 2) / 3 * 4 + 1] = "";
    if (!may_stand_in_line(host))
        return -EINVAL;
    const bool is_ipv6 = strchr(host, ':') != NULL;
    const char *open = is_ipv6 ? "[" : "", *close = is_ipv6 ? "]" : "";
    encode_base64(proxy->login, strlen(proxy->login), login);
    const int size = snprintf(ret_request, PROXY_REQUEST_MAX,
                              "CONNECT %s%s%s:%u HTTP/1.1\r\nHost: %s%s%s:%u\r\n%s%s%s\r\n", open,
                              host, close, (unsigned)port, open, host, close, (unsigned)port,
                              proxy->has_login ? "Proxy-Authorization: Basic " : "", login,
                              proxy->has_login ? "\r\n" : "");
    explicit_bzero(login, sizeof(login));
    return size >= 0 && (size_t)size < PROXY_REQUEST_MAX ? size : -EINVAL;
}

/* --- the answer --- */

/* Tell whether the head ends with its last byte, in an empty line. */
static bool ends_here(const struct proxy_answer *answer)
{
    const char *end = answer->head + answer->size;
    return (answer->size >= 2 && memcmp(end - 2, "\n\n", 2) == 0) ||
           (answer->size >= 3 && memcmp(end - 3, "\n\r\n", 3) == 0);
}

size_t proxy_answer_take(struct proxy_answer *answer, const char *bytes, size_t size)
{
    size_t taken = 0;
    while (taken < size && !proxy_answer_is_over(answer)) {
        const char byte = bytes[taken++];
        answer->head[answer->size++] = byte ? byte : '?'; /* a NUL would hide the rest */
        answer->head[answer->size] = '\0';
        answer->is_whole = ends_here(answer);
    }
    return taken;
}

/* The beginning of "HTTP/1.x NNN", as far as it has come. */
static bool begins_as_http(const struct proxy_answer *answer)
{
    static const char pattern[] = "HTTP/1.# ###";
    const size_t size = answer->size < sizeof(pattern) - 1 ? answer->size : sizeof(pattern) - 1;
    for (size_t i = 0; i < size; i++) {
        const char c = answer->head[i];
        if (pattern[i] == '#' ? c < '0' || c > '9' : c != pattern[i])
            return false;
    }
    /* The code has three digits. */
    return answer->size < sizeof(pattern) || strchr(" \r\n", answer->head[sizeof(pattern) - 1]);
}

bool proxy_answer_is_over(const struct proxy_answer *answer)
{
    return answer->is_whole || answer->size >= PROXY_ANSWER_MAX || !begins_as_http(answer);
}

/* "403 Forbidden", without what could upset a terminal. */
static void copy_phrase(const char *line, char ret_phrase[static PHRASE_MAX])
{
    size_t size = 0;
    for (const char *c = line; size + 1 < PHRASE_MAX && *c && *c != '\r' && *c != '\n'; c++)
        ret_phrase[size++] = *c;
    while (size > 0 && ret_phrase[size - 1] == ' ')
        size--;
    ret_phrase[size] = '\0';
    for (char *c = ret_phrase; *c; c++) {
        if (*c < ' ' || *c > '~')
            *c = '?';
    }
}

/* Tell whether it names a scheme of login, and Basic is none of them. */
static bool wants_other_login(const char *head)
{
    static const char name[] = "\nProxy-Authenticate:";
    bool has_any = false;
    for (const char *c = head; (c = strchr(c, '\n')); c++) {
        if (strncasecmp(c, name, sizeof(name) - 1) != 0)
            continue;
        has_any = true;
        const char *value = c + sizeof(name) - 1;
        for (const char *end = value + strcspn(value, "\r\n"); value < end; value++) {
            if (strncasecmp(value, "basic", 5) == 0)
                return false;
        }
    }
    return has_any;
}

static int judge_login(const struct proxy_answer *answer, const struct proxy_address *proxy,
                       char *ret_text, size_t size)
{
    if (wants_other_login(answer->head))
        (void)snprintf(ret_text, size,
                       "the proxy %s wants a login that is not Basic (407), and fluxawsd knows no "
                       "other; have it admit this device",
                       proxy->shown);
    else if (proxy->has_login)
        (void)snprintf(ret_text, size,
                       "the proxy %s does not take the user and password of Proxy (407); check "
                       "them, and that special characters are percent-encoded",
                       proxy->shown);
    else
        (void)snprintf(ret_text, size,
                       "the proxy %s wants a user and a password (407); put them into Proxy: "
                       "http://user:password@%s",
                       proxy->shown, proxy->shown);
    return MQTT_LINK_FAILED_PROXY_LOGIN;
}

/* Its answer is HTTP, and whole. */
static int judge_code(int code, const char *phrase, const struct proxy_address *proxy,
                      const char *host, uint16_t port, char *ret_text, size_t size)
{
    if (code >= 500 && code != 501) {
        (void)snprintf(ret_text, size,
                       "the proxy %s does not reach %s port %u (%s); check Endpoint, Port and the "
                       "network behind the proxy",
                       proxy->shown, host, (unsigned)port, phrase);
        return MQTT_LINK_FAILED_PROXY_BEYOND;
    }
    if (code >= 400 && code != 400 && code != 404 && code != 405 && code != 501) {
        (void)snprintf(ret_text, size,
                       "the proxy %s refuses CONNECT to %s port %u (%s); have it allow this host "
                       "and port",
                       proxy->shown, host, (unsigned)port, phrase);
        return MQTT_LINK_FAILED_PROXY_REFUSED;
    }
    (void)snprintf(ret_text, size,
                   "%s answers CONNECT with %s; check that Proxy names an HTTP proxy and not a web "
                   "server",
                   proxy->shown, phrase);
    return MQTT_LINK_FAILED_PROXY;
}

int proxy_answer_judge(const struct proxy_answer *answer, const struct proxy_address *proxy,
                       const char *host, uint16_t port, char *ret_text, size_t size)
{
    if (answer->size == 0 || !begins_as_http(answer) || (!answer->is_whole && answer->size < 13)) {
        (void)snprintf(ret_text, size,
                       "%s does not answer CONNECT as an HTTP proxy does; check Proxy",
                       proxy->shown);
        return MQTT_LINK_FAILED_PROXY;
    }
    const char *code = answer->head + 9;
    const int number = (code[0] - '0') * 100 + (code[1] - '0') * 10 + (code[2] - '0');
    if (!answer->is_whole) {
        (void)snprintf(ret_text, size, "the answer of the proxy %s to CONNECT has no end",
                       proxy->shown);
        return MQTT_LINK_FAILED_PROXY;
    }
    if (number >= 200 && number < 300)
        return 0;
    if (number == 407)
        return judge_login(answer, proxy, ret_text, size);
    char phrase[PHRASE_MAX];
    copy_phrase(code, phrase);
    return judge_code(number, phrase, proxy, host, port, ret_text, size);
}
