#include "daemon/mqtt/mqtt_paho.h"

#include "daemon/mqtt/paho_callbacks.h"
#include "daemon/mqtt/paho_index.h"
#include "daemon/mqtt/paho_resolver.h"
#include "daemon/mqtt/paho_tunnel.h"
#include "daemon/mqtt/tcp_tune.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REQUESTS_MAX    100 /* beyond Receive Maximum Paho itself holds back */
#define PAHO_BUFFER_MAX 5000
#define URI_BYTES_MAX   512
#define ALPN_PORT       443

/* The wire form of one ALPN protocol name: its length, then the name. */
static const unsigned char alpn_mqtt[] = "\x0ex-amzn-mqtt-ca";

void paho_prepare(void)
{
    static const char *const names[] = {"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        (void)unsetenv(names[i]);
    paho_index_keep();
    paho_resolver_keep();
    paho_tunnel_keep();
}

uint64_t paho_connection_number(const struct paho_connection *connection)
{
    return connection->number;
}

static int create_handle(struct paho_connection *connection, const struct mqtt_link_config *config)
{
    char uri[URI_BYTES_MAX];
    bool is_ipv6 = strchr(config->host, ':') != NULL;
    int size = snprintf(uri, sizeof(uri), is_ipv6 ? "ssl://[%s]:%u" : "ssl://%s:%u", config->host,
                        (unsigned)config->port);
    if (size < 0 || (size_t)size >= sizeof(uri))
        return -ENAMETOOLONG;

    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer;
    options.sendWhileDisconnected = 0;
    options.maxBufferedMessages = PAHO_BUFFER_MAX;
    options.MQTTVersion = config->protocol == 5 ? MQTTVERSION_5 : MQTTVERSION_3_1_1;
    int rc = MQTTAsync_createWithOptions(&connection->handle, uri, config->client_id,
                                         MQTTCLIENT_PERSISTENCE_NONE, NULL, &options);
    if (rc != MQTTASYNC_SUCCESS)
        return -EINVAL;
    paho_set_callbacks(connection);
    return 0;
}

/* Whole seconds, of what is left. */
static int connect_timeout_sec(const struct mqtt_link_config *config, int64_t late_ms)
{
    const int64_t left_ms = config->connect_timeout_ms - late_ms;
    return left_ms > 1000 ? (int)((left_ms + 999) / 1000) : 1;
}

static int dial(struct paho_connection *connection, const struct mqtt_link_config *config,
                int64_t late_ms)
{
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    tls.trustStore = config->credentials.ca_file;
    tls.keyStore = config->credentials.certificate_file;
    tls.privateKey = config->credentials.private_key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1;
    tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2; /* or newer */
    tls.disableDefaultTrustStore = 1;
    if (config->port == ALPN_PORT) {
        tls.protos = alpn_mqtt;
        tls.protos_len = sizeof(alpn_mqtt) - 1;
    }

    MQTTAsync_connectOptions version3 = MQTTAsync_connectOptions_initializer;
    MQTTAsync_connectOptions version5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions options = config->protocol == 5 ? version5 : version3;
    if (config->protocol == 5) {
        options.cleanstart = 1;
    } else {
        options.MQTTVersion = MQTTVERSION_3_1_1;
        options.cleansession = 1;
    }
    paho_set_dial_callbacks(connection, &options);
    options.ssl = &tls;
    options.keepAliveInterval = config->keep_alive_sec;
    options.connectTimeout = connect_timeout_sec(config, late_ms);
    options.maxInflight = REQUESTS_MAX;
    options.automaticReconnect = 0;
    return MQTTAsync_connect(connection->handle, &options) == MQTTASYNC_SUCCESS ? 0 : -EIO;
}

int paho_connection_new(struct paho_connection **ret_connection, struct inbox *inbox,
                        struct outbox *outbox, struct wire_meter *meter, uint64_t number,
                        const struct mqtt_link_config *config, int tunnel_fd, int64_t late_ms)
{
    struct paho_connection *connection = calloc(1, sizeof(*connection));
    if (!connection) {
        if (tunnel_fd >= 0)
            (void)close(tunnel_fd);
        return -ENOMEM;
    }
    connection->inbox = inbox;
    connection->outbox = outbox;
    connection->meter = meter;
    connection->number = number;
    connection->protocol = config->protocol;
    connection->port = tunnel_fd >= 0 ? tcp_tune_port(tunnel_fd) : config->port;
    connection->keep_alive_sec = config->keep_alive_sec;
    int rc = tunnel_fd >= 0 ? paho_tunnel_offer(config->host, config->port, tunnel_fd) : 0;
    if (rc == 0)
        rc = create_handle(connection, config);
    if (rc == 0)
        rc = dial(connection, config, late_ms);
    if (rc < 0) {
        (void)paho_connection_free(connection);
        return rc;
    }
    *ret_connection = connection;
    return 0;
}

static void free_requests(struct paho_connection *connection, bool only_done)
{
    struct paho_request **link = &connection->requests;
    while (*link) {
        struct paho_request *request = *link;
        if (only_done && !atomic_load(&request->done)) {
            link = &request->next;
            continue;
        }
        *link = request->next;
        connection->request_count--;
        if (request->group && --request->group->members == 0)
            free(request->group);
        free(request);
    }
}

struct paho_connection *paho_connection_free(struct paho_connection *connection)
{
    if (!connection)
        return NULL;
    if (connection->handle)
        MQTTAsync_destroy(&connection->handle);
    paho_tunnel_withdraw();
    free_requests(connection, false);
    free(connection);
    return NULL;
}

bool paho_is_full(struct paho_connection *connection)
{
    return atomic_load(&connection->in_flight) >= PAHO_IN_FLIGHT_MAX &&
           !atomic_load(&connection->ended);
}

static struct paho_request *request_new(struct paho_connection *connection,
                                        const struct outbox_command *command)
{
    free_requests(connection, true);
    struct paho_request *request = calloc(1, sizeof(*request));
    if (!request)
        return NULL;
    request->connection = connection;
    request->id = command->request_id;
    request->is_unsubscribe = command->kind == OUTBOX_UNSUBSCRIBE;
    request->filter_count = command->count;
    request->qos = command->count == 0 ? command->qos[0] : 0;
    if (request->qos > 0)
        atomic_fetch_add(&connection->in_flight, 1);
    request->next = connection->requests;
    connection->requests = request;
    connection->request_count++;
    return request;
}

static void subscribe_all(struct paho_connection *connection, const struct outbox_command *command,
                          struct paho_request *request)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    paho_set_request_callbacks(request, &options);
    MQTTSubscribe_options defaults[MQTT_LINK_FILTERS_MAX];
    char *filters[MQTT_LINK_FILTERS_MAX];
    for (size_t i = 0; i < command->count; i++) {
        defaults[i] = (MQTTSubscribe_options)MQTTSubscribe_options_initializer;
        filters[i] = (char *)(uintptr_t)command->filters[i]; /* Paho does not write to it */
    }
    if (connection->protocol == 5 && command->count > 1) {
        options.subscribeOptionsCount = (int)command->count;
        options.subscribeOptionsList = defaults;
    }
    if (MQTTAsync_subscribeMany(connection->handle, (int)command->count, filters, command->qos,
                                &options) != MQTTASYNC_SUCCESS)
        paho_request_failed(request);
}

/* The requests of one group, each for one filter of the command. Returns whether all are there. */
static bool request_group(struct paho_connection *connection, const struct outbox_command *command,
                          struct paho_request *ret_requests[static MQTT_LINK_FILTERS_MAX])
{
    struct paho_group *group = calloc(1, sizeof(*group));
    if (!group)
        return false;
    group->filter_count = command->count;
    atomic_init(&group->waiting, command->count);
    for (size_t i = 0; i < command->count; i++) {
        struct paho_request *request = ret_requests[i] = request_new(connection, command);
        if (!request)
            break;
        request->filter_count = 1;
        request->group = group;
        request->index = i;
        group->members++;
    }
    if (group->members == command->count)
        return true;
    if (group->members == 0)
        free(group);
    for (struct paho_request *r = connection->requests; r; r = r->next) {
        if (r->group == group)
            atomic_store(&r->done, true);
    }
    return false;
}

static void subscribe_singly(struct paho_connection *connection,
                             const struct outbox_command *command)
{
    struct paho_request *requests[MQTT_LINK_FILTERS_MAX];
    if (!request_group(connection, command, requests)) {
        paho_tell(connection, MQTT_LINK_SUBSCRIBED, command->request_id, MQTT_LINK_FAILED, NULL);
        return;
    }
    struct outbox_command single = *command;
    single.count = 1;
    for (size_t i = 0; i < command->count; i++) {
        single.filters[0] = command->filters[i];
        single.qos[0] = command->qos[i];
        subscribe_all(connection, &single, requests[i]);
    }
}

void paho_subscribe(struct paho_connection *connection, const struct outbox_command *command)
{
    if (connection->protocol != 5) {
        subscribe_singly(connection, command);
        return;
    }
    struct paho_request *request = request_new(connection, command);
    if (request)
        subscribe_all(connection, command, request);
    else
        paho_tell(connection, MQTT_LINK_SUBSCRIBED, command->request_id, MQTT_LINK_FAILED, NULL);
}

void paho_unsubscribe(struct paho_connection *connection, const struct outbox_command *command)
{
    struct paho_request *request = request_new(connection, command);
    if (!request) {
        paho_tell(connection, MQTT_LINK_UNSUBSCRIBED, command->request_id, MQTT_LINK_FAILED, NULL);
        return;
    }
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    paho_set_request_callbacks(request, &options);
    char *filters[MQTT_LINK_FILTERS_MAX];
    for (size_t i = 0; i < command->count; i++)
        filters[i] = (char *)(uintptr_t)command->filters[i]; /* Paho does not write to it */
    if (MQTTAsync_unsubscribeMany(connection->handle, (int)command->count, filters, &options) !=
        MQTTASYNC_SUCCESS)
        paho_request_failed(request);
}

void paho_publish(struct paho_connection *connection, const struct outbox_command *command)
{
    struct paho_request *request = request_new(connection, command);
    if (!request) {
        paho_tell(connection, MQTT_LINK_PUBLISHED, command->request_id, MQTT_LINK_FAILED, NULL);
        return;
    }
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    paho_set_request_callbacks(request, &options);
    if (MQTTAsync_send(connection->handle, command->topic, (int)command->size, command->payload,
                       command->qos[0], 0, &options) != MQTTASYNC_SUCCESS)
        paho_request_failed(request);
}

bool paho_is_settled(struct paho_connection *connection)
{
    atomic_store(&connection->leaving, true);
    return atomic_load(&connection->in_flight) == 0;
}

void paho_hang_up(struct paho_connection *connection)
{
    MQTTAsync_disconnectOptions version3 = MQTTAsync_disconnectOptions_initializer;
    MQTTAsync_disconnectOptions version5 = MQTTAsync_disconnectOptions_initializer5;
    MQTTAsync_disconnectOptions options = connection->protocol == 5 ? version5 : version3;
    /* With more than 0 Paho looks for the last answer once a second only. */
    options.timeout = 0;
    paho_set_close_callbacks(connection, &options);
    if (MQTTAsync_disconnect(connection->handle, &options) != MQTTASYNC_SUCCESS)
        paho_tell_closed(connection);
}
