/* Measures how many operations a second the property set takes: the same properties set again and
 * again, with changing numbers and with strings. One line per case; run on an idle core. */
#include "proto/property_set.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECONDS_PER_CASE 0.5

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void die(const char *what)
{
    fprintf(stderr, "bench_property_set: %s failed\n", what);
    exit(1);
}

struct bench {
    struct flux_property_set set;
    char (*paths)[64];
    size_t *path_sizes;
    size_t count;
};

static void bench_init(struct bench *bench, size_t count)
{
    bench->count = count;
    bench->paths = calloc(count, sizeof(*bench->paths));
    bench->path_sizes = calloc(count, sizeof(*bench->path_sizes));
    if (bench->paths == NULL || bench->path_sizes == NULL ||
        flux_property_set_init(&bench->set, 200, 0x5eed) < 0)
        die("init");
    for (size_t i = 0; i < count; i++)
        bench->path_sizes[i] = (size_t)snprintf(bench->paths[i], sizeof(bench->paths[i]),
                                                "/sensors/room%zu/temperature", i);
}

static void bench_clear(struct bench *bench)
{
    flux_property_set_clear(&bench->set);
    free(bench->paths);
    free(bench->path_sizes);
}

static void apply(struct bench *bench, size_t i, struct flux_value value, uint64_t revision)
{
    struct flux_applied applied;
    if (flux_property_set_apply(&bench->set, FLUX_SET, bench->paths[i], bench->path_sizes[i],
                                &value, revision, (int64_t)revision, &applied) < 0)
        die("apply");
}

static struct flux_value number_of(uint64_t round)
{
    return flux_value_double((double)round * 0.5);
}

static struct flux_value string_of(uint64_t round)
{
    static char text[32];
    memcpy(text, "a short state of 24 byte", 25);
    text[0] = (char)('a' + round % 26);
    return flux_value_string(text, 24);
}

static void measure(size_t count, const char *name, struct flux_value (*value_of)(uint64_t round))
{
    struct bench bench;
    bench_init(&bench, count);
    for (size_t i = 0; i < count; i++)
        apply(&bench, i, value_of(0), i + 1);
    uint64_t done = 0;
    double begin = now_s(), elapsed;
    do {
        for (uint64_t round = 0; round < 1 + 65536 / count; round++) {
            struct flux_value value = value_of(done + round + 1);
            for (size_t i = 0; i < count; i++)
                apply(&bench, i, value, done + round);
        }
        done += (1 + 65536 / count) * count;
        elapsed = now_s() - begin;
    } while (elapsed < SECONDS_PER_CASE);
    printf("%5zu properties, %s: %6.2f million sets/s\n", count, name,
           (double)done / elapsed * 1e-6);
    bench_clear(&bench);
}

int main(void)
{
    static const size_t counts[] = {16, 100, 4096};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        measure(counts[i], "numbers", number_of);
        measure(counts[i], "strings", string_of);
    }
    return 0;
}
