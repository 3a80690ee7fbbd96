/* libFuzzer: any bytes as a configuration file. Whatever it says, there is a configuration whose
 * every value is within its bounds, and what is printed of it reads back as the same. */
#include "daemon/config_file.h"
#include "daemon/config_property.h"
#include "tests/fuzz/fuzz_input.h"
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Returns whether there is a configuration to be cleared. */
static bool read_all(struct config *config, const void *data, size_t size, const char *name)
{
    /* An empty file cannot be opened in memory. */
    FILE *stream = size > 0 ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
    if (!stream)
        return false;
    int r = config_init(config);
    fuzz_require_done(r);
    if (r == 0) {
        r = config_read_stream(config, stream, name);
        r = r == -EINVAL || r == 0 ? config_finish(config) : r;
        fuzz_require_done(r);
        if (r < 0)
            config_clear(config);
    }
    (void)fclose(stream);
    return r == 0;
}

static void check_bounds(const struct config *config)
{
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        enum config_id id = (enum config_id)i;
        const struct config_key *key = config_key(id);
        const char *text = config_text(config, id);
        int64_t number = config_number(config, id);
        fuzz_require(text != NULL && strpbrk(text, "\r\n") == NULL);
        if (key->type == CONFIG_NUMBER || key->type == CONFIG_OCTAL)
            fuzz_require(number >= key->min && number <= key->max);
        if (key->type == CONFIG_THINGS) {
            char buffer[4096];
            const char *words[CONFIG_WORDS_MAX];
            fuzz_require(strlen(text) < sizeof(buffer));
            fuzz_require(config_split(text, buffer, sizeof(buffer), words) <= CONFIG_WORDS_MAX);
        }
    }
    fuzz_require(config->problem_count <= CONFIG_PROBLEMS_MAX);
    for (size_t i = 0; i < config->problem_count; i++)
        fuzz_require(config->problems[i].text != NULL);
}

static char *print(const struct config *config, size_t *ret_size)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, ret_size);
    fuzz_require(stream != NULL);
    config_print(config, stream);
    fuzz_require(fclose(stream) == 0);
    return text;
}

/* The comments say where a value is from, and are not the same. */
static void compare(const struct config *config, const struct config *again)
{
    for (unsigned i = 0; i < CONFIG_ID_COUNT; i++) {
        enum config_id id = (enum config_id)i;
        fuzz_require(strcmp(config_text(config, id), config_text(again, id)) == 0);
        fuzz_require(config_number(config, id) == config_number(again, id));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config config, again;
    size_t printed_size = 0;
    if (!read_all(&config, data, size, "fuzz"))
        return 0;
    check_bounds(&config);
    char *printed = print(&config, &printed_size);
    if (read_all(&again, printed, printed_size, "printed")) {
        check_bounds(&again);
        compare(&config, &again);
        config_clear(&again);
    }
    free(printed);
    config_clear(&config);
    return 0;
}
