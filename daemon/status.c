#include "daemon/status_json.h"

#include "daemon/base/log.h"
#include <stdlib.h>
#include <string.h>

json_t *status_put(json_t *object, const char *key, json_t *value)
{
    if (!object || json_object_set_new(object, key, value) < 0) {
        json_decref(object);
        return NULL;
    }
    return object;
}

json_t *status_append(json_t *array, json_t *value)
{
    if (!array || json_array_append_new(array, value) < 0) {
        json_decref(array);
        return NULL;
    }
    return array;
}

json_t *status_count(uint64_t number)
{
    return json_integer((json_int_t)number);
}

/* What brokers, paths and cut texts hold need not be UTF-8, and then must not cost the document. */
static json_t *ascii_of(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; c && *c; c++)
        *c = (unsigned char)*c < 0x80 ? *c : '?';
    json_t *string = copy ? json_string(copy) : NULL;
    free(copy);
    return string;
}

json_t *status_text(const char *text)
{
    if (!text || !*text)
        return json_null();
    json_t *string = json_string(text);
    return string ? string : ascii_of(text);
}

json_t *status_since(int64_t then_ms, int64_t now_ms)
{
    return then_ms < 0 ? json_null() : json_integer(now_ms - then_ms);
}

json_t *status_until(int64_t then_ms, int64_t now_ms)
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
    object = status_put(object, "state", json_string(link_state_name(status.state)));
    object = status_put(object, "for_ms", json_integer(now_ms - status.since_ms));
    object = status_put(object, "reason",
                        status.state == LINK_UP ? json_null() : status_text(status.reason));
    object = status_put(object, "last_reason", status_text(status.last_reason));
    object = status_put(object, "paused", json_boolean(status.paused));
    object = status_put(object, "next_attempt_in_ms", status_until(status.next_try_ms, now_ms));
    object =
        status_put(object, "endpoint", status_text(config_text(source->config, CONFIG_ENDPOINT)));
    object = status_put(object, "port", json_integer(config_number(source->config, CONFIG_PORT)));
    object = status_put(object, "proxy", status_text(status.proxy));
    object = status_put(object, "attempts", status_count(status.attempts));
    object = status_put(object, "connections", status_count(status.connections));
    object = status_put(object, "bytes_out", status_count(status.bytes_out));
    object = status_put(object, "bytes_in", status_count(status.bytes_in));
    object = status_put(object, "credentials", status_text(status.credentials));
    return status_put(object, "certificate_not_after",
                      status.not_after_sec ? json_integer(status.not_after_sec) : json_null());
}

static json_t *client_document(const struct socket_client_info *info)
{
    json_t *object = json_object();
    object = status_put(object, "name", status_text(info->session.name));
    object = status_put(object, "pid", json_integer(info->pid));
    object = status_put(object, "uid", json_integer((json_int_t)info->uid));
    object = status_put(object, "unit", status_text(info->session.unit));
    object = status_put(object, "shadows", status_count(info->session.shadows));
    object = status_put(object, "watches", status_count(info->session.watches));
    object = status_put(object, "reports", status_count(info->session.reports));
    object = status_put(object, "rejected", status_count(info->session.rejected));
    return status_put(object, "waiting", status_count(info->session.waiting));
}

static json_t *clients_document(const struct status_source *source)
{
    struct socket_server_info info;
    socket_server_get_info(source->server, &info);
    json_t *list = json_array();
    struct socket_client_info client;
    const struct socket_client *place = NULL;
    while ((place = socket_server_next_client(source->server, place, &client)))
        list = status_append(list, client_document(&client));
    struct thing_status programs;
    thing_get_status(source->thing, &programs);
    json_t *object = json_object();
    object = status_put(object, "connected", status_count(info.clients));
    object = status_put(object, "programs", status_count(programs.programs));
    object = status_put(object, "programs_away", status_count(programs.programs_away));
    object = status_put(object, "will_bytes", status_count(programs.will_bytes));
    object = status_put(object, "accepted", status_count(info.accepted));
    object = status_put(object, "refused", status_count(info.refused));
    object = status_put(object, "messages", status_count(source->host->counters.messages));
    object = status_put(object, "reports", status_count(source->host->counters.reports));
    object = status_put(object, "operations", status_count(source->host->counters.operations));
    object = status_put(object, "reports_rejected",
                        status_count(source->host->counters.reports_rejected));
    object = status_put(object, "goodbyes", status_count(source->host->counters.goodbyes));
    object = status_put(object, "watches", status_count(source->host->watch_count));
    object = status_put(object, "wishes_told", status_count(source->host->counters.wishes_told));
    object =
        status_put(object, "wishes_too_long", status_count(source->host->counters.wishes_too_long));
    object = status_put(object, "unread_bytes", status_count(source->host->stream_bytes));
    return status_put(object, "list", list);
}

char *status_write(const struct status_source *source, int64_t now_ms, size_t *ret_size)
{
    const bool is_degraded = source->config_rejected || config_is_degraded(source->config);
    struct status_facts facts;
    char summary[STATUS_SUMMARY_MAX];
    char place[STATUS_PLACE_MAX];
    status_collect(source, now_ms, place, &facts);
    status_summarize(&facts, summary, sizeof(summary));
    json_t *object = json_object();
    object = status_put(object, "summary", status_text(summary));
    object = status_put(object, "version", json_string(FLUX_VERSION));
    object = status_put(object, "state", json_string(source->is_stopping ? "stopping" : "running"));
    object = status_put(object, "uptime_ms", json_integer(now_ms - source->started_ms));
    object = status_put(object, "thing", status_text(source->thing_name));
    object = status_put(object, "configuration", json_string(is_degraded ? "degraded" : "ok"));
    object = status_put(object, "configuration_problems", status_config_problems(source));
    object = status_put(object, "needs_restart", status_needs_restart(source));
    object = status_put(object, "log_level", json_string(log_level_name(log_level())));
    object = status_put(object, "log_level_for_ms",
                        status_until(log_choice_deadline(source->log_choice), now_ms));
    object = status_put(object, "storage", status_storage(source, now_ms));
    object = status_put(object, "link", link_document(source, now_ms));
    object = status_put(object, "shadows", status_shadows(source, now_ms));
    object = status_put(object, "cloud", status_cloud(source));
    object = status_put(object, "clients", clients_document(source));
    if (!object)
        return NULL;
    /* Names are whatever programs call themselves: nothing of that may reach a terminal as it is.
     */
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(object);
    *ret_size = text ? strlen(text) : 0;
    return text;
}

size_t status_count_pending(struct thing *thing)
{
    size_t sum = 0;
    struct shadow *shadow = NULL;
    while ((shadow = thing_next_shadow(thing, shadow)))
        sum += shadow_count_unsent(shadow);
    return sum;
}
