/* libFuzzer: any bytes as a number, a value of each kind, and an assignment of fluxctl. What is
 * read must come back when it is written, and equality must hold both ways. */
#include "client/fluxctl/value.h"
#include "proto/json_writer.h"
#include "proto/number.h"
#include "proto/value.h"
#include "tests/fuzz/fuzz_input.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void number(const char *text, size_t size)
{
    int64_t int64 = 0, int64_again = 0;
    double real = 0, real_again = 0;
    char again[FLUX_NUMBER_TEXT_MAX];
    enum flux_number_kind kind = flux_number_parse(text, size, &int64, &real);
    if (kind == FLUX_NUMBER_INVALID)
        return;
    size_t again_size = kind == FLUX_NUMBER_INT64 ? flux_number_format_int64(again, int64)
                                                  : flux_number_format(again, real);
    fuzz_require(again_size < sizeof(again) && strlen(again) == again_size);
    enum flux_number_kind kind_again =
        flux_number_parse(again, again_size, &int64_again, &real_again);
    fuzz_require(kind_again != FLUX_NUMBER_INVALID);
    if (kind == FLUX_NUMBER_INT64)
        fuzz_require(kind_again == kind && int64 == int64_again);
    else if (kind_again == FLUX_NUMBER_DOUBLE)
        fuzz_require(memcmp(&real, &real_again, sizeof(real)) == 0 || real == real_again);
    else
        fuzz_require(flux_number_equal(int64_again, real));
}

/* Any 8 bytes are a double. */
static void any_double(const char *bytes)
{
    double real, again = 0;
    int64_t int64 = 0;
    char text[FLUX_NUMBER_TEXT_MAX];
    memcpy(&real, bytes, sizeof(real));
    struct flux_value value = flux_value_double(real);
    if (flux_value_check(&value) != 0)
        return;
    size_t size = flux_number_format(text, real);
    if (flux_number_parse(text, size, &int64, &again) == FLUX_NUMBER_INT64)
        fuzz_require(flux_number_equal(int64, real));
    else
        fuzz_require(again == real);
}

/* Written as JSON and read again it is the same value. */
static void write_out(const struct flux_value *value)
{
    struct flux_json_writer writer;
    flux_json_writer_init(&writer, 0);
    flux_json_value(&writer, value);
    fuzz_require_done(flux_json_writer_error(&writer));
    if (flux_json_writer_error(&writer) < 0) {
        flux_json_writer_clear(&writer);
        return;
    }
    fuzz_require(writer.size == flux_value_json_size(value));
    if (value->type == FLUX_VALUE_ARRAY) {
        struct flux_value again = flux_value_array(writer.text, writer.size);
        fuzz_require(flux_value_check(&again) == 0 && flux_value_equal(value, &again));
    }
    flux_json_writer_clear(&writer);
}

static void check_value(struct flux_value value)
{
    if (flux_value_check(&value) != 0)
        return;
    struct flux_value copy = {.type = FLUX_VALUE_NONE};
    fuzz_require(flux_value_equal(&value, &value));
    if (flux_value_copy(&copy, &value) != 0)
        return;
    fuzz_require(flux_value_equal(&copy, &value) && flux_value_equal(&value, &copy));
    (void)flux_value_depth(&copy);
    write_out(&copy);
    flux_value_clear(&copy);
}

/* Two halves: equality is the same from both sides. */
static void compare(const char *text, size_t size)
{
    struct flux_value a = flux_value_array(text, size / 2);
    struct flux_value b = flux_value_array(text + size / 2, size - size / 2);
    if (flux_value_check(&a) == 0 && flux_value_check(&b) == 0)
        fuzz_require(flux_value_equal(&a, &b) == flux_value_equal(&b, &a));
}

static void assignment(const char *text, size_t size)
{
    char *argument = strndup(text, size);
    char corrected[FLUXCTL_NUMBER_SIZE];
    struct fluxctl_value value;
    int64_t int64;
    double real;
    if (!argument)
        return;
    int r = fluxctl_value_parse(argument, false, &value);
    if (r == 0)
        fuzz_require(value.path_size > 0 && value.path_size < strlen(argument) &&
                     value.text >= argument && value.text <= argument + strlen(argument));
    if (r == -ERANGE && fluxctl_value_number(value.text, corrected))
        fuzz_require(flux_number_parse(corrected, strlen(corrected), &int64, &real) !=
                     FLUX_NUMBER_INVALID);
    (void)fluxctl_value_parse(argument, true, &value);
    free(argument);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Of its exact size, and not NUL-terminated. */
    char *text = malloc(size + (size == 0));
    if (!text)
        return 0;
    memcpy(text, data, size);
    number(text, size);
    if (size >= sizeof(double))
        any_double(text);
    check_value(flux_value_string(text, size));
    check_value(flux_value_array(text, size));
    compare(text, size);
    assignment(text, size);
    free(text);
    return 0;
}
