#include "daemon/mqtt/mqtt_link_private.h"

#include "daemon/mqtt/mqtt_paho.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAYLOAD_BYTES_MAX (128u * 1024) /* AWS IoT: message broker limits */
#define FREE_WAIT_MS      1500

static int start_thread(struct mqtt_link *link)
{
    /* Signals are the loop's. */
    sigset_t all, old;
    sigfillset(&all);
    int rc = pthread_sigmask(SIG_SETMASK, &all, &old);
    if (rc != 0)
        return -rc;
    rc = pthread_create(&link->thread, NULL, mqtt_link_thread, link);
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
