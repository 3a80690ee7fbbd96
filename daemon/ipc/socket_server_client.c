#include "daemon/ipc/socket_server_private.h"

#include "daemon/base/clock.h"
#include "daemon/ipc/peer_facts.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Read and drop what is left, so that closing does not reset the connection before the client has
 * read our goodbye. */
void socket_discard_input(int fd)
{
    char waste[4096];
    for (unsigned i = 0; i < 16; i++) {
        if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
            return;
    }
}

void socket_ready_push(struct socket_client *client)
{
    struct socket_server *server = client->server;
    if (client->is_ready)
        return;
    client->is_ready = true;
    client->next_ready = NULL;
    *server->ready_end = client;
    server->ready_end = &client->next_ready;
}

void socket_client_free(struct socket_client *client)
{
    struct socket_server *server = client->server;
    if (client->read_event)
        event_free(client->read_event);
    if (client->write_event)
        event_free(client->write_event);
    if (client->previous)
        client->previous->next = client->next;
    else
        server->first = client->next;
    if (client->next)
        client->next->previous = client->previous;
    server->client_count--;
    socket_discard_input(client->fd);
    (void)close(client->fd);
    if (server->accept_again_ms != 0) {
        server->accept_again_ms = 1; /* now there is room: do not rest any longer */
        server->has_connections = true;
    }
    (void)session_free(client->session, clock_now_ms());
    free(client);
}

static void on_client_event(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    socket_ready_push(data);
}

int socket_client_new(struct socket_server *server, int fd, const struct ucred *peer)
{
    struct socket_client *client = calloc(1, sizeof(*client));
    if (!client)
        return -ENOMEM;
    client->server = server;
    client->fd = fd;
    client->pid = peer->pid;
    client->uid = peer->uid;
    struct peer_facts facts;
    int r = peer_facts_read(fd, peer, &facts);
    const struct session_peer who = {
        .uid = peer->uid,
        .gid = peer->gid,
        .groups = facts.groups,
        .group_count = facts.group_count,
        .pid = peer->pid,
        .unit = facts.unit,
        .outer_unit = facts.outer_unit,
    };
    if (r == 0)
        r = session_new(&client->session, server->host, &who);
    peer_facts_clear(&facts);
    if (r < 0) {
        free(client);
        return r;
    }
    client->next = server->first;
    if (server->first)
        server->first->previous = client;
    server->first = client;
    server->client_count++;
    server->accepted++;

    client->read_event = event_new(server->base, fd, EV_READ | EV_PERSIST, on_client_event, client);
    client->write_event = event_new(server->base, fd, EV_WRITE, on_client_event, client);
    if (!client->read_event || !client->write_event || event_add(client->read_event, NULL) < 0) {
        socket_client_free(client); /* closes the fd too */
        return 0;
    }
    client->is_reading = true;
    if (server->is_draining && !server->host->is_ending)
        socket_client_drain(client);
    return 0;
}

/* Send what there is. Returns false if the connection is dead. */
bool socket_client_send(struct socket_client *client)
{
    const void *data;
    size_t size;
    while ((size = session_output(client->session, &data)) > 0) {
        const ssize_t sent = send(client->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno == EAGAIN)
            return event_add(client->write_event, NULL) == 0;
        if (sent < 0)
            return false;
        session_sent(client->session, (size_t)sent);
    }
    return true;
}

void socket_client_drain(struct socket_client *client)
{
    int size = 0;
    client->is_drained = true;
    client->left_bytes = ioctl(client->fd, FIONREAD, &size) == 0 && size > 0 ? (size_t)size : 0;
}

/* How much may be read now, and where to. */
static size_t client_space(struct socket_client *client, void **ret_space)
{
    const size_t size = session_input_space(client->session, ret_space);
    return client->is_drained && size > client->left_bytes ? client->left_bytes : size;
}

/* Read once. Returns the bytes read, 0 for none, -1 if the connection is dead. */
static ssize_t client_receive(struct socket_client *client)
{
    void *space;
    const size_t size = client_space(client, &space);
    if (size == 0)
        return 0;
    const ssize_t got = recv(client->fd, space, size, MSG_DONTWAIT);
    if (got > 0) {
        session_receive(client->session, (size_t)got);
        client->left_bytes -= client->is_drained ? (size_t)got : 0;
    } else if (got == 0) {
        session_end_input(client->session);
    } else if (errno != EAGAIN && errno != EINTR) {
        return -1;
    }
    return got > 0 ? got : 0;
}

/* Listen for more only while the session has room for it. Returns false without memory. */
static bool client_rearm(struct socket_client *client)
{
    void *space;
    const bool wanted = client_space(client, &space) > 0;
    if (wanted == client->is_reading)
        return true;
    client->is_reading = wanted;
    return (wanted ? event_add(client->read_event, NULL) : event_del(client->read_event)) == 0;
}

/* Give one client its share of the turn. Returns true if something was read or is left to do. */
bool socket_client_serve(struct socket_client *client, int64_t now_ms, int64_t now_us)
{
    bool is_alive =
        socket_client_send(client); /* what was held up by a full output may go on then */
    const ssize_t got = is_alive ? client_receive(client) : 0;
    session_work(client->session, now_ms, now_us);
    session_settle(client->session);
    client->server->questions |= 1u << session_get_question(client->session);
    is_alive = is_alive && got >= 0 && socket_client_send(client);
    if (!is_alive || session_is_finished(client->session) || !client_rearm(client)) {
        socket_client_free(client);
        return got > 0;
    }
    const bool has_more = session_has_work(client->session);
    if (has_more)
        socket_ready_push(client);
    return has_more || got > 0;
}
