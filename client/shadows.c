/* The shadows of a handle: choosing one, opening them on every connection, and what becomes of
 * those that the daemon refuses. */
#include "client/client.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

int client_add_shadow(struct fluxaws_client *client, const char *thing, const char *shadow,
                      struct client_shadow **ret_shadow)
{
    struct client_shadow *added = calloc(1, sizeof(*added));
    if (added == NULL)
        return -ENOMEM;
    int r = backlog_init(&added->backlog, client->backlog_bytes_max, client->hash_seed);
    if (r < 0) {
        free(added);
        return r;
    }
    added->handle = (uint16_t)client->shadow_count;
    added->state = added->handle == 0 ? CLIENT_SHADOW_OPEN : CLIENT_SHADOW_CLOSED;
    (void)snprintf(added->thing, sizeof(added->thing), "%s", thing);
    (void)snprintf(added->shadow, sizeof(added->shadow), "%s", shadow);
    answers_init(&added->answers, &client->answers, added->handle);
    client->shadows[client->shadow_count++] = added;
    *ret_shadow = added;
    return 0;
}

void client_free_shadows(struct fluxaws_client *client)
{
    for (size_t i = 0; i < client->shadow_count; i++) {
        struct client_shadow *shadow = client->shadows[i];
        backlog_clear(&shadow->backlog);
        answers_clear(&shadow->answers);
        changes_clear(&shadow->will);
        free(shadow);
    }
    client->shadow_count = 0;
}

void client_lose_shadows(struct fluxaws_client *client)
{
    for (size_t i = 0; i < client->shadow_count; i++) {
        struct client_shadow *shadow = client->shadows[i];
        if (shadow->handle != 0)
            shadow->state = CLIENT_SHADOW_CLOSED;
        shadow->queued_id = 0;
        answers_lost(&shadow->answers);
        if (shadow->will_state == CLIENT_WILL_SENT || shadow->will_state == CLIENT_WILL_SETTLED)
            shadow->will_state = shadow->will.count > 0 ? CLIENT_WILL_DUE : CLIENT_WILL_NONE;
    }
}

void client_open_shadows(struct fluxaws_client *client)
{
    for (size_t i = 1; i < client->shadow_count && client->state != CLIENT_AWAY; i++) {
        struct client_shadow *shadow = client->shadows[i];
        if (shadow->state != CLIENT_SHADOW_CLOSED)
            continue;
        if (client_send_open(client, shadow) < 0)
            return; /* without memory now; the next turn tries again */
        shadow->state = CLIENT_SHADOW_OPENING;
    }
}

bool client_is_opening(const struct fluxaws_client *client)
{
    for (size_t i = 1; i < client->shadow_count; i++)
        if (client->shadows[i]->state == CLIENT_SHADOW_OPENING)
            return true;
    return false;
}

/* Tell that reports cannot be taken: to their answers, and to the next flush. */
static void reject_all(struct fluxaws_client *client, struct client_shadow *shadow)
{
    client->rejected_count++;
    (void)snprintf(client->rejected_text, sizeof(client->rejected_text), "%s (code %d)",
                   shadow->refusal_text, -shadow->refusal);
    if (answers_reject_all(&shadow->answers, (uint32_t)-shadow->refusal, shadow->refusal_text) < 0)
        client_log(client, LOG_ERR, "out of memory: a rejection is not told");
}

static void describe_refusal(struct client_shadow *shadow, const char *text, size_t text_size)
{
    bool is_named = shadow->shadow[0] != '\0', is_foreign = shadow->thing[0] != '\0';
    (void)snprintf(shadow->refusal_text, sizeof(shadow->refusal_text), "%s%s%s%s%s: %.*s",
                   is_named ? "shadow " : "the classic shadow", shadow->shadow,
                   is_foreign ? " of thing " : "", shadow->thing,
                   is_named || is_foreign ? "" : " of this device", (int)text_size, text);
}

bool client_shadow_opened(struct fluxaws_client *client, uint64_t request_id, int error,
                          const char *text, size_t text_size)
{
    for (size_t i = 1; i < client->shadow_count; i++) {
        struct client_shadow *shadow = client->shadows[i];
        if (shadow->state != CLIENT_SHADOW_OPENING || shadow->open_id != request_id)
            continue;
        shadow->state = error == 0 ? CLIENT_SHADOW_OPEN : CLIENT_SHADOW_REFUSED;
        shadow->refusal = error;
        if (error == 0) {
            client_renew_watches(client, shadow);
            return true;
        }
        describe_refusal(shadow, text, text_size);
        client_log(client, LOG_WARNING, "the daemon refused %s", shadow->refusal_text);
        if (!backlog_is_empty(&shadow->backlog) || shadow->answers.report_count > 0)
            reject_all(client, shadow);
        backlog_drop(&shadow->backlog, UINT64_MAX);
        client_refuse_watches(client, shadow);
        return true;
    }
    return false;
}

size_t client_backlog_bytes(const struct fluxaws_client *client)
{
    size_t bytes = 0;
    for (size_t i = 0; i < client->shadow_count; i++)
        bytes += client->shadows[i]->backlog.bytes;
    return bytes;
}

static bool is_name(const char *name, size_t size_max, const char *extra)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789:_-";
    size_t size = strnlen(name, size_max + 1);
    if (size == 0 || size > size_max)
        return false;
    for (size_t i = 0; i < size; i++)
        if (strchr(letters, name[i]) == NULL && strchr(extra, name[i]) == NULL)
            return false;
    return true;
}

static struct client_shadow *find_shadow(const struct fluxaws_client *client, const char *thing,
                                         const char *shadow)
{
    for (size_t i = 0; i < client->shadow_count; i++)
        if (strcmp(client->shadows[i]->thing, thing) == 0 &&
            strcmp(client->shadows[i]->shadow, shadow) == 0)
            return client->shadows[i];
    return NULL;
}

int fluxaws_use_shadow(struct fluxaws_client *client, const char *thing, const char *shadow)
{
    if (thing != NULL && !is_name(thing, FLUX_THING_NAME_MAX, ""))
        return client_fail(client, -EINVAL,
                           "'%.140s' is no name for a thing: 1 to 128 of [a-zA-Z0-9:_-]", thing);
    if (shadow != NULL && !is_name(shadow, FLUX_SHADOW_NAME_MAX, "$"))
        return client_fail(client, -EINVAL,
                           "'%.80s' is no name for a shadow: 1 to 64 of [$a-zA-Z0-9:_-]", shadow);
    if (client->is_collecting)
        return client_fail(client, -EALREADY, "a report is being collected");
    thing = thing != NULL ? thing : "";
    shadow = shadow != NULL ? shadow : "";
    struct client_shadow *chosen = find_shadow(client, thing, shadow);
    if (chosen == NULL && client->shadow_count == CLIENT_SHADOWS_MAX)
        return client_fail(client, -ENOSPC, "one handle has at most %u shadows; open another",
                           CLIENT_SHADOWS_MAX);
    int r = chosen == NULL ? client_add_shadow(client, thing, shadow, &chosen) : 0;
    if (r < 0)
        return client_fail(client, r, "%s", fluxaws_strerror(r));
    client->shadow = chosen;
    if (chosen->state == CLIENT_SHADOW_REFUSED)
        chosen->state = CLIENT_SHADOW_CLOSED;
    client_open_shadows(client);
    client_write(client);
    client_update_events(client);
    return 0;
}
