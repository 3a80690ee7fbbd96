/* libFuzzer: any bytes as JSON, whole and cut in two, and flattened. The first byte says where to
 * cut. Build and run with tests/fuzz/run. */
#include "proto/json_flatten.h"
#include "proto/path.h"
#include "tests/fuzz/fuzz_input.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NESTING_MAX 16u

/* Add what an event says to a checksum. */
static uint64_t mix(uint64_t sum, const struct flux_json_scanner *scanner,
                    enum flux_json_event event)
{
    sum = sum * 31 + event;
    if (event == FLUX_JSON_STRING || event == FLUX_JSON_KEY) {
        for (size_t i = 0; i < scanner->size; i++)
            sum = sum * 31 + (unsigned char)scanner->text[i];
    }
    if (event == FLUX_JSON_INT64)
        sum = sum * 31 + (uint64_t)scanner->int64;
    return sum;
}

/* Scan until the text or the sense of it ends. */
static enum flux_json_event scan(struct flux_json_scanner *scanner, uint64_t *sum)
{
    for (;;) {
        enum flux_json_event event = flux_json_scanner_next(scanner);
        if (event == FLUX_JSON_MORE || event == FLUX_JSON_END_INPUT || event == FLUX_JSON_ERROR)
            return event;
        *sum = mix(*sum, scanner, event);
    }
}

static uint64_t scan_cut(const char *text, size_t size, size_t cut)
{
    struct flux_json_scanner scanner;
    char buffer[4096];
    uint64_t sum = 0;
    flux_json_scanner_init(&scanner, buffer, sizeof(buffer), NESTING_MAX);
    flux_json_scanner_feed(&scanner, text, cut, false);
    if (scan(&scanner, &sum) != FLUX_JSON_ERROR) {
        size_t consumed = scanner.position;
        flux_json_scanner_feed(&scanner, text + consumed, size - consumed, true);
        scan(&scanner, &sum);
    }
    return sum + (scanner.error != 0);
}

/* Every operation must be one that the daemon takes. */
static void judge(const struct flux_change *change)
{
    unsigned depth = 0;
    fuzz_require(flux_path_check(change->path, change->path_size, &depth) == FLUX_PATH_OK);
    if (change->kind != FLUX_SET)
        return;
    const int r = flux_value_check(&change->value);
    fuzz_require(r == 0 || fuzz_is_short(r));
    fuzz_require(r < 0 || depth + flux_value_depth(&change->value) <= 8);
}

static void flatten(const char *text, size_t size)
{
    struct flux_json_flatten flattener;
    struct flux_change change;
    if (flux_json_flatten_init(&flattener, text, size, "/p", 2, 8) == 0) {
        while (flux_json_flatten_next(&flattener, &change) == 1)
            judge(&change);
    }
    flux_json_flatten_clear(&flattener);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *text = (const char *)data + 1;
    size--;
    if (scan_cut(text, size, data[0] % (size + 1)) != scan_cut(text, size, size))
        abort();
    flatten(text, size);
    (void)flux_json_depth_check(text, size, 8);
    return 0;
}
