#include "tests/bench/broker_link.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(const char *what)
{
    fprintf(stderr, "bench: Paho: %s failed\n", what);
    exit(1);
}

static void on_done5(void *context, MQTTAsync_successData5 *response)
{
    (void)response;
    (void)sem_post(&((struct broker_link *)context)->done);
}

static void on_failure5(void *context, MQTTAsync_failureData5 *response)
{
    (void)context;
    (void)response;
    fail("a request");
}

void broker_link_wait(struct broker_link *link)
{
    while (sem_wait(&link->done) < 0 && errno == EINTR)
        ;
}

void broker_link_open(struct broker_link *link, const char *directory, const char *port,
                      const char *certificate, const char *client_id,
                      MQTTAsync_messageArrived *on_message, void *data)
{
    char uri[64], ca[256], pem[256], key[256];
    (void)snprintf(uri, sizeof(uri), "ssl://localhost:%s", port);
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", directory);
    (void)snprintf(pem, sizeof(pem), "%s/%s.pem", directory, certificate);
    (void)snprintf(key, sizeof(key), "%s/%s.key", directory, certificate);
    (void)sem_init(&link->done, 0, 0);

    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    if (MQTTAsync_createWithOptions(&link->handle, uri, client_id, MQTTCLIENT_PERSISTENCE_NONE,
                                    NULL, &create) != MQTTASYNC_SUCCESS)
        fail("create");
    (void)MQTTAsync_setCallbacks(link->handle, data, NULL, on_message, NULL);
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    tls.trustStore = ca;
    tls.keyStore = pem;
    tls.privateKey = key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1;
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
    connect.ssl = &tls;
    connect.context = link;
    connect.onSuccess5 = on_done5;
    connect.onFailure5 = on_failure5;
    if (MQTTAsync_connect(link->handle, &connect) != MQTTASYNC_SUCCESS)
        fail("connect");
    broker_link_wait(link);
}

void broker_link_subscribe(struct broker_link *link, const char *filter, int qos)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.context = link;
    options.onSuccess5 = on_done5;
    options.onFailure5 = on_failure5;
    if (MQTTAsync_subscribe(link->handle, filter, qos, &options) != MQTTASYNC_SUCCESS)
        fail("subscribe");
    broker_link_wait(link);
}

void broker_link_publish(struct broker_link *link, const char *topic, const char *payload, int size)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    if (MQTTAsync_send(link->handle, topic, size, payload, 1, 0, &options) != MQTTASYNC_SUCCESS)
        fail("send");
}
