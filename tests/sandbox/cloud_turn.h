/* One request being answered: the rules of get, update and delete applied to one shadow.
 * Rates, planned faults and counters are the service's business. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_TURN_H
#define FLUX_TESTS_SANDBOX_CLOUD_TURN_H

#include <jansson.h>
#include <stdint.h>

#include "tests/sandbox/cloud_outbox.h"
#include "tests/sandbox/cloud_request.h"
#include "tests/sandbox/cloud_store.h"
#include "tests/sandbox/shadow_service.h"

struct cloud_turn {
    const struct shadow_service_options *options; /* borrowed */
    const char *topic;                            /* borrowed; of the request */
    struct cloud_request request;
    struct cloud_shadow *shadow; /* borrowed; what the request is about */
    struct cloud_batch batch;    /* what was said so far */
    int64_t now_ms;
};

/* Carry out a request that is valid in itself; the batch then holds the answers. A rejection is an
 * answer. Returns 0, or -ENOMEM and the shadow is as before. */
int cloud_turn_run(struct cloud_turn *turn);

/* Answer with a rejection. Returns 0 or -ENOMEM. */
int cloud_turn_reject(struct cloud_turn *turn, enum cloud_refusal refusal);

/* Answer with a rejection of any code; takes `text` in any case. Returns 0 or -ENOMEM. */
int cloud_turn_reject_with(struct cloud_turn *turn, int code, json_t *text);

#endif
