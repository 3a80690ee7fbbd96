/* What the codecs of both directions share: the head of a frame that has no surprises. Private to
 * the message files. */
#ifndef FLUX_PROTO_MESSAGE_CODE_H
#define FLUX_PROTO_MESSAGE_CODE_H

#include "proto/message.h"
#include <errno.h>

/* Begin to read the payload of a frame of `type`, whose flags besides FLUX_FRAME_IGNORABLE are all
 * in `flags`. Returns 0 or -EPROTO. */
static inline int flux_message_open(const struct flux_frame *frame, enum flux_message_type type,
                                    uint8_t flags, struct flux_wire_reader *ret_reader)
{
    if (frame->type != type || (frame->flags & ~(flags | FLUX_FRAME_IGNORABLE)) != 0)
        return -EPROTO;
    flux_wire_reader_init(ret_reader, frame->payload, frame->size);
    return 0;
}

/* The same for a message that belongs to no shadow. */
static inline int flux_message_open_plain(const struct flux_frame *frame,
                                          enum flux_message_type type,
                                          struct flux_wire_reader *ret_reader)
{
    return frame->shadow != 0 ? -EPROTO : flux_message_open(frame, type, 0, ret_reader);
}

static inline bool flux_level_is_valid(unsigned level)
{
    return level >= FLUX_LEVEL_QUEUED && level <= FLUX_LEVEL_ACCEPTED;
}

/* --- message_value.c: a value behind its type --- */

/* Append what the type of the value needs; the type itself stands elsewhere. */
void flux_message_put_value(struct flux_wire_writer *writer, const struct flux_value *value);

/* Read it. Returns false for a type, or a bool, that does not exist; FLUX_VALUE_NONE is none here.
 */
bool flux_message_get_value(struct flux_wire_reader *reader, uint8_t type,
                            struct flux_value *ret_value);

#endif
