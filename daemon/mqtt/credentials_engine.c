/* OpenSSL 3 marks engines as deprecated, and the token's libraries of today come as one. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "daemon/mqtt/credentials_private.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Answers of a token to a PIN, by PKCS #11. */
#define CKR_PIN_INCORRECT 0xa0
#define CKR_PIN_LEN_RANGE 0xa2
#define CKR_PIN_LOCKED    0xa4

/* How the engine names the errors that are the token's, and those of its own library; the second
 * says by this number that it cannot load the token's. */
#define TOKEN_LIBRARY     "PKCS#11 module"
#define ENGINE_LIBRARY    "libp11"
#define P11_R_LOAD_MODULE 1025

/* As lasting as OpenSSL's own state: there can be one such engine in a process. */
static struct {
    pthread_mutex_t lock;
    ENGINE *engine;
    char module[KEY_REFERENCE_MAX];
    atomic_uint uses; /* keys of it that are in use */
} loaded = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Returns whether the engine is there. */
static bool load_engine(void)
{
    if (loaded.engine)
        return true;
    /* As OpenSSL itself finds engines, which would say on stderr what it does not find. */
    const char *directory = getenv("OPENSSL_ENGINES");
    if (!directory)
        directory = OPENSSL_info(OPENSSL_INFO_ENGINES_DIR);
    ENGINE *engine = directory ? ENGINE_by_id("dynamic") : NULL;
    if (engine && ENGINE_ctrl_cmd_string(engine, "ID", "pkcs11", 0) == 1 &&
        ENGINE_ctrl_cmd_string(engine, "DIR_LOAD", "2", 0) == 1 &&
        ENGINE_ctrl_cmd_string(engine, "DIR_ADD", directory, 0) == 1 &&
        ENGINE_ctrl_cmd_string(engine, "LOAD", NULL, 0) == 1 && ENGINE_init(engine) == 1) {
        /* It would write the URI to stderr. */
        (void)ENGINE_ctrl_cmd_string(engine, "QUIET", NULL, 0);
        loaded.engine = engine;
        return true;
    }
    ENGINE_free(engine);
    return false;
}

/* Have the engine forget the token: it keeps the keys that it has loaded, and believes in a token
 * that was pulled for ever. Not while one of them is in use. Returns whether it has. */
static bool forget_token(void)
{
    const ENGINE_GEN_INT_FUNC_PTR finish = ENGINE_get_finish_function(loaded.engine);
    return atomic_load(&loaded.uses) == 0 && finish && finish(loaded.engine) == 1;
}

static void use_module(const char *module)
{
    if (strcmp(loaded.module, module) == 0)
        return;
    (void)forget_token();
    (void)ENGINE_ctrl_cmd_string(loaded.engine, "MODULE_PATH", module, 0);
    (void)snprintf(loaded.module, sizeof(loaded.module), "%s", module);
}

enum cause { CAUSE_NONE, CAUSE_PIN, CAUSE_PIN_LOCKED, CAUSE_MODULE };

static enum cause cause_of_errors(void)
{
    enum cause cause = CAUSE_NONE;
    unsigned long code;
    while ((code = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(code);
        const int reason = ERR_GET_REASON(code);
        if (!library)
            continue;
        if (strcmp(library, ENGINE_LIBRARY) == 0 && reason == P11_R_LOAD_MODULE)
            cause = CAUSE_MODULE;
        else if (strcmp(library, TOKEN_LIBRARY) == 0 && reason == CKR_PIN_LOCKED)
            cause = CAUSE_PIN_LOCKED;
        else if (strcmp(library, TOKEN_LIBRARY) == 0 && reason >= CKR_PIN_INCORRECT &&
                 reason <= CKR_PIN_LEN_RANGE)
            cause = CAUSE_PIN;
    }
    return cause;
}

static bool tell(const struct key_reference *reference, const struct credentials_pin *pin,
                 enum cause cause, struct credentials *credentials)
{
    const char *object = reference->object;
    if (cause == CAUSE_PIN || cause == CAUSE_PIN_LOCKED)
        return credentials_fail(credentials, CREDENTIALS_BAD_KEY,
                                cause == CAUSE_PIN
                                    ? "PrivateKey: the token does not take the PIN for %s; correct "
                                      "the PIN. It is not tried again, as tokens lock themselves"
                                    : "PrivateKey: the PIN for %s is locked; unlock the token, and "
                                      "start the daemon again",
                                object);
    if (cause == CAUSE_MODULE)
        return credentials_fail(
            credentials, CREDENTIALS_UNSUPPORTED,
            "PrivateKey: the token's library %s cannot be loaded; install it, and name it by "
            "module-path=/... in the URI",
            reference->module[0] ? reference->module : "(p11-kit's)");
    if (pin->was_asked && !pin->is_known)
        return credentials_fail(
            credentials, CREDENTIALS_BAD_KEY,
            "PrivateKey: the token of %s wants a PIN; add ?pin-source=file:/PATH to the URI",
            object);
    if (pin->was_asked)
        return credentials_fail(credentials, CREDENTIALS_MISSING,
                                "PrivateKey: the token holds no private key that fits %s; "
                                "look with pkcs11-tool --login --list-objects",
                                object);
    return credentials_fail(credentials, CREDENTIALS_MISSING,
                            "PrivateKey: no token is there that fits %s, or it holds no such key; "
                            "insert it, or look with pkcs11-tool --list-slots",
                            object);
}

/* Returns a key that signs, or NULL. */
static EVP_PKEY *load_once(const struct key_reference *reference, struct credentials_pin *pin,
                           enum cause *ret_cause)
{
    UI_METHOD *method = credentials_pin_method();
    ERR_clear_error();
    EVP_PKEY *key =
        method ? ENGINE_load_private_key(loaded.engine, reference->object, method, pin) : NULL;
    UI_destroy_method(method);
    *ret_cause = cause_of_errors();
    if (key && !credentials_key_signs(key)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key ? credentials_key_in_use(key, &loaded.uses) : NULL;
}

static bool load(const struct key_reference *reference, struct credentials_pin *pin,
                 EVP_PKEY **ret_key, struct credentials *credentials)
{
    enum cause cause;
    use_module(reference->module);
    *ret_key = load_once(reference, pin, &cause);
    /* Once more, from the beginning, unless it has just begun: then the PIN would be shown twice.
     */
    if (!*ret_key && cause == CAUSE_NONE && !pin->was_asked && forget_token())
        *ret_key = load_once(reference, pin, &cause);
    return *ret_key || tell(reference, pin, cause, credentials);
}

bool credentials_engine_load(const struct key_reference *reference, struct credentials_pin *pin,
                             EVP_PKEY **ret_key, bool *ret_is_there,
                             struct credentials *credentials)
{
    (void)pthread_mutex_lock(&loaded.lock);
    *ret_is_there = load_engine();
    const bool is_loaded = *ret_is_there && load(reference, pin, ret_key, credentials);
    (void)pthread_mutex_unlock(&loaded.lock);
    return is_loaded;
}
