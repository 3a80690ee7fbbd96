/* Certificate, key and CA of the device: checked before dialling, so that what is wrong is said in
 * words. Where the key is in a token or a TPM, it is reached from here, too. Makes no connection,
 * keeps no key in memory, logs nothing. */
#ifndef FLUXAWS_MQTT_CREDENTIALS_H
#define FLUXAWS_MQTT_CREDENTIALS_H

#include <stddef.h>
#include <stdint.h>

/* Where the files are; borrowed. */
struct credentials_paths {
    const char *ca_file;
    const char *certificate_file;
    const char *private_key; /* or a URI, see key_reference.h */
};

/* What was found; every state but the first two keeps the link from dialling. */
enum credentials_state {
    CREDENTIALS_OK,
    CREDENTIALS_DOUBTFUL,   /* usable, but not valid now by the device's clock: dial and warn */
    CREDENTIALS_MISSING,    /* no path given, or a file does not exist */
    CREDENTIALS_UNREADABLE, /* permissions */
    CREDENTIALS_BAD_CA,     /* CaFile holds no certificate */
    CREDENTIALS_BAD_CERTIFICATE, /* CertificateFile holds no certificate */
    CREDENTIALS_BAD_KEY,         /* PrivateKey holds no key, or one with a passphrase */
    CREDENTIALS_MISMATCH,        /* the key is not the certificate's */
    CREDENTIALS_UNSUPPORTED,     /* the key is in a device that this system cannot use */
};

const char *credentials_state_name(enum credentials_state state);

/* Keep OpenSSL's exit handler from running: a thread of the MQTT library may still be at work with
 * it when main() has returned. Call once, before anything else that may use OpenSSL. */
void credentials_prepare(void);

struct credentials {
    enum credentials_state state;
    char text[512];        /* in words, with the file's name and what to try; empty when OK */
    char common_name[129]; /* of the certificate's subject; empty where there is none */
    int64_t not_before_sec, not_after_sec; /* of the certificate, seconds since 1970 */
};

/* Read and check the three. `wall_sec` is the device's clock. Blocks on the disk (and on a TPM):
 * not for the loop thread. The outcome is in `ret_credentials->state`. */
void credentials_check(const struct credentials_paths *paths, int64_t wall_sec,
                       struct credentials *ret_credentials);

/* Read only the common name of a certificate. Returns 0, -ENOENT, -EACCES, -EINVAL (no certificate,
 * or it has no common name), -ENOMEM, -E2BIG. */
int credentials_common_name(const char *certificate_file, char *ret_name, size_t name_size);

#endif
