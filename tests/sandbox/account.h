/* The sandbox's AWS account: shadow service, planned faults, what is on its way out, who did how
 * much. It knows no broker: whoever carries messages puts them in and takes them out. */
#ifndef FLUX_TESTS_SANDBOX_ACCOUNT_H
#define FLUX_TESTS_SANDBOX_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/policy.h"
#include "tests/sandbox/shadow_service.h"

/* What one client has done since the counters were reset; never more than ACCOUNT_MAX_CLIENTS. */
#define ACCOUNT_MAX_CLIENTS 1024

struct account_client {
    char *id;
    uint64_t connects;
    uint64_t disconnects;
    uint64_t published; /* messages taken from it */
    uint64_t published_bytes;
    uint64_t operations; /* of the published: shadow requests */
    uint64_t delivered;  /* messages handed to it */
    uint64_t delivered_bytes;
    uint64_t subscribed;            /* filters */
    uint64_t refused_connects;      /* by the policy, as are the next two */
    uint64_t refused_publishes;     /* each the end of the connection, as a rule */
    uint64_t refused_subscriptions; /* filters */
};

/* Faults of the connection; those of the service itself are in shadow_service.h. */
struct account_faults {
    unsigned close;     /* so many publishes of devices end their connection, unanswered */
    char *close_key;    /* owned; NULL, or: every publish that names this key does */
    unsigned lose;      /* answers (accepted or rejected) of so many requests never arrive */
    unsigned duplicate; /* so many answers arrive twice */
    int64_t delay_ms;   /* every message leaves so much later */
};

struct account_delivery; /* a message on its way out */

struct account {
    struct shadow_service *service;
    struct policy policy;
    struct account_faults faults;
    struct account_client *clients;
    size_t client_count;
    struct account_delivery *first; /* in the order of their making */
    struct account_delivery **end;
    bool is_dirty; /* shadows may have changed since the flag was cleared */
};

/* Make an account with a service of default options. Returns 0 or -ENOMEM. */
int account_init(struct account *account, const char *operator_name);

/* Free all it holds. */
void account_clear(struct account *account);

/* Find or add the counters of a client; borrowed until the next call. When there is no room,
 * counters that all such clients share. Never NULL. */
struct account_client *account_client(struct account *account, const char *id);

/* End all faults of the connection. */
void account_end_faults(struct account *account);

/* Forget all counters, the service's too. */
void account_reset_counters(struct account *account);

/* Judge a device's publish by the planned faults: whether its connection is to end for it. */
bool account_publish_closes(struct account *account, const void *payload, size_t size);

/* Take a shadow request from a device; faults apply to its answers. now_ms: Unix time.
 * Returns what shadow_service_handle() does. */
int account_request(struct account *account, const char *topic, const void *payload, size_t size,
                    int64_t now_ms);

/* Take a request from the operator, to whom no fault applies; *ret_answer is a copy of the accepted
 * or rejected payload (NULL: dropped), owned by the caller. Returns as above. */
int account_request_now(struct account *account, const char *topic, const void *payload,
                        size_t size, int64_t now_ms, char **ret_answer);

/* Hand out the oldest message that is due; false: none is. The caller owns it. */
bool account_next(struct account *account, int64_t now_ms,
                  struct shadow_service_message *ret_message);

#endif
