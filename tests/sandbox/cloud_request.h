/* One request to the shadow service, taken apart and judged by all that needs no stored shadow.
 * It knows no document: versions, sizes and existence are judged by the service. */
#ifndef FLUX_TESTS_SANDBOX_CLOUD_REQUEST_H
#define FLUX_TESTS_SANDBOX_CLOUD_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/sandbox/shadow_service.h"

#define CLOUD_THING_MAX 128 /* bytes */
#define CLOUD_NAME_MAX  64
#define CLOUD_TOKEN_MAX 64

/* Why a request is refused; each has a code and a text. */
enum cloud_refusal {
    CLOUD_REFUSAL_NONE,
    CLOUD_REFUSAL_INVALID_JSON,
    CLOUD_REFUSAL_MISSING_STATE,
    CLOUD_REFUSAL_STATE_NOT_OBJECT,
    CLOUD_REFUSAL_DESIRED_NOT_OBJECT,
    CLOUD_REFUSAL_REPORTED_NOT_OBJECT,
    CLOUD_REFUSAL_INVALID_VERSION,
    CLOUD_REFUSAL_INVALID_TOKEN,
    CLOUD_REFUSAL_TOO_DEEP,
    CLOUD_REFUSAL_INVALID_NODE,
    CLOUD_REFUSAL_NULL_IN_ARRAY,
    CLOUD_REFUSAL_NOT_FOUND,
    CLOUD_REFUSAL_CONFLICT,
    CLOUD_REFUSAL_TOO_LARGE,
    CLOUD_REFUSAL_ENCODING,
    CLOUD_REFUSAL_TOO_MANY_REQUESTS,
    CLOUD_REFUSAL_INTERNAL,
    CLOUD_REFUSAL_COUNT,
};

struct cloud_request {
    enum shadow_service_operation operation;
    char thing[CLOUD_THING_MAX + 1];
    char name[CLOUD_NAME_MAX + 1]; /* empty: the classic shadow */
    size_t prefix_size;            /* of the topic: all before "/get", "/update" or "/delete" */
    json_t *body;                  /* owned; NULL: no JSON object was sent */
    const json_t *token;           /* borrowed; what answers echo, or NULL */
    json_t *state;                 /* borrowed; of an update */
    const char *offender;          /* borrowed; the node an INVALID_NODE is about */
    bool has_version;
    int64_t version;
};

/* Take a topic apart. Returns whether it is a request; the rest of *ret_request is zeroed. */
bool cloud_request_parse_topic(const char *topic, struct cloud_request *ret_request);

/* Read and judge the payload. Returns -ENOMEM or an enum cloud_refusal; the token is set whenever
 * it could be read. */
int cloud_request_parse_payload(struct cloud_request *request,
                                const struct shadow_service_options *options, const char *payload,
                                size_t size);

/* Free what the request holds. */
void cloud_request_clear(struct cloud_request *request);

/* Whether thing and shadow name (NULL: classic) are names that AWS accepts. */
bool cloud_names_are_valid(const char *thing, const char *name);

int cloud_refusal_code(enum cloud_refusal refusal);

/* Build the text that goes with a refusal of this request. NULL when out of memory. */
json_t *cloud_refusal_text(enum cloud_refusal refusal, const struct cloud_request *request,
                           const struct shadow_service_options *options);

#endif
