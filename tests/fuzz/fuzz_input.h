/* Reads a fuzzer's bytes as decisions: small numbers and pieces of bytes. At the end everything is
 * zero and empty. */
#ifndef FLUX_TESTS_FUZZ_INPUT_H
#define FLUX_TESTS_FUZZ_INPUT_H

#include "tests/fuzz/failing.h"
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct fuzz_input {
    const uint8_t *data; /* borrowed */
    size_t size;
};

/* What must hold; the fuzzer finds inputs for which it does not. */
#define fuzz_require(holds)                                                                        \
    do {                                                                                           \
        if (!(holds)) {                                                                            \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #holds);              \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Nothing but memory may have been missing, and only where it was made to be. */
#define fuzz_require_done(result)                                                                  \
    do {                                                                                           \
        const int fuzz_result = (result);                                                          \
        fuzz_require(fuzz_result >= 0 || fuzz_is_short(fuzz_result));                              \
    } while (0)

static inline bool fuzz_is_short(int result)
{
    return result == -ENOMEM && failing_has_failed && failing_has_failed();
}

/* What the test itself allocates does not fail. */
static inline void fuzz_hold(bool hold)
{
    if (failing_hold)
        failing_hold(hold);
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
    const unsigned low = fuzz_u8(input);
    return (uint16_t)(low | (unsigned)fuzz_u8(input) << 8);
}

static inline unsigned fuzz_below(struct fuzz_input *input, unsigned count)
{
    return fuzz_u8(input) % count;
}

/* Take up to `size` bytes; borrowed from the input. */
static inline const uint8_t *fuzz_take(struct fuzz_input *input, size_t size, size_t *ret_size)
{
    const uint8_t *bytes = input->data;
    *ret_size = size < input->size ? size : input->size;
    input->data += *ret_size;
    input->size -= *ret_size;
    return bytes;
}

/* Take a piece whose length is said in one byte. */
static inline const uint8_t *fuzz_piece(struct fuzz_input *input, size_t *ret_size)
{
    const size_t size = fuzz_u8(input);
    return fuzz_take(input, size, ret_size);
}

#endif
