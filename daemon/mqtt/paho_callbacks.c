#include "daemon/mqtt/paho_callbacks.h"

#include "daemon/mqtt/tcp_tune.h"
#include <stdio.h>
#include <string.h>

#define MQTT_REFUSED_MIN      0x80
#define UNACKNOWLEDGED_MAX_MS 60000u

void paho_tell(struct paho_connection *connection, enum mqtt_link_event_kind kind,
               uint32_t request_id, int code, const char *text)
{
    struct mqtt_link_event event = {
        .kind = kind, .request_id = request_id, .code = code, .text = text};
    (void)inbox_push(connection->inbox, connection->number, &event);
}

static void push_command(struct paho_connection *connection, enum outbox_kind kind, int code,
                         const char *text)
{
    struct outbox_command command = {
        .kind = kind, .connection = connection->number, .code = code, .text = text};
    /* Without memory nothing is cleaned up until the next dial; the loop's timer takes care. */
    (void)outbox_push(connection->outbox, &command);
    mailbox_wake(&connection->outbox->box); /* the reader may be resting on a full queue */
}

static void tell_lost(struct paho_connection *connection, int code, const char *text)
{
    if (atomic_exchange(&connection->ended, true))
        return;
    paho_tell(connection, MQTT_LINK_LOST, 0, code, text);
    push_command(connection, OUTBOX_LINK_ENDED, 0, NULL);
}

static const char *reason_hint(int code)
{
    switch (code) {
    case MQTTREASONCODE_NOT_AUTHORIZED:
        return "; check that the certificate is active and what its policy allows";
    case MQTTREASONCODE_CLIENT_IDENTIFIER_NOT_VALID:
        return "; check ClientId and the policy's iot:Connect";
    case MQTTREASONCODE_SESSION_TAKEN_OVER:
        return "; another connection uses the same ClientId";
    case MQTTREASONCODE_UNSUPPORTED_PROTOCOL_VERSION:
        return "; try Protocol=3.1.1";
    default:
        return "";
    }
}

static void describe_reason(int code, const char *what, char *ret_text, size_t size)
{
    const char *name = MQTTReasonCode_toString((enum MQTTReasonCodes)code);
    (void)snprintf(ret_text, size, "%s: %s (reason code 0x%02X)%s", what,
                   name ? name : "unknown reason", (unsigned)code, reason_hint(code));
}

/* Long enough for a radio that is out of reach for a moment. */
static unsigned unacknowledged_ms(const struct paho_connection *connection)
{
    const unsigned half_ms = (unsigned)connection->keep_alive_sec * 500;
    return half_ms > 0 && half_ms < UNACKNOWLEDGED_MAX_MS ? half_ms : UNACKNOWLEDGED_MAX_MS;
}

static void on_connected(struct paho_connection *connection)
{
    wire_meter_offer(connection->meter, tcp_tune(connection->port, unacknowledged_ms(connection)));
    paho_tell(connection, MQTT_LINK_CONNECTED, 0, 0, "");
}

static void on_connected5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    on_connected(context);
}

static void on_connected3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    on_connected(context);
}

static void on_dial_failed5(void *context, MQTTAsync_failureData5 *data)
{
    struct paho_connection *connection = context;
    if (atomic_exchange(&connection->ended, true))
        return;
    /* Where CONNACK carried a reason, Paho puts it into the field of its own error codes. */
    int code = data ? (int)data->reasonCode : 0;
    if (data && code < MQTT_REFUSED_MIN && data->code >= MQTT_REFUSED_MIN)
        code = data->code;
    char text[256];
    if (code >= MQTT_REFUSED_MIN)
        describe_reason(code, "the broker refused the connection", text, sizeof(text));
    else
        (void)snprintf(text, sizeof(text), "%s", data && data->message ? data->message : "");
    push_command(connection, OUTBOX_DIAL_ENDED, code >= MQTT_REFUSED_MIN ? code : MQTT_LINK_FAILED,
                 text);
}

static void on_dial_failed3(void *context, MQTTAsync_failureData *data)
{
    /* The return codes of CONNACK in MQTT 3.1.1. */
    static const char *const refusals[] = {
        [1] = "the broker does not speak this version of MQTT; try Protocol=5",
        [2] = "the broker refused the ClientId",
        [3] = "the broker says that its service is unavailable",
        [4] = "the broker refused user name or password",
        [5] = "the broker refused the connection: not authorized; check that the certificate is "
              "active and what its policy allows",
    };
    struct paho_connection *connection = context;
    if (atomic_exchange(&connection->ended, true))
        return;
    int code = data ? data->code : 0;
    if (code >= 1 && code <= 5)
        push_command(connection, OUTBOX_DIAL_ENDED, MQTT_REFUSED_MIN, refusals[code]);
    else
        push_command(connection, OUTBOX_DIAL_ENDED, MQTT_LINK_FAILED,
                     data && data->message ? data->message : "");
}

static void on_connection_lost(void *context, char *cause)
{
    tell_lost(context, -1, cause ? cause : "the broker or the network ended the connection");
}

static void on_server_disconnect(void *context, MQTTProperties *properties,
                                 enum MQTTReasonCodes reason)
{
    (void)properties;
    char text[256];
    describe_reason((int)reason, "the broker closed the connection", text, sizeof(text));
    tell_lost(context, (int)reason, text);
}

static int on_message(void *context, char *topic, int topic_size, MQTTAsync_message *message)
{
    struct paho_connection *connection = context;
    /* A size above 0 says that the topic holds a NUL: none that we asked for does. */
    if (topic_size == 0 || strlen(topic) == (size_t)topic_size) {
        struct mqtt_link_event event = {
            .kind = MQTT_LINK_MESSAGE,
            .topic = topic,
            .payload = message->payload,
            .size = message->payloadlen > 0 ? (size_t)message->payloadlen : 0,
        };
        (void)inbox_push(connection->inbox, connection->number, &event);
    }
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* What a SUBACK may say, of any version. */
static bool are_codes(const int *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (codes[i] < 0 || codes[i] > 0xff || (codes[i] > 2 && codes[i] < MQTT_REFUSED_MIN))
            return false;
    }
    return true;
}

static void tell_subscribed(struct paho_request *request, const int *codes, size_t count)
{
    struct mqtt_link_event event = {.kind = MQTT_LINK_SUBSCRIBED, .request_id = request->id};
    if (codes) {
        memcpy(event.codes, codes, count * sizeof(codes[0]));
        event.code_count = count;
    } else {
        event.code = MQTT_LINK_FAILED;
        event.text = "the broker did not answer with a code for each filter";
    }
    (void)inbox_push(request->connection->inbox, request->connection->number, &event);
}

/* One more answer of the group, NULL: none that can be used. The last one tells. */
static void answer_group(struct paho_request *request, const int *code)
{
    struct paho_group *group = request->group;
    if (code)
        group->codes[request->index] = *code;
    else
        atomic_store(&group->failed, true);
    if (atomic_fetch_sub(&group->waiting, 1) == 1)
        tell_subscribed(request, atomic_load(&group->failed) ? NULL : group->codes,
                        group->filter_count);
}

/* `codes` NULL: there is no answer. */
static void answer_subscribe(struct paho_request *request, const int *codes, size_t count)
{
    const bool is_usable = codes && count == request->filter_count && are_codes(codes, count);
    if (request->group)
        answer_group(request, is_usable ? codes : NULL);
    else
        tell_subscribed(request, is_usable ? codes : NULL, count);
    atomic_store(&request->done, true);
}

static void on_subscribed5(void *context, MQTTAsync_successData5 *data)
{
    struct paho_request *request = context;
    int codes[MQTT_LINK_FILTERS_MAX];
    size_t count = data->alt.sub.reasonCodeCount > 0 ? (size_t)data->alt.sub.reasonCodeCount : 0;
    for (size_t i = 0; i < count && i < MQTT_LINK_FILTERS_MAX; i++)
        codes[i] = (int)(count == 1 ? data->reasonCode : data->alt.sub.reasonCodes[i]);
    answer_subscribe(request, codes, count);
}

/* Paho says neither how many codes there were nor, for more than one, where they end: there is one
 * filter, and what is no code is taken for a wrong answer. */
static void on_subscribed3(void *context, MQTTAsync_successData *data)
{
    answer_subscribe(context, &data->alt.qos, 1);
}

static void answer_unsubscribe(struct paho_request *request, int code)
{
    paho_tell(request->connection, MQTT_LINK_UNSUBSCRIBED, request->id, code, NULL);
    atomic_store(&request->done, true);
}

static void on_unsubscribed5(void *context, MQTTAsync_successData5 *data)
{
    (void)data; /* a filter that was not there is gone as well */
    answer_unsubscribe(context, 0);
}

static void on_unsubscribed3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    answer_unsubscribe(context, 0);
}

static void on_published(struct paho_request *request, int code)
{
    struct paho_connection *connection = request->connection;
    paho_tell(connection, MQTT_LINK_PUBLISHED, request->id, code, NULL);
    if (request->qos > 0) {
        unsigned before = atomic_fetch_sub(&connection->in_flight, 1);
        if (before >= PAHO_IN_FLIGHT_MAX || (before == 1 && atomic_load(&connection->leaving)))
            mailbox_wake(&connection->outbox->box);
    }
    atomic_store(&request->done, true);
}

static void on_published5(void *context, MQTTAsync_successData5 *data)
{
    on_published(context, data ? (int)data->reasonCode : 0);
}

static void on_published3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    on_published(context, 0);
}

/* `code`: from the broker if it is 0x80 or above, else Paho's. */
static void on_request_failed(struct paho_request *request, int code)
{
    bool by_broker = code >= MQTT_REFUSED_MIN;
    if (request->filter_count == 0) {
        on_published(request, by_broker ? code : MQTT_LINK_FAILED);
    } else if (request->is_unsubscribe) {
        answer_unsubscribe(request, MQTT_LINK_FAILED);
    } else if (by_broker && request->filter_count == 1) {
        answer_subscribe(request, &code, 1);
    } else {
        answer_subscribe(request, NULL, 0);
    }
}

static void on_request_failed5(void *context, MQTTAsync_failureData5 *data)
{
    on_request_failed(context, data && (int)data->reasonCode >= MQTT_REFUSED_MIN
                                   ? (int)data->reasonCode
                                   : MQTT_LINK_FAILED);
}

static void on_request_failed3(void *context, MQTTAsync_failureData *data)
{
    on_request_failed(context, data ? data->code : MQTT_LINK_FAILED);
}

void paho_tell_closed(struct paho_connection *connection)
{
    atomic_store(&connection->ended, true);
    paho_tell(connection, MQTT_LINK_CLOSED, 0, 0, NULL);
    push_command(connection, OUTBOX_LINK_ENDED, 0, NULL);
}

static void on_closed5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    paho_tell_closed(context);
}

static void on_closed3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    paho_tell_closed(context);
}

static void on_close_failed5(void *context, MQTTAsync_failureData5 *data)
{
    (void)data;
    paho_tell_closed(context);
}

static void on_close_failed3(void *context, MQTTAsync_failureData *data)
{
    (void)data;
    paho_tell_closed(context);
}

void paho_request_failed(struct paho_request *request)
{
    on_request_failed(request, MQTT_LINK_FAILED);
}

void paho_set_callbacks(struct paho_connection *connection)
{
    (void)MQTTAsync_setCallbacks(connection->handle, connection, on_connection_lost, on_message,
                                 NULL);
    if (connection->protocol == 5)
        (void)MQTTAsync_setDisconnected(connection->handle, connection, on_server_disconnect);
}

void paho_set_dial_callbacks(struct paho_connection *connection, MQTTAsync_connectOptions *options)
{
    options->context = connection;
    if (connection->protocol == 5) {
        options->onSuccess5 = on_connected5;
        options->onFailure5 = on_dial_failed5;
    } else {
        options->onSuccess = on_connected3;
        options->onFailure = on_dial_failed3;
    }
}

void paho_set_request_callbacks(struct paho_request *request, MQTTAsync_responseOptions *options)
{
    bool is_publish = request->filter_count == 0;
    bool is_unsubscribe = request->is_unsubscribe;
    options->context = request;
    if (request->connection->protocol == 5) {
        options->onSuccess5 = is_publish       ? on_published5
                              : is_unsubscribe ? on_unsubscribed5
                                               : on_subscribed5;
        options->onFailure5 = on_request_failed5;
    } else {
        options->onSuccess = is_publish       ? on_published3
                             : is_unsubscribe ? on_unsubscribed3
                                              : on_subscribed3;
        options->onFailure = on_request_failed3;
    }
}

void paho_set_close_callbacks(struct paho_connection *connection,
                              MQTTAsync_disconnectOptions *options)
{
    options->context = connection;
    if (connection->protocol == 5) {
        options->onSuccess5 = on_closed5;
        options->onFailure5 = on_close_failed5;
    } else {
        options->onSuccess = on_closed3;
        options->onFailure = on_close_failed3;
    }
}
