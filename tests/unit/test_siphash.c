#include "proto/siphash.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_every_byte_counts_and_none_behind(void **state)
{
    (void)state;
    for (size_t size = 1; size < 40; size++) {
        unsigned char *data = malloc(size);
        assert_non_null(data);
        memset(data, 0, size);
        uint64_t zeros = flux_siphash(data, size, 1);
        assert_true(zeros != flux_siphash(data, size - 1, 1));
        for (size_t i = 0; i < size; i++) {
            data[i] = 1;
            assert_true(flux_siphash(data, size, 1) != zeros);
            data[i] = 0;
        }
        assert_true(flux_siphash(data, size, 1) == zeros);
        free(data);
    }
}

static void test_another_seed_is_another_hash(void **state)
{
    (void)state;
    uint64_t plain = flux_siphash("/a/path", 7, 0);
    for (int bit = 0; bit < 64; bit++)
        assert_true(flux_siphash("/a/path", 7, UINT64_C(1) << bit) != plain);
}

static void test_low_bits_spread_alike_paths(void **state)
{
    (void)state;
    unsigned hits[256] = {0};
    char path[] = "/sensors/0000/value";
    for (int i = 0; i < 4096; i++) {
        for (int digit = 0; digit < 4; digit++)
            path[9 + digit] = (char)('0' + (i >> (3 * (3 - digit)) & 7));
        hits[flux_siphash(path, sizeof(path) - 1, 7) & 255]++;
    }
    for (size_t i = 0; i < 256; i++)
        assert_in_range(hits[i], 2, 40); /* 16 on average */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_counts_and_none_behind),
        cmocka_unit_test(test_another_seed_is_another_hash),
        cmocka_unit_test(test_low_bits_spread_alike_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
