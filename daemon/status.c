#include "daemon/status.h"

#include <jansson.h>
#include <string.h>

/* Clients listed by name; the counts cover all. */
#define CLIENTS_LISTED 64

/* A failed allocation makes a NULL somewhere below, and then there is no document at all. */
static json_t *put(json_t *object, const char *key, json_t *value)
{
    if (!object || json_object_set_new(object, key, value) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *count(uint64_t number)
{
    return json_integer((json_int_t)number);
}

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *time_since(int64_t then_ms, int64_t now_ms)
{
    return then_ms < 0 ? json_null() : json_integer(now_ms - then_ms);
}

static json_t *time_until(int64_t then_ms, int64_t now_ms)
{
    if (then_ms == INT64_MAX || then_ms <= 0)
        return json_null();
    return json_integer(then_ms > now_ms ? then_ms - now_ms : 0);
}

static json_t *link_document(const struct status_source *source, int64_t now_ms)
{
    struct uplink_status status;
    uplink_get_status(source->uplink, &status);
    json_t *object = json_object();
    object = put(object, "state", json_string(link_state_name(status.state)));
    object = put(object, "for_ms", json_integer(now_ms - status.since_ms));
    object =
        put(object, "reason", status.state == LINK_UP ? json_null() : text_or_null(status.reason));
    object = put(object, "next_attempt_in_ms", time_until(status.next_try_ms, now_ms));
    object = put(object, "endpoint", json_string(config_text(source->config, CONFIG_ENDPOINT)));
    object = put(object, "port", json_integer(config_number(source->config, CONFIG_PORT)));
    object = put(object, "attempts", count(status.attempts));
    object = put(object, "connections", count(status.connections));
    object = put(object, "credentials", json_string(status.credentials));
    return put(object, "certificate_not_after",
               status.not_after_sec ? json_integer(status.not_after_sec) : json_null());
}

static json_t *shadow_counters(const struct shadow_status *status)
{
    json_t *object = json_object();
    object = put(object, "reports", count(status->reports));
    object = put(object, "operations", count(status->operations));
    object = put(object, "reports_refused", count(status->reports_refused));
    object = put(object, "updates_sent", count(status->updates_sent));
    object = put(object, "updates_accepted", count(status->updates_accepted));
    object = put(object, "updates_rejected", count(status->updates_rejected));
    object = put(object, "updates_timed_out", count(status->updates_timed_out));
    object = put(object, "gets_sent", count(status->gets_sent));
    object = put(object, "conflicts", count(status->conflicts));
    return put(object, "foreign_changes", count(status->foreign_changes));
}

static json_t *shadow_document(const struct shadow *shadow, int64_t now_ms)
{
    struct shadow_status status;
    shadow_get_status(shadow, &status);
    json_t *object = json_object();
    object = put(object, "thing", json_string(status.thing));
    object = put(object, "name", text_or_null(status.name));
    object = put(object, "view", json_string(shadow_view_name(status.view)));
    object =
        put(object, "version", status.version < 0 ? json_null() : json_integer(status.version));
    object = put(object, "properties", count(status.properties));
    object = put(object, "pending", count(status.pending));
    object = put(object, "in_flight", count(status.in_flight));
    object = put(object, "refused", count(status.refused));
    object = put(object, "cuts", count(status.cuts));
    object = put(object, "document_bytes", count(status.document_bytes));
    object = put(object, "document_bytes_max", count(status.document_bytes_max));
    object = put(object, "last_accepted_version",
                 status.last_accepted_version < 0 ? json_null()
                                                  : json_integer(status.last_accepted_version));
    object = put(object, "last_accepted_ago_ms", time_since(status.last_accepted_ms, now_ms));
    object = put(object, "blocked_for_ms", time_until(status.blocked_until_ms, now_ms));
    object =
        put(object, "last_code", status.last_code ? json_integer(status.last_code) : json_null());
    return put(object, "counters", shadow_counters(&status));
}

static json_t *shadows_document(const struct status_source *source, int64_t now_ms)
{
    json_t *array = json_array();
    struct shadow *shadow = NULL;
    while (array && (shadow = thing_next_shadow(source->thing, shadow))) {
        if (json_array_append_new(array, shadow_document(shadow, now_ms)) < 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

/* A link that is up and of no use: a moment after it came up, or for lack of rights. */
static json_t *cloud_note(const struct status_source *source, bool subscribed)
{
    struct uplink_status status;
    uplink_get_status(source->uplink, &status);
    if (status.state != LINK_UP || subscribed)
        return json_null();
    return json_sprintf("no answers of the shadow of %s can be heard yet; if that lasts, the "
                        "certificate's policy does not allow to subscribe to its topics",
                        source->thing_name);
}

static json_t *cloud_document(const struct status_source *source)
{
    struct thing_status status;
    thing_get_status(source->thing, &status);
    json_t *object = json_object();
    object = put(object, "subscribed", json_boolean(status.subscribed));
    object = put(object, "note", cloud_note(source, status.subscribed));
    object = put(object, "operations", count(status.operations));
    object = put(object, "messages_out", count(status.messages_out));
    object = put(object, "messages_in", count(status.messages_in));
    object = put(object, "bytes_out", count(status.bytes_out));
    object = put(object, "bytes_in", count(status.bytes_in));
    return put(object, "unknown_messages", count(status.unknown_messages));
}

static json_t *client_document(const struct socket_client_info *info)
{
    json_t *object = json_object();
    object = put(object, "name", text_or_null(info->session.name));
    object = put(object, "pid", json_integer(info->pid));
    object = put(object, "uid", json_integer((json_int_t)info->uid));
    object = put(object, "reports", count(info->session.reports));
    object = put(object, "rejected", count(info->session.rejected));
    return put(object, "waiting", count(info->session.waiting));
}

static json_t *clients_document(const struct status_source *source)
{
    struct socket_server_info info;
    socket_server_get_info(source->server, &info);
    json_t *list = json_array();
    struct socket_client_info client;
    for (size_t i = 0;
         list && i < CLIENTS_LISTED && socket_server_get_client(source->server, i, &client); i++) {
        if (json_array_append_new(list, client_document(&client)) < 0) {
            json_decref(list);
            list = NULL;
        }
    }
    json_t *object = json_object();
    object = put(object, "connected", count(info.clients));
    object = put(object, "accepted", count(info.accepted));
    object = put(object, "refused", count(info.refused));
    object = put(object, "messages", count(source->host->counters.messages));
    object = put(object, "reports", count(source->host->counters.reports));
    object = put(object, "operations", count(source->host->counters.operations));
    object = put(object, "reports_rejected", count(source->host->counters.reports_rejected));
    object = put(object, "goodbyes", count(source->host->counters.goodbyes));
    return put(object, "list", list);
}

static json_t *storage_document(const struct status_source *source)
{
    const char *configured = config_text(source->config, CONFIG_STORAGE_MODE);
    json_t *object = json_object();
    object = put(object, "mode", json_string(store_mode_name(source->store)));
    object = put(object, "configured", json_string(configured));
    return put(object, "note",
               !store_is_durable(source->store) && strcmp(configured, "durable") == 0
                   ? json_string("durable storage is not there yet in this version")
                   : json_null());
}

char *status_write(const struct status_source *source, int64_t now_ms, size_t *ret_size)
{
    const bool is_degraded = source->config_rejected || config_is_degraded(source->config);
    json_t *object = json_object();
    object = put(object, "version", json_string(FLUX_VERSION));
    object = put(object, "state", json_string(source->state));
    object = put(object, "uptime_ms", json_integer(now_ms - source->started_ms));
    object = put(object, "thing", json_string(source->thing_name));
    object = put(object, "configuration", json_string(is_degraded ? "degraded" : "ok"));
    object = put(object, "storage", storage_document(source));
    object = put(object, "link", link_document(source, now_ms));
    object = put(object, "shadows", shadows_document(source, now_ms));
    object = put(object, "cloud", cloud_document(source));
    object = put(object, "clients", clients_document(source));
    if (!object)
        return NULL;
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    *ret_size = text ? strlen(text) : 0;
    return text;
}

size_t status_count_pending(struct thing *thing)
{
    size_t pending = 0;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow))) {
        struct shadow_status status;
        shadow_get_status(shadow, &status);
        pending += status.pending + status.in_flight;
    }
    return pending;
}
