#include "proto/frame.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static const uint8_t golden[] = {0x03, 0x81, 0x34, 0x12, 3, 0, 0, 0, 'a', 'b', 'c', 0xee};

static void test_a_complete_frame_is_found(void **state)
{
    (void)state;
    struct flux_frame frame;
    assert_int_equal(flux_frame_next(golden, sizeof(golden), 65536, &frame), 11);
    assert_int_equal(frame.type, 3);
    assert_int_equal(frame.flags, 0x81);
    assert_int_equal(frame.shadow, 0x1234);
    assert_int_equal(frame.size, 3);
    assert_ptr_equal(frame.payload, golden + 8);
}

static void test_a_frame_cut_off_anywhere_needs_more(void **state)
{
    (void)state;
    struct flux_frame frame = {.type = 99};
    for (size_t size = 0; size < 11; size++)
        assert_int_equal(flux_frame_next(golden, size, 65536, &frame), 0);
    assert_int_equal(frame.type, 99);
}

static void test_an_empty_payload_is_a_frame(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {5, 0, 0, 0, 0, 0, 0, 0};
    struct flux_frame frame;
    assert_int_equal(flux_frame_next(bytes, sizeof(bytes), 8, &frame), 8);
    assert_int_equal(frame.size, 0);
}

static void test_a_frame_ends_exactly_at_the_limit(void **state)
{
    (void)state;
    struct flux_frame frame;
    assert_int_equal(flux_frame_next(golden, 11, 11, &frame), 11);
    assert_int_equal(flux_frame_next(golden, 11, 10, &frame), -EMSGSIZE);
    assert_int_equal(flux_frame_next(golden, 8, 10, &frame), -EMSGSIZE);
    assert_int_equal(flux_frame_next(golden, 11, 0, &frame), -EMSGSIZE);
}

static void test_a_huge_length_does_not_wrap(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {5, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
    struct flux_frame frame;
    assert_int_equal(flux_frame_next(bytes, sizeof(bytes), SIZE_MAX, &frame), -EMSGSIZE);
}

static void test_garbage_is_told_by_its_first_byte(void **state)
{
    (void)state;
    struct flux_frame frame;
    assert_int_equal(flux_frame_next("{", 1, 65536, &frame), -EPROTO);
    assert_int_equal(flux_frame_next("\0", 1, 65536, &frame), -EPROTO);
    assert_int_equal(flux_frame_next("GET / HTTP/1.1\r\n", 16, 65536, &frame), -EMSGSIZE);
}

static void test_frames_are_appended(void **state)
{
    (void)state;
    uint8_t data[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, data, sizeof(data));
    for (uint8_t i = 1; i <= 3; i++) {
        size_t start = flux_frame_begin(&writer, i, 0, i);
        flux_wire_put_bytes(&writer, "xyz", i);
        assert_int_equal(flux_frame_end(&writer, start), 0);
    }
    size_t position = 0;
    for (uint8_t i = 1; i <= 3; i++) {
        struct flux_frame frame;
        int size = flux_frame_next(data + position, writer.size - position, 65536, &frame);
        assert_int_equal(size, 8 + i);
        assert_int_equal(frame.type, i);
        assert_int_equal(frame.size, i);
        position += (size_t)size;
    }
    assert_int_equal(position, writer.size);
}

static void test_a_frame_that_does_not_fit_is_taken_back(void **state)
{
    (void)state;
    uint8_t data[21];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, data, sizeof(data));
    size_t start = flux_frame_begin(&writer, 1, 0, 0);
    flux_wire_put_u8(&writer, 7);
    assert_int_equal(flux_frame_end(&writer, start), 0);
    for (size_t size = 5; size < 8; size++) { /* 12 bytes are left */
        start = flux_frame_begin(&writer, 2, 0, 0);
        flux_wire_put_bytes(&writer, "12345678", size);
        assert_int_equal(flux_frame_end(&writer, start), -ENOBUFS);
        assert_int_equal(writer.size, 9);
    }
    start = flux_frame_begin(&writer, 2, 0, 0);
    flux_wire_put_bytes(&writer, "1234", 4);
    assert_int_equal(flux_frame_end(&writer, start), 0);
    assert_int_equal(writer.size, 21);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_complete_frame_is_found),
        cmocka_unit_test(test_a_frame_cut_off_anywhere_needs_more),
        cmocka_unit_test(test_an_empty_payload_is_a_frame),
        cmocka_unit_test(test_a_frame_ends_exactly_at_the_limit),
        cmocka_unit_test(test_a_huge_length_does_not_wrap),
        cmocka_unit_test(test_garbage_is_told_by_its_first_byte),
        cmocka_unit_test(test_frames_are_appended),
        cmocka_unit_test(test_a_frame_that_does_not_fit_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
