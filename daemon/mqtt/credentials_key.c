#include "daemon/mqtt/credentials_private.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TPM_DEVICE     "/dev/tpmrm0"
#define TSS_KEY_HEADER "-----BEGIN TSS2 PRIVATE KEY-----"

/* The PIN that a token refused, as a hash with the URI; 0: none. As lasting as the token's own
 * count of wrong ones. */
static _Atomic uint64_t refused_pin;

/* The daemon has nobody to ask for a passphrase. */
static int no_passphrase(char *buffer, int size, int is_write, void *asked)
{
    (void)buffer;
    (void)size;
    (void)is_write;
    *(bool *)asked = true;
    return -1;
}

static int answer_pin(UI *ui, UI_STRING *question)
{
    const enum UI_string_types type = UI_get_string_type(question);
    if (type != UIT_PROMPT && type != UIT_VERIFY)
        return 1;
    struct credentials_pin *pin = UI_get0_user_data(ui);
    pin->was_asked = true;
    return pin->is_known && UI_set_result(ui, question, pin->text) == 0;
}

UI_METHOD *credentials_pin_method(void)
{
    UI_METHOD *method = UI_create_method("fluxawsd");
    if (method && UI_method_set_reader(method, answer_pin) == 0)
        return method;
    UI_destroy_method(method);
    return NULL;
}

bool credentials_key_signs(EVP_PKEY *key)
{
    static const unsigned char text[] = "fluxaws";
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    const bool signs = context && EVP_PKEY_get_size(key) <= (int)sizeof(signature) &&
                       EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                       EVP_DigestSign(context, signature, &size, text, sizeof(text)) == 1;
    EVP_MD_CTX_free(context);
    ERR_clear_error();
    return signs;
}

static bool read_pin(const struct key_reference *reference, struct credentials_pin *pin,
                     struct credentials *credentials)
{
    pin->is_known = reference->pin[0] != '\0';
    memcpy(pin->text, reference->pin, sizeof(pin->text));
    if (reference->pin_file[0] == '\0')
        return true;
    BIO *bio;
    const int rc = credentials_open_file(reference->pin_file, &bio);
    if (rc < 0)
        return credentials_fail_errno(credentials, "pin-source of PrivateKey", reference->pin_file,
                                      -rc);
    const int size = BIO_read(bio, pin->text, sizeof(pin->text) - 1);
    BIO_free(bio);
    pin->text[size > 0 ? size : 0] = '\0';
    pin->text[strcspn(pin->text, "\r\n")] = '\0';
    pin->is_known = pin->text[0] != '\0';
    return true;
}

static uint64_t mix_text(uint64_t hash, const char *text)
{
    for (const char *byte = text; *byte; byte++)
        hash = (hash ^ (uint8_t)*byte) * UINT64_C(0x100000001b3); /* FNV-1a */
    return hash;
}

static bool tell_tpm_away(struct credentials *credentials)
{
    const char *way = getenv("TPM2OPENSSL_TCTI");
    if (way)
        return credentials_fail(
            credentials, CREDENTIALS_MISSING,
            "PrivateKey: no TPM answers at TPM2OPENSSL_TCTI=%s; start what serves it "
            "there, or correct the variable",
            way);
    if (access(TPM_DEVICE, F_OK) < 0)
        return credentials_fail(credentials, CREDENTIALS_MISSING,
                                "PrivateKey: there is no TPM: " TPM_DEVICE
                                " does not exist for the "
                                "daemon; check the firmware's settings, and the unit's drop-in "
                                "tpm.conf");
    if (access(TPM_DEVICE, R_OK | W_OK) < 0)
        return credentials_fail(credentials, CREDENTIALS_UNREADABLE,
                                "PrivateKey: no permission to use " TPM_DEVICE
                                " as uid %d; put the "
                                "daemon's user into the group tss (the unit's drop-in tpm.conf "
                                "does)",
                                (int)geteuid());
    return credentials_fail(credentials, CREDENTIALS_MISSING,
                            "PrivateKey: the TPM at " TPM_DEVICE " does not answer");
}

/* `bio` is a file with a key for the TPM, or NULL: then `name` is a handle. */
static bool load_of_tpm(const char *name, BIO *bio, EVP_PKEY **ret_key,
                        struct credentials *credentials)
{
    struct credentials_pin none = {.is_known = false};
    switch (credentials_provider_load("tpm2", bio, name, &none, ret_key)) {
    case CREDENTIALS_PROVIDER_OK:
        if (credentials_key_signs(*ret_key))
            return true;
        EVP_PKEY_free(*ret_key);
        *ret_key = NULL;
        return credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                                "PrivateKey: the TPM does not sign with the key %s; make one that "
                                "may sign and has no password of its own",
                                name);
    case CREDENTIALS_PROVIDER_ABSENT:
        return credentials_fail(credentials, CREDENTIALS_UNSUPPORTED,
                                "PrivateKey: a key in a TPM needs the OpenSSL provider tpm2; "
                                "install it (Debian: tpm2-openssl)");
    case CREDENTIALS_PROVIDER_STARTS_NOT:
        return tell_tpm_away(credentials);
    case CREDENTIALS_PROVIDER_NO_KEY:
        break;
    }
    if (none.was_asked)
        return credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                                "PrivateKey: %s is protected by a password; make a key without one",
                                name);
    return credentials_fail(credentials, bio ? CREDENTIALS_BAD_KEY : CREDENTIALS_MISSING,
                            bio ? "PrivateKey: the TPM does not take the key in %s; it was made by "
                                  "another TPM, or this one was cleared: make a new key"
                                : "PrivateKey: the TPM holds no key at %s; look with tpm2_getcap "
                                  "handles-persistent",
                            name);
}

/* Where there is no engine. */
static bool load_by_provider(const struct key_reference *reference, struct credentials_pin *pin,
                             EVP_PKEY **ret_key, struct credentials *credentials)
{
    switch (credentials_provider_load("pkcs11", NULL, reference->object, pin, ret_key)) {
    case CREDENTIALS_PROVIDER_OK:
        return true;
    case CREDENTIALS_PROVIDER_ABSENT:
        return credentials_fail(
            credentials, CREDENTIALS_UNSUPPORTED,
            "PrivateKey: a key in a token needs OpenSSL's engine or provider for PKCS #11; "
            "install it (Debian: libengine-pkcs11-openssl or pkcs11-provider)");
    case CREDENTIALS_PROVIDER_STARTS_NOT:
    case CREDENTIALS_PROVIDER_NO_KEY:
        break;
    }
    return credentials_fail(credentials, pin->was_asked ? CREDENTIALS_BAD_KEY : CREDENTIALS_MISSING,
                            "PrivateKey: the provider pkcs11 finds no key for %s; check the token, "
                            "the PIN and the provider's module",
                            reference->object);
}

static bool load_of_token(const struct key_reference *reference, EVP_PKEY **ret_key,
                          struct credentials *credentials)
{
    struct credentials_pin pin = {.is_known = false};
    if (!read_pin(reference, &pin, credentials))
        return false;
    const uint64_t hash =
        mix_text(mix_text(UINT64_C(0xcbf29ce484222325), reference->object), pin.text);
    bool is_there = true;
    bool is_loaded = false;
    if (atomic_load(&refused_pin) == hash)
        (void)credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                               "PrivateKey: the token did not take the PIN for %s; correct the PIN "
                               "or, if it is right now, start the daemon again. It is not tried "
                               "again, as tokens lock themselves",
                               reference->object);
    else
        is_loaded = credentials_engine_load(reference, &pin, ret_key, &is_there, credentials);
    if (!is_there)
        is_loaded = load_by_provider(reference, &pin, ret_key, credentials);
    /* Whatever a token says of it: a PIN that it was shown in vain is not shown again. */
    if (!is_loaded && pin.was_asked && pin.is_known && credentials->state == CREDENTIALS_BAD_KEY)
        atomic_store(&refused_pin, hash);
    explicit_bzero(&pin, sizeof(pin));
    return is_loaded;
}

static bool is_tss_key(BIO *bio)
{
    char line[256];
    bool is_one = false;
    for (int lines = 0; lines < 64 && !is_one && BIO_gets(bio, line, sizeof(line)) > 0; lines++)
        is_one = strncmp(line, TSS_KEY_HEADER, strlen(TSS_KEY_HEADER)) == 0;
    (void)BIO_seek(bio, 0);
    return is_one;
}

static bool load_of_file(const char *path, EVP_PKEY **ret_key, struct credentials *credentials)
{
    BIO *bio;
    const int rc = credentials_open_file(path, &bio);
    if (rc < 0)
        return credentials_fail_errno(credentials, "PrivateKey", path, -rc);
    if (is_tss_key(bio)) {
        const bool is_loaded = load_of_tpm(path, bio, ret_key, credentials);
        BIO_free(bio);
        return is_loaded;
    }
    bool asked = false;
    *ret_key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &asked);
    BIO_free(bio);
    ERR_clear_error();
    if (!*ret_key && asked)
        return credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                                "PrivateKey: %s is protected by a passphrase; write it without one "
                                "(openssl pkey -in OLD -out NEW)",
                                path);
    if (!*ret_key)
        return credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                                "PrivateKey: %s holds no private key in PEM form", path);
    return true;
}

bool credentials_key_load(const char *text, EVP_PKEY **ret_key, struct credentials *credentials)
{
    *ret_key = NULL;
    struct key_reference reference;
    const char *why = "";
    if (key_reference_parse(text, &reference, &why) < 0)
        return credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                                "PrivateKey: the URI is not understood: %s", why);
    bool is_loaded = false;
    switch (reference.kind) {
    case KEY_REFERENCE_PATH:
        is_loaded = load_of_file(text, ret_key, credentials);
        break;
    case KEY_REFERENCE_HANDLE:
        is_loaded = load_of_tpm(reference.object, NULL, ret_key, credentials);
        break;
    case KEY_REFERENCE_PKCS11:
        is_loaded = load_of_token(&reference, ret_key, credentials);
        break;
    }
    explicit_bzero(&reference, sizeof(reference));
    return is_loaded;
}

/* In place of OpenSSL's function of this name, for this program and the libraries it loads, as in
 * paho_index.c: Paho knows no other way to name a key. Called on Paho's threads and on the link's.
 */
__attribute__((visibility("default"), weak)) int SSL_CTX_use_PrivateKey_file(SSL_CTX *context,
                                                                             const char *file,
                                                                             int type)
{
    (void)type; /* always PEM here */
    struct credentials ignored = {.state = CREDENTIALS_OK};
    EVP_PKEY *key;
    if (!credentials_key_load(file, &key, &ignored))
        return 0;
    const int rc = SSL_CTX_use_PrivateKey(context, key);
    EVP_PKEY_free(key);
    return rc;
}
