/* Reports through the public client library, and prints what that took as `name value` lines.
 *
 *   bench_client round-trip        one `set`, wait for QUEUED, again
 *   bench_client accepted          one `set`, wait for ACCEPTED, pause, again
 *   bench_client pipeline          reports as fast as they are acknowledged as QUEUED
 *   bench_client paced             the same at --rate reports a second
 *   bench_client stored            each client waits for STORED before its next report
 *
 * With --daemon PID the processor time of that process is counted too. */
#include "client/fluxaws.h"
#include "tests/bench/measure.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SAMPLES_MAX 1000000

struct options {
    const char *mode;
    long count;      /* reports */
    long operations; /* properties set in each */
    long properties; /* each client goes round its own share of them */
    long clients;
    long shadows;  /* the clients go round them; 0: the default one */
    long window;   /* reports of one client that may wait for QUEUED */
    long turn;     /* reports of one client before it is the next one's turn */
    long pause_us; /* between two samples */
    long rate;     /* reports a second */
    pid_t daemon;
};

struct bench_client {
    struct fluxaws_client *client;
    enum fluxaws_level wanted;
    long waiting;     /* reports without the wanted answer */
    long first, made; /* its share of the properties begins here; operations so far */
};

struct bench {
    struct options options;
    struct bench_client *clients;
    char (*paths)[64];
    int64_t *samples;
};

static void die(struct bench_client *one, const char *what, int r)
{
    fprintf(stderr, "bench_client: %s: %s: %s\n", what, fluxaws_strerror(r),
            fluxaws_error_text(one->client));
    exit(1);
}

static void on_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                      void *data)
{
    (void)client;
    struct bench_client *one = data;
    if (answer->rejected) {
        fprintf(stderr, "bench_client: rejected: %d %s %s\n", answer->code, answer->path,
                answer->text);
        exit(1);
    }
    if (answer->level == one->wanted)
        one->waiting -= (long)(answer->last_id - answer->first_id + 1);
}

static void use_shadow(struct bench *bench, struct bench_client *one, long index)
{
    char name[32];
    if (bench->options.shadows == 0)
        return;
    (void)snprintf(name, sizeof(name), "bench-%ld", index % bench->options.shadows);
    int r = fluxaws_use_shadow(one->client, NULL, name);
    if (r < 0)
        die(one, "use_shadow", r);
}

static void open_all(struct bench *bench)
{
    const struct options *options = &bench->options;
    bench->clients = calloc((size_t)options->clients, sizeof(*bench->clients));
    bench->paths = calloc((size_t)options->properties, sizeof(*bench->paths));
    bench->samples = calloc(SAMPLES_MAX, sizeof(*bench->samples));
    if (bench->clients == NULL || bench->paths == NULL || bench->samples == NULL)
        measure_die("memory");
    for (long i = 0; i < options->properties; i++)
        (void)snprintf(bench->paths[i], sizeof(bench->paths[i]), "bench.room%03ld.temperature", i);
    for (long i = 0; i < options->clients; i++) {
        struct bench_client *one = &bench->clients[i];
        struct fluxaws_options settings = {.size = sizeof(settings), .require_daemon = true};
        int r = fluxaws_open(&one->client, &settings);
        if (r < 0) {
            fprintf(stderr, "bench_client: open: %s\n", fluxaws_strerror(r));
            exit(1);
        }
        (void)fluxaws_on_answer(one->client, on_answer, one);
        use_shadow(bench, one, i);
        one->first = i * (options->properties / options->clients);
    }
}

static void close_all(struct bench *bench)
{
    for (long i = 0; i < bench->options.clients; i++)
        (void)fluxaws_close(bench->clients[i].client);
    free(bench->clients);
    free(bench->paths);
    free(bench->samples);
}

/* One report of the next properties in turn, each with a value that it did not have before. */
static void report(struct bench *bench, struct bench_client *one)
{
    const struct options *options = &bench->options;
    struct fluxaws_client *client = one->client;
    const long share = options->properties / options->clients;
    one->waiting++;
    int r = options->operations > 1 ? fluxaws_report_begin(client) : 0;
    for (long i = 0; i < options->operations && r == 0; i++, one->made++)
        r = fluxaws_set_double(client, bench->paths[one->first + one->made % share],
                               (double)one->made * 0.5);
    if (r == 0 && options->operations > 1)
        r = fluxaws_report_send(client);
    if (r < 0)
        die(one, "report", r);
}

static void dispatch(struct bench_client *one, int timeout_ms)
{
    int r = fluxaws_dispatch(one->client, timeout_ms);
    if (r < 0)
        die(one, "dispatch", r);
}

static void wait_for_all(struct bench *bench)
{
    for (long i = 0; i < bench->options.clients; i++)
        while (bench->clients[i].waiting > 0)
            dispatch(&bench->clients[i], 1000);
}

static void pause_us(struct bench_client *one, long us)
{
    int64_t until_ns = measure_now_ns() + us * 1000;
    for (int64_t left_ns; (left_ns = until_ns - measure_now_ns()) > 0;)
        dispatch(one, (int)(left_ns / 1000000) + 1);
}

/* One report at a time; its answer ends the sample. */
static void run_samples(struct bench *bench)
{
    const struct options *options = &bench->options;
    struct bench_client *one = &bench->clients[0];
    size_t count = (size_t)(options->count < SAMPLES_MAX ? options->count : SAMPLES_MAX);
    for (size_t i = 0; i < count; i++) {
        int64_t begin_ns = measure_now_ns();
        report(bench, one);
        while (one->waiting > 0)
            dispatch(one, 10000);
        bench->samples[i] = measure_now_ns() - begin_ns;
        if (options->pause_us > 0)
            pause_us(one, options->pause_us);
    }
    printf("p50_us %.1f\n", (double)measure_percentile(bench->samples, count, 50) / 1e3);
    printf("p99_us %.1f\n", (double)measure_percentile(bench->samples, count, 99) / 1e3);
}

static void pipeline(struct bench *bench)
{
    const struct options *options = &bench->options;
    for (long left = options->count; left > 0;) {
        for (long i = 0; i < options->clients && left > 0; i++) {
            struct bench_client *one = &bench->clients[i];
            for (long n = 0; n < options->turn && left > 0; n++, left--) {
                report(bench, one);
                while (one->waiting >= options->window)
                    dispatch(one, 1000);
            }
        }
    }
    wait_for_all(bench);
}

static void paced(struct bench *bench)
{
    const struct options *options = &bench->options;
    struct bench_client *one = &bench->clients[0];
    int64_t begin_ns = measure_now_ns();
    for (long made = 0; made < options->count;) {
        double seconds = (double)(measure_now_ns() - begin_ns) / 1e9;
        long due = (long)(seconds * (double)options->rate);
        for (; made < due && made < options->count; made++)
            report(bench, one);
        dispatch(one, 1);
    }
    wait_for_all(bench);
}

/* Make the next report of each that has its answer; wait for what comes. */
static void turn_of_stored(struct bench *bench, struct pollfd *fds, long *left)
{
    for (long i = 0; i < bench->options.clients; i++) {
        struct bench_client *one = &bench->clients[i];
        if (fds[i].revents != 0)
            dispatch(one, 0);
        if (one->waiting == 0 && *left > 0) {
            report(bench, one);
            *left -= 1;
        }
        fds[i].fd = fluxaws_get_fd(one->client);
        fds[i].events = (short)fluxaws_get_events(one->client);
    }
    if (poll(fds, (nfds_t)bench->options.clients, 1000) < 0 && errno != EINTR)
        measure_die("poll");
}

static void stored(struct bench *bench)
{
    struct pollfd *fds = calloc((size_t)bench->options.clients, sizeof(*fds));
    if (fds == NULL)
        measure_die("memory");
    for (long left = bench->options.count; left > 0;)
        turn_of_stored(bench, fds, &left);
    free(fds);
    wait_for_all(bench);
}

static void run_throughput(struct bench *bench, void (*run)(struct bench *bench))
{
    const struct options *options = &bench->options;
    int64_t cpu_ns = measure_cpu_ns(options->daemon), begin_ns = measure_now_ns();
    int64_t own_ns = measure_cpu_ns(getpid());
    run(bench);
    double seconds = (double)(measure_now_ns() - begin_ns) / 1e9;
    double daemon_ns = (double)(measure_cpu_ns(options->daemon) - cpu_ns);
    double reports = (double)options->count;
    printf("reports_per_s %.0f\n", reports / seconds);
    printf("client_ns_per_report %.0f\n", (double)(measure_cpu_ns(getpid()) - own_ns) / reports);
    if (options->daemon == 0)
        return;
    printf("daemon_ns_per_report %.0f\n", daemon_ns / reports);
    printf("properties_per_core_s %.0f\n",
           reports * (double)options->operations / (daemon_ns / 1e9));
}

static int parse(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"count", required_argument, NULL, 'n'},
        {"operations", required_argument, NULL, 'o'},
        {"properties", required_argument, NULL, 'p'},
        {"clients", required_argument, NULL, 'c'},
        {"shadows", required_argument, NULL, 'z'},
        {"window", required_argument, NULL, 'w'},
        {"turn", required_argument, NULL, 't'},
        {"pause-us", required_argument, NULL, 's'},
        {"rate", required_argument, NULL, 'r'},
        {"daemon", required_argument, NULL, 'd'},
        {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        long number = optarg != NULL ? atol(optarg) : 0;
        switch (c) {
        case 'n':
            options->count = number;
            break;
        case 'o':
            options->operations = number;
            break;
        case 'p':
            options->properties = number;
            break;
        case 'c':
            options->clients = number;
            break;
        case 'z':
            options->shadows = number;
            break;
        case 'w':
            options->window = number;
            break;
        case 't':
            options->turn = number;
            break;
        case 's':
            options->pause_us = number;
            break;
        case 'r':
            options->rate = number;
            break;
        case 'd':
            options->daemon = (pid_t)number;
            break;
        default:
            return -EINVAL;
        }
    }
    options->mode = optind < argc ? argv[optind] : "";
    bool is_sane = options->count > 0 && options->operations > 0 && options->clients > 0 &&
                   options->properties >= options->clients && options->window > 0 &&
                   options->turn > 0;
    return is_sane ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
    struct bench bench = {.options = {.count = 10000,
                                      .operations = 1,
                                      .properties = 1,
                                      .clients = 1,
                                      .window = 256,
                                      .turn = 64,
                                      .rate = 10000}};
    struct options *options = &bench.options;
    if (parse(options, argc, argv) < 0) {
        fprintf(stderr, "bench_client: see the head of its source\n");
        return 2;
    }
    open_all(&bench);
    const bool is_accepted = strcmp(options->mode, "accepted") == 0;
    const bool is_stored = strcmp(options->mode, "stored") == 0;
    for (long i = 0; (is_accepted || is_stored) && i < options->clients; i++) {
        bench.clients[i].wanted = is_stored ? FLUXAWS_STORED : FLUXAWS_ACCEPTED;
        (void)fluxaws_want(bench.clients[i].client, bench.clients[i].wanted);
    }
    if (is_stored)
        run_throughput(&bench, stored);
    else if (is_accepted || strcmp(options->mode, "round-trip") == 0)
        run_samples(&bench);
    else
        run_throughput(&bench, strcmp(options->mode, "paced") == 0 ? paced : pipeline);
    close_all(&bench);
    return 0;
}
