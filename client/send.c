/* Reports on their way: straight from the call, or from the backlogs of the shadows. */
#include "client/client.h"
#include "proto/message.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define PUMP_BYTES 65536u /* more is not taken out of the backlog ahead of the socket */

/* The largest frame that may go out now. */
static size_t frame_limit(const struct fluxaws_client *client)
{
    return client->state == CLIENT_READY ? client->frame_bytes_max : CLIENT_EARLY_FRAME_BYTES;
}

bool client_has_sent_all(const struct fluxaws_client *client)
{
    return client->sent_id >= client->last_report_id;
}

int client_add_change(struct flux_report_encoder *encoder, const struct flux_change *change)
{
    switch (change->kind) {
    case FLUX_UNSET:
        return flux_report_add_unset(encoder, change->path, change->path_size);
    case FLUX_SETTLE:
        return flux_report_add_settle(encoder, change->path, change->path_size);
    case FLUX_SET:
    default:
        return flux_report_add_set(encoder, change->path, change->path_size, &change->value);
    }
}

static int write_report(struct fluxaws_client *client, uint64_t id)
{
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    struct flux_report report = {
        .shadow = client->shadow->handle,
        .request_id = id,
        .level = client->wanted,
    };
    int r = client_begin_frame(client, &writer, client->changes.frame_bytes);
    if (r == 0)
        r = flux_report_begin(&encoder, &writer, client->changes.frame_bytes, &report);
    if (r < 0)
        return r;
    for (size_t i = 0; i < client->changes.count; i++) {
        struct flux_change change = changes_get(&client->changes, i);
        r = client_add_change(&encoder, &change);
        if (r < 0)
            return r;
    }
    flux_report_end(&encoder);
    client_end_frame(client, &writer);
    return 0;
}

/* That short way is open when nothing waits before it. */
bool client_may_send_directly(const struct fluxaws_client *client)
{
    return client->state != CLIENT_AWAY && client->shadow->state == CLIENT_SHADOW_OPEN &&
           client_has_sent_all(client) && buffer_size(&client->out) == 0 &&
           client->changes.frame_bytes <= frame_limit(client);
}

void client_send_report(struct fluxaws_client *client, uint64_t id)
{
    client_write(client);
    bool is_direct = client_may_send_directly(client);
    client->last_report_id = id;
    client->shadow->last_report_id = id;
    if (is_direct && write_report(client, id) == 0) {
        client->sent_id = id;
        client_write(client);
    }
}

/* A daemon that takes smaller frames than the one before cannot be given this report. */
static void refuse_too_large(struct fluxaws_client *client, struct client_shadow *shadow,
                             uint64_t id)
{
    struct flux_rejected rejected = {
        .first_id = id,
        .last_id = id,
        .code = EMSGSIZE,
        .text = flux_text("the report is larger than the daemon's MaxFrameBytes"),
    };
    client->rejected_count++;
    (void)snprintf(client->rejected_text, sizeof(client->rejected_text),
                   "report rejected: it is larger than the daemon's MaxFrameBytes");
    (void)client_fail(client, 0, "%s", client->rejected_text);
    (void)answers_reject(&shadow->answers, &rejected, id);
    backlog_drop_one(&shadow->backlog, id);
}

/* ---- what the backlogs hold, report by report in the order in which they were made ---- */

struct pump_list {
    struct backlog_item *items; /* owned */
    size_t count, next;
};

/* The shadow whose list begins with the oldest report, or NULL at the end of all. */
static struct client_shadow *find_oldest(const struct fluxaws_client *client,
                                         const struct pump_list *lists)
{
    uint64_t oldest = UINT64_MAX;
    struct client_shadow *shadow = NULL;
    for (size_t i = 0; i < client->shadow_count; i++) {
        const struct pump_list *list = &lists[i];
        if (list->next < list->count && list->items[list->next].id < oldest) {
            oldest = list->items[list->next].id;
            shadow = client->shadows[i];
        }
    }
    return shadow;
}

static size_t count_same_report(const struct pump_list *list)
{
    size_t same = 1;
    while (list->next + same < list->count &&
           list->items[list->next + same].id == list->items[list->next].id)
        same++;
    return same;
}

static struct flux_report make_head(const struct fluxaws_client *client,
                                    const struct client_shadow *shadow,
                                    const struct backlog_item *items, size_t count)
{
    struct flux_report report = {
        .shadow = shadow->handle,
        .request_id = items[0].id,
        .level = answers_wanted(&shadow->answers),
        .resent = items[0].id <= client->resent_until,
    };
    if (report.resent)
        report.set_us = items[0].set_us;
    for (size_t i = 1; i < count && report.resent; i++)
        if (items[i].set_us < report.set_us)
            report.set_us = items[i].set_us;
    return report;
}

/* Write the `count` items of one report. Returns 0; -ENOMEM; -EMSGSIZE for one too large. */
static int write_items(struct fluxaws_client *client, struct client_shadow *shadow,
                       const struct backlog_item *items, size_t count)
{
    struct flux_report report = make_head(client, shadow, items, count);
    size_t limit = frame_limit(client);
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    int r = client_begin_frame(client, &writer, limit);
    if (r == 0)
        r = flux_report_begin(&encoder, &writer, limit, &report);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        struct flux_change change = {
            .kind = items[i].kind, .path = items[i].path, .path_size = items[i].path_size};
        if (items[i].value != NULL)
            change.value = *items[i].value;
        r = client_add_change(&encoder, &change);
        if (r < 0)
            return r == -ENOBUFS ? -EMSGSIZE : r;
    }
    flux_report_end(&encoder);
    r = answers_frame_sent(&shadow->answers, items[0].id, count);
    if (r == 0)
        client_end_frame(client, &writer);
    return r;
}

struct pump_end {
    struct client_shadow *too_large; /* whose report `too_large_id` cannot be sent, or NULL */
    uint64_t too_large_id;
};

/* Write what the lists hold. `client->sent_id` gets how far it came: to the end, or to the last
 * report written. A report to a shadow that is not open yet holds back those made after it: ids
 * rise on a connection. */
static struct pump_end write_lists(struct fluxaws_client *client, struct pump_list *lists)
{
    struct pump_end end = {0};
    while (buffer_size(&client->out) < PUMP_BYTES) {
        struct client_shadow *shadow = find_oldest(client, lists);
        if (shadow == NULL) {
            client->sent_id = client->last_report_id;
            return end;
        }
        if (shadow->state != CLIENT_SHADOW_OPEN)
            return end;
        struct pump_list *list = &lists[shadow->handle];
        size_t same = count_same_report(list);
        int r = write_items(client, shadow, &list->items[list->next], same);
        if (r == -EMSGSIZE && client->state == CLIENT_READY) {
            end.too_large = shadow;
            end.too_large_id = list->items[list->next].id;
        }
        if (r < 0)
            return end;
        client->sent_id = list->items[list->next].id;
        list->next += same;
    }
    return end;
}

/* List what is not sent yet. Returns 0 or -ENOMEM. */
static int list_all(const struct fluxaws_client *client, struct pump_list *lists)
{
    int r = 0;
    for (size_t i = 0; i < client->shadow_count && r == 0; i++)
        r = backlog_list(&client->shadows[i]->backlog, client->sent_id, &lists[i].items,
                         &lists[i].count);
    return r;
}

/* Write one round. Returns false when there is nothing more to be done now. */
static bool pump_once(struct fluxaws_client *client)
{
    struct pump_list lists[CLIENT_SHADOWS_MAX] = {0};
    struct pump_end end = {0};
    uint64_t from = client->sent_id;
    if (list_all(client, lists) == 0)
        end = write_lists(client, lists);
    for (size_t i = 0; i < client->shadow_count; i++)
        free(lists[i].items);
    for (size_t i = 0; i < client->shadow_count; i++)
        answers_frames_done(&client->shadows[i]->answers, from, client->sent_id,
                            client->shadows[i]->last_report_id);
    if (end.too_large != NULL)
        refuse_too_large(client, end.too_large, end.too_large_id);
    return end.too_large != NULL || client->sent_id != from;
}

void client_pump(struct fluxaws_client *client)
{
    while (client->state != CLIENT_AWAY && !client_has_sent_all(client) &&
           buffer_size(&client->out) == 0 && pump_once(client))
        client_write(client);
}
