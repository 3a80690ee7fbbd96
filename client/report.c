/* The calls that report. */
#include "client/client.h"
#include "proto/path.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define UNREAD_REPORTS_MAX 64u /* so often at least, a program that only sets reads its answers */

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int path_errno(enum flux_path_error error)
{
    switch (error) {
    case FLUX_PATH_OK:
        return 0;
    case FLUX_PATH_TOO_LONG:
    case FLUX_PATH_TOO_DEEP:
        return -ENAMETOOLONG;
    case FLUX_PATH_NOT_UTF8:
        return -EILSEQ;
    case FLUX_PATH_EMPTY:
    case FLUX_PATH_EMPTY_KEY:
    case FLUX_PATH_CONTROL:
    case FLUX_PATH_BAD_ESCAPE:
    case FLUX_PATH_NO_SLASH:
    default:
        return -EINVAL;
    }
}

int client_canonical_path(struct fluxaws_client *client, const char *path,
                          char ret_pointer[static FLUX_PATH_BYTES_MAX + 1])
{
    if (path == NULL)
        return client_fail(client, -EINVAL, "no path given");
    enum flux_path_error error = flux_path_canonical(path, ret_pointer);
    if (error == FLUX_PATH_OK)
        return 0;
    if (error == FLUX_PATH_NOT_UTF8)
        return client_fail(client, -EILSEQ, "path: %s", flux_path_strerror(error));
    return client_fail(client, path_errno(error), "path '%.80s': %s", path,
                       flux_path_strerror(error));
}

int client_canonical_part(struct fluxaws_client *client, const char *path,
                          char ret_pointer[static FLUX_PATH_BYTES_MAX + 1])
{
    ret_pointer[0] = '\0';
    return path != NULL ? client_canonical_path(client, path, ret_pointer) : 0;
}

/* The bound on the backlog is that of all shadows together. */
static int try_apply(struct fluxaws_client *client, uint64_t id, int64_t set_us)
{
    struct backlog *backlog = &client->shadow->backlog;
    size_t others = client_backlog_bytes(client) - backlog->bytes;
    backlog->bytes_max =
        client->backlog_bytes_max > others ? client->backlog_bytes_max - others : 0;
    return backlog_apply(backlog, &client->changes, id, set_us);
}

static int apply(struct fluxaws_client *client, uint64_t id)
{
    int64_t set_us = now_us();
    int r = try_apply(client, id, set_us);
    if (r != -ENOBUFS)
        return r;
    client_turn(client); /* perhaps the daemon has said that something is safe */
    return try_apply(client, id, set_us);
}

/* The report ends before it has begun: as the daemon would end it. */
static int reject(struct fluxaws_client *client, uint64_t id, int code, const char *path,
                  const char *text)
{
    struct client_shadow *shadow = client->shadow;
    struct flux_rejected rejected = {
        .first_id = id,
        .last_id = id,
        .code = (uint32_t)code,
        .path = flux_text(path),
        .text = flux_text(text),
    };
    bool is_next = client_has_sent_all(client) && client->state != CLIENT_AWAY;
    client->last_id = id;
    client->last_report_id = id;
    shadow->last_report_id = id;
    if (is_next)
        client->sent_id = id;
    client->rejected_count++;
    (void)snprintf(client->rejected_text, sizeof(client->rejected_text), "%s%s%.400s (code %d)",
                   path, path[0] != '\0' ? ": " : "", text, code);
    return client->callback != NULL ? answers_reject(&shadow->answers, &rejected, id) : 0;
}

/* A daemon refuses a report that contradicts itself; merged in the backlog it would never see it.
 * Returns 1 if the report has been rejected; 0; -ENOMEM. */
static int reject_contradiction(struct fluxaws_client *client, uint64_t id)
{
    size_t pair[2];
    if (client->changes.count < 2 || client_may_send_directly(client))
        return 0;
    int r = changes_find_contradiction(&client->changes, pair);
    if (r <= 0)
        return r;
    struct flux_change above = changes_get(&client->changes, pair[0]);
    struct flux_change below = changes_get(&client->changes, pair[1]);
    char path[FLUX_PATH_BYTES_MAX + 1], text[400];
    (void)snprintf(path, sizeof(path), "%.*s", (int)below.path_size, below.path);
    (void)snprintf(text, sizeof(text),
                   "%.*s and %.*s exclude each other: one is a value, the other lies below it",
                   above.path_size < 150 ? (int)above.path_size : 150, above.path,
                   below.path_size < 150 ? (int)below.path_size : 150, below.path);
    r = reject(client, id, 400, path, text);
    return r < 0 ? r : 1;
}

/* Returns 1 if the report need not be sent; 0; -ENOMEM; -ENOBUFS. */
static int end_early(struct fluxaws_client *client, uint64_t id)
{
    const struct client_shadow *shadow = client->shadow;
    if (shadow->state != CLIENT_SHADOW_REFUSED)
        return reject_contradiction(client, id);
    int r = reject(client, id, -shadow->refusal, "", shadow->refusal_text);
    return r < 0 ? r : 1;
}

static int take_report(struct fluxaws_client *client)
{
    uint64_t id = client->last_id + 1;
    struct answers *answers = &client->shadow->answers;
    int r = 0;
    if (client->callback != NULL)
        r = answers_expect(answers, id, client->wanted, client->changes.count);
    if (r < 0)
        return r;
    r = end_early(client, id);
    if (r == 1)
        return 0;
    if (r == 0)
        r = apply(client, id);
    if (r < 0) {
        if (client->callback != NULL)
            answers_unexpect(answers, id);
        return r;
    }
    client->last_id = id;
    client_send_report(client, id);
    return 0;
}

/* Reading now and then keeps the daemon's answers from filling the socket of a program that never
 * dispatches. */
static void keep_house(struct fluxaws_client *client)
{
    bool is_behind = client->state == CLIENT_AWAY || !client_has_sent_all(client) ||
                     buffer_size(&client->out) > 0;
    if (!is_behind && ++client->unread_count < UNREAD_REPORTS_MAX)
        return;
    client->unread_count = 0;
    client_turn(client);
}

static int report(struct fluxaws_client *client)
{
    if (client->changes.count == 0)
        return 0;
    if (client->changes.frame_bytes > client->frame_bytes_max)
        return client_fail(client, -E2BIG, "the report takes more than the daemon's %zu bytes",
                           client->frame_bytes_max);
    int r = take_report(client);
    if (r == -ENOBUFS)
        return client_fail(client, r, "the backlog is full: %zu of %zu bytes, %zu properties",
                           client_backlog_bytes(client), client->backlog_bytes_max,
                           client->shadow->backlog.set.value_count);
    if (r < 0)
        return client_fail(client, r, "%s", fluxaws_strerror(r));
    keep_house(client);
    return 0;
}

/* End a call that added to the changes, or failed to. */
int client_finish_report(struct fluxaws_client *client, int r)
{
    if (client->is_collecting) {
        if (r < 0 && client->collect_error == 0)
            client->collect_error = r;
        return r;
    }
    if (r == 0)
        r = report(client);
    changes_reset(&client->changes);
    return r;
}

static int check_value(struct fluxaws_client *client, const char *path,
                       const struct flux_value *value)
{
    int r = flux_value_check(value);
    if (r == -EDOM)
        return client_fail(client, r, "'%.80s': the number is not finite", path);
    if (r == -EILSEQ)
        return client_fail(client, r, "'%.80s': the string is not UTF-8", path);
    if (r == -E2BIG)
        return client_fail(client, r, "'%.80s': the value is longer than %u bytes", path,
                           FLUX_VALUE_BYTES_MAX);
    if (r < 0)
        return client_fail(client, r, "'%.80s': the value is malformed", path);
    return 0;
}

static int add(struct fluxaws_client *client, enum flux_operation kind, const char *path,
               const struct flux_value *value)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_path(client, path, pointer);
    if (r < 0)
        return r;
    struct flux_change change = {.kind = kind, .path = pointer, .path_size = strlen(pointer)};
    if (value != NULL) {
        r = check_value(client, path, value);
        if (r < 0)
            return r;
        change.value = *value;
    }
    return changes_add(&client->changes, &change);
}

int fluxaws_set_int64(struct fluxaws_client *client, const char *path, int64_t value)
{
    struct flux_value copy = flux_value_int64(value);
    return client_finish_report(client, add(client, FLUX_SET, path, &copy));
}

int fluxaws_set_double(struct fluxaws_client *client, const char *path, double value)
{
    struct flux_value copy = flux_value_double(value);
    return client_finish_report(client, add(client, FLUX_SET, path, &copy));
}

int fluxaws_set_bool(struct fluxaws_client *client, const char *path, bool value)
{
    struct flux_value copy = flux_value_bool(value);
    return client_finish_report(client, add(client, FLUX_SET, path, &copy));
}

int fluxaws_set_string(struct fluxaws_client *client, const char *path, const char *value)
{
    if (value == NULL)
        return client_finish_report(client, client_fail(client, -EINVAL, "no string given"));
    struct flux_value copy = flux_value_string(value, strnlen(value, FLUX_VALUE_BYTES_MAX + 1u));
    return client_finish_report(client, add(client, FLUX_SET, path, &copy));
}

int fluxaws_unset(struct fluxaws_client *client, const char *path)
{
    return client_finish_report(client, add(client, FLUX_UNSET, path, NULL));
}

int fluxaws_settle(struct fluxaws_client *client, const char *path)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_part(client, path, pointer);
    if (r == 0) {
        struct flux_change change = {
            .kind = FLUX_SETTLE, .path = pointer, .path_size = strlen(pointer)};
        r = changes_add(&client->changes, &change);
    }
    return client_finish_report(client, r);
}

int fluxaws_report_begin(struct fluxaws_client *client)
{
    if (client->is_collecting)
        return client_fail(client, -EALREADY, "a report is being collected already");
    client->is_collecting = true;
    client->collect_error = 0;
    return 0;
}

int fluxaws_report_send(struct fluxaws_client *client)
{
    if (!client->is_collecting)
        return client_fail(client, -EINVAL, "no report is being collected");
    int r = client->collect_error;
    client->is_collecting = false;
    return client_finish_report(client, r);
}

void fluxaws_report_cancel(struct fluxaws_client *client)
{
    client->is_collecting = false;
    changes_reset(&client->changes);
}

uint64_t fluxaws_last_report_id(struct fluxaws_client *client)
{
    return client->last_report_id;
}
