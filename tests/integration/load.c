/* load: reports rising counters over some properties of one or many shadows at a given rate,
 * through the public library, as a busy program does. Prints what it did as one line of JSON.
 * Judges nothing.
 *
 * The counters go round the shadows first, then round the properties: counter `first + index` is
 * that of property `index / shadows % properties` of shadow `index % shadows`. */
#include "client/fluxaws.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* One handle of the library has room for 64 shadows, the default one included. */
#define SHADOWS_PER_HANDLE 63
#define HANDLES_MAX        32

struct load {
    struct fluxaws_client *clients[HANDLES_MAX];
    long handles;
    long count;        /* reports to make */
    long rate;         /* a second; 0: as fast as the library takes them */
    long shadows;      /* the reports go round them; 0: only the default one */
    long shadow;       /* number of the first: "NAME-007" */
    long properties;   /* of each shadow */
    long first;        /* the first counter */
    long flush_ms;     /* how long to wait for ACCEPTED at the end */
    bool round_trip;   /* wait for QUEUED after each, and measure */
    const char *until; /* go on after `count` until this file is there */
    const char *prefix;
    const char *thing, *shadow_prefix;

    long reports, rejected, full;
    double worst_ms; /* the longest of the round trips, or of the calls */
    double *took_ms; /* of every round trip; owned */
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

/* The handle that this report goes through, turned to its shadow. NULL: the library said no. */
static struct fluxaws_client *load_client(struct load *load, long index)
{
    if (load->shadows == 0)
        return load->clients[0];
    char name[65];
    long shadow = index % load->shadows;
    struct fluxaws_client *client = load->clients[shadow / SHADOWS_PER_HANDLE];
    (void)snprintf(name, sizeof(name), "%s-%03ld", load->shadow_prefix, load->shadow + shadow);
    int r = fluxaws_use_shadow(client, load->thing, name);
    if (r < 0)
        fprintf(stderr, "load: shadow %s: %s\n", name, fluxaws_strerror(r));
    return r < 0 ? NULL : client;
}

/* Set one property, waiting for room in the backlog where there is none. */
static int load_set(struct load *load, struct fluxaws_client *client, long index)
{
    char path[128];
    long turn = load->shadows > 0 ? index / load->shadows : index;
    (void)snprintf(path, sizeof(path), "%s.p%03ld", load->prefix, turn % load->properties);
    for (;;) {
        int r = fluxaws_set_int64(client, path, load->first + index);
        if (r != -ENOBUFS)
            return r;
        load->full++;
        r = fluxaws_dispatch(client, 10);
        if (r < 0)
            return r;
    }
}

static int load_one(struct load *load, long index)
{
    double before = now_ms();
    struct fluxaws_client *client = load_client(load, index);
    int r = client == NULL ? -EINVAL : load_set(load, client, index);
    if (r == 0 && load->round_trip)
        r = fluxaws_flush(client, FLUXAWS_QUEUED, 20000);
    if (r < 0)
        return r;
    double took = now_ms() - before;
    if (took > load->worst_ms)
        load->worst_ms = took;
    if (load->took_ms != NULL)
        load->took_ms[load->reports] = took;
    load->reports++;
    return 0;
}

static int load_dispatch(struct load *load)
{
    int r = 0;
    for (long i = 0; i < load->handles && r >= 0; i++)
        r = fluxaws_dispatch(load->clients[i], 0);
    return r;
}

/* Live as a program with an event loop does until a moment has come. */
static int load_wait(struct load *load, double until_ms)
{
    for (;;) {
        int r = load_dispatch(load);
        double left = until_ms - now_ms();
        if (r < 0 || left <= 0)
            return r;
        struct pollfd fds[HANDLES_MAX];
        int most = left < 1 ? 1 : (int)left;
        for (long i = 0; i < load->handles; i++) {
            int timeout = fluxaws_get_timeout_ms(load->clients[i]);
            most = timeout >= 0 && timeout < most ? timeout : most;
            fds[i] = (struct pollfd){
                .fd = fluxaws_get_fd(load->clients[i]),
                .events = (short)fluxaws_get_events(load->clients[i]),
            };
        }
        (void)poll(fds, (nfds_t)load->handles, most);
    }
}

/* Wait until all is accepted. A handle that has to wait for its answers loses none meanwhile. */
static int load_flush(struct load *load)
{
    int r = 0;
    double deadline = now_ms() + (double)load->flush_ms;
    for (long i = 0; i < load->handles && r >= 0 && load->flush_ms > 0; i++) {
        double left = deadline - now_ms();
        r = fluxaws_flush(load->clients[i], FLUXAWS_ACCEPTED, left > 0 ? (int)left : 0);
    }
    return r;
}

static bool load_goes_on(const struct load *load, long index)
{
    return index < load->count || (load->until && access(load->until, F_OK) != 0);
}

static int load_run(struct load *load)
{
    double start = now_ms();
    for (long index = 0; load_goes_on(load, index); index++) {
        int r = load_one(load, index);
        if (r < 0)
            return r;
        double due = load->rate > 0 ? start + (double)(index + 1) * 1e3 / (double)load->rate : 0;
        if (due - now_ms() >= 1)
            r = load_wait(load, due);
        else if (index % 1024 == 1023)
            r = load_dispatch(load);
        if (r < 0)
            return r;
    }
    return load_flush(load);
}

static int load_options(struct load *load, int argc, char **argv)
{
    const struct {
        const char *name;
        long *number;
        const char **text;
    } known[] = {
        {"count", &load->count, NULL},           {"rate", &load->rate, NULL},
        {"properties", &load->properties, NULL}, {"first", &load->first, NULL},
        {"flush-ms", &load->flush_ms, NULL},     {"shadows", &load->shadows, NULL},
        {"shadow", &load->shadow, NULL},         {"prefix", NULL, &load->prefix},
        {"thing", NULL, &load->thing},           {"shadow-prefix", NULL, &load->shadow_prefix},
        {"until", NULL, &load->until},
    };
    const size_t count = sizeof(known) / sizeof(*known);
    struct option options[sizeof(known) / sizeof(*known) + 2] = {
        {"round-trip", no_argument, NULL, 't'}};
    for (size_t i = 0; i < count; i++)
        options[i + 1] = (struct option){known[i].name, required_argument, NULL, 'x'};
    int at = 0;
    for (int c; (c = getopt_long(argc, argv, "", options, &at)) != -1;) {
        if (c == 't')
            load->round_trip = true;
        else if (c != 'x')
            return -EINVAL;
        else if (known[at - 1].number != NULL)
            *known[at - 1].number = atol(optarg);
        else
            *known[at - 1].text = optarg;
    }
    load->handles = (load->shadows + SHADOWS_PER_HANDLE - 1) / SHADOWS_PER_HANDLE;
    if (load->handles == 0)
        load->handles = 1;
    if (load->until && load->round_trip) /* room for so many figures is made at the start */
        return -EINVAL;
    return load->properties > 0 && load->handles <= HANDLES_MAX ? 0 : -EINVAL;
}

static int load_open(struct load *load)
{
    for (long i = 0; i < load->handles; i++) {
        int r = fluxaws_open(&load->clients[i], NULL);
        if (r < 0) {
            fprintf(stderr, "load: open: %s\n", fluxaws_strerror(r));
            return r;
        }
        (void)fluxaws_on_answer(load->clients[i], load_on_answer, load);
    }
    return 0;
}

static void load_complain(const struct load *load, int r)
{
    for (long i = 0; i < load->handles; i++)
        fprintf(stderr, "load: %s: %s\n", fluxaws_strerror(r),
                fluxaws_error_text(load->clients[i]));
}

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* Of the round trips, the one that so many of a thousand do not exceed. */
static double load_took_ms(struct load *load, long per_mille)
{
    if (load->took_ms == NULL || load->reports == 0)
        return 0;
    qsort(load->took_ms, (size_t)load->reports, sizeof(double), compare);
    return load->took_ms[(load->reports - 1) * per_mille / 1000];
}

int main(int argc, char **argv)
{
    struct load load = {.count = 1000,
                        .properties = 50,
                        .first = 1,
                        .flush_ms = 30000,
                        .prefix = "load",
                        .shadow_prefix = "s"};
    if (load_options(&load, argc, argv) < 0) {
        fprintf(stderr, "usage: load [--count N] [--rate N] [--properties N] [--first N]\n"
                        "            [--prefix NAME] [--flush-ms N] [--round-trip] [--thing NAME]\n"
                        "            [--shadows N] [--shadow FIRST] [--shadow-prefix NAME]\n"
                        "            [--until FILE]\n");
        return 2;
    }
    if (load.round_trip)
        load.took_ms = calloc((size_t)load.count + 1, sizeof(double));
    int r = load_open(&load);
    double start = now_ms();
    if (r == 0)
        r = load_run(&load);
    if (r < 0)
        load_complain(&load, r);
    printf("{\"reports\":%ld,\"seconds\":%.3f,\"rejected\":%ld,\"full\":%ld,\"worst_ms\":%.2f,"
           "\"result\":%d,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
           load.reports, (now_ms() - start) / 1e3, load.rejected, load.full, load.worst_ms, r,
           load_took_ms(&load, 500), load_took_ms(&load, 990));
    free(load.took_ms);
    for (long i = 0; i < load.handles; i++)
        load.clients[i] = fluxaws_close(load.clients[i]);
    return r < 0 ? 1 : 0;
}
