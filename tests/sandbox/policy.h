/* What a device's certificate allows on the sandbox's broker, and AWS IoT's limits on topics and
 * publishes. It knows names and sizes only, no broker. */
#ifndef FLUX_TESTS_SANDBOX_POLICY_H
#define FLUX_TESTS_SANDBOX_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#define POLICY_TOPIC_MAX   256    /* bytes */
#define POLICY_SLASHES_MAX 7      /* in a topic */
#define POLICY_PAYLOAD_MAX 131072 /* bytes */

enum policy_verdict {
    POLICY_ALLOW,
    POLICY_REFUSE,     /* answer with a failure, the connection goes on */
    POLICY_DISCONNECT, /* close the connection, as AWS does */
    POLICY_BAD_QOS,    /* close it: QoS 2 */
};

/* Identity: the common name of the client's certificate; a device's is its thing's name. */
struct policy {
    const char *operator_name;  /* borrowed; this identity may do everything */
    bool any_client_id;         /* a device may connect under another name than its thing's */
    bool refuse_publish_softly; /* a forbidden publish is refused (PUBACK 0x87), not the end */
    unsigned max_subscriptions; /* per connection; 0: no limit */
};

struct policy_publish {
    const char *topic;
    size_t size; /* of the payload, bytes */
    unsigned qos;
    bool retain;
};

/* Whether the identity is the operator's. */
bool policy_is_operator(const struct policy *policy, const char *identity);

/* Judge a CONNECT: ALLOW or REFUSE. */
enum policy_verdict policy_connect(const struct policy *policy, const char *identity,
                                   const char *client_id);

/* Judge a publish of this client. */
enum policy_verdict policy_publish(const struct policy *policy, const char *identity,
                                   const struct policy_publish *publish);

/* Judge one filter of a SUBSCRIBE; `count`: subscriptions the connection has already. */
enum policy_verdict policy_subscribe(const struct policy *policy, const char *identity,
                                     const char *filter, unsigned qos, unsigned count);

/* Judge a delivery to this client: ALLOW or REFUSE (it silently does not get the message). */
enum policy_verdict policy_receive(const struct policy *policy, const char *identity,
                                   const char *topic);

#endif
