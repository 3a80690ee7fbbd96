/* Watching what the cloud wants, over lost connections, and delivering it. */
#include "client/client.h"
#include "proto/json_writer.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_WISHES_MAX 1024u /* more are not read before these are delivered */

/* ---- what the daemon says ---- */

static struct client_watch *find_asked(struct fluxaws_client *client, uint64_t request_id)
{
    struct client_watch *watch = client->watches.first;
    while (watch != NULL &&
           (watch->is_over || watch->request_id != request_id ||
            (watch->state != CLIENT_WATCH_SENT && watch->state != CLIENT_WATCH_ACTIVE)))
        watch = watch->next;
    return watch;
}

static void refuse(struct client_watch *watch, int error, const char *text, size_t text_size)
{
    watch->state = CLIENT_WATCH_REFUSED;
    watch->refusal_is_pending = watch->refusal != error || watch->refusal_is_pending;
    watch->refusal = error;
    (void)snprintf(watch->refusal_text, sizeof(watch->refusal_text), "%.*s", (int)text_size, text);
}

bool client_watch_answered(struct fluxaws_client *client, uint64_t request_id, int error,
                           const char *text, size_t text_size)
{
    struct client_watch *watch = find_asked(client, request_id);
    if (watch == NULL || (watch->state != CLIENT_WATCH_SENT && error >= 0))
        return false; /* one that stands may still fail: a right was taken away */
    if (error < 0) {
        refuse(watch, error, text, text_size);
        return true;
    }
    watch->state = CLIENT_WATCH_ACTIVE;
    watch->refusal = 0;
    watch->refusal_is_pending = false;
    return true;
}

/* Tell whether the program could be told of it: a pointer to something, that is as long as it says,
 * and a value that JSON can say. */
static bool can_be_told(const struct flux_desired *desired)
{
    const struct flux_text *path = &desired->path;
    const bool has_value = desired->value.type != FLUX_VALUE_NONE;
    if (path->size == 0)
        return !has_value;
    return path->text[0] == '/' && memchr(path->text, '\0', path->size) == NULL &&
           (desired->value.type != FLUX_VALUE_DOUBLE || isfinite(desired->value.real));
}

int client_take_desired(struct fluxaws_client *client, const struct flux_desired *desired)
{
    if (!can_be_told(desired))
        return client_fail(client, -EPROTO, "the daemon told of a wish that cannot be");
    /* A watch that was ended meanwhile may still be spoken to. */
    struct client_watch *watch = find_asked(client, desired->request_id);
    if (watch == NULL)
        return 0;
    if (desired->complete) {
        told_complete(&watch->told, desired->version);
        return 0;
    }
    return told_take(&watch->told, desired->path.text, desired->path.size, &desired->value,
                     desired->version, desired->stale);
}

void client_refuse_watches(struct fluxaws_client *client, const struct client_shadow *shadow)
{
    for (struct client_watch *watch = client->watches.first; watch != NULL; watch = watch->next)
        if (watch->shadow == shadow)
            refuse(watch, shadow->refusal, shadow->refusal_text, strlen(shadow->refusal_text));
}

void client_renew_watches(struct fluxaws_client *client, const struct client_shadow *shadow)
{
    for (struct client_watch *watch = client->watches.first; watch != NULL; watch = watch->next)
        if (watch->shadow == shadow && watch->state == CLIENT_WATCH_REFUSED)
            watch->state = CLIENT_WATCH_DUE;
}

void client_lose_watches(struct fluxaws_client *client)
{
    for (struct client_watch *watch = client->watches.first; watch != NULL; watch = watch->next) {
        watch->state = CLIENT_WATCH_DUE;
        told_begin(&watch->told);
    }
}

/* What was reported before the connection was lost goes first: it may be what was wished. */
void client_send_watches(struct fluxaws_client *client)
{
    if (client->state != CLIENT_READY || client->sent_id < client->resent_until)
        return;
    for (struct client_watch *watch = client->watches.first; watch != NULL; watch = watch->next) {
        if (watch->is_over || watch->state != CLIENT_WATCH_DUE)
            continue;
        if (watch->shadow->state == CLIENT_SHADOW_REFUSED)
            refuse(watch, watch->shadow->refusal, watch->shadow->refusal_text,
                   strlen(watch->shadow->refusal_text));
        if (watch->shadow->state != CLIENT_SHADOW_OPEN)
            continue;
        if (client_send_watch(client, watch) < 0)
            return; /* without memory now; the next turn tries again */
        watch->state = CLIENT_WATCH_SENT;
    }
}

/* ---- what the program hears ---- */

bool client_has_wishes(const struct fluxaws_client *client)
{
    const struct client_watch *watch = client->watches.first;
    while (watch != NULL &&
           (watch->is_over || (watch->told.pending_count == 0 && !watch->refusal_is_pending)))
        watch = watch->next;
    return watch != NULL;
}

bool client_has_many_wishes(const struct fluxaws_client *client)
{
    size_t count = 0;
    for (const struct client_watch *watch = client->watches.first; watch != NULL;
         watch = watch->next)
        count += watch->told.pending_count;
    return count >= PENDING_WISHES_MAX;
}

static const char *name_or_null(const char *name)
{
    return name[0] != '\0' ? name : NULL;
}

static void call(struct fluxaws_client *client, const struct client_watch *watch,
                 struct fluxaws_desired *desired)
{
    desired->size = sizeof(*desired);
    desired->thing = name_or_null(watch->shadow->thing);
    desired->shadow = name_or_null(watch->shadow->shadow);
    client->is_in_callback = true;
    watch->callback(client, desired, watch->data);
    client->is_in_callback = false;
}

static void deliver_refusal(struct fluxaws_client *client, struct client_watch *watch)
{
    watch->refusal_is_pending = false;
    struct fluxaws_desired desired = {
        .path = watch->path,
        .error = watch->refusal,
        .text = watch->refusal_text,
    };
    call(client, watch, &desired);
}

static bool may_remember(const struct fluxaws_client *client)
{
    size_t bytes = 0;
    for (const struct client_watch *watch = client->watches.first; watch != NULL;
         watch = watch->next)
        bytes += watch->told.bytes;
    return bytes <= CLIENT_TOLD_BYTES_MAX;
}

/* Returns false without memory for the text: the wish waits. */
static bool deliver_wish(struct fluxaws_client *client, struct client_watch *watch,
                         struct told_wish *wish)
{
    struct flux_json_writer json;
    flux_json_writer_init(&json, 0);
    flux_json_value(&json, &wish->newest);
    char *path = strdup(wish->path);
    bool has_value = wish->newest.type != FLUX_VALUE_NONE;
    bool has_memory = path != NULL && flux_json_writer_error(&json) == 0;
    if (has_memory) {
        struct fluxaws_desired desired = {
            .path = path,
            .json = has_value ? json.text : NULL,
            .version = wish->version,
            .stale = wish->stale,
            .text = "",
        };
        told_hear(&watch->told, wish, may_remember(client));
        call(client, watch, &desired);
    }
    free(path);
    flux_json_writer_clear(&json);
    return has_memory;
}

/* Free what was unwatched, now that nobody stands in it. */
static void sweep(struct fluxaws_client *client)
{
    struct client_watch **link = &client->watches.first;
    while (*link != NULL) {
        struct client_watch *watch = *link;
        if (!watch->is_over) {
            link = &watch->next;
            continue;
        }
        *link = watch->next;
        told_clear(&watch->told);
        free(watch);
    }
}

int client_deliver_wishes(struct fluxaws_client *client)
{
    int delivered = 0;
    for (struct client_watch *watch = client->watches.first; watch != NULL; watch = watch->next) {
        if (watch->refusal_is_pending && !watch->is_over) {
            deliver_refusal(client, watch);
            delivered++;
        }
        /* What comes meanwhile waits for the next round, so that this one ends. */
        for (size_t left = watch->told.pending_count; left > 0 && !watch->is_over; left--) {
            struct told_wish *wish = told_next(&watch->told);
            if (wish == NULL || !deliver_wish(client, watch, wish))
                break;
            delivered++;
        }
    }
    sweep(client);
    return delivered;
}

/* ---- the calls ---- */

static void append(struct client_watches *watches, struct client_watch *watch)
{
    struct client_watch **link = &watches->first;
    while (*link != NULL)
        link = &(*link)->next;
    *link = watch;
    watches->count++;
}

int fluxaws_watch(struct fluxaws_client *client, const char *path,
                  fluxaws_desired_callback callback, void *data)
{
    if (callback == NULL)
        return client_fail(client, -EINVAL, "a watch needs a callback");
    if (client->watches.count == CLIENT_WATCHES_MAX)
        return client_fail(client, -ENOSPC, "one handle has at most %u watches; open another",
                           CLIENT_WATCHES_MAX);
    struct client_watch *watch = calloc(1, sizeof(*watch));
    if (watch == NULL)
        return client_fail(client, -ENOMEM, "%s", fluxaws_strerror(-ENOMEM));
    int r = client_canonical_part(client, path, watch->path);
    if (r < 0) {
        free(watch);
        return r;
    }
    watch->id = ++client->watches.last_id;
    watch->shadow = client->shadow;
    watch->callback = callback;
    watch->data = data;
    append(&client->watches, watch);
    client_send_watches(client);
    client_write(client);
    client_update_events(client);
    return watch->id;
}

int fluxaws_unwatch(struct fluxaws_client *client, int id)
{
    struct client_watch *watch = client->watches.first;
    while (watch != NULL && (watch->is_over || watch->id != id))
        watch = watch->next;
    if (watch == NULL)
        return client_fail(client, -ENOENT, "there is no watch %d", id);
    if (watch->state == CLIENT_WATCH_SENT || watch->state == CLIENT_WATCH_ACTIVE)
        (void)client_send_unwatch(client, watch);
    watch->is_over = true;
    client->watches.count--;
    if (!client->is_in_callback)
        sweep(client);
    client_write(client);
    client_update_events(client);
    return 0;
}

void client_free_watches(struct fluxaws_client *client)
{
    for (struct client_watch *watch = client->watches.first; watch != NULL; watch = watch->next)
        watch->is_over = true;
    sweep(client);
    client->watches.count = 0;
}
