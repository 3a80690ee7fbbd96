/* An example of a real program: it reports the state of this machine at any rate, in an event loop
 * of its own. Each report holds the values of one group (the CPU's, the network's, ...); with
 * --once one report holds them all. It needs no daemon to begin, and none to go on. */
#include "client/examples/machine.h"
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define CATCH_UP_MAX 1000u /* reports made up for in one go after a delay */

struct program {
    struct fluxaws_client *client;
    struct machine machine;
    double rate, seconds; /* seconds 0: until interrupted */
    bool once;
    unsigned group;
    uint64_t report_count, value_count, held_back_count, rejected_count;
};

static volatile sig_atomic_t is_interrupted;

static void interrupt(int signal_number)
{
    (void)signal_number;
    is_interrupted = 1;
}

static double now_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void count_answer(struct fluxaws_client *client, const struct fluxaws_answer *answer,
                         void *data)
{
    (void)client;
    struct program *program = data;
    if (!answer->rejected)
        return;
    if (program->rejected_count++ == 0)
        fprintf(stderr, "machine-state: rejected: %s: %s (code %d)\n", answer->path, answer->text,
                answer->code);
}

static int report_groups(struct program *program, unsigned group_count)
{
    unsigned values = 0;
    int64_t now_ms = (int64_t)(now_seconds() * 1000);
    (void)fluxaws_report_begin(program->client);
    for (unsigned i = 0; i < group_count || (values == 0 && i < MACHINE_GROUPS); i++)
        values += machine_add_group(&program->machine, program->client, program->group++, now_ms);
    int r = fluxaws_report_send(program->client);
    if (r == -ENOBUFS) {
        /* The daemon has been away for long; the next value of the same property is as good. */
        program->held_back_count++;
        return 0;
    }
    if (r < 0) {
        fprintf(stderr, "machine-state: %s\n", fluxaws_error_text(program->client));
        return r;
    }
    program->report_count++;
    program->value_count += values;
    return 0;
}

/* Make the reports that are due by now. */
static int report_due(struct program *program, double elapsed)
{
    uint64_t due = (uint64_t)(elapsed * program->rate) + 1;
    uint64_t done = program->report_count + program->held_back_count;
    for (unsigned i = 0; done + i < due && i < CATCH_UP_MAX; i++) {
        int r = report_groups(program, 1);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Sleep until the next report is due, the daemon says something or the library wants its turn. */
static int wait_for_work(const struct program *program, double elapsed)
{
    double next = (double)(program->report_count + program->held_back_count) / program->rate;
    if (program->seconds > 0 && next > program->seconds)
        next = program->seconds;
    int timeout_ms = next > elapsed ? (int)((next - elapsed) * 1000) + 1 : 0;
    int library_ms = fluxaws_get_timeout_ms(program->client);
    if (library_ms >= 0 && library_ms < timeout_ms)
        timeout_ms = library_ms;
    struct pollfd poll_fd = {
        .fd = fluxaws_get_fd(program->client),
        .events = (short)fluxaws_get_events(program->client),
    };
    if (poll(&poll_fd, 1, timeout_ms) < 0 && errno != EINTR)
        return -errno;
    return 0;
}

static int run(struct program *program)
{
    if (program->once)
        return report_groups(program, MACHINE_GROUPS);
    double begin = now_seconds(), elapsed = 0;
    while (!is_interrupted && (program->seconds <= 0 || elapsed < program->seconds)) {
        int r = report_due(program, elapsed);
        if (r == 0)
            r = wait_for_work(program, elapsed);
        if (r == 0)
            r = fluxaws_dispatch(program->client, 0);
        if (r < 0)
            return r;
        elapsed = now_seconds() - begin;
    }
    return 0;
}

/* Have the daemon take what is still on the way. Returns the exit code. */
static int finish(struct program *program, double seconds)
{
    int r = fluxaws_flush(program->client, FLUXAWS_QUEUED, 10000);
    printf("%llu reports (%llu values) in %.1f s, %llu rejected, %llu held back\n",
           (unsigned long long)program->report_count, (unsigned long long)program->value_count,
           seconds, (unsigned long long)program->rejected_count,
           (unsigned long long)program->held_back_count);
    if (r < 0 && r != -EREMOTEIO)
        fprintf(stderr, "machine-state: %s\n", fluxaws_error_text(program->client));
    if (r == -ETIMEDOUT && fluxaws_is_connected(program->client) != 1)
        return 3;
    return r < 0 || program->rejected_count > 0 ? 1 : 0;
}

static int usage(FILE *file, int code)
{
    fputs(
        "machine-state [--rate R] [--seconds S] [--once] [--socket PATH]\n"
        "Report the state of this machine to its AWS IoT device shadow, through fluxawsd.\n\n"
        "  --rate R        reports a second (1)\n"
        "  --seconds S     for so long (until interrupted); --duration is the same\n"
        "  --once          one report of everything, then end\n"
        "  --socket PATH   the daemon's socket\n\n"
        "Exit codes: 0 the daemon has taken all; 1 something was rejected; 2 usage; 3 no daemon.\n",
        file);
    return code;
}

static bool parse_number(const char *text, double *ret_number)
{
    char *end = NULL;
    *ret_number = strtod(text, &end);
    return end != text && *end == '\0' && *ret_number > 0 && *ret_number <= 1e7;
}

/* Returns 0 to go on, or the exit code plus 1. */
static int parse_arguments(int argc, char **argv, struct program *program,
                           struct fluxaws_options *options)
{
    static const struct option long_options[] = {
        {"rate", required_argument, NULL, 'r'},
        {"seconds", required_argument, NULL, 's'},
        {"duration", required_argument, NULL, 's'},
        {"once", no_argument, NULL, 'o'},
        {"socket", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
        if (option == 'h')
            return usage(stdout, 0) + 1;
        if (option == 'o')
            program->once = true;
        else if (option == 'p')
            options->socket_path = optarg;
        else if (option == '?' ||
                 !parse_number(optarg, option == 'r' ? &program->rate : &program->seconds))
            return usage(stderr, 2) + 1;
    }
    return optind < argc ? usage(stderr, 2) + 1 : 0;
}

int main(int argc, char **argv)
{
    struct program program = {.rate = 1};
    struct fluxaws_options options = {.size = sizeof(options), .name = "machine-state"};
    int r = parse_arguments(argc, argv, &program, &options);
    if (r > 0)
        return r - 1;
    struct sigaction action = {.sa_handler = interrupt};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
    r = fluxaws_open(&program.client, &options);
    if (r < 0) {
        fprintf(stderr, "machine-state: %s\n", fluxaws_strerror(r));
        return 1;
    }
    (void)fluxaws_on_answer(program.client, count_answer, &program);
    double begin = now_seconds();
    r = run(&program);
    int code = finish(&program, now_seconds() - begin);
    program.client = fluxaws_close(program.client);
    return r < 0 ? 1 : code;
}
