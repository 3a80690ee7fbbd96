/* A golden frame of docs/protocol.md beside what an encoder makes of the same fields, for the tests
 * of messages. To be included after cmocka.h. */
#ifndef FLUX_TESTS_UNIT_MESSAGE_FIXTURE_H
#define FLUX_TESTS_UNIT_MESSAGE_FIXTURE_H

#include "proto/message.h"
#include "tests/unit/message_golden.h"

/* A golden frame, and room for what an encoder makes of the same fields. */
struct fixture {
    uint8_t golden[MESSAGE_GOLDEN_BYTES];
    size_t golden_size;
    struct flux_frame frame;
    uint8_t written[MESSAGE_GOLDEN_BYTES];
    struct flux_wire_writer writer;
};

static inline void take_golden(struct fixture *fixture, const char *name)
{
    size_t i = 0;
    while (strcmp(message_goldens[i].name, name) != 0)
        assert_true(++i < MESSAGE_GOLDEN_COUNT);
    fixture->golden_size = message_golden_bytes(&message_goldens[i], fixture->golden);
    int size = flux_frame_next(fixture->golden, fixture->golden_size, FLUX_FRAME_BYTES_MAX,
                               &fixture->frame);
    assert_int_equal(size, fixture->golden_size);
    flux_wire_writer_init(&fixture->writer, fixture->written, sizeof(fixture->written));
}

static inline void assert_written(const struct fixture *fixture)
{
    assert_int_equal(fixture->writer.size, fixture->golden_size);
    assert_memory_equal(fixture->written, fixture->golden, fixture->golden_size);
}

static inline void assert_text(struct flux_text text, const char *expected)
{
    assert_int_equal(text.size, strlen(expected));
    assert_memory_equal(text.text, expected, text.size);
}

#endif
