/* load: reports rising counters over some properties at a given rate, through the public library,
 * as a busy program does. Prints what it did as one line of JSON. Judges nothing. */
#include "client/fluxaws.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct load {
    struct fluxaws_client *client;
    long count;      /* reports to make */
    long rate;       /* a second; 0: as fast as the library takes them */
    long properties; /* the reports go round them */
    long first;      /* the first counter */
    int flush_ms;    /* how long to wait for ACCEPTED at the end */
    bool round_trip; /* wait for QUEUED after each, and measure */
    const char *prefix;

    long reports, rejected, full;
    double worst_ms; /* the longest of the round trips, or of the calls */
};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void load_on_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                           void *data)
{
    (void)client;
    struct load *load = data;
    if (!answer->rejected)
        return;
    load->rejected++;
    fprintf(stderr, "load: rejected %d %s %s\n", answer->code, answer->path, answer->text);
}

/* Set one property, waiting for room in the backlog where there is none. */
static int load_set(struct load *load, long index)
{
    char path[128];
    snprintf(path, sizeof(path), "%s.p%03ld", load->prefix, index % load->properties);
    for (;;) {
        int r = fluxaws_set_int64(load->client, path, load->first + index);
        if (r != -ENOBUFS)
            return r;
        load->full++;
        r = fluxaws_dispatch(load->client, 10);
        if (r < 0)
            return r;
    }
}

static int load_one(struct load *load, long index)
{
    double before = now_ms();
    int r = load_set(load, index);
    if (r == 0 && load->round_trip)
        r = fluxaws_flush(load->client, FLUXAWS_QUEUED, 20000);
    if (r < 0)
        return r;
    double took = now_ms() - before;
    if (took > load->worst_ms)
        load->worst_ms = took;
    load->reports++;
    return 0;
}

/* Live as a program with an event loop does until a moment has come. */
static int load_wait(struct load *load, double until_ms)
{
    for (;;) {
        int r = fluxaws_dispatch(load->client, 0);
        double left = until_ms - now_ms();
        if (r < 0 || left <= 0)
            return r;
        int timeout = fluxaws_get_timeout_ms(load->client);
        int most = left < 1 ? 1 : (int)left;
        struct pollfd fd = {
            .fd = fluxaws_get_fd(load->client),
            .events = (short)fluxaws_get_events(load->client),
        };
        (void)poll(&fd, 1, timeout >= 0 && timeout < most ? timeout : most);
    }
}

static int load_run(struct load *load)
{
    double start = now_ms();
    for (long index = 0; index < load->count; index++) {
        int r = load_one(load, index);
        if (r < 0)
            return r;
        double due = load->rate > 0 ? start + (double)(index + 1) * 1e3 / (double)load->rate : 0;
        if (due - now_ms() >= 1)
            r = load_wait(load, due);
        else if (index % 1024 == 1023)
            r = fluxaws_dispatch(load->client, 0);
        if (r < 0)
            return r;
    }
    return load->flush_ms == 0 ? 0 : fluxaws_flush(load->client, FLUXAWS_ACCEPTED, load->flush_ms);
}

static int load_options(struct load *load, int argc, char **argv)
{
    static const struct option options[] = {
        {"count", required_argument, NULL, 'c'},      {"rate", required_argument, NULL, 'r'},
        {"properties", required_argument, NULL, 'p'}, {"first", required_argument, NULL, 'f'},
        {"prefix", required_argument, NULL, 'x'},     {"flush-ms", required_argument, NULL, 'w'},
        {"round-trip", no_argument, NULL, 't'},       {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'c':
            load->count = atol(optarg);
            break;
        case 'r':
            load->rate = atol(optarg);
            break;
        case 'p':
            load->properties = atol(optarg);
            break;
        case 'f':
            load->first = atol(optarg);
            break;
        case 'x':
            load->prefix = optarg;
            break;
        case 'w':
            load->flush_ms = atoi(optarg);
            break;
        case 't':
            load->round_trip = true;
            break;
        default:
            return -EINVAL;
        }
    }
    return load->properties > 0 ? 0 : -EINVAL;
}

int main(int argc, char **argv)
{
    struct load load = {
        .count = 1000, .properties = 50, .first = 1, .flush_ms = 30000, .prefix = "load"};
    if (load_options(&load, argc, argv) < 0) {
        fprintf(stderr, "usage: load [--count N] [--rate N] [--properties N] [--first N] "
                        "[--prefix NAME] [--flush-ms N] [--round-trip]\n");
        return 2;
    }
    int r = fluxaws_open(&load.client, NULL);
    if (r < 0) {
        fprintf(stderr, "load: open: %s\n", fluxaws_strerror(r));
        return 1;
    }
    (void)fluxaws_on_answer(load.client, load_on_answer, &load);
    double start = now_ms();
    r = load_run(&load);
    if (r < 0)
        fprintf(stderr, "load: %s: %s\n", fluxaws_strerror(r), fluxaws_error_text(load.client));
    printf("{\"reports\":%ld,\"seconds\":%.3f,\"rejected\":%ld,\"full\":%ld,\"worst_ms\":%.2f,"
           "\"result\":%d}\n",
           load.reports, (now_ms() - start) / 1e3, load.rejected, load.full, load.worst_ms, r);
    load.client = fluxaws_close(load.client);
    return r < 0 ? 1 : 0;
}
