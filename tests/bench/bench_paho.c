/* The floor under the daemon's way to the cloud: a bare Paho program on the same broker, that
 * publishes an update and waits for update/accepted. Prints `name value` lines.
 *
 *   bench_paho DIR THING PORT accepted COUNT PAUSE_US
 *   bench_paho DIR THING PORT idle SECONDS
 *
 * DIR is the directory of the sandbox. `idle` reports once, then prints its memory. */
#include "tests/bench/measure.h"
#include <errno.h>
#include <MQTTAsync.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench {
    MQTTAsync handle;
    const char *directory, *thing, *port;
    sem_t done;
    char update[256], accepted[300];
    long made;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_paho: %s failed\n", what);
    exit(1);
}

static void on_done5(void *data, MQTTAsync_successData5 *response)
{
    (void)response;
    (void)sem_post(&((struct bench *)data)->done);
}

static void on_failure5(void *data, MQTTAsync_failureData5 *response)
{
    (void)data;
    (void)response;
    fail("a request");
}

static int on_message(void *data, char *topic, int topic_size, MQTTAsync_message *message)
{
    (void)topic_size;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    (void)sem_post(&((struct bench *)data)->done);
    return 1;
}

static void wait_done(struct bench *bench)
{
    while (sem_wait(&bench->done) < 0 && errno == EINTR)
        ;
}

static void dial(struct bench *bench)
{
    char uri[64], ca[256], certificate[256], key[256];
    (void)snprintf(uri, sizeof(uri), "ssl://localhost:%s", bench->port);
    (void)snprintf(ca, sizeof(ca), "%s/ca.pem", bench->directory);
    (void)snprintf(certificate, sizeof(certificate), "%s/things/%s.pem", bench->directory,
                   bench->thing);
    (void)snprintf(key, sizeof(key), "%s/things/%s.key", bench->directory, bench->thing);

    MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer5;
    if (MQTTAsync_createWithOptions(&bench->handle, uri, bench->thing, MQTTCLIENT_PERSISTENCE_NONE,
                                    NULL, &create) != MQTTASYNC_SUCCESS)
        fail("create");
    (void)MQTTAsync_setCallbacks(bench->handle, bench, NULL, on_message, NULL);
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;
    tls.trustStore = ca;
    tls.keyStore = certificate;
    tls.privateKey = key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1;
    MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer5;
    connect.ssl = &tls;
    connect.context = bench;
    connect.onSuccess5 = on_done5;
    connect.onFailure5 = on_failure5;
    if (MQTTAsync_connect(bench->handle, &connect) != MQTTASYNC_SUCCESS)
        fail("connect");
    wait_done(bench);
}

static void subscribe(struct bench *bench)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    options.context = bench;
    options.onSuccess5 = on_done5;
    options.onFailure5 = on_failure5;
    if (MQTTAsync_subscribe(bench->handle, bench->accepted, 0, &options) != MQTTASYNC_SUCCESS)
        fail("subscribe");
    wait_done(bench);
}

/* What the daemon would send for one changed property. */
static void update(struct bench *bench)
{
    char payload[256];
    int size = snprintf(payload, sizeof(payload),
                        "{\"state\":{\"reported\":{\"bench\":{\"room000\":{\"temperature\":%.1f}}}"
                        "},\"clientToken\":\"%016lx-%ld\"}",
                        (double)bench->made * 0.5, 0x1234567890abcdefL, bench->made);
    bench->made++;
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;
    if (MQTTAsync_send(bench->handle, bench->update, size, payload, 1, 0, &options) !=
        MQTTASYNC_SUCCESS)
        fail("send");
    wait_done(bench);
}

static void sleep_us(long us)
{
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
        ;
}

static void run_accepted(struct bench *bench, size_t count, long pause_us)
{
    int64_t *samples = calloc(count, sizeof(*samples));
    if (samples == NULL)
        measure_die("memory");
    for (size_t i = 0; i < count; i++) {
        int64_t begin_ns = measure_now_ns();
        update(bench);
        samples[i] = measure_now_ns() - begin_ns;
        sleep_us(pause_us);
    }
    printf("p50_us %.1f\n", (double)measure_percentile(samples, count, 50) / 1e3);
    printf("p99_us %.1f\n", (double)measure_percentile(samples, count, 99) / 1e3);
    free(samples);
}

static void run_idle(struct bench *bench, long seconds)
{
    update(bench);
    sleep_us(1000000);
    int64_t cpu_ns = measure_cpu_ns(getpid());
    sleep_us(seconds * 1000000);
    cpu_ns = measure_cpu_ns(getpid()) - cpu_ns;
    struct measure_memory memory = measure_memory(getpid());
    printf("uss_kb %ld\npss_kb %ld\n", memory.uss_kb, memory.pss_kb);
    printf("cpu_percent %.4f\n", (double)cpu_ns / 1e7 / (double)seconds);
}

int main(int argc, char **argv)
{
    if (argc < 6)
        return 2;
    struct bench bench = {.directory = argv[1], .thing = argv[2], .port = argv[3]};
    (void)sem_init(&bench.done, 0, 0);
    (void)snprintf(bench.update, sizeof(bench.update), "$aws/things/%s/shadow/update", bench.thing);
    (void)snprintf(bench.accepted, sizeof(bench.accepted), "%s/accepted", bench.update);
    dial(&bench);
    subscribe(&bench);
    if (strcmp(argv[4], "idle") == 0)
        run_idle(&bench, atol(argv[5]));
    else
        run_accepted(&bench, (size_t)atol(argv[5]), argc > 6 ? atol(argv[6]) : 100000);
    _exit(fflush(stdout)); /* Paho's farewell is not what is measured */
}
