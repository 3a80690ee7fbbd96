/* Prints the memory of a process, and what share of a processor it uses over some seconds.
 *
 *   bench_process PID SECONDS */
#include "tests/bench/measure.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    pid_t pid = (pid_t)atol(argv[1]);
    unsigned seconds = (unsigned)atol(argv[2]);
    struct measure_memory memory = measure_memory(pid);
    printf("uss_kb %ld\npss_kb %ld\n", memory.uss_kb, memory.pss_kb);
    int64_t cpu_ns = measure_cpu_ns(pid), begin_ns = measure_now_ns();
    if (seconds == 0)
        return 0;
    (void)sleep(seconds);
    cpu_ns = measure_cpu_ns(pid) - cpu_ns;
    printf("cpu_percent %.4f\n", (double)cpu_ns * 100 / (double)(measure_now_ns() - begin_ns));
    return 0;
}
