/* What the benches measure with: a clock, percentiles, the processor time and the memory of another
 * process. Prints nothing; a bench that cannot measure ends. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* CLOCK_MONOTONIC, nanoseconds. */
int64_t measure_now_ns(void);

/* Processor time that all threads of a process have used so far, nanoseconds; 0 for pid 0. */
int64_t measure_cpu_ns(pid_t pid);

/* Memory of a process in KB: private to it (USS), and with its share of what it shares (PSS). */
struct measure_memory {
    long uss_kb, pss_kb;
};
struct measure_memory measure_memory(pid_t pid);

/* Sort `samples` and return the one below which `percent` of them lie. */
int64_t measure_percentile(int64_t *samples, size_t count, double percent);

/* Print `bench: WHAT: the reason in errno` and end the program. */
_Noreturn void measure_die(const char *what);

#endif
