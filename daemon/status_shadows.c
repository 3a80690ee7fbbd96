#include "daemon/status_json.h"

static json_t *shadow_counters(const struct shadow_status *status)
{
    json_t *object = json_object();
    object = status_put(object, "reports", status_count(status->reports));
    object = status_put(object, "operations", status_count(status->operations));
    object = status_put(object, "reports_refused", status_count(status->reports_refused));
    object = status_put(object, "updates_sent", status_count(status->updates_sent));
    object = status_put(object, "updates_accepted", status_count(status->updates_accepted));
    object = status_put(object, "updates_rejected", status_count(status->updates_rejected));
    object = status_put(object, "updates_timed_out", status_count(status->updates_timed_out));
    object = status_put(object, "gets_sent", status_count(status->gets_sent));
    object = status_put(object, "conflicts", status_count(status->conflicts));
    object = status_put(object, "foreign_changes", status_count(status->foreign_changes));
    object = status_put(object, "expired", status_count(status->expired));
    return status_put(object, "exited", status_count(status->exited));
}

static json_t *shadow_document(const struct shadow *shadow, int64_t now_ms)
{
    struct shadow_status status;
    shadow_get_status(shadow, &status);
    json_t *object = json_object();
    object = status_put(object, "thing", json_string(status.thing));
    object = status_put(object, "name", status_text(status.name));
    object = status_put(object, "view", json_string(shadow_view_name(status.view)));
    object = status_put(object, "version",
                        status.version < 0 ? json_null() : json_integer(status.version));
    object = status_put(object, "properties", status_count(status.properties));
    object = status_put(object, "pending", status_count(status.pending));
    object = status_put(object, "pending_for_ms", status_since(status.oldest_pending_ms, now_ms));
    object = status_put(object, "in_flight", status_count(status.in_flight));
    object = status_put(object, "refused", status_count(status.refused));
    object = status_put(object, "cuts", status_count(status.cuts));
    object = status_put(object, "document_bytes", status_count(status.document_bytes));
    object = status_put(object, "document_bytes_max", status_count(status.document_bytes_max));
    object = status_put(object, "fill_percent", status_count(shadow_fill_percent(&status)));
    object =
        status_put(object, "last_accepted_version",
                   status.last_accepted_version < 0 ? json_null()
                                                    : json_integer(status.last_accepted_version));
    object =
        status_put(object, "last_accepted_ago_ms", status_since(status.last_accepted_ms, now_ms));
    object = status_put(object, "blocked_for_ms", status_until(status.blocked_until_ms, now_ms));
    object = status_put(object, "quarantined_for_ms",
                        status.quarantined_until_ms > now_ms
                            ? json_integer(status.quarantined_until_ms - now_ms)
                            : json_null());
    object = status_put(object, "heard", json_boolean(status.heard));
    object = status_put(object, "last_code",
                        status.last_code ? json_integer(status.last_code) : json_null());
    object = status_put(object, "users", status_count(status.users));
    object = status_put(object, "watchers", status_count(status.watchers));
    return status_put(object, "counters", shadow_counters(&status));
}

json_t *status_shadows(const struct status_source *source, int64_t now_ms)
{
    json_t *array = json_array();
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(source->thing, shadow)))
        array = status_append(array, shadow_document(shadow, now_ms));
    return array;
}

/* A link that is up and of no use: a moment after it came up, or for lack of rights. */
static json_t *cloud_note(const struct status_source *source, const struct thing_status *thing)
{
    struct uplink_status status;
    uplink_get_status(source->uplink, &status);
    if (status.state != LINK_UP || thing->subscribed)
        return json_null();
    if (thing->shadows_unheard < thing->shadows)
        return json_sprintf("no answers of %d of %d shadows can be heard; if that lasts, the "
                            "certificate's policy does not allow to subscribe to their topics, or "
                            "MaxSubscriptions do not suffice",
                            (int)thing->shadows_unheard, (int)thing->shadows);
    return json_sprintf("no answers of the shadow of %s can be heard yet; if that lasts, the "
                        "certificate's policy does not allow to subscribe to its topics",
                        source->thing_name);
}

static json_t *causes_document(const struct thing_status *status)
{
    json_t *object = json_object();
    for (unsigned i = 0; i < THING_CAUSE_COUNT; i++) {
        const struct thing_traffic *traffic = &status->causes[i];
        json_t *cause = json_object();
        cause = status_put(cause, "operations", status_count(traffic->operations));
        cause = status_put(cause, "messages", status_count(traffic->messages));
        cause = status_put(cause, "bytes", status_count(traffic->bytes));
        object = status_put(object, thing_cause_name((enum thing_cause)i), cause);
    }
    return object;
}

/* What the last 24 hours used of DailyOperations. */
static json_t *daily_document(const struct thing_status *status)
{
    json_t *object = json_object();
    object = status_put(object, "operations", status_count(status->daily_operations));
    object = status_put(object, "limit",
                        status->daily_operations_max ? status_count(status->daily_operations_max)
                                                     : json_null());
    object = status_put(object, "messages", status_count(status->daily_messages));
    return status_put(object, "spacing_ms",
                      status->daily_spacing_ms > 0 ? json_integer(status->daily_spacing_ms)
                                                   : json_null());
}

static json_t *subscriptions_document(const struct thing_status *status)
{
    json_t *object = json_object();
    object = status_put(object, "used", status_count(status->subscriptions));
    object = status_put(object, "limit", status_count(status->subscriptions_max));
    return status_put(object, "shadows_waiting", status_count(status->shadows_unheard));
}

json_t *status_cloud(const struct status_source *source)
{
    struct thing_status status;
    thing_get_status(source->thing, &status);
    json_t *object = json_object();
    object = status_put(object, "subscribed", json_boolean(status.subscribed));
    object = status_put(object, "note", cloud_note(source, &status));
    object = status_put(object, "operations", status_count(status.operations));
    object = status_put(object, "messages_out", status_count(status.messages_out));
    object = status_put(object, "messages_in", status_count(status.messages_in));
    object = status_put(object, "bytes_out", status_count(status.bytes_out));
    object = status_put(object, "bytes_in", status_count(status.bytes_in));
    object = status_put(object, "unknown_messages", status_count(status.unknown_messages));
    object = status_put(object, "shadows", status_count(status.shadows));
    object = status_put(object, "shadows_limit", status_count(status.shadows_max));
    object = status_put(object, "quarantined", status_count(status.quarantined));
    object = status_put(object, "subscriptions", subscriptions_document(&status));
    object = status_put(object, "daily", daily_document(&status));
    return status_put(object, "causes", causes_document(&status));
}
