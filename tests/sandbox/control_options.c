#include "tests/sandbox/control_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum option_kind { OPTION_BOOL, OPTION_UNSIGNED, OPTION_SIZE, OPTION_INT64, OPTION_UINT64 };

struct option {
    const char *name;
    enum option_kind kind;
    size_t offset;
};

#define SERVICE(kind, field)                                                                       \
    {                                                                                              \
#field, kind, offsetof(struct shadow_service_options, field)                               \
    }
#define POLICY(kind, field)                                                                        \
    {                                                                                              \
#field, kind, offsetof(struct policy, field)                                               \
    }

static const struct option service_options[] = {
    SERVICE(OPTION_UNSIGNED, max_depth),         SERVICE(OPTION_SIZE, max_bytes),
    SERVICE(OPTION_SIZE, max_answer_size),       SERVICE(OPTION_INT64, in_flight_ms),
    SERVICE(OPTION_UNSIGNED, max_per_sec),       SERVICE(OPTION_BOOL, throttle_drops),
    SERVICE(OPTION_BOOL, arrays_count_as_level), SERVICE(OPTION_BOOL, rejected_timestamp),
    SERVICE(OPTION_BOOL, vary_messages),         SERVICE(OPTION_BOOL, named_404_with_thing),
    SERVICE(OPTION_BOOL, echo_long_token),       SERVICE(OPTION_BOOL, strict_get_payload),
    SERVICE(OPTION_BOOL, refuse_duplicate_keys), SERVICE(OPTION_BOOL, missing_accepts_version),
    SERVICE(OPTION_BOOL, get_metadata_delta),    SERVICE(OPTION_BOOL, normalise_numbers),
    SERVICE(OPTION_BOOL, exact_delta_numbers),   SERVICE(OPTION_BOOL, null_only_makes_nothing),
    SERVICE(OPTION_BOOL, tombstone_bumps),       SERVICE(OPTION_BOOL, echo_null_section),
    SERVICE(OPTION_BOOL, publish_documents),     SERVICE(OPTION_UINT64, shuffle_seed),
};

static const struct option policy_options[] = {
    POLICY(OPTION_BOOL, any_client_id),
    POLICY(OPTION_BOOL, any_thing),
    POLICY(OPTION_BOOL, refuse_publish_softly),
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* The options of a limit, "max_NAME" and "enforce_NAME". A limit that the service keeps, or that is
 * no number, has not both. */
#define OPTION_NAME_MAX 64

static bool has_max(enum limit limit)
{
    return limit != LIMIT_REQUESTS_PER_SEC && limit != LIMIT_RETAIN && limit != LIMIT_QOS;
}

static bool has_switch(enum limit limit)
{
    return limit != LIMIT_REQUESTS_PER_SEC;
}

/* Name the option of a limit, and say where its value is. False: there is no such option. */
static bool limit_option(enum limit limit, bool is_switch, char name[static OPTION_NAME_MAX],
                         struct option *ret_option)
{
    size_t offset = is_switch ? offsetof(struct limits, enforced) + limit * sizeof(bool)
                              : offsetof(struct limits, max) + limit * sizeof(unsigned);
    if (is_switch ? !has_switch(limit) : !has_max(limit))
        return false;
    snprintf(name, OPTION_NAME_MAX, "%s_%s", is_switch ? "enforce" : "max", limit_name(limit));
    *ret_option = (struct option){name, is_switch ? OPTION_BOOL : OPTION_UNSIGNED, offset};
    return true;
}

static int store(const struct option *option, void *base, const json_t *value)
{
    char *at = (char *)base + option->offset;
    if (option->kind == OPTION_BOOL ? !json_is_boolean(value)
                                    : !json_is_integer(value) || json_integer_value(value) < 0)
        return -EINVAL;
    json_int_t integer = json_integer_value(value);
    if (option->kind == OPTION_UNSIGNED && integer > INT32_MAX)
        return -EINVAL;
    switch (option->kind) {
    case OPTION_BOOL:
        memcpy(at, &(bool){json_is_true(value)}, sizeof(bool));
        break;
    case OPTION_UNSIGNED:
        memcpy(at, &(unsigned){(unsigned)integer}, sizeof(unsigned));
        break;
    case OPTION_SIZE:
        memcpy(at, &(size_t){(size_t)integer}, sizeof(size_t));
        break;
    case OPTION_INT64:
    case OPTION_UINT64:
        memcpy(at, &(int64_t){integer}, sizeof(int64_t));
        break;
    }
    return 0;
}

static json_t *load(const struct option *option, const void *base)
{
    const void *at = (const char *)base + option->offset;
    unsigned small;
    size_t size;
    int64_t integer;
    switch (option->kind) {
    case OPTION_BOOL:
        return json_boolean(*(const bool *)at);
    case OPTION_UNSIGNED:
        memcpy(&small, at, sizeof(small));
        return json_integer((json_int_t)small);
    case OPTION_SIZE:
        memcpy(&size, at, sizeof(size));
        return json_integer((json_int_t)size);
    case OPTION_INT64:
    case OPTION_UINT64:
        memcpy(&integer, at, sizeof(integer));
        return json_integer((json_int_t)integer);
    }
    return NULL;
}

static const struct option *find(const struct option *options, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(options[i].name, name) == 0)
            return &options[i];
    }
    return NULL;
}

int control_option_set(struct account *account, const char *name, const json_t *value)
{
    const struct option *option = find(service_options, COUNT(service_options), name);
    if (option)
        return store(option, shadow_service_options(account->service), value);
    option = find(policy_options, COUNT(policy_options), name);
    if (option)
        return store(option, &account->policy, value);
    for (int i = 0; i < 2 * LIMIT_COUNT; i++) {
        char limit_name[OPTION_NAME_MAX];
        struct option limit;
        if (limit_option((enum limit)(i / 2), i % 2 == 1, limit_name, &limit) &&
            strcmp(limit_name, name) == 0)
            return store(&limit, &account->limits, value);
    }
    return -EINVAL;
}

static int list_limits(const struct account *account, json_t *list)
{
    int r = 0;
    for (int i = 0; r == 0 && i < 2 * LIMIT_COUNT; i++) {
        char name[OPTION_NAME_MAX];
        struct option limit;
        if (limit_option((enum limit)(i / 2), i % 2 == 1, name, &limit))
            r = json_object_set_new(list, name, load(&limit, &account->limits));
    }
    return r;
}

json_t *control_options_list(const struct account *account)
{
    json_t *list = json_object();
    int r = list ? 0 : -1;
    for (size_t i = 0; r == 0 && i < COUNT(service_options); i++)
        r = json_object_set_new(
            list, service_options[i].name,
            load(&service_options[i], shadow_service_options(account->service)));
    for (size_t i = 0; r == 0 && i < COUNT(policy_options); i++)
        r = json_object_set_new(list, policy_options[i].name,
                                load(&policy_options[i], &account->policy));
    if (r == 0)
        r = list_limits(account, list);
    if (r != 0) {
        json_decref(list);
        return NULL;
    }
    return list;
}
