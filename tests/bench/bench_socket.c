/* The floor under the client library and the daemon: two processes and a Unix stream socket that
 * carries the same frames. Prints `name value` lines.
 *
 *   bench_socket round-trip [COUNT]           a report's bytes there, an answer's bytes back
 *   bench_socket pipeline [COUNT [WINDOW]]    one send() a report, at most WINDOW on the way; the
 *                                             other end reads what there is and echoes it */
#include "proto/message.h"
#include "tests/bench/measure.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUFFER_BYTES 16384u /* what daemon and library read at a time */
#define PATH         "/bench/room000/temperature"

/* A report as the library writes it: one double. */
static size_t report_frame(uint8_t *frame, size_t size)
{
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    struct flux_report report = {.request_id = 1, .level = FLUX_LEVEL_QUEUED};
    struct flux_value value = flux_value_double(0.5);
    flux_wire_writer_init(&writer, frame, size);
    if (flux_report_begin(&encoder, &writer, size, &report) < 0 ||
        flux_report_add_set(&encoder, PATH, strlen(PATH), &value) < 0 ||
        flux_report_end(&encoder) < 0)
        measure_die("report");
    return writer.size;
}

static size_t answer_frame(uint8_t *frame, size_t size)
{
    struct flux_wire_writer writer;
    struct flux_answer answer = {.level = FLUX_LEVEL_QUEUED, .first_id = 1, .last_id = 1};
    flux_wire_writer_init(&writer, frame, size);
    if (flux_answer_encode(&writer, &answer) < 0)
        measure_die("answer");
    return writer.size;
}

static void send_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent < 0)
            measure_die("send");
        data += sent;
        size -= (size_t)sent;
    }
}

/* Returns the bytes read, 0 at the end. */
static size_t receive(int fd, uint8_t *data, size_t size, int flags)
{
    ssize_t got = recv(fd, data, size, flags);
    if (got < 0 && errno == EAGAIN)
        return 0;
    if (got < 0)
        measure_die("recv");
    return (size_t)got;
}

/* Answer each frame with `answer`, or where there is none with itself. */
static _Noreturn void serve(int fd, const uint8_t *answer, size_t answer_size)
{
    static uint8_t buffer[BUFFER_BYTES];
    for (size_t got; (got = receive(fd, buffer, sizeof(buffer), 0)) > 0;)
        send_all(fd, answer != NULL ? answer : buffer, answer != NULL ? answer_size : got);
    _exit(0);
}

static pid_t start_server(int *ret_fd, const uint8_t *answer, size_t answer_size)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
        measure_die("socketpair");
    pid_t pid = fork();
    if (pid < 0)
        measure_die("fork");
    if (pid == 0) {
        (void)close(fds[0]);
        serve(fds[1], answer, answer_size);
    }
    (void)close(fds[1]);
    *ret_fd = fds[0];
    return pid;
}

static void run_round_trip(size_t count)
{
    uint8_t report[256], answer[256], got[256];
    size_t report_size = report_frame(report, sizeof(report));
    size_t answer_size = answer_frame(answer, sizeof(answer));
    int64_t *samples = calloc(count, sizeof(*samples));
    if (samples == NULL)
        measure_die("memory");
    int fd;
    pid_t pid = start_server(&fd, answer, answer_size);
    for (size_t i = 0; i < count; i++) {
        int64_t begin_ns = measure_now_ns();
        send_all(fd, report, report_size);
        if (receive(fd, got, sizeof(got), 0) != answer_size)
            measure_die("answer");
        samples[i] = measure_now_ns() - begin_ns;
    }
    (void)close(fd);
    (void)waitpid(pid, NULL, 0);
    printf("p50_us %.1f\n", (double)measure_percentile(samples, count, 50) / 1e3);
    printf("p99_us %.1f\n", (double)measure_percentile(samples, count, 99) / 1e3);
    free(samples);
}

static void run_pipeline(size_t count, size_t window)
{
    static uint8_t buffer[BUFFER_BYTES];
    uint8_t report[256];
    size_t size = report_frame(report, sizeof(report));
    int fd;
    pid_t pid = start_server(&fd, NULL, 0);
    int64_t begin_ns = measure_now_ns(), own_ns = measure_cpu_ns(getpid());
    size_t sent = 0, got = 0;
    while (got < count * size) {
        for (; sent < count && sent * size - got < window * size; sent++)
            send_all(fd, report, size);
        got += receive(fd, buffer, sizeof(buffer), 0);
    }
    double seconds = (double)(measure_now_ns() - begin_ns) / 1e9;
    double own = (double)(measure_cpu_ns(getpid()) - own_ns);
    printf("reports_per_s %.0f\n", (double)count / seconds);
    printf("client_ns_per_report %.0f\n", own / (double)count);
    printf("server_ns_per_report %.0f\n", (double)measure_cpu_ns(pid) / (double)count);
    (void)close(fd);
    (void)waitpid(pid, NULL, 0);
}

int main(int argc, char **argv)
{
    size_t count = argc > 2 ? (size_t)atol(argv[2]) : 0;
    if (argc > 1 && strcmp(argv[1], "round-trip") == 0)
        run_round_trip(count > 0 ? count : 20000);
    else
        run_pipeline(count > 0 ? count : 1000000, argc > 3 ? (size_t)atol(argv[3]) : 256);
    return 0;
}
