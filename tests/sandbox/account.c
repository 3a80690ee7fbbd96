#include "tests/sandbox/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_request.h"

struct account_delivery {
    struct account_delivery *next;
    struct shadow_service_message message;
    char *client_id; /* whose request it answers; NULL: it is no answer, or the operator's */
    uint64_t request;
    int64_t due_ms;
    bool waits; /* until a message of another request has gone out, or it is due */
};

int account_init(struct account *account, const char *operator_name)
{
    memset(account, 0, sizeof(*account));
    account->policy.operator_name = operator_name;
    account->end = &account->first;
    /* One entry more than is ever listed: the one that latecomers share. */
    account->clients = calloc(ACCOUNT_MAX_CLIENTS + 1, sizeof(*account->clients));
    account->service = shadow_service_new(NULL);
    if (limits_init(&account->limits) < 0 || !account->clients || !account->service) {
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
    forget_clients(account);
    free(account->clients);
    faults_clear(&account->faults);
    limits_clear(&account->limits);
    tally_clear(&account->tally);
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
    faults_clear(&account->faults);
    account->limits.enforced[LIMIT_MESSAGES_PER_SEC] = false;
}

void account_reset_counters(struct account *account)
{
    forget_clients(account);
    tally_clear(&account->tally);
    memset(account->limits.exceeded, 0, sizeof(account->limits.exceeded));
    shadow_service_reset_counters(account->service);
}

/* ---- what is on its way out ---- */

static void delivery_free(struct account_delivery *delivery)
{
    shadow_service_message_clear(&delivery->message);
    free(delivery->client_id);
    free(delivery);
}

/* Queue a message; takes what it holds, also on failure, when it is lost. */
static void send_later(struct account *account, const struct account_delivery *what,
                       const char *client_id)
{
    struct account_delivery *delivery = malloc(sizeof(*delivery));
    char *copy = client_id ? strdup(client_id) : NULL;
    if (!delivery || (client_id && !copy)) {
        struct shadow_service_message message = what->message;
        shadow_service_message_clear(&message);
        free(delivery);
        free(copy);
        return;
    }
    *delivery = *what;
    delivery->next = NULL;
    delivery->client_id = copy;
    *account->end = delivery;
    account->end = &delivery->next;
}

static void send_copy(struct account *account, const struct account_delivery *what)
{
    struct account_delivery copy = *what;
    copy.message.topic = strdup(what->message.topic);
    copy.message.payload = strdup(what->message.payload);
    if (copy.message.topic && copy.message.payload)
        send_later(account, &copy, NULL);
    else
        shadow_service_message_clear(&copy.message);
}

/* What waited to be overtaken by another request's messages now was. */
static void release_waiting(struct account *account, uint64_t request)
{
    for (struct account_delivery *at = account->first; at; at = at->next) {
        if (at->waits && at->request != request) {
            at->waits = false;
            at->due_ms = 0;
        }
    }
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
        memset(&delivery->message, 0, sizeof(delivery->message));
        release_waiting(account, delivery->request);
        delivery_free(delivery);
        return true;
    }
    return false;
}

/* ---- requests ---- */

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

/* Whether a client's requests to a thing are as many as may wait for their answer. */
static bool is_over_in_flight(struct account *account, const char *client_id, const char *thing)
{
    char prefix[CLOUD_THING_MAX + 32];
    int length = snprintf(prefix, sizeof(prefix), "$aws/things/%s/", thing);
    unsigned max = account->limits.max[LIMIT_IN_FLIGHT];
    unsigned count = 0;
    for (struct account_delivery *at = account->first; at; at = at->next) {
        if (at->client_id && strcmp(at->client_id, client_id) == 0 &&
            strncmp(at->message.topic, prefix, (size_t)length) == 0)
            count++;
    }
    return max > 0 && count >= max && limits_exceed(&account->limits, LIMIT_IN_FLIGHT);
}

/* Let the service answer, or reject in its name. */
static int serve(struct account *account, const struct fault_target *target, const char *client_id,
                 const char *topic, int64_t now_ms)
{
    struct fault fault;
    const char *payload = target->payload;
    size_t size = target->size;
    if (faults_strike(&account->faults, FAULT_REJECT, target, &fault))
        return shadow_service_reject(account->service, topic, payload, size, fault.code, now_ms);
    if (is_over_in_flight(account, client_id, target->thing))
        return shadow_service_reject(account->service, topic, payload, size, 429, now_ms);
    uint64_t throttled = shadow_service_counters(account->service)->throttled;
    int r = shadow_service_handle(account->service, topic, payload, size, now_ms);
    if (shadow_service_counters(account->service)->throttled > throttled)
        (void)limits_exceed(&account->limits, LIMIT_REQUESTS_PER_SEC);
    return r;
}

/* Send what the service has to say about a request, as the faults will have it. */
static void send_answers(struct account *account, const struct fault_target *target,
                         const char *client_id, int64_t now_ms)
{
    struct faults *faults = &account->faults;
    struct fault delay = {0};
    (void)faults_strike(faults, FAULT_DELAY, target, &delay);
    struct account_delivery out = {.request = ++account->requests,
                                   .due_ms = now_ms + delay.ms +
                                             limits_delay_ms(&account->limits, client_id, now_ms)};
    struct tally_entry *entry = tally_entry(&account->tally, target->thing, target->name);
    while (shadow_service_next(account->service, &out.message)) {
        note(account, &out.message);
        if (entry && out.message.kind == SHADOW_SERVICE_REJECTED)
            entry->rejected++;
        if (!is_answer(&out.message)) {
            send_later(account, &out, NULL);
            continue;
        }
        if (faults_strike(faults, FAULT_LOSE, target, NULL)) {
            shadow_service_message_clear(&out.message);
            continue;
        }
        if (faults_strike(faults, FAULT_DUPLICATE, target, NULL))
            send_copy(account, &out);
        struct account_delivery answer = out;
        answer.waits = faults_strike(faults, FAULT_REORDER, target, NULL);
        answer.due_ms += answer.waits ? ACCOUNT_REORDER_MS : 0;
        send_later(account, &answer, client_id);
    }
}

int account_request(struct account *account, const char *client_id, const char *topic,
                    const void *payload, size_t size, int64_t now_ms)
{
    struct cloud_request request = {0};
    struct account_client *client = account_client(account, client_id);
    uint64_t exceeded = limits_total(&account->limits);
    bool is_request = cloud_request_parse_topic(topic, &request);
    const struct fault_target target = {.thing = request.thing,
                                        .name = request.name,
                                        .operation = (int)request.operation,
                                        .payload = payload,
                                        .size = size};
    int r = SHADOW_SERVICE_NOT_A_REQUEST;
    client->published++;
    client->published_bytes += size;
    if (limits_carry(&account->limits, client_id, size, now_ms) == POLICY_DISCARD) {
        client->discarded++;
        r = ACCOUNT_DISCARDED;
    } else if (is_request) {
        struct tally_entry *entry = tally_entry(&account->tally, request.thing, request.name);
        client->operations++;
        if (entry)
            entry->operations[request.operation]++;
        r = ACCOUNT_DROPPED;
        if (!faults_strike(&account->faults, FAULT_DROP, &target, NULL)) {
            r = serve(account, &target, client_id, topic, now_ms);
            send_answers(account, &target, client_id, now_ms);
        }
    }
    client->limits_exceeded += limits_total(&account->limits) - exceeded;
    return r;
}

int account_request_now(struct account *account, const char *topic, const void *payload,
                        size_t size, int64_t now_ms, char **ret_answer)
{
    char *answer = NULL;
    struct cloud_request request;
    struct account_delivery out = {.request = ++account->requests, .due_ms = now_ms};
    int r = shadow_service_handle(account->service, topic, payload, size, now_ms);
    struct tally_entry *entry = cloud_request_parse_topic(topic, &request)
                                    ? tally_entry(&account->tally, request.thing, request.name)
                                    : NULL;
    if (entry)
        entry->by_cloud++;
    while (shadow_service_next(account->service, &out.message)) {
        note(account, &out.message);
        if (is_answer(&out.message) && !answer)
            answer = strdup(out.message.payload);
        send_later(account, &out, NULL);
    }
    *ret_answer = answer;
    return r;
}

void account_forget(struct account *account, const char *thing, const char *name)
{
    shadow_service_forget(account->service, thing, name);
    account->is_dirty = true;
}
