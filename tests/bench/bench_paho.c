/* The floor under the daemon's way to the cloud: a bare Paho program on the same broker, that
 * publishes an update and waits for update/accepted. Prints `name value` lines.
 *
 *   bench_paho DIR THING PORT accepted COUNT PAUSE_US
 *   bench_paho DIR THING PORT idle SECONDS
 *
 * DIR is the directory of the sandbox. `idle` reports once, then prints its memory. */
#include "tests/bench/broker_link.h"
#include "tests/bench/measure.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct bench {
    struct broker_link link;
    char update[256], accepted[300];
    long made;
};

static int on_message(void *data, char *topic, int topic_size, MQTTAsync_message *message)
{
    (void)topic_size;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    (void)sem_post(&((struct bench *)data)->link.done);
    return 1;
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
    broker_link_publish(&bench->link, bench->update, payload, size);
    broker_link_wait(&bench->link);
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
    struct bench bench = {.made = 0};
    char certificate[256];
    (void)snprintf(certificate, sizeof(certificate), "things/%s", argv[2]);
    (void)snprintf(bench.update, sizeof(bench.update), "$aws/things/%s/shadow/update", argv[2]);
    (void)snprintf(bench.accepted, sizeof(bench.accepted), "%s/accepted", bench.update);
    broker_link_open(&bench.link, argv[1], argv[3], certificate, argv[2], on_message, &bench);
    broker_link_subscribe(&bench.link, bench.accepted, 0);
    if (strcmp(argv[4], "idle") == 0)
        run_idle(&bench, atol(argv[5]));
    else
        run_accepted(&bench, (size_t)atol(argv[5]), argc > 6 ? atol(argv[6]) : 100000);
    _exit(fflush(stdout)); /* Paho's farewell is not what is measured */
}
