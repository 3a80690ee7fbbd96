#include "tests/sandbox/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct account_delivery {
    struct account_delivery *next;
    struct shadow_service_message message;
    int64_t due_ms;
};

int account_init(struct account *account, const char *operator_name)
{
    memset(account, 0, sizeof(*account));
    account->policy.operator_name = operator_name;
    account->policy.max_subscriptions = 50;
    account->end = &account->first;
    /* One entry more than is ever listed: the one that latecomers share. */
    account->clients = calloc(ACCOUNT_MAX_CLIENTS + 1, sizeof(*account->clients));
    account->service = shadow_service_new(NULL);
    if (!account->clients || !account->service) {
        account_clear(account);
        return -ENOMEM;
    }
    return 0;
}

static void forget_clients(struct account *account)
{
    for (size_t i = 0; i < account->client_count; i++)
        free(account->clients[i].id);
    if (account->clients)
        memset(account->clients, 0, (ACCOUNT_MAX_CLIENTS + 1) * sizeof(*account->clients));
    account->client_count = 0;
}

void account_clear(struct account *account)
{
    struct shadow_service_message message;
    while (account_next(account, INT64_MAX, &message))
        shadow_service_message_clear(&message);
    account_end_faults(account);
    forget_clients(account);
    free(account->clients);
    shadow_service_free(account->service);
    memset(account, 0, sizeof(*account));
}

struct account_client *account_client(struct account *account, const char *id)
{
    for (size_t i = 0; i < account->client_count; i++) {
        if (strcmp(account->clients[i].id, id) == 0)
            return &account->clients[i];
    }
    struct account_client *client = &account->clients[account->client_count];
    char *copy = account->client_count < ACCOUNT_MAX_CLIENTS ? strdup(id) : NULL;
    if (copy) {
        client->id = copy;
        account->client_count++;
    }
    return client;
}

void account_end_faults(struct account *account)
{
    free(account->faults.close_key);
    account->faults = (struct account_faults){0};
}

void account_reset_counters(struct account *account)
{
    forget_clients(account);
    shadow_service_reset_counters(account->service);
}

/* Queue a message; takes what it holds, also on failure, when it is lost. */
static void send_later(struct account *account, struct shadow_service_message message,
                       int64_t due_ms)
{
    struct account_delivery *delivery = malloc(sizeof(*delivery));
    if (!delivery) {
        shadow_service_message_clear(&message);
        return;
    }
    *delivery = (struct account_delivery){.message = message, .due_ms = due_ms};
    *account->end = delivery;
    account->end = &delivery->next;
}

static void send_copy(struct account *account, const struct shadow_service_message *message,
                      int64_t due_ms)
{
    struct shadow_service_message copy = *message;
    copy.topic = strdup(message->topic);
    copy.payload = strdup(message->payload);
    if (copy.topic && copy.payload)
        send_later(account, copy, due_ms);
    else
        shadow_service_message_clear(&copy);
}

static bool is_answer(const struct shadow_service_message *message)
{
    return message->kind == SHADOW_SERVICE_ACCEPTED || message->kind == SHADOW_SERVICE_REJECTED;
}

/* Take note of a message that tells of a change. */
static void note(struct account *account, const struct shadow_service_message *message)
{
    if (message->kind == SHADOW_SERVICE_ACCEPTED && message->operation != SHADOW_SERVICE_GET)
        account->is_dirty = true;
}

static bool consume(unsigned *count)
{
    if (*count == 0)
        return false;
    (*count)--;
    return true;
}

bool account_publish_closes(struct account *account, const void *payload, size_t size)
{
    const char *key = account->faults.close_key;
    if (consume(&account->faults.close))
        return true;
    if (!key || size == 0)
        return false;
    /* A member's name, as any sane writer writes it. */
    size_t length = strlen(key);
    const char *at = payload;
    const char *end = at + size;
    while ((at = memmem(at, (size_t)(end - at), key, length))) {
        if (at > (const char *)payload && at[-1] == '"' && at + length < end && at[length] == '"')
            return true;
        at++;
    }
    return false;
}

int account_request(struct account *account, const char *topic, const void *payload, size_t size,
                    int64_t now_ms)
{
    struct account_faults *faults = &account->faults;
    int r = shadow_service_handle(account->service, topic, payload, size, now_ms);
    int64_t due_ms = now_ms + faults->delay_ms;
    struct shadow_service_message message;
    while (shadow_service_next(account->service, &message)) {
        note(account, &message);
        if (is_answer(&message) && consume(&faults->lose)) {
            shadow_service_message_clear(&message);
            continue;
        }
        if (is_answer(&message) && consume(&faults->duplicate))
            send_copy(account, &message, due_ms);
        send_later(account, message, due_ms);
    }
    return r;
}

int account_request_now(struct account *account, const char *topic, const void *payload,
                        size_t size, int64_t now_ms, char **ret_answer)
{
    char *answer = NULL;
    int r = shadow_service_handle(account->service, topic, payload, size, now_ms);
    struct shadow_service_message message;
    while (shadow_service_next(account->service, &message)) {
        note(account, &message);
        if (is_answer(&message) && !answer)
            answer = strdup(message.payload);
        send_later(account, message, now_ms);
    }
    *ret_answer = answer;
    return r;
}

bool account_next(struct account *account, int64_t now_ms,
                  struct shadow_service_message *ret_message)
{
    for (struct account_delivery **at = &account->first; at && *at; at = &(*at)->next) {
        struct account_delivery *delivery = *at;
        if (delivery->due_ms > now_ms)
            continue;
        *at = delivery->next;
        if (account->end == &delivery->next)
            account->end = at;
        *ret_message = delivery->message;
        free(delivery);
        return true;
    }
    return false;
}
