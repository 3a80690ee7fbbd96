/* Accepts local clients and moves their bytes, without ever blocking on one: the shell around the
 * sessions. Decides nothing about messages. The only file besides the loop that knows libevent. */
#ifndef FLUXAWS_IPC_SOCKET_SERVER_H
#define FLUXAWS_IPC_SOCKET_SERVER_H

#include "daemon/ipc/session.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct socket_server;

struct socket_server_limits {
    size_t max_clients, max_clients_per_user;
};

/* Serve the clients that connect to `listen_fd`; all but the limits is borrowed. Returns 0 or
 * -ENOMEM. */
int socket_server_new(struct socket_server **ret_server, struct event_base *base, int listen_fd,
                      struct session_host *host, const struct socket_server_limits *limits);
/* Close all connections at once. */
struct socket_server *socket_server_free(struct socket_server *server);

/* For new clients; those that are there stay. */
void socket_server_set_limits(struct socket_server *server,
                              const struct socket_server_limits *limits);

/* The host has other access rules: they count at once, for all clients. */
void socket_server_renew_access(struct socket_server *server);

/* Accept, read, handle and answer: every client that has something gets its share once. */
void socket_server_turn(struct socket_server *server, int64_t now_ms, int64_t now_us);

/* Tell whether there is more to do right away, without waiting for an event. */
bool socket_server_has_work(const struct socket_server *server);

/* As socket_server_turn(), for all clients whether they were heard of or not, but what they send
 * from the first call on is not read any more: else one that never pauses would have no end.
 * Returns false once everything that they had sent is handled. */
bool socket_server_drain(struct socket_server *server, int64_t now_ms, int64_t now_us);

/* Pass on what the engine has decided since. */
void socket_server_settle(struct socket_server *server);

/* A session that asks this question and waits for its answer, or NULL. Answer it before the next
 * call; what was said is sent in the next turn, without waiting for an event. */
struct session *socket_server_next_question(struct socket_server *server,
                                            enum session_question question);

/* When socket_server_turn() wants to run although no event came; INT64_MAX: never. */
int64_t socket_server_deadline(const struct socket_server *server);

/* Accept nobody any more. */
void socket_server_stop_accepting(struct socket_server *server);

/* Serve only who asks how it stands: who comes from now on, or has reported nothing yet. What else
 * they send is answered with a goodbye. */
void socket_server_only_answer(struct socket_server *server);

/* Say goodbye to all and send what can be sent without waiting. */
void socket_server_say_goodbye(struct socket_server *server, enum flux_goodbye_code code,
                               const char *text);

struct socket_client_info {
    struct session_info session;
    pid_t pid;
    uid_t uid;
};
struct socket_server_info {
    size_t clients;
    uint64_t accepted, refused; /* connections */
};
void socket_server_get_info(const struct socket_server *server,
                            struct socket_server_info *ret_info);
/* Walk over the clients and tell about each; NULL begins and ends. Nothing may be called in
 * between. */
struct socket_client;
const struct socket_client *socket_server_next_client(const struct socket_server *server,
                                                      const struct socket_client *previous,
                                                      struct socket_client_info *ret_info);

#endif
