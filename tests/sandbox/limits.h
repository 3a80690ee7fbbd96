/* AWS IoT's limits on a connection and what goes over it: who exceeds them is counted, and held to
 * them where they are enforced. It knows no shadows, no policy and no broker. */
#ifndef FLUX_TESTS_SANDBOX_LIMITS_H
#define FLUX_TESTS_SANDBOX_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/policy.h"

#define LIMITS_MAX_CONNECTIONS 1024 /* followed at a time; others are let alone */

enum limit {
    LIMIT_CONNECTS_PER_SEC,      /* of one client id; else the CONNECT is refused */
    LIMIT_FILTERS_PER_SUBSCRIBE, /* those beyond are refused, as is the next */
    LIMIT_SUBSCRIPTIONS,         /* of a connection */
    LIMIT_MESSAGES_PER_SEC,      /* of a connection, in and out; those beyond are discarded */
    LIMIT_BYTES_PER_SEC,         /* of a connection, in and out; what is beyond comes late */
    LIMIT_IN_FLIGHT,             /* unanswered requests to a thing by a connection; else 429 */
    LIMIT_REQUESTS_PER_SEC,      /* to one shadow, by anybody; else 429 */
    LIMIT_TOPIC,   /* bytes, and 7 slashes: ends the connection, or refuses a filter */
    LIMIT_PAYLOAD, /* bytes; ends the connection, as the last two do */
    LIMIT_RETAIN,  /* on a reserved topic */
    LIMIT_QOS,     /* 2 */
    LIMIT_COUNT,
};

struct limits_connection; /* what one client id has done lately */

struct limits {
    unsigned max[LIMIT_COUNT]; /* 0: not looked at. Where no number is meant it does not count */
    bool enforced[LIMIT_COUNT];
    uint64_t exceeded[LIMIT_COUNT]; /* how often; counted also where it is not enforced */
    struct limits_connection *connections;
    size_t count;
};

struct limits_publish {
    const char *topic;
    size_t size; /* of the payload, bytes */
    unsigned qos;
    bool retain;
};

struct limits_filter {
    const char *filter;
    unsigned qos;
    unsigned count;  /* subscriptions that the connection has already */
    uint64_t packet; /* the same for all filters of one SUBSCRIBE; 0: not known */
};

/* Set all to AWS's numbers. Rates of connections are not enforced: tests connect often. Returns 0
 * or -ENOMEM. */
int limits_init(struct limits *limits);

/* Free all it holds. */
void limits_clear(struct limits *limits);

/* A client connects, and begins anew: ALLOW or REFUSE. now_ms as in all below: never going down. */
enum policy_verdict limits_connect(struct limits *limits, const char *client_id, int64_t now_ms);

/* Judge the form of a publish: ALLOW, DISCONNECT or BAD_QOS. */
enum policy_verdict limits_publish(struct limits *limits, const struct limits_publish *publish);

/* Judge one filter: ALLOW, REFUSE or BAD_QOS. */
enum policy_verdict limits_subscribe(struct limits *limits, const char *client_id,
                                     const struct limits_filter *filter);

/* A message goes over a connection, either way: ALLOW or DISCARD. */
enum policy_verdict limits_carry(struct limits *limits, const char *client_id, size_t size,
                                 int64_t now_ms);

/* How much later what is said to this client arrives, for all the bytes before. */
int64_t limits_delay_ms(const struct limits *limits, const char *client_id, int64_t now_ms);

/* Whether something is over a limit that is judged elsewhere: counts it; true: enforce it. */
bool limits_exceed(struct limits *limits, enum limit limit);

/* How often any limit was exceeded. */
uint64_t limits_total(const struct limits *limits);

/* The word for a limit in options and counters: "messages_per_sec" and so on. */
const char *limit_name(enum limit limit);

#endif
