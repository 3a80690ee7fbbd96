#include "tests/sandbox/cloud_request.h"

#include <errno.h>
#include <string.h>

#include "tests/sandbox/cloud_document.h"
#include "tests/sandbox/cloud_json.h"

static const struct {
    int code;
    const char *text;
} refusals[CLOUD_REFUSAL_COUNT] = {
    [CLOUD_REFUSAL_INVALID_JSON] = {400, "Invalid JSON"},
    [CLOUD_REFUSAL_MISSING_STATE] = {400, "Missing required node: state"},
    [CLOUD_REFUSAL_STATE_NOT_OBJECT] = {400, "State node must be an object"},
    [CLOUD_REFUSAL_DESIRED_NOT_OBJECT] = {400, "Desired node must be an object"},
    [CLOUD_REFUSAL_REPORTED_NOT_OBJECT] = {400, "Reported node must be an object"},
    [CLOUD_REFUSAL_INVALID_VERSION] = {400, "Invalid version"},
    [CLOUD_REFUSAL_INVALID_TOKEN] = {400, "Invalid clientToken"},
    /* "6" is what AWS says, whatever the limit is. */
    [CLOUD_REFUSAL_TOO_DEEP] = {400, "JSON contains too many levels of nesting; maximum is 6"},
    [CLOUD_REFUSAL_INVALID_NODE] = {400, "State contains an invalid node"},
    [CLOUD_REFUSAL_NULL_IN_ARRAY] = {400, "State contains an invalid node: null in an array"},
    [CLOUD_REFUSAL_NOT_FOUND] = {404, "No shadow exists with name"},
    [CLOUD_REFUSAL_CONFLICT] = {409, "Version conflict"},
    [CLOUD_REFUSAL_TOO_LARGE] = {413, "The payload exceeds the maximum size allowed"},
    [CLOUD_REFUSAL_ENCODING] = {415,
                                "Unsupported documented encoding; supported encoding is UTF-8"},
    [CLOUD_REFUSAL_TOO_MANY_REQUESTS] = {429, "TOO_MANY_REQUESTS"},
    [CLOUD_REFUSAL_INTERNAL] = {500, "Internal service failure"},
};

/* Return the length of the name that `text` begins with, 0 if it is none or too long. */
static size_t name_length(const char *text, size_t max, bool dollar)
{
    static const char allowed[] =
        "$abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:_-";
    size_t length = strspn(text, dollar ? allowed : allowed + 1);
    return length <= max ? length : 0;
}

bool cloud_names_are_valid(const char *thing, const char *name)
{
    size_t length = name_length(thing, CLOUD_THING_MAX, false);
    if (length == 0 || thing[length] != '\0')
        return false;
    if (!name)
        return true;
    length = name_length(name, CLOUD_NAME_MAX, true);
    return length > 0 && name[length] == '\0';
}

const char *shadow_service_operation_name(enum shadow_service_operation operation)
{
    switch (operation) {
    case SHADOW_SERVICE_GET:
        return "get";
    case SHADOW_SERVICE_UPDATE:
        return "update";
    case SHADOW_SERVICE_DELETE:
        return "delete";
    case SHADOW_SERVICE_OPERATIONS:
        break;
    }
    return "unknown";
}

static const char *skip(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

bool cloud_request_parse_topic(const char *topic, struct cloud_request *ret_request)
{
    struct cloud_request request = {0};
    const char *at = skip(topic, "$aws/things/");
    size_t length = at ? name_length(at, CLOUD_THING_MAX, false) : 0;
    if (length == 0)
        return false;
    memcpy(request.thing, at, length);
    at = skip(at + length, "/shadow/");
    if (!at)
        return false;
    const char *named = skip(at, "name/");
    if (named) {
        length = name_length(named, CLOUD_NAME_MAX, true);
        if (length == 0 || named[length] != '/')
            return false;
        memcpy(request.name, named, length);
        at = named + length + 1;
    }
    request.prefix_size = (size_t)(at - 1 - topic);
    for (int i = 0; i < SHADOW_SERVICE_OPERATIONS; i++) {
        request.operation = (enum shadow_service_operation)i;
        if (strcmp(at, shadow_service_operation_name(request.operation)) == 0) {
            *ret_request = request;
            return true;
        }
    }
    return false;
}

/* Read the token; it is echoed even if the rest is refused. */
static int parse_token(struct cloud_request *request, const struct shadow_service_options *options)
{
    const json_t *token = json_object_get(request->body, "clientToken");
    if (!token)
        return CLOUD_REFUSAL_NONE;
    if (json_is_string(token) && json_string_length(token) <= CLOUD_TOKEN_MAX) {
        request->token = token;
        return CLOUD_REFUSAL_NONE;
    }
    if (json_is_string(token) && options->echo_long_token)
        request->token = token;
    return CLOUD_REFUSAL_INVALID_TOKEN;
}

static int parse_version(struct cloud_request *request)
{
    const json_t *version = json_object_get(request->body, "version");
    if (!version)
        return CLOUD_REFUSAL_NONE;
    if (!json_is_integer(version) || json_integer_value(version) < 0)
        return CLOUD_REFUSAL_INVALID_VERSION;
    request->has_version = true;
    request->version = json_integer_value(version);
    return CLOUD_REFUSAL_NONE;
}

static int check_section(const json_t *section, const struct shadow_service_options *options)
{
    if (options->max_depth > 0 &&
        cloud_section_depth(section, options->arrays_count_as_level) > options->max_depth)
        return CLOUD_REFUSAL_TOO_DEEP;
    return cloud_has_null_in_array(section) ? CLOUD_REFUSAL_NULL_IN_ARRAY : CLOUD_REFUSAL_NONE;
}

static int parse_state(struct cloud_request *request, const struct shadow_service_options *options)
{
    request->state = json_object_get(request->body, "state");
    if (!request->state)
        return CLOUD_REFUSAL_MISSING_STATE;
    if (json_is_null(request->state))
        return CLOUD_REFUSAL_NONE;
    if (!json_is_object(request->state))
        return CLOUD_REFUSAL_STATE_NOT_OBJECT;
    const char *key;
    json_t *section;
    json_object_foreach(request->state, key, section)
    {
        bool desired = strcmp(key, "desired") == 0;
        if (!desired && strcmp(key, "reported") != 0) {
            request->offender = key;
            return CLOUD_REFUSAL_INVALID_NODE;
        }
        if (!json_is_object(section) && !json_is_null(section))
            return desired ? CLOUD_REFUSAL_DESIRED_NOT_OBJECT : CLOUD_REFUSAL_REPORTED_NOT_OBJECT;
        int refusal = check_section(section, options);
        if (refusal != CLOUD_REFUSAL_NONE)
            return refusal;
    }
    return options->normalise_numbers ? cloud_json_normalise(request->state) : 0;
}

/* Read the body as an object; what is not one is refused, where the operation needs it. */
static int parse_body(struct cloud_request *request, const struct shadow_service_options *options,
                      const char *payload, size_t size)
{
    int r = cloud_json_parse(payload, size, options->refuse_duplicate_keys, &request->body);
    if (r < 0)
        return r;
    if (r == 0 && json_is_object(request->body))
        return CLOUD_REFUSAL_NONE;
    bool is_update = request->operation == SHADOW_SERVICE_UPDATE;
    if (!is_update && (size == 0 || !options->strict_get_payload))
        return CLOUD_REFUSAL_NONE;
    if (r == CLOUD_JSON_NOT_UTF8)
        return CLOUD_REFUSAL_ENCODING;
    return r == CLOUD_JSON_TOO_DEEP ? CLOUD_REFUSAL_TOO_DEEP : CLOUD_REFUSAL_INVALID_JSON;
}

int cloud_request_parse_payload(struct cloud_request *request,
                                const struct shadow_service_options *options, const char *payload,
                                size_t size)
{
    int r = parse_body(request, options, payload, size);
    if (r == CLOUD_REFUSAL_NONE)
        r = parse_token(request, options);
    if (r != CLOUD_REFUSAL_NONE || request->operation != SHADOW_SERVICE_UPDATE)
        return r;
    r = parse_version(request);
    return r != CLOUD_REFUSAL_NONE ? r : parse_state(request, options);
}

void cloud_request_clear(struct cloud_request *request)
{
    json_decref(request->body);
    memset(request, 0, sizeof(*request));
}

int cloud_refusal_code(enum cloud_refusal refusal)
{
    return refusals[refusal].code;
}

json_t *cloud_refusal_text(enum cloud_refusal refusal, const struct cloud_request *request,
                           const struct shadow_service_options *options)
{
    const char *text = refusals[refusal].text;
    if (options->vary_messages)
        return json_sprintf("Request %d was refused [%d]", request->operation,
                            refusals[refusal].code);
    if (refusal == CLOUD_REFUSAL_INVALID_NODE && request->offender)
        return json_sprintf("%s: '%s'", text, request->offender);
    if (refusal != CLOUD_REFUSAL_NOT_FOUND)
        return json_string(text);
    if (request->name[0] == '\0')
        return json_sprintf("%s: '%s'", text, request->thing);
    if (options->named_404_with_thing)
        return json_sprintf("%s: '%s~%s'", text, request->thing, request->name);
    return json_sprintf("%s: '%s'", text, request->name);
}
