#include "tests/sandbox/policy.h"

#include <string.h>

#include "tests/sandbox/cloud_request.h"

bool policy_is_operator(const struct policy *policy, const char *identity)
{
    return strcmp(identity, policy->operator_name) == 0;
}

enum policy_verdict policy_connect(const struct policy *policy, const char *identity,
                                   const char *client_id)
{
    if (policy_is_operator(policy, identity))
        return POLICY_ALLOW;
    if (!cloud_names_are_valid(identity, NULL))
        return POLICY_REFUSE;
    return policy->any_client_id || strcmp(identity, client_id) == 0 ? POLICY_ALLOW : POLICY_REFUSE;
}

static const char *skip(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* Return what follows `$aws/things/THING/shadow/` for a thing of this identity, or NULL. */
static const char *within_shadows(const struct policy *policy, const char *identity,
                                  const char *topic)
{
    const char *rest = skip(topic, "$aws/things/");
    if (rest && policy->any_thing)
        rest += strcspn(rest, "/+#");
    else if (rest)
        rest = skip(rest, identity);
    return rest ? skip(rest, "/shadow/") : NULL;
}

static bool may_publish(const struct policy *policy, const char *identity, const char *topic)
{
    struct cloud_request request;
    if (cloud_request_parse_topic(topic, &request))
        return policy->any_thing || strcmp(request.thing, identity) == 0;
    const char *will = skip(topic, "lwt/");
    return will && strcmp(will, identity) == 0;
}

enum policy_verdict policy_publish(const struct policy *policy, const char *identity,
                                   const char *topic)
{
    if (policy_is_operator(policy, identity) || may_publish(policy, identity, topic))
        return POLICY_ALLOW;
    return policy->refuse_publish_softly ? POLICY_REFUSE : POLICY_DISCONNECT;
}

/* In a policy `+` and `#` mean themselves, so a filter is judged like a topic: by how it begins. */
static bool may_receive(const struct policy *policy, const char *identity, const char *topic)
{
    static const char *const allowed[] = {"get/", "update/", "delete/", "name/"};
    const char *rest = within_shadows(policy, identity, topic);
    for (size_t i = 0; rest && i < sizeof(allowed) / sizeof(*allowed); i++) {
        if (skip(rest, allowed[i]))
            return true;
    }
    return false;
}

enum policy_verdict policy_subscribe(const struct policy *policy, const char *identity,
                                     const char *filter)
{
    return policy_is_operator(policy, identity) || may_receive(policy, identity, filter)
               ? POLICY_ALLOW
               : POLICY_REFUSE;
}

enum policy_verdict policy_receive(const struct policy *policy, const char *identity,
                                   const char *topic)
{
    return policy_is_operator(policy, identity) || may_receive(policy, identity, topic)
               ? POLICY_ALLOW
               : POLICY_REFUSE;
}
