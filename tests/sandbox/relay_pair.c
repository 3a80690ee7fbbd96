#include "tests/sandbox/relay_pair.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define UNDER_WAY_MAX 1048576 /* bytes one direction may hold before it stops reading */

/* Bytes that arrived together and leave together. */
struct chunk {
    struct chunk *next;
    struct evbuffer *bytes;
    int64_t due_ms;
};

/* One way: what `from` says reaches `to` after the delay. */
struct direction {
    struct relay_pair *pair;
    struct bufferevent *from;
    struct bufferevent *to;
    int timer_fd; /* no timer of libevent's: see daemon/daemon_timer.h */
    struct event *timer;
    struct chunk *first;
    struct chunk **end;
    size_t under_way_bytes;
};

struct relay_pair {
    struct relay_pair_options options;
    struct bufferevent *device;
    struct bufferevent *broker; /* NULL: not connected yet */
    struct direction up;        /* device to broker */
    struct direction down;
    bool paused;
    bool ending; /* one side is closed; the other gets what is under way, then ends too */
};

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void end_pair(struct relay_pair *pair)
{
    pair->options.on_end(pair, pair->options.data);
    relay_pair_free(pair);
}

static void drop_chunks(struct direction *direction)
{
    while (direction->first) {
        struct chunk *chunk = direction->first;
        direction->first = chunk->next;
        evbuffer_free(chunk->bytes);
        free(chunk);
    }
    direction->end = &direction->first;
    direction->under_way_bytes = 0;
}

/* Pass on what is due and set the timer for the rest. */
static void pump(struct direction *direction)
{
    if (direction->pair->paused || !direction->to)
        return;
    int64_t now = now_ms();
    while (direction->first && direction->first->due_ms <= now) {
        struct chunk *chunk = direction->first;
        direction->first = chunk->next;
        if (!direction->first)
            direction->end = &direction->first;
        direction->under_way_bytes -= evbuffer_get_length(chunk->bytes);
        (void)bufferevent_write_buffer(direction->to, chunk->bytes);
        evbuffer_free(chunk->bytes);
        free(chunk);
    }
    if (direction->first) {
        int64_t wait_ms = direction->first->due_ms - now;
        const struct itimerspec wait = {.it_value = {.tv_sec = (time_t)(wait_ms / 1000),
                                                     .tv_nsec = (long)(wait_ms % 1000 * 1000000)}};
        (void)timerfd_settime(direction->timer_fd, 0, &wait, NULL);
    }
    if (direction->under_way_bytes < UNDER_WAY_MAX && direction->from)
        (void)bufferevent_enable(direction->from, EV_READ);
}

static bool is_drained(const struct direction *direction)
{
    return !direction->first &&
           (!direction->to || evbuffer_get_length(bufferevent_get_output(direction->to)) == 0);
}

/* End the pair once the side that is still open has everything. */
static void end_if_drained(struct relay_pair *pair)
{
    if (pair->ending && is_drained(&pair->up) && is_drained(&pair->down))
        end_pair(pair);
}

static void on_timer(evutil_socket_t fd, short events, void *data)
{
    (void)events;
    struct direction *direction = data;
    uint64_t count;
    if (read(fd, &count, sizeof(count)) < 0)
        return; /* set again meanwhile */
    pump(direction);
    end_if_drained(direction->pair);
}

static void on_read(struct bufferevent *from, void *data)
{
    struct relay_pair *pair = data;
    struct direction *direction = from == pair->device ? &pair->up : &pair->down;
    struct chunk *chunk = calloc(1, sizeof(*chunk));
    if (chunk)
        chunk->bytes = evbuffer_new();
    if (!chunk || !chunk->bytes || bufferevent_read_buffer(from, chunk->bytes) < 0) {
        if (chunk && chunk->bytes)
            evbuffer_free(chunk->bytes);
        free(chunk);
        end_pair(pair);
        return;
    }
    chunk->due_ms = now_ms() + *pair->options.delay_ms;
    direction->under_way_bytes += evbuffer_get_length(chunk->bytes);
    *direction->end = chunk;
    direction->end = &chunk->next;
    if (direction->under_way_bytes >= UNDER_WAY_MAX)
        (void)bufferevent_disable(from, EV_READ);
    pump(direction);
}

static void on_written(struct bufferevent *to, void *data)
{
    (void)to;
    end_if_drained(data);
}

static void on_event(struct bufferevent *side, short events, void *data)
{
    struct relay_pair *pair = data;
    if (!(events & (BEV_EVENT_EOF | BEV_EVENT_ERROR)))
        return;
    /* Nobody reads there any more: what was meant for it is gone. */
    struct direction *towards = side == pair->device ? &pair->down : &pair->up;
    towards->to = NULL;
    drop_chunks(towards);
    (void)bufferevent_disable(side, EV_READ | EV_WRITE);
    pair->ending = true;
    end_if_drained(pair);
}

static int connect_broker(struct relay_pair *pair)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(pair->options.broker_path) >= sizeof(address.sun_path))
        return -ENAMETOOLONG;
    strcpy(address.sun_path, pair->options.broker_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        int r = -errno;
        close(fd);
        return r;
    }
    pair->broker = bufferevent_socket_new(pair->options.base, fd, 0);
    if (!pair->broker) {
        close(fd);
        return -ENOMEM;
    }
    bufferevent_setcb(pair->broker, on_read, on_written, on_event, pair);
    pair->up.to = pair->down.from = pair->broker;
    return 0;
}

static int direction_init(struct direction *direction, struct relay_pair *pair)
{
    direction->pair = pair;
    direction->end = &direction->first;
    direction->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (direction->timer_fd < 0)
        return -errno;
    direction->timer = event_new(pair->options.base, direction->timer_fd, EV_READ | EV_PERSIST,
                                 on_timer, direction);
    return direction->timer && event_add(direction->timer, NULL) == 0 ? 0 : -ENOMEM;
}

int relay_pair_new(const struct relay_pair_options *options, int device_fd, bool paused,
                   struct relay_pair **ret_pair)
{
    struct relay_pair *pair = calloc(1, sizeof(*pair));
    if (!pair) {
        close(device_fd);
        return -ENOMEM;
    }
    pair->options = *options;
    pair->paused = true;
    int r = direction_init(&pair->up, pair);
    const int r_down = direction_init(&pair->down, pair);
    if (r == 0)
        r = r_down;
    pair->device = bufferevent_socket_new(options->base, device_fd, 0);
    if (!pair->device)
        close(device_fd);
    if (r == 0 && !pair->device)
        r = -ENOMEM;
    if (r == 0) {
        pair->up.from = pair->down.to = pair->device;
        bufferevent_setcb(pair->device, on_read, on_written, on_event, pair);
        (void)bufferevent_disable(pair->device, EV_READ | EV_WRITE);
        r = paused ? 0 : relay_pair_set_paused(pair, false);
    }
    if (r < 0) {
        relay_pair_free(pair);
        return r;
    }
    *ret_pair = pair;
    return 0;
}

int relay_pair_set_paused(struct relay_pair *pair, bool paused)
{
    pair->paused = paused;
    int r = 0;
    if (paused) {
        (void)bufferevent_disable(pair->device, EV_READ | EV_WRITE);
        if (pair->broker)
            (void)bufferevent_disable(pair->broker, EV_READ | EV_WRITE);
        return 0;
    }
    if (!pair->broker)
        r = connect_broker(pair);
    if (r < 0)
        return r;
    (void)bufferevent_enable(pair->device, EV_READ | EV_WRITE);
    (void)bufferevent_enable(pair->broker, EV_READ | EV_WRITE);
    pump(&pair->up);
    pump(&pair->down);
    return 0;
}

static void direction_clear(struct direction *direction)
{
    drop_chunks(direction);
    if (direction->timer)
        event_free(direction->timer);
    if (direction->timer_fd >= 0)
        (void)close(direction->timer_fd);
}

/* Close so that the peer sees a reset, as from a network that broke, unless it ended orderly. */
static void close_side(struct bufferevent *side, bool reset)
{
    if (!side)
        return;
    int fd = bufferevent_getfd(side);
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (reset)
        (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    bufferevent_free(side);
    close(fd);
}

void relay_pair_free(struct relay_pair *pair)
{
    direction_clear(&pair->up);
    direction_clear(&pair->down);
    close_side(pair->device, !pair->ending);
    close_side(pair->broker, false);
    free(pair);
}
