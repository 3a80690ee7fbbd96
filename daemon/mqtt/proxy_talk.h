/* What is spoken with an HTTP proxy to be let through it: CONNECT, and the answer, judged and put
 * into words. Pure; what the proxy says is hostile input. */
#ifndef FLUXAWS_MQTT_PROXY_TALK_H
#define FLUXAWS_MQTT_PROXY_TALK_H

#include "daemon/mqtt/proxy_address.h"

#define PROXY_REQUEST_MAX 1280u
#define PROXY_ANSWER_MAX  8192u /* a longer head is not read */

/* Write the request to be let through to `host` (name or address) and `port`. Returns its size, or
 * -EINVAL: the host cannot stand in it. It holds a secret: wipe it after use. */
int proxy_request_write(const struct proxy_address *proxy, const char *host, uint16_t port,
                        char ret_request[static PROXY_REQUEST_MAX]);

/* The head of an answer, as far as it has come. */
struct proxy_answer {
    char head[PROXY_ANSWER_MAX + 1];
    size_t size;
    bool is_whole;
};

/* Take what may be the next bytes of the head. Returns how many of them are its own: what comes
 * behind it is said by the other end, not by the proxy. */
size_t proxy_answer_take(struct proxy_answer *answer, const char *bytes, size_t size);

/* Tell whether more would change nothing: it is whole, too long, or no HTTP. */
bool proxy_answer_is_over(const struct proxy_answer *answer);

/* Judge it, whole or not. Returns 0 where it lets through; else what an event of the link has as
 * code (enum mqtt_link_failure), with the reason in words. */
int proxy_answer_judge(const struct proxy_answer *answer, const struct proxy_address *proxy,
                       const char *host, uint16_t port, char *ret_text, size_t size);

#endif
