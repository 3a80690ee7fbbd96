/* What [Connection] PrivateKey says: a path, a pkcs11: URI (RFC 7512) or a handle: URI, taken apart
 * strictly. Pure; opens nothing, and knows nothing of keys. */
#ifndef FLUXAWS_MQTT_KEY_REFERENCE_H
#define FLUXAWS_MQTT_KEY_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

#define KEY_REFERENCE_MAX 512u /* the longest URI */

enum key_reference_kind {
    KEY_REFERENCE_PATH,   /* of a file in PEM form */
    KEY_REFERENCE_PKCS11, /* an object of a token */
    KEY_REFERENCE_HANDLE, /* a persistent object of a TPM */
};

/* Empty is what the URI does not say. All but `kind` are of a pkcs11: URI. */
struct key_reference {
    enum key_reference_kind kind;
    char object[KEY_REFERENCE_MAX];   /* the URI down to what finds the key: no secret */
    char module[KEY_REFERENCE_MAX];   /* module-path, decoded */
    char pin_file[KEY_REFERENCE_MAX]; /* pin-source, decoded, without file: */
    char pin[KEY_REFERENCE_MAX];      /* pin-value, decoded: a secret */
};

/* Take a text apart. Returns 0, or -EINVAL with `*ret_why` set to what is wrong with it, in words
 * that hold nothing of the text, as that may be a PIN. `ret_why` may be NULL. */
int key_reference_parse(const char *text, struct key_reference *ret_reference,
                        const char **ret_why);

/* Write a text for people, with *** in place of the PIN; cut to `size`. Of a pkcs11: URI
 * that cannot be taken apart nothing is shown. */
void key_reference_mask(const char *text, char *ret_masked, size_t size);

#endif
