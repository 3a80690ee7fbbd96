/* Who a broker's client is: the common name of its certificate. OpenSSL is used here only. */
#ifndef FLUX_TESTS_SANDBOX_IDENTITY_H
#define FLUX_TESTS_SANDBOX_IDENTITY_H

struct mosquitto;

/* Return the common name of the client's certificate, owned by the caller. NULL: it showed none,
 * the name is not plain text, or memory ran out. */
char *identity_new(const struct mosquitto *client);

#endif
