/* One turn of a handle, its place in an event loop, and the delivery of answers. */
#include "client/client.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>

#define READY_ANSWERS_MAX 1024u /* more are not read before these are delivered */

/* Send what is due, each kind in its turn: a watch and a will need their shadow open, and a watch
 * comes behind the reports that may be what it would tell of. */
static void send_due(struct fluxaws_client *client)
{
    client_open_shadows(client);
    client_write(client);
    client_pump(client);
    client_send_wills(client);
    client_send_watches(client);
    client_write(client);
}

static void begin_turn(struct fluxaws_client *client)
{
    client_connect(client);
    send_due(client);
}

void client_turn(struct fluxaws_client *client)
{
    begin_turn(client);
    if (client->answers.count < READY_ANSWERS_MAX && !client_has_many_wishes(client)) {
        bool has_closed = client_read(client);
        client_receive(client);
        if (has_closed && client->state != CLIENT_AWAY)
            client_disconnect(client, -ECONNRESET);
    }
    send_due(client);
    client_update_events(client);
}

static int wait_ms(const struct fluxaws_client *client, int64_t deadline_ms)
{
    int64_t now_ms = client_now_ms();
    if (client->state == CLIENT_AWAY && client->retry_at_ms < deadline_ms)
        deadline_ms = client->retry_at_ms;
    if (client->answers.count > 0 || client_has_wishes(client) || deadline_ms <= now_ms)
        return 0;
    if (deadline_ms == INT64_MAX)
        return -1;
    return deadline_ms - now_ms < INT_MAX ? (int)(deadline_ms - now_ms) : INT_MAX;
}

int client_wait(struct fluxaws_client *client, int64_t deadline_ms)
{
    /* The socket itself wakes faster than the epoll set around it. */
    struct pollfd poll_fd = {.fd = client->socket_fd, .events = POLLIN};
    if (client->wants_output)
        poll_fd.events |= POLLOUT;
    /* A signal ends the wait early, so that the caller may look at what its handler noted. */
    if (poll(&poll_fd, 1, wait_ms(client, deadline_ms)) < 0 && errno != EINTR)
        return client_fail(client, -errno, "poll: %s", fluxaws_strerror(-errno));
    return 0;
}

static const char *name_or_null(const char *name)
{
    return name[0] != '\0' ? name : NULL;
}

static void deliver_one(struct fluxaws_client *client, const struct answers_ready *ready)
{
    const struct client_shadow *shadow = client->shadows[ready->shadow];
    struct fluxaws_answer answer = {
        .size = sizeof(answer),
        .first_id = ready->first,
        .last_id = ready->last,
        .rejected = ready->rejected,
        .version = ready->version,
        .code = ready->code,
        .path = ready->path != NULL ? ready->path : "",
        .text = ready->text != NULL ? ready->text : "",
        .thing = name_or_null(shadow->thing),
        .shadow = name_or_null(shadow->shadow),
        .deadband = ready->deadband,
    };
    if (!ready->rejected)
        answer.level = (enum fluxaws_level)((unsigned)ready->level - FLUX_LEVEL_QUEUED);
    client->is_in_callback = true;
    client->callback(client, &answer, client->callback_data);
    client->is_in_callback = false;
}

int client_deliver(struct fluxaws_client *client)
{
    int delivered = 0;
    struct answers_ready ready;
    /* What a callback causes waits for the next round, so that this one ends. */
    for (size_t left = client->answers.count;
         left > 0 && answers_queue_next(&client->answers, &ready); left--) {
        if (client->callback != NULL) {
            deliver_one(client, &ready);
            delivered++;
        }
        answers_ready_clear(&ready);
    }
    delivered += client_deliver_wishes(client);
    return delivered;
}

int fluxaws_dispatch(struct fluxaws_client *client, int timeout_ms)
{
    if (client->is_in_callback)
        return client_fail(client, -EBUSY, "not from within a callback");
    if (timeout_ms != 0) {
        int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : client_now_ms() + timeout_ms;
        /* Reading is left for after the wait, which ends at once where there is something to read.
         */
        begin_turn(client);
        client_update_events(client);
        int r = client_wait(client, deadline_ms);
        if (r < 0)
            return r;
    }
    client_turn(client);
    return client_deliver(client);
}

int fluxaws_get_fd(struct fluxaws_client *client)
{
    return client->epoll_fd;
}

int fluxaws_get_events(struct fluxaws_client *client)
{
    (void)client; /* the descriptor is an epoll set: it is readable when anything is to be done */
    return POLLIN;
}

int fluxaws_get_timeout_ms(struct fluxaws_client *client)
{
    return wait_ms(client, INT64_MAX);
}

int fluxaws_is_connected(struct fluxaws_client *client)
{
    switch (client->state) {
    case CLIENT_AWAY:
        return client->away_reason;
    case CLIENT_GREETING:
        return 0;
    case CLIENT_READY:
        return 1;
    default:
        return 0;
    }
}

int fluxaws_on_answer(struct fluxaws_client *client, fluxaws_answer_callback callback, void *data)
{
    client->callback = callback;
    client->callback_data = data;
    return 0;
}

int fluxaws_want(struct fluxaws_client *client, enum fluxaws_level level)
{
    if ((unsigned)level > FLUXAWS_ACCEPTED)
        return client_fail(client, -EINVAL, "no such level");
    if (level == FLUXAWS_STORED && client->state == CLIENT_READY && !client->is_durable)
        return client_fail(client, -EOPNOTSUPP,
                           "nothing is STORED: the daemon keeps its state in memory only "
                           "(Mode=volatile, or a state directory on tmpfs)");
    client->wanted = (enum flux_level)((unsigned)level + FLUX_LEVEL_QUEUED);
    return 0;
}

uint64_t fluxaws_count_waiting(struct fluxaws_client *client)
{
    uint64_t count = 0;
    for (size_t i = 0; i < client->shadow_count; i++)
        count += answers_waiting(&client->shadows[i]->answers);
    return count;
}
