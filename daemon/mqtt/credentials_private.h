/* What the files that load a key share: how they say what is wrong. For credentials*.c only. */
#ifndef FLUXAWS_MQTT_CREDENTIALS_PRIVATE_H
#define FLUXAWS_MQTT_CREDENTIALS_PRIVATE_H

#include "daemon/mqtt/credentials.h"
#include "daemon/mqtt/key_reference.h"
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ui.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Note what is wrong. Returns false. */
bool credentials_fail(struct credentials *credentials, enum credentials_state state,
                      const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same for a file that cannot be read, by a positive errno; `key` names what says its path. */
bool credentials_fail_errno(struct credentials *credentials, const char *key, const char *path,
                            int error);

/* Open a regular file of at most 1 MiB. Returns 0 or a negative errno. */
int credentials_open_file(const char *path, BIO **ret_bio);

/* Turn what PrivateKey says into a key that signs; the private half need not be in it. Frees
 * nothing of the caller's; the key is to be freed by EVP_PKEY_free(). May block on a token or a
 * TPM. Returns false with what is wrong in `credentials`. */
bool credentials_key_load(const char *text, EVP_PKEY **ret_key, struct credentials *credentials);

/* Whether a hardware key signs: it may be known and yet gone. */
bool credentials_key_signs(EVP_PKEY *key);

/* The PIN for who asks, and whether it was asked for. */
struct credentials_pin {
    char text[KEY_REFERENCE_MAX];
    bool is_known, was_asked;
};

/* A UI_METHOD that answers with the `struct credentials_pin` of its user data and never asks
 * anybody. To be freed by UI_destroy_method(). Returns NULL when out of memory. */
UI_METHOD *credentials_pin_method(void);

/* Load a key of a token through the engine `pkcs11`. `ret_is_there` says whether there is such an
 * engine; where there is not, nothing is said in `credentials`. */
bool credentials_engine_load(const struct key_reference *reference, struct credentials_pin *pin,
                             EVP_PKEY **ret_key, bool *ret_is_there,
                             struct credentials *credentials);

/* Wrap a key so that `uses` counts how many there are; one that is in an SSL_CTX counts, too. Takes
 * the key. Returns NULL when out of memory, or if the key is of a kind that is not known. */
EVP_PKEY *credentials_key_in_use(EVP_PKEY *key, atomic_uint *uses);

/* Load a key through a provider, in a world of its own, so that nothing else is done by that
 * provider: from `bio` where there is one, else by its URI. */
enum credentials_provider_outcome {
    CREDENTIALS_PROVIDER_OK,
    CREDENTIALS_PROVIDER_ABSENT,     /* the provider is not installed */
    CREDENTIALS_PROVIDER_STARTS_NOT, /* it is, and does not reach its device */
    CREDENTIALS_PROVIDER_NO_KEY,
};
enum credentials_provider_outcome credentials_provider_load(const char *provider, BIO *bio,
                                                            const char *uri,
                                                            struct credentials_pin *pin,
                                                            EVP_PKEY **ret_key);

#endif
