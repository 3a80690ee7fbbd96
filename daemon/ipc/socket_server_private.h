/* The inside of the socket server, shared by the files that make it up. Nobody else includes this.
 */
#ifndef FLUXAWS_IPC_SOCKET_SERVER_PRIVATE_H
#define FLUXAWS_IPC_SOCKET_SERVER_PRIVATE_H

#include "daemon/ipc/socket_server.h"

struct event;
struct ucred;

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
    bool is_drained; /* of what it sends only so much is read: */
    size_t left_bytes;
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
    uint64_t outcome_count;  /* of the thing, when all sessions looked last */
    bool is_draining;        /* what was sent before is read, and nothing more */
    bool has_connections;    /* the accept event has fired */
    unsigned questions;      /* kinds that some session may ask, as bits */
    int64_t accept_again_ms; /* 0: not resting */
    int64_t accept_told_ms;  /* when it was told last that there is need to rest, 0: never */
    bool accept_was_told;    /* and not yet that it is over */
};

/* --- socket_server_client.c: one connection --- */

/* Take over an accepted connection. Returns 0 (whatever becomes of it), or a negative errno with
 * the fd still the caller's. */
int socket_client_new(struct socket_server *server, int fd, const struct ucred *peer);
void socket_client_free(struct socket_client *client);

/* Put a client into the queue of those that have something to do. */
void socket_ready_push(struct socket_client *client);

/* Give one client its share of the turn. Returns true if something was read or is left to do. */
bool socket_client_serve(struct socket_client *client, int64_t now_ms, int64_t now_us);

/* From now on read no more than what has been sent by now. */
void socket_client_drain(struct socket_client *client);

/* Send what there is. Returns false if the connection is dead. */
bool socket_client_send(struct socket_client *client);

/* Read and drop what is left, so that closing does not reset the connection before the client has
 * read our goodbye. */
void socket_discard_input(int fd);

#endif
