/* The sandbox's AWS account: shadow service, planned faults, what is on its way out, who did how
 * much. It knows no broker: whoever carries messages puts them in and takes them out. */
#ifndef FLUX_TESTS_SANDBOX_ACCOUNT_H
#define FLUX_TESTS_SANDBOX_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/faults.h"
#include "tests/sandbox/limits.h"
#include "tests/sandbox/policy.h"
#include "tests/sandbox/shadow_service.h"
#include "tests/sandbox/tally.h"

/* What one client has done since the counters were reset; never more than ACCOUNT_MAX_CLIENTS. */
#define ACCOUNT_MAX_CLIENTS 1024

/* What a reordered answer waits for the next message at most. */
#define ACCOUNT_REORDER_MS 1000

/* Positive outcomes of account_request(), beside those of shadow_service_handle(). */
enum {
    ACCOUNT_DISCARDED = 16, /* over the messages a connection may carry a second */
    ACCOUNT_DROPPED = 17,   /* by a planned fault; it never arrived */
};

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
    uint64_t refused_connects;      /* by policy or limits, as are the next two */
    uint64_t refused_publishes;     /* each the end of the connection, as a rule */
    uint64_t refused_subscriptions; /* filters */
    uint64_t discarded;             /* messages, either way, for the rate of its connection */
    uint64_t limits_exceeded;       /* whether enforced or not */
};

/* Who is at the other end of a connection. */
struct account_peer {
    const char *identity;  /* the common name of the certificate; "" if there is none */
    const char *client_id; /* "" if there is none */
};

struct account_delivery; /* a message on its way out */

struct account {
    struct shadow_service *service;
    struct policy policy;
    struct limits limits;
    struct faults faults;
    struct tally tally; /* of shadows */
    struct account_client *clients;
    size_t client_count;
    struct account_delivery *first; /* in the order of their making */
    struct account_delivery **end;
    uint64_t requests; /* answered so far */
    bool is_dirty;     /* shadows may have changed since the flag was cleared */
};

/* Make an account with a service of default options. Returns 0 or -ENOMEM. */
int account_init(struct account *account, const char *operator_name);

/* Free all it holds. */
void account_clear(struct account *account);

/* Find or add the counters of a client; borrowed until the next call. When there is no room,
 * counters that all such clients share. Never NULL. */
struct account_client *account_client(struct account *account, const char *id);

/* As above. The operator's clients have a name each and come by the hundred: they count as one. */
struct account_client *account_counters_of(struct account *account,
                                           const struct account_peer *peer);

/* End all faults. */
void account_end_faults(struct account *account);

/* Forget all counters, the service's too. */
void account_reset_counters(struct account *account);

/* ---- judging, by policy, limits and planned faults; what was judged is counted ---- */

/* A CONNECT: ALLOW or REFUSE. now_ms as in all below: Unix time. */
enum policy_verdict account_connect(struct account *account, const struct account_peer *peer,
                                    int64_t now_ms);

/* A connection has ended. */
void account_disconnect(struct account *account, const struct account_peer *peer);

/* A publish, before account_request(): ALLOW, REFUSE, DISCONNECT or BAD_QOS. `payload` has
 * publish->size bytes. */
enum policy_verdict account_publish(struct account *account, const struct account_peer *peer,
                                    const struct limits_publish *publish, const void *payload);

/* One filter of a SUBSCRIBE: ALLOW, REFUSE or BAD_QOS. */
enum policy_verdict account_subscribe(struct account *account, const struct account_peer *peer,
                                      const struct limits_filter *filter);

/* A message for a subscriber: ALLOW, REFUSE or DISCARD; it does not get it then, and is not told.
 */
enum policy_verdict account_deliver(struct account *account, const struct account_peer *peer,
                                    const char *topic, size_t size, int64_t now_ms);

/* ---- requests ---- */

/* Take a shadow request from a device; limits apply to it, and faults to its answers.
 * Returns what shadow_service_handle() does, ACCOUNT_DISCARDED or ACCOUNT_DROPPED. */
int account_request(struct account *account, const char *client_id, const char *topic,
                    const void *payload, size_t size, int64_t now_ms);

/* Take a request from the operator, to whom no fault applies; *ret_answer is a copy of the accepted
 * or rejected payload (NULL: dropped), owned by the caller. Returns as above. */
int account_request_now(struct account *account, const char *topic, const void *payload,
                        size_t size, int64_t now_ms, char **ret_answer);

/* Forget a shadow and its version, silently, as if it had been deleted 48 h ago. */
void account_forget(struct account *account, const char *thing, const char *name);

/* Hand out the oldest message that is due; false: none is. The caller owns it. */
bool account_next(struct account *account, int64_t now_ms,
                  struct shadow_service_message *ret_message);

#endif
