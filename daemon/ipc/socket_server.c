#include "daemon/ipc/socket_server_private.h"

#include "daemon/base/log.h"
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections accepted per turn, so that a storm of them stalls nobody. */
#define ACCEPTS_PER_TURN 32
/* Without descriptors or memory for a connection, accepting rests for so long. */
#define ACCEPT_REST_MS 1000
/* And it is told no more often than this, however often some are accepted in between. */
#define ACCEPT_TELL_MS 600000

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
        socket_client_free(server->first);
    if (server->accept_event)
        event_free(server->accept_event);
    free(server);
    return NULL;
}

/* Give what answers there are, say goodbye and send what can be sent without waiting. */
static void dismiss(struct socket_client *client, enum flux_goodbye_code code, const char *text)
{
    session_settle(client->session);
    session_say_goodbye(client->session, code, "%s", text);
    (void)socket_client_send(client);
}

void socket_server_set_limits(struct socket_server *server,
                              const struct socket_server_limits *limits)
{
    server->limits = *limits;
}

void socket_server_renew_access(struct socket_server *server)
{
    for (struct socket_client *client = server->first; client; client = client->next) {
        session_renew_access(client->session);
        socket_ready_push(client);
    }
}

static size_t count_user(const struct socket_server *server, uid_t uid)
{
    size_t count = 0;
    for (const struct socket_client *client = server->first; client; client = client->next)
        count += client->uid == uid;
    return count;
}

static void refuse(struct socket_server *server, int fd, const struct ucred *peer,
                   enum flux_goodbye_code code, const char *text)
{
    dismissals_add(&server->host->dismissals, code, peer->uid, peer->pid, "", "", text);
    uint8_t buffer[512];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, buffer, sizeof(buffer));
    const struct flux_goodbye goodbye = {.code = code, .text = flux_text(text)};
    if (flux_goodbye_encode(&writer, &goodbye) == 0)
        (void)send(fd, buffer, writer.size, MSG_NOSIGNAL | MSG_DONTWAIT);
    socket_discard_input(fd);
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
    if (server->client_count >= server->limits.max_clients)
        refuse(server, fd, &peer, FLUX_GOODBYE_TOO_MANY, "too many clients (MaxClients)");
    else if (count_user(server, peer.uid) >= server->limits.max_clients_per_user)
        refuse(server, fd, &peer, FLUX_GOODBYE_TOO_MANY,
               "too many clients of this user (MaxClientsPerUser)");
    else if (socket_client_new(server, fd, &peer) < 0)
        refuse(server, fd, &peer, FLUX_GOODBYE_TOO_MANY, "the daemon is out of memory");
}

/* Rest, so that a connection that cannot be accepted does not keep the loop spinning. */
static void rest_accepting(struct socket_server *server, int error, int64_t now_ms)
{
    const bool was_told =
        server->accept_told_ms != 0 && now_ms - server->accept_told_ms < ACCEPT_TELL_MS;
    if (server->accept_again_ms == 0 && !was_told) {
        log_warning("cannot accept clients: %s; trying again every second", strerror(error));
        server->accept_told_ms = now_ms;
        server->accept_was_told = true;
    }
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
        if (server->accept_was_told)
            log_info("accepting clients again");
        server->accept_was_told = false;
        (void)event_add(server->accept_event, NULL);
    }
}

/* Who has waited long enough for more than QUEUED is served in this turn. */
static void tell_held(struct socket_server *server, int64_t now_ms)
{
    struct session_host *host = server->host;
    if (host->held_until_ms == 0 || now_ms < host->held_until_ms)
        return;
    host->held_until_ms = 0;
    for (struct socket_client *client = server->first; client; client = client->next)
        if (session_tell_held(client->session, now_ms))
            socket_ready_push(client);
}

void socket_server_turn(struct socket_server *server, int64_t now_ms, int64_t now_us)
{
    tell_held(server, now_ms);
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
        (void)socket_client_serve(client, now_ms, now_us);
    }
}

bool socket_server_has_work(const struct socket_server *server)
{
    return server->ready_first != NULL || server->has_connections;
}

void socket_server_only_answer(struct socket_server *server)
{
    server->host->is_ending = true;
    for (struct socket_client *client = server->first; client; client = client->next) {
        if (!session_only_asks(client->session))
            continue;
        client->is_drained = false;
        socket_ready_push(client);
    }
}

bool socket_server_drain(struct socket_server *server, int64_t now_ms, int64_t now_us)
{
    while (ready_pop(server)) {
    }
    if (!server->is_draining) {
        server->is_draining = true;
        for (struct socket_client *client = server->first; client; client = client->next)
            socket_client_drain(client);
    }
    if (server->accept_event)
        accept_all(server, now_ms);
    bool has_more = false;
    struct socket_client *next;
    for (struct socket_client *client = server->first; client; client = next) {
        next = client->next;
        has_more |= socket_client_serve(client, now_ms, now_us);
    }
    return has_more;
}

void socket_server_settle(struct socket_server *server)
{
    /* Who was served this turn has looked already; the others only where something has ended. */
    const uint64_t outcome_count = thing_outcome_count(server->host->thing);
    const bool has_outcomes = outcome_count != server->outcome_count;
    server->outcome_count = outcome_count;
    if (!has_outcomes && server->host->watch_count == 0)
        return;
    for (struct socket_client *client = server->first; client; client = client->next) {
        if (!has_outcomes && !session_is_watching(client->session))
            continue;
        session_settle(client->session);
        if (event_pending(client->write_event, EV_WRITE, NULL))
            continue; /* it is woken when the client reads */
        if (!socket_client_send(client) || session_is_finished(client->session) ||
            session_has_work(client->session))
            socket_ready_push(client);
    }
}

struct session *socket_server_next_question(struct socket_server *server,
                                            enum session_question question)
{
    const unsigned bit = 1u << question;
    if (!(server->questions & bit))
        return NULL;
    for (struct socket_client *client = server->first; client; client = client->next) {
        if (session_get_question(client->session) == question) {
            socket_ready_push(client);
            return client->session;
        }
    }
    server->questions &= ~bit;
    return NULL;
}

int64_t socket_server_deadline(const struct socket_server *server)
{
    const int64_t accept_ms = server->accept_again_ms != 0 ? server->accept_again_ms : INT64_MAX;
    const int64_t held_ms = server->host->held_until_ms;
    return held_ms != 0 && held_ms < accept_ms ? held_ms : accept_ms;
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
    for (struct socket_client *client = server->first; client; client = client->next)
        dismiss(client, code, text);
}

void socket_server_get_info(const struct socket_server *server, struct socket_server_info *ret_info)
{
    *ret_info = (struct socket_server_info){
        .clients = server->client_count,
        .accepted = server->accepted,
        .refused = server->refused,
    };
}

const struct socket_client *socket_server_next_client(const struct socket_server *server,
                                                      const struct socket_client *previous,
                                                      struct socket_client_info *ret_info)
{
    const struct socket_client *client = previous ? previous->next : server->first;
    if (!client)
        return NULL;
    *ret_info = (struct socket_client_info){.pid = client->pid, .uid = client->uid};
    session_get_info(client->session, &ret_info->session);
    return client;
}
