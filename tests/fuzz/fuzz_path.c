/* libFuzzer: any bytes as a path. A checked pointer must survive being taken apart and put together
 * again. Build and run with tests/fuzz/run. */
#include "proto/path.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_apart(const char *pointer, size_t size, unsigned depth)
{
    char again[FLUX_PATH_BYTES_MAX + 1], key[FLUX_PATH_BYTES_MAX + 1];
    size_t again_size = 0, key_size;
    unsigned keys = 0;
    const char *cursor = pointer;
    while (flux_path_next_key(&cursor, pointer + size, key, &key_size)) {
        if (flux_path_append(again, &again_size, key, key_size) != FLUX_PATH_OK)
            abort();
        keys++;
    }
    if (keys != depth || again_size != size || memcmp(again, pointer, size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned depth;
    if (flux_path_check((const char *)data, size, &depth) == FLUX_PATH_OK)
        take_apart((const char *)data, size, depth);

    char *text = malloc(size + 1);
    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    if (flux_path_canonical(text, pointer) == FLUX_PATH_OK &&
        flux_path_check(pointer, strlen(pointer), NULL) != FLUX_PATH_OK)
        abort();
    free(text);
    return 0;
}
