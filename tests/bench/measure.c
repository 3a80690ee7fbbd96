#include "tests/bench/measure.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void measure_die(const char *what)
{
    fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

int64_t measure_now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The first number in a thread's schedstat is its time on a processor. */
static int64_t thread_cpu_ns(pid_t pid, const char *thread)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0; /* it has ended meanwhile */
    long long ns = 0;
    if (fscanf(file, "%lld", &ns) != 1)
        ns = 0;
    (void)fclose(file);
    return ns;
}

int64_t measure_cpu_ns(pid_t pid)
{
    if (pid == 0)
        return 0;
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    if (tasks == NULL)
        measure_die(path);
    int64_t sum = 0;
    for (struct dirent *entry; (entry = readdir(tasks)) != NULL;)
        if (entry->d_name[0] != '.')
            sum += thread_cpu_ns(pid, entry->d_name);
    (void)closedir(tasks);
    return sum;
}

struct measure_memory measure_memory(pid_t pid)
{
    char path[64], line[256];
    (void)snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        measure_die(path);
    struct measure_memory memory = {0};
    while (fgets(line, sizeof(line), file) != NULL) {
        long kb;
        if (sscanf(line, "Pss: %ld", &kb) == 1)
            memory.pss_kb = kb;
        else if (sscanf(line, "Private_Clean: %ld", &kb) == 1 ||
                 sscanf(line, "Private_Dirty: %ld", &kb) == 1)
            memory.uss_kb += kb;
    }
    (void)fclose(file);
    return memory;
}

static int compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

int64_t measure_percentile(int64_t *samples, size_t count, double percent)
{
    if (count == 0)
        return 0;
    qsort(samples, count, sizeof(*samples), compare);
    size_t index = (size_t)((double)count * percent / 100);
    return samples[index < count ? index : count - 1];
}
