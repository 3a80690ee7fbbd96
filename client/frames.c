/* Every message of the library but reports and wills, one function each. */
#include "client/client.h"
#include "proto/message.h"
#include <errno.h>
#include <string.h>

#define PATH_FRAME_BYTES (FLUX_PATH_BYTES_MAX + 64u)
#define SMALL_BYTES      64u

int client_begin_frame(struct fluxaws_client *client, struct flux_wire_writer *writer, size_t size)
{
    uint8_t *room = buffer_reserve(&client->out, size);
    if (room == NULL)
        return -ENOMEM;
    flux_wire_writer_init(writer, room, size);
    return 0;
}

void client_end_frame(struct fluxaws_client *client, const struct flux_wire_writer *writer)
{
    client_debug(client, "->", writer->data, writer->size);
    buffer_commit(&client->out, writer->size);
}

/* Let the frame go if it was encoded. */
static int end(struct fluxaws_client *client, const struct flux_wire_writer *writer, int r)
{
    if (r == 0)
        client_end_frame(client, writer);
    return r;
}

int client_send_hello(struct fluxaws_client *client)
{
    struct flux_wire_writer writer;
    int r = client_begin_frame(client, &writer, 256);
    if (r < 0)
        return r;
    struct flux_hello hello = {
        .min_version = FLUX_PROTOCOL_VERSION_MIN,
        .max_version = FLUX_PROTOCOL_VERSION_MAX,
        .instance_id = client->instance_id,
        .name = flux_text(client->name),
    };
    return end(client, &writer, flux_hello_encode(&writer, &hello));
}

int client_send_bye(struct fluxaws_client *client)
{
    struct flux_wire_writer writer;
    int r = client_begin_frame(client, &writer, SMALL_BYTES);
    return r < 0 ? r : end(client, &writer, flux_bye_encode(&writer));
}

int client_send_open(struct fluxaws_client *client, struct client_shadow *shadow)
{
    struct flux_wire_writer writer;
    int r = client_begin_frame(client, &writer, 256);
    if (r < 0)
        return r;
    struct flux_open_shadow open = {
        .handle = shadow->handle,
        .request_id = ++client->last_id,
        .thing = flux_text(shadow->thing),
        .shadow = flux_text(shadow->shadow),
    };
    shadow->open_id = open.request_id;
    return end(client, &writer, flux_open_shadow_encode(&writer, &open));
}

int client_send_watch(struct fluxaws_client *client, struct client_watch *watch)
{
    struct flux_wire_writer writer;
    int r = client_begin_frame(client, &writer, PATH_FRAME_BYTES);
    if (r < 0)
        return r;
    struct flux_watch message = {
        .shadow = watch->shadow->handle,
        .request_id = ++client->last_id,
        .path = flux_text(watch->path),
    };
    watch->request_id = message.request_id;
    return end(client, &writer, flux_watch_encode(&writer, &message));
}

int client_send_unwatch(struct fluxaws_client *client, const struct client_watch *watch)
{
    struct flux_wire_writer writer;
    int r = client_begin_frame(client, &writer, SMALL_BYTES);
    if (r < 0)
        return r;
    struct flux_unwatch message = {
        .shadow = watch->shadow->handle,
        .request_id = watch->request_id,
    };
    return end(client, &writer, flux_unwatch_encode(&writer, &message));
}

/* ---- questions ---- */

static int begin_question(struct fluxaws_client *client, struct flux_wire_writer *writer,
                          size_t size)
{
    int r = client_begin_frame(client, writer, size);
    if (r == 0)
        client->request.id = ++client->last_id;
    return r;
}

int client_send_flush(struct fluxaws_client *client, enum flux_level level)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, SMALL_BYTES);
    if (r < 0)
        return r;
    struct flux_flush flush = {.request_id = client->request.id, .level = level};
    return end(client, &writer, flux_flush_encode(&writer, &flush));
}

int client_send_get(struct fluxaws_client *client, enum flux_section section, const char *path)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, PATH_FRAME_BYTES);
    if (r < 0)
        return r;
    struct flux_get get = {
        .shadow = client->shadow->handle,
        .request_id = client->request.id,
        .section = section,
        .path = flux_text(path),
    };
    return end(client, &writer, flux_get_encode(&writer, &get));
}

int client_send_keys(struct fluxaws_client *client, const char *path)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, PATH_FRAME_BYTES);
    if (r < 0)
        return r;
    struct flux_keys keys = {
        .shadow = client->shadow->handle,
        .request_id = client->request.id,
        .path = flux_text(path),
    };
    return end(client, &writer, flux_keys_encode(&writer, &keys));
}

int client_send_status(struct fluxaws_client *client)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, SMALL_BYTES);
    if (r < 0)
        return r;
    struct flux_status_request status = {.request_id = client->request.id};
    return end(client, &writer, flux_status_request_encode(&writer, &status));
}

int client_send_forget(struct fluxaws_client *client, const char *path)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, PATH_FRAME_BYTES);
    if (r < 0)
        return r;
    struct flux_forget forget = {
        .shadow = client->shadow->handle,
        .request_id = client->request.id,
        .path = flux_text(path),
    };
    return end(client, &writer, flux_forget_encode(&writer, &forget));
}

int client_send_reset(struct fluxaws_client *client, bool all)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, SMALL_BYTES);
    if (r < 0)
        return r;
    struct flux_reset reset = {
        .shadow = all ? 0 : client->shadow->handle,
        .all = all,
        .request_id = client->request.id,
    };
    return end(client, &writer, flux_reset_encode(&writer, &reset));
}

int client_send_history(struct fluxaws_client *client)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, SMALL_BYTES);
    if (r < 0)
        return r;
    struct flux_history_request history = {.request_id = client->request.id};
    return end(client, &writer, flux_history_request_encode(&writer, &history));
}

int client_send_admin(struct fluxaws_client *client, const struct flux_admin *admin)
{
    struct flux_wire_writer writer;
    int r = begin_question(client, &writer, SMALL_BYTES);
    if (r < 0)
        return r;
    struct flux_admin whole = *admin;
    whole.request_id = client->request.id;
    return end(client, &writer, flux_admin_encode(&writer, &whole));
}
