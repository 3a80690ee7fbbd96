#include "daemon/mqtt/proxy_dial.h"

#include "daemon/base/clock.h"
#include "daemon/mqtt/endpoint_way.h"
#include "daemon/mqtt/proxy_talk.h"
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct proxy_dial {
    enum proxy_dial_state state;
    int fd; /* -1: none */
    int64_t deadline_ms;
    int64_t address_ms;              /* until then this address may take to answer */
    struct addrinfo *addresses;      /* owned */
    const struct addrinfo *next;     /* the one to try next */
    struct proxy_address proxy;      /* holds a secret */
    char request[PROXY_REQUEST_MAX]; /* holds it too */
    size_t request_size, sent;
    struct proxy_answer answer;
    uint16_t port;
    struct tls_probe reason;
    char host[]; /* the endpoint */
};

static void __attribute__((format(printf, 2, 3)))
fail(struct proxy_dial *dial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(dial->reason.text, sizeof(dial->reason.text), format, arguments);
    va_end(arguments);
    dial->reason.code = MQTT_LINK_FAILED_PROXY;
    dial->state = PROXY_DIAL_FAILED;
}

static void fail_tcp(struct proxy_dial *dial, int error)
{
    const char *hint = error == ECONNREFUSED ? "nothing listens there; check Proxy"
                       : error == ETIMEDOUT  ? "a firewall may drop it; check Proxy"
                                             : "check Proxy and the network";
    fail(dial, "no TCP connection to the proxy %s: %s; %s", dial->proxy.shown, strerror(error),
         hint);
}

static void hang_up(struct proxy_dial *dial)
{
    if (dial->fd >= 0)
        (void)close(dial->fd);
    dial->fd = -1;
}

/* Returns 0 with a connection that is made or being made, or an errno. */
static int begin_address(struct proxy_dial *dial, const struct addrinfo *address)
{
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return errno;
    if (connect(fd, address->ai_addr, address->ai_addrlen) < 0 && errno != EINPROGRESS) {
        const int error = errno;
        (void)close(fd);
        return error;
    }
    dial->fd = fd;
    return 0;
}

static int64_t address_count(const struct addrinfo *address)
{
    int64_t count = 0;
    for (; address; address = address->ai_next)
        count++;
    return count;
}

/* Try the addresses that are left, the last error being `error`. Each gets its share of the time.
 */
static void try_next(struct proxy_dial *dial, int error, int64_t now_ms)
{
    hang_up(dial);
    while (dial->next) {
        const int64_t left_ms = dial->deadline_ms > now_ms ? dial->deadline_ms - now_ms : 0;
        dial->address_ms = now_ms + left_ms / address_count(dial->next);
        const struct addrinfo *address = dial->next;
        dial->next = address->ai_next;
        error = begin_address(dial, address);
        if (error == 0)
            return;
    }
    fail_tcp(dial, error);
}

static struct addrinfo *resolve(struct proxy_dial *dial)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    char service[8];
    (void)snprintf(service, sizeof(service), "%u", (unsigned)dial->proxy.port);
    const int rc = getaddrinfo(dial->proxy.host, service, &hints, &addresses);
    if (rc == 0)
        return addresses;
    fail(dial,
         "the name %s of the proxy does not resolve (%s); check Proxy, the network and the "
         "resolver",
         dial->proxy.host, rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc));
    return NULL;
}

static struct proxy_dial *dial_new(const struct mqtt_link_config *config)
{
    const size_t host_size = strlen(config->host) + 1;
    struct proxy_dial *dial = calloc(1, sizeof(*dial) + host_size);
    if (!dial)
        return NULL;
    dial->fd = -1;
    dial->port = config->port;
    memcpy(dial->host, config->host, host_size);
    return dial;
}

static bool write_request(struct proxy_dial *dial, const char *proxy)
{
    const char *why = NULL;
    if (proxy_address_parse(proxy, &dial->proxy, &why) < 0) {
        fail(dial, "Proxy: %s", why);
        return false;
    }
    const int size = proxy_request_write(&dial->proxy, dial->host, dial->port, dial->request);
    if (size < 0) {
        fail(dial, "Endpoint cannot be named to a proxy; check Endpoint");
        return false;
    }
    dial->request_size = (size_t)size;
    return true;
}

int proxy_dial_new(struct proxy_dial **ret_dial, const struct mqtt_link_config *config,
                   int64_t timeout_ms, enum endpoint_way *ret_way, struct tls_probe *ret_probe)
{
    *ret_way = ENDPOINT_UNKNOWN;
    struct proxy_dial *dial = *ret_dial = dial_new(config);
    if (!dial) {
        *ret_probe = (struct tls_probe){.code = MQTT_LINK_FAILED, .text = "out of memory"};
        return -1;
    }
    if (write_request(dial, config->proxy))
        dial->addresses = resolve(dial);
    if (dial->addresses) {
        *ret_way = endpoint_way_to(dial->addresses);
        dial->next = dial->addresses;
        dial->deadline_ms = clock_now_ms() + timeout_ms;
        try_next(dial, ENOENT, clock_now_ms());
    }
    if (dial->state != PROXY_DIAL_FAILED)
        return 0;
    *ret_probe = dial->reason;
    *ret_dial = proxy_dial_free(dial);
    return -1;
}

struct proxy_dial *proxy_dial_free(struct proxy_dial *dial)
{
    if (!dial)
        return NULL;
    hang_up(dial);
    if (dial->addresses)
        freeaddrinfo(dial->addresses);
    explicit_bzero(dial, sizeof(*dial));
    free(dial);
    return NULL;
}

/* When to look whether it is over. */
static int64_t next_deadline_ms(const struct proxy_dial *dial)
{
    return dial->state == PROXY_DIAL_CONNECTING ? dial->address_ms : dial->deadline_ms;
}

int proxy_dial_poll(const struct proxy_dial *dial, int64_t now_ms, short *ret_events,
                    int *ret_timeout_ms)
{
    const int64_t left_ms = next_deadline_ms(dial) - now_ms;
    *ret_events = dial->state == PROXY_DIAL_READING ? POLLIN : POLLOUT;
    *ret_timeout_ms = left_ms > 0 ? (int)left_ms : 0;
    return dial->fd;
}

static bool is_ready(int fd, short events)
{
    struct pollfd poll_fd = {.fd = fd, .events = events};
    return poll(&poll_fd, 1, 0) > 0;
}

/* Each of these three returns whether there is more to do at once. */

static bool finish_connect(struct proxy_dial *dial, int64_t now_ms)
{
    if (!is_ready(dial->fd, POLLOUT)) {
        if (now_ms >= dial->address_ms)
            try_next(dial, ETIMEDOUT, now_ms);
        return false;
    }
    int error = 0;
    socklen_t size = sizeof(error);
    if (getsockopt(dial->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == 0)
        dial->state = PROXY_DIAL_SENDING;
    else
        try_next(dial, error, now_ms);
    return error == 0;
}

static void fail_talk(struct proxy_dial *dial, int error)
{
    if (error == 0 || error == ECONNRESET || error == EPIPE)
        fail(dial,
             "the proxy %s ends the connection without an answer to CONNECT; check that Proxy "
             "names an HTTP proxy and its port, and that it admits this device",
             dial->proxy.shown);
    else
        fail(dial, "the connection to the proxy %s failed: %s", dial->proxy.shown, strerror(error));
}

static bool is_for_later(int error)
{
    return error == EAGAIN || error == EINTR;
}

static bool send_request(struct proxy_dial *dial)
{
    const ssize_t sent =
        send(dial->fd, dial->request + dial->sent, dial->request_size - dial->sent, MSG_NOSIGNAL);
    if (sent < 0) {
        if (!is_for_later(errno))
            fail_talk(dial, errno);
        return false;
    }
    dial->sent += (size_t)sent;
    if (dial->sent < dial->request_size)
        return true;
    explicit_bzero(dial->request, sizeof(dial->request));
    dial->state = PROXY_DIAL_READING;
    return true;
}

static void judge(struct proxy_dial *dial)
{
    dial->reason.code = proxy_answer_judge(&dial->answer, &dial->proxy, dial->host, dial->port,
                                           dial->reason.text, sizeof(dial->reason.text));
    dial->state = dial->reason.code == 0 ? PROXY_DIAL_OPEN : PROXY_DIAL_FAILED;
}

/* What comes behind the head is TLS, and is left in the socket. */
static bool read_answer(struct proxy_dial *dial)
{
    char bytes[1024];
    const ssize_t seen = recv(dial->fd, bytes, sizeof(bytes), MSG_PEEK);
    if (seen <= 0) {
        if (seen == 0 && dial->answer.size > 0)
            judge(dial);
        else if (seen == 0 || !is_for_later(errno))
            fail_talk(dial, seen == 0 ? 0 : errno);
        return false;
    }
    const size_t taken = proxy_answer_take(&dial->answer, bytes, (size_t)seen);
    (void)recv(dial->fd, bytes, taken, 0);
    if (proxy_answer_is_over(&dial->answer))
        judge(dial);
    return dial->state == PROXY_DIAL_READING;
}

static bool go_on(struct proxy_dial *dial, int64_t now_ms)
{
    switch (dial->state) {
    case PROXY_DIAL_CONNECTING:
        return finish_connect(dial, now_ms);
    case PROXY_DIAL_SENDING:
        return send_request(dial);
    case PROXY_DIAL_READING:
        return read_answer(dial);
    case PROXY_DIAL_OPEN:
    case PROXY_DIAL_FAILED:
        break;
    }
    return false;
}

enum proxy_dial_state proxy_dial_step(struct proxy_dial *dial, int64_t now_ms)
{
    while (go_on(dial, now_ms))
        ;
    const bool is_talking = dial->state == PROXY_DIAL_SENDING || dial->state == PROXY_DIAL_READING;
    if (is_talking && now_ms >= dial->deadline_ms)
        fail(dial,
             "the proxy %s takes the connection but does not answer CONNECT in time; check Proxy, "
             "and the proxy",
             dial->proxy.shown);
    return dial->state;
}

const struct tls_probe *proxy_dial_reason(const struct proxy_dial *dial)
{
    return &dial->reason;
}

int proxy_dial_take(struct proxy_dial *dial)
{
    const int fd = dial->fd;
    dial->fd = -1;
    return fd;
}
