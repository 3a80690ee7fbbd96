#include "tests/sandbox/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_window.h"

#define SLASHES_MAX 7 /* in a topic */

struct limits_connection {
    char *client_id;
    struct cloud_window connects;
    struct cloud_window messages;
    int64_t bytes_until_us; /* when all bytes so far have gone through at the rate allowed */
    uint64_t packet;        /* the last SUBSCRIBE, and its filters so far */
    unsigned filters;
};

static const struct {
    const char *name;
    unsigned max;
    bool enforced;
} table[LIMIT_COUNT] = {
    [LIMIT_CONNECTS_PER_SEC] = {"connects_per_sec", 1, false},
    [LIMIT_FILTERS_PER_SUBSCRIBE] = {"filters_per_subscribe", 8, true},
    [LIMIT_SUBSCRIPTIONS] = {"subscriptions", 50, true},
    [LIMIT_MESSAGES_PER_SEC] = {"messages_per_sec", 100, false},
    [LIMIT_BYTES_PER_SEC] = {"bytes_per_sec", 524288, false},
    [LIMIT_IN_FLIGHT] = {"in_flight", 10, true},
    [LIMIT_REQUESTS_PER_SEC] = {"requests_per_sec", 20, true},
    [LIMIT_TOPIC] = {"topic", 256, true},
    [LIMIT_PAYLOAD] = {"payload", 131072, true},
    [LIMIT_RETAIN] = {"retain", 1, true},
    [LIMIT_QOS] = {"qos", 1, true},
};

int limits_init(struct limits *limits)
{
    memset(limits, 0, sizeof(*limits));
    for (int i = 0; i < LIMIT_COUNT; i++) {
        limits->max[i] = table[i].max;
        limits->enforced[i] = table[i].enforced;
    }
    limits->connections = calloc(LIMITS_MAX_CONNECTIONS, sizeof(*limits->connections));
    return limits->connections ? 0 : -ENOMEM;
}

void limits_clear(struct limits *limits)
{
    for (size_t i = 0; i < limits->count; i++) {
        free(limits->connections[i].client_id);
        cloud_window_clear(&limits->connections[i].connects);
        cloud_window_clear(&limits->connections[i].messages);
    }
    free(limits->connections);
    memset(limits, 0, sizeof(*limits));
}

static struct limits_connection *find(const struct limits *limits, const char *client_id)
{
    for (size_t i = 0; i < limits->count; i++) {
        if (strcmp(limits->connections[i].client_id, client_id) == 0)
            return &limits->connections[i];
    }
    return NULL;
}

/* Find or add; NULL: there is no room. */
static struct limits_connection *ensure(struct limits *limits, const char *client_id)
{
    struct limits_connection *connection = find(limits, client_id);
    if (connection || limits->count == LIMITS_MAX_CONNECTIONS)
        return connection;
    char *copy = strdup(client_id);
    if (!copy)
        return NULL;
    connection = &limits->connections[limits->count++];
    connection->client_id = copy;
    return connection;
}

bool limits_exceed(struct limits *limits, enum limit limit)
{
    limits->exceeded[limit]++;
    return limits->enforced[limit];
}

enum policy_verdict limits_connect(struct limits *limits, const char *client_id, int64_t now_ms)
{
    struct limits_connection *connection = ensure(limits, client_id);
    if (!connection)
        return POLICY_ALLOW;
    cloud_window_clear(&connection->messages);
    connection->bytes_until_us = 0;
    connection->packet = 0;
    if (cloud_window_take(&connection->connects, limits->max[LIMIT_CONNECTS_PER_SEC], 1000,
                          now_ms) != 1)
        return POLICY_ALLOW;
    return limits_exceed(limits, LIMIT_CONNECTS_PER_SEC) ? POLICY_REFUSE : POLICY_ALLOW;
}

static bool is_long(const struct limits *limits, const char *topic)
{
    unsigned slashes = 0;
    for (const char *at = strchr(topic, '/'); at; at = strchr(at + 1, '/'))
        slashes++;
    unsigned max = limits->max[LIMIT_TOPIC];
    return max > 0 && (slashes > SLASHES_MAX || strlen(topic) > max);
}

enum policy_verdict limits_publish(struct limits *limits, const struct limits_publish *publish)
{
    unsigned max = limits->max[LIMIT_PAYLOAD];
    if (publish->qos > 1 && limits_exceed(limits, LIMIT_QOS))
        return POLICY_BAD_QOS;
    if (is_long(limits, publish->topic) && limits_exceed(limits, LIMIT_TOPIC))
        return POLICY_DISCONNECT;
    if (max > 0 && publish->size > max && limits_exceed(limits, LIMIT_PAYLOAD))
        return POLICY_DISCONNECT;
    if (publish->retain && publish->topic[0] == '$' && limits_exceed(limits, LIMIT_RETAIN))
        return POLICY_DISCONNECT;
    return POLICY_ALLOW;
}

/* Count the filters of one packet; false: this one is too many. */
static bool fits_packet(struct limits *limits, const char *client_id, uint64_t packet)
{
    struct limits_connection *connection = ensure(limits, client_id);
    unsigned max = limits->max[LIMIT_FILTERS_PER_SUBSCRIBE];
    if (!connection || packet == 0)
        return true;
    if (connection->packet != packet)
        connection->filters = 0;
    connection->packet = packet;
    return max == 0 || ++connection->filters <= max;
}

enum policy_verdict limits_subscribe(struct limits *limits, const char *client_id,
                                     const struct limits_filter *filter)
{
    unsigned max = limits->max[LIMIT_SUBSCRIPTIONS];
    if (filter->qos > 1 && limits_exceed(limits, LIMIT_QOS))
        return POLICY_BAD_QOS;
    if (!fits_packet(limits, client_id, filter->packet) &&
        limits_exceed(limits, LIMIT_FILTERS_PER_SUBSCRIBE))
        return POLICY_REFUSE;
    if (max > 0 && filter->count >= max && limits_exceed(limits, LIMIT_SUBSCRIPTIONS))
        return POLICY_REFUSE;
    if (is_long(limits, filter->filter) && limits_exceed(limits, LIMIT_TOPIC))
        return POLICY_REFUSE;
    return POLICY_ALLOW;
}

/* Let bytes through at their rate, a second's worth at once. */
static void carry_bytes(struct limits *limits, struct limits_connection *connection, size_t size,
                        int64_t now_ms)
{
    unsigned max = limits->max[LIMIT_BYTES_PER_SEC];
    int64_t earliest_us = (now_ms - 1000) * 1000;
    if (max == 0)
        return;
    if (connection->bytes_until_us < earliest_us)
        connection->bytes_until_us = earliest_us;
    connection->bytes_until_us += (int64_t)size * 1000000 / max;
    if (connection->bytes_until_us > now_ms * 1000)
        (void)limits_exceed(limits, LIMIT_BYTES_PER_SEC);
}

enum policy_verdict limits_carry(struct limits *limits, const char *client_id, size_t size,
                                 int64_t now_ms)
{
    struct limits_connection *connection = ensure(limits, client_id);
    if (!connection)
        return POLICY_ALLOW;
    if (cloud_window_take(&connection->messages, limits->max[LIMIT_MESSAGES_PER_SEC], 1000,
                          now_ms) == 1 &&
        limits_exceed(limits, LIMIT_MESSAGES_PER_SEC))
        return POLICY_DISCARD;
    carry_bytes(limits, connection, size, now_ms);
    return POLICY_ALLOW;
}

int64_t limits_delay_ms(const struct limits *limits, const char *client_id, int64_t now_ms)
{
    const struct limits_connection *connection = find(limits, client_id);
    if (!connection || !limits->enforced[LIMIT_BYTES_PER_SEC])
        return 0;
    int64_t late_us = connection->bytes_until_us - now_ms * 1000;
    return late_us > 0 ? (late_us + 999) / 1000 : 0;
}

uint64_t limits_total(const struct limits *limits)
{
    uint64_t total = 0;
    for (int i = 0; i < LIMIT_COUNT; i++)
        total += limits->exceeded[i];
    return total;
}

const char *limit_name(enum limit limit)
{
    return (unsigned)limit < LIMIT_COUNT ? table[limit].name : "unknown";
}
