#include "client/client.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define BACKOFF_MIN_MS  100u
#define BACKOFF_MAX_MS  5000u
#define QUEUE_FULL_MS   10
#define STEADY_MS       1000 /* a connection that held so long was a good one */
#define READ_BYTES      16384u
#define READ_BYTES_TURN 1048576u /* one turn reads no more, so that a caller gets its turn too */

int64_t client_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_socket(struct fluxaws_client *client)
{
    if (client->socket_fd >= 0)
        (void)close(client->socket_fd); /* leaves the epoll set by itself */
    client->socket_fd = -1;
    client->wants_output = false;
    buffer_clear(&client->in);
    buffer_clear(&client->out);
}

/* A connection that was good is tried again soon, and sooner still where the daemon is there but
 * its queue is full; what fails otherwise is left alone longer and longer. */
static void plan_attempt(struct fluxaws_client *client, bool was_good, bool is_queue_full)
{
    if (is_queue_full) {
        client->retry_at_ms = client_now_ms() + QUEUE_FULL_MS;
        return;
    }
    if (was_good || client->backoff_ms == 0)
        client->backoff_ms = BACKOFF_MIN_MS;
    client->retry_at_ms = client_now_ms() + client->backoff_ms;
    client->backoff_ms *= 2;
    if (client->backoff_ms > BACKOFF_MAX_MS)
        client->backoff_ms = BACKOFF_MAX_MS;
}

void client_disconnect(struct fluxaws_client *client, int reason)
{
    bool was_ready = client->state == CLIENT_READY;
    bool was_good = was_ready && client_now_ms() - client->ready_since_ms >= STEADY_MS;
    if (was_ready)
        client_log(client, LOG_WARNING, "connection to fluxawsd lost: %s",
                   fluxaws_strerror(reason));
    else if (client->away_reason != reason)
        client_log(client, LOG_INFO, "no connection to fluxawsd yet: %s", fluxaws_strerror(reason));
    close_socket(client);
    client->state = CLIENT_AWAY;
    client->away_reason = reason;
    client->sent_id = 0;
    client_lose_shadows(client);
    client_lose_watches(client);
    if (client->request.state == CLIENT_REQUEST_SENT)
        client->request.state = CLIENT_REQUEST_LOST;
    plan_attempt(client, was_good, reason == -EAGAIN);
}

static int open_socket(struct fluxaws_client *client)
{
    client->socket_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (client->socket_fd < 0)
        return -errno;
    if (connect(client->socket_fd, (const struct sockaddr *)&client->address,
                sizeof(client->address)) < 0)
        return -errno;
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->socket_fd, &event) < 0)
        return -errno;
    return 0;
}

void client_connect(struct fluxaws_client *client)
{
    if (client->state != CLIENT_AWAY || client_now_ms() < client->retry_at_ms)
        return;
    int r = open_socket(client);
    if (r == 0)
        r = client_send_hello(client);
    if (r < 0) {
        client_disconnect(client, r);
        return;
    }
    client->state = CLIENT_GREETING;
    client->sent_id = 0;
    client->resent_until = client->last_report_id;
    client_open_shadows(client);
}

void client_write(struct fluxaws_client *client)
{
    while (client->state != CLIENT_AWAY && buffer_size(&client->out) > 0) {
        ssize_t written = send(client->socket_fd, buffer_data(&client->out),
                               buffer_size(&client->out), MSG_NOSIGNAL);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN)
            return;
        /* What the daemon said before it closed is still to be read; the reader sees the end. */
        if (written < 0)
            return;
        buffer_consume(&client->out, (size_t)written);
    }
}

bool client_read(struct fluxaws_client *client)
{
    size_t total = 0;
    while (client->state != CLIENT_AWAY && total < READ_BYTES_TURN) {
        uint8_t *room = buffer_reserve(&client->in, READ_BYTES);
        if (room == NULL)
            return false; /* the bytes wait in the socket for better times */
        ssize_t got = recv(client->socket_fd, room, READ_BYTES, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return false;
        if (got <= 0)
            return true;
        buffer_commit(&client->in, (size_t)got);
        total += (size_t)got;
        if ((size_t)got < READ_BYTES)
            return false;
    }
    return false;
}

void client_update_events(struct fluxaws_client *client)
{
    /* A report may have to wait although the socket would take it: without memory, or for an answer
     * that wakes by itself (WELCOME, OPENED). */
    bool is_pumping =
        client->state == CLIENT_READY && !client_has_sent_all(client) && !client_is_opening(client);
    bool wants_output = is_pumping || buffer_size(&client->out) > 0;
    if (client->state == CLIENT_AWAY || wants_output == client->wants_output)
        return;
    struct epoll_event event = {.events = EPOLLIN | (wants_output ? (uint32_t)EPOLLOUT : 0)};
    if (epoll_ctl(client->epoll_fd, EPOLL_CTL_MOD, client->socket_fd, &event) == 0)
        client->wants_output = wants_output;
}
