#include "daemon/status_json.h"

#include <string.h>

/* Bytes are those of a connection that ended. */
static json_t *bytes_of(const struct link_history_entry *entry, uint64_t bytes)
{
    return entry->bytes_in + entry->bytes_out > 0 ? status_count(bytes) : json_null();
}

static json_t *event_document(const struct link_history_entry *entry, int64_t now_ms)
{
    json_t *object = json_object();
    object = status_put(object, "event", json_string(link_event_name(entry->event)));
    object = status_put(object, "time_sec", json_integer(entry->wall_sec));
    object = status_put(object, "ago_ms", json_integer(now_ms - entry->boot_ms));
    object = status_put(object, "first_ago_ms", json_integer(now_ms - entry->first_ms));
    object = status_put(object, "repeats", status_count(entry->repeats));
    object = status_put(object, "duration_ms", json_integer(entry->duration_ms));
    object = status_put(object, "bytes_in", bytes_of(entry, entry->bytes_in));
    object = status_put(object, "bytes_out", bytes_of(entry, entry->bytes_out));
    return status_put(object, "reason", status_text(entry->reason));
}

char *status_write_history(const struct link_history *history, int64_t now_ms, size_t *ret_size)
{
    json_t *list = json_array();
    const struct link_history_entry *entry;
    for (size_t i = 0; (entry = link_history_at(history, i)); i++)
        list = status_append(list, event_document(entry, now_ms));
    json_t *object = status_put(json_object(), "events", list);
    object = status_put(object, "events_ever", status_count(history->event_count));
    if (!object)
        return NULL;
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    *ret_size = text ? strlen(text) : 0;
    return text;
}
