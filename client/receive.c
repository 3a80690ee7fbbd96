#include "client/client.h"
#include "proto/message.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define DOCUMENT_BYTES_MAX (16u * 1024u * 1024u) /* no answer to GET or STATUS comes near */

/* Forget what is safe; but what a report waits for is kept, so that it can be asked for again after
 * a lost connection. */
static void drop_safe(struct fluxaws_client *client)
{
    uint64_t first_waiting = answers_first_waiting(&client->answers);
    uint64_t id = client->safe_id < first_waiting ? client->safe_id : first_waiting - 1;
    backlog_drop(&client->backlog, id);
}

static int on_welcome(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_welcome welcome;
    int r = flux_welcome_decode(frame, &welcome);
    if (r < 0)
        return r;
    if (client->state != CLIENT_GREETING)
        return client_fail(client, -EPROTO, "the daemon greeted twice");
    if (welcome.version < FLUX_PROTOCOL_VERSION_MIN || welcome.version > FLUX_PROTOCOL_VERSION_MAX)
        return client_fail(
            client, -EPROTONOSUPPORT,
            "the daemon chose protocol version %u, which this library does not speak",
            welcome.version);
    if (welcome.max_frame_bytes < CLIENT_EARLY_FRAME_BYTES)
        return client_fail(client, -EPROTO, "the daemon's frame limit of %u bytes is too small",
                           welcome.max_frame_bytes);
    client->frame_bytes_max = welcome.max_frame_bytes < FLUX_FRAME_BYTES_MAX
                                  ? welcome.max_frame_bytes
                                  : FLUX_FRAME_BYTES_MAX;
    client->is_durable = (welcome.flags & FLUX_WELCOME_DURABLE) != 0;
    client->state = CLIENT_READY;
    client->ready_since_ms = client_now_ms();
    client_log(client, LOG_INFO, "connected to fluxawsd");
    return 0;
}

static int on_answer(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_answer answer;
    int r = flux_answer_decode(frame, &answer);
    if (r < 0)
        return r;
    if (answer.last_id > client->queued_id)
        client->queued_id = answer.last_id;
    r = answers_reach(&client->answers, &answer, client->sent_id);
    drop_safe(client);
    return r;
}

static int on_rejected(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_rejected rejected;
    int r = flux_rejected_decode(frame, &rejected);
    if (r < 0)
        return r;
    client->rejected_count++;
    (void)snprintf(client->rejected_text, sizeof(client->rejected_text), "%.*s: %.*s (code %u)",
                   (int)rejected.path.size, rejected.path.text, (int)rejected.text.size,
                   rejected.text.text, rejected.code);
    r = client->callback != NULL || answers_waiting(&client->answers) > 0
            ? answers_reject(&client->answers, &rejected, client->sent_id)
            : 0;
    /* A report refused before it was ever QUEUED was refused whole, and nothing of it is kept: sent
     * again it might be taken after all. One refused later goes on with its other properties. */
    if (rejected.first_id == rejected.last_id && rejected.first_id > client->queued_id)
        backlog_drop_one(&client->backlog, rejected.first_id);
    drop_safe(client);
    return r;
}

static int on_safe(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_safe safe;
    int r = flux_safe_decode(frame, &safe);
    if (r < 0)
        return r;
    uint64_t id = safe.last_id < client->sent_id ? safe.last_id : client->sent_id;
    if (id > client->safe_id)
        client->safe_id = id;
    drop_safe(client);
    return 0;
}

static void end_request(struct fluxaws_client *client, int error)
{
    client->request.state = CLIENT_REQUEST_ENDED;
    client->request.error = error;
}

/* An answer to a question that has timed out here is late, not wrong. */
static bool is_asked(const struct fluxaws_client *client, uint64_t request_id)
{
    return client->request.state == CLIENT_REQUEST_SENT && client->request.id == request_id;
}

static int on_data(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_data data;
    int r = flux_data_decode(frame, &data);
    if (r < 0 || !is_asked(client, data.request_id))
        return r;
    struct buffer *text = &client->request.text;
    if (buffer_size(text) + data.bytes.size > DOCUMENT_BYTES_MAX)
        end_request(client, client_fail(client, -E2BIG, "the daemon's answer is too large"));
    else if (buffer_append(text, data.bytes.text, data.bytes.size) < 0)
        end_request(client, -ENOMEM);
    else if (!data.more)
        end_request(client, 0);
    return 0;
}

static int on_done(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_done done;
    int r = flux_done_decode(frame, &done);
    if (r == 0 && is_asked(client, done.request_id))
        end_request(client, 0);
    return r;
}

static int on_failed(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_failed failed;
    int r = flux_failed_decode(frame, &failed);
    if (r < 0 || !is_asked(client, failed.request_id))
        return r;
    int error = failed.code > 0 && failed.code < 4096 ? -(int)failed.code : -EPROTO;
    end_request(client,
                client_fail(client, error, "%.*s", (int)failed.text.size, failed.text.text));
    return 0;
}

static int goodbye_reason(enum flux_goodbye_code code)
{
    switch (code) {
    case FLUX_GOODBYE_VERSION:
        return -EPROTONOSUPPORT;
    case FLUX_GOODBYE_DENIED:
        return -EACCES;
    case FLUX_GOODBYE_STOPPING:
        return -ECONNRESET;
    case FLUX_GOODBYE_TOO_MANY:
        return -EUSERS;
    case FLUX_GOODBYE_MALFORMED:
    case FLUX_GOODBYE_TOO_LONG:
    case FLUX_GOODBYE_UNKNOWN:
    case FLUX_GOODBYE_UNEXPECTED:
    default:
        return -EPROTO;
    }
}

static int on_goodbye(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_goodbye goodbye;
    int r = flux_goodbye_decode(frame, &goodbye);
    if (r < 0)
        return r;
    return client_fail(client, goodbye_reason(goodbye.code), "the daemon closed: %.*s",
                       (int)goodbye.text.size, goodbye.text.text);
}

/* Returns 0, or a negative errno with which the connection ends. */
static int handle(struct fluxaws_client *client, const struct flux_frame *frame)
{
    if (client->state == CLIENT_GREETING && frame->type != FLUX_MESSAGE_WELCOME &&
        frame->type != FLUX_MESSAGE_GOODBYE)
        return client_fail(client, -EPROTO, "what answers there did not greet: no fluxawsd?");
    switch (frame->type) {
    case FLUX_MESSAGE_WELCOME:
        return on_welcome(client, frame);
    case FLUX_MESSAGE_ANSWER:
        return on_answer(client, frame);
    case FLUX_MESSAGE_REJECTED:
        return on_rejected(client, frame);
    case FLUX_MESSAGE_SAFE:
        return on_safe(client, frame);
    case FLUX_MESSAGE_DATA:
        return on_data(client, frame);
    case FLUX_MESSAGE_DONE:
        return on_done(client, frame);
    case FLUX_MESSAGE_FAILED:
        return on_failed(client, frame);
    case FLUX_MESSAGE_GOODBYE:
        return on_goodbye(client, frame);
    default:
        if ((frame->flags & FLUX_FRAME_IGNORABLE) != 0)
            return 0;
        return client_fail(client, -EPROTO, "the daemon sent a message of unknown type 0x%02x",
                           frame->type);
    }
}

void client_receive(struct fluxaws_client *client)
{
    while (client->state != CLIENT_AWAY && buffer_size(&client->in) > 0) {
        struct flux_frame frame;
        int r = flux_frame_next(buffer_data(&client->in), buffer_size(&client->in),
                                FLUX_FRAME_BYTES_MAX, &frame);
        if (r == 0)
            return;
        if (r < 0) {
            (void)client_fail(client, -EPROTO, "what answers there speaks no fluxaws protocol");
            client_disconnect(client, -EPROTO);
            return;
        }
        size_t size = (size_t)r;
        client_debug(client, "<-", buffer_data(&client->in), size);
        r = handle(client, &frame);
        if (r < 0 && r != -ENOMEM) {
            client_disconnect(client, r);
            return;
        }
        buffer_consume(&client->in, size);
    }
}
