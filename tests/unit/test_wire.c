#include "proto/wire.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
// clang-format off
#include <cmocka.h>
// clang-format on

static void test_numbers_are_little_endian(void **state)
{
    (void)state;
    uint8_t data[64];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, data, sizeof(data));
    flux_wire_put_u8(&writer, 0x01);
    flux_wire_put_u16(&writer, 0x0203);
    flux_wire_put_u32(&writer, 0x04050607);
    flux_wire_put_u64(&writer, 0x08090a0b0c0d0e0f);
    flux_wire_put_i64(&writer, -2);
    flux_wire_put_double(&writer, 1.0);
    static const uint8_t expected[] = {1,    3,  2, 7, 6,    5,    4,    15,   14,   13,   12,
                                       11,   10, 9, 8, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                       0xff, 0,  0, 0, 0,    0,    0,    0xf0, 0x3f};
    assert_int_equal(writer.error, 0);
    assert_int_equal(writer.size, sizeof(expected));
    assert_memory_equal(data, expected, sizeof(expected));

    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, data, writer.size);
    assert_int_equal(flux_wire_get_u8(&reader), 0x01);
    assert_int_equal(flux_wire_get_u16(&reader), 0x0203);
    assert_int_equal(flux_wire_get_u32(&reader), 0x04050607);
    assert_true(flux_wire_get_u64(&reader) == 0x08090a0b0c0d0e0f);
    assert_true(flux_wire_get_i64(&reader) == -2);
    assert_true(flux_wire_get_double(&reader) == 1.0);
    assert_int_equal(flux_wire_reader_finish(&reader), 0);
}

static void test_texts_come_back(void **state)
{
    (void)state;
    uint8_t data[32];
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, data, sizeof(data));
    flux_wire_put_text16(&writer, flux_text("abc"));
    flux_wire_put_text32(&writer, flux_text("de"));
    flux_wire_put_text16(&writer, flux_text(""));
    flux_wire_put_bytes(&writer, "rest", 4);
    assert_memory_equal(data, "\3\0abc\2\0\0\0de\0\0rest", 17);

    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, data, writer.size);
    struct flux_text text = flux_wire_get_text16(&reader);
    assert_int_equal(text.size, 3);
    assert_memory_equal(text.text, "abc", 3);
    text = flux_wire_get_text32(&reader);
    assert_int_equal(text.size, 2);
    assert_memory_equal(text.text, "de", 2);
    assert_int_equal(flux_wire_get_text16(&reader).size, 0);
    text = flux_wire_get_rest(&reader);
    assert_int_equal(text.size, 4);
    assert_memory_equal(text.text, "rest", 4);
    assert_int_equal(flux_wire_reader_finish(&reader), 0);
}

static void test_reading_beyond_the_end_sticks(void **state)
{
    (void)state;
    static const uint8_t data[] = {1, 2, 3};
    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, data, sizeof(data));
    assert_int_equal(flux_wire_get_u16(&reader), 0x0201);
    assert_int_equal(flux_wire_get_u16(&reader), 0);
    assert_int_equal(flux_wire_get_u8(&reader), 0); /* although one byte was there */
    assert_int_equal(flux_wire_get_text16(&reader).size, 0);
    assert_int_equal(flux_wire_get_rest(&reader).size, 0);
    assert_int_equal(reader.error, -EPROTO);
    assert_int_equal(flux_wire_reader_finish(&reader), -EPROTO);
}

static void test_a_text_longer_than_its_bytes_is_an_error(void **state)
{
    (void)state;
    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, "\4\0abc", 5);
    assert_int_equal(flux_wire_get_text16(&reader).size, 0);
    assert_int_equal(reader.error, -EPROTO);
    flux_wire_reader_init(&reader,
                          "\xff\xff\xff\xff"
                          "abc",
                          7);
    assert_int_equal(flux_wire_get_text32(&reader).size, 0);
    assert_int_equal(reader.error, -EPROTO);
}

static void test_bytes_left_over_are_an_error(void **state)
{
    (void)state;
    struct flux_wire_reader reader;
    flux_wire_reader_init(&reader, "\1\2", 2);
    flux_wire_get_u8(&reader);
    assert_int_equal(reader.error, 0);
    assert_int_equal(flux_wire_reader_finish(&reader), -EPROTO);
}

static void test_writing_beyond_the_end_sticks_and_writes_nothing(void **state)
{
    (void)state;
    uint8_t data[4] = {0, 0, 0, 0xee};
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, data, 3);
    flux_wire_put_u16(&writer, 1);
    flux_wire_put_u16(&writer, 0xffff);
    assert_int_equal(writer.error, -ENOBUFS);
    flux_wire_put_u8(&writer, 0xff); /* would fit, comes too late */
    assert_int_equal(writer.size, 2);
    assert_int_equal(data[2], 0);
    assert_int_equal(data[3], 0xee);
}

static void test_a_text_is_not_cut_to_its_length_field(void **state)
{
    (void)state;
    char *text = calloc(1, 65536);
    uint8_t *data = malloc(70000);
    assert_non_null(text);
    assert_non_null(data);
    struct flux_wire_writer writer;
    flux_wire_writer_init(&writer, data, 70000);
    flux_wire_put_text16(&writer, (struct flux_text){text, 65535});
    assert_int_equal(writer.error, 0);
    flux_wire_writer_init(&writer, data, 70000);
    flux_wire_put_text16(&writer, (struct flux_text){text, 65536});
    assert_int_equal(writer.error, -EMSGSIZE);
    free(text);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_little_endian),
        cmocka_unit_test(test_texts_come_back),
        cmocka_unit_test(test_reading_beyond_the_end_sticks),
        cmocka_unit_test(test_a_text_longer_than_its_bytes_is_an_error),
        cmocka_unit_test(test_bytes_left_over_are_an_error),
        cmocka_unit_test(test_writing_beyond_the_end_sticks_and_writes_nothing),
        cmocka_unit_test(test_a_text_is_not_cut_to_its_length_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
