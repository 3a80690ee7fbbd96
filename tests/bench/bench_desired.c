/* How long a wish takes from the cloud application to a program on the device, through a watch of
 * the client library or, as the floor under it, through a bare Paho subscriber of update/delta.
 * Prints `name value` lines.
 *
 *   bench_desired DIR THING PORT watch|paho COUNT PAUSE_US
 *
 * DIR is the directory of the sandbox. The cloud application is a Paho connection of this program,
 * so that one clock measures both ends. Without a daemon for `paho`: both want the thing's name. */
#include "client/fluxaws.h"
#include "tests/bench/broker_link.h"
#include "tests/bench/measure.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench {
    struct broker_link cloud, device;
    char update[256];
    struct fluxaws_client *client;
    long wished, told;
};

/* The cloud application hears nothing; it only publishes. */
static int on_cloud_message(void *data, char *topic, int topic_size, MQTTAsync_message *message)
{
    (void)data;
    (void)topic_size;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static int on_delta(void *data, char *topic, int topic_size, MQTTAsync_message *message)
{
    struct bench *bench = data;
    (void)topic_size;
    char wanted[64], payload[1024];
    (void)snprintf(wanted, sizeof(wanted), "\"target\":%ld", bench->wished);
    (void)snprintf(payload, sizeof(payload), "%.*s", message->payloadlen, (char *)message->payload);
    if (strstr(payload, wanted) != NULL)
        (void)sem_post(&bench->device.done);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void on_desired(struct fluxaws_client *client, const struct fluxaws_desired *desired,
                       void *data)
{
    (void)client;
    struct bench *bench = data;
    if (desired->json != NULL)
        bench->told = atol(desired->json);
}

static void wish(struct bench *bench)
{
    char payload[128];
    int size = snprintf(payload, sizeof(payload), "{\"state\":{\"desired\":{\"target\":%ld}}}",
                        ++bench->wished);
    broker_link_publish(&bench->cloud, bench->update, payload, size);
}

static void wait_told(struct bench *bench)
{
    if (bench->client == NULL)
        broker_link_wait(&bench->device);
    while (bench->client != NULL && bench->told != bench->wished) {
        int r = fluxaws_dispatch(bench->client, 10000);
        if (r < 0) {
            fprintf(stderr, "bench_desired: %s\n", fluxaws_strerror(r));
            exit(1);
        }
    }
}

static void sleep_us(long us)
{
    struct timespec pause = {us / 1000000, us % 1000000 * 1000};
    while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
        ;
}

static void open_device(struct bench *bench, char **argv, bool is_watch)
{
    char certificate[256], delta[300];
    (void)snprintf(certificate, sizeof(certificate), "things/%s", argv[2]);
    (void)snprintf(delta, sizeof(delta), "%s/delta", bench->update);
    if (!is_watch) {
        broker_link_open(&bench->device, argv[1], argv[3], certificate, argv[2], on_delta, bench);
        broker_link_subscribe(&bench->device, delta, 1);
        return;
    }
    struct fluxaws_options options = {.size = sizeof(options), .require_daemon = true};
    int r = fluxaws_open(&bench->client, &options);
    if (r == 0)
        r = fluxaws_watch(bench->client, "target", on_desired, bench);
    if (r < 0) {
        fprintf(stderr, "bench_desired: %s\n", fluxaws_strerror(r));
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    static struct bench bench;
    size_t count = (size_t)atol(argv[5]);
    int64_t *samples = calloc(count, sizeof(*samples));
    if (samples == NULL)
        measure_die("memory");
    /* Values that no run before had. */
    bench.wished = (long)(measure_now_ns() / 1000000) * 1000;
    (void)snprintf(bench.update, sizeof(bench.update), "$aws/things/%s/shadow/update", argv[2]);
    broker_link_open(&bench.cloud, argv[1], argv[3], "operator", "sandbox-operator-bench",
                     on_cloud_message, NULL);
    open_device(&bench, argv, strcmp(argv[4], "watch") == 0);
    wish(&bench);
    wait_told(&bench);
    for (size_t i = 0; i < count; i++) {
        sleep_us(atol(argv[6]));
        int64_t begin_ns = measure_now_ns();
        wish(&bench);
        wait_told(&bench);
        samples[i] = measure_now_ns() - begin_ns;
    }
    printf("p50_us %.1f\n", (double)measure_percentile(samples, count, 50) / 1e3);
    printf("p99_us %.1f\n", (double)measure_percentile(samples, count, 99) / 1e3);
    _exit(fflush(stdout)); /* Paho's farewell is not what is measured */
}
