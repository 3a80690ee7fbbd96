#include "tests/sandbox/cloud_turn.h"

#include <errno.h>

#include "tests/sandbox/cloud_document.h"

#define REFUSED 1

/* Queue a message for the topic of the request + suffix, with time and token added. Takes `body`.
 */
static int say(struct cloud_turn *turn, struct shadow_service_message message, const char *suffix,
               json_t *body, bool timestamp)
{
    const struct cloud_request *request = &turn->request;
    if (body && timestamp &&
        json_object_set_new_nocheck(body, "timestamp", json_integer(turn->now_ms / 1000))) {
        json_decref(body);
        return -ENOMEM;
    }
    if (body && request->token &&
        json_object_set_nocheck(body, "clientToken", (json_t *)request->token)) {
        json_decref(body);
        return -ENOMEM;
    }
    message.operation = request->operation;
    return cloud_batch_add(&turn->batch, message, turn->topic, request->prefix_size, suffix, body);
}

int cloud_turn_reject_with(struct cloud_turn *turn, int code, json_t *text)
{
    static const char *const suffixes[] = {"/get/rejected", "/update/rejected", "/delete/rejected"};
    const struct shadow_service_message message = {.kind = SHADOW_SERVICE_REJECTED, .code = code};
    json_t *body = json_pack("{s:i, s:o}", "code", code, "message", text);
    return say(turn, message, suffixes[turn->request.operation], body,
               turn->options->rejected_timestamp);
}

int cloud_turn_reject(struct cloud_turn *turn, enum cloud_refusal refusal)
{
    return cloud_turn_reject_with(turn, cloud_refusal_code(refusal),
                                  cloud_refusal_text(refusal, &turn->request, turn->options));
}

/* Say accepted: the sections of the request, a null one only where the switch has it so. */
static int say_update_accepted(struct cloud_turn *turn, int64_t version)
{
    const struct shadow_service_message message = {.kind = SHADOW_SERVICE_ACCEPTED,
                                                   .version = version};
    json_t *state = json_copy(turn->request.state);
    if (state && json_is_object(state) && !turn->options->echo_null_section) {
        if (json_is_null(json_object_get(state, "desired")))
            (void)json_object_del(state, "desired");
        if (json_is_null(json_object_get(state, "reported")))
            (void)json_object_del(state, "reported");
    }
    json_t *metadata = state ? cloud_metadata_new(state, turn->now_ms / 1000) : NULL;
    json_t *body = json_pack("{s:o, s:o, s:I}", "state", state, "metadata", metadata, "version",
                             (json_int_t)version);
    return say(turn, message, "/update/accepted", body, true);
}

static json_t *snapshot(const struct cloud_document *document)
{
    return json_pack("{s:O, s:O, s:I}", "state", document->state, "metadata", document->metadata,
                     "version", (json_int_t)document->version);
}

static int say_documents(struct cloud_turn *turn, const struct cloud_document *current)
{
    if (!turn->options->publish_documents)
        return 0;
    const struct shadow_service_message message = {.kind = SHADOW_SERVICE_DOCUMENTS,
                                                   .version = current->version};
    json_t *previous = turn->shadow->exists ? snapshot(&turn->shadow->document) : json_null();
    json_t *body = json_pack("{s:o, s:o}", "previous", previous, "current", snapshot(current));
    return say(turn, message, "/update/documents", body, true);
}

static int say_delta(struct cloud_turn *turn, const struct cloud_document *current)
{
    const struct shadow_service_message message = {.kind = SHADOW_SERVICE_DELTA,
                                                   .version = current->version};
    json_t *delta = NULL;
    json_t *metadata = NULL;
    int r = cloud_document_delta(current, turn->options->exact_delta_numbers, &delta, &metadata);
    if (r < 0 || !delta)
        return r;
    json_t *body = json_pack("{s:I, s:i, s:o, s:o}", "version", (json_int_t)current->version,
                             "timestamp", 0, "state", delta, "metadata", metadata);
    return say(turn, message, "/update/delta", body, true);
}

/* ---- operations ---- */

/* The version the next update is compared with and built on: also that of a recent tombstone. */
static int64_t current_version(const struct cloud_turn *turn)
{
    const struct cloud_shadow *shadow = turn->shadow;
    if (shadow->exists)
        return shadow->document.version;
    if (shadow->tombstone_version > 0 &&
        turn->now_ms - shadow->deleted_at_ms < SHADOW_SERVICE_TOMBSTONE_MS)
        return shadow->tombstone_version;
    return 0;
}

static bool version_conflicts(const struct cloud_turn *turn, int64_t current)
{
    const struct shadow_service_options *options = turn->options;
    if (!turn->request.has_version)
        return false;
    if (current == 0 && options->missing_accepts_version)
        return false;
    /* A stale version after a delete is refused, also where the tombstone kept the number. */
    if (current > 0 && !turn->shadow->exists && !options->tombstone_bumps)
        return true;
    return turn->request.version != current;
}

static int handle_get(struct cloud_turn *turn)
{
    if (!turn->shadow->exists)
        return cloud_turn_reject(turn, CLOUD_REFUSAL_NOT_FOUND);
    const struct cloud_document *document = &turn->shadow->document;
    const struct shadow_service_options *options = turn->options;
    const struct shadow_service_message message = {.kind = SHADOW_SERVICE_ACCEPTED,
                                                   .version = document->version};
    json_t *delta = NULL;
    json_t *delta_metadata = NULL;
    int r = cloud_document_delta(document, options->exact_delta_numbers, &delta, &delta_metadata);
    if (r < 0)
        return r;
    json_t *state = json_copy(document->state);
    json_t *metadata = json_copy(document->metadata);
    if (delta) {
        r = json_object_set_new_nocheck(state, "delta", delta);
        if (options->get_metadata_delta)
            r |= json_object_set_nocheck(metadata, "delta", delta_metadata);
        json_decref(delta_metadata);
    }
    json_t *body = json_pack("{s:o, s:o, s:I}", "state", state, "metadata", metadata, "version",
                             (json_int_t)document->version);
    if (r != 0) {
        json_decref(body);
        return -ENOMEM;
    }
    return say(turn, message, "/get/accepted", body, true);
}

/* Apply a valid update to a copy and queue what there is to say. Returns 0, REFUSED or -ENOMEM. */
static int apply_update(struct cloud_turn *turn, struct cloud_document *next, int64_t current)
{
    const struct shadow_service_options *options = turn->options;
    int r = cloud_document_merge(next, turn->request.state, turn->now_ms / 1000,
                                 options->null_only_makes_nothing);
    if (r < 0)
        return r;
    if (options->max_bytes > 0 && cloud_document_size(next) > options->max_bytes) {
        r = cloud_turn_reject(turn, CLOUD_REFUSAL_TOO_LARGE);
        return r < 0 ? r : REFUSED;
    }
    next->version = current + 1;
    r = say_update_accepted(turn, next->version);
    if (r == 0)
        r = say_documents(turn, next);
    if (r == 0)
        r = say_delta(turn, next);
    return r;
}

static int handle_update(struct cloud_turn *turn)
{
    struct cloud_shadow *shadow = turn->shadow;
    int64_t current = current_version(turn);
    if (version_conflicts(turn, current))
        return cloud_turn_reject(turn, CLOUD_REFUSAL_CONFLICT);

    struct cloud_document next = {0};
    int r =
        shadow->exists ? cloud_document_copy(&shadow->document, &next) : cloud_document_init(&next);
    if (r == 0)
        r = apply_update(turn, &next, current);
    if (r == 0) {
        /* Only now that all messages are ready does the copy become the shadow. */
        cloud_document_clear(&shadow->document);
        shadow->document = next;
        shadow->exists = true;
        return 0;
    }
    cloud_document_clear(&next);
    return r == REFUSED ? 0 : r;
}

static int handle_delete(struct cloud_turn *turn)
{
    struct cloud_shadow *shadow = turn->shadow;
    if (!shadow->exists)
        return cloud_turn_reject(turn, CLOUD_REFUSAL_NOT_FOUND);
    int64_t version = shadow->document.version;
    const struct shadow_service_message message = {.kind = SHADOW_SERVICE_ACCEPTED,
                                                   .version = version};
    int r = say(turn, message, "/delete/accepted",
                json_pack("{s:I}", "version", (json_int_t)version), true);
    if (r < 0)
        return r;
    cloud_document_clear(&shadow->document);
    shadow->exists = false;
    shadow->deleted_at_ms = turn->now_ms;
    shadow->tombstone_version = turn->options->tombstone_bumps ? version + 1 : version;
    return 0;
}

int cloud_turn_run(struct cloud_turn *turn)
{
    switch (turn->request.operation) {
    case SHADOW_SERVICE_GET:
        return handle_get(turn);
    case SHADOW_SERVICE_UPDATE:
        return handle_update(turn);
    case SHADOW_SERVICE_DELETE:
        return handle_delete(turn);
    case SHADOW_SERVICE_OPERATIONS:
        break;
    }
    return -EINVAL;
}
