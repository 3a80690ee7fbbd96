/* Frames: the eight bytes in front of every message that say its kind and its length. Cuts a stream
 * into frames; does not look into them. */
#ifndef FLUX_PROTO_FRAME_H
#define FLUX_PROTO_FRAME_H

#include "proto/limits.h"
#include "proto/wire.h"
#include <stddef.h>
#include <stdint.h>

/* u8 type, u8 flags, u16 shadow handle, u32 length of the payload; little-endian. */
#define FLUX_FRAME_HEADER_BYTES 8u

/* Flags that every type shares; the lower bits belong to the type (message.h). */
#define FLUX_FRAME_IGNORABLE 0x80u /* a receiver that does not know the type skips it */

struct flux_frame {
    uint8_t type; /* enum flux_message_type, or one that this version does not know */
    uint8_t flags;
    uint16_t shadow;        /* handle; 0 is the default shadow */
    uint32_t size;          /* of the payload */
    const uint8_t *payload; /* borrowed */
};

/* Look at the `size` bytes received so far for a complete frame of at most `frame_bytes_max` bytes,
 * header included. Returns the bytes of the whole frame (FLUX_FRAME_HEADER_BYTES or more) with
 * `ret_frame` borrowing from `buffer`; 0 if more bytes are needed; -EMSGSIZE if the frame will be
 * too long (whatever is asked for, FLUX_FRAME_BYTES_MAX stays the ceiling); -EPROTO if this is no
 * frame (type 0, or '{'). Errors are told as early as the bytes show them, and nothing behind them
 * can be read. */
int flux_frame_next(const void *buffer, size_t size, size_t frame_bytes_max,
                    struct flux_frame *ret_frame);

/* Write a frame's header with an open length and return where it begins; flux_frame_end() fills the
 * length in. If anything since did not fit, flux_frame_end() takes the whole frame back, clears the
 * writer's error and returns it (-ENOBUFS, -EMSGSIZE); else it returns 0. */
size_t flux_frame_begin(struct flux_wire_writer *writer, uint8_t type, uint8_t flags,
                        uint16_t shadow);
int flux_frame_end(struct flux_wire_writer *writer, size_t start);

#endif
