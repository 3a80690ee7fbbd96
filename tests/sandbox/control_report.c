#include "tests/sandbox/control_report.h"

#include <stddef.h>
#include <stdio.h>

#include "tests/sandbox/control_fault.h"

static json_t *by_operation(const uint64_t counts[static SHADOW_SERVICE_OPERATIONS])
{
    return json_pack("{s:I, s:I, s:I}", "get", (json_int_t)counts[SHADOW_SERVICE_GET], "update",
                     (json_int_t)counts[SHADOW_SERVICE_UPDATE], "delete",
                     (json_int_t)counts[SHADOW_SERVICE_DELETE]);
}

static json_t *by_code(struct shadow_service *service)
{
    json_t *codes = json_object();
    for (int code = 400; codes && code <= 599; code++) {
        uint64_t count = shadow_service_rejected_with(service, code);
        char key[8];
        snprintf(key, sizeof(key), "%d", code);
        if (count > 0 && json_object_set_new(codes, key, json_integer((json_int_t)count))) {
            json_decref(codes);
            return NULL;
        }
    }
    return codes;
}

/* A counter of 64 bits in a struct, and how people see it called. */
struct counter {
    const char *name;
    size_t offset;
};

#define CLIENT(name, field)                                                                        \
    {                                                                                              \
        name, offsetof(struct account_client, field)                                               \
    }
#define SERVICE(name, field)                                                                       \
    {                                                                                              \
        name, offsetof(struct shadow_service_counters, field)                                      \
    }
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct counter client_counters[] = {
    CLIENT("connects", connects),
    CLIENT("disconnects", disconnects),
    CLIENT("published", published),
    CLIENT("publishedBytes", published_bytes),
    CLIENT("operations", operations),
    CLIENT("delivered", delivered),
    CLIENT("deliveredBytes", delivered_bytes),
    CLIENT("subscribed", subscribed),
    CLIENT("refusedConnects", refused_connects),
    CLIENT("refusedPublishes", refused_publishes),
    CLIENT("refusedSubscriptions", refused_subscriptions),
    CLIENT("discarded", discarded),
    CLIENT("limitsExceeded", limits_exceeded),
};

static const struct counter service_counters[] = {
    SERVICE("requestBytes", requests_bytes), SERVICE("messages", messages),
    SERVICE("messageBytes", messages_bytes), SERVICE("throttled", throttled),
    SERVICE("oversized", oversized),
};

/* Add the counters of `base` to an object. Returns 0 or -1. */
static int add_counters(json_t *object, const void *base, const struct counter *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t *value = (const void *)((const char *)base + list[i].offset);
        if (json_object_set_new(object, list[i].name, json_integer((json_int_t)*value)))
            return -1;
    }
    return 0;
}

static json_t *all_clients(const struct account *account)
{
    json_t *clients = json_object();
    for (size_t i = 0; clients && i < account->client_count; i++) {
        const struct account_client *client = &account->clients[i];
        json_t *counters = json_object();
        if (json_object_set_new(clients, client->id, counters) ||
            add_counters(counters, client, client_counters, COUNT(client_counters))) {
            json_decref(clients);
            return NULL;
        }
    }
    return clients;
}

static json_t *all_shadows(const struct account *account)
{
    json_t *shadows = json_object();
    for (size_t i = 0; shadows && i < account->tally.count; i++) {
        const struct tally_entry *entry = &account->tally.entries[i];
        json_t *counters = by_operation(entry->operations);
        if (!counters ||
            json_object_set_new(counters, "rejected", json_integer((json_int_t)entry->rejected)) ||
            json_object_set_new(counters, "byCloud", json_integer((json_int_t)entry->by_cloud)) ||
            json_object_set(shadows, entry->key, counters)) {
            json_decref(counters);
            json_decref(shadows);
            return NULL;
        }
        json_decref(counters);
    }
    return shadows;
}

static json_t *limits_exceeded(const struct limits *limits)
{
    json_t *exceeded = json_pack("{s:I}", "total", (json_int_t)limits_total(limits));
    for (int i = 0; exceeded && i < LIMIT_COUNT; i++) {
        if (json_object_set_new(exceeded, limit_name((enum limit)i),
                                json_integer((json_int_t)limits->exceeded[i]))) {
            json_decref(exceeded);
            return NULL;
        }
    }
    return exceeded;
}

json_t *control_report_counters(const struct account *account)
{
    const struct shadow_service_counters *counters = shadow_service_counters(account->service);
    json_t *report =
        json_pack("{s:o, s:o, s:o, s:o}", "operations", by_operation(counters->operations),
                  "accepted", by_operation(counters->accepted), "rejected",
                  by_operation(counters->rejected), "rejectedByCode", by_code(account->service));
    if (!report)
        return NULL;
    if (add_counters(report, counters, service_counters, COUNT(service_counters)) ||
        json_object_set_new(report, "clients", all_clients(account)) ||
        json_object_set_new(report, "shadows", all_shadows(account)) ||
        json_object_set_new(report, "limits_exceeded", limits_exceeded(&account->limits)) ||
        json_object_set_new(report, "faults", control_fault_list(&account->faults))) {
        json_decref(report);
        return NULL;
    }
    return report;
}

json_t *control_report_things(const struct account *account)
{
    json_t *archive = shadow_service_export(account->service);
    json_t *things = archive ? json_object() : NULL;
    const char *key;
    json_t *entry;
    json_object_foreach(archive, key, entry)
    {
        json_t *version = json_object_get(entry, "version");
        if (version && json_object_set(things, key, version)) {
            json_decref(things);
            things = NULL;
            break;
        }
    }
    json_decref(archive);
    return things;
}
