#include "daemon/mqtt/tls_probe.h"

#include "daemon/base/clock.h"
#include "daemon/mqtt/endpoint_way.h"
#include "daemon/mqtt/proxy_dial.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* With TLS 1.3 the server judges our certificate after the handshake; so long its verdict is waited
 * for. */
#define VERDICT_MS 1000

static void __attribute__((format(printf, 3, 4)))
conclude(struct tls_probe *probe, int code, const char *format, ...)
{
    probe->code = code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(probe->text, sizeof(probe->text), format, arguments);
    va_end(arguments);
}

bool tls_probe_has_proxy(const struct mqtt_link_config *config)
{
    return config->proxy && config->proxy[0] != '\0';
}

static struct addrinfo *resolve(const struct mqtt_link_config *config, struct tls_probe *probe)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *addresses = NULL;
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)config->port);
    int rc = getaddrinfo(config->host, port, &hints, &addresses);
    if (rc == 0)
        return addresses;
    conclude(probe, MQTT_LINK_FAILED_NAME,
             "the name %s does not resolve (%s); check Endpoint, the network and the resolver",
             config->host, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    return NULL;
}

int tls_probe_name(const struct mqtt_link_config *config, struct tls_probe *ret_probe,
                   enum endpoint_way *ret_way)
{
    struct addrinfo *addresses = resolve(config, ret_probe);
    if (!addresses)
        return -1;
    *ret_way = endpoint_way_to(addresses);
    freeaddrinfo(addresses);
    return 0;
}

/* Wait until the socket is ready or the time has come. Returns whether it is. */
static bool wait_for(int fd, short events, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - clock_now_ms();
        struct pollfd poll_fd = {.fd = fd, .events = events};
        int rc = poll(&poll_fd, 1, left_ms > 0 ? (int)left_ms : 0);
        if (rc > 0)
            return true;
        if (rc == 0 || errno != EINTR)
            return false;
    }
}

/* Returns 0 and an open socket, or an errno. */
static int connect_one(const struct addrinfo *address, int64_t deadline_ms, int *ret_fd)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    int error = 0;
    socklen_t size = sizeof(error);
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0) {
        error = errno;
        if (error == EINPROGRESS && !wait_for(fd, POLLOUT, deadline_ms))
            error = ETIMEDOUT;
        else if (error == EINPROGRESS && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
            error = errno;
    }
    if (error == 0)
        *ret_fd = fd;
    else
        close(fd);
    return error;
}

static int connect_any(const struct mqtt_link_config *config, int64_t deadline_ms,
                       struct tls_probe *probe)
{
    struct addrinfo *addresses = resolve(config, probe);
    if (!addresses)
        return -1;
    int fd = -1, error = ENOENT;
    for (const struct addrinfo *a = addresses; a && error != 0; a = a->ai_next)
        error = connect_one(a, deadline_ms, &fd);
    freeaddrinfo(addresses);
    if (error == 0)
        return fd;
    const char *hint = error == ECONNREFUSED ? "nothing listens there; check Endpoint and Port"
                       : error == ETIMEDOUT  ? "a firewall may drop it; check Port"
                                             : "check the network";
    conclude(probe, MQTT_LINK_FAILED_TCP, "no TCP connection to %s port %u: %s; %s", config->host,
             (unsigned)config->port, strerror(error), hint);
    return -1;
}

/* Through the proxy. */
static int connect_through(const struct mqtt_link_config *config, int64_t deadline_ms,
                           struct tls_probe *probe)
{
    struct proxy_dial *dial = NULL;
    enum endpoint_way way;
    if (proxy_dial_new(&dial, config, deadline_ms - clock_now_ms(), &way, probe) < 0)
        return -1;
    enum proxy_dial_state state;
    while ((state = proxy_dial_step(dial, clock_now_ms())) < PROXY_DIAL_OPEN) {
        struct pollfd poll_fd = {.fd = -1};
        int timeout_ms;
        poll_fd.fd = proxy_dial_poll(dial, clock_now_ms(), &poll_fd.events, &timeout_ms);
        (void)poll(&poll_fd, 1, timeout_ms);
    }
    int fd = -1;
    if (state == PROXY_DIAL_OPEN)
        fd = proxy_dial_take(dial);
    else
        *probe = *proxy_dial_reason(dial);
    (void)proxy_dial_free(dial);
    return fd;
}

static bool set_credentials(SSL_CTX *context, const struct mqtt_link_config *config)
{
    const struct credentials_paths *paths = &config->credentials;
    return SSL_CTX_load_verify_locations(context, paths->ca_file, NULL) == 1 &&
           SSL_CTX_use_certificate_chain_file(context, paths->certificate_file) == 1 &&
           SSL_CTX_use_PrivateKey_file(context, paths->private_key, SSL_FILETYPE_PEM) == 1;
}

static bool set_server_name(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

/* Retry an OpenSSL step until it is done, fails or runs out of time. Returns its last error code,
 * SSL_ERROR_WANT_READ for out of time. */
static int drive(SSL *ssl, int (*step)(SSL *), int fd, int64_t deadline_ms)
{
    for (;;) {
        ERR_clear_error();
        int rc = step(ssl);
        int error = rc == 1 ? SSL_ERROR_NONE : SSL_get_error(ssl, rc);
        if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
            return error;
        short events = error == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (!wait_for(fd, events, deadline_ms))
            return SSL_ERROR_WANT_READ;
    }
}

static int read_step(SSL *ssl)
{
    char byte;
    int rc = SSL_read(ssl, &byte, 1);
    return rc > 0 ? 1 : rc;
}

static void describe_untrusted(SSL *ssl, const struct mqtt_link_config *config,
                               struct tls_probe *probe)
{
    long verdict = SSL_get_verify_result(ssl);
    const char *words = X509_verify_cert_error_string(verdict);
    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH)
        conclude(probe, MQTT_LINK_FAILED_SERVER_NAME,
                 "the server's certificate belongs to another name than %s; check Endpoint",
                 config->host);
    else if (verdict == X509_V_ERR_CERT_NOT_YET_VALID || verdict == X509_V_ERR_CERT_HAS_EXPIRED)
        conclude(probe, MQTT_LINK_FAILED_SERVER_TIME,
                 "the server's certificate is not valid now (%s); check this device's clock",
                 words);
    else
        conclude(probe, MQTT_LINK_FAILED_SERVER_CA,
                 "the server's certificate is not signed by an authority in CaFile %s (%s); check "
                 "CaFile and Endpoint%s",
                 config->credentials.ca_file, words,
                 tls_probe_has_proxy(config) ? ", and that the proxy does not open TLS" : "");
}

/* The alerts by which a server speaks of the certificate it was shown. */
static bool is_about_certificate(int reason)
{
    switch (reason - SSL_AD_REASON_OFFSET) {
    case SSL_AD_HANDSHAKE_FAILURE: /* what some send for a missing or unknown one */
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL_AD_DECRYPT_ERROR:
    case SSL_AD_CERTIFICATE_REQUIRED:
        return true;
    default:
        return false;
    }
}

static void describe_tls_error(SSL *ssl, int error, const struct mqtt_link_config *config,
                               struct tls_probe *probe)
{
    unsigned long code = ERR_peek_error();
    const char *words = code ? ERR_reason_error_string(code) : NULL;
    if (ERR_GET_LIB(code) == ERR_LIB_SSL && ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED)
        describe_untrusted(ssl, config, probe);
    else if (error == SSL_ERROR_WANT_READ)
        conclude(probe, MQTT_LINK_FAILED_TIMEOUT,
                 "%s port %u does not answer the TLS handshake; check Port", config->host,
                 (unsigned)config->port);
    else if (ERR_GET_LIB(code) == ERR_LIB_SSL && is_about_certificate(ERR_GET_REASON(code)))
        conclude(probe, MQTT_LINK_FAILED_REFUSED_US,
                 "the server refused our certificate %s (%s); check that it is registered and "
                 "active",
                 config->credentials.certificate_file, words ? words : "TLS alert");
    else
        conclude(probe, MQTT_LINK_FAILED, "the TLS handshake with %s port %u failed: %s",
                 config->host, (unsigned)config->port, words ? words : "connection closed");
}

static void shake_hands(SSL_CTX *context, int fd, const struct mqtt_link_config *config,
                        int64_t deadline_ms, struct tls_probe *probe)
{
    SSL *ssl = SSL_new(context);
    static const unsigned char alpn[] = "\x0ex-amzn-mqtt-ca";
    bool ready = ssl && SSL_set_fd(ssl, fd) == 1 && set_server_name(ssl, config->host) &&
                 (config->port != 443 || SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1) == 0);
    if (!ready) {
        conclude(probe, MQTT_LINK_FAILED, "TLS cannot be set up: out of memory");
        SSL_free(ssl);
        return;
    }
    int error = drive(ssl, SSL_connect, fd, deadline_ms);
    if (error != SSL_ERROR_NONE) {
        describe_tls_error(ssl, error, config, probe);
    } else {
        int64_t verdict_ms = clock_now_ms() + VERDICT_MS;
        error = drive(ssl, read_step, fd, verdict_ms < deadline_ms ? verdict_ms : deadline_ms);
        /* Silence and a plain close both say that TLS is not what is wrong. */
        if (error == SSL_ERROR_SSL)
            describe_tls_error(ssl, error, config, probe);
    }
    SSL_free(ssl);
}

void tls_probe_run(const struct mqtt_link_config *config, int timeout_ms,
                   struct tls_probe *ret_probe)
{
    ret_probe->code = 0;
    ret_probe->text[0] = '\0';
    int64_t deadline_ms = clock_now_ms() + timeout_ms;
    int fd = tls_probe_has_proxy(config) ? connect_through(config, deadline_ms, ret_probe)
                                         : connect_any(config, deadline_ms, ret_probe);
    if (fd < 0)
        return;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        set_credentials(context, config)) {
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        shake_hands(context, fd, config, deadline_ms, ret_probe);
    } else {
        unsigned long code = ERR_peek_error();
        const char *words = code ? ERR_reason_error_string(code) : NULL;
        conclude(ret_probe, MQTT_LINK_FAILED, "TLS cannot use the credentials: %s",
                 words ? words : "out of memory");
    }
    SSL_CTX_free(context);
    ERR_clear_error();
    close(fd);
}

void tls_probe_explain(const struct mqtt_link_config *config, int timeout_ms, bool timed_out,
                       struct tls_probe *ret_probe)
{
    tls_probe_run(config, timeout_ms, ret_probe);
    if (ret_probe->code != 0)
        return;
    if (timed_out)
        conclude(ret_probe, MQTT_LINK_FAILED_TIMEOUT,
                 "the broker takes the connection but does not answer CONNECT in time; check "
                 "Endpoint and Port");
    else
        conclude(ret_probe, MQTT_LINK_FAILED,
                 "the broker ended the connection without a reason; check that the certificate is "
                 "active and that its policy allows iot:Connect with this ClientId");
}
