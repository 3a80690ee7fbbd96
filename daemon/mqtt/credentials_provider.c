/* Engines and legacy methods are what makes a foreign key sign, and nothing else; OpenSSL 3 marks
 * them as deprecated, and has no other means. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "daemon/mqtt/credentials_private.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/store.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key and the world that it lives in. With the provider in the process's own world, the TPM would
 * do all that it can do: check the server's certificates, say, of which it has not the algorithms
 * or the room. And a world can be thrown away with a device that has gone. */
struct foreign_key {
    OSSL_LIB_CTX *world;
    OSSL_PROVIDER *standard, *provider;
    EVP_PKEY *key;
    atomic_uint *uses; /* of who wants to know whether it is in use, or NULL */
    char query[32];
};

/* Made once, and as lasting as OpenSSL's own state. */
static struct {
    pthread_once_t once;
    ENGINE *engine;
    EVP_PKEY_METHOD *ec, *rsa;
    int index;
} signer = {.once = PTHREAD_ONCE_INIT, .index = -1};

static struct foreign_key *foreign_key_free(struct foreign_key *foreign)
{
    if (!foreign)
        return NULL;
    EVP_PKEY_free(foreign->key);
    if (foreign->uses)
        (void)atomic_fetch_sub(foreign->uses, 1);
    if (foreign->provider)
        (void)OSSL_PROVIDER_unload(foreign->provider);
    if (foreign->standard)
        (void)OSSL_PROVIDER_unload(foreign->standard);
    OSSL_LIB_CTX_free(foreign->world);
    free(foreign);
    return NULL;
}

static void free_of_key(void *parent, void *data, CRYPTO_EX_DATA *all, int index, long number,
                        void *pointer)
{
    (void)parent;
    (void)all;
    (void)index;
    (void)number;
    (void)pointer;
    (void)foreign_key_free(data);
}

static bool take_over_rsa(EVP_PKEY_CTX *from, EVP_PKEY_CTX *to)
{
    int padding = RSA_PKCS1_PADDING, salt = RSA_PSS_SALTLEN_DIGEST;
    if (EVP_PKEY_CTX_get_rsa_padding(from, &padding) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(to, padding) != 1)
        return false;
    return padding != RSA_PKCS1_PSS_PADDING ||
           (EVP_PKEY_CTX_get_rsa_pss_saltlen(from, &salt) == 1 &&
            EVP_PKEY_CTX_set_rsa_pss_saltlen(to, salt) == 1);
}

static int sign(EVP_PKEY_CTX *context, unsigned char *signature, size_t *size,
                const unsigned char *digest, size_t digest_size)
{
    EVP_PKEY *shell = EVP_PKEY_CTX_get0_pkey(context);
    if (!signature) {
        *size = (size_t)EVP_PKEY_get_size(shell);
        return 1;
    }
    const struct foreign_key *foreign = EVP_PKEY_get_ex_data(shell, signer.index);
    const EVP_MD *md = NULL;
    if (!foreign || EVP_PKEY_CTX_get_signature_md(context, &md) != 1)
        return 0;
    EVP_PKEY_CTX *there = EVP_PKEY_CTX_new_from_pkey(foreign->world, foreign->key, foreign->query);
    const bool is_rsa = EVP_PKEY_get_base_id(shell) == EVP_PKEY_RSA;
    int rc = there && EVP_PKEY_sign_init(there) == 1 &&
             (!is_rsa || take_over_rsa(context, there)) &&
             (!md || EVP_PKEY_CTX_set_signature_md(there, md) == 1) &&
             EVP_PKEY_sign(there, signature, size, digest, digest_size) == 1;
    EVP_PKEY_CTX_free(there);
    return rc;
}

static EVP_PKEY_METHOD *signing_method(int id)
{
    EVP_PKEY_METHOD *method = EVP_PKEY_meth_new(id, 0);
    const EVP_PKEY_METHOD *standard = EVP_PKEY_meth_find(id);
    if (method && standard) {
        EVP_PKEY_meth_copy(method, standard);
        EVP_PKEY_meth_set_sign(method, NULL, sign);
    }
    return method;
}

static int find_method(ENGINE *engine, EVP_PKEY_METHOD **ret_method, const int **ret_ids, int id)
{
    static const int ids[] = {EVP_PKEY_EC, EVP_PKEY_RSA};
    (void)engine;
    if (!ret_method) {
        *ret_ids = ids;
        return 2;
    }
    *ret_method = id == EVP_PKEY_EC ? signer.ec : id == EVP_PKEY_RSA ? signer.rsa : NULL;
    return *ret_method != NULL;
}

static void make_signer(void)
{
    signer.ec = signing_method(EVP_PKEY_EC);
    signer.rsa = signing_method(EVP_PKEY_RSA);
    signer.engine = ENGINE_new();
    if (!signer.engine || !signer.ec || !signer.rsa ||
        ENGINE_set_id(signer.engine, "fluxaws-key") != 1 ||
        ENGINE_set_name(signer.engine, "signs with a key of a provider") != 1 ||
        ENGINE_set_pkey_meths(signer.engine, find_method) != 1)
        return;
    signer.index =
        CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_EVP_PKEY, 0, NULL, NULL, NULL, free_of_key);
}

/* The public half, as a key of the kind that asks its engine to sign. */
static EVP_PKEY *public_shell(EVP_PKEY *key)
{
    unsigned char *der = NULL;
    const int size = i2d_PUBKEY(key, &der);
    if (size <= 0)
        return NULL;
    const unsigned char *at = der;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &at, size);
    OPENSSL_free(der);
    EVP_PKEY *shell = EVP_PKEY_new();
    EC_KEY *ec = public ? EVP_PKEY_get1_EC_KEY(public) : NULL;
    RSA *rsa = public && !ec ? EVP_PKEY_get1_RSA(public) : NULL;
    EVP_PKEY_free(public);
    if (shell && ec && EVP_PKEY_assign_EC_KEY(shell, ec) == 1)
        return shell;
    if (shell && rsa && EVP_PKEY_assign_RSA(shell, rsa) == 1)
        return shell;
    EC_KEY_free(ec);
    RSA_free(rsa);
    EVP_PKEY_free(shell);
    return NULL;
}

/* Takes `foreign` in every case. */
static EVP_PKEY *wrap(struct foreign_key *foreign)
{
    (void)pthread_once(&signer.once, make_signer);
    EVP_PKEY *shell = signer.index >= 0 ? public_shell(foreign->key) : NULL;
    if (!shell || EVP_PKEY_set_ex_data(shell, signer.index, foreign) != 1) {
        (void)foreign_key_free(foreign);
        EVP_PKEY_free(shell);
        return NULL;
    }
    if (EVP_PKEY_set1_engine(shell, signer.engine) == 1)
        return shell;
    EVP_PKEY_free(shell);
    return NULL;
}

EVP_PKEY *credentials_key_in_use(EVP_PKEY *key, atomic_uint *uses)
{
    struct foreign_key *foreign = calloc(1, sizeof(*foreign));
    if (!foreign) {
        EVP_PKEY_free(key);
        return NULL;
    }
    foreign->key = key;
    foreign->uses = uses;
    (void)atomic_fetch_add(uses, 1);
    return wrap(foreign);
}

static EVP_PKEY *key_by_uri(const struct foreign_key *foreign, const char *uri,
                            const UI_METHOD *method, struct credentials_pin *pin)
{
    OSSL_STORE_CTX *store =
        OSSL_STORE_open_ex(uri, foreign->world, foreign->query, method, pin, NULL, NULL, NULL);
    EVP_PKEY *key = NULL;
    while (store && !key && !OSSL_STORE_eof(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        if (!info)
            break;
        if (OSSL_STORE_INFO_get_type(info) == OSSL_STORE_INFO_PKEY)
            key = OSSL_STORE_INFO_get1_PKEY(info);
        OSSL_STORE_INFO_free(info);
    }
    (void)OSSL_STORE_close(store);
    return key;
}

static int never_asked(char *buffer, int size, int is_write, void *pin)
{
    (void)buffer;
    (void)size;
    (void)is_write;
    ((struct credentials_pin *)pin)->was_asked = true;
    return -1;
}

static struct foreign_key *foreign_key_new(const char *provider)
{
    struct foreign_key *foreign = calloc(1, sizeof(*foreign));
    if (!foreign)
        return NULL;
    (void)snprintf(foreign->query, sizeof(foreign->query), "?provider=%s", provider);
    foreign->world = OSSL_LIB_CTX_new();
    foreign->standard = foreign->world ? OSSL_PROVIDER_load(foreign->world, "default") : NULL;
    if (foreign->standard)
        return foreign;
    return foreign_key_free(foreign);
}

/* Whether an error says that there is no such library. */
static bool is_not_installed(void)
{
    bool is_dso = false;
    unsigned long code;
    while ((code = ERR_get_error()) != 0)
        is_dso = is_dso || ERR_GET_LIB(code) == ERR_LIB_DSO;
    return is_dso;
}

enum credentials_provider_outcome credentials_provider_load(const char *provider, BIO *bio,
                                                            const char *uri,
                                                            struct credentials_pin *pin,
                                                            EVP_PKEY **ret_key)
{
    ERR_clear_error();
    struct foreign_key *foreign = foreign_key_new(provider);
    if (!foreign)
        return CREDENTIALS_PROVIDER_NO_KEY;
    foreign->provider = OSSL_PROVIDER_load(foreign->world, provider);
    if (!foreign->provider) {
        (void)foreign_key_free(foreign);
        return is_not_installed() ? CREDENTIALS_PROVIDER_ABSENT : CREDENTIALS_PROVIDER_STARTS_NOT;
    }
    UI_METHOD *method = credentials_pin_method();
    foreign->key = bio ? PEM_read_bio_PrivateKey_ex(bio, NULL, never_asked, pin, foreign->world,
                                                    foreign->query)
                       : key_by_uri(foreign, uri, method, pin);
    UI_destroy_method(method);
    if (foreign->key)
        *ret_key = wrap(foreign);
    else
        (void)foreign_key_free(foreign);
    ERR_clear_error();
    return *ret_key ? CREDENTIALS_PROVIDER_OK : CREDENTIALS_PROVIDER_NO_KEY;
}
