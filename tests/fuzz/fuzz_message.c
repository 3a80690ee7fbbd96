/* libFuzzer: any bytes as a stream of frames and messages. What a decoder takes must come out of
 * the encoder as it went in. Build and run with tests/fuzz/run. */
#include "tests/fuzz/message_recode.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t recoded[65536 + 64];
    size_t position = 0;
    while (position < size) {
        struct flux_frame frame;
        int frame_size = flux_frame_next(data + position, size - position, 65536, &frame);
        if (frame_size <= 0)
            break;
        struct flux_wire_writer writer;
        flux_wire_writer_init(&writer, recoded, sizeof(recoded));
        if (message_recode(&frame, &writer) == 0 &&
            !message_recode_is_same(data + position, (size_t)frame_size, &writer))
            abort();
        position += (size_t)frame_size;
    }
    return 0;
}
