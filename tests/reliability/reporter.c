/* reporter: a program that reports rising counters without end and writes down what it was told, a
 * line on stdout each: LEVEL PATH COUNTER MICROSECONDS (of CLOCK_MONOTONIC), for each property that
 * has come to a level, be it by itself or as one whose newer value has. Ends in order at SIGTERM,
 * after all is accepted if it is asked to. Judges nothing. */
#include "client/fluxaws.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PROPERTIES_MAX 256
#define RING           16384 /* reports that wait for an answer; more are not made */
#define LEVELS         3

struct reporter {
    struct fluxaws_client *client;
    long properties, wide, rate, first, seconds, flush_ms;
    const char *prefix;
    enum fluxaws_level level;
    struct {
        uint64_t id;
        long counter; /* of the first of its `wide` properties */
    } ring[RING];
    long reports, told;
    long reached[PROPERTIES_MAX][LEVELS]; /* the newest counter of each property, by level */
    bool is_refused;
};

static volatile sig_atomic_t is_over;

static void on_signal(int number)
{
    (void)number;
    is_over = 1;
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void tell(struct reporter *reporter, long counter, enum fluxaws_level level)
{
    static const char *const names[LEVELS] = {"queued", "stored", "accepted"};
    const long property = counter % reporter->properties;
    for (int below = 0; below <= (int)level && below < LEVELS; below++) {
        if (reporter->reached[property][below] >= counter)
            continue;
        reporter->reached[property][below] = counter;
        printf("%s /%s/p%03ld %ld %.0f\n", names[below], reporter->prefix, property, counter,
               now_ms() * 1e3);
    }
}

static void on_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                      void *data)
{
    (void)client;
    struct reporter *reporter = data;
    if (answer->rejected) {
        reporter->is_refused = true;
        fprintf(stderr, "reporter: refused %d %s %s\n", answer->code, answer->path, answer->text);
        return;
    }
    /* Ids leave gaps; the ring is in their order. */
    for (long i = reporter->told; i < reporter->reports; i++) {
        const uint64_t id = reporter->ring[i % RING].id;
        if (id > answer->last_id)
            break;
        if (answer->level >= reporter->level && i == reporter->told)
            reporter->told++;
        if (id < answer->first_id)
            continue;
        for (long property = 0; property < reporter->wide; property++)
            tell(reporter, reporter->ring[i % RING].counter + property, answer->level);
    }
}

static int report_one(struct reporter *reporter)
{
    if (reporter->reports - reporter->told >= RING)
        return 0;
    const long counter = reporter->first + reporter->reports * reporter->wide;
    int r = fluxaws_report_begin(reporter->client);
    for (long i = 0; i < reporter->wide && r == 0; i++) {
        char path[64];
        (void)snprintf(path, sizeof(path), "%s.p%03ld", reporter->prefix,
                       (counter + i) % reporter->properties);
        r = fluxaws_set_int64(reporter->client, path, counter + i);
    }
    if (r < 0) {
        fluxaws_report_cancel(reporter->client);
        return r;
    }
    r = fluxaws_report_send(reporter->client);
    if (r < 0)
        return r == -ENOBUFS ? 0 : r;
    reporter->ring[reporter->reports % RING].id = fluxaws_last_report_id(reporter->client);
    reporter->ring[reporter->reports % RING].counter = counter;
    reporter->reports++;
    return 0;
}

static int live_until(struct reporter *reporter, double until_ms)
{
    while (!is_over) {
        int r = fluxaws_dispatch(reporter->client, 0);
        const double left = until_ms - now_ms();
        if (r < 0 || left <= 0)
            return r;
        const int timeout = fluxaws_get_timeout_ms(reporter->client);
        struct pollfd fd = {.fd = fluxaws_get_fd(reporter->client),
                            .events = (short)fluxaws_get_events(reporter->client)};
        const int most = left < 1 ? 1 : (int)left;
        (void)poll(&fd, 1, timeout >= 0 && timeout < most ? timeout : most);
    }
    return 0;
}

static int run(struct reporter *reporter)
{
    const double start = now_ms();
    for (double turn = 1; !is_over; turn++) {
        if (reporter->seconds > 0 && now_ms() - start > 1e3 * (double)reporter->seconds)
            break;
        int r = report_one(reporter);
        if (r == 0)
            r = live_until(reporter, start + turn * 1e3 / (double)reporter->rate);
        if (r < 0)
            return r;
    }
    if (reporter->flush_ms == 0)
        return fluxaws_dispatch(reporter->client, 0);
    return fluxaws_flush(reporter->client, FLUXAWS_ACCEPTED, (int)reporter->flush_ms);
}

static void read_options(struct reporter *reporter, int argc, char **argv)
{
    static const struct option options[] = {{"properties", required_argument, NULL, 'p'},
                                            {"wide", required_argument, NULL, 'w'},
                                            {"rate", required_argument, NULL, 'r'},
                                            {"first", required_argument, NULL, 'f'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"flush-ms", required_argument, NULL, 'm'},
                                            {"prefix", required_argument, NULL, 'x'},
                                            {"level", required_argument, NULL, 'l'},
                                            {NULL, 0, NULL, 0}};
    long *const numbers[] = {
        ['p'] = &reporter->properties, ['w'] = &reporter->wide,    ['r'] = &reporter->rate,
        ['f'] = &reporter->first,      ['s'] = &reporter->seconds, ['m'] = &reporter->flush_ms};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c == 'x')
            reporter->prefix = optarg;
        else if (c == 'l')
            reporter->level = strcmp(optarg, "queued") == 0   ? FLUXAWS_QUEUED
                              : strcmp(optarg, "stored") == 0 ? FLUXAWS_STORED
                                                              : FLUXAWS_ACCEPTED;
        else if (c != '?')
            *numbers[c] = atol(optarg);
        else
            exit(2);
    }
    if (reporter->properties < 1 || reporter->properties > PROPERTIES_MAX || reporter->wide < 1 ||
        reporter->wide > reporter->properties || reporter->rate < 1)
        exit(2);
}

int main(int argc, char **argv)
{
    static struct reporter reporter = {.properties = 20,
                                       .wide = 1,
                                       .rate = 100,
                                       .first = 1,
                                       .prefix = "load",
                                       .level = FLUXAWS_STORED};
    read_options(&reporter, argc, argv);
    const struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    /* All of its memory is there from the beginning: who watches it looks for what grows later. */
    memset(reporter.ring, 0xff, sizeof(reporter.ring));
    const struct fluxaws_options options = {.size = sizeof(options), .name = reporter.prefix};
    int r = fluxaws_open(&reporter.client, &options);
    if (r == 0)
        r = fluxaws_on_answer(reporter.client, on_answer, &reporter);
    if (r == 0)
        r = fluxaws_want(reporter.client, reporter.level);
    if (r == 0)
        r = run(&reporter);
    if (r < 0)
        fprintf(stderr, "reporter: %s: %s\n", fluxaws_strerror(r),
                reporter.client ? fluxaws_error_text(reporter.client) : "");
    /* What the last of each property is: what has to be there in the end. */
    const long end = reporter.first + reporter.reports * reporter.wide;
    for (long counter = end - reporter.properties; counter < end; counter++)
        if (counter >= reporter.first)
            printf("reported /%s/p%03ld %ld %.0f\n", reporter.prefix, counter % reporter.properties,
                   counter, now_ms() * 1e3);
    reporter.client = fluxaws_close(reporter.client);
    return r < 0 || reporter.is_refused ? 1 : 0;
}
