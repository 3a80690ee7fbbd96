#include "tests/sandbox/shadow_service.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sandbox/cloud_archive.h"
#include "tests/sandbox/cloud_document.h"
#include "tests/sandbox/cloud_json.h"
#include "tests/sandbox/cloud_outbox.h"
#include "tests/sandbox/cloud_request.h"
#include "tests/sandbox/cloud_store.h"
#include "tests/sandbox/cloud_turn.h"

#define CODE_MIN 100
#define CODE_MAX 599

struct planned_rejection {
    unsigned count;
    int code;
};

struct shadow_service {
    struct shadow_service_options options;
    struct cloud_store store;
    struct cloud_outbox outbox;
    struct shadow_service_counters counters;
    uint64_t rejected_with[CODE_MAX - CODE_MIN + 1];
    struct planned_rejection planned[SHADOW_SERVICE_OPERATIONS];
    char *poison_key;
    int poison_code;
};

void shadow_service_options_init(struct shadow_service_options *ret_options)
{
    *ret_options = (struct shadow_service_options){
        .max_depth = 8,
        .max_bytes = 8192,
        .max_answer_size = 131072,
        .max_in_flight = 10,
        .max_per_sec = 20,
        .tombstone_bumps = true,
        .echo_null_section = true,
        .publish_documents = true,
    };
}

struct shadow_service *shadow_service_new(const struct shadow_service_options *options)
{
    struct shadow_service *service = calloc(1, sizeof(*service));
    if (!service)
        return NULL;
    if (options)
        service->options = *options;
    else
        shadow_service_options_init(&service->options);
    return service;
}

struct shadow_service *shadow_service_free(struct shadow_service *service)
{
    if (!service)
        return NULL;
    cloud_store_clear(&service->store);
    cloud_outbox_clear(&service->outbox);
    free(service->poison_key);
    free(service);
    return NULL;
}

struct shadow_service_options *shadow_service_options(struct shadow_service *service)
{
    return &service->options;
}

/* Returns 0 admitted, 1 over a rate, or -ENOMEM. */
static int throttle(struct shadow_service *service, struct cloud_turn *turn)
{
    const struct shadow_service_options *options = &service->options;
    struct cloud_shadow *classic;
    int r = cloud_store_ensure(&service->store, turn->request.thing, NULL, &classic);
    if (r == -ENOSPC)
        return 1;
    if (r == 0)
        r = cloud_window_take(&classic->in_flight, options->max_in_flight, options->in_flight_ms,
                              turn->now_ms);
    if (r == 0)
        r = cloud_window_take(&turn->shadow->rate, options->max_per_sec, 1000, turn->now_ms);
    return r;
}

static bool is_poisoned(const struct shadow_service *service, const struct cloud_turn *turn)
{
    return service->poison_key && turn->request.operation == SHADOW_SERVICE_UPDATE &&
           cloud_json_has_key(turn->request.state, service->poison_key);
}

static int dispatch(struct shadow_service *service, struct cloud_turn *turn, int refusal)
{
    struct planned_rejection *planned = &service->planned[turn->request.operation];
    if (planned->count > 0) {
        planned->count--;
        return cloud_turn_reject_with(turn, planned->code, json_string("Rejected on demand"));
    }
    int r = throttle(service, turn);
    if (r < 0)
        return r;
    if (r > 0) {
        service->counters.throttled++;
        return service->options.throttle_drops
                   ? SHADOW_SERVICE_DROPPED
                   : cloud_turn_reject(turn, CLOUD_REFUSAL_TOO_MANY_REQUESTS);
    }
    if (refusal == CLOUD_REFUSAL_NONE && is_poisoned(service, turn))
        return cloud_turn_reject_with(turn, service->poison_code, json_string("Poisoned"));
    if (refusal != CLOUD_REFUSAL_NONE)
        return cloud_turn_reject(turn, (enum cloud_refusal)refusal);
    return cloud_turn_run(turn);
}

/* Count the messages of the turn, leaving out those that are too large to be sent. */
static void count_messages(struct shadow_service *service, struct cloud_turn *turn)
{
    struct shadow_service_counters *counters = &service->counters;
    size_t max = service->options.max_answer_size;
    unsigned kept = 0;
    for (unsigned i = 0; i < turn->batch.count; i++) {
        struct shadow_service_message *message = &turn->batch.messages[i];
        if (message->kind == SHADOW_SERVICE_ACCEPTED)
            counters->accepted[message->operation]++;
        if (message->kind == SHADOW_SERVICE_REJECTED) {
            counters->rejected[message->operation]++;
            if (message->code >= CODE_MIN && message->code <= CODE_MAX)
                service->rejected_with[message->code - CODE_MIN]++;
        }
        if (max > 0 && message->size > max) {
            counters->oversized++;
            shadow_service_message_clear(message);
            continue;
        }
        counters->messages++;
        counters->messages_bytes += message->size;
        turn->batch.messages[kept++] = *message;
    }
    turn->batch.count = kept;
}

/* Answer a request; code 0: as the service does, else with this rejection. */
static int run_turn(struct shadow_service *service, struct cloud_turn *turn, const char *payload,
                    size_t size, int code)
{
    int r = cloud_outbox_reserve(&service->outbox);
    if (r < 0)
        return r;
    int refusal = cloud_request_parse_payload(&turn->request, &service->options, payload, size);
    if (refusal < 0)
        return refusal;
    r = cloud_store_ensure(&service->store, turn->request.thing, turn->request.name, &turn->shadow);
    if (r == -ENOMEM)
        return r;
    if (code != 0)
        r = cloud_turn_reject_with(turn, code, json_string("Rejected on demand"));
    else
        r = r == -ENOSPC ? cloud_turn_reject(turn, CLOUD_REFUSAL_INTERNAL)
                         : dispatch(service, turn, refusal);
    if (r < 0)
        return r;
    service->counters.operations[turn->request.operation]++;
    service->counters.requests_bytes += size;
    count_messages(service, turn);
    if (service->options.shuffle_seed != 0)
        cloud_batch_shuffle(&turn->batch, &service->options.shuffle_seed);
    cloud_outbox_append(&service->outbox, &turn->batch);
    return r;
}

static int answer(struct shadow_service *service, const char *topic, const void *payload,
                  size_t size, int code, int64_t now_ms)
{
    struct cloud_turn turn = {.options = &service->options, .topic = topic, .now_ms = now_ms};
    if (!cloud_request_parse_topic(topic, &turn.request))
        return SHADOW_SERVICE_NOT_A_REQUEST;
    int r = run_turn(service, &turn, payload, size, code);
    cloud_batch_clear(&turn.batch);
    cloud_request_clear(&turn.request);
    return r;
}

int shadow_service_handle(struct shadow_service *service, const char *topic, const void *payload,
                          size_t size, int64_t now_ms)
{
    return answer(service, topic, payload, size, 0, now_ms);
}

int shadow_service_reject(struct shadow_service *service, const char *topic, const void *payload,
                          size_t size, int code, int64_t now_ms)
{
    return answer(service, topic, payload, size, code, now_ms);
}

bool shadow_service_next(struct shadow_service *service, struct shadow_service_message *ret_message)
{
    return cloud_outbox_next(&service->outbox, ret_message);
}

/* ---- faults ---- */

void shadow_service_reject_next(struct shadow_service *service,
                                enum shadow_service_operation operation, unsigned count, int code)
{
    service->planned[operation] = (struct planned_rejection){count, code};
}

int shadow_service_poison(struct shadow_service *service, const char *key, int code)
{
    char *copy = key ? strdup(key) : NULL;
    if (key && !copy)
        return -ENOMEM;
    free(service->poison_key);
    service->poison_key = copy;
    service->poison_code = code;
    return 0;
}

/* ---- looking inside ---- */

const json_t *shadow_service_document(struct shadow_service *service, const char *thing,
                                      const char *name)
{
    const struct cloud_shadow *shadow = cloud_store_find(&service->store, thing, name);
    return shadow && shadow->exists ? shadow->document.state : NULL;
}

const json_t *shadow_service_metadata(struct shadow_service *service, const char *thing,
                                      const char *name)
{
    const struct cloud_shadow *shadow = cloud_store_find(&service->store, thing, name);
    return shadow && shadow->exists ? shadow->document.metadata : NULL;
}

int64_t shadow_service_version(struct shadow_service *service, const char *thing, const char *name)
{
    const struct cloud_shadow *shadow = cloud_store_find(&service->store, thing, name);
    return shadow && shadow->exists ? shadow->document.version : 0;
}

int shadow_service_seed(struct shadow_service *service, const char *thing, const char *name,
                        const json_t *document, int64_t version, int64_t at_ms)
{
    if (!cloud_names_are_valid(thing, name) || version < 1 || !json_is_object(document))
        return -EINVAL;
    struct cloud_document copy = {.state = json_deep_copy(document),
                                  .metadata = cloud_metadata_new(document, at_ms / 1000),
                                  .version = version};
    struct cloud_shadow *shadow = NULL;
    int r = copy.state && copy.metadata ? cloud_store_ensure(&service->store, thing, name, &shadow)
                                        : -ENOMEM;
    if (r < 0) {
        cloud_document_clear(&copy);
        return r == -ENOSPC ? -ENOMEM : r;
    }
    cloud_document_clear(&shadow->document);
    shadow->document = copy;
    shadow->exists = true;
    return 0;
}

void shadow_service_forget(struct shadow_service *service, const char *thing, const char *name)
{
    cloud_store_remove(&service->store, thing, name);
}

json_t *shadow_service_export(const struct shadow_service *service)
{
    return cloud_archive_new(&service->store);
}

int shadow_service_import(struct shadow_service *service, const json_t *archive)
{
    return cloud_archive_read(archive, &service->store);
}

const struct shadow_service_counters *shadow_service_counters(struct shadow_service *service)
{
    return &service->counters;
}

uint64_t shadow_service_rejected_with(struct shadow_service *service, int code)
{
    return code >= CODE_MIN && code <= CODE_MAX ? service->rejected_with[code - CODE_MIN] : 0;
}

void shadow_service_reset_counters(struct shadow_service *service)
{
    memset(&service->counters, 0, sizeof(service->counters));
    memset(service->rejected_with, 0, sizeof(service->rejected_with));
}
