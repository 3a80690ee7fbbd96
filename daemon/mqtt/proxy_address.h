/* What [Connection] Proxy says: http://[user:password@]host:port, taken apart strictly. Pure; opens
 * nothing, and knows nothing of what is spoken with the proxy. */
#ifndef FLUXAWS_MQTT_PROXY_ADDRESS_H
#define FLUXAWS_MQTT_PROXY_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROXY_TEXT_MAX 190u /* as every value of the configuration */

struct proxy_address {
    char host[PROXY_TEXT_MAX + 1]; /* a name or an address, without brackets */
    uint16_t port;
    bool has_login;
    char login[PROXY_TEXT_MAX + 1]; /* user:password, decoded: a secret */
    char shown[PROXY_TEXT_MAX + 8]; /* host:port, an IPv6 address in brackets: no secret */
};

/* Take a text apart. Returns 0, or -EINVAL with `*ret_why` set to what is wrong with it, in words
 * that hold nothing of the text, as that may be a password. `ret_why` may be NULL. */
int proxy_address_parse(const char *text, struct proxy_address *ret_address, const char **ret_why);

/* Write a text for people, with *** in place of the password. Of one that cannot be taken apart
 * nothing is shown. */
void proxy_address_mask(const char *text, char *ret_masked, size_t size);

#endif
