#include "client/client.h"
#include "proto/message.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

/* Room for a frame of `size` bytes in the outgoing buffer. Returns 0 or -ENOMEM. */
static int begin_frame(struct fluxaws_client *client, struct flux_wire_writer *writer, size_t size)
{
    uint8_t *room = buffer_reserve(&client->out, size);
    if (room == NULL)
        return -ENOMEM;
    flux_wire_writer_init(writer, room, size);
    return 0;
}

static void end_frame(struct fluxaws_client *client, const struct flux_wire_writer *writer)
{
    client_debug(client, "->", writer->data, writer->size);
    buffer_commit(&client->out, writer->size);
}

int client_send_hello(struct fluxaws_client *client)
{
    struct flux_wire_writer writer;
    int r = begin_frame(client, &writer, 256);
    if (r < 0)
        return r;
    struct flux_hello hello = {
        .min_version = FLUX_PROTOCOL_VERSION_MIN,
        .max_version = FLUX_PROTOCOL_VERSION_MAX,
        .instance_id = client->instance_id,
        .name = flux_text(client->name),
    };
    r = flux_hello_encode(&writer, &hello);
    if (r == 0)
        end_frame(client, &writer);
    return r;
}

static int add_change(struct flux_report_encoder *encoder, const struct flux_change *change)
{
    if (change->kind == FLUX_UNSET)
        return flux_report_add_unset(encoder, change->path, change->path_size);
    return flux_report_add_set(encoder, change->path, change->path_size, &change->value);
}

static int write_report(struct fluxaws_client *client, uint64_t id)
{
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    struct flux_report report = {.request_id = id, .level = client->wanted};
    int r = begin_frame(client, &writer, client->changes.frame_bytes);
    if (r == 0)
        r = flux_report_begin(&encoder, &writer, client->changes.frame_bytes, &report);
    if (r < 0)
        return r;
    for (size_t i = 0; i < client->changes.count; i++) {
        struct flux_change change = changes_get(&client->changes, i);
        r = add_change(&encoder, &change);
        if (r < 0)
            return r;
    }
    flux_report_end(&encoder);
    end_frame(client, &writer);
    return 0;
}

/* The short way, straight from the call to the socket, is open when nothing waits before it. */
static bool may_go_directly(const struct fluxaws_client *client, uint64_t previous_id)
{
    return client->state != CLIENT_AWAY && client->sent_id >= previous_id &&
           buffer_size(&client->out) == 0 && client->changes.frame_bytes <= frame_limit(client);
}

void client_send_report(struct fluxaws_client *client, uint64_t id)
{
    uint64_t previous_id = client->last_report_id;
    client->last_report_id = id;
    client_write(client);
    if (may_go_directly(client, previous_id) && write_report(client, id) == 0) {
        client->sent_id = id;
        client_write(client);
    }
}

/* A daemon that takes smaller frames than the one before cannot be given this report. */
static void refuse_too_large(struct fluxaws_client *client, uint64_t id)
{
    struct flux_rejected rejected = {
        .first_id = id,
        .last_id = id,
        .code = EMSGSIZE,
        .text = flux_text("the report is larger than the daemon's MaxFrameBytes"),
    };
    client->rejected_count++;
    (void)client_fail(client, 0, "report rejected: it is larger than the daemon's MaxFrameBytes");
    (void)answers_reject(&client->answers, &rejected, id);
}

/* Write the `count` items of one report. Returns 0; -ENOMEM; -EMSGSIZE for one too large. */
static int write_items(struct fluxaws_client *client, const struct backlog_item *items,
                       size_t count, enum flux_level level)
{
    struct flux_report report = {
        .request_id = items[0].id,
        .level = level,
        .resent = items[0].id <= client->resent_until,
    };
    if (report.resent)
        report.set_us = items[0].set_us;
    for (size_t i = 1; i < count && report.resent; i++)
        if (items[i].set_us < report.set_us)
            report.set_us = items[i].set_us;
    size_t limit = frame_limit(client);
    struct flux_wire_writer writer;
    struct flux_report_encoder encoder;
    int r = begin_frame(client, &writer, limit);
    if (r == 0)
        r = flux_report_begin(&encoder, &writer, limit, &report);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        const struct flux_property *property = items[i].property;
        if (items[i].is_cut)
            r = flux_report_add_unset(&encoder, property->path, property->path_size);
        else
            r = flux_report_add_set(&encoder, property->path, property->path_size,
                                    &property->value);
        if (r < 0)
            return r == -ENOBUFS ? -EMSGSIZE : r;
    }
    flux_report_end(&encoder);
    r = answers_frame_sent(&client->answers, items[0].id, count);
    if (r == 0)
        end_frame(client, &writer);
    return r;
}

static size_t count_same_report(const struct backlog_item *items, size_t count)
{
    size_t same = 1;
    while (same < count && items[same].id == items[0].id)
        same++;
    return same;
}

/* Write what the list holds, report by report. `*ret_sent` gets how far it came: to the end, or to
 * the last report written. `*ret_too_large` gets a report that cannot be sent, or 0. */
static void write_list(struct fluxaws_client *client, const struct backlog_item *items,
                       size_t count, uint64_t *ret_sent, uint64_t *ret_too_large)
{
    enum flux_level level = answers_wanted(&client->answers);
    size_t i = 0;
    *ret_too_large = 0;
    while (i < count && buffer_size(&client->out) < PUMP_BYTES) {
        size_t same = count_same_report(&items[i], count - i);
        int r = write_items(client, &items[i], same, level);
        if (r == -EMSGSIZE && client->state == CLIENT_READY)
            *ret_too_large = items[i].id;
        if (r < 0)
            return;
        *ret_sent = items[i].id;
        i += same;
    }
    if (i == count)
        *ret_sent = client->last_report_id;
}

void client_pump(struct fluxaws_client *client)
{
    while (client->state != CLIENT_AWAY && !client_has_sent_all(client) &&
           buffer_size(&client->out) == 0) {
        struct backlog_item *items;
        size_t count;
        if (backlog_list(&client->backlog, client->sent_id, &items, &count) < 0)
            return; /* without memory now; the next turn tries again */
        uint64_t from = client->sent_id, too_large;
        write_list(client, items, count, &client->sent_id, &too_large);
        free(items);
        answers_frames_done(&client->answers, from, client->sent_id, client->last_report_id);
        if (too_large != 0) {
            refuse_too_large(client, too_large);
            backlog_drop_one(&client->backlog, too_large);
        } else if (client->sent_id == from) {
            return;
        }
        client_write(client);
    }
}

int client_send_flush(struct fluxaws_client *client, enum flux_level level)
{
    struct flux_wire_writer writer;
    int r = begin_frame(client, &writer, 64);
    if (r < 0)
        return r;
    struct flux_flush flush = {.request_id = ++client->last_id, .level = level};
    client->request.id = flush.request_id;
    r = flux_flush_encode(&writer, &flush);
    if (r == 0)
        end_frame(client, &writer);
    return r;
}

int client_send_get(struct fluxaws_client *client, enum flux_section section, const char *path)
{
    struct flux_wire_writer writer;
    int r = begin_frame(client, &writer, FLUX_PATH_BYTES_MAX + 64u);
    if (r < 0)
        return r;
    struct flux_get get = {
        .request_id = ++client->last_id,
        .section = section,
        .path = flux_text(path),
    };
    client->request.id = get.request_id;
    r = flux_get_encode(&writer, &get);
    if (r == 0)
        end_frame(client, &writer);
    return r;
}

int client_send_status(struct fluxaws_client *client)
{
    struct flux_wire_writer writer;
    int r = begin_frame(client, &writer, 64);
    if (r < 0)
        return r;
    struct flux_status_request status = {.request_id = ++client->last_id};
    client->request.id = status.request_id;
    r = flux_status_request_encode(&writer, &status);
    if (r == 0)
        end_frame(client, &writer);
    return r;
}
