/* What a device's certificate allows on the sandbox's broker. It knows names only: limits on how
 * much and how large are in limits.h. */
#ifndef FLUX_TESTS_SANDBOX_POLICY_H
#define FLUX_TESTS_SANDBOX_POLICY_H

#include <stdbool.h>

/* What is to become of something that was judged. */
enum policy_verdict {
    POLICY_ALLOW,
    POLICY_REFUSE,     /* answer with a failure, the connection goes on */
    POLICY_DISCARD,    /* as if it had never come */
    POLICY_DISCONNECT, /* close the connection, as AWS does */
    POLICY_BAD_QOS,    /* close it: QoS 2 */
};

/* Identity: the common name of the client's certificate; a device's is its thing's name. */
struct policy {
    const char *operator_name;  /* borrowed; this identity may do everything */
    bool any_client_id;         /* a device may connect under another name than its thing's */
    bool any_thing;             /* a device may speak for every thing: it is a gateway */
    bool refuse_publish_softly; /* a forbidden publish is refused (PUBACK 0x87), not the end */
};

/* Whether the identity is the operator's. */
bool policy_is_operator(const struct policy *policy, const char *identity);

/* Judge a CONNECT: ALLOW or REFUSE. */
enum policy_verdict policy_connect(const struct policy *policy, const char *identity,
                                   const char *client_id);

/* Judge a publish of this client: ALLOW, REFUSE or DISCONNECT. */
enum policy_verdict policy_publish(const struct policy *policy, const char *identity,
                                   const char *topic);

/* Judge one filter of a SUBSCRIBE: ALLOW or REFUSE. */
enum policy_verdict policy_subscribe(const struct policy *policy, const char *identity,
                                     const char *filter);

/* Judge a delivery to this client: ALLOW or REFUSE (it silently does not get the message). */
enum policy_verdict policy_receive(const struct policy *policy, const char *identity,
                                   const char *topic);

#endif
