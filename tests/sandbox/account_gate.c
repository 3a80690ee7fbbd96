/* The account's gate: who may connect, publish, subscribe and receive. */
#include <string.h>

#include "tests/sandbox/account.h"
#include "tests/sandbox/cloud_request.h"

static bool is_operator(const struct account *account, const struct account_peer *peer)
{
    return policy_is_operator(&account->policy, peer->identity);
}

struct account_client *account_counters_of(struct account *account, const struct account_peer *peer)
{
    return account_client(account, is_operator(account, peer) ? peer->identity : peer->client_id);
}

enum policy_verdict account_connect(struct account *account, const struct account_peer *peer,
                                    int64_t now_ms)
{
    struct account_client *client = account_counters_of(account, peer);
    uint64_t exceeded = limits_total(&account->limits);
    enum policy_verdict verdict = policy_connect(&account->policy, peer->identity, peer->client_id);
    if (verdict == POLICY_ALLOW && !is_operator(account, peer))
        verdict = limits_connect(&account->limits, peer->client_id, now_ms);
    client->limits_exceeded += limits_total(&account->limits) - exceeded;
    if (verdict == POLICY_ALLOW)
        client->connects++;
    else
        client->refused_connects++;
    return verdict;
}

void account_disconnect(struct account *account, const struct account_peer *peer)
{
    account_counters_of(account, peer)->disconnects++;
}

/* Whether a planned fault ends the connection for this publish. */
static bool is_to_close(struct account *account, const struct limits_publish *publish,
                        const void *payload)
{
    struct cloud_request request = {0};
    struct fault_target target = {
        .operation = FAULT_EVERY_OPERATION, .payload = payload, .size = publish->size};
    if (cloud_request_parse_topic(publish->topic, &request)) {
        target.thing = request.thing;
        target.name = request.name;
        target.operation = (int)request.operation;
    }
    return faults_strike(&account->faults, FAULT_CLOSE, &target, NULL);
}

static enum policy_verdict judge_publish(struct account *account, const struct account_peer *peer,
                                         const struct limits_publish *publish, const void *payload)
{
    enum policy_verdict verdict = limits_publish(&account->limits, publish);
    if (verdict == POLICY_ALLOW)
        verdict = policy_publish(&account->policy, peer->identity, publish->topic);
    if (verdict == POLICY_ALLOW && is_to_close(account, publish, payload))
        verdict = POLICY_DISCONNECT;
    return verdict;
}

enum policy_verdict account_publish(struct account *account, const struct account_peer *peer,
                                    const struct limits_publish *publish, const void *payload)
{
    if (is_operator(account, peer))
        return POLICY_ALLOW;
    struct account_client *client = account_counters_of(account, peer);
    uint64_t exceeded = limits_total(&account->limits);
    enum policy_verdict verdict = judge_publish(account, peer, publish, payload);
    client->limits_exceeded += limits_total(&account->limits) - exceeded;
    if (verdict != POLICY_ALLOW)
        client->refused_publishes++;
    return verdict;
}

/* Fill in the shadow that a filter is about; one with `name/+` is about no single one. */
static void read_filter(const char *filter, struct cloud_request *ret_request,
                        struct fault_target *target)
{
    static const char *const answers[] = {"/accepted", "/rejected", "/delta", "/documents"};
    char request[512];
    size_t length = strlen(filter);
    for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
        size_t size = strlen(answers[i]);
        if (length <= size || length >= sizeof(request) ||
            strcmp(filter + length - size, answers[i]) != 0)
            continue;
        memcpy(request, filter, length - size);
        request[length - size] = '\0';
        if (cloud_request_parse_topic(request, ret_request)) {
            target->thing = ret_request->thing;
            target->name = ret_request->name;
            target->operation = (int)ret_request->operation;
        }
    }
}

static enum policy_verdict judge_filter(struct account *account, const struct account_peer *peer,
                                        const struct limits_filter *filter)
{
    struct cloud_request request = {0};
    struct fault_target target = {.operation = FAULT_EVERY_OPERATION, .filter = filter->filter};
    enum policy_verdict verdict = limits_subscribe(&account->limits, peer->client_id, filter);
    if (verdict == POLICY_ALLOW)
        verdict = policy_subscribe(&account->policy, peer->identity, filter->filter);
    read_filter(filter->filter, &request, &target);
    if (verdict == POLICY_ALLOW && faults_strike(&account->faults, FAULT_REFUSE, &target, NULL))
        verdict = POLICY_REFUSE;
    return verdict;
}

enum policy_verdict account_subscribe(struct account *account, const struct account_peer *peer,
                                      const struct limits_filter *filter)
{
    struct account_client *client = account_counters_of(account, peer);
    uint64_t exceeded = limits_total(&account->limits);
    enum policy_verdict verdict =
        is_operator(account, peer) ? POLICY_ALLOW : judge_filter(account, peer, filter);
    client->limits_exceeded += limits_total(&account->limits) - exceeded;
    if (verdict == POLICY_ALLOW)
        client->subscribed++;
    else
        client->refused_subscriptions++;
    return verdict;
}

enum policy_verdict account_deliver(struct account *account, const struct account_peer *peer,
                                    const char *topic, size_t size, int64_t now_ms)
{
    enum policy_verdict verdict = policy_receive(&account->policy, peer->identity, topic);
    if (verdict != POLICY_ALLOW)
        return verdict;
    struct account_client *client = account_counters_of(account, peer);
    uint64_t exceeded = limits_total(&account->limits);
    if (!is_operator(account, peer))
        verdict = limits_carry(&account->limits, peer->client_id, size, now_ms);
    client->limits_exceeded += limits_total(&account->limits) - exceeded;
    if (verdict == POLICY_DISCARD) {
        client->discarded++;
        return verdict;
    }
    client->delivered++;
    client->delivered_bytes += size;
    return verdict;
}
