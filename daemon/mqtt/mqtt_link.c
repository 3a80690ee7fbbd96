#include "daemon/mqtt/mqtt_link.h"

#include "daemon/base/clock.h"
#include "daemon/mqtt/inbox.h"
#include "daemon/mqtt/mqtt_paho.h"
#include "daemon/mqtt/network_watch.h"
#include "daemon/mqtt/outbox.h"
#include "daemon/mqtt/tls_probe.h"
#include "daemon/mqtt/wire_meter.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_BYTES_MAX (128u * 1024) /* AWS IoT: message broker limits */
#define FREE_WAIT_MS      1500
#define FAREWELL_WAIT_MS  500 /* for answers to what was published before hanging up */
#define PROBE_TIMEOUT_MS  3000

struct mqtt_link {
    struct inbox inbox;
    struct outbox outbox;
    struct wire_meter meter;
    pthread_t thread;
    uint64_t connection;        /* loop only: number of the newest connection, 0: none */
    _Atomic uint64_t abandoned; /* connections up to this one are to be dropped */
    atomic_bool quit;
    _Atomic(struct network_target *) new_target; /* to be watched from now on; NULL: as before */
    /* Link thread only: */
    struct paho_connection *paho;
    struct network_watch network;
    int64_t farewell_ms;            /* hang up then, or when all is answered; 0: not asked to */
    int64_t dialled_ms;             /* when `paho` was told to */
    struct outbox_command *dialled; /* the OUTBOX_CONNECT behind `paho`, for its config */
};

/* --- the link thread --- */

static void push_event(struct mqtt_link *link, uint64_t connection,
                       const struct mqtt_link_event *event)
{
    (void)inbox_push(&link->inbox, connection, event);
}

static void push_network(struct mqtt_link *link, enum network_news news)
{
    if (news == NETWORK_SAME)
        return;
    const struct mqtt_link_event event = {.kind = news == NETWORK_GONE ? MQTT_LINK_NETWORK_GONE
                                                                       : MQTT_LINK_NETWORK_FOUND};
    if (!inbox_push(&link->inbox, 0, &event))
        network_view_untold(&link->network.view, news, clock_now_ms());
}

static void drop_connection(struct mqtt_link *link)
{
    link->farewell_ms = 0;
    link->paho = paho_connection_free(link->paho);
    link->dialled = outbox_command_free(link->dialled);
}

static void push_failure(struct mqtt_link *link, uint64_t connection, int code, const char *text)
{
    struct mqtt_link_event event = {.kind = MQTT_LINK_CONNECT_FAILED, .code = code, .text = text};
    push_event(link, connection, &event);
}

static bool is_abandoned(struct mqtt_link *link, uint64_t connection)
{
    return connection <= atomic_load(&link->abandoned) || atomic_load(&link->quit);
}

/* Returns whether the credentials allow to dial. */
static bool check_credentials(struct mqtt_link *link, const struct outbox_command *command)
{
    struct credentials credentials;
    credentials_check(&command->config.credentials, clock_wall_sec(), &credentials);
    struct mqtt_link_event event = {.kind = MQTT_LINK_CREDENTIALS, .credentials = &credentials};
    event.text = credentials.text;
    push_event(link, command->connection, &event);
    return credentials.state == CREDENTIALS_OK || credentials.state == CREDENTIALS_DOUBTFUL;
}

/* Takes over the command. */
static void run_connect(struct mqtt_link *link, struct outbox_command *command)
{
    drop_connection(link);
    link->dialled = command;
    uint64_t connection = command->connection;
    if (is_abandoned(link, connection) || !check_credentials(link, command))
        return;
    if (link->network.view.state != NETWORK_THERE) {
        push_network(link, NETWORK_GONE);
        return;
    }
    /* Resolved here first: Paho would hold its global lock while the resolver hangs. */
    struct tls_probe probe;
    enum endpoint_way way;
    if (tls_probe_name(&command->config, &probe, &way) < 0) {
        push_failure(link, connection, probe.code, probe.text);
        return;
    }
    const enum network_news news = network_watch_dialled(&link->network, way, clock_now_ms());
    push_network(link, news);
    if (news == NETWORK_GONE || is_abandoned(link, connection))
        return;
    link->dialled_ms = clock_now_ms();
    int rc = paho_connection_new(&link->paho, &link->inbox, &link->outbox, &link->meter, connection,
                                 &command->config);
    if (rc < 0)
        push_failure(link, connection, MQTT_LINK_FAILED, strerror(-rc));
}

/* TLS is well, and yet there is no session. */
static void describe_no_session(bool timed_out, struct tls_probe *probe)
{
    probe->code = timed_out ? MQTT_LINK_FAILED_TIMEOUT : MQTT_LINK_FAILED;
    (void)snprintf(probe->text, sizeof(probe->text), "%s",
                   timed_out ? "the broker takes the connection but does not answer CONNECT in "
                               "time; check Endpoint and Port"
                             : "the broker ended the connection without a reason; check that the "
                               "certificate is active and that its policy allows iot:Connect with "
                               "this ClientId");
}

/* Paho has given up. Where the broker did not give a reason, look for it. */
static void run_dial_ended(struct mqtt_link *link, const struct outbox_command *command)
{
    struct outbox_command *dialled = link->dialled;
    link->dialled = NULL;
    drop_connection(link);
    int code = command->code;
    const char *text = command->text;
    struct tls_probe probe;
    if (code < 0 && dialled) {
        bool timed_out = clock_now_ms() - link->dialled_ms >= dialled->config.connect_timeout_ms;
        tls_probe_run(&dialled->config, PROBE_TIMEOUT_MS, &probe);
        if (probe.code == 0)
            describe_no_session(timed_out, &probe);
        code = probe.code;
        text = probe.text;
    }
    push_failure(link, command->connection, code, text);
    (void)outbox_command_free(dialled);
}

static void run_command(struct mqtt_link *link, struct outbox_command *command)
{
    bool is_current = link->paho && paho_connection_number(link->paho) == command->connection;
    switch (command->kind) {
    case OUTBOX_CONNECT:
        run_connect(link, command);
        return;
    case OUTBOX_SUBSCRIBE:
        if (is_current)
            paho_subscribe(link->paho, command);
        break;
    case OUTBOX_UNSUBSCRIBE:
        if (is_current)
            paho_unsubscribe(link->paho, command);
        break;
    case OUTBOX_PUBLISH:
        if (is_current)
            paho_publish(link->paho, command);
        break;
    case OUTBOX_DISCONNECT:
        if (is_current)
            link->farewell_ms = clock_now_ms() + FAREWELL_WAIT_MS;
        else
            push_event(link, command->connection,
                       &(struct mqtt_link_event){.kind = MQTT_LINK_CLOSED});
        break;
    case OUTBOX_DIAL_ENDED:
        if (is_current)
            run_dial_ended(link, command);
        break;
    case OUTBOX_LINK_ENDED:
        if (is_current)
            drop_connection(link);
        break;
    }
    (void)outbox_command_free(command);
}

/* Returns NULL where there is nothing to do before the next wake-up. */
static struct outbox_command *next_command(struct mqtt_link *link)
{
    if (atomic_load(&link->quit))
        return NULL;
    if (link->paho && paho_is_full(link->paho)) {
        mailbox_rest(&link->outbox.box);
        if (paho_is_full(link->paho))
            return NULL;
    }
    return outbox_pop(&link->outbox);
}

/* Returns how long to sleep at most, -1: as long as there is nothing to do. */
static int hang_up_if_due(struct mqtt_link *link)
{
    if (link->farewell_ms == 0)
        return -1;
    int64_t left_ms = link->farewell_ms - clock_now_ms();
    if (left_ms > 0 && !paho_is_settled(link->paho))
        return (int)left_ms;
    link->farewell_ms = 0;
    paho_hang_up(link->paho);
    return -1;
}

/* Before any command: what is to be dialled next has to know. */
static void look_at_network(struct mqtt_link *link)
{
    struct network_target *target = atomic_exchange(&link->new_target, NULL);
    if (target)
        network_watch_target(&link->network, target);
    push_network(link, network_watch_look(&link->network, clock_now_ms()));
}

static int shorter(int a_ms, int b_ms)
{
    if (a_ms < 0 || b_ms < 0)
        return a_ms < 0 ? b_ms : a_ms;
    return a_ms < b_ms ? a_ms : b_ms;
}

static void *link_thread(void *argument)
{
    struct mqtt_link *link = argument;
    while (!atomic_load(&link->quit)) {
        look_at_network(link);
        struct outbox_command *command;
        while ((command = next_command(link)))
            run_command(link, command);
        /* After next_command() cleared the eventfd, so that no wake-up is missed. */
        if (link->paho && is_abandoned(link, paho_connection_number(link->paho))) {
            drop_connection(link);
            continue; /* commands may have waited behind it, unannounced */
        }
        struct pollfd poll_fds[] = {
            {.fd = link->outbox.box.event_fd, .events = POLLIN},
            {.fd = link->network.fd, .events = POLLIN}, /* poll() passes over -1 */
        };
        int timeout_ms =
            shorter(hang_up_if_due(link), network_watch_timeout_ms(&link->network, clock_now_ms()));
        if (!atomic_load(&link->quit))
            (void)poll(poll_fds, 2, timeout_ms);
        if (poll_fds[1].revents != 0)
            push_network(link, network_watch_read(&link->network, clock_now_ms()));
    }
    drop_connection(link);
    return NULL;
}

/* --- the loop's side --- */

static int start_thread(struct mqtt_link *link)
{
    /* Signals are the loop's. */
    sigset_t all, old;
    sigfillset(&all);
    int rc = pthread_sigmask(SIG_SETMASK, &all, &old);
    if (rc != 0)
        return -rc;
    rc = pthread_create(&link->thread, NULL, link_thread, link);
    if (rc == 0)
        (void)pthread_setname_np(link->thread, "link");
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -rc;
}

int mqtt_link_new(struct mqtt_link **ret_link)
{
    struct mqtt_link *link = calloc(1, sizeof(*link));
    if (!link)
        return -ENOMEM;
    int rc = inbox_init(&link->inbox, INBOX_EVENTS_MAX, INBOX_BYTES_MAX);
    if (rc < 0) {
        free(link);
        return rc;
    }
    rc = outbox_init(&link->outbox, OUTBOX_COMMANDS_MAX, OUTBOX_BYTES_MAX);
    if (rc < 0) {
        inbox_clear(&link->inbox);
        free(link);
        return rc;
    }
    wire_meter_init(&link->meter);
    paho_prepare();
    network_watch_init(&link->network);
    rc = start_thread(link);
    if (rc < 0) {
        network_watch_clear(&link->network);
        outbox_clear(&link->outbox);
        inbox_clear(&link->inbox);
        free(link);
        return rc;
    }
    *ret_link = link;
    return 0;
}

bool mqtt_link_free(struct mqtt_link *link)
{
    if (!link)
        return true;
    atomic_store(&link->quit, true);
    mailbox_wake(&link->outbox.box);
    struct timespec deadline;
    (void)clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_nsec += FREE_WAIT_MS % 1000 * 1000000L;
    deadline.tv_sec += FREE_WAIT_MS / 1000 + deadline.tv_nsec / 1000000000L;
    deadline.tv_nsec %= 1000000000L;
    if (pthread_clockjoin_np(link->thread, NULL, CLOCK_MONOTONIC, &deadline) != 0) {
        /* It may still use all of this. */
        (void)pthread_detach(link->thread);
        return false;
    }
    network_watch_clear(&link->network);
    free(atomic_exchange(&link->new_target, NULL));
    wire_meter_clear(&link->meter);
    outbox_clear(&link->outbox);
    inbox_clear(&link->inbox);
    free(link);
    return true;
}

int mqtt_link_event_fd(const struct mqtt_link *link)
{
    return link->inbox.box.event_fd;
}

int mqtt_link_watch_network(struct mqtt_link *link, const char *host, uint16_t port)
{
    struct network_target *target = network_target_new(host, port);
    if (!target)
        return -ENOMEM;
    free(atomic_exchange(&link->new_target, target));
    mailbox_wake(&link->outbox.box);
    return 0;
}

static bool is_complete(const struct mqtt_link_config *config)
{
    return config->host && config->host[0] != '\0' && config->client_id && config->port > 0 &&
           (config->protocol == 4 || config->protocol == 5) && config->connect_timeout_ms > 0 &&
           config->keep_alive_sec >= 0;
}

int mqtt_link_connect(struct mqtt_link *link, const struct mqtt_link_config *config)
{
    if (!is_complete(config))
        return -EINVAL;
    mqtt_link_abandon(link);
    struct outbox_command command = {
        .kind = OUTBOX_CONNECT, .connection = link->connection, .config = *config};
    return outbox_push(&link->outbox, &command);
}

int mqtt_link_disconnect(struct mqtt_link *link)
{
    struct outbox_command command = {.kind = OUTBOX_DISCONNECT, .connection = link->connection};
    return outbox_push(&link->outbox, &command);
}

void mqtt_link_abandon(struct mqtt_link *link)
{
    wire_meter_end(&link->meter);
    mailbox_empty(&link->outbox.box);
    atomic_store(&link->abandoned, link->connection);
    link->connection++;
    mailbox_wake(&link->outbox.box);
}

/* `qos` may be NULL. */
static int push_filters(struct mqtt_link *link, enum outbox_kind kind, uint32_t request_id,
                        const char *const *filters, const int *qos, size_t count)
{
    if (count == 0 || count > MQTT_LINK_FILTERS_MAX)
        return -EINVAL;
    struct outbox_command command = {
        .kind = kind,
        .connection = link->connection,
        .request_id = request_id,
        .count = count,
    };
    memcpy(command.filters, filters, count * sizeof(filters[0]));
    if (qos)
        memcpy(command.qos, qos, count * sizeof(qos[0]));
    return outbox_push(&link->outbox, &command);
}

int mqtt_link_subscribe(struct mqtt_link *link, uint32_t request_id, const char *const *filters,
                        const int *qos, size_t count)
{
    return push_filters(link, OUTBOX_SUBSCRIBE, request_id, filters, qos, count);
}

int mqtt_link_unsubscribe(struct mqtt_link *link, uint32_t request_id, const char *const *filters,
                          size_t count)
{
    return push_filters(link, OUTBOX_UNSUBSCRIBE, request_id, filters, NULL, count);
}

int mqtt_link_publish(struct mqtt_link *link, uint32_t request_id, const char *topic,
                      const void *payload, size_t size, int qos)
{
    if (size > PAYLOAD_BYTES_MAX || qos < 0 || qos > 1)
        return -EINVAL;
    struct outbox_command command = {
        .kind = OUTBOX_PUBLISH,
        .connection = link->connection,
        .request_id = request_id,
        .topic = topic,
        .payload = payload,
        .size = size,
        .qos = {qos},
    };
    return outbox_push(&link->outbox, &command);
}

void mqtt_link_traffic(struct mqtt_link *link, uint64_t *ret_in, uint64_t *ret_out)
{
    wire_meter_read(&link->meter, ret_in, ret_out);
}

bool mqtt_link_next_event(struct mqtt_link *link, struct mqtt_link_event *ret_event)
{
    if (!inbox_next(&link->inbox, link->connection, ret_event))
        return false;
    /* Nothing of a connection follows its end; a broken inbox leaves one that still stands. */
    if (ret_event->kind == MQTT_LINK_LOST)
        mqtt_link_abandon(link);
    else if (ret_event->kind == MQTT_LINK_CLOSED)
        wire_meter_end(&link->meter);
    return true;
}
