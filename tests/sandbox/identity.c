#include "tests/sandbox/identity.h"

#include <mosquitto_broker.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

static char *common_name(X509 *certificate)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return NULL;
    unsigned char *text = NULL;
    int length =
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (length < 0)
        return NULL;
    /* A name with a NUL in it would look like a shorter one. */
    char *name = strlen((char *)text) == (size_t)length ? strdup((char *)text) : NULL;
    OPENSSL_free(text);
    return name;
}

char *identity_new(const struct mosquitto *client)
{
    X509 *certificate = mosquitto_client_certificate(client);
    if (!certificate)
        return NULL;
    char *name = common_name(certificate);
    X509_free(certificate);
    return name;
}
