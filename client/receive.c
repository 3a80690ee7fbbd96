#include "client/client.h"
#include "proto/message.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define DOCUMENT_BYTES_MAX (16u * 1024u * 1024u) /* no answer to GET or STATUS comes near */

/* Forget what is safe; but what a report waits for is kept, so that it can be asked for again after
 * a lost connection. */
static void drop_safe(struct client_shadow *shadow)
{
    uint64_t first_waiting = answers_first_waiting(&shadow->answers);
    uint64_t id = shadow->safe_id < first_waiting ? shadow->safe_id : first_waiting - 1;
    backlog_drop(&shadow->backlog, id);
}

/* Find the shadow that a message is about. Returns 0, or -EPROTO. */
static int find_shadow(struct fluxaws_client *client, uint16_t handle,
                       struct client_shadow **ret_shadow)
{
    if (handle >= client->shadow_count)
        return client_fail(client, -EPROTO, "the daemon speaks of shadow %u, which is not open",
                           handle);
    *ret_shadow = client->shadows[handle];
    return 0;
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
    struct client_shadow *shadow = NULL;
    int r = flux_answer_decode(frame, &answer);
    if (r == 0)
        r = find_shadow(client, answer.shadow, &shadow);
    if (r < 0)
        return r;
    if (answer.last_id > shadow->queued_id)
        shadow->queued_id = answer.last_id;
    r = answers_reach(&shadow->answers, &answer, client->sent_id);
    drop_safe(shadow);
    return r;
}

static int on_rejected(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_rejected rejected;
    struct client_shadow *shadow = NULL;
    int r = flux_rejected_decode(frame, &rejected);
    if (r == 0)
        r = find_shadow(client, rejected.shadow, &shadow);
    if (r < 0 || rejected.first_id > client->sent_id)
        return r; /* of a report that was not sent yet nothing can be said */
    client->rejected_count++;
    (void)snprintf(client->rejected_text, sizeof(client->rejected_text), "%.*s: %.*s (code %u)",
                   (int)rejected.path.size, rejected.path.text, (int)rejected.text.size,
                   rejected.text.text, rejected.code);
    r = client->callback != NULL || shadow->answers.report_count > 0
            ? answers_reject(&shadow->answers, &rejected, client->sent_id)
            : 0;
    /* A report refused before it was ever QUEUED was refused whole, and nothing of it is kept: sent
     * again it might be taken after all. One refused later goes on with its other properties. */
    if (rejected.first_id == rejected.last_id && rejected.first_id > shadow->queued_id)
        backlog_drop_one(&shadow->backlog, rejected.first_id);
    drop_safe(shadow);
    return r;
}

static int on_safe(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_safe safe;
    struct client_shadow *shadow = NULL;
    int r = flux_safe_decode(frame, &safe);
    if (r == 0)
        r = find_shadow(client, safe.shadow, &shadow);
    if (r < 0)
        return r;
    uint64_t id = safe.last_id < client->sent_id ? safe.last_id : client->sent_id;
    if (id > shadow->safe_id)
        shadow->safe_id = id;
    drop_safe(shadow);
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

/* Hand the end of a request to whoever made it; one that nobody waits for any more is late. */
static bool end_other(struct fluxaws_client *client, uint64_t request_id, int error,
                      struct flux_text text)
{
    return client_shadow_opened(client, request_id, error, text.text, text.size) ||
           client_watch_answered(client, request_id, error, text.text, text.size) ||
           client_will_answered(client, request_id, error, text.text, text.size);
}

static int on_opened(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_opened opened;
    int r = flux_opened_decode(frame, &opened);
    if (r == 0)
        (void)client_shadow_opened(client, opened.request_id, 0, "", 0);
    return r;
}

static int on_desired(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_desired desired;
    int r = flux_desired_decode(frame, &desired);
    return r < 0 ? r : client_take_desired(client, &desired);
}

static int on_done(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_done done;
    int r = flux_done_decode(frame, &done);
    if (r < 0)
        return r;
    if (is_asked(client, done.request_id))
        end_request(client, 0);
    else
        (void)end_other(client, done.request_id, 0, flux_text(""));
    return 0;
}

static int on_failed(struct fluxaws_client *client, const struct flux_frame *frame)
{
    struct flux_failed failed;
    int r = flux_failed_decode(frame, &failed);
    if (r < 0)
        return r;
    int error = failed.code > 0 && failed.code < 4096 ? -(int)failed.code : -EPROTO;
    if (!is_asked(client, failed.request_id)) {
        (void)end_other(client, failed.request_id, error, failed.text);
        return 0;
    }
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
    int reason = client_fail(client, goodbye_reason(goodbye.code), "the daemon closed: %.*s",
                             (int)goodbye.text.size, goodbye.text.text);
    /* Asked again, a daemon that does not know the question would close again. */
    if (goodbye.code == FLUX_GOODBYE_UNKNOWN && client->request.state == CLIENT_REQUEST_SENT)
        end_request(client, -EOPNOTSUPP);
    return reason;
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
    case FLUX_MESSAGE_OPENED:
        return on_opened(client, frame);
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
    case FLUX_MESSAGE_DESIRED:
        return on_desired(client, frame);
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
        /* What there was no memory for was not taken: on a new connection all that is still waited
         * for is asked for again. */
        if (r < 0) {
            client_disconnect(client, r);
            return;
        }
        buffer_consume(&client->in, size);
    }
}
