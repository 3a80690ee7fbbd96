/* The calls that ask the daemon something and wait for it. */
#include "client/client.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum question_kind {
    QUESTION_FLUSH,
    QUESTION_GET,
    QUESTION_KEYS,
    QUESTION_STATUS,
    QUESTION_FORGET,
    QUESTION_RESET,
    QUESTION_HISTORY,
    QUESTION_ADMIN,
};

struct question {
    enum question_kind kind;
    enum flux_level level;
    enum flux_section section;
    const char *path;               /* borrowed */
    bool all;                       /* shadows */
    const struct flux_admin *admin; /* borrowed */
};

static int send_question(struct fluxaws_client *client, const struct question *question)
{
    switch (question->kind) {
    case QUESTION_FLUSH:
        return client_send_flush(client, question->level);
    case QUESTION_GET:
        return client_send_get(client, question->section, question->path);
    case QUESTION_KEYS:
        return client_send_keys(client, question->path);
    case QUESTION_STATUS:
        return client_send_status(client);
    case QUESTION_FORGET:
        return client_send_forget(client, question->path);
    case QUESTION_RESET:
        return client_send_reset(client, question->all);
    case QUESTION_HISTORY:
        return client_send_history(client);
    case QUESTION_ADMIN:
        return client_send_admin(client, question->admin);
    default:
        return -EINVAL;
    }
}

/* Tell whether the question is about the shadow in use, which must be open then. */
static bool needs_shadow(const struct question *question)
{
    switch (question->kind) {
    case QUESTION_FLUSH:
    case QUESTION_STATUS:
    case QUESTION_HISTORY:
    case QUESTION_ADMIN:
        return false;
    case QUESTION_RESET:
        return !question->all;
    case QUESTION_GET:
    case QUESTION_KEYS:
    case QUESTION_FORGET:
    default:
        return true;
    }
}

/* Ask once all reports made before are on their way, so that the answer takes them in. */
static int ask_if_ready(struct fluxaws_client *client, const struct question *question)
{
    struct client_request *request = &client->request;
    if (request->state == CLIENT_REQUEST_LOST) {
        if (question->kind != QUESTION_FLUSH)
            return client_fail(client, -ENOTCONN, "the connection was lost before the answer came");
        request->state = CLIENT_REQUEST_NONE;
    }
    if (request->state != CLIENT_REQUEST_NONE || client->state != CLIENT_READY)
        return 0;
    const struct client_shadow *shadow = client->shadow;
    if (needs_shadow(question) && shadow->state == CLIENT_SHADOW_REFUSED)
        return client_fail(client, shadow->refusal, "%s", shadow->refusal_text);
    if (!client_has_sent_all(client) || !client_has_sent_wills(client) ||
        (needs_shadow(question) && shadow->state != CLIENT_SHADOW_OPEN))
        return 0;
    if (question->kind == QUESTION_FLUSH && question->level == FLUX_LEVEL_STORED &&
        !client->is_durable)
        return client_fail(client, -EOPNOTSUPP,
                           "nothing is STORED: the daemon keeps its state in memory only "
                           "(Mode=volatile, or a state directory on tmpfs)");
    buffer_clear(&request->text);
    int r = send_question(client, question);
    if (r < 0)
        return r;
    request->state = CLIENT_REQUEST_SENT;
    client_write(client);
    client_update_events(client);
    return 0;
}

static int fail_in_time(struct fluxaws_client *client)
{
    if (client->state == CLIENT_AWAY)
        return client_fail(client, -ETIMEDOUT, "the daemon cannot be reached at %s: %s",
                           client->address.sun_path, fluxaws_strerror(client->away_reason));
    return client_fail(client, -ETIMEDOUT, "not done in time; what was reported stands");
}

static int wait_for_end(struct fluxaws_client *client, const struct question *question,
                        int64_t deadline_ms)
{
    for (;;) {
        client_turn(client);
        if (client->request.state == CLIENT_REQUEST_ENDED)
            return client->request.error;
        int r = ask_if_ready(client, question);
        if (r < 0)
            return r;
        (void)client_deliver(client);
        if (client_now_ms() >= deadline_ms)
            return fail_in_time(client);
        r = client_wait(client, deadline_ms);
        if (r < 0)
            return r;
    }
}

static int ask(struct fluxaws_client *client, const struct question *question, int timeout_ms)
{
    if (client->is_in_callback)
        return client_fail(client, -EBUSY, "not from within a callback");
    if (client->is_collecting)
        return client_fail(client, -EALREADY, "a report is being collected");
    client->request.state = CLIENT_REQUEST_NONE;
    int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : client_now_ms() + timeout_ms;
    int r = wait_for_end(client, question, deadline_ms);
    client->request.state = CLIENT_REQUEST_NONE;
    (void)client_deliver(client);
    return r;
}

/* Ask for a document and hand it over as text, where it is wanted. */
static int ask_text(struct fluxaws_client *client, const struct question *question, int timeout_ms,
                    char **ret_json)
{
    int r = ask(client, question, timeout_ms);
    if (r == 0 && ret_json != NULL)
        r = buffer_append(&client->request.text, "", 1);
    if (r == 0 && ret_json != NULL) {
        char *text = malloc(buffer_size(&client->request.text));
        if (text == NULL)
            r = -ENOMEM;
        else
            *ret_json = memcpy(text, buffer_data(&client->request.text),
                               buffer_size(&client->request.text));
    }
    buffer_clear(&client->request.text);
    return r;
}

int fluxaws_flush(struct fluxaws_client *client, enum fluxaws_level level, int timeout_ms)
{
    if ((unsigned)level > FLUXAWS_ACCEPTED)
        return client_fail(client, -EINVAL, "no such level");
    struct question question = {
        .kind = QUESTION_FLUSH,
        .level = (enum flux_level)((unsigned)level + FLUX_LEVEL_QUEUED),
    };
    int r = ask(client, &question, timeout_ms);
    if (r < 0 || client->rejected_count == 0)
        return r;
    client->rejected_count = 0;
    return client_fail(client, -EREMOTEIO, "%s", client->rejected_text);
}

static int wire_section(enum fluxaws_section section, enum flux_section *ret_section)
{
    switch (section) {
    case FLUXAWS_REPORTED:
        *ret_section = FLUX_SECTION_REPORTED;
        return 0;
    case FLUXAWS_DESIRED:
        *ret_section = FLUX_SECTION_DESIRED;
        return 0;
    case FLUXAWS_DELTA:
        *ret_section = FLUX_SECTION_DELTA;
        return 0;
    default:
        return -EINVAL;
    }
}

int fluxaws_get(struct fluxaws_client *client, enum fluxaws_section section, const char *path,
                int timeout_ms, char **ret_json)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_part(client, path, pointer);
    if (r < 0)
        return r;
    struct question question = {.kind = QUESTION_GET, .path = pointer};
    if (wire_section(section, &question.section) < 0)
        return client_fail(client, -EINVAL, "no such section");
    return ask_text(client, &question, timeout_ms, ret_json);
}

int fluxaws_get_status(struct fluxaws_client *client, int timeout_ms, char **ret_json)
{
    struct question question = {.kind = QUESTION_STATUS};
    return ask_text(client, &question, timeout_ms, ret_json);
}

int client_ask_history(struct fluxaws_client *client, int timeout_ms, char **ret_json)
{
    struct question question = {.kind = QUESTION_HISTORY};
    return ask_text(client, &question, timeout_ms, ret_json);
}

int client_ask_admin(struct fluxaws_client *client, const struct flux_admin *admin, int timeout_ms,
                     char **ret_json)
{
    struct question question = {.kind = QUESTION_ADMIN, .admin = admin};
    return ask_text(client, &question, timeout_ms, ret_json);
}

int fluxaws_get_keys(struct fluxaws_client *client, const char *path, int timeout_ms,
                     char **ret_json)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_part(client, path, pointer);
    if (r < 0)
        return r;
    struct question question = {.kind = QUESTION_KEYS, .path = pointer};
    return ask_text(client, &question, timeout_ms, ret_json);
}

/* What the daemon has forgotten is not sent to it again after a lost connection. */
int fluxaws_forget(struct fluxaws_client *client, const char *path, int timeout_ms)
{
    char pointer[FLUX_PATH_BYTES_MAX + 1];
    int r = client_canonical_part(client, path, pointer);
    if (r < 0)
        return r;
    struct client_shadow *shadow = client->shadow;
    struct question question = {.kind = QUESTION_FORGET, .path = pointer};
    uint64_t newest_id = client->last_report_id;
    r = ask(client, &question, timeout_ms);
    if (r == 0)
        backlog_forget(&shadow->backlog, pointer, strlen(pointer), newest_id);
    return r;
}

int fluxaws_reset(struct fluxaws_client *client, bool all, int timeout_ms)
{
    const struct client_shadow *shadow = client->shadow;
    struct question question = {.kind = QUESTION_RESET, .all = all};
    uint64_t newest_id = client->last_report_id;
    int r = ask(client, &question, timeout_ms);
    for (size_t i = 0; i < client->shadow_count && r == 0; i++)
        if (all || client->shadows[i] == shadow)
            backlog_drop(&client->shadows[i]->backlog, newest_id);
    return r;
}
