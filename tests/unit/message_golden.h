/* One frame of every message as the protocol fixes it, byte for byte; docs/protocol.md explains the
 * same bytes. They were written without the encoders. Not golden until durable storage is in. */
#ifndef FLUX_TESTS_MESSAGE_GOLDEN_H
#define FLUX_TESTS_MESSAGE_GOLDEN_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct message_golden {
    const char *name;
    const char *hex;
};

static const struct message_golden message_goldens[] = {
    {"HELLO", "0100000015000000"
              "0100010088776655443322110700666c757863746c"},
    {"OPEN_SHADOW", "0200010019000000"
                    "01000000000000000700676174657761790600636f6e666967"},
    {"REPORT", "0300000082000000"
               "02000000000000000301010a002f646f6f722f6f70656e01010202002f6efbff"
               "ffffffffffff01030e002f626174746572792f6c6576656c0000000000605440"
               "010405002f6e616d6505000000636166c3a9010505002f6c6973740b0000005b"
               "312c322e352c2278225d010606002f656d70747902000a002f6f6c642f746869"
               "6e67"},
    {"REPORT resent", "030101001f000000"
                      "03000000000000000115cd5b0700000000010202002f610100000000000000"},
    {"REPORT settle", "030000001f000000"
                      "070000000000000003010404002f6c6564020000006f6e030004002f6c6564"},
    {"REPORT replace", "030000001b000000"
                       "08000000000000000102000000010202002f610100000000000000"},
    {"GET", "0400000013000000"
            "04000000000000000108002f62617474657279"},
    {"STATUS", "0500000008000000"
               "0500000000000000"},
    {"FLUSH", "0600000009000000"
              "060000000000000003"},
    {"WATCH", "070001000e000000"
              "090000000000000004002f6c6564"},
    {"UNWATCH", "0800010008000000"
                "0900000000000000"},
    {"KEYS", "0900010012000000"
             "0a0000000000000008002f62617474657279"},
    {"FORGET", "0a0001000e000000"
               "0b0000000000000004002f6f6c64"},
    {"RESET", "0b01000008000000"
              "0c00000000000000"},
    {"WILL", "0c00010020000000"
             "0d00000000000000010107002f6f6e6c696e6500020008002f73657373696f6e"},
    {"BYE", "0d00000000000000"},
    {"ADMIN", "0e00000011000000"
              "0e00000000000000050700000058020000"},
    {"HISTORY", "0f00000008000000"
                "0f00000000000000"},
    {"WELCOME", "4100000016000000"
                "01001122334455667788010000000000010008000000"},
    {"OPENED", "4200010008000000"
               "0100000000000000"},
    {"ANSWER", "4300000019000000"
               "03020000000000000007000000000000002a00000000000000"},
    {"ANSWER deadband", "4301000019000000"
                        "030e000000000000000e000000000000002a00000000000000"},
    {"REJECTED", "4400010026000000"
                 "080000000000000008000000000000009d01000005002f626c6f620900746f6f"
                 "206c61726765"},
    {"SAFE", "4500010008000000"
             "0700000000000000"},
    {"DATA", "460100000d000000"
             "04000000000000007b2261223a"},
    {"DATA last", "460000000a000000"
                  "0400000000000000317d"},
    {"DONE", "4700000008000000"
             "0600000000000000"},
    {"FAILED", "4800000021000000"
               "06000000000000005f000000130073746f7261676520697320766f6c6174696c"
               "65"},
    {"GOODBYE", "4900000014000000"
                "030000000e006672616d6520746f6f206c6f6e67"},
    {"DESIRED", "4a0301001d000000"
                "090000000000000011000000000000000404002f6c6564020000006f6e"},
    {"DESIRED met", "4a00010017000000"
                    "090000000000000012000000000000000004002f6c6564"},
    {"DESIRED complete", "4a04010013000000"
                         "09000000000000001200000000000000000000"},
};

#define MESSAGE_GOLDEN_COUNT (sizeof(message_goldens) / sizeof(message_goldens[0]))
#define MESSAGE_GOLDEN_BYTES 256u

/* Turn a golden frame into bytes; returns how many. */
static inline size_t message_golden_bytes(const struct message_golden *golden,
                                          uint8_t ret_bytes[static MESSAGE_GOLDEN_BYTES])
{
    size_t size = strlen(golden->hex) / 2;
    assert(size <= MESSAGE_GOLDEN_BYTES);
    for (size_t i = 0; i < size; i++) {
        unsigned byte;
        int read = sscanf(golden->hex + 2 * i, "%2x", &byte);
        assert(read == 1);
        (void)read;
        ret_bytes[i] = (uint8_t)byte;
    }
    return size;
}

#endif
