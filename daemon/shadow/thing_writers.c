#include "daemon/shadow/policies.h"
#include "daemon/shadow/writers.h"
#include <errno.h>

int thing_writer_open(struct thing *thing, const struct writer_identity *identity, int64_t now_ms,
                      struct writer **ret_writer)
{
    (void)thing;
    (void)identity;
    (void)now_ms;
    *ret_writer = NULL; /* nobody in particular */
    return 0;
}

void thing_writer_close(struct thing *thing, struct writer *writer, bool clean, int64_t now_ms)
{
    (void)thing;
    (void)writer;
    (void)clean;
    (void)now_ms;
}

int thing_writer_will(struct thing *thing, struct writer *writer, struct shadow *shadow,
                      const struct shadow_operation *operations, size_t count,
                      struct shadow_refusal *ret_refusal)
{
    (void)thing;
    (void)writer;
    (void)shadow;
    (void)operations;
    (void)count;
    (void)ret_refusal;
    return -EOPNOTSUPP;
}

int thing_set_policies(struct thing *thing, struct policies *policies, int64_t now_ms)
{
    (void)thing;
    (void)now_ms;
    (void)policies_free(policies);
    return 0;
}
