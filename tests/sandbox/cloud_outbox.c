#include "tests/sandbox/cloud_outbox.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_json.h"

void shadow_service_message_clear(struct shadow_service_message *message)
{
    free(message->topic);
    free(message->payload);
    memset(message, 0, sizeof(*message));
}

int cloud_batch_add(struct cloud_batch *batch, struct shadow_service_message message,
                    const char *prefix, size_t prefix_size, const char *suffix, json_t *body)
{
    assert(batch->count < CLOUD_BATCH_MAX);
    if (!body)
        return -ENOMEM;
    struct cloud_text text = {0};
    cloud_json_write(&text, body);
    json_decref(body);
    message.payload = text.data;
    message.size = text.size;
    if (text.failed || asprintf(&message.topic, "%.*s%s", (int)prefix_size, prefix, suffix) < 0) {
        free(text.data);
        return -ENOMEM;
    }
    batch->messages[batch->count++] = message;
    return 0;
}

void cloud_batch_shuffle(struct cloud_batch *batch, uint64_t *seed)
{
    for (unsigned i = batch->count; i > 1; i--) {
        *seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        unsigned j = (unsigned)((*seed >> 33) % i);
        struct shadow_service_message message = batch->messages[i - 1];
        batch->messages[i - 1] = batch->messages[j];
        batch->messages[j] = message;
    }
}

void cloud_batch_clear(struct cloud_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        shadow_service_message_clear(&batch->messages[i]);
    batch->count = 0;
}

int cloud_outbox_reserve(struct cloud_outbox *outbox)
{
    if (outbox->capacity - outbox->count >= CLOUD_BATCH_MAX)
        return 0;
    size_t capacity = (outbox->capacity + CLOUD_BATCH_MAX) * 2;
    struct shadow_service_message *messages = calloc(capacity, sizeof(*messages));
    if (!messages)
        return -ENOMEM;
    for (size_t i = 0; i < outbox->count; i++)
        messages[i] = outbox->messages[(outbox->first + i) % outbox->capacity];
    free(outbox->messages);
    outbox->messages = messages;
    outbox->capacity = capacity;
    outbox->first = 0;
    return 0;
}

void cloud_outbox_append(struct cloud_outbox *outbox, struct cloud_batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++) {
        assert(outbox->count < outbox->capacity);
        outbox->messages[(outbox->first + outbox->count) % outbox->capacity] = batch->messages[i];
        outbox->count++;
    }
    batch->count = 0;
}

bool cloud_outbox_next(struct cloud_outbox *outbox, struct shadow_service_message *ret_message)
{
    if (outbox->count == 0)
        return false;
    *ret_message = outbox->messages[outbox->first];
    outbox->first = (outbox->first + 1) % outbox->capacity;
    outbox->count--;
    return true;
}

void cloud_outbox_clear(struct cloud_outbox *outbox)
{
    struct shadow_service_message message;
    while (cloud_outbox_next(outbox, &message))
        shadow_service_message_clear(&message);
    free(outbox->messages);
    memset(outbox, 0, sizeof(*outbox));
}
