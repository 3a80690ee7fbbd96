/* The floors under durable storage: what the disk of a directory can do. Prints `name value` lines.
 *
 *   bench_disk sync DIR COUNT PAUSE_US       4 KB written over and over, fdatasync() after each
 *   bench_disk append DIR COUNT BYTES ROWS   BYTES a time, for ROWS reports, after each other
 *   bench_disk sqlite DIR COUNT ROWS         transactions of ROWS small rows
 *
 * The files are called state-..., so that a library that makes a disk slow knows them. */
#include "tests/bench/bare_table.h"
#include "tests/bench/measure.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 4096
#define APPEND_MAX  (1 << 20)
#define WRAP_BYTES  (256 * 1024) /* a log is written over from its beginning, as SQLite's is */

static int open_file(const char *directory)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s/state-bench", directory);
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        measure_die(path);
    return fd;
}

static void write_and_sync(int fd, const char *bytes, size_t size, off_t at)
{
    if (pwrite(fd, bytes, size, at) != (ssize_t)size || fdatasync(fd) < 0)
        measure_die("writing");
}

static void print_rate(const char *name, double count, int64_t begin_ns)
{
    printf("%s %.1f\n", name, count / ((double)(measure_now_ns() - begin_ns) / 1e9));
}

static void run_sync(const char *directory, size_t count, long pause_us)
{
    static char block[BLOCK_BYTES];
    int64_t *samples = calloc(count, sizeof(*samples));
    if (samples == NULL)
        measure_die("memory");
    const int fd = open_file(directory);
    write_and_sync(fd, block, sizeof(block), 0);
    int64_t busy_ns = 0;
    for (size_t i = 0; i < count; i++) {
        const struct timespec pause = {pause_us / 1000000, pause_us % 1000000 * 1000};
        if (pause_us > 0)
            (void)nanosleep(&pause, NULL);
        block[i % sizeof(block)]++;
        const int64_t begin_ns = measure_now_ns();
        write_and_sync(fd, block, sizeof(block), 0);
        samples[i] = measure_now_ns() - begin_ns;
        busy_ns += samples[i];
    }
    printf("syncs_per_s %.1f\n", (double)count / ((double)busy_ns / 1e9));
    printf("p50_us %.1f\n", (double)measure_percentile(samples, count, 50) / 1e3);
    printf("p99_us %.1f\n", (double)measure_percentile(samples, count, 99) / 1e3);
    free(samples);
    (void)close(fd);
}

static void run_append(const char *directory, long count, size_t bytes, long rows)
{
    static char block[APPEND_MAX];
    if (bytes > sizeof(block))
        bytes = sizeof(block);
    const int fd = open_file(directory);
    off_t at = 0;
    const int64_t begin_ns = measure_now_ns();
    for (long i = 0; i < count; i++) {
        memset(block, (int)i, bytes);
        write_and_sync(fd, block, bytes, at);
        at = at + (off_t)bytes > WRAP_BYTES ? 0 : at + (off_t)bytes;
    }
    print_rate("commits_per_s", (double)count, begin_ns);
    print_rate("rows_per_s", (double)(count * rows), begin_ns);
    (void)close(fd);
}

static void run_sqlite(const char *directory, long count, long rows)
{
    struct bare_table *table = bare_table_open(directory);
    const int64_t begin_ns = measure_now_ns();
    for (long i = 0; i < count; i++) {
        bare_table_begin(table);
        for (long row = 0; row < rows; row++) {
            char path[64];
            (void)snprintf(path, sizeof(path), "/bench/room%03ld/temperature", row);
            bare_table_put(table, path, (double)i * 0.5, i * rows + row);
        }
        bare_table_commit(table);
    }
    print_rate("commits_per_s", (double)count, begin_ns);
    print_rate("rows_per_s", (double)(count * rows), begin_ns);
    bare_table_close(table);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    const long count = atol(argv[3]), number = atol(argv[4]), rows = argc > 5 ? atol(argv[5]) : 1;
    if (count < 1 || number < 0 || rows < 1)
        return 2;
    if (strcmp(argv[1], "sync") == 0)
        run_sync(argv[2], (size_t)count, number);
    else if (strcmp(argv[1], "append") == 0)
        run_append(argv[2], count, (size_t)number, rows);
    else
        run_sqlite(argv[2], count, number);
    return 0;
}
