#include "proto/message.h"
#include "tests/fuzz/message_recode.h"
#include "tests/unit/message_golden.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// clang-format off
#include <cmocka.h>
// clang-format on

/* Take the bytes as one frame, in memory of their exact size, so that the sanitizer sees a byte
 * read too far. Returns what message_recode() said. */
static int recode(const uint8_t *bytes, size_t size)
{
    uint8_t recoded[2 * MESSAGE_GOLDEN_BYTES];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, recoded, sizeof(recoded));
    uint8_t *copy = malloc(size + (size == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    struct flux_frame frame;
    int r = -EAGAIN;
    if (flux_frame_next(copy, size, FLUX_FRAME_BYTES_MAX, &frame) == (int)size && size > 0)
        r = message_recode(&frame, &writer);
    if (r == 0)
        assert_true(message_recode_is_same(copy, size, &writer));
    else
        assert_int_equal(writer.size, 0);
    free(copy);
    return r;
}

static void set_payload_size(uint8_t *bytes, size_t size)
{
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, bytes + 4, 4);
    flux_wire_put_u32(&writer, (uint32_t)(size - FLUX_FRAME_HEADER_BYTES));
}

static void test_every_golden_frame_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_GOLDEN_COUNT; i++) {
        uint8_t bytes[MESSAGE_GOLDEN_BYTES];
        size_t size = message_golden_bytes(&message_goldens[i], bytes);
        assert_int_equal(recode(bytes, size), 0);
        bytes[1] |= FLUX_FRAME_IGNORABLE;
        assert_int_equal(recode(bytes, size), 0);
    }
}

/* A payload may end where a whole operation ends, or anywhere in the text of DATA. */
static bool may_end_at(const struct message_golden *golden, size_t size)
{
    if (strncmp(golden->name, "DATA", 4) == 0)
        return size >= FLUX_DATA_OVERHEAD_BYTES;
    if (strcmp(golden->name, "REPORT") == 0) {
        static const size_t ends[] = {17, 32, 46, 72, 90, 114, 124};
        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
            if (size == ends[i])
                return true;
    }
    static const struct {
        const char *name;
        size_t end;
    } others[] = {
        {"REPORT resent", 25},  {"REPORT settle", 17},  {"REPORT settle", 31},
        {"REPORT replace", 17}, {"REPORT replace", 21}, {"WILL", 16},
        {"WILL", 28},
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (strcmp(golden->name, others[i].name) == 0 && size == others[i].end)
            return true;
    return false;
}

static void test_a_payload_cut_off_anywhere_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_GOLDEN_COUNT; i++) {
        uint8_t bytes[MESSAGE_GOLDEN_BYTES];
        size_t whole = message_golden_bytes(&message_goldens[i], bytes);
        for (size_t size = FLUX_FRAME_HEADER_BYTES; size < whole; size++) {
            set_payload_size(bytes, size);
            int expected = may_end_at(&message_goldens[i], size) ? 0 : -EPROTO;
            if (recode(bytes, size) != expected)
                fail_msg("%s cut at %zu: not %d", message_goldens[i].name, size, expected);
        }
    }
}

static void test_bytes_behind_a_payload_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_GOLDEN_COUNT; i++) {
        uint8_t bytes[MESSAGE_GOLDEN_BYTES + 1];
        size_t size = message_golden_bytes(&message_goldens[i], bytes);
        bytes[size] = 0;
        set_payload_size(bytes, size + 1);
        const char *name = message_goldens[i].name;
        bool is_open = strncmp(name, "DATA", 4) == 0 || strcmp(name, "HELLO") == 0 ||
                       strcmp(name, "GOODBYE") == 0;
        if (recode(bytes, size + 1) != (is_open ? 0 : -EPROTO))
            fail_msg("%s", name);
    }
}

static void test_unknown_flags_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < MESSAGE_GOLDEN_COUNT; i++) {
        uint8_t bytes[MESSAGE_GOLDEN_BYTES];
        size_t size = message_golden_bytes(&message_goldens[i], bytes);
        const char *name = message_goldens[i].name;
        if (strcmp(name, "HELLO") == 0 || strcmp(name, "GOODBYE") == 0)
            continue;
        const unsigned first = strncmp(name, "DESIRED", 7) == 0 ? 0x08 : 0x02;
        for (unsigned flag = first; flag < 0x80; flag <<= 1) {
            uint8_t mangled[MESSAGE_GOLDEN_BYTES];
            memcpy(mangled, bytes, size);
            mangled[1] |= (uint8_t)flag;
            assert_int_equal(recode(mangled, size), -EPROTO);
        }
    }
}

/* A sequence without meaning, the same in every run. */
static uint32_t scramble(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static void test_mangled_frames_are_refused_or_come_back(void **state)
{
    (void)state;
    uint32_t seed = 7;
    unsigned taken = 0, refused = 0;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t bytes[MESSAGE_GOLDEN_BYTES];
        size_t size =
            message_golden_bytes(&message_goldens[scramble(&seed) % MESSAGE_GOLDEN_COUNT], bytes);
        for (unsigned i = 0; i < 1 + round % 5; i++)
            bytes[scramble(&seed) % size] = (uint8_t)scramble(&seed);
        if (round % 2 == 0)
            set_payload_size(bytes, size);
        if (recode(bytes, size) == 0)
            taken++;
        else
            refused++;
    }
    assert_true(taken > 1000 && refused > 1000);
}

static void test_random_bytes_are_refused_or_come_back(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (unsigned round = 0; round < 100000; round++) {
        uint8_t bytes[64];
        size_t size = scramble(&seed) % (sizeof(bytes) + 1);
        for (size_t i = 0; i < size; i++)
            bytes[i] = (uint8_t)scramble(&seed);
        if (size >= FLUX_FRAME_HEADER_BYTES && round % 4 != 0) {
            bytes[0] = (uint8_t)((round % 2 == 0 ? 0x00 : 0x40) + bytes[0] % 15);
            bytes[1] &= 1;
            set_payload_size(bytes, size);
        }
        (void)recode(bytes, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_golden_frame_comes_back),
        cmocka_unit_test(test_a_payload_cut_off_anywhere_is_refused),
        cmocka_unit_test(test_bytes_behind_a_payload_are_refused),
        cmocka_unit_test(test_unknown_flags_are_refused),
        cmocka_unit_test(test_mangled_frames_are_refused_or_come_back),
        cmocka_unit_test(test_random_bytes_are_refused_or_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
