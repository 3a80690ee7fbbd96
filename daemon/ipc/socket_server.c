#include "daemon/ipc/socket_server.h"

#include "daemon/base/log.h"
#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections accepted per turn, so that a storm of them stalls nobody. */
#define ACCEPTS_PER_TURN 32
/* Without descriptors or memory for a connection, accepting rests for so long. */
#define ACCEPT_REST_MS 1000

struct socket_client {
    struct socket_client *next, *previous; /* of all */
    struct socket_client *next_ready;
    struct socket_server *server;
    struct session *session;
    struct event *read_event, *write_event;
    int fd;
    pid_t pid;
    uid_t uid;
    bool is_ready; /* in the queue */
    bool is_reading;
};

struct socket_server {
    struct event_base *base;    /* borrowed */
    struct session_host *host;  /* borrowed */
    struct event *accept_event; /* NULL once we accept nobody any more */
    int listen_fd;              /* borrowed */
    struct socket_server_limits limits;
    struct socket_client *first;
    struct socket_client *ready_first, **ready_end;
    size_t client_count;
    uint64_t accepted, refused;
    bool has_connections;    /* the accept event has fired */
    int64_t accept_again_ms; /* 0: not resting */
};

static void on_acceptable(evutil_socket_t fd, short what, void *data)
{
    struct socket_server *server = data;
    (void)fd;
    (void)what;
    server->has_connections = true;
}

int socket_server_new(struct socket_server **ret_server, struct event_base *base, int listen_fd,
                      struct session_host *host, const struct socket_server_limits *limits)
{
    struct socket_server *server = calloc(1, sizeof(*server));
    if (!server)
        return -ENOMEM;
    server->base = base;
    server->host = host;
    server->listen_fd = listen_fd;
    server->limits = *limits;
    server->ready_end = &server->ready_first;
    server->accept_event = event_new(base, listen_fd, EV_READ | EV_PERSIST, on_acceptable, server);
    if (!server->accept_event || event_add(server->accept_event, NULL) < 0) {
        (void)socket_server_free(server);
        return -ENOMEM;
    }
    *ret_server = server;
    return 0;
}

/* Read and drop what is left, so that closing does not reset the connection before the client has
 * read our goodbye. */
static void discard_input(int fd)
{
    char waste[4096];
    for (unsigned i = 0; i < 16; i++) {
        if (recv(fd, waste, sizeof(waste), MSG_DONTWAIT) <= 0)
            return;
    }
}

static void client_free(struct socket_client *client)
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
    discard_input(client->fd);
    (void)close(client->fd);
    (void)session_free(client->session);
    free(client);
}

static void ready_push(struct socket_client *client)
{
    struct socket_server *server = client->server;
    if (client->is_ready)
        return;
    client->is_ready = true;
    client->next_ready = NULL;
    *server->ready_end = client;
    server->ready_end = &client->next_ready;
}

static struct socket_client *ready_pop(struct socket_server *server)
{
    struct socket_client *client = server->ready_first;
    if (!client)
        return NULL;
    server->ready_first = client->next_ready;
    if (!server->ready_first)
        server->ready_end = &server->ready_first;
    client->is_ready = false;
    return client;
}

struct socket_server *socket_server_free(struct socket_server *server)
{
    if (!server)
        return NULL;
    while (server->first)
        client_free(server->first);
    if (server->accept_event)
        event_free(server->accept_event);
    free(server);
    return NULL;
}

void socket_server_set_limits(struct socket_server *server,
                              const struct socket_server_limits *limits)
{
    server->limits = *limits;
}

static void on_client_event(evutil_socket_t fd, short what, void *data)
{
    (void)fd;
    (void)what;
    ready_push(data);
}

static int client_new(struct socket_server *server, int fd, const struct ucred *peer)
{
    struct socket_client *client = calloc(1, sizeof(*client));
    if (!client)
        return -ENOMEM;
    client->server = server;
    client->fd = fd;
    client->pid = peer->pid;
    client->uid = peer->uid;
    int r = session_new(&client->session, server->host);
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
        client_free(client); /* closes the fd too */
        return 0;
    }
    client->is_reading = true;
    return 0;
}

static size_t count_user(const struct socket_server *server, uid_t uid)
{
    size_t count = 0;
    for (const struct socket_client *client = server->first; client; client = client->next)
        count += client->uid == uid;
    return count;
}

static void refuse(struct socket_server *server, int fd, enum flux_goodbye_code code,
                   const char *text)
{
    uint8_t buffer[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, buffer, sizeof(buffer));
    const struct flux_goodbye goodbye = {.code = code, .text = flux_text(text)};
    if (flux_goodbye_encode(&writer, &goodbye) == 0)
        (void)send(fd, buffer, writer.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    discard_input(fd);
    (void)close(fd);
    server->refused++;
}

static void admit(struct socket_server *server, int fd)
{
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0) {
        (void)close(fd);
        return;
    }
    if (server->limits.root_only && peer.uid != 0)
        refuse(server, fd, FLUX_GOODBYE_DENIED,
               "access rules are configured, which this version cannot grant yet: root only");
    else if (server->client_count >= server->limits.max_clients)
        refuse(server, fd, FLUX_GOODBYE_TOO_MANY, "too many clients (MaxClients)");
    else if (count_user(server, peer.uid) >= server->limits.max_clients_per_user)
        refuse(server, fd, FLUX_GOODBYE_TOO_MANY,
               "too many clients of this user (MaxClientsPerUser)");
    else if (client_new(server, fd, &peer) < 0)
        refuse(server, fd, FLUX_GOODBYE_TOO_MANY, "the daemon is out of memory");
}

/* Rest, so that a connection that cannot be accepted does not keep the loop spinning. */
static void rest_accepting(struct socket_server *server, int error, int64_t now_ms)
{
    if (server->accept_again_ms == 0)
        log_warning("cannot accept clients: %s; trying again every second", strerror(error));
    (void)event_del(server->accept_event);
    server->accept_again_ms = now_ms + ACCEPT_REST_MS;
}

static void accept_all(struct socket_server *server, int64_t now_ms)
{
    if (!server->accept_event)
        return;
    if (server->accept_again_ms != 0 && now_ms < server->accept_again_ms)
        return;
    server->has_connections = false;
    for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
        const int fd = accept4(server->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            admit(server, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN) {
            rest_accepting(server, errno, now_ms);
            return;
        }
        break;
    }
    if (server->accept_again_ms != 0) {
        server->accept_again_ms = 0;
        log_info("accepting clients again");
        (void)event_add(server->accept_event, NULL);
    }
}

/* Send what there is. Returns false if the connection is dead. */
static bool client_send(struct socket_client *client)
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

/* Read once. Returns the bytes read, 0 for none, -1 if the connection is dead. */
static ssize_t client_receive(struct socket_client *client)
{
    void *space;
    const size_t size = session_input_space(client->session, &space);
    if (size == 0)
        return 0;
    const ssize_t got = recv(client->fd, space, size, MSG_DONTWAIT);
    if (got > 0)
        session_receive(client->session, (size_t)got);
    else if (got == 0)
        session_end_input(client->session);
    else if (errno != EAGAIN && errno != EINTR)
        return -1;
    return got > 0 ? got : 0;
}

/* Listen for more only while the session has room for it. Returns false without memory. */
static bool client_rearm(struct socket_client *client)
{
    void *space;
    const bool wanted = session_input_space(client->session, &space) > 0;
    if (wanted == client->is_reading)
        return true;
    client->is_reading = wanted;
    return (wanted ? event_add(client->read_event, NULL) : event_del(client->read_event)) == 0;
}

/* Give one client its share of the turn. Returns true if something was read or is left to do. */
static bool client_serve(struct socket_client *client, int64_t now_ms, int64_t now_us)
{
    bool is_alive = client_send(client); /* what was held up by a full output may go on then */
    const ssize_t got = is_alive ? client_receive(client) : 0;
    session_work(client->session, now_ms, now_us);
    session_settle(client->session);
    is_alive = is_alive && got >= 0 && client_send(client);
    if (!is_alive || session_is_finished(client->session) || !client_rearm(client)) {
        client_free(client);
        return got > 0;
    }
    const bool has_more = session_has_work(client->session);
    if (has_more)
        ready_push(client);
    return has_more || got > 0;
}

void socket_server_turn(struct socket_server *server, int64_t now_ms, int64_t now_us)
{
    if (server->has_connections || server->accept_again_ms != 0)
        accept_all(server, now_ms);

    /* Those that become ready meanwhile wait for the next turn. */
    struct socket_client *last = NULL;
    for (struct socket_client *client = server->ready_first; client; client = client->next_ready)
        last = client;
    bool is_last = !last;
    while (!is_last) {
        struct socket_client *client = ready_pop(server);
        is_last = client == last;
        (void)client_serve(client, now_ms, now_us);
    }
}

bool socket_server_has_work(const struct socket_server *server)
{
    return server->ready_first != NULL || server->has_connections;
}

bool socket_server_drain(struct socket_server *server, int64_t now_ms, int64_t now_us)
{
    while (ready_pop(server)) {
    }
    if (server->accept_event)
        accept_all(server, now_ms);
    bool has_more = false;
    struct socket_client *next;
    for (struct socket_client *client = server->first; client; client = next) {
        next = client->next;
        has_more |= client_serve(client, now_ms, now_us);
    }
    return has_more;
}

void socket_server_settle(struct socket_server *server)
{
    for (struct socket_client *client = server->first; client; client = client->next) {
        session_settle(client->session);
        if (event_pending(client->write_event, EV_WRITE, NULL))
            continue; /* it is woken when the client reads */
        if (!client_send(client) || session_is_finished(client->session) ||
            session_has_work(client->session))
            ready_push(client);
    }
}

struct session *socket_server_next_status(struct socket_server *server)
{
    for (struct socket_client *client = server->first; client; client = client->next) {
        if (session_wants_status(client->session)) {
            ready_push(client);
            return client->session;
        }
    }
    return NULL;
}

int64_t socket_server_deadline(const struct socket_server *server)
{
    return server->accept_again_ms != 0 ? server->accept_again_ms : INT64_MAX;
}

void socket_server_stop_accepting(struct socket_server *server)
{
    if (server->accept_event)
        event_free(server->accept_event);
    server->accept_event = NULL;
    server->has_connections = false;
    server->accept_again_ms = 0;
}

void socket_server_say_goodbye(struct socket_server *server, enum flux_goodbye_code code,
                               const char *text)
{
    for (struct socket_client *client = server->first; client; client = client->next) {
        session_settle(client->session);
        session_say_goodbye(client->session, code, "%s", text);
        (void)client_send(client);
    }
}

void socket_server_get_info(const struct socket_server *server, struct socket_server_info *ret_info)
{
    *ret_info = (struct socket_server_info){
        .clients = server->client_count,
        .accepted = server->accepted,
        .refused = server->refused,
    };
}

bool socket_server_get_client(const struct socket_server *server, size_t index,
                              struct socket_client_info *ret_info)
{
    const struct socket_client *client = server->first;
    while (client && index-- > 0)
        client = client->next;
    if (!client)
        return false;
    *ret_info = (struct socket_client_info){.pid = client->pid, .uid = client->uid};
    session_get_info(client->session, &ret_info->session);
    return true;
}
