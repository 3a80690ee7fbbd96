#include "daemon/shadow/policies.h"

#include <errno.h>
#include <stdlib.h>

struct policies {
    size_t count;
};

int policies_new(struct policies **ret_policies)
{
    *ret_policies = calloc(1, sizeof(**ret_policies));
    return *ret_policies ? 0 : -ENOMEM;
}

struct policies *policies_free(struct policies *policies)
{
    free(policies);
    return NULL;
}
