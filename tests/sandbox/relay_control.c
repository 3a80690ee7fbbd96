#include "tests/sandbox/relay_control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define LINE_MAX_BYTES 128
#define DELAY_MAX_MS   600000

struct relay_control {
    struct relay_net *net;
    struct evconnlistener *listener;
    char *path;
};

static int set_delay(struct relay_net *net, const char *text)
{
    char *end;
    long delay_ms = strtol(text, &end, 10);
    if (end == text || *end != '\0' || delay_ms < 0 || delay_ms > DELAY_MAX_MS)
        return -EINVAL;
    relay_net_set_delay(net, delay_ms);
    return 0;
}

static int obey(struct relay_net *net, const char *line)
{
    if (strcmp(line, "up") == 0)
        return relay_net_set_state(net, RELAY_NET_UP);
    if (strcmp(line, "down") == 0)
        return relay_net_set_state(net, RELAY_NET_DOWN);
    if (strcmp(line, "blackhole") == 0)
        return relay_net_set_state(net, RELAY_NET_BLACKHOLE);
    if (strncmp(line, "delay ", 6) == 0)
        return set_delay(net, line + 6);
    return strcmp(line, "status") == 0 ? 0 : -EINVAL;
}

static void on_written(struct bufferevent *peer, void *data)
{
    (void)data;
    bufferevent_free(peer);
}

static void on_event(struct bufferevent *peer, short events, void *data)
{
    (void)events;
    (void)data;
    bufferevent_free(peer);
}

static void on_read(struct bufferevent *peer, void *data)
{
    struct relay_control *control = data;
    struct evbuffer *input = bufferevent_get_input(peer);
    char *line = evbuffer_readln(input, NULL, EVBUFFER_EOL_LF);
    if (!line) {
        if (evbuffer_get_length(input) > LINE_MAX_BYTES)
            bufferevent_free(peer);
        return;
    }
    int r = obey(control->net, line);
    free(line);
    if (r < 0)
        evbuffer_add_printf(bufferevent_get_output(peer),
                            "error: %s; up, down, blackhole, delay MS and status are understood\n",
                            strerror(-r));
    else
        evbuffer_add_printf(bufferevent_get_output(peer),
                            "%s delay=%" PRId64 "ms connections=%zu\n",
                            relay_net_state_name(relay_net_get_state(control->net)),
                            relay_net_delay_ms(control->net), relay_net_count(control->net));
    bufferevent_setcb(peer, NULL, on_written, on_event, control);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *address,
                      int size, void *data)
{
    (void)address;
    (void)size;
    struct bufferevent *peer =
        bufferevent_socket_new(evconnlistener_get_base(listener), fd, BEV_OPT_CLOSE_ON_FREE);
    if (!peer) {
        close(fd);
        return;
    }
    const struct timeval patience = {5, 0};
    bufferevent_setcb(peer, on_read, NULL, on_event, data);
    bufferevent_set_timeouts(peer, &patience, &patience);
    (void)bufferevent_enable(peer, EV_READ | EV_WRITE);
}

int relay_control_new(struct event_base *base, const char *path, struct relay_net *net,
                      struct relay_control **ret_control)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, path);
    struct relay_control *control = calloc(1, sizeof(*control));
    if (!control)
        return -ENOMEM;
    control->net = net;
    control->path = strdup(path);
    if (!control->path) {
        relay_control_free(control);
        return -ENOMEM;
    }
    (void)unlink(path);
    mode_t mask = umask(0077);
    control->listener = evconnlistener_new_bind(base, on_accept, control,
                                                LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 8,
                                                (struct sockaddr *)&address, sizeof(address));
    int r = control->listener ? 0 : -errno;
    umask(mask);
    if (r < 0) {
        relay_control_free(control);
        return r;
    }
    *ret_control = control;
    return 0;
}

struct relay_control *relay_control_free(struct relay_control *control)
{
    if (!control)
        return NULL;
    if (control->listener) {
        evconnlistener_free(control->listener);
        (void)unlink(control->path);
    }
    free(control->path);
    free(control);
    return NULL;
}
