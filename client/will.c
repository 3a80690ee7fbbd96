/* The wills of a handle's shadows: what the daemon is to report if the program ends without
 * closing. */
#include "client/client.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

static int send_will(struct fluxaws_client *client, struct client_shadow *shadow)
{
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    size_t limit = client->frame_bytes_max;
    int r = client_begin_frame(client, &writer, limit);
    if (r < 0)
        return r;
    struct flux_will will = {.shadow = shadow->handle, .request_id = ++client->last_id};
    r = flux_will_begin(&encoder, &writer, limit, &will);
    for (size_t i = 0; i < shadow->will.count && r == 0; i++) {
        struct flux_change change = changes_get(&shadow->will, i);
        r = client_add_change(&encoder, &change);
    }
    if (r < 0)
        return r == -ENOBUFS ? -EMSGSIZE : r;
    (void)flux_report_end(&encoder);
    client_end_frame(client, &writer);
    shadow->will_id = will.request_id;
    return 0;
}

static void note_refusal(struct fluxaws_client *client, int error, const char *text,
                         size_t text_size)
{
    client->rejected_count++;
    (void)snprintf(client->rejected_text, sizeof(client->rejected_text),
                   "the will was refused: %.*s (code %d)", (int)text_size, text, -error);
    client_log(client, LOG_WARNING, "%s", client->rejected_text);
}

void client_send_wills(struct fluxaws_client *client)
{
    for (size_t i = 0; i < client->shadow_count && client->state == CLIENT_READY; i++) {
        static const char too_large[] = "larger than the daemon's MaxFrameBytes";
        struct client_shadow *shadow = client->shadows[i];
        if (shadow->will_state != CLIENT_WILL_DUE)
            continue;
        if (shadow->state == CLIENT_SHADOW_REFUSED) {
            note_refusal(client, shadow->refusal, shadow->refusal_text,
                         strlen(shadow->refusal_text));
            shadow->will_state = CLIENT_WILL_SETTLED;
        }
        if (shadow->state != CLIENT_SHADOW_OPEN)
            continue;
        int r = send_will(client, shadow);
        if (r == -ENOMEM)
            return; /* the next turn tries again */
        shadow->will_state = r < 0 ? CLIENT_WILL_SETTLED : CLIENT_WILL_SENT;
        if (r < 0)
            note_refusal(client, r, too_large, strlen(too_large));
    }
}

bool client_has_sent_wills(const struct fluxaws_client *client)
{
    for (size_t i = 0; i < client->shadow_count; i++)
        if (client->shadows[i]->will_state == CLIENT_WILL_DUE)
            return false;
    return true;
}

bool client_will_answered(struct fluxaws_client *client, uint64_t request_id, int error,
                          const char *text, size_t text_size)
{
    for (size_t i = 0; i < client->shadow_count; i++) {
        struct client_shadow *shadow = client->shadows[i];
        if (shadow->will_state != CLIENT_WILL_SENT || shadow->will_id != request_id)
            continue;
        shadow->will_state = CLIENT_WILL_SETTLED;
        if (error < 0)
            note_refusal(client, error, text, text_size);
        return true;
    }
    return false;
}

int fluxaws_will_json(struct fluxaws_client *client, const char *document)
{
    if (client->is_collecting)
        return client_fail(client, -EALREADY, "a report is being collected");
    struct changes will = {0};
    int r = document != NULL ? client_add_json(client, &will, "", document) : 0;
    if (r == 0 && will.frame_bytes > client->frame_bytes_max)
        r = client_fail(client, -EMSGSIZE, "the will takes more than the daemon's %zu bytes",
                        client->frame_bytes_max);
    if (r < 0) {
        changes_clear(&will);
        return r;
    }
    struct client_shadow *shadow = client->shadow;
    bool is_known = shadow->will_state != CLIENT_WILL_NONE || will.count > 0;
    changes_clear(&shadow->will);
    shadow->will = will;
    shadow->will_state = is_known ? CLIENT_WILL_DUE : CLIENT_WILL_NONE;
    client_send_wills(client);
    client_write(client);
    client_update_events(client);
    return 0;
}
