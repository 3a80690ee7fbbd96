/* Feeds files to a fuzzer's target without a fuzzer: replays the seeds, and what was found, in
 * every test run. Arguments are files, or directories of files. `--starve STEP` in front: each
 * again and again, with one allocation after the other failing, every STEPth of them. */
#include "tests/fuzz/failing.h"
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_BYTES_MAX (1u << 20)

/* Every so manieth allocation fails; 0: none. */
static uint64_t starve_step;
static uint64_t starved;

/* Alone, and with all that follow for a while: what is tried again at once must not spin. */
static void starve(const uint8_t *data, size_t size)
{
    static const uint64_t counts[] = {1, 1000};
    for (uint64_t i = 0; i < 2; i++) {
        for (uint64_t number = 1 + (size + i) % starve_step;; number += starve_step) {
            failing_start(number, counts[i]);
            (void)LLVMFuzzerTestOneInput(data, size);
            if (failing_stop() < number)
                break;
            starved++;
        }
    }
}

/* In memory of its exact size, so that the sanitizer sees a byte read too far. */
static int replay_file(const char *path)
{
    FILE *stream = fopen(path, "re");
    if (!stream) {
        perror(path);
        return -1;
    }
    char *bytes = malloc(FILE_BYTES_MAX);
    const size_t size = bytes ? fread(bytes, 1, FILE_BYTES_MAX, stream) : 0;
    uint8_t *exact = bytes ? realloc(bytes, size + (size == 0)) : NULL;
    const int r = exact && !ferror(stream) ? 0 : -1;
    (void)fclose(stream);
    if (r == 0)
        (void)LLVMFuzzerTestOneInput(exact, size);
    if (r == 0 && starve_step > 0)
        starve(exact, size);
    free(exact);
    return r;
}

/* Returns how many files were replayed, or -1. */
static int replay_directory(const char *path)
{
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, alphasort), replayed = 0;
    for (int i = 0; i < count; i++) {
        char file[4096];
        (void)snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.' && replayed >= 0)
            replayed = replay_file(file) < 0 ? -1 : replayed + 1;
        free(entries[i]);
    }
    free(entries);
    return count < 0 ? -1 : replayed;
}

int main(int argc, char **argv)
{
    int total = 0, first = 1;
    if (argc > 2 && strcmp(argv[1], "--starve") == 0) {
        starve_step = strtoull(argv[2], NULL, 10);
        first = 3;
    }
    for (int i = first; i < argc; i++) {
        struct stat info;
        int count = -1;
        if (stat(argv[i], &info) == 0)
            count = S_ISDIR(info.st_mode) ? replay_directory(argv[i])
                                          : (replay_file(argv[i]) < 0 ? -1 : 1);
        if (count <= 0) {
            fprintf(stderr, "nothing to replay in %s\n", argv[i]);
            return 1;
        }
        total += count;
    }
    printf("%d inputs replayed, %llu times without memory\n", total, (unsigned long long)starved);
    return total > 0 ? 0 : 1;
}
