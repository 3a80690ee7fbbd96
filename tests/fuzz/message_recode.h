/* Decodes any frame and encodes what was understood again: what a decoder takes must come out of
 * the encoder as it went in. Shared by the fuzzer and the unit test with mangled frames. */
#ifndef FLUX_TESTS_MESSAGE_RECODE_H
#define FLUX_TESTS_MESSAGE_RECODE_H

#include "proto/message.h"
#include <errno.h>
#include <string.h>

#define RECODE(noun)                                                                               \
    do {                                                                                           \
        struct flux_##noun message;                                                                \
        int r = flux_##noun##_decode(frame, &message);                                             \
        return r < 0 ? r : flux_##noun##_encode(writer, &message);                                 \
    } while (0)

static inline int message_recode_operations(struct flux_wire_reader *operations,
                                            struct flux_report_encoder *encoder)
{
    struct flux_change change;
    int r;
    while ((r = flux_report_next(operations, &change)) == 1) {
        if (change.kind == FLUX_SET)
            r = flux_report_add_set(encoder, change.path, change.path_size, &change.value);
        else if (change.kind == FLUX_UNSET)
            r = flux_report_add_unset(encoder, change.path, change.path_size);
        else
            r = flux_report_add_settle(encoder, change.path, change.path_size);
        if (r < 0)
            break;
    }
    if (r < 0) {
        flux_report_cancel(encoder);
        return r;
    }
    return flux_report_end(encoder);
}

static inline int message_recode_report(const struct flux_frame *frame,
                                        struct flux_wire_writer *writer)
{
    struct flux_report report;
    struct flux_wire_reader operations;
    struct flux_report_encoder encoder;
    int r = flux_report_decode(frame, &report, &operations);
    if (r == 0)
        r = flux_report_begin(&encoder, writer, FLUX_FRAME_BYTES_MAX, &report);
    return r < 0 ? r : message_recode_operations(&operations, &encoder);
}

static inline int message_recode_will(const struct flux_frame *frame,
                                      struct flux_wire_writer *writer)
{
    struct flux_will will;
    struct flux_wire_reader operations;
    struct flux_report_encoder encoder;
    int r = flux_will_decode(frame, &will, &operations);
    if (r == 0)
        r = flux_will_begin(&encoder, writer, FLUX_FRAME_BYTES_MAX, &will);
    return r < 0 ? r : message_recode_operations(&operations, &encoder);
}

static inline int message_recode_bye(const struct flux_frame *frame,
                                     struct flux_wire_writer *writer)
{
    int r = flux_bye_decode(frame);
    return r < 0 ? r : flux_bye_encode(writer);
}

/* Returns 0, or what the decoder or the encoder said; -ENOTSUP for an unknown type. */
static inline int message_recode(const struct flux_frame *frame, struct flux_wire_writer *writer)
{
    switch (frame->type) {
    case FLUX_MESSAGE_HELLO:
        RECODE(hello);
    case FLUX_MESSAGE_OPEN_SHADOW:
        RECODE(open_shadow);
    case FLUX_MESSAGE_REPORT:
        return message_recode_report(frame, writer);
    case FLUX_MESSAGE_GET:
        RECODE(get);
    case FLUX_MESSAGE_STATUS:
        RECODE(status_request);
    case FLUX_MESSAGE_FLUSH:
        RECODE(flush);
    case FLUX_MESSAGE_WATCH:
        RECODE(watch);
    case FLUX_MESSAGE_UNWATCH:
        RECODE(unwatch);
    case FLUX_MESSAGE_KEYS:
        RECODE(keys);
    case FLUX_MESSAGE_FORGET:
        RECODE(forget);
    case FLUX_MESSAGE_RESET:
        RECODE(reset);
    case FLUX_MESSAGE_WILL:
        return message_recode_will(frame, writer);
    case FLUX_MESSAGE_BYE:
        return message_recode_bye(frame, writer);
    case FLUX_MESSAGE_ADMIN:
        RECODE(admin);
    case FLUX_MESSAGE_HISTORY:
        RECODE(history_request);
    case FLUX_MESSAGE_WELCOME:
        RECODE(welcome);
    case FLUX_MESSAGE_OPENED:
        RECODE(opened);
    case FLUX_MESSAGE_ANSWER:
        RECODE(answer);
    case FLUX_MESSAGE_REJECTED:
        RECODE(rejected);
    case FLUX_MESSAGE_SAFE:
        RECODE(safe);
    case FLUX_MESSAGE_DATA:
        RECODE(data);
    case FLUX_MESSAGE_DONE:
        RECODE(done);
    case FLUX_MESSAGE_FAILED:
        RECODE(failed);
    case FLUX_MESSAGE_GOODBYE:
        RECODE(goodbye);
    case FLUX_MESSAGE_DESIRED:
        RECODE(desired);
    default:
        return -ENOTSUP;
    }
}

/* Tell whether `bytes` (a whole frame) and what was encoded from it are the same, as far as they
 * must be: the ignorable mark is the sender's business, and to HELLO and GOODBYE a later version
 * may append. */
static inline bool message_recode_is_same(const uint8_t *bytes, size_t size,
                                          const struct flux_wire_writer *writer)
{
    bool is_open = bytes[0] == FLUX_MESSAGE_HELLO || bytes[0] == FLUX_MESSAGE_GOODBYE;
    if (is_open) {
        return writer->size <= size &&
               memcmp(bytes + FLUX_FRAME_HEADER_BYTES, writer->data + FLUX_FRAME_HEADER_BYTES,
                      writer->size - FLUX_FRAME_HEADER_BYTES) == 0;
    }
    return writer->size == size && writer->data[0] == bytes[0] &&
           writer->data[1] == (bytes[1] & ~FLUX_FRAME_IGNORABLE) &&
           memcmp(bytes + 2, writer->data + 2, size - 2) == 0;
}

#undef RECODE

#endif
