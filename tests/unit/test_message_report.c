#include "proto/message.h"
#include "tests/unit/message_golden.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// clang-format off
#include <cmocka.h>
// clang-format on

struct expected_change {
    enum flux_operation kind;
    const char *path;
    struct flux_value value;
};

/* The operations of the golden REPORT. */
static size_t golden_changes(struct expected_change ret_changes[static 7])
{
    const struct expected_change changes[] = {
        {FLUX_SET, "/door/open", flux_value_bool(true)},
        {FLUX_SET, "/n", flux_value_int64(-5)},
        {FLUX_SET, "/battery/level", flux_value_double(81.5)},
        {FLUX_SET, "/name", flux_value_string("caf\xc3\xa9", 5)},
        {FLUX_SET, "/list", flux_value_array("[1,2.5,\"x\"]", 11)},
        {FLUX_SET, "/empty", flux_value_empty_object()},
        {FLUX_UNSET, "/old/thing", {.type = FLUX_VALUE_NONE}},
    };
    memcpy(ret_changes, changes, sizeof(changes));
    return sizeof(changes) / sizeof(changes[0]);
}

static size_t take_golden(const char *name, uint8_t ret_bytes[static MESSAGE_GOLDEN_BYTES],
                          struct flux_frame *ret_frame)
{
    size_t i = 0;
    while (strcmp(message_goldens[i].name, name) != 0)
        assert_true(++i < MESSAGE_GOLDEN_COUNT);
    size_t size = message_golden_bytes(&message_goldens[i], ret_bytes);
    assert_int_equal(flux_frame_next(ret_bytes, size, 4096, ret_frame), size);
    return size;
}

static void test_a_report_is_written_operation_by_operation(void **state)
{
    (void)state;
    uint8_t golden[MESSAGE_GOLDEN_BYTES], written[MESSAGE_GOLDEN_BYTES];
    struct flux_frame frame;
    size_t golden_size = take_golden("REPORT", golden, &frame);
    struct expected_change changes[7];
    size_t count = golden_changes(changes);

    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    flux_wire_writer_init(&writer, written, sizeof(written));
    const struct flux_report report = {.request_id = 2, .level = FLUX_LEVEL_ACCEPTED};
    assert_int_equal(flux_report_begin(&encoder, &writer, 4096, &report), 0);
    for (size_t i = 0; i < count; i++) {
        const char *path = changes[i].path;
        int r = changes[i].kind == FLUX_UNSET
                    ? flux_report_add_unset(&encoder, path, strlen(path))
                    : flux_report_add_set(&encoder, path, strlen(path), &changes[i].value);
        assert_int_equal(r, 0);
    }
    assert_int_equal(encoder.operation_count, count);
    assert_int_equal(flux_report_end(&encoder), 0);
    assert_int_equal(writer.size, golden_size);
    assert_memory_equal(written, golden, golden_size);
}

static void test_a_report_is_read_operation_by_operation(void **state)
{
    (void)state;
    uint8_t golden[MESSAGE_GOLDEN_BYTES];
    struct flux_frame frame;
    take_golden("REPORT", golden, &frame);
    struct expected_change changes[7];
    size_t count = golden_changes(changes);

    struct flux_report report;
    struct flux_wire_reader operations;
    assert_int_equal(flux_report_decode(&frame, &report, &operations), 0);
    assert_int_equal(report.request_id, 2);
    assert_int_equal(report.level, FLUX_LEVEL_ACCEPTED);
    assert_false(report.resent);
    assert_int_equal(report.set_us, 0);
    for (unsigned pass = 0; pass < 2; pass++) {
        struct flux_wire_reader copy = operations;
        struct flux_change change;
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(flux_report_next(&copy, &change), 1);
            assert_int_equal(change.kind, changes[i].kind);
            assert_int_equal(change.path_size, strlen(changes[i].path));
            assert_memory_equal(change.path, changes[i].path, change.path_size);
            assert_int_equal(change.value.type, changes[i].value.type);
            assert_true(flux_value_equal(&change.value, &changes[i].value));
        }
        assert_int_equal(flux_report_next(&copy, &change), 0);
        assert_int_equal(flux_report_next(&copy, &change), 0);
    }
}

static void test_a_resent_report_carries_its_time(void **state)
{
    (void)state;
    uint8_t golden[MESSAGE_GOLDEN_BYTES], written[MESSAGE_GOLDEN_BYTES];
    struct flux_frame frame;
    size_t golden_size = take_golden("REPORT resent", golden, &frame);
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    flux_wire_writer_init(&writer, written, sizeof(written));
    const struct flux_report sent = {1, 3, FLUX_LEVEL_QUEUED, true, 123456789};
    const struct flux_value one = flux_value_int64(1);
    struct flux_report report = sent;
    report.shadow = 0;
    assert_int_equal(flux_report_begin(&encoder, &writer, 4096, &report), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &one), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
    written[2] = 1; /* the shadow's handle */
    assert_int_equal(writer.size, golden_size);
    assert_memory_equal(written, golden, golden_size);

    struct flux_wire_reader operations;
    assert_int_equal(flux_report_decode(&frame, &report, &operations), 0);
    assert_int_equal(report.shadow, 1);
    assert_true(report.resent);
    assert_int_equal(report.set_us, 123456789);
}

static void test_a_report_may_be_empty(void **state)
{
    (void)state;
    uint8_t written[32];
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    struct flux_report report = {.request_id = 9, .level = FLUX_LEVEL_QUEUED};
    flux_wire_writer_init(&writer, written, sizeof(written));
    assert_int_equal(flux_report_begin(&encoder, &writer, 4096, &report), 0);
    assert_int_equal(flux_report_end(&encoder), 0);
    struct flux_frame frame;
    struct flux_wire_reader operations;
    struct flux_change change;
    assert_int_equal(flux_frame_next(written, writer.size, 4096, &frame), writer.size);
    assert_int_equal(flux_report_decode(&frame, &report, &operations), 0);
    assert_int_equal(flux_report_next(&operations, &change), 0);
}

static void test_an_operation_that_does_not_fit_leaves_the_others(void **state)
{
    (void)state;
    uint8_t written[17 + 2 * 14];
    const struct flux_value one = flux_value_int64(1);
    const struct flux_report report = {.request_id = 1, .level = FLUX_LEVEL_QUEUED};
    static const struct {
        size_t capacity, frame_bytes_max;
        int error;
    } cases[] = {
        {sizeof(written), 4096, -ENOBUFS},
        {sizeof(written) - 1, 4096, -ENOBUFS},
        {sizeof(written), 17 + 14, -EMSGSIZE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct flux_wire_writer writer;
        struct flux_report_encoder encoder;
        int r;
        flux_wire_writer_init(&writer, written, cases[i].capacity);
        assert_int_equal(flux_report_begin(&encoder, &writer, cases[i].frame_bytes_max, &report),
                         0);
        while ((r = flux_report_add_set(&encoder, "/a", 2, &one)) == 0)
            assert_true(encoder.operation_count < 3);
        assert_int_equal(r, cases[i].error);
        assert_int_equal(encoder.operation_count, i == 0 ? 2 : 1);
        assert_int_equal(flux_report_end(&encoder), 0);
        assert_int_equal(writer.size, 17 + 14 * encoder.operation_count);
        struct flux_frame frame;
        assert_int_equal(flux_frame_next(written, writer.size, 4096, &frame), writer.size);
    }
}

static void test_a_cancelled_report_leaves_nothing(void **state)
{
    (void)state;
    uint8_t written[64];
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    const struct flux_report report = {.request_id = 1, .level = FLUX_LEVEL_QUEUED};
    flux_wire_writer_init(&writer, written, sizeof(written));
    flux_wire_put_u8(&writer, 1);
    assert_int_equal(flux_report_begin(&encoder, &writer, 4096, &report), 0);
    assert_int_equal(flux_report_add_unset(&encoder, "/a", 2), 0);
    flux_report_cancel(&encoder);
    assert_int_equal(writer.size, 1);
    writer.size = sizeof(written) - 16;
    assert_int_equal(flux_report_begin(&encoder, &writer, 4096, &report), -ENOBUFS);
    assert_int_equal(writer.size, sizeof(written) - 16);
}

/* A report whose only operation is `size` bytes long. */
static int next_of(const void *operation, size_t size)
{
    struct flux_wire_reader operations;
    struct flux_change change;
    flux_wire_reader_init(&operations, operation, size);
    int r = flux_report_next(&operations, &change);
    if (r < 0)
        assert_int_equal(flux_report_next(&operations, &change), r);
    return r;
}

static void test_impossible_operations_are_refused(void **state)
{
    (void)state;
    assert_int_equal(next_of("\1\1\2\0/a\1", 7), 1);
    assert_int_equal(next_of("\1\1\2\0/a\2", 7), -EPROTO); /* a bool of 2 */
    assert_int_equal(next_of("\0\1\2\0/a\1", 7), -EPROTO); /* kind 0 */
    assert_int_equal(next_of("\3\1\2\0/a\1", 7), -EPROTO); /* settle with a value */
    assert_int_equal(next_of("\3\0\2\0/a", 6), 1);
    assert_int_equal(next_of("\3\0\0\0", 4), 1);         /* settle all */
    assert_int_equal(next_of("\4\0\2\0/a", 6), -EPROTO); /* kind 4 */
    assert_int_equal(next_of("\1\0\2\0/a", 6), -EPROTO); /* set to nothing */
    assert_int_equal(next_of("\1\7\2\0/a", 6), -EPROTO); /* type 7 */
    assert_int_equal(next_of("\2\0\2\0/a", 6), 1);
    assert_int_equal(next_of("\2\1\2\0/a\1", 7), -EPROTO); /* unset with a value */
    assert_int_equal(next_of("\1\4\2\0/a\5\0\0\0abcd", 14), -EPROTO);
    assert_int_equal(next_of("\1\4\2\0/a\4\0\0\0abcd", 14), 1);
    assert_int_equal(next_of("\1\4\2\0/a\xff\xff\xff\xff"
                             "abcd",
                             14),
                     -EPROTO);
}

static void test_bad_heads_are_refused(void **state)
{
    (void)state;
    uint8_t golden[MESSAGE_GOLDEN_BYTES];
    struct flux_frame frame;
    struct flux_report report;
    struct flux_wire_reader operations;
    take_golden("REPORT", golden, &frame);
    golden[16] = 4; /* no such level */
    assert_int_equal(flux_report_decode(&frame, &report, &operations), -EPROTO);
    golden[16] = 3;
    frame.flags = 0x02;
    assert_int_equal(flux_report_decode(&frame, &report, &operations), -EPROTO);
}

static void test_values_that_are_none_cannot_be_set(void **state)
{
    (void)state;
    uint8_t written[64];
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    const struct flux_report report = {.request_id = 1, .level = FLUX_LEVEL_QUEUED};
    const struct flux_value none = {.type = FLUX_VALUE_NONE};
    flux_wire_writer_init(&writer, written, sizeof(written));
    assert_int_equal(flux_report_begin(&encoder, &writer, 4096, &report), 0);
    assert_int_equal(flux_report_add_set(&encoder, "/a", 2, &none), -EINVAL);
    assert_int_equal(encoder.operation_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_report_is_written_operation_by_operation),
        cmocka_unit_test(test_a_report_is_read_operation_by_operation),
        cmocka_unit_test(test_a_resent_report_carries_its_time),
        cmocka_unit_test(test_a_report_may_be_empty),
        cmocka_unit_test(test_an_operation_that_does_not_fit_leaves_the_others),
        cmocka_unit_test(test_a_cancelled_report_leaves_nothing),
        cmocka_unit_test(test_impossible_operations_are_refused),
        cmocka_unit_test(test_bad_heads_are_refused),
        cmocka_unit_test(test_values_that_are_none_cannot_be_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
