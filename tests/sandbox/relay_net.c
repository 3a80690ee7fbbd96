#include "tests/sandbox/relay_net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/sandbox/relay_pair.h"

struct entry {
    struct entry *next;
    struct relay_net *net;
    struct relay_pair *pair;
};

struct relay_net {
    struct event_base *base;
    char *broker_path;
    int fd;
    unsigned port;
    struct event *accept_event;
    enum relay_net_state state;
    int64_t delay_ms;
    struct entry *entries;
};

static void on_pair_end(struct relay_pair *pair, void *data)
{
    struct entry *entry = data;
    (void)pair;
    for (struct entry **at = &entry->net->entries; *at; at = &(*at)->next) {
        if (*at == entry) {
            *at = entry->next;
            break;
        }
    }
    free(entry);
}

/* Relay a connection; one that cannot be relayed is closed. */
static void add_pair(struct relay_net *net, int fd)
{
    struct entry *entry = calloc(1, sizeof(*entry));
    if (!entry) {
        close(fd);
        return;
    }
    const struct relay_pair_options options = {.base = net->base,
                                               .broker_path = net->broker_path,
                                               .delay_ms = &net->delay_ms,
                                               .on_end = on_pair_end,
                                               .data = entry};
    entry->net = net;
    if (relay_pair_new(&options, fd, net->state == RELAY_NET_BLACKHOLE, &entry->pair) < 0) {
        free(entry);
        return;
    }
    entry->next = net->entries;
    net->entries = entry;
}

static void on_accept(evutil_socket_t fd, short events, void *data)
{
    (void)events;
    int device = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (device >= 0)
        add_pair(data, device);
}

/* Bind a new socket to 127.0.0.1:*port (0: any; *port then tells which). */
static int bind_port(unsigned *port, int *ret_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)*port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(fd, (struct sockaddr *)&address, size) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    *port = ntohs(address.sin_port);
    *ret_fd = fd;
    return 0;
}

static int open_port(struct relay_net *net, unsigned port)
{
    int finder = -1;
    int r = port == 0 ? bind_port(&port, &finder) : 0;
    /* Only a port that was asked for by number stays ours while the socket does not listen. */
    if (r == 0)
        r = bind_port(&port, &net->fd);
    if (finder >= 0)
        close(finder);
    if (r < 0)
        return r;
    if (listen(net->fd, 128) < 0)
        return -errno;
    net->port = port;
    net->accept_event = event_new(net->base, net->fd, EV_READ | EV_PERSIST, on_accept, net);
    return net->accept_event && event_add(net->accept_event, NULL) == 0 ? 0 : -ENOMEM;
}

int relay_net_new(struct event_base *base, unsigned port, const char *broker_path,
                  struct relay_net **ret_net)
{
    struct relay_net *net = calloc(1, sizeof(*net));
    if (!net)
        return -ENOMEM;
    net->base = base;
    net->fd = -1;
    net->broker_path = strdup(broker_path);
    int r = net->broker_path ? open_port(net, port) : -ENOMEM;
    if (r < 0) {
        relay_net_free(net);
        return r;
    }
    *ret_net = net;
    return 0;
}

static void reset_all(struct relay_net *net)
{
    while (net->entries) {
        struct entry *entry = net->entries;
        net->entries = entry->next;
        relay_pair_free(entry->pair);
        free(entry);
    }
}

struct relay_net *relay_net_free(struct relay_net *net)
{
    if (!net)
        return NULL;
    reset_all(net);
    if (net->accept_event)
        event_free(net->accept_event);
    if (net->fd >= 0)
        close(net->fd);
    free(net->broker_path);
    free(net);
    return NULL;
}

unsigned relay_net_port(const struct relay_net *net)
{
    return net->port;
}

/* Let hang or go on; who can no longer reach the broker is reset. */
static void set_all_paused(struct relay_net *net, bool paused)
{
    struct entry **at = &net->entries;
    while (*at) {
        struct entry *entry = *at;
        if (relay_pair_set_paused(entry->pair, paused) == 0) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        relay_pair_free(entry->pair);
        free(entry);
    }
}

int relay_net_set_state(struct relay_net *net, enum relay_net_state state)
{
    /* A socket that is shut down no longer listens, but keeps its port: connecting is refused. */
    if (state == RELAY_NET_DOWN && net->state != RELAY_NET_DOWN) {
        (void)event_del(net->accept_event);
        if (shutdown(net->fd, SHUT_RD) < 0)
            return -errno;
        reset_all(net);
    }
    if (state != RELAY_NET_DOWN && net->state == RELAY_NET_DOWN) {
        if (listen(net->fd, 128) < 0)
            return -errno;
        (void)event_add(net->accept_event, NULL);
    }
    net->state = state;
    set_all_paused(net, state == RELAY_NET_BLACKHOLE);
    return 0;
}

void relay_net_set_delay(struct relay_net *net, int64_t delay_ms)
{
    net->delay_ms = delay_ms;
}

enum relay_net_state relay_net_get_state(const struct relay_net *net)
{
    return net->state;
}

int64_t relay_net_delay_ms(const struct relay_net *net)
{
    return net->delay_ms;
}

size_t relay_net_count(const struct relay_net *net)
{
    size_t count = 0;
    for (const struct entry *entry = net->entries; entry; entry = entry->next)
        count++;
    return count;
}

const char *relay_net_state_name(enum relay_net_state state)
{
    switch (state) {
    case RELAY_NET_UP:
        return "up";
    case RELAY_NET_DOWN:
        return "down";
    case RELAY_NET_BLACKHOLE:
        return "blackhole";
    }
    return "unknown";
}
